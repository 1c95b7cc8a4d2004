"""One invocation as a judge sees it: what it was told, what it was shown, and what it then did.

Written from the contract, not from the function: nothing in here may come from `function`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import inf

from local.emulator.lifecycle import EmulatedInstance
from simulation.documents import Document, matches
from simulation.history import RELEASED, Call, History, Invocation, Stop
from simulation.scenario import OWN_ACCOUNT, OWN_REGION, Limits, Scope, Wish
from simulation.wishes import handed_on

MAX_AHEAD_SECONDS = 300.0
END_SECONDS = 4.1
"""With less until FC's timeout no further call has to be sent: 1.5 s to wait, 1 s to call, 1.5 s to end."""
TYPES_WITH_DISKS_BY_FAMILY = frozenset({"ecs.i2.xlarge", "ecs.re6p.large"})
"""Of the types that simulated instances have, those whose family is known for its local disks."""

_PAGING = frozenset({"RegionId", "MaxResults", "NextToken"})
_DENIALS = ("Forbidden", "NoPermission", "InvalidAccessKeyId", "InvalidSecurityToken", "InvalidTimeStamp")


@dataclass(frozen=True)
class Look:
    """What an invocation saw of an instance, when."""

    call: Call
    document: Document


@dataclass(frozen=True)
class Case:
    """One invocation."""

    history: History
    invocation: Invocation

    @property
    def limits(self) -> Limits:
        """What the environment allows."""
        return self.history.scenario.limits

    @property
    def last_step(self) -> int:
        """The step with which it ended, in whichever way."""
        return self.invocation.ended_step or self.history.steps

    @cached_property
    def calls(self) -> Sequence[Call]:
        """All that it sent, in order."""
        return [call for call in self.history.calls if call.invocation == self.invocation.number]

    @cached_property
    def stops(self) -> Mapping[str, Sequence[Stop]]:
        """Its stop calls by instance, in order."""
        stops: dict[str, list[Stop]] = {}
        for call in self.calls:
            for stop in call.stops:
                stops.setdefault(stop.instance_id, []).append(stop)
        return stops

    @cached_property
    def looks(self) -> Mapping[str, Sequence[Look]]:
        """What it saw of each instance, in the order in which it saw it."""
        answered = [
            call for call in self.calls if call.documents and (call.heard_step or 0) <= self.last_step
        ]
        looks: dict[str, list[Look]] = {}
        for call in sorted(answered, key=lambda call: call.heard_step or 0):
            for document in call.documents:
                looks.setdefault(document["InstanceId"], []).append(Look(call, document))
        return looks

    @cached_property
    def shards(self) -> Sequence[tuple[Call, Wish]]:
        """The shards that it handed on, or tried to, and what they ask for."""
        return [(call, handed_on(call.event)[0]) for call in self.calls if call.event.startswith(b"{")]

    @cached_property
    def deferrals(self) -> Sequence[tuple[Call, Sequence[Wish]]]:
        """The calls by which it handed on all at once, or tried to: an array of events, before any look."""
        return [(call, handed_on(call.event)) for call in self.calls if call.event.startswith(b"[")]

    def stops_of(self, outcome: Document) -> Sequence[Stop]:
        """Give the stop calls that an outcome is about."""
        return [
            call for call in self.stops.get(outcome["instance_id"], ()) if call.scope == scope_of(outcome)
        ]

    def looks_of(self, outcome: Document) -> Sequence[Look]:
        """Give the looks that an outcome is about."""
        return [
            look
            for look in self.looks.get(outcome["instance_id"], ())
            if look.call.scope == scope_of(outcome)
        ]

    def logged_at(self, outcome: Document) -> float:
        """Give the moment at which an outcome was logged."""
        which = outcome["instance_id"], scope_of(outcome)
        return next(
            moment
            for line, (_, moment, _) in zip(self.lines, self.invocation.written, strict=True)
            if "instance_id" in line and (line["instance_id"], scope_of(line)) == which
        )

    def time_was_up(self, outcome: Document) -> bool:
        """Whether so little was left until FC's timeout that an outcome had to be settled."""
        end = self.invocation.started + self.invocation.delivery.patience
        return end - self.logged_at(outcome) < END_SECONDS

    def last_look(self, call: Stop) -> Look | None:
        """Give what it saw last of an instance before it sent this call."""
        before = [look for look in self.looks.get(call.instance_id, ()) if _heard_before(look.call, call)]
        return before[-1] if before else None

    @cached_property
    def lines(self) -> Sequence[Document]:
        """Its log lines."""
        return self.invocation.lines

    @cached_property
    def accepted(self) -> Sequence[Wish]:
        """The wishes of its event that may stop something, by themselves."""
        if not self.invocation.delivery.authorized:
            return ()
        wishes = self.invocation.delivery.wishes
        regions = set(self.limits.allowed_regions or (OWN_REGION,))
        roles = set(self.limits.allowed_roles)
        # A wish of an event that wants a forbidden region or role, too, is refused with it; but what stops
        # nothing by what it is, such as a recovery, harms no other.
        outside = {
            wish.event_id
            for wish in wishes
            if wish.valid and wish.enabled and not (set(wish.regions) <= regions and set(wish.roles) <= roles)
        }
        return [wish for wish in wishes if wish.event_id not in outside and self._acceptable(wish)]

    def _acceptable(self, wish: Wish) -> bool:
        if not wish.valid or not wish.enabled:
            return False
        if wish.time is None:
            return True
        age = self.wall(self.invocation.started) - wish.time
        limit = inf if wish.admitted else self.limits.max_event_age_minutes * 60 or inf
        return -MAX_AHEAD_SECONDS <= age <= limit

    def wall(self, moment: float) -> float:
        """Give the moment that the machine's wall clock shows at a moment."""
        return moment + self.history.scenario.wall.ahead(moment)

    def owners(self, instance_id: str, scope: Scope) -> Sequence[Wish]:
        """Give the wishes that an instance can belong to: the first that means it, or may be that.

        One that would really stop it comes before a dry run.
        """
        owners: list[Wish] = []
        for wish in sorted(self.accepted, key=lambda wish: wish.dry_run or self.limits.dry_run):
            certainty = self._means(wish, instance_id, scope)
            if certainty is not False:
                owners.append(wish)
            if certainty:
                break
        return owners

    def is_dry(self, outcome: Document) -> bool:
        """Whether nothing may be done to an instance."""
        owners = self.owners(outcome["instance_id"], scope_of(outcome))
        return self.limits.dry_run or (bool(owners) and all(owner.dry_run for owner in owners))

    def _means(self, wish: Wish, instance_id: str, scope: Scope) -> bool | None:
        """Whether a wish means an instance; None where its scope may not have been looked at."""
        if scope not in wish.scopes or (wish.filters is None and instance_id not in wish.ids):
            return False
        if wish.filters is None:
            stops = self.stops.get(instance_id, ())
            looks = (
                look.call
                for look in self.looks.get(instance_id, ())
                if look.call.scope == scope and look.call.role in (wish.roles or (None,))
            )
            found = any(
                "InstanceIds" in call.parameters and not (stops and stops[0].sent_step < call.sent_step)
                for call in looks
            )
            return found or None
        if not any(
            instance_id == document["InstanceId"]
            for call in self._pages(wish, scope)
            for document in call.documents
        ):
            return False
        others = [other for other in self.accepted if other is not wish and scope in other.scopes]
        if any(other.filters == wish.filters for other in others):
            return None  # their listings can't be told apart
        errors = self.region_errors(wish.event_id, scope)
        named_alike = [other for other in others if other.event_id == wish.event_id and other.filters]
        return None if 0 < errors <= len(named_alike) else not errors

    def _pages(self, wish: Wish, scope: Scope) -> Iterator[Call]:
        for call in self.calls:
            ours = call.scope == scope and call.role in (wish.roles or (None,))
            if call.action == "DescribeInstances" and ours:
                asked = {key: value for key, value in call.parameters.items() if key not in _PAGING}
                if asked == wish.filters:
                    yield call

    def region_errors(self, event_id: str | None, scope: Scope) -> int:
        """How many region errors its log has for an event and a scope."""
        return sum(
            {"region_id", "code"} <= set(line)
            and "instance_id" not in line
            and line["event_id"] == event_id
            and scope_of(line) == scope
            for line in self.lines
        )

    def always_matching(self, wish: Wish) -> Iterator[tuple[Scope, str]]:
        """Give the instances that a wish selects at every moment of the run, and their scopes."""
        start, end = self.invocation.started, self.invocation.ended or 0.0
        for instance_id, states in self.history.states.items():
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
                and all(matches(state.profile.document, wish.filters or {}) for state in during)
            ):
                yield scope, instance_id

    def has_disks(self, look: Look, before: Stop | None) -> bool | None:
        """Whether there are local disks, by what was known before a call, or at the end; None: unknown.

        That there are none is not believed of a type whose family is known for them.
        """
        said = self._disks_said(look, before)
        known = look.document["InstanceType"] in TYPES_WITH_DISKS_BY_FAMILY
        return None if said is False and known else said

    def _disks_said(self, look: Look, before: Stop | None) -> bool | None:
        document = look.document
        fields = [document.get(key) for key in ("LocalStorageAmount", "LocalStorageCapacity")]
        if any(field is not None for field in fields):
            return any(fields)
        denied = False
        for call in self.history.calls:
            if call.action != "DescribeInstanceTypes" or (before and not _heard_before(call, before)):
                continue
            by = self.history.invocations[call.invocation]
            if by.host != self.invocation.host or (call.heard_step or 0) > (
                by.ended_step or self.history.steps
            ):
                continue
            if call.heard == "":
                for kind in call.body["InstanceTypes"]["InstanceType"]:
                    if kind["InstanceTypeId"] == document["InstanceType"]:
                        return bool(kind.get("LocalStorageAmount"))
            denied |= (
                by is self.invocation
                and str(call.heard).startswith(_DENIALS)
                and document["InstanceType"] in call.parameters.values()
            )
        return document["InstanceType"] in TYPES_WITH_DISKS_BY_FAMILY if denied else None


def by_another(outcome: Document) -> bool:
    """Whether an outcome says of an instance that somebody else is stopping it."""
    message: str = outcome["message"]
    return outcome["status"] == "stopping" and message.endswith("not by this run")


def scope_of(line: Document) -> Scope:
    """Give the scope that an outcome or a region error names."""
    return line["account_id"], line["region_id"]


def home(instance: EmulatedInstance) -> Scope:
    """Give the scope where an instance really is."""
    return instance.profile.emulator.account_id or OWN_ACCOUNT, instance.profile.region_id


def _heard_before(one: Call, other: Stop) -> bool:
    return one.heard_step is not None and one.heard_step < other.sent_step
