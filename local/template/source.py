"""Reads a template: YAML with the line of everything, what it extends, and its variables replaced."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path as FilePath

import yaml

from local.template.problem import Path, Problem, shown

MAX_EXTENDED = 10
"""Files that extend one another; more are a circle."""

ACCOUNT_ID = "1234567890123456"
"""Stands for ${config('AccountID')}, which only Serverless Devs knows."""

_VARIABLE = re.compile(
    r"\$\{(?:vars\.(?P<vars>[\w.-]+)|config\('(?P<config>\w+)'\)|"
    r"env\('(?P<env>\w+)'(?:,\s*'(?P<default>[^']*)')?\))\}"
)


class InvalidTemplate(ValueError):  # noqa: N818 - what is wrong is the file, and the message says how
    """The file can't be read at all."""


@dataclass(frozen=True, slots=True)
class LocatedTemplate:
    """The template as data, the location of each part (`template.yml:42`), and what was wrong on the way."""

    value: object
    places: Mapping[Path, str]
    problems: tuple[Problem, ...] = ()

    def where(self, path: Path) -> str:
        """Give the location of what stands at a path, or of the nearest thing around it."""
        while path and path not in self.places:
            path = path[:-1]
        return self.places.get(path, "")


@dataclass(slots=True)
class _Reading:
    """A file that is being read."""

    name: str
    places: dict[Path, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def value(self, node: yaml.Node, path: Path) -> object:
        """Give a node as data, and note the lines."""
        self.places.setdefault(path, f"{self.name}:{node.start_mark.line + 1}")
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self.value(item, (*path, index)) for index, item in enumerate(node.value)]
        loader = yaml.SafeLoader("")
        return loader.construct_object(node)

    def _mapping(self, node: yaml.MappingNode, path: Path) -> dict[str, object]:
        yaml.SafeLoader("").flatten_mapping(node)  # YAML's merge key
        found: dict[str, object] = {}
        for key, inner in node.value:
            name = str(key.value)
            line = key.start_mark.line + 1
            if name in found:
                self.problems.append(
                    Problem((*path, name), f"{name} is there twice, and only the last counts (line {line})")
                )
            else:
                self.places[*path, name] = f"{self.name}:{line}"
            found[name] = self.value(inner, (*path, name))
        return found


def load(path: FilePath, *, account_id: str = ACCOUNT_ID) -> LocatedTemplate:
    """Read a template, and what it extends. Raise InvalidTemplate."""
    value, places, problems = _load(path, depth=0)
    variables = value.get("vars", {}) if isinstance(value, dict) else {}
    replaced = _Replacing(variables if isinstance(variables, dict) else None, account_id)
    return LocatedTemplate(replaced.value(value, ()), places, (*problems, *replaced.problems))


def _load(path: FilePath, depth: int) -> tuple[object, dict[Path, str], list[Problem]]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise InvalidTemplate(f"{path} is not UTF-8") from None
    except OSError as error:
        raise InvalidTemplate(f"cannot read {path}: {error.strerror}") from None
    reading = _Reading(str(path))
    try:
        root = yaml.compose(text, yaml.SafeLoader)
    except yaml.YAMLError as error:
        raise InvalidTemplate(_not_yaml(path, error)) from None
    except RecursionError:
        raise InvalidTemplate(f"{path} is nested too deeply") from None
    value = None if root is None else reading.value(root, ())
    if not isinstance(value, dict):
        raise InvalidTemplate(f"{path} holds no template: it begins with edition, name and resources")
    extended = value.pop("extend", None)
    if not isinstance(extended, str):
        return value, reading.places, reading.problems
    if depth == MAX_EXTENDED:
        raise InvalidTemplate(f"{path} extends files that extend one another")
    base, places, problems = _load(path.parent / extended, depth + 1)
    return _laid_over(base, value), {**places, **reading.places}, [*problems, *reading.problems]


def _not_yaml(path: FilePath, error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    location = f"{path}:{mark.line + 1}, column {mark.column + 1}" if mark else str(path)
    tab = isinstance(mark, yaml.Mark) and mark.buffer is not None and mark.buffer[mark.pointer] == "\t"
    right = (
        "indent with spaces, not tabs" if tab else "look for a missing colon, quote or indent at or before it"
    )
    return f"{location} is not YAML; {right}"


def _laid_over(base: object, own: object) -> object:
    """Merge maps key by key, as Serverless Devs does with `extend`; anything else is replaced."""
    if isinstance(base, dict) and isinstance(own, dict):
        return base | {key: _laid_over(base.get(key), value) for key, value in own.items()}
    return own


class _Replacing:
    """Replaces the variables of Serverless Devs; what only it can know stays as it is."""

    def __init__(self, variables: Mapping[str, object] | None, account_id: str) -> None:
        self._variables = variables
        self._account_id = account_id
        self.problems: list[Problem] = []

    def value(self, value: object, path: Path) -> object:
        match value:
            case dict():
                return {key: self.value(inner, (*path, key)) for key, inner in value.items()}
            case list():
                return [self.value(inner, (*path, index)) for index, inner in enumerate(value)]
            case str():
                alone = _VARIABLE.fullmatch(value)  # then the variable's type stays, too
                return (
                    self._of(alone, path)
                    if alone
                    else _VARIABLE.sub(lambda one: str(self._of(one, path)), value)
                )
        return value

    def _of(self, match: re.Match[str], path: Path) -> object:
        if match["config"]:
            return self._account_id if match["config"] == "AccountID" else match[0]
        if match["env"]:
            return os.environ.get(match["env"], match[0] if match["default"] is None else match["default"])
        if self._variables is None:  # all of them come from a file that Serverless Devs reads
            return match[0]
        found: object = self._variables
        for step in match["vars"].split("."):
            if not isinstance(found, dict) or step not in found:
                near = get_close_matches(step, self._variables, 1)
                hint = f"; did you mean vars.{near[0]}?" if near else ""
                self.problems.append(
                    Problem(path, f"{shown(path)} names {match[0]}, which is not under vars{hint}")
                )
                return match[0]
            found = found[step]
        return found
