"""Fleet files: saved DescribeInstances answers, as people, tools and the console save them."""

import json
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from local.emulator.behaviour import Behaviour, read_behaviour
from local.emulator.fleet import DEFAULT_REGION, Fleet, InvalidFleet
from local.emulator.fleet_format import EMULATOR_KEY, FIELDS
from local.emulator.json_files import InvalidJson, decode, documents, line_and_column
from local.emulator.json_values import shown

_WRAPPINGS = ("data", "Data", "body", "Body", "result", "Result")
_NEARLY = 0.8
"""How like a known name an unknown one has to be for it to be a slip."""


def load_fleet(source: Path | str, *, region_id: str = DEFAULT_REGION) -> Fleet:
    """Read a fleet file, or the text of one: a DescribeInstances answer, a list of its pages or of instances.

    Text is what starts with `{` or `[`, anything else is a path. Raise InvalidFleet, for a part of an answer
    too: a rehearsal on a part says nothing about the whole. An answer, or the first of its pages, may carry
    an `x-emulator` of its own: see `read_behaviour`.
    """
    name = "the fleet"
    try:
        if isinstance(source, str) and source.lstrip()[:1] in ("{", "["):
            text = source
        else:
            name = str(source)
            text = decode(Path(source).read_bytes())
        body = _body(documents(text))
        instances = _instances(body)
        _check_names(instances, text)
        return Fleet.from_instances(instances, region_id=region_id, behaviour=_behaviour(body))
    except OSError as error:
        raise InvalidFleet(f"{name} can't be read: {error.strerror}") from error
    except InvalidJson as error:
        raise InvalidFleet(f"{name} is not JSON: {error}") from error
    except InvalidFleet as error:
        raise InvalidFleet(f"{name}: {error}") from error


def _body(found: Sequence[object]) -> object:
    """Take the one document, or all pages, without what the console or an SDK puts around an answer."""
    pages = [_unwrapped(page) for page in found]
    if all(isinstance(page, list) for page in pages):  # instances, one or several a document
        return [instance for page in pages if isinstance(page, list) for instance in page]
    return pages[0] if len(pages) == 1 else pages


def _unwrapped(page: object) -> object:
    """Take `{"code": "200", "data": {…}}` of the console and `{"headers": …, "body": {…}}` of the SDKs."""
    while isinstance(page, Mapping) and "Instances" not in page:
        inner = next((page[key] for key in _WRAPPINGS if isinstance(page.get(key), Mapping)), None)
        if inner is None:
            break
        page = inner
    if isinstance(page, Mapping) and "InstanceId" in page:
        return [page]
    return page


def _check_names(instances: Sequence[object], text: str) -> None:
    """Find a field that is nearly one of DescribeInstances': read as unknown, it would count for nothing."""
    plain = {name.lower(): name for name in FIELDS}
    for instance in instances:
        for name in instance if isinstance(instance, Mapping) else ():
            if name in FIELDS or name == EMULATOR_KEY:
                continue
            near = plain.get(name.lower().replace("_", "")) or next(
                iter(get_close_matches(name, FIELDS, 1, _NEARLY)), None
            )
            if near is not None:
                where = line_and_column(text, max(0, text.find(json.dumps(name))))
                raise InvalidFleet(
                    f"{where}: the field {shown(name)} is none of an instance's; did you mean {near}?"
                )


def sample_fleet() -> Fleet:
    """Return the fleet that the demo stops: some of everything that can come in the way."""
    return load_fleet(Path(__file__).with_name("fleet.json"))


def _instances(body: object) -> list[object]:
    pages: list[Any]
    match body:
        case [{"Instances": _}, *_]:
            pages = list(body)
        case list():
            return body
        case _:
            pages = [body]
    instances = [instance for page in pages for instance in _on_page(page)]
    totals = [page["TotalCount"] for page in pages if isinstance(page.get("TotalCount"), int)]
    if pages[-1].get("NextToken") or max(totals, default=0) > len(instances):
        raise InvalidFleet(
            f"these are only {len(instances)} instances, and ECS had more; save all of them with "
            "aliyun ecs DescribeInstances --MaxResults 100 --pager, "
            "or leave out NextToken and TotalCount if you mean just these"
        )
    return instances


def _behaviour(body: object) -> Behaviour | None:
    first = body[0] if isinstance(body, list) and body else body
    given = first.get(EMULATOR_KEY) if isinstance(first, Mapping) and "Instances" in first else None
    try:
        return None if given is None else read_behaviour(given)
    except ValueError as error:
        raise InvalidFleet(f"{EMULATOR_KEY}: {error}") from error


def _on_page(page: object) -> list[object]:
    match page:
        case {"Instances": {"Instance": list(instances)}}:
            return instances
        case {"Instances": {"Instance": None} | None}:  # how some tools write an empty list
            return []
    raise InvalidFleet('expected {"Instances": {"Instance": […]}} as DescribeInstances answers, or a list')
