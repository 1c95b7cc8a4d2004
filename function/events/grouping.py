"""From the alerts, rows and dimensions of one alarm to requests: one for each state and region."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from function.events.labels import InstanceRef, NoInstance, OtherResource
from function.model.frozen import frozen
from function.model.outcome import INVALID_EVENT, GuardCode
from function.model.request import MAX_INSTANCE_IDS, StopRequest, TargetProblem

MAX_SHOWN = 2
"""So many problems of an event are told, and how many more there are."""


@frozen
class Alert:
    """One alert, row or set of dimensions: its state, its alarm's name, and the instance that it means."""

    state: str
    name: str | None
    target: InstanceRef | NoInstance


def group(base: StopRequest, alerts: Sequence[Alert]) -> Iterator[StopRequest]:
    """Complete the request by each alert, judged by itself: one bad alert harms no other.

    An alert that means no instance is refused by itself where others mean something; an event in which none
    does is invalid, for its set-up is wrong.
    """
    something = any(isinstance(alert.target, InstanceRef | OtherResource) for alert in alerts)
    states: dict[str, list[Alert]] = {}
    for alert in alerts:
        states.setdefault(alert.state, []).append(alert)
    for state, alike in states.items():
        of_state = replace(base, alarm_state=state, alarm_name=_name(alike))
        targets = [alert.target for alert in alike if isinstance(alert.target, InstanceRef)]
        problems = [alert.target for alert in alike if isinstance(alert.target, NoInstance)]
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


def _name(alerts: Sequence[Alert]) -> str | None:
    return ", ".join(dict.fromkeys(alert.name for alert in alerts if alert.name)) or None
