"""One run: admit the events, plan, stop what may be stopped, and report; each result is logged at once."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from function.guard import instance as guard
from function.guard.event import admit
from function.model.outcome import INVALID_EVENT, Dispatch, GuardCode, Outcome, Refusal, Result
from function.model.ports import Ecs
from function.model.request import InvalidEvent, Source, StopRequest
from function.model.scope import Scope, instance_key, make_scope
from function.reporting.log import Log
from function.reporting.report import Report
from function.stopping.calls import Caller
from function.stopping.clients import open_clients
from function.stopping.context import InvocationContext
from function.stopping.fan_out import dispatch, is_large
from function.stopping.inventory import EcsOf
from function.stopping.operation import Target
from function.stopping.plan import Plan, Requests, make_plan, no_plan
from function.stopping.stop import stop
from function.stopping.throttle import Throttle

SECONDS_PER_100 = 0.1
"""What it may take to log and report 100 outcomes with a tenth of a CPU: twice what was measured."""


def run(events: Sequence[StopRequest | InvalidEvent], context: InvocationContext) -> Report:
    """Do all that the events ask and the guard allows."""
    settings, ports = context.settings, context.ports
    log = Log(context.request_id, ports.clock.now, ports.write, context.secrets)
    admitted, refusals = _admit(events, context, ports.clock.now())
    requested = [event for event in events if isinstance(event, StopRequest)]
    for told in dict.fromkeys((one.source, one.event_id, note) for one in requested for note in one.notes):
        log.note(*told)
    for refusal in refusals:
        log.result(refusal)
    requests = {request: _scopes(request, context.own) for request in admitted}
    throttle = Throttle(ports.clock, ports.chance, context.deadline)
    caller = Caller(throttle, ports.workers, settings.concurrency)

    plan, ecs = _plan(requests, context, caller)
    throttle.deadline -= len(plan.targets) // 100 * SECONDS_PER_100
    known: tuple[Result, ...] = (*plan.refusals, *plan.region_errors, *plan.left_alone)
    for result in known:
        log.result(result)
    outcomes = list(plan.left_alone)
    handed_on: list[Dispatch] = []
    for result in _do_all(plan.targets, ecs, context, caller):
        log.result(result)
        if isinstance(result, Dispatch):
            handed_on.append(result)
        else:
            outcomes.append(result)

    dry_runs = [guard.is_dry_run(request, settings) for request in requested]
    report = Report(
        request_id=context.request_id,
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
    events: Sequence[StopRequest | InvalidEvent], context: InvocationContext, now: datetime
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
        refusal = admit(event, context.settings, context.own.region_id, now)
        if refusal is None:
            admitted.append(event)
        elif refusal.code in {GuardCode.REGION_NOT_ALLOWED, GuardCode.ROLE_NOT_ALLOWED}:
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


def _scopes(request: StopRequest, own: Scope) -> tuple[Scope, ...]:
    """Say where an event means its instances: in each of its regions, of each of its accounts."""
    return tuple(
        make_scope(region_id, role_arn, own.account_id)
        for role_arn in request.role_arns or (None,)
        for region_id in request.region_ids or (own.region_id,)
    )


def _plan(requests: Requests, context: InvocationContext, caller: Caller) -> tuple[Plan, EcsOf]:
    """Plan, and account for every target even if a mistake in here should prevent it."""
    try:
        # In their order, not a set's: what is drawn by chance comes out the same each time.
        scopes = tuple(dict.fromkeys(scope for scopes in requests.values() for scope in scopes))
        ways = open_clients(scopes, context, caller)
        return make_plan(requests, context.settings, context.known_types, ways, caller), ways.ecs
    except Exception as error:  # noqa: BLE001 - no target may be lost, whatever goes wrong
        nowhere: dict[Scope, Ecs] = {}
        return no_plan(requests, context.settings, error), nowhere.__getitem__


def _do_all(
    targets: Sequence[Target], ecs: EcsOf, context: InvocationContext, caller: Caller
) -> Iterator[Dispatch | Outcome]:
    """Stop every target or hand it on, and lose none, even if a mistake in here should end that half-way."""
    left = {target.key: target for target in targets}
    large = is_large(targets, context.settings)
    try:
        for result in dispatch(targets, context, caller) if large else stop(targets, ecs, caller):
            ids = result.instance_ids if isinstance(result, Dispatch) else (result.instance_id,)
            for instance_id in ids:
                del left[instance_key(result.scope, instance_id)]
            yield result
    except Exception as error:  # noqa: BLE001 - no target may be lost, whatever goes wrong
        for target in left.values():
            yield target.interrupted(error, caller.throttle.clock.monotonic())
