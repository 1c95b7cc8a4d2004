"""One run: admit the events, plan, stop what may be stopped, and report; each result is logged at once."""

from collections.abc import Iterable, Iterator, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from function import guard
from function.calls import Caller
from function.credentials import Credentials
from function.ecs import Ecs
from function.effects import Effects
from function.find import EcsOf
from function.instance import LocalDisks
from function.log import Log
from function.pace import Pace
from function.plan import Plan, make_plan, no_plan
from function.report import INVALID_EVENT, Guard, Outcome, Refusal, Report
from function.request import InvalidEvent, Source, StopRequest
from function.settings import Settings
from function.stop import stop
from function.target import Target


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What a run has around it. `deadline` is monotonic seconds; `known_types` outlives the run."""

    request_id: str
    own_region: str
    credentials: Credentials
    settings: Settings
    effects: Effects
    deadline: float
    known_types: MutableMapping[str, LocalDisks]

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must not be shown, wherever it comes from."""
        token = self.settings.alarm_token
        return (*self.credentials.secrets(), *((token.get_secret_value(),) if token else ()))


def run(events: Sequence[StopRequest | InvalidEvent], around: Surroundings) -> Report:
    """Do all that the events ask and the guard allows."""
    settings, effects = around.settings, around.effects
    log = Log(around.request_id, effects.clock.now, effects.write, around.secrets)
    admitted, refusals = _admit(events, around, effects.clock.now())
    for request in admitted:
        for note in request.notes:
            log.note(request.source, request.event_id, note)
    for refusal in refusals:
        log.refusal(refusal)
    requests = {request: request.region_ids or (around.own_region,) for request in admitted}
    pace = Pace(effects.clock, effects.chance, around.deadline)
    caller = Caller(pace, effects.workers, settings.concurrency)

    plan, ecs = _plan(requests, around, caller)
    for refusal in plan.refusals:
        log.refusal(refusal)
    for region_error in plan.region_errors:
        log.region_error(region_error)
    outcomes = list(plan.left_alone)
    for outcome in plan.left_alone:
        log.outcome(outcome)
    for outcome in _stop_all(plan.targets, ecs, caller):
        log.outcome(outcome)
        outcomes.append(outcome)

    dry_runs = [guard.is_dry_run(event, settings) for event in events if isinstance(event, StopRequest)]
    report = Report(
        request_id=around.request_id,
        source=events[0].source if events else None,
        event_id=events[0].event_id if events else None,
        dry_run=all(dry_runs) if dry_runs else settings.dry_run,
        outcomes=tuple(outcomes),
        refusals=(*refusals, *plan.refusals),
        region_errors=plan.region_errors,
    )
    log.summary(report)
    return report


def _admit(
    events: Sequence[StopRequest | InvalidEvent], around: Surroundings, now: datetime
) -> tuple[list[StopRequest], list[Refusal]]:
    """Judge each event; one that was taken apart by regions is refused whole where one is not allowed."""
    admitted: list[StopRequest] = []
    refusals: list[Refusal] = []
    outside: dict[tuple[Source, str], Refusal] = {}
    for event in events:
        if isinstance(event, InvalidEvent):
            invalid = Refusal(
                source=event.source, event_id=event.event_id, code=INVALID_EVENT, message=str(event)
            )
            refusals.append(invalid)
            continue
        refusal = guard.admit(event, around.settings, around.own_region, now)
        if refusal is None:
            admitted.append(event)
        elif refusal.code == Guard.REGION_NOT_ALLOWED:
            outside.setdefault((event.source, event.event_id), refusal)
        else:
            refusals.append(refusal)
    for (source, event_id), refusal in outside.items():
        parts = [
            event
            for event in events
            if isinstance(event, StopRequest) and (event.source, event.event_id) == (source, event_id)
        ]
        ids = dict.fromkeys(instance_id for part in parts for instance_id in part.instance_ids)
        refusals.append(replace(refusal, instance_ids=tuple(ids)))
    return [one for one in admitted if (one.source, one.event_id) not in outside], refusals


def _plan(
    requests: Mapping[StopRequest, Sequence[str]], around: Surroundings, caller: Caller
) -> tuple[Plan, EcsOf]:
    """Plan, and account for every target even if a mistake in here should prevent it."""
    try:
        ecs = _connect({region for regions in requests.values() for region in regions}, around)
        return make_plan(requests, around.settings, around.known_types, ecs, caller), ecs
    except Exception as error:  # noqa: BLE001 - no target may be lost, whatever goes wrong
        nowhere: dict[str, Ecs] = {}
        return no_plan(requests, around.settings, error), nowhere.__getitem__


def _connect(region_ids: Iterable[str], around: Surroundings) -> EcsOf:
    ecs = {
        region_id: around.effects.connect(
            region_id,
            around.credentials,
            endpoint=around.settings.ecs_endpoint,
            connections=around.settings.concurrency,
        )
        for region_id in region_ids
    }
    return ecs.__getitem__


def _stop_all(targets: Sequence[Target], ecs: EcsOf, caller: Caller) -> Iterator[Outcome]:
    """Give every target its outcome, even if a mistake in here should end the stopping half-way."""
    left = {target.place: target for target in targets}
    try:
        for outcome in stop(targets, ecs, caller):
            del left[outcome.region_id, outcome.instance_id]
            yield outcome
    except Exception as error:  # noqa: BLE001 - no target may be lost, whatever goes wrong
        for target in left.values():
            yield target.interrupted(error, caller.pace.clock.monotonic())
