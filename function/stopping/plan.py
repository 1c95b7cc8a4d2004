"""From events to a plan: which instances they mean, which of those to stop, and why the others not."""

from collections.abc import Sequence
from dataclasses import field, replace
from datetime import datetime

from function.guard import instance as guard
from function.guard.cap import count_instances
from function.guard.event import refuse
from function.guard.instance import Stop
from function.model.errors import ClientCode, origin
from function.model.frozen import frozen
from function.model.instance import Instance
from function.model.outcome import GuardCode, Outcome, Refusal, RegionError, Settled, Status
from function.model.request import Job
from function.stopping.calls import Caller
from function.stopping.candidates import Candidate, Snapshots, find, settle_all
from function.stopping.clients import Clients
from function.stopping.context import InvocationContext
from function.stopping.inventory import InstanceTypes, ask_types
from function.stopping.operation import Decide, Operation


@frozen
class Plan:
    """Outcomes of the instances that are left alone, stops to be done, and what could not be planned.

    `warning`: what whoever plans should know. `types`: what was learnt of instance types, beyond the run.
    """

    left_alone: tuple[Outcome, ...] = ()
    operations: tuple[Operation, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    region_errors: tuple[RegionError, ...] = ()
    warning: str | None = None
    types: InstanceTypes = field(default_factory=dict)


def make_plan(
    jobs: Sequence[Job],
    context: InvocationContext,
    known_types: InstanceTypes,
    clients: Clients,
    caller: Caller,
) -> Plan:
    """Find and decide. Nothing is stopped in here."""
    clock, settings = caller.throttle.clock, context.settings
    started = clock.monotonic()
    candidates, region_errors = find(jobs, clients, caller)
    seen = [(one.scope, one.instance) for one in candidates if one.instance is not None]
    answered, guessed = ask_types(seen, known_types, clients, caller)
    types = {**guessed, **known_types, **answered}

    def decide(instance: Instance, job: Job, now: datetime, seen_first: Instance) -> Stop | Settled:
        disks = instance.local_disks(types)
        return guard.decide(instance, job, settings, now, disks, seen_first=seen_first)

    now = clock.now()
    decisions = [(candidate, _decision(candidate, decide, now)) for candidate in candidates]
    judged = [(one.job, one.instance, decision) for one, decision in decisions]
    count = count_instances(judged, settings, now, types)
    problem = count.problem(settings.max_instances)
    if problem is not None:
        would_stop = [candidate for candidate, decision in decisions if isinstance(decision, Stop)]
        plan = Plan(refusals=_too_many(jobs, would_stop, problem))
    else:
        left_alone: list[Outcome] = []
        operations: list[Operation] = []
        for candidate, decision in decisions:
            operation = _operation(candidate, decision, decide, context, started)
            if operation is not None:
                if operation.stop is None:
                    operation.watch(caller.throttle)
                operations.append(operation)
            elif isinstance(decision, Settled):
                left_alone.append(candidate.outcome(decision))
        plan = Plan(left_alone=tuple(left_alone), operations=tuple(operations))
    warning = count.warning(settings.max_instances) if all(job.dry_run for job in jobs) else None
    return replace(plan, region_errors=tuple(region_errors), warning=warning, types=answered)


def no_plan(jobs: Sequence[Job], error: Exception) -> Plan:
    """Account for everything after an unforeseen error; nothing was stopped."""
    text = f"the run ended before anything was stopped ({origin(error)})"
    outcomes, region_errors = settle_all(jobs, Status.NOT_ATTEMPTED, ClientCode.UNFORESEEN, text)
    return Plan(left_alone=tuple(outcomes), region_errors=tuple(region_errors))


def _decision(candidate: Candidate, decide: Decide, now: datetime) -> Stop | Settled:
    found = candidate.found
    return found if isinstance(found, Settled) else decide(found.latest, candidate.job, now, found.first)


def _operation(
    candidate: Candidate, decision: Stop | Settled, decide: Decide, context: InvocationContext, seen_at: float
) -> Operation | None:
    """Make what stops an instance, or watches it being stopped; None where neither is to be done."""
    settings, job = context.settings, candidate.job
    to_watch = (
        isinstance(decision, Settled)
        and decision.status is Status.STOPPING
        and settings.verify_seconds > 0
        and not job.dry_run
    )
    if not isinstance(candidate.found, Snapshots) or not (isinstance(decision, Stop) or to_watch):
        return None
    return Operation(
        scope=candidate.scope,
        job=job,
        instance=candidate.found.latest,
        seen_first=candidate.found.first,
        seen_at=seen_at,
        stop=decision if isinstance(decision, Stop) else None,
        decide=decide,
        verify_seconds=settings.verify_seconds,
        confirms=settings.verify_seconds > 0 and not job.dry_run and not context.over_http,
    )


def _too_many(jobs: Sequence[Job], would_stop: Sequence[Candidate], message: str) -> tuple[Refusal, ...]:
    """Refuse every event of the delivery, so that nothing at all is stopped."""
    refusals: dict[tuple[str, str], Refusal] = {}
    for job in jobs:
        ids = tuple(one.instance_id for one in would_stop if one.job == job) or job.request.instance_ids
        refusal = refuse(job.request, GuardCode.TOO_MANY_INSTANCES, message, ids)
        before = refusals.get((job.request.source, job.request.event_id))
        if before is not None:
            refusal = replace(refusal, instance_ids=before.instance_ids + refusal.instance_ids)
        refusals[job.request.source, job.request.event_id] = refusal
    return tuple(refusals.values())
