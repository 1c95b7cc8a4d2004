"""From events to a plan: which instances they mean, which of those to stop, and why the others not."""

from collections.abc import Iterable, Iterator, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from function import guard
from function.admission import refuse
from function.calls import Caller
from function.effects import Unfinished
from function.errors import ClientCode, origin
from function.find import Sightings, Trouble, Ways, learn_types, list_selected, look_up
from function.guard import Leave, Stop
from function.instance import Instance, LocalDisks
from function.report import Guard, Outcome, Refusal, RegionError, Status, StoppedModes
from function.request import StopRequest
from function.settings import Settings
from function.site import Place, Site, place
from function.target import Target


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """An instance that an event means: either seen, or with the decision that follows from not seeing it."""

    request: StopRequest
    site: Site
    instance_id: str
    found: Instance | Leave

    @property
    def place(self) -> Place:
        """Which instance of all it is."""
        return place(self.site, self.instance_id)


@dataclass(frozen=True, slots=True)
class Plan:
    """Outcomes of the instances that are left alone, targets to be stopped, and what could not be planned."""

    left_alone: tuple[Outcome, ...] = ()
    targets: tuple[Target, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    region_errors: tuple[RegionError, ...] = ()


Requests = Mapping[StopRequest, Sequence[Site]]
"""What the events ask for, and where."""


def make_plan(
    requests: Requests,
    settings: Settings,
    known_types: MutableMapping[str, LocalDisks],
    ways: Ways,
    caller: Caller,
) -> Plan:
    """Find and decide. Nothing is stopped in here.

    An instance that several events mean belongs to the first of them that sees it, but to one that would
    really stop it rather than to a dry run.
    """
    started = caller.pace.clock.monotonic()
    wanted = [
        (site, instance_id)
        for request, sites in requests.items()
        for site in sites
        for instance_id in request.instance_ids
    ]
    sightings = look_up(wanted, ways, caller)
    listings = {
        request: list_selected(request.selection, sites, ways, caller)
        for request, sites in requests.items()
        if request.selection is not None
    }
    for listed in listings.values():  # after all looks by id: what was seen last counts
        for site, instances in listed.items():
            if not isinstance(instances, Trouble):
                sightings.see(site, instances)
    candidates: dict[Place, Candidate] = {}
    region_errors: list[RegionError] = []
    for request in sorted(requests, key=lambda request: guard.is_dry_run(request, settings)):
        if request in listings:
            region_errors += _region_errors(request, listings[request])
            meant = _listed(request, listings[request], sightings)
        else:
            meant = _named(request, requests[request], sightings)
        for candidate in meant:
            before = candidates.setdefault(candidate.place, candidate)
            alike = guard.is_dry_run(before.request, settings) == guard.is_dry_run(request, settings)
            if alike and isinstance(before.found, Leave) and isinstance(candidate.found, Instance):
                candidates[candidate.place] = candidate  # seen through another role
    seen = [(one.site, one.found) for one in candidates.values() if isinstance(one.found, Instance)]
    types = learn_types(seen, known_types, ways.ecs, caller)
    plan = _decided(candidates.values(), types, settings, caller.pace.clock.now(), started)
    plan = replace(plan, region_errors=tuple(region_errors))
    return plan if len(plan.targets) <= settings.max_instances else _too_many(plan, requests, settings)


def no_plan(requests: Requests, settings: Settings, error: Exception) -> Plan:
    """Account for everything after an unforeseen error; nothing was stopped."""
    text = f"the run ended before anything was stopped ({origin(error)})"
    unplanned = Leave(status=Status.NOT_ATTEMPTED, code=ClientCode.UNFORESEEN, message=text)
    candidates: dict[Place, Candidate] = {}
    for request, sites in requests.items():
        for instance_id in request.instance_ids:
            candidate = Candidate(request=request, site=sites[0], instance_id=instance_id, found=unplanned)
            candidates.setdefault(candidate.place, candidate)
    return Plan(
        left_alone=tuple(_outcome(candidate, unplanned, settings) for candidate in candidates.values()),
        region_errors=tuple(
            RegionError(
                source=request.source,
                event_id=request.event_id,
                site=site,
                code=ClientCode.UNFORESEEN,
                message=text,
            )
            for request, sites in requests.items()
            if request.selection is not None
            for site in sites
        ),
    )


def _named(request: StopRequest, sites: Sequence[Site], sightings: Sightings) -> Iterator[Candidate]:
    """Look at each site for each id; one that is nowhere, and could be looked for, does not exist."""
    for instance_id in request.instance_ids:
        seen = [site for site in sites if (site, instance_id) in sightings.seen]
        blind = [site for site in sites if (site, instance_id) in sightings.troubles]
        found: Instance | Leave
        if seen:
            site = seen[0]
            found = sightings.latest[place(site, instance_id)]
        elif blind:
            site = blind[0]
            found = _not_described(sightings.troubles[site, instance_id])
        else:
            site = sites[0]
            found = guard.not_found(sites)
        yield Candidate(request=request, site=site, instance_id=instance_id, found=found)


def _not_described(trouble: Trouble) -> Leave:
    if isinstance(trouble, Unfinished):
        return Leave(
            status=Status.NOT_ATTEMPTED, code=None, message="time ran out before it could be looked at"
        )
    return Leave(
        status=Status.FAILED, code=trouble.code, message=f"could not be described: {trouble.message}"
    )


def _listed(
    request: StopRequest, listed: Mapping[Site, tuple[Instance, ...] | Trouble], sightings: Sightings
) -> Iterator[Candidate]:
    for site, instances in listed.items():
        if not isinstance(instances, Trouble):
            for instance in instances:
                found = sightings.latest[place(site, instance.instance_id)]
                yield Candidate(request=request, site=site, instance_id=found.instance_id, found=found)


def _region_errors(
    request: StopRequest, listed: Mapping[Site, tuple[Instance, ...] | Trouble]
) -> Iterator[RegionError]:
    for site, trouble in listed.items():
        if isinstance(trouble, Trouble):
            code, message = (
                (ClientCode.OUT_OF_TIME, "time ran out before its instances could be listed")
                if isinstance(trouble, Unfinished)
                else (trouble.code, trouble.message)
            )
            yield RegionError(
                source=request.source,
                event_id=request.event_id,
                site=site,
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
    def decide(instance: Instance, request: StopRequest, at: datetime) -> Stop | Leave:
        return guard.decide(instance, request, settings, at, instance.local_disks(types))

    left_alone: list[Outcome] = []
    targets: list[Target] = []
    for candidate in candidates:
        request, found = candidate.request, candidate.found
        decision = found if isinstance(found, Leave) else decide(found, request, now)
        if isinstance(found, Instance) and isinstance(decision, Stop):
            targets.append(
                Target(
                    site=candidate.site,
                    request=request,
                    requested_mode=guard.requested_mode(request, settings),
                    instance=found,
                    seen_at=seen_at,
                    stop=decision,
                    decide=decide,
                    verify_seconds=settings.verify_seconds,
                )
            )
        elif isinstance(decision, Leave):
            left_alone.append(_outcome(candidate, decision, settings))
    return Plan(left_alone=tuple(left_alone), targets=tuple(targets))


def _outcome(candidate: Candidate, leave: Leave, settings: Settings) -> Outcome:
    found = candidate.found if isinstance(candidate.found, Instance) else None
    return Outcome(
        source=candidate.request.source,
        event_id=candidate.request.event_id,
        instance_id=candidate.instance_id,
        site=candidate.site,
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
        refusal = refuse(request, Guard.TOO_MANY_INSTANCES, message, ids or request.instance_ids)
        before = refusals.get((request.source, request.event_id))
        if before is not None:
            refusal = replace(refusal, instance_ids=before.instance_ids + refusal.instance_ids)
        refusals[request.source, request.event_id] = refusal
    return Plan(refusals=tuple(refusals.values()), region_errors=plan.region_errors)
