"""Names, types and ranges: what the published schema of the component fc3 says of each property.

Serverless Devs checks types and ranges by it where the template says `validation: true`, and names never.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from functools import cache
from pathlib import Path as FilePath
from typing import Any

from local.template.problem import Path, Problem

Schema = Mapping[str, Any]

_AT_THE_TOP = (
    "edition",
    "name",
    "access",
    "validation",
    "vars",
    "resources",
    "extend",
    "flow",
    "template",
    "env",
)
_OF_A_RESOURCE = ("component", "props", "actions", "access", "extend", "dependencies", "name")
_TYPES = {
    "string": "a text",
    "boolean": "true or false",
    "integer": "a whole number",
    "number": "a number",
    "object": "a map",
    "array": "a list",
}
_TRIGGERS = {
    "timer": "ITimerTriggerConfig",
    "http": "IHttpTriggerConfig",
    "eventbridge": "IEventBridge",
    "oss": "IOssTriggerConfig",
    "log": "ILogTriggerConfig",
    "mns_topic": "IMnsTriggerConfig",
    "cdn_events": "ICdnTriggerConfig",
    "tablestore": "IOtsConfig",
}
_BESIDE_THE_SCHEMA = ("customDomain",)
"""What the component takes and its schema leaves out (fc3, src/subCommands/deploy/impl/custom_domain.ts)."""

_BELOW_SOURCES = frozenset({"eventSourceParameters", "runOptions", "deliveryOption"})
"""Which of EventBridge's parts have names that the schema does not list."""


@cache
def schema() -> Schema:
    """Give the published schema of a function's properties."""
    found: Schema = json.loads(
        (FilePath(__file__).parent / "fc3" / "schema.json").read_text(encoding="utf-8")
    )
    return found


def names_at_the_top(template: Mapping[str, object]) -> Iterator[Problem]:
    """Find misspelt and misplaced names above the properties."""
    own = {name: value for name, value in template.items() if not name.startswith("x-")}  # homes of anchors
    yield from _unknown(own, _AT_THE_TOP, (), "a template")
    resources = template.get("resources")
    for name, resource in resources.items() if isinstance(resources, dict) else ():
        if isinstance(resource, dict):
            yield from _unknown(resource, _OF_A_RESOURCE, ("resources", name), "a resource")


def properties(props: Mapping[str, object], path: Path) -> Iterator[Problem]:
    """Find what is misspelt, misplaced, of another type or out of range in a function's properties."""
    own = {name: value for name, value in props.items() if name not in _BESIDE_THE_SCHEMA}
    yield from _checked(own, schema(), path, "a function")


def _checked(value: object, its: Schema, path: Path, owner: str) -> Iterator[Problem]:
    its = _resolved(its, value)
    kind = its.get("type")
    name = str(path[-1]) if path else owner
    if isinstance(value, str) and "${" in value:
        return  # only Serverless Devs knows what it becomes
    if isinstance(kind, str) and not _is_a(value, kind):
        yield Problem(path, f"{name} is {_echo(value)}; it must be {_TYPES[kind]}{_quoted(value, kind)}")
        return
    if "enum" in its and value not in its["enum"]:
        near = get_close_matches(str(value), map(str, its["enum"]), 1)
        hint = f"; did you mean {near[0]}?" if near else ""
        yield Problem(
            path, f"{name} is {_echo(value)}; it must be one of {', '.join(map(str, its['enum']))}{hint}"
        )
    if isinstance(value, int | float) and not isinstance(value, bool):
        yield from _in_range(value, its, path, name)
    if isinstance(value, dict):
        yield from _object(value, its, path, owner)
    if isinstance(value, list) and "items" in its:
        for index, item in enumerate(value):
            yield from _checked(item, its["items"], (*path, index), f"an item of {name}")


def _object(value: Mapping[str, object], its: Schema, path: Path, owner: str) -> Iterator[Problem]:
    known = its.get("properties", {})
    free = its.get("additionalProperties") not in (None, False) or not known or path[-1:] == ("headers",)
    if not free:
        yield from _unknown(value, tuple(known), path, owner)
    for required in its.get("required", ()):
        if required not in value:
            yield Problem(path, f"{required} is missing in {path[-1] if path else owner}")
    for name, inner in value.items():
        if name not in known:
            continue
        below = known[name]
        if name == "triggerConfig":
            of_type = _TRIGGERS.get(str(value.get("triggerType")))
            if of_type is None:
                continue
            below = schema()["definitions"][of_type]
        if name not in _BELOW_SOURCES:
            yield from _checked(inner, below, (*path, name), name)


def _resolved(its: Schema, value: object) -> Schema:
    """Follow a reference; of several forms take the one that the value's type fits."""
    while "$ref" in its:
        its = schema()["definitions"][its["$ref"].rpartition("/")[2]]
    forms = its.get("anyOf") or its.get("oneOf")
    if not forms:
        return its
    resolved = [_resolved(one, value) for one in forms]
    fitting = [one for one in resolved if "type" not in one or _is_a(value, str(one["type"]))]
    return (fitting or resolved)[0]


def _unknown(value: Mapping[str, object], known: Sequence[str], path: Path, owner: str) -> Iterator[Problem]:
    plain = {name.lower().replace("_", "").replace("-", ""): name for name in known}
    for name in value:
        if name in known:
            continue
        near = plain.get(name.lower().replace("_", "").replace("-", "")) or next(
            iter(get_close_matches(name, known, 1, 0.75)), None
        )
        home = None if near else next((home for home, names in _homes() if name in names), None)
        hint = f"did you mean {near}?" if near else f"it belongs into {home}" if home else "remove it"
        yield Problem(
            (*path, name), f"{name} is no property of {owner}: it is dropped without a word; {hint}"
        )


@cache
def _homes() -> tuple[tuple[str, frozenset[str]], ...]:
    """Say which names belong where, for those that stand elsewhere."""
    found = [("props", frozenset(schema()["properties"])), ("the file's top", frozenset(_AT_THE_TOP))]
    for name, its in schema()["properties"].items():
        below = _resolved(its, {})
        if isinstance(below.get("properties"), dict):
            found.append((name, frozenset(below["properties"])))
    trigger = schema()["definitions"]["ITrigger"]["properties"]
    found.append(("a trigger", frozenset(trigger)))
    found += [
        (
            f"the triggerConfig of a {kind} trigger",
            frozenset(_resolved(schema()["definitions"][name], {}).get("properties", ())),
        )
        for kind, name in _TRIGGERS.items()
    ]
    return tuple(found)


def _is_a(value: object, kind: str) -> bool:
    match kind:
        case "string":
            return isinstance(value, str)
        case "boolean":
            return isinstance(value, bool)
        case "integer":
            return isinstance(value, int) and not isinstance(value, bool)
        case "number":
            return isinstance(value, int | float) and not isinstance(value, bool)
        case "object":
            return isinstance(value, dict)
        case "array":
            return isinstance(value, list)
    return True


def _in_range(value: float, its: Schema, path: Path, name: str) -> Iterator[Problem]:
    least, most, step = its.get("minimum"), its.get("maximum"), its.get("multipleOf")
    if (least is not None and value < least) or (most is not None and value > most):
        yield Problem(path, f"{name} is {value}; it must be from {least} to {most}")
    elif step and value % step:
        yield Problem(path, f"{name} is {value}; it must be a multiple of {step}")


def _quoted(value: object, kind: str) -> str:
    """Say how to write a number as a text."""
    if kind != "string" or isinstance(value, dict | list | None):
        return ""
    return f': write "{str(value).lower() if isinstance(value, bool) else value}"'


def _echo(value: object) -> str:
    match value:
        case dict():
            return "a map"
        case list():
            return "a list"
        case None:
            return "empty"
        case bool():
            return str(value).lower()
    return repr(value)[:100]
