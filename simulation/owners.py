"""Whose an instance is: the wishes of an event that mean it, as far as what was seen can tell."""

from collections.abc import Iterator, Sequence
from math import inf

from simulation.attributes import matches
from simulation.case import Case, home, scope_of
from simulation.recording import RELEASED, JsonObject, RecordedCall
from simulation.scenario import Scope, Wish

_PAGING = frozenset({"RegionId", "MaxResults", "NextToken"})


def owners_of(case: Case, instance_id: str, scope: Scope) -> Sequence[Wish]:
    """Give the wishes that an instance can belong to: the first that means it, or may be that.

    One that would really stop it comes before a dry run.
    """
    owners: list[Wish] = []
    for wish in sorted(case.accepted, key=lambda wish: wish.dry_run or case.limits.dry_run):
        certainty = _means(case, wish, instance_id, scope)
        if certainty is not False:
            owners.append(wish)
        if certainty:
            break
    return owners


def is_dry(case: Case, outcome: JsonObject) -> bool:
    """Whether nothing may be done to an instance."""
    owners = owners_of(case, outcome["instance_id"], scope_of(outcome))
    return case.limits.dry_run or (bool(owners) and all(owner.dry_run for owner in owners))


def may_be_dry(case: Case, outcome: JsonObject) -> bool:
    """Whether it can't be told that a wish means it which is no dry run, beside one that is."""
    return any(owner.dry_run for owner in owners_of(case, outcome["instance_id"], scope_of(outcome)))


def _means(case: Case, wish: Wish, instance_id: str, scope: Scope) -> bool | None:
    """Whether a wish means an instance; None where its scope may not have been looked at."""
    if scope not in wish.scopes or (wish.filters is None and instance_id not in wish.ids):
        return False
    if wish.filters is None:
        stops = case.stops.get(instance_id, ())
        looks = (
            look.call
            for look in case.looks.get(instance_id, ())
            if look.call.scope == scope and look.call.role in (wish.roles or (None,))
        )
        found = any(
            "InstanceIds" in call.parameters and not (stops and stops[0].sent_step < call.sent_step)
            for call in looks
        )
        return found or None
    if not any(
        instance_id == attributes["InstanceId"]
        for call in _pages(case, wish, scope)
        for attributes in call.instances
    ):
        return False
    others = [other for other in case.accepted if other is not wish and scope in other.scopes]
    if any(other.filters == wish.filters for other in others):
        return None  # their listings can't be told apart
    errors = case.region_errors(wish.event_id, scope)
    named_alike = [other for other in others if other.event_id == wish.event_id and other.filters]
    return None if 0 < errors <= len(named_alike) else not errors


def _pages(case: Case, wish: Wish, scope: Scope) -> Iterator[RecordedCall]:
    for call in case.calls:
        ours = call.scope == scope and call.role in (wish.roles or (None,))
        if call.action == "DescribeInstances" and ours:
            asked = {key: value for key, value in call.parameters.items() if key not in _PAGING}
            if asked == wish.filters:
                yield call


def always_matching(case: Case, wish: Wish) -> Iterator[tuple[Scope, str]]:
    """Give the instances that a wish selects at every moment of the run, and their scopes."""
    start, end = case.invocation.started, case.invocation.ended or 0.0
    for instance_id, states in case.recording.states.items():
        changes = [moment for moment, _ in states[1:]] + [inf]
        during = [
            state
            for (moment, state), until in zip(states, changes, strict=True)
            if moment <= end and until >= start
        ]
        scope = home(during[0])
        if (
            scope in wish.scopes
            and not any(state.former or state.status == RELEASED for state in during)
            and all(matches(state.profile.attributes, wish.filters or {}) for state in during)
        ):
            yield scope, instance_id
