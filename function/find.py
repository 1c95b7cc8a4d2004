"""Find the instances that the events mean: by id or by selection, in each of their regions."""

from collections.abc import Callable, Iterable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from function.calls import Call, Caller
from function.ecs import DESCRIBE_INSTANCE_TYPES, DESCRIBE_INSTANCES, MAX_IDS, MAX_TYPES, Ecs, Page
from function.effects import Unfinished
from function.errors import ClientCode, EcsError, Meaning
from function.instance import Instance, LocalDisks, local_disks_by_family
from function.request import Selection

EcsOf = Callable[[str], Ecs]
"""The ECS of a region."""

Place = tuple[str, str]
"""A region id and an instance id."""

Trouble = EcsError | Unfinished
"""Why something could not be looked at: ECS's last error, or no time for even one call."""

Types = Mapping[str, LocalDisks]
"""Instance types, and whether they have local disks."""

Item = TypeVar("Item")


def chunks(items: Sequence[Item], size: int) -> Iterable[Sequence[Item]]:
    """Cut into pieces of at most `size`."""
    return (items[start : start + size] for start in range(0, len(items), size))


@dataclass(frozen=True, slots=True)
class Sightings:
    """Instances looked for by id. A place that is in neither does not exist."""

    instances: dict[Place, Instance] = field(default_factory=dict)
    troubles: dict[Place, Trouble] = field(default_factory=dict)


def look_up(places: Iterable[Place], ecs: EcsOf, caller: Caller) -> Sightings:
    """Describe instances by id, 100 a call, each call until it is answered."""
    ids_by_region: dict[str, dict[str, None]] = {}
    for region_id, instance_id in places:
        ids_by_region.setdefault(region_id, {})[instance_id] = None
    calls = [
        describe(ecs, region_id, ids)
        for region_id, all_ids in ids_by_region.items()
        for ids in chunks(tuple(all_ids), MAX_IDS)
    ]
    seen = Sightings()
    for call, answer in caller.until_answered(calls):
        if isinstance(answer, Trouble):
            seen.troubles.update({(call.region_id, instance_id): answer for instance_id in call.subject})
        else:
            seen.instances.update({(call.region_id, found.instance_id): found for found in answer})
    return seen


def describe(ecs: EcsOf, region_id: str, ids: Sequence[str]) -> Call[Sequence[str], tuple[Instance, ...]]:
    """Make the call that looks at up to 100 instances."""
    return Call(
        action=DESCRIBE_INSTANCES,
        region_id=region_id,
        subject=ids,
        send=lambda seconds: ecs(region_id).describe(ids, seconds=seconds),
    )


def list_selected(
    selection: Selection, region_ids: Sequence[str], ecs: EcsOf, caller: Caller
) -> dict[str, tuple[Instance, ...] | Trouble]:
    """List what matches in each region to its last page, or say what kept from it.

    What ECS lists without the selection's tags is not believed; a page that comes again is no end either.
    """
    listed: dict[str, dict[str, Instance]] = {region_id: {} for region_id in region_ids}
    troubles: dict[str, Trouble] = {}
    pages: set[tuple[str, str]] = set()
    calls = [_page(selection, region_id, None, ecs) for region_id in listed]
    while calls:
        answers = list(caller.until_answered(calls))
        calls = []
        for call, answer in answers:
            region_id = call.region_id
            if isinstance(answer, Trouble):
                troubles[region_id] = answer
                continue
            listed[region_id].update(
                {found.instance_id: found for found in answer.instances if _matches(found, selection)}
            )
            if answer.next_token is None:
                continue
            if (region_id, answer.next_token) in pages:
                troubles[region_id] = EcsError(
                    ClientCode.NO_ANSWER, "ECS lists the same page again and again"
                )
                continue
            pages.add((region_id, answer.next_token))
            calls.append(_page(selection, region_id, answer.next_token, ecs))
    return {
        region_id: troubles.get(region_id, tuple(instances.values()))
        for region_id, instances in listed.items()
    }


def _matches(instance: Instance, selection: Selection) -> bool:
    return all(instance.carries(tag) for tag in selection.tags)


def _page(selection: Selection, region_id: str, next_token: str | None, ecs: EcsOf) -> Call[None, Page]:
    return Call(
        action=DESCRIBE_INSTANCES,
        region_id=region_id,
        subject=None,
        send=lambda seconds: ecs(region_id).select(selection, next_token, seconds=seconds),
    )


def learn_types(
    instances: Iterable[tuple[str, Instance]],
    known: MutableMapping[str, LocalDisks],
    ecs: EcsOf,
    caller: Caller,
) -> Types:
    """Say which types have local disks, for the running instances (with their regions) that don't say so.

    What ECS answers is remembered in `known`. Where ECS may not be asked, the family says it; where it does
    not answer, or does not know the type, it stays unknown.
    """
    asked: dict[str, tuple[str, Instance]] = {
        instance.instance_type: (region_id, instance)
        for region_id, instance in instances
        if instance.status == "Running"
        and instance.instance_type
        and instance.instance_type not in known
        and instance.local_disks({}) is LocalDisks.UNKNOWN
    }
    by_region: dict[str, list[str]] = {}
    for instance_type, (region_id, _) in asked.items():
        by_region.setdefault(region_id, []).append(instance_type)
    guessed: dict[str, LocalDisks] = {}
    calls = [
        _types(ecs, region_id, types)
        for region_id, all_types in by_region.items()
        for types in chunks(all_types, MAX_TYPES)
    ]
    for call, answer in caller.until_answered(calls):
        if not isinstance(answer, Trouble):
            known.update({kind: disks for kind, disks in answer.items() if kind in call.subject})
        elif isinstance(answer, EcsError) and answer.meaning is Meaning.DENIED:
            guessed.update({kind: local_disks_by_family(asked[kind][1]) for kind in call.subject})
    return guessed | dict(known)


def _types(ecs: EcsOf, region_id: str, types: Sequence[str]) -> Call[Sequence[str], Types]:
    return Call(
        action=DESCRIBE_INSTANCE_TYPES,
        region_id=region_id,
        subject=types,
        send=lambda seconds: ecs(region_id).local_disks(types, seconds=seconds),
    )
