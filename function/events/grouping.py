"""From the alerts, rows and dimensions of one alarm to requests: one for each state and region."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from function.events.labels import Lack, NoTarget, Target
from function.model.outcome import INVALID_EVENT, GuardCode
from function.model.request import MAX_INSTANCE_IDS, StopRequest, TargetProblem

MAX_SHOWN = 2
"""So many problems of an event are told, and how many more there are."""


@dataclass(frozen=True, slots=True)
class Part:
    """An alert, row or set of dimensions: its state, its alarm's name, and the instance that it means."""

    state: str
    name: str | None
    target: Target | NoTarget


def group(base: StopRequest, parts: Sequence[Part]) -> Iterator[StopRequest]:
    """Complete the request by each part, judged by itself: one bad part harms no other.

    A part that means no instance is refused by itself where others mean something; an event in which none
    does is invalid, for its set-up is wrong.
    """
    something = any(
        isinstance(part.target, Target) or part.target.lack is Lack.SOMETHING_ELSE for part in parts
    )
    states: dict[str, list[Part]] = {}
    for part in parts:
        states.setdefault(part.state, []).append(part)
    for state, alike in states.items():
        of_state = replace(base, alarm_state=state, alarm_name=_name(alike))
        targets = [part.target for part in alike if isinstance(part.target, Target)]
        problems = [part.target for part in alike if isinstance(part.target, NoTarget)]
        if (count := len({target.instance_id for target in targets})) > MAX_INSTANCE_IDS:
            text = f"the event names {count} instances; an event names at most {MAX_INSTANCE_IDS}"
            yield replace(of_state, problem=TargetProblem(code=INVALID_EVENT, message=text))
            continue
        regions: dict[str | None, dict[str, None]] = {}
        for target in targets:
            regions.setdefault(target.region_id, {})[target.instance_id] = None
        for region_id, ids in regions.items():
            yield replace(
                of_state, instance_ids=tuple(ids), region_ids=(region_id,) if region_id else base.region_ids
            )
        if problems:
            shown = list(dict.fromkeys(problem.message for problem in problems))
            others = f" (and {len(shown) - MAX_SHOWN} more)" if len(shown) > MAX_SHOWN else ""
            code = GuardCode.NOT_AN_INSTANCE if something else INVALID_EVENT
            message = f"{'; '.join(shown[:MAX_SHOWN])}{others}"
            yield replace(of_state, problem=TargetProblem(code=code, message=message))


def _name(parts: Sequence[Part]) -> str | None:
    return ", ".join(dict.fromkeys(part.name for part in parts if part.name)) or None
