"""One run: admit the events, plan, stop what may be stopped, and report; each result is logged at once."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import chain

from function.guard.event import admit, is_dry_run
from function.model.errors import ClientCode, CloudError, origin
from function.model.outcome import (
    INVALID_EVENT,
    Acceptance,
    Dispatch,
    GuardCode,
    Outcome,
    Refusal,
    RegionError,
    Result,
)
from function.model.request import InvalidEvent, Job, Source, StopRequest
from function.model.scope import instance_key
from function.reporting.log import Log
from function.reporting.report import Report
from function.stopping.calls import Caller
from function.stopping.clients import Clients, open_clients
from function.stopping.context import InvocationContext
from function.stopping.defer import defer, may_be_deferred
from function.stopping.fan_out import dispatch, is_large
from function.stopping.inventory import InstanceTypes
from function.stopping.operation import Operation
from function.stopping.plan import Plan, make_plan, no_plan
from function.stopping.stop import stop
from function.stopping.throttle import Throttle

SECONDS_PER_100 = 0.1
"""What it may take to log and report 100 outcomes with a tenth of a CPU: twice what was measured."""


def run(
    events: Sequence[StopRequest | InvalidEvent], context: InvocationContext, known_types: InstanceTypes
) -> tuple[Report, InstanceTypes]:
    """Do all that the events ask and the guard allows; give what was learnt of instance types, too."""
    settings, ports = context.settings, context.ports
    log = Log(context.request_id, ports.clock.now, ports.write, context.redact)
    began = ports.clock.now()
    jobs, refusals = _admit(events, context, began)
    requested = [event for event in events if isinstance(event, StopRequest)]
    for told in dict.fromkeys((one.source, one.event_id, note) for one in requested for note in one.notes):
        log.note(*told)
    for refusal in refusals:
        log.result(refusal)
    throttle = Throttle(ports.clock, ports.chance(), context.deadline)
    caller = Caller(throttle, ports.workers, settings.concurrency)

    results: list[Result] = [*refusals]
    types: InstanceTypes = {}
    deferred = _defer(jobs, context, caller) if context.over_http and settings.fan_out and jobs else None
    if deferred is None:
        plan, clients = _plan(jobs, context, known_types, caller)
        types = plan.types
        reporting_seconds = len(plan.operations) // 100 * SECONDS_PER_100
        caller = caller.until(context.deadline - reporting_seconds)
        if plan.warning is not None and jobs:
            log.note(jobs[0].request.source, jobs[0].request.event_id, plan.warning)
        known: tuple[Result, ...] = (*plan.refusals, *plan.region_errors, *plan.left_alone)
        to_come: Iterable[Result] = chain(known, _do_all(plan.operations, clients, context, caller))
    else:
        to_come = deferred
    for result in to_come:
        # A sender that hangs up ends the run in the midst: what ECS accepted is in the log before that.
        if context.over_http or not isinstance(result, Acceptance):
            log.result(result)
        results.append(result)

    dry_runs = [is_dry_run(request, settings) for request in requested]
    report = Report(
        request_id=context.request_id,
        time=began,
        account_id=context.own.account_id,
        region_ids=tuple(dict.fromkeys(scope.region_id for job in jobs for scope in job.scopes)),
        source=events[0].source if events else None,
        event_id=events[0].event_id if events else None,
        dry_run=all(dry_runs) if dry_runs else settings.dry_run,
        outcomes=tuple(result for result in results if isinstance(result, Outcome)),
        refusals=tuple(result for result in results if isinstance(result, Refusal)),
        region_errors=tuple(result for result in results if isinstance(result, RegionError)),
        handed_on=tuple(result for result in results if isinstance(result, Dispatch)),
    )
    log.summary(report)
    return report, types


def _admit(
    events: Sequence[StopRequest | InvalidEvent], context: InvocationContext, now: datetime
) -> tuple[list[Job], list[Refusal]]:
    """Judge each event; one that was taken apart is refused whole where a region or role is not allowed."""
    jobs: dict[Job, None] = {}
    refusals: list[Refusal] = []
    outside: dict[tuple[Source, str], Refusal] = {}
    for event in events:
        if isinstance(event, InvalidEvent):
            invalid = Refusal(
                source=event.source, event_id=event.event_id, code=INVALID_EVENT, message=str(event)
            )
            refusals.append(invalid)
            continue
        admitted = admit(event, context.settings, context.own, now)
        if isinstance(admitted, Job):
            jobs[admitted] = None  # an event that comes twice is one
        elif admitted.code in {GuardCode.REGION_NOT_ALLOWED, GuardCode.ROLE_NOT_ALLOWED}:
            outside.setdefault((event.source, event.event_id), admitted)
        else:
            refusals.append(admitted)
    for (source, event_id), refusal in outside.items():
        parts = [
            event
            for event in events
            if isinstance(event, StopRequest) and (event.source, event.event_id) == (source, event_id)
        ]
        ids = dict.fromkeys(instance_id for part in parts for instance_id in part.instance_ids)
        refusals.append(replace(refusal, instance_ids=tuple(ids)))
    accepted = [job for job in jobs if (job.request.source, job.request.event_id) not in outside]
    return accepted, refusals


def _defer(jobs: Sequence[Job], context: InvocationContext, caller: Caller) -> Sequence[Result] | None:
    """Hand all on; after a mistake in here nobody knows whether that was done, so it is not done here."""
    try:
        return defer(jobs, context, caller)
    except Exception as error:  # noqa: BLE001 - no target may be lost, whatever goes wrong
        unforeseen = CloudError(
            ClientCode.UNFORESEEN, f"the run ended before that was known ({origin(error)})"
        )
        return may_be_deferred(jobs, unforeseen)


def _plan(
    jobs: Sequence[Job], context: InvocationContext, known_types: InstanceTypes, caller: Caller
) -> tuple[Plan, Clients]:
    """Plan, and account for every target even if a mistake in here should prevent it."""
    try:
        # In their order, not a set's: what is drawn by chance comes out the same each time.
        scopes = tuple(dict.fromkeys(scope for job in jobs for scope in job.scopes))
        clients = open_clients(scopes, context, caller)
        return make_plan(jobs, context, known_types, clients, caller), clients
    except Exception as error:  # noqa: BLE001 - no target may be lost, whatever goes wrong
        return no_plan(jobs, error), Clients()


def _do_all(
    operations: Sequence[Operation], clients: Clients, context: InvocationContext, caller: Caller
) -> Iterator[Dispatch | Outcome | Acceptance]:
    """Stop all or hand it on, and lose none, even if a mistake in here should end that half-way."""
    pending = {operation.key: operation for operation in operations}
    large = is_large(operations, context.settings)
    try:
        for result in dispatch(operations, context, caller) if large else stop(operations, clients, caller):
            if not isinstance(result, Acceptance):
                ids = result.instance_ids if isinstance(result, Dispatch) else (result.instance_id,)
                for instance_id in ids:
                    del pending[instance_key(result.scope, instance_id)]
            yield result
    except Exception as error:  # noqa: BLE001 - no target may be lost, whatever goes wrong
        for operation in pending.values():
            yield operation.interrupted(error, caller.throttle.clock.monotonic())
