"""Is a template what it seems? All that is wrong, by its line, and what its timers will do."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches

from pydantic import ValidationError

from local.template.coherence import HANDLER, coherence, read_settings
from local.template.limits import limits
from local.template.model import Function
from local.template.problem import Path, Problem, shown
from local.template.properties import names_at_the_top, properties
from local.template.source import LocatedTemplate
from local.template.timers import Forecast, forecast

_NEARLY = 0.9
"""How like ours a handler has to be for it to be misspelt; any other is of somebody else's function."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """`problems` with their places, in the file's order; the functions that are ours, and their timers."""

    problems: tuple[tuple[str, str], ...]
    functions: tuple[Function, ...]
    forecasts: tuple[Forecast, ...]


def check(source: LocatedTemplate, now: datetime) -> Findings:
    """Check a template."""
    problems = list(source.problems)
    functions: list[Function] = []
    forecasts: list[Forecast] = []
    template = source.value if isinstance(source.value, dict) else {}
    problems += names_at_the_top(template)
    problems += _frame(template)
    for path, props in _functions(template):
        found = [*properties(props, path), *limits(props, path)]
        problems += found
        try:
            function = Function.model_validate(_without_wrong(props, found, path))
        except ValidationError as error:
            problems += [
                Problem(
                    (*path, *map(_step, one["loc"])), f"{shown(tuple(map(_step, one['loc'])))} can't be read"
                )
                for one in error.errors()
                if not found
            ]
            continue
        functions.append(function)
        settings, wrong = read_settings(function, path)
        problems += wrong
        if settings is not None:
            problems += coherence(function, settings, path)
            ahead, wrong = forecast(function, settings, path, now)
            forecasts += ahead
            problems += wrong
    placed = [(source.where(problem.path), problem.message) for problem in problems]
    return Findings(
        problems=tuple(dict.fromkeys(sorted(placed, key=_by_line))),
        functions=tuple(functions),
        forecasts=tuple(forecasts),
    )


def _frame(template: Mapping[str, object]) -> Iterator[Problem]:
    """Judge what stands around the functions."""
    if template.get("validation") is not True:
        yield Problem(
            ("validation",), "validation must be true: without it Serverless Devs checks no value at all"
        )
    if not str(template.get("edition", "")).startswith("3."):
        yield Problem(("edition",), f"edition is {template.get('edition')!r}; 3.0.0 is right")
    if not any(True for _ in _functions(template)):
        yield Problem(("resources",), "no function is there: a resource with component fc3 and props")


def _functions(template: Mapping[str, object]) -> Iterator[tuple[Path, dict[str, object]]]:
    resources = template.get("resources")
    for name, resource in resources.items() if isinstance(resources, dict) else ():
        props = resource.get("props") if isinstance(resource, dict) else None
        component = str(resource.get("component")) if isinstance(resource, dict) else ""
        if (
            isinstance(props, dict)
            and component.partition("@")[0] == "fc3"
            and get_close_matches(str(props.get("handler", HANDLER)), [HANDLER], 1, _NEARLY)
        ):
            yield ("resources", name, "props"), props


def _without_wrong(props: dict[str, object], found: list[Problem], path: Path) -> dict[str, object]:
    """Leave out what has been found wrong, so that the rest can still be judged."""
    wrong = {problem.path[len(path)] for problem in found if len(problem.path) == len(path) + 1}
    variables = props.get("environmentVariables")
    kept = {
        name: value for name, value in props.items() if name not in wrong or name == "environmentVariables"
    }
    if isinstance(variables, dict):
        kept["environmentVariables"] = {
            name: value for name, value in variables.items() if isinstance(value, str)
        }
    return kept


def _by_line(placed: tuple[str, str]) -> tuple[str, int]:
    file, _, line = placed[0].rpartition(":")
    return file, int(line) if line.isdigit() else 0


def _step(step: object) -> str | int:
    return step if isinstance(step, int) else str(step)
