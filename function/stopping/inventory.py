"""Find the instances that the events mean: by id or by selection, at each of their scopes."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field, replace
from typing import TypeVar

from function.model.errors import ClientCode, CloudError, Meaning
from function.model.frozen import frozen
from function.model.instance import Instance, LocalDisks, local_disks_by_family
from function.model.ports import (
    DESCRIBE_INSTANCE_TYPES,
    DESCRIBE_INSTANCES,
    MAX_IDS,
    MAX_TYPES,
    Ecs,
    Page,
)
from function.model.request import Selection
from function.model.scope import InstanceKey, Scope, instance_key
from function.stopping.calls import Call, Caller, CallFailure
from function.stopping.clients import Clients

InstanceTypes = Mapping[str, LocalDisks]
"""Instance types, and whether they have local disks."""

Listing = Mapping[Scope, Page | CallFailure]
"""By scope what matches a selection, all pages in one, or why it could not be listed to its end."""

FILTER_LIMIT = 1_000
"""So many instances at most can match filters by tags or resource group (`Tag.N` and `ResourceGroupId` of
DescribeInstances); what ECS lists of more is not documented."""

Item = TypeVar("Item")


def chunks(items: Sequence[Item], size: int) -> Iterable[Sequence[Item]]:
    """Cut into pieces of at most `size`."""
    return (items[start : start + size] for start in range(0, len(items), size))


@frozen
class Inventory:
    """Which instances were seen at which scopes, how each looked first and last, and which ids could not be.

    An id that was looked for, and is in neither, does not exist at that scope.
    """

    seen: set[tuple[Scope, str]] = field(default_factory=set)
    first: dict[InstanceKey, Instance] = field(default_factory=dict)
    latest: dict[InstanceKey, Instance] = field(default_factory=dict)
    failures: dict[tuple[Scope, str], CallFailure] = field(default_factory=dict)

    def see(self, scope: Scope, instances: Iterable[Instance]) -> None:
        """Take in what a scope shows now."""
        for instance in instances:
            key = instance_key(scope, instance.instance_id)
            self.seen.add((scope, instance.instance_id))
            self.first.setdefault(key, instance)
            self.latest[key] = instance


def look_up(ids: Iterable[tuple[Scope, str]], clients: Clients, caller: Caller) -> Inventory:
    """Describe instances by id, 100 a call, each call until it is answered."""
    ids_by_scope: dict[Scope, dict[str, None]] = {}
    for scope, instance_id in ids:
        ids_by_scope.setdefault(scope, {})[instance_id] = None
    inventory = Inventory()
    for scope, failure in clients.failures.items():
        inventory.failures.update(
            {(scope, instance_id): failure for instance_id in ids_by_scope.pop(scope, {})}
        )
    calls = [
        _describe(clients.ecs[scope], scope, chunk)
        for scope, all_ids in ids_by_scope.items()
        for chunk in chunks(tuple(all_ids), MAX_IDS)
    ]
    for call, answer in caller.until_answered(calls):
        if isinstance(answer, CallFailure):
            inventory.failures.update({(call.scope, instance_id): answer for instance_id in call.subject})
        else:
            inventory.see(call.scope, answer.instances)
            inventory.failures.update({(call.scope, one): why for one, why in answer.unreadable.items()})
    return inventory


def _describe(ecs: Ecs, scope: Scope, ids: Sequence[str]) -> Call[Sequence[str], Page]:
    """Make the call that looks at up to 100 instances."""
    return Call(
        action=DESCRIBE_INSTANCES,
        scope=scope,
        subject=ids,
        send=lambda seconds: ecs.describe(ids, seconds=seconds),
    )


@frozen
class _Listed:
    """What a scope has listed so far by some filters, and the tokens of the pages that were asked for."""

    filters: Selection
    counted: set[str] = field(default_factory=set)
    instances: dict[str, Instance] = field(default_factory=dict)
    unreadable: dict[str, CloudError] = field(default_factory=dict)
    tokens: set[str] = field(default_factory=set)


def list_selected(selection: Selection, scopes: Sequence[Scope], clients: Clients, caller: Caller) -> Listing:
    """List what matches at each scope to its last page, or say what kept from it.

    What ECS lists without the selection's tags is not believed; a page that comes again is no end either. A
    listing that reaches `FILTER_LIMIT` begins anew without the filters that it holds for.
    """
    wide = replace(selection, tags=(), resource_group_id=None)
    failures = {scope: clients.failures[scope] for scope in scopes if scope in clients.failures}
    listed = {scope: _Listed(selection) for scope in scopes if scope not in failures}
    calls = [_page(selection, scope, None, clients) for scope in listed]
    while calls:
        answers = list(caller.until_answered(calls))
        calls = []
        for call, page in answers:
            scope, so_far = call.scope, listed[call.scope]
            if isinstance(page, CallFailure):
                failures[scope] = page
                continue
            so_far.counted.update(found.instance_id for found in page.instances)
            if len(so_far.counted) >= FILTER_LIMIT and so_far.filters != wide:
                listed[scope] = _Listed(wide)
                calls.append(_page(wide, scope, None, clients))
                continue
            for found in page.instances:
                if _matches(found, selection, by_ecs=so_far.filters == selection):
                    so_far.instances[found.instance_id] = found
            so_far.unreadable.update(page.unreadable)
            if page.next_token in so_far.tokens:
                failures[scope] = CloudError(ClientCode.NO_ANSWER, "ECS lists the same page again and again")
            elif page.next_token is not None:
                so_far.tokens.add(page.next_token)
                calls.append(_page(so_far.filters, scope, page.next_token, clients))
    return {scope: failures.get(scope) or _one_page(listed[scope]) for scope in scopes}


def _one_page(listed: _Listed) -> Page:
    return Page(instances=tuple(listed.instances.values()), unreadable=listed.unreadable)


def _matches(instance: Instance, selection: Selection, *, by_ecs: bool) -> bool:
    """Whether it is selected by its tags and resource group; `by_ecs`: ECS has looked at the group, too."""
    group = selection.resource_group_id
    in_group = group is None or instance.resource_group_id == group
    told_none = by_ecs and not instance.resource_group_id
    return (in_group or told_none) and all(instance.carries(tag) for tag in selection.tags)


def _page(selection: Selection, scope: Scope, next_token: str | None, clients: Clients) -> Call[None, Page]:
    ecs = clients.ecs[scope]
    return Call(
        action=DESCRIBE_INSTANCES,
        scope=scope,
        subject=None,
        send=lambda seconds: ecs.select(selection, next_token, seconds=seconds),
    )


def ask_types(
    instances: Iterable[tuple[Scope, Instance]], known: InstanceTypes, clients: Clients, caller: Caller
) -> tuple[InstanceTypes, InstanceTypes]:
    """Say which types have local disks, for the running instances (with their scopes) that don't say so.

    First what ECS answers about those not `known`, then what the family says where ECS may not be asked. What
    is in neither, since ECS did not answer or does not know the type, stays unknown.
    """
    asked: dict[str, tuple[Scope, Instance]] = {
        instance.instance_type: (scope, instance)
        for scope, instance in instances
        if instance.status == "Running"
        and instance.instance_type
        and instance.instance_type not in known
        and instance.local_disks({}) is LocalDisks.UNKNOWN
    }
    by_scope: dict[Scope, list[str]] = {}
    for instance_type, (scope, _) in asked.items():
        by_scope.setdefault(scope, []).append(instance_type)
    answered: dict[str, LocalDisks] = {}
    guessed: dict[str, LocalDisks] = {}
    calls = [
        _types(clients.ecs[scope], scope, types)
        for scope, all_types in by_scope.items()
        for types in chunks(all_types, MAX_TYPES)
    ]
    for call, answer in caller.until_answered(calls):
        if not isinstance(answer, CallFailure):
            answered.update({kind: disks for kind, disks in answer.items() if kind in call.subject})
        elif isinstance(answer, CloudError) and answer.meaning is Meaning.DENIED:
            guessed.update({kind: local_disks_by_family(asked[kind][1]) for kind in call.subject})
    return answered, guessed


def _types(ecs: Ecs, scope: Scope, types: Sequence[str]) -> Call[Sequence[str], InstanceTypes]:
    return Call(
        action=DESCRIBE_INSTANCE_TYPES,
        scope=scope,
        subject=types,
        send=lambda seconds: ecs.local_disks(types, seconds=seconds),
    )
