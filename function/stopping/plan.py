"""From events to a plan: which instances they mean, which of those to stop, and why the others not."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from function.guard import instance as guard
from function.guard.event import refuse
from function.guard.instance import Skip, Stop
from function.model.charging import with_charging_warnings
from function.model.errors import ClientCode, origin
from function.model.instance import Instance, LocalDisks
from function.model.outcome import GuardCode, Outcome, Refusal, RegionError, Status, StoppedModes
from function.model.ports import Unfinished
from function.model.request import Job
from function.model.scope import InstanceKey, Scope, instance_key
from function.settings import Settings
from function.stopping.calls import Caller, CallFailure
from function.stopping.clients import Clients
from function.stopping.inventory import Inventory, Listing, Types, ask_types, list_selected, look_up
from function.stopping.operation import Operation


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """An instance that a job means: either seen, or with the decision that follows from not seeing it."""

    job: Job
    scope: Scope
    instance_id: str
    found: Instance | Skip

    @property
    def key(self) -> InstanceKey:
        """Which instance of all it is."""
        return instance_key(self.scope, self.instance_id)


@dataclass(frozen=True, slots=True)
class Plan:
    """Outcomes of the instances that are left alone, stops to be done, and what could not be planned.

    `types`: what was learnt of instance types; it holds beyond the run.
    """

    left_alone: tuple[Outcome, ...] = ()
    operations: tuple[Operation, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    region_errors: tuple[RegionError, ...] = ()
    types: Types = field(default_factory=dict)


def make_plan(
    jobs: Sequence[Job], settings: Settings, known_types: Types, clients: Clients, caller: Caller
) -> Plan:
    """Find and decide. Nothing is stopped in here.

    An instance that several jobs mean belongs to the first of them that sees it, but to one that would
    really stop it rather than to a dry run.
    """
    started = caller.throttle.clock.monotonic()
    ids = [
        (scope, instance_id)
        for job in jobs
        for scope in job.scopes
        for instance_id in job.request.instance_ids
    ]
    inventory = look_up(ids, clients, caller)
    listings = {
        job: list_selected(job.request.selection, job.scopes, clients, caller)
        for job in jobs
        if job.request.selection is not None
    }
    for listing in listings.values():  # after all looks by id: what was seen last counts
        for scope, page in listing.items():
            if not isinstance(page, CallFailure):
                inventory.see(scope, page.instances)
    candidates: dict[InstanceKey, Candidate] = {}
    region_errors: list[RegionError] = []
    for job in sorted(jobs, key=lambda job: job.dry_run):
        if job in listings:
            region_errors += _region_errors(job, listings[job])
            found = _listed(job, listings[job], inventory)
        else:
            found = _named(job, inventory)
        for candidate in found:
            before = candidates.setdefault(candidate.key, candidate)
            alike = before.job.dry_run == job.dry_run
            if alike and isinstance(before.found, Skip) and isinstance(candidate.found, Instance):
                candidates[candidate.key] = candidate  # seen through another role
    seen = [(one.scope, one.found) for one in candidates.values() if isinstance(one.found, Instance)]
    answered, guessed = ask_types(seen, known_types, clients, caller)
    types = {**guessed, **known_types, **answered}
    plan = _decided(candidates.values(), types, settings, caller.throttle.clock.now(), started)
    if len(plan.operations) > settings.max_instances:
        plan = _too_many(plan, jobs, settings)
    return replace(plan, region_errors=tuple(region_errors), types=answered)


def no_plan(jobs: Sequence[Job], error: Exception) -> Plan:
    """Account for everything after an unforeseen error; nothing was stopped."""
    text = f"the run ended before anything was stopped ({origin(error)})"
    unplanned = Skip(status=Status.NOT_ATTEMPTED, code=ClientCode.UNFORESEEN, message=text)
    candidates: dict[InstanceKey, Candidate] = {}
    for job in jobs:
        for instance_id in job.request.instance_ids:
            candidate = Candidate(job=job, scope=job.scopes[0], instance_id=instance_id, found=unplanned)
            candidates.setdefault(candidate.key, candidate)
    return Plan(
        left_alone=tuple(_outcome(candidate, unplanned) for candidate in candidates.values()),
        region_errors=tuple(
            _region_error(job, scope, ClientCode.UNFORESEEN, text)
            for job in jobs
            if job.request.selection is not None
            for scope in job.scopes
        ),
    )


def _named(job: Job, inventory: Inventory) -> Iterator[Candidate]:
    """Look at each scope for each id; one that is nowhere, and could be looked for, does not exist."""
    for instance_id in job.request.instance_ids:
        seen = [scope for scope in job.scopes if (scope, instance_id) in inventory.seen]
        failed = [scope for scope in job.scopes if (scope, instance_id) in inventory.failures]
        found: Instance | Skip
        if seen:
            scope = seen[0]
            found = inventory.latest[instance_key(scope, instance_id)]
        elif failed:
            scope = failed[0]
            found = _not_described(inventory.failures[scope, instance_id])
        else:
            scope = job.scopes[0]
            found = guard.not_found(job.scopes)
        yield Candidate(job=job, scope=scope, instance_id=instance_id, found=found)


def _not_described(failure: CallFailure) -> Skip:
    if isinstance(failure, Unfinished):
        return Skip(
            status=Status.NOT_ATTEMPTED, code=None, message="time ran out before it could be looked at"
        )
    return Skip(status=Status.FAILED, code=failure.code, message=f"could not be described: {failure.message}")


def _listed(job: Job, listing: Listing, inventory: Inventory) -> Iterator[Candidate]:
    for scope, page in listing.items():
        if isinstance(page, CallFailure):
            continue
        for instance in page.instances:
            found = inventory.latest[instance_key(scope, instance.instance_id)]
            yield Candidate(job=job, scope=scope, instance_id=found.instance_id, found=found)
        for instance_id, why in page.unreadable.items():
            yield Candidate(job=job, scope=scope, instance_id=instance_id, found=_not_described(why))


def _region_errors(job: Job, listing: Listing) -> Iterator[RegionError]:
    for scope, failure in listing.items():
        if isinstance(failure, CallFailure):
            code, why = (
                (ClientCode.OUT_OF_TIME, "time ran out before its instances could be listed")
                if isinstance(failure, Unfinished)
                else (failure.code, failure.message)
            )
            yield _region_error(job, scope, code, f"nothing that this event selects there was stopped: {why}")


def _region_error(job: Job, scope: Scope, code: str, message: str) -> RegionError:
    return RegionError(
        source=job.request.source, event_id=job.request.event_id, scope=scope, code=code, message=message
    )


def _decided(
    candidates: Iterable[Candidate],
    types: Mapping[str, LocalDisks],
    settings: Settings,
    now: datetime,
    seen_at: float,
) -> Plan:
    def decide(instance: Instance, job: Job, at: datetime) -> Stop | Skip:
        return guard.decide(instance, job, settings, at, instance.local_disks(types))

    left_alone: list[Outcome] = []
    operations: list[Operation] = []
    for candidate in candidates:
        found = candidate.found
        decision = found if isinstance(found, Skip) else decide(found, candidate.job, now)
        if isinstance(found, Instance) and isinstance(decision, Stop):
            operations.append(
                Operation(
                    scope=candidate.scope,
                    job=candidate.job,
                    instance=found,
                    seen_at=seen_at,
                    stop=decision,
                    decide=decide,
                    verify_seconds=settings.verify_seconds,
                )
            )
        elif isinstance(decision, Skip):
            left_alone.append(_outcome(candidate, decision))
    return Plan(left_alone=tuple(left_alone), operations=tuple(operations))


def _outcome(candidate: Candidate, skip: Skip) -> Outcome:
    found = candidate.found if isinstance(candidate.found, Instance) else None
    outcome = Outcome(
        source=candidate.job.request.source,
        event_id=candidate.job.request.event_id,
        instance_id=candidate.instance_id,
        scope=candidate.scope,
        status=skip.status,
        code=skip.code,
        message=skip.message,
        stopped_mode=StoppedModes(
            requested=candidate.job.stopped_mode,
            actual=found.stopped_mode if found and found.status == "Stopped" else None,
        ),
        previous_status=found.status if found else None,
        instance=found,
    )
    return with_charging_warnings(outcome)


def _too_many(plan: Plan, jobs: Sequence[Job], settings: Settings) -> Plan:
    """Refuse every event of the delivery, so that nothing at all is stopped."""
    message = (
        f"{len(plan.operations)} instances would be stopped, more than the {settings.max_instances} allowed "
        "at once, so none was; raise MAX_INSTANCES or let the event mean fewer"
    )
    refusals: dict[tuple[str, str], Refusal] = {}
    for job in jobs:
        ids = tuple(one.instance.instance_id for one in plan.operations if one.job == job)
        refusal = refuse(job.request, GuardCode.TOO_MANY_INSTANCES, message, ids or job.request.instance_ids)
        before = refusals.get((job.request.source, job.request.event_id))
        if before is not None:
            refusal = replace(refusal, instance_ids=before.instance_ids + refusal.instance_ids)
        refusals[job.request.source, job.request.event_id] = refusal
    return Plan(refusals=tuple(refusals.values()))
