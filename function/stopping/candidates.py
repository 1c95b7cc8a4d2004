"""Which instances the jobs of a delivery mean, each with the job that it belongs to."""

from collections.abc import Iterator, Sequence

from function.guard import instance as guard
from function.model.charging import with_charging
from function.model.errors import ClientCode
from function.model.frozen import frozen
from function.model.instance import Instance
from function.model.outcome import Outcome, RegionError, Settled, Status, StoppedModes
from function.model.ports import Unfinished
from function.model.request import Job
from function.model.scope import InstanceKey, Scope, instance_key
from function.stopping.calls import Caller, CallFailure
from function.stopping.clients import Clients
from function.stopping.inventory import Inventory, Listing, list_selected, look_up


@frozen(kw_only=True)
class Snapshots:
    """An instance as a run saw it first, and last."""

    first: Instance
    latest: Instance


@frozen(kw_only=True)
class Candidate:
    """An instance that a job means: either seen, or with the decision that follows from not seeing it."""

    job: Job
    scope: Scope
    instance_id: str
    found: Snapshots | Settled

    @property
    def key(self) -> InstanceKey:
        """Which instance of all it is."""
        return instance_key(self.scope, self.instance_id)

    @property
    def instance(self) -> Instance | None:
        """How it was seen last."""
        return self.found.latest if isinstance(self.found, Snapshots) else None

    def outcome(self, settled: Settled) -> Outcome:
        """Give its outcome where it is left alone."""
        instance = self.instance
        outcome = Outcome(
            source=self.job.request.source,
            event_id=self.job.request.event_id,
            instance_id=self.instance_id,
            scope=self.scope,
            status=settled.status,
            code=settled.code,
            message=settled.message,
            stopped_mode=StoppedModes(
                requested=self.job.stopped_mode,
                actual=instance.stopped_mode if instance and instance.status == "Stopped" else None,
            ),
            previous_status=instance.status if instance else None,
            instance=instance,
        )
        return with_charging(outcome)


def find(jobs: Sequence[Job], clients: Clients, caller: Caller) -> tuple[list[Candidate], list[RegionError]]:
    """Look for all that the jobs mean.

    An instance that several jobs mean belongs to the first of them that sees it, but to one that would
    really stop it rather than to a dry run.
    """
    ids = [(scope, one) for job in jobs for scope in job.scopes for one in job.request.instance_ids]
    inventory = look_up(ids, clients, caller)
    listings = {
        job: list_selected(job.request.selection, job.scopes, clients, caller)
        for job in jobs
        if job.request.selection is not None and not job.request.instance_ids
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
            if alike and isinstance(before.found, Settled) and isinstance(candidate.found, Snapshots):
                candidates[candidate.key] = candidate  # seen through another role
    return [*candidates.values()], region_errors


def settle_all(
    jobs: Sequence[Job], status: Status, code: str, message: str
) -> tuple[list[Outcome], list[RegionError]]:
    """Account for all that the jobs mean, where none of it can be looked for."""
    settled = Settled(status=status, code=code, message=message)
    outcomes: dict[InstanceKey, Outcome] = {}
    region_errors: list[RegionError] = []
    for job in jobs:
        for instance_id in job.request.instance_ids:
            candidate = Candidate(job=job, scope=job.scopes[0], instance_id=instance_id, found=settled)
            outcomes.setdefault(candidate.key, candidate.outcome(settled))
        if not job.request.instance_ids:
            region_errors += [_region_error(job, scope, code, message) for scope in job.scopes]
    return [*outcomes.values()], region_errors


def _named(job: Job, inventory: Inventory) -> Iterator[Candidate]:
    """Look at each scope for each id; one that is nowhere, and could be looked for, does not exist."""
    for instance_id in job.request.instance_ids:
        seen = [scope for scope in job.scopes if (scope, instance_id) in inventory.seen]
        failed = [scope for scope in job.scopes if (scope, instance_id) in inventory.failures]
        found: Snapshots | Settled
        if seen:
            scope = seen[0]
            found = _snapshots(inventory, instance_key(scope, instance_id))
        elif failed:
            scope = failed[0]
            found = _not_described(inventory.failures[scope, instance_id])
        else:
            scope = job.scopes[0]
            found = guard.not_found(job.scopes)
        yield Candidate(job=job, scope=scope, instance_id=instance_id, found=found)


def _snapshots(inventory: Inventory, key: InstanceKey) -> Snapshots:
    return Snapshots(first=inventory.first[key], latest=inventory.latest[key])


def _not_described(failure: CallFailure) -> Settled:
    if isinstance(failure, Unfinished):
        return Settled(
            status=Status.NOT_ATTEMPTED, code=None, message="time ran out before it could be looked at"
        )
    return Settled(
        status=Status.FAILED, code=failure.code, message=f"could not be described: {failure.message}"
    )


def _listed(job: Job, listing: Listing, inventory: Inventory) -> Iterator[Candidate]:
    for scope, page in listing.items():
        if isinstance(page, CallFailure):
            continue
        for instance in page.instances:
            found = _snapshots(inventory, instance_key(scope, instance.instance_id))
            yield Candidate(job=job, scope=scope, instance_id=instance.instance_id, found=found)
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
