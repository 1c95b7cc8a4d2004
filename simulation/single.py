"""One instance, an ECS that may answer anything, and a judge: the world of `simulation.explore`.

What the judge holds a run to it says in its own words; times are seconds since the run's start.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import NoReturn, Protocol, TypeVar

from function.model.errors import CloudError
from function.model.instance import Instance
from function.model.outcome import Outcome
from function.model.ports import StopCall

INSTANCE_ID = "i-1"
VERIFY_SECONDS = 6  # so short that few looks fit in, and the states stay few
STOP_SECONDS = 2  # so that one look may show it Stopping, and the next one that it was started again
START = datetime(2026, 1, 15, 20, tzinfo=UTC)
LONGEST_CALL_SECONDS = 15.0  # the contract's: a call ends by then,
FRESH_SECONDS = 30.0  # and so old a look is no reason for a stop
RETRY_AFTER_SECONDS = 5.0  # after which ECS takes calls again: within some of the deadlines
MOST_CALLS = 5  # tries of a stop, as `simulation.rules` has it

Option = TypeVar("Option")


class Choose(Protocol):
    """Picks what happens next, of a list that is never empty."""

    def __call__(self, what: str, options: Sequence[Option]) -> Option:
        """Pick an option."""
        ...


@dataclass(frozen=True, slots=True)
class Response:
    """What ECS makes of a stop call: its code (empty: accepted), and what becomes of the instance."""

    code: str
    effect: str = "none"
    seconds: float = 0.0


STOPS = (
    *(Response("", effect) for effect in ("stops", "sticks")),
    *(Response("InternalError", effect) for effect in ("none", "stops")),
    *(Response("SomethingNew", effect) for effect in ("none", "stops")),
    *(Response("Client.NoAnswer", effect, LONGEST_CALL_SECONDS) for effect in ("none", "stops", "late")),
    *map(Response, ("Client.NoConnection", "Throttling.User", "IncorrectInstanceStatus", "DiskError")),
    *map(Response, ("InvalidInstanceId.NotSupport", "InstanceLockedForSecurity", "Forbidden.RAM")),
)
LOOKS = (
    *map(Response, ("", "InternalError", "Throttling.User", "Forbidden.RAM")),
    Response("Client.NoAnswer", seconds=LONGEST_CALL_SECONDS),
)
PERHAPS_DONE = frozenset({"InternalError", "SomethingNew", "Client.NoAnswer"})
NOT_LOOKED_AT = frozenset({"Client.NoConnection", "Throttling.User", "InvalidInstanceId.NotSupport"})
"""Answers of calls that don't count as a try: ECS did nothing about the instance."""

NO = frozenset({"InstanceLockedForSecurity", "Forbidden.RAM", "DiskError"})


@dataclass(slots=True)
class World:
    """The instance as it really is, the clock, and what the function has done and heard so far."""

    choose: Choose
    now: float = 0.0
    status: str = "Running"
    stops_at: float | None = None
    late: bool = False
    meddled: bool = False
    look: tuple[float, str] | None = (0.0, "Running")
    tries: int = 0
    sent: int = 0
    accepted: bool = False
    no: str = ""
    economical: bool = True
    silent: bool = False
    in_doubt_since: float | None = None
    looked_since: bool = False
    seen_done: bool = False
    seen_stopping: bool = False
    done: bool = False
    restarted: bool = False
    seen_restarted: bool = False
    outcomes: int = 0
    problems: list[str] = field(default_factory=list)

    def key(self, *, asks_no_more: bool) -> Hashable:
        """Tell two worlds apart, as far as what may come can differ."""
        look = self.look and self.look[1] if asks_no_more else self.look
        return (
            *(self.now, self.status, self.stops_at, self.late, self.meddled, look, self.tries, self.sent),
            *(self.accepted, self.no, self.economical, self.silent, self.in_doubt_since, self.looked_since),
            *(self.seen_done, self.seen_stopping, self.done, self.restarted, self.seen_restarted),
        )

    # The clock.

    def monotonic(self) -> float:
        """Give the seconds since the start."""
        return self.now

    def time(self) -> datetime:
        """Give the time of day."""
        return START + timedelta(seconds=self.now)

    def sleep(self, seconds: float) -> None:
        """Let time pass; at its end somebody may do something, once in a run, or a late call be done."""
        self.now += seconds
        happens = ["nothing"]
        if not self.meddled:
            happens += {"Running": ["stop"], "Stopped": ["start", "release"]}.get(self._true_status(), [])
        if self.late:
            happens.append("late")
        match self.choose("meanwhile", happens):
            case "stop":
                self.meddled, self.status, self.stops_at = True, "Stopping", self.now + 1
            case "start":
                self.meddled, self.status, self.restarted = True, "Running", True
            case "release":
                self.meddled, self.status = True, "gone"
            case "late":
                self.late = False
                self._take_effect("stops")

    def _take_effect(self, effect: str) -> None:
        if self.status == "Running" and effect in {"stops", "sticks"}:
            self.status, self.done = "Stopping", True
            self.stops_at = self.now + STOP_SECONDS if effect == "stops" else None
        self.late |= effect == "late"

    def _true_status(self) -> str:
        if self.status == "Stopping" and self.stops_at is not None and self.now >= self.stops_at:
            self.status, self.stops_at = "Stopped", None
        return self.status

    # ECS.

    def stop(self, call: StopCall) -> str:
        """Take a stop call: judge it, and answer anything."""
        self._judge(call)
        answer = self.choose("stop", STOPS)
        self._true_status()
        self._take_effect(answer.effect)
        self.now += answer.seconds
        self.look = None
        self.sent += answer.code != "Client.NoConnection"
        self.tries += answer.code not in NOT_LOOKED_AT
        self.economical &= answer.code != "InvalidInstanceId.NotSupport"
        if answer.code in PERHAPS_DONE:
            self.in_doubt_since, self.looked_since = self.now, False
            self.silent |= answer.code == "Client.NoAnswer"
        self.no = answer.code if answer.code in NO else self.no
        if answer.code:
            _fail(answer.code)
        self.accepted = True
        return "request"

    def describe(self) -> str:
        """Take a look: give the status that ECS shows, `gone` for none, or an error."""
        answer = self.choose("look", LOOKS)
        sent, status = self.now, self._true_status()
        self.now += answer.seconds
        if answer.code:
            _fail(answer.code)
        self.look = (sent, status)
        self.looked_since = True
        self.seen_done |= self.in_doubt_since is not None and status in {"Stopping", "Stopped"}
        self.seen_restarted |= self.seen_stopping and self.restarted and status == "Running"
        self.seen_stopping |= status == "Stopping"
        return status

    # The judge.

    def _judge(self, call: StopCall) -> None:
        """Say what is wrong with a stop call that goes out now."""
        expected = "StopCharging" if self.economical else "KeepCharging"
        if self.look is None:
            self.problems.append("a stop call without a look since the last one")
        elif self.look[1] != "Running":
            self.problems.append(f"a stop call though it was seen {self.look[1]}")
        elif self.now - self.look[0] > FRESH_SECONDS:
            self.problems.append(f"a stop call {self.now - self.look[0]} s after the look")
        if self.accepted:
            self.problems.append("a stop call after ECS had accepted one")
        if self.no:
            self.problems.append(f"a stop call after {self.no}")
        if self.tries >= MOST_CALLS:
            self.problems.append(f"a stop call after {self.tries} tries")
        if (call.stopped_mode, call.force_stop, call.confirm_stop) != (expected, False, False):
            self.problems.append(f"a stop call with {call}, and {expected} was due")

    def judge(self, outcome: Outcome) -> None:
        """Say what is wrong with an outcome that is told now."""
        self.outcomes += 1
        problem = self._problem_with(str(outcome.status))
        if problem:
            self.problems.append(f"{outcome.status} ({outcome.code}), {problem}")
        if self.outcomes > 1:
            self.problems.append("a second outcome")
        if outcome.attempts != self.sent:
            self.problems.append(f"{outcome.attempts} attempts, and {self.sent} calls were sent")

    def _problem_with(self, status: str) -> str | None:
        seen = self.look[1] if self.look else "unseen"
        waited = self.in_doubt_since is not None and self.now - self.in_doubt_since >= VERIFY_SECONDS
        open_ = self.in_doubt_since is not None and not (waited and self.looked_since)
        if self.seen_restarted:
            return None if status == ("unknown" if self.silent else "refused") else "and it was started again"
        match status:
            case "stopped" if seen != "Stopped" or not (self.accepted or self.in_doubt_since is not None):
                return f"and it was {seen}"
            case "stopping" if not (self.accepted or self.seen_done or self.seen_stopping):
                return "and neither is a call known to be done nor was it seen stopping"
            case "already_stopped" if seen != "Stopped" or self.in_doubt_since is not None:
                return f"and it was {seen}, after a call that may have been done"
            case "unknown" if self.accepted or self.seen_done or not (self.silent or open_):
                return "and all was known"
            case "refused" | "failed" | "not_attempted" if self.accepted or self.seen_done:
                return "and it was stopped by us"
            case "refused" | "failed" | "not_attempted" if self.silent or open_:
                return "and a call may yet show to be done"
            case "not_attempted" if self.sent:
                return "and a call was sent"
            case "would_stop":
                return "and this is no dry run"
        return None


def _fail(code: str) -> NoReturn:
    raise CloudError(code, "so it is", retry_after=RETRY_AFTER_SECONDS if code == "Throttling.User" else None)


def instance(status: str, *, restarted: bool = False) -> Instance:
    """Make the instance as DescribeInstances shows it; `restarted`: by a start within the run."""
    return Instance.model_validate(
        {
            "InstanceId": INSTANCE_ID,
            "RegionId": "cn-hangzhou",
            "Status": status,
            "InstanceChargeType": "PostPaid",
            "InstanceNetworkType": "vpc",
            "LocalStorageAmount": 0,
            "StartTime": "2026-01-15T20:00Z" if restarted else "2026-01-15T19:00Z",
            "Tags": {"Tag": [{"TagKey": "auto-stop", "TagValue": "true"}]},
        }
    )
