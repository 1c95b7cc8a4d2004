"""From events to a plan: which instances they mean, which of those to stop, and why the others not."""

from collections.abc import Iterable, Iterator, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from function.guard import instance as guard
from function.guard.event import refuse
from function.guard.instance import Skip, Stop
from function.model.errors import ClientCode, origin
from function.model.instance import Instance, LocalDisks
from function.model.outcome import GuardCode, Outcome, Refusal, RegionError, Status, StoppedModes
from function.model.ports import Unfinished
from function.model.request import StopRequest
from function.model.scope import InstanceKey, Scope, instance_key
from function.settings import Settings
from function.stopping.calls import Caller
from function.stopping.inventory import CallFailure, Clients, Inventory, learn_types, list_selected, look_up
from function.stopping.operation import Target


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """An instance that an event means: either seen, or with the decision that follows from not seeing it."""

    request: StopRequest
    scope: Scope
    instance_id: str
    found: Instance | Skip

    @property
    def key(self) -> InstanceKey:
        """Which instance of all it is."""
        return instance_key(self.scope, self.instance_id)


@dataclass(frozen=True, slots=True)
class Plan:
    """Outcomes of the instances that are left alone, targets to be stopped, and what could not be planned."""

    left_alone: tuple[Outcome, ...] = ()
    targets: tuple[Target, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    region_errors: tuple[RegionError, ...] = ()


Requests = Mapping[StopRequest, Sequence[Scope]]
"""What the events ask for, and where."""


def make_plan(
    requests: Requests,
    settings: Settings,
    known_types: MutableMapping[str, LocalDisks],
    ways: Clients,
    caller: Caller,
) -> Plan:
    """Find and decide. Nothing is stopped in here.

    An instance that several events mean belongs to the first of them that sees it, but to one that would
    really stop it rather than to a dry run.
    """
    started = caller.throttle.clock.monotonic()
    wanted = [
        (scope, instance_id)
        for request, scopes in requests.items()
        for scope in scopes
        for instance_id in request.instance_ids
    ]
    sightings = look_up(wanted, ways, caller)
    listings = {
        request: list_selected(request.selection, scopes, ways, caller)
        for request, scopes in requests.items()
        if request.selection is not None
    }
    for listed in listings.values():  # after all looks by id: what was seen last counts
        for scope, instances in listed.items():
            if not isinstance(instances, CallFailure):
                sightings.see(scope, instances)
    candidates: dict[InstanceKey, Candidate] = {}
    region_errors: list[RegionError] = []
    for request in sorted(requests, key=lambda request: guard.is_dry_run(request, settings)):
        if request in listings:
            region_errors += _region_errors(request, listings[request])
            meant = _listed(request, listings[request], sightings)
        else:
            meant = _named(request, requests[request], sightings)
        for candidate in meant:
            before = candidates.setdefault(candidate.key, candidate)
            alike = guard.is_dry_run(before.request, settings) == guard.is_dry_run(request, settings)
            if alike and isinstance(before.found, Skip) and isinstance(candidate.found, Instance):
                candidates[candidate.key] = candidate  # seen through another role
    seen = [(one.scope, one.found) for one in candidates.values() if isinstance(one.found, Instance)]
    types = learn_types(seen, known_types, ways.ecs, caller)
    plan = _decided(candidates.values(), types, settings, caller.throttle.clock.now(), started)
    plan = replace(plan, region_errors=tuple(region_errors))
    return plan if len(plan.targets) <= settings.max_instances else _too_many(plan, requests, settings)


def no_plan(requests: Requests, settings: Settings, error: Exception) -> Plan:
    """Account for everything after an unforeseen error; nothing was stopped."""
    text = f"the run ended before anything was stopped ({origin(error)})"
    unplanned = Skip(status=Status.NOT_ATTEMPTED, code=ClientCode.UNFORESEEN, message=text)
    candidates: dict[InstanceKey, Candidate] = {}
    for request, scopes in requests.items():
        for instance_id in request.instance_ids:
            candidate = Candidate(request=request, scope=scopes[0], instance_id=instance_id, found=unplanned)
            candidates.setdefault(candidate.key, candidate)
    return Plan(
        left_alone=tuple(_outcome(candidate, unplanned, settings) for candidate in candidates.values()),
        region_errors=tuple(
            RegionError(
                source=request.source,
                event_id=request.event_id,
                scope=scope,
                code=ClientCode.UNFORESEEN,
                message=text,
            )
            for request, scopes in requests.items()
            if request.selection is not None
            for scope in scopes
        ),
    )


def _named(request: StopRequest, scopes: Sequence[Scope], sightings: Inventory) -> Iterator[Candidate]:
    """Look at each scope for each id; one that is nowhere, and could be looked for, does not exist."""
    for instance_id in request.instance_ids:
        seen = [scope for scope in scopes if (scope, instance_id) in sightings.seen]
        blind = [scope for scope in scopes if (scope, instance_id) in sightings.troubles]
        found: Instance | Skip
        if seen:
            scope = seen[0]
            found = sightings.latest[instance_key(scope, instance_id)]
        elif blind:
            scope = blind[0]
            found = _not_described(sightings.troubles[scope, instance_id])
        else:
            scope = scopes[0]
            found = guard.not_found(scopes)
        yield Candidate(request=request, scope=scope, instance_id=instance_id, found=found)


def _not_described(trouble: CallFailure) -> Skip:
    if isinstance(trouble, Unfinished):
        return Skip(
            status=Status.NOT_ATTEMPTED, code=None, message="time ran out before it could be looked at"
        )
    return Skip(status=Status.FAILED, code=trouble.code, message=f"could not be described: {trouble.message}")


def _listed(
    request: StopRequest, listed: Mapping[Scope, tuple[Instance, ...] | CallFailure], sightings: Inventory
) -> Iterator[Candidate]:
    for scope, instances in listed.items():
        if not isinstance(instances, CallFailure):
            for instance in instances:
                found = sightings.latest[instance_key(scope, instance.instance_id)]
                yield Candidate(request=request, scope=scope, instance_id=found.instance_id, found=found)


def _region_errors(
    request: StopRequest, listed: Mapping[Scope, tuple[Instance, ...] | CallFailure]
) -> Iterator[RegionError]:
    for scope, trouble in listed.items():
        if isinstance(trouble, CallFailure):
            code, message = (
                (ClientCode.OUT_OF_TIME, "time ran out before its instances could be listed")
                if isinstance(trouble, Unfinished)
                else (trouble.code, trouble.message)
            )
            yield RegionError(
                source=request.source,
                event_id=request.event_id,
                scope=scope,
                code=code,
                message=f"nothing that this event selects there was stopped: {message}",
            )


def _decided(
    candidates: Iterable[Candidate],
    types: Mapping[str, LocalDisks],
    settings: Settings,
    now: datetime,
    seen_at: float,
) -> Plan:
    def decide(instance: Instance, request: StopRequest, at: datetime) -> Stop | Skip:
        return guard.decide(instance, request, settings, at, instance.local_disks(types))

    left_alone: list[Outcome] = []
    targets: list[Target] = []
    for candidate in candidates:
        request, found = candidate.request, candidate.found
        decision = found if isinstance(found, Skip) else decide(found, request, now)
        if isinstance(found, Instance) and isinstance(decision, Stop):
            targets.append(
                Target(
                    scope=candidate.scope,
                    request=request,
                    requested_mode=guard.requested_mode(request, settings),
                    instance=found,
                    seen_at=seen_at,
                    stop=decision,
                    decide=decide,
                    verify_seconds=settings.verify_seconds,
                )
            )
        elif isinstance(decision, Skip):
            left_alone.append(_outcome(candidate, decision, settings))
    return Plan(left_alone=tuple(left_alone), targets=tuple(targets))


def _outcome(candidate: Candidate, leave: Skip, settings: Settings) -> Outcome:
    found = candidate.found if isinstance(candidate.found, Instance) else None
    return Outcome(
        source=candidate.request.source,
        event_id=candidate.request.event_id,
        instance_id=candidate.instance_id,
        scope=candidate.scope,
        status=leave.status,
        code=leave.code,
        message=leave.message,
        stopped_mode=StoppedModes(
            requested=guard.requested_mode(candidate.request, settings),
            actual=found.stopped_mode if found and found.status == "Stopped" else None,
        ),
        previous_status=found.status if found else None,
        instance=found,
    )


def _too_many(plan: Plan, requests: Requests, settings: Settings) -> Plan:
    """Refuse every event of the delivery, so that nothing at all is stopped."""
    message = (
        f"{len(plan.targets)} instances would be stopped, more than the {settings.max_instances} allowed "
        "at once, so none was; raise MAX_INSTANCES or let the event mean fewer"
    )
    refusals: dict[tuple[str, str], Refusal] = {}
    for request in requests:
        ids = tuple(one.instance.instance_id for one in plan.targets if one.request == request)
        refusal = refuse(request, GuardCode.TOO_MANY_INSTANCES, message, ids or request.instance_ids)
        before = refusals.get((request.source, request.event_id))
        if before is not None:
            refusal = replace(refusal, instance_ids=before.instance_ids + refusal.instance_ids)
        refusals[request.source, request.event_id] = refusal
    return Plan(refusals=tuple(refusals.values()), region_errors=plan.region_errors)
