"""One run: admit the events, plan, stop what may be stopped, and report; each result is logged at once."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from function import guard
from function.accounts import reach
from function.admission import admit
from function.calls import Caller
from function.ecs import Ecs
from function.fan_out import hand_on, is_large
from function.find import EcsOf
from function.log import Log
from function.pace import Pace
from function.plan import Plan, Requests, make_plan, no_plan
from function.report import INVALID_EVENT, Guard, HandedOn, Outcome, Refusal, Report
from function.request import InvalidEvent, Source, StopRequest
from function.site import Site, make_site, place
from function.stop import stop
from function.surroundings import Surroundings
from function.target import Target

SECONDS_PER_100 = 0.1
"""What it may take to log and report 100 outcomes with a tenth of a CPU: twice what was measured."""


def run(events: Sequence[StopRequest | InvalidEvent], around: Surroundings) -> Report:
    """Do all that the events ask and the guard allows."""
    settings, effects = around.settings, around.effects
    log = Log(around.request_id, effects.clock.now, effects.write, around.secrets)
    admitted, refusals = _admit(events, around, effects.clock.now())
    requested = [event for event in events if isinstance(event, StopRequest)]
    for told in dict.fromkeys((one.source, one.event_id, note) for one in requested for note in one.notes):
        log.note(*told)
    for refusal in refusals:
        log.refusal(refusal)
    requests = {request: _sites(request, around.own) for request in admitted}
    pace = Pace(effects.clock, effects.chance, around.deadline)
    caller = Caller(pace, effects.workers, settings.concurrency)

    plan, ecs = _plan(requests, around, caller)
    pace.deadline -= len(plan.targets) // 100 * SECONDS_PER_100
    for refusal in plan.refusals:
        log.refusal(refusal)
    for region_error in plan.region_errors:
        log.region_error(region_error)
    outcomes = list(plan.left_alone)
    for outcome in plan.left_alone:
        log.outcome(outcome)
    handed_on: list[HandedOn] = []
    for result in _do_all(plan.targets, ecs, around, caller):
        if isinstance(result, HandedOn):
            log.handed_on(result)
            handed_on.append(result)
        else:
            log.outcome(result)
            outcomes.append(result)

    dry_runs = [guard.is_dry_run(request, settings) for request in requested]
    report = Report(
        request_id=around.request_id,
        source=events[0].source if events else None,
        event_id=events[0].event_id if events else None,
        dry_run=all(dry_runs) if dry_runs else settings.dry_run,
        outcomes=tuple(outcomes),
        refusals=(*refusals, *plan.refusals),
        region_errors=plan.region_errors,
        handed_on=tuple(handed_on),
    )
    log.summary(report)
    return report


def _admit(
    events: Sequence[StopRequest | InvalidEvent], around: Surroundings, now: datetime
) -> tuple[list[StopRequest], list[Refusal]]:
    """Judge each event; one that was taken apart is refused whole where a region or role is not allowed."""
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
        refusal = admit(event, around.settings, around.own.region_id, now)
        if refusal is None:
            admitted.append(event)
        elif refusal.code in {Guard.REGION_NOT_ALLOWED, Guard.ROLE_NOT_ALLOWED}:
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


def _sites(request: StopRequest, own: Site) -> tuple[Site, ...]:
    """Say where an event means its instances: in each of its regions, of each of its accounts."""
    return tuple(
        make_site(region_id, role_arn, own.account_id)
        for role_arn in request.role_arns or (None,)
        for region_id in request.region_ids or (own.region_id,)
    )


def _plan(requests: Requests, around: Surroundings, caller: Caller) -> tuple[Plan, EcsOf]:
    """Plan, and account for every target even if a mistake in here should prevent it."""
    try:
        # In their order, not a set's: what is drawn by chance comes out the same each time.
        sites = tuple(dict.fromkeys(site for sites in requests.values() for site in sites))
        ways = reach(sites, around, caller)
        return make_plan(requests, around.settings, around.known_types, ways, caller), ways.ecs
    except Exception as error:  # noqa: BLE001 - no target may be lost, whatever goes wrong
        nowhere: dict[Site, Ecs] = {}
        return no_plan(requests, around.settings, error), nowhere.__getitem__


def _do_all(
    targets: Sequence[Target], ecs: EcsOf, around: Surroundings, caller: Caller
) -> Iterator[HandedOn | Outcome]:
    """Stop every target or hand it on, and lose none, even if a mistake in here should end that half-way."""
    left = {target.place: target for target in targets}
    large = is_large(targets, around.settings)
    try:
        for result in hand_on(targets, around, caller) if large else stop(targets, ecs, caller):
            ids = result.instance_ids if isinstance(result, HandedOn) else (result.instance_id,)
            for instance_id in ids:
                del left[place(result.site, instance_id)]
            yield result
    except Exception as error:  # noqa: BLE001 - no target may be lost, whatever goes wrong
        for target in left.values():
            yield target.interrupted(error, caller.pace.clock.monotonic())
