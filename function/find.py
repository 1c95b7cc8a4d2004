"""Find the instances that the events mean: by id or by selection, at each of their sites."""

from collections.abc import Callable, Iterable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from function.calls import Call, Caller
from function.ecs import DESCRIBE_INSTANCE_TYPES, DESCRIBE_INSTANCES, MAX_IDS, MAX_TYPES, Ecs, Page
from function.effects import Unfinished
from function.errors import ClientCode, EcsError, Meaning
from function.instance import Instance, LocalDisks, local_disks_by_family
from function.request import Selection
from function.site import Place, Site, place

EcsOf = Callable[[Site], Ecs]
"""The ECS of a site."""

Trouble = EcsError | Unfinished
"""Why something could not be looked at: the last error, or no time for even one call."""

Types = Mapping[str, LocalDisks]
"""Instance types, and whether they have local disks."""

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Ways:
    """The way to the ECS of each site, but for those in `troubles`, which say why there is none."""

    ecs: EcsOf
    troubles: Mapping[Site, Trouble]


def chunks(items: Sequence[Item], size: int) -> Iterable[Sequence[Item]]:
    """Cut into pieces of at most `size`."""
    return (items[start : start + size] for start in range(0, len(items), size))


@dataclass(frozen=True, slots=True)
class Sightings:
    """Which instances were seen at which sites, how each looked last, and which ids could not be looked for.

    An id that was looked for, and is in neither, does not exist at that site.
    """

    seen: set[tuple[Site, str]] = field(default_factory=set)
    latest: dict[Place, Instance] = field(default_factory=dict)
    troubles: dict[tuple[Site, str], Trouble] = field(default_factory=dict)

    def see(self, site: Site, instances: Iterable[Instance]) -> None:
        """Take in what a site shows now."""
        for instance in instances:
            self.seen.add((site, instance.instance_id))
            self.latest[place(site, instance.instance_id)] = instance


def look_up(wanted: Iterable[tuple[Site, str]], ways: Ways, caller: Caller) -> Sightings:
    """Describe instances by id, 100 a call, each call until it is answered."""
    ids_by_site: dict[Site, dict[str, None]] = {}
    for site, instance_id in wanted:
        ids_by_site.setdefault(site, {})[instance_id] = None
    sightings = Sightings()
    for site, trouble in ways.troubles.items():
        sightings.troubles.update({(site, instance_id): trouble for instance_id in ids_by_site.pop(site, {})})
    calls = [
        describe(ways.ecs, site, ids)
        for site, all_ids in ids_by_site.items()
        for ids in chunks(tuple(all_ids), MAX_IDS)
    ]
    for call, answer in caller.until_answered(calls):
        if isinstance(answer, Trouble):
            sightings.troubles.update({(call.site, instance_id): answer for instance_id in call.subject})
        else:
            sightings.see(call.site, answer)
    return sightings


def describe(ecs: EcsOf, site: Site, ids: Sequence[str]) -> Call[Sequence[str], tuple[Instance, ...]]:
    """Make the call that looks at up to 100 instances."""
    return Call(
        action=DESCRIBE_INSTANCES,
        site=site,
        subject=ids,
        send=lambda seconds: ecs(site).describe(ids, seconds=seconds),
    )


def list_selected(
    selection: Selection, sites: Sequence[Site], ways: Ways, caller: Caller
) -> dict[Site, tuple[Instance, ...] | Trouble]:
    """List what matches at each site to its last page, or say what kept from it.

    What ECS lists without the selection's tags is not believed; a page that comes again is no end either.
    """
    listed: dict[Site, dict[str, Instance]] = {site: {} for site in sites}
    troubles = {site: trouble for site, trouble in ways.troubles.items() if site in listed}
    pages: set[tuple[Site, str]] = set()
    calls = [_page(selection, site, None, ways.ecs) for site in listed if site not in troubles]
    while calls:
        answers = list(caller.until_answered(calls))
        calls = []
        for call, answer in answers:
            site = call.site
            if isinstance(answer, Trouble):
                troubles[site] = answer
                continue
            listed[site].update(
                {found.instance_id: found for found in answer.instances if _matches(found, selection)}
            )
            if answer.next_token is None:
                continue
            if (site, answer.next_token) in pages:
                troubles[site] = EcsError(ClientCode.NO_ANSWER, "ECS lists the same page again and again")
                continue
            pages.add((site, answer.next_token))
            calls.append(_page(selection, site, answer.next_token, ways.ecs))
    return {site: troubles.get(site, tuple(instances.values())) for site, instances in listed.items()}


def _matches(instance: Instance, selection: Selection) -> bool:
    return all(instance.carries(tag) for tag in selection.tags)


def _page(selection: Selection, site: Site, next_token: str | None, ecs: EcsOf) -> Call[None, Page]:
    return Call(
        action=DESCRIBE_INSTANCES,
        site=site,
        subject=None,
        send=lambda seconds: ecs(site).select(selection, next_token, seconds=seconds),
    )


def learn_types(
    instances: Iterable[tuple[Site, Instance]],
    known: MutableMapping[str, LocalDisks],
    ecs: EcsOf,
    caller: Caller,
) -> Types:
    """Say which types have local disks, for the running instances (with their sites) that don't say so.

    What ECS answers is remembered in `known`. Where ECS may not be asked, the family says it; where it does
    not answer, or does not know the type, it stays unknown.
    """
    asked: dict[str, tuple[Site, Instance]] = {
        instance.instance_type: (site, instance)
        for site, instance in instances
        if instance.status == "Running"
        and instance.instance_type
        and instance.instance_type not in known
        and instance.local_disks({}) is LocalDisks.UNKNOWN
    }
    by_site: dict[Site, list[str]] = {}
    for instance_type, (site, _) in asked.items():
        by_site.setdefault(site, []).append(instance_type)
    guessed: dict[str, LocalDisks] = {}
    calls = [
        _types(ecs, site, types)
        for site, all_types in by_site.items()
        for types in chunks(all_types, MAX_TYPES)
    ]
    for call, answer in caller.until_answered(calls):
        if not isinstance(answer, Trouble):
            known.update({kind: disks for kind, disks in answer.items() if kind in call.subject})
        elif isinstance(answer, EcsError) and answer.meaning is Meaning.DENIED:
            guessed.update({kind: local_disks_by_family(asked[kind][1]) for kind in call.subject})
    return guessed | dict(known)


def _types(ecs: EcsOf, site: Site, types: Sequence[str]) -> Call[Sequence[str], Types]:
    return Call(
        action=DESCRIBE_INSTANCE_TYPES,
        site=site,
        subject=types,
        send=lambda seconds: ecs(site).local_disks(types, seconds=seconds),
    )
