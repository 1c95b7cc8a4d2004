"""Each timer of a template: when it fires next, what that is where people live, and what it asks for."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from function.events.parse import parse
from function.guard.event import admit
from function.model.outcome import Refusal
from function.model.request import InvalidEvent, Selection, StopRequest
from function.model.scope import Scope
from function.settings import Settings
from local.template.cron import InvalidCron, Timer, local_zone
from local.template.cron import parse as parse_cron
from local.template.model import Function, Trigger
from local.template.problem import Path, Problem

COUNT = 5
"""So many next times are shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """What a timer will do, in lines for people."""

    name: str
    enabled: bool
    expression: str
    times: tuple[str, ...]
    asks_for: str


def event_of(trigger: Trigger, now: datetime) -> bytes:
    """Give the event that a timer sends: its payload as text, in FC's own envelope."""
    payload = trigger.config.get("payload", "")
    event = {
        "triggerTime": f"{now.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
        "triggerName": trigger.name,
        "payload": payload,
    }
    return json.dumps(event).encode()


def forecast(
    function: Function, settings: Settings, path: Path, now: datetime
) -> tuple[list[Forecast], list[Problem]]:
    """Look ahead at each timer, or say what is wrong with it."""
    forecasts: list[Forecast] = []
    problems: list[Problem] = []
    for index, trigger in enumerate(function.triggers):
        if trigger.type != "timer":
            continue
        where = (*path, "triggers", index, "triggerConfig")
        expression = str(trigger.config.get("cronExpression", ""))
        times: tuple[str, ...] = ()
        if "${" not in expression:
            try:
                times = _times(parse_cron(expression), function.region, now)
            except InvalidCron as error:
                problems.append(Problem((*where, "cronExpression"), f"cronExpression: {error}"))
        wish, problem = _wish(trigger, function, settings, now)
        if problem:
            problems.append(Problem((*where, "payload"), f"{trigger.name}: {problem}"))
        forecasts.append(
            Forecast(
                name=trigger.name, enabled=trigger.enabled, expression=expression, times=times, asks_for=wish
            )
        )
    return forecasts, problems


def _times(timer: Timer, region_id: str, now: datetime) -> tuple[str, ...]:
    """Write each time in the timer's zone and in UTC; without a zone also as people of the region read it."""
    home = local_zone(region_id)
    lines = []
    for moment in timer.next_times(now, COUNT):
        if timer.zone:
            other = f"{moment.astimezone(UTC):%H:%M} UTC"
        elif home:
            other = f"{moment.astimezone(ZoneInfo(home)):%a %H:%M} in {home}"
        else:
            other = "UTC"
        lines.append(f"{moment:%a %Y-%m-%d %H:%M:%S} {timer.zone or 'UTC'} ({other})")
    return tuple(lines)


def _wish(trigger: Trigger, function: Function, settings: Settings, now: datetime) -> tuple[str, str | None]:
    """Say what a timer asks for, and why the function would refuse it, if it would."""
    (found, *_) = parse(event_of(trigger, now), now=now).events
    if isinstance(found, InvalidEvent):
        return "nothing that the function understands", f"its payload is refused: {found}"
    own = Scope(region_id=function.region or "cn-hangzhou")
    admitted = admit(found, settings, own, now)
    problem = (
        f"its event is refused: {admitted.code}: {admitted.message}"
        if isinstance(admitted, Refusal)
        else None
    )
    return in_words(found, function.region, settings), problem


def in_words(request: StopRequest, region_id: str, settings: Settings) -> str:
    """Say what a request asks for, in a sentence."""
    if request.selection is None:
        what = f"{len(request.instance_ids)} named instances"
    else:
        what = f"every instance with {selected(request.selection)}"
    where = ", ".join(request.region_ids or (region_id,))
    accounts = f" of {len(request.role_arns)} other accounts" if request.role_arns else ""
    mode = request.stopped_mode or settings.stopped_mode
    extra = [
        text
        for text, is_so in (
            ("by force", request.force_stop),
            ("data on local disks may be lost", request.confirm_stop),
            ("a dry run", request.dry_run or settings.dry_run),
        )
        if is_so
    ]
    return "; ".join([f"stops {what} in {where}{accounts}, {mode}", *extra])


def selected(selection: Selection) -> str:
    """Say by what instances are selected."""
    parts = [f"the tag {tag}" for tag in selection.tags]
    parts += [
        f"{name} {value}"
        for name, value in (
            ("the resource group", selection.resource_group_id),
            ("the VPC", selection.vpc_id),
            ("the zone", selection.zone_id),
            ("the name", selection.instance_name),
        )
        if value
    ]
    return " and ".join(parts)
