"""One invocation as a judge sees it: what it was told, what it was shown, and what it then did.

Written from the contract, not from the function: nothing in here may come from `function`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import inf

from local.emulator.lifecycle import EmulatedInstance
from simulation.attributes import Attributes
from simulation.handed_on import handed_on
from simulation.recording import JsonObject, RecordedCall, RecordedInvocation, RecordedStop, Recording
from simulation.scenario import OWN_ACCOUNT, OWN_REGION, Limits, Scope, Wish

MAX_AHEAD_SECONDS = 300.0
"""By so much a sender's clock may go before the machine's, as the contract has it."""
END_SECONDS = 4.1
"""With less until FC's timeout no further call has to be sent: 1.5 s to wait, 1 s to call, 1.5 s to end."""


@dataclass(frozen=True)
class Look:
    """What an invocation saw of an instance, when."""

    call: RecordedCall
    attributes: Attributes


@dataclass(frozen=True)
class Case:
    """One invocation."""

    recording: Recording
    invocation: RecordedInvocation

    @property
    def limits(self) -> Limits:
        """What the environment allows."""
        return self.recording.scenario.limits

    @property
    def last_step(self) -> int:
        """The step with which it ended, in whichever way."""
        return self.invocation.ended_step or self.recording.steps

    @cached_property
    def calls(self) -> Sequence[RecordedCall]:
        """All that it sent, in order."""
        return [call for call in self.recording.calls if call.invocation == self.invocation.number]

    @cached_property
    def stops(self) -> Mapping[str, Sequence[RecordedStop]]:
        """Its stop calls by instance, in order."""
        stops: dict[str, list[RecordedStop]] = {}
        for call in self.calls:
            for stop in call.stops:
                stops.setdefault(stop.instance_id, []).append(stop)
        return stops

    @cached_property
    def looks(self) -> Mapping[str, Sequence[Look]]:
        """What it saw of each instance, in the order in which it saw it."""
        answered = [
            call for call in self.calls if call.instances and (call.heard_step or 0) <= self.last_step
        ]
        looks: dict[str, list[Look]] = {}
        for call in sorted(answered, key=lambda call: call.heard_step or 0):
            for attributes in call.instances:
                looks.setdefault(attributes["InstanceId"], []).append(Look(call, attributes))
        return looks

    @cached_property
    def shards(self) -> Sequence[tuple[RecordedCall, Wish]]:
        """The shards that it handed on, or tried to, and what they ask for."""
        return [(call, handed_on(call.event)[0]) for call in self.calls if call.event.startswith(b"{")]

    @cached_property
    def deferrals(self) -> Sequence[tuple[RecordedCall, Sequence[Wish]]]:
        """The calls by which it handed on all at once, or tried to: an array of events, before any look."""
        return [(call, handed_on(call.event)) for call in self.calls if call.event.startswith(b"[")]

    def stops_of(self, outcome: JsonObject) -> Sequence[RecordedStop]:
        """Give the stop calls that an outcome is about."""
        return [
            call for call in self.stops.get(outcome["instance_id"], ()) if call.scope == scope_of(outcome)
        ]

    def looks_of(self, outcome: JsonObject) -> Sequence[Look]:
        """Give the looks that an outcome is about."""
        return [
            look
            for look in self.looks.get(outcome["instance_id"], ())
            if look.call.scope == scope_of(outcome)
        ]

    def logged_at(self, outcome: JsonObject) -> float:
        """Give the moment at which an outcome was logged."""
        which = outcome["instance_id"], scope_of(outcome)
        return next(
            moment
            for line, (_, moment, _) in zip(self.lines, self.invocation.written, strict=True)
            if "instance_id" in line and (line["instance_id"], scope_of(line)) == which
        )

    def time_was_up(self, outcome: JsonObject) -> bool:
        """Whether so little was left until FC's timeout that an outcome had to be settled."""
        end = self.invocation.started + self.invocation.delivery.patience
        return end - self.logged_at(outcome) < END_SECONDS

    def last_look(self, call: RecordedStop) -> Look | None:
        """Give what it saw last of an instance before it sent this call."""
        before = [look for look in self.looks.get(call.instance_id, ()) if heard_before(look.call, call)]
        return before[-1] if before else None

    @cached_property
    def lines(self) -> Sequence[JsonObject]:
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
        return moment + self.recording.scenario.wall.ahead(moment)

    def region_errors(self, event_id: str | None, scope: Scope) -> int:
        """How many region errors its log has for an event and a scope."""
        return sum(
            {"region_id", "code"} <= set(line)
            and "instance_id" not in line
            and line["event_id"] == event_id
            and scope_of(line) == scope
            for line in self.lines
        )


def by_another(outcome: JsonObject) -> bool:
    """Whether an outcome says of an instance that somebody else is stopping it."""
    message: str = outcome["message"]
    said = message.endswith("not by this run") or message.startswith("already Stopping")
    return outcome["status"] == "stopping" and said


def scope_of(line: JsonObject) -> Scope:
    """Give the scope that an outcome or a region error names."""
    return line["account_id"], line["region_id"]


def home(instance: EmulatedInstance) -> Scope:
    """Give the scope where an instance really is."""
    return instance.profile.emulator.account_id or OWN_ACCOUNT, instance.profile.region_id


def heard_before(one: RecordedCall, other: RecordedStop) -> bool:
    """Whether something was heard of a call before a stop was sent."""
    return one.heard_step is not None and one.heard_step < other.sent_step
