"""One instance that is to be stopped, from the first call to its outcome: a state machine without I/O.

Two rules. A stop is asked for only while the last look at the instance is fresh, and each time the guard has
decided about what that look saw. And after a call whose effect is not known, nothing is settled before looks
have shown what came of it, for as long as a stop would be verified.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import Enum, auto

from function.guard.instance import Skip, Stop, not_found
from function.model.errors import ClientCode, CloudError, EcsCode, Meaning, origin
from function.model.instance import Instance
from function.model.outcome import Outcome, Status, StoppedModes
from function.model.ports import DESCRIBE_INSTANCES, Unfinished
from function.model.request import StoppedMode, StopRequest
from function.model.scope import InstanceKey, Scope, instance_key
from function.stopping.throttle import MAX_TRIES, Throttle

FRESH_SECONDS = 30.0
"""How old the look may be on which a stop call rests."""

POLL_SECONDS = (1.0, 2.0, 3.0, 5.0)
"""Waits between looks at an instance that is stopping, or may be; the last one repeats."""

Decide = Callable[[Instance, StopRequest, datetime], Stop | Skip]


class Step(Enum):
    """What a target waits for."""

    ASK = auto()
    LOOK = auto()


@dataclass(slots=True, kw_only=True)
class Target:
    """`instance` is as it was last seen, at `seen_at`; `due` is when the next step is. Both are monotonic."""

    scope: Scope
    request: StopRequest
    requested_mode: StoppedMode
    instance: Instance
    seen_at: float
    stop: Stop
    decide: Decide
    verify_seconds: float
    step: Step = Step.ASK
    due: float = 0.0
    _previous_status: str = field(init=False)
    _attempts: int = 0
    _tries: int = 0
    _looks: int = 0
    _failed_looks: int = 0
    _ask_from: float = 0.0
    _first_sent: float | None = None
    _accepted_at: float | None = None
    _request_id: str | None = None
    _error: CloudError | None = None
    _look_error: CloudError | None = None
    _economical_refused: bool = False
    _split_off: bool = False
    # Of a call whose effect is not known: there was one; it got no answer at all; no look came after it.
    _in_doubt: bool = False
    _unanswered: bool = False
    _not_looked_since: bool = False
    _doubt_ends: float = 0.0
    # What it will be, unless a look shows that a call in doubt was done after all.
    _verdict: Skip | None = None

    def __post_init__(self) -> None:
        self._previous_status = self.instance.status

    @property
    def key(self) -> InstanceKey:
        """Which instance of all it is."""
        return instance_key(self.scope, self.instance.instance_id)

    @property
    def verifying(self) -> bool:
        """Whether its stop was accepted, so that an early look does no harm."""
        return self._accepted_at is not None

    @property
    def alone(self) -> bool:
        """Whether its stop call can't be part of a StopInstances."""
        return self._split_off or self.stop.call.alone

    @property
    def good_until(self) -> float:
        """The moment until which a stop call may rest on the last look."""
        return self.seen_at + FRESH_SECONDS

    def sending(self, now: float) -> None:
        """Note that its stop call goes out now."""
        self._first_sent = now if self._first_sent is None else self._first_sent

    def held(self, until: float, throttle: Throttle) -> None:
        """Note that its stop call may not go out until then: look again before it does.

        While it is not known what an earlier call has done, looks go on meanwhile, to show it in time.
        """
        latest = throttle.clock.monotonic() + POLL_SECONDS[-1]
        self._look_at(throttle.in_time(min(until, latest)) if self._in_doubt else until)

    def split_off(self, error: CloudError, now: float) -> None:
        """Note that ECS refused the StopInstances that it was in: it is asked for alone, after a look."""
        self._attempts += 1
        self._request_id = error.request_id or self._request_id
        self._split_off = True
        self._tries += error.in_doubt
        self._doubt(error, now)
        self._look_at(now)

    def answered(
        self, action: str, result: str | CloudError | Unfinished, throttle: Throttle
    ) -> Outcome | None:
        """Take in what came of the stop call; `result` is the request id where ECS accepted."""
        now = throttle.clock.monotonic()
        if isinstance(result, Unfinished):
            self.held(max(now, throttle.opens(action, self.scope)), throttle)
            return None
        if isinstance(result, CloudError):
            return self._not_accepted(action, result, throttle)
        self._attempts += 1
        self._request_id = result
        if self.stop.call.dry_run:
            message = "ECS answered a dry run as if it were none; look at the instance"
            return self._outcome(Status.UNKNOWN, None, message, now)
        self._accepted_at = now
        self._looks = 0
        if self.verify_seconds == 0:
            return self._outcome(Status.STOPPING, None, "ECS accepted the stop; not verified", now)
        self._look_at(now + POLL_SECONDS[0])
        return None

    def _not_accepted(self, action: str, error: CloudError, throttle: Throttle) -> Outcome | None:
        now = throttle.clock.monotonic()
        means = error.meaning
        self._attempts += means is not Meaning.NOT_SENT
        self._request_id = error.request_id or self._request_id
        if means is Meaning.DRY_RUN_PASSED and self.stop.call.dry_run:
            return self._outcome(Status.WOULD_STOP, None, "would be stopped", now)
        if means is Meaning.NOT_ECONOMICAL and self.stop.call.stopped_mode is StoppedMode.STOP_CHARGING:
            self._economical_refused = True
            self._look_at(now)
            return None
        self._error = error
        self._doubt(error, now)
        if means is Meaning.THROTTLED:
            self.held(throttle.after(action, self.scope, error, self._tries), throttle)
        elif means is Meaning.LOOK_AGAIN or error.passing:
            self._tries += 1
            self._ask_from = throttle.after(action, self.scope, error, self._tries)
            self.held(now if means is Meaning.LOOK_AGAIN else self._ask_from, throttle)
        elif means in {Meaning.REFUSED, Meaning.NOT_ECONOMICAL}:
            refused = Skip(status=Status.REFUSED, code=error.code, message=f"ECS refused: {error.message}")
            return self._settle(refused, throttle)
        else:
            return self._settle(Skip(status=Status.FAILED, code=error.code, message=error.message), throttle)
        return None

    def _doubt(self, error: CloudError, now: float) -> None:
        """Note that a call may have been done all the same."""
        if error.in_doubt and not self.stop.call.dry_run:
            self._in_doubt = self._not_looked_since = True
            self._doubt_ends = now + self.verify_seconds
            self._unanswered |= error.meaning is Meaning.UNKNOWN

    def _may_yet_show(self, now: float) -> bool:
        """Whether looks have not had time to show what a call in doubt has done."""
        return self._in_doubt and (self._not_looked_since or now < self._doubt_ends)

    def _look_at(self, moment: float) -> None:
        self.step = Step.LOOK
        self.due = moment

    def seen(self, instance: Instance | None, throttle: Throttle) -> Outcome | None:
        """Take in a look at the instance; None: ECS knows no such instance any more."""
        now = throttle.clock.monotonic()
        self.instance = instance or self.instance
        self.seen_at = now
        self._looks += 1
        self._failed_looks = 0
        self._look_error = None
        self._not_looked_since = False
        if self._accepted_at is not None:
            return self._verified(instance, throttle)
        if self._in_doubt and instance is not None and instance.status in {"Stopping", "Stopped"}:
            self._accepted_at = now
            return self._verified(instance, throttle)
        if self._verdict is not None:
            return self._settle(self._verdict, throttle)
        if instance is None:
            return self._settle(not_found([self.scope]), throttle)
        decision = self.decide(instance, self.request, throttle.clock.now())
        if isinstance(decision, Skip):
            return self._settle(decision, throttle)
        if self._tries >= MAX_TRIES and self._error is not None:
            failed = Skip(status=Status.FAILED, code=self._error.code, message=self._error.message)
            return self._settle(failed, throttle)
        self.stop = _without_economical_mode(decision) if self._economical_refused else decision
        if self._in_doubt and now < self._ask_from:
            self._look_at(min(self._ask_from, self._next_poll(throttle)))
            return None
        self.step = Step.ASK
        self.due = self._ask_from
        return None

    def _settle(self, verdict: Skip, throttle: Throttle) -> Outcome | None:
        """Settle on a verdict, but after a call in doubt only when looks have had time to show its effect."""
        now = throttle.clock.monotonic()
        if self._may_yet_show(now):
            self._verdict = verdict
            self._look_at(min(max(now, self._doubt_ends), self._next_poll(throttle)))
            return None
        if self._unanswered:
            return self._unknown(now)
        return self._outcome(verdict.status, verdict.code, verdict.message, now)

    def _verified(self, instance: Instance | None, throttle: Throttle) -> Outcome | None:
        """Judge an instance whose stop was accepted, or whose stop in doubt was seen to have been done."""
        now = throttle.clock.monotonic()
        if instance is not None and instance.status == "Stopped":
            outcome = self._outcome(Status.STOPPED, None, "stopped, as ECS confirms", now)
            if instance.stopped_mode == StoppedMode.STOP_CHARGING:
                return replace(outcome, charging_suspended_since=throttle.clock.now())
            return outcome
        if now < self._verified_until:
            self._look_at(min(self._verified_until, self._next_poll(throttle)))
            return None
        seen = "ECS no longer lists it" if instance is None else f"it was last seen {instance.status}"
        return self._outcome(Status.STOPPING, None, f"not confirmed within VERIFY_SECONDS; {seen}", now)

    @property
    def _verified_until(self) -> float:
        return (self._accepted_at or 0.0) + self.verify_seconds

    def _next_poll(self, throttle: Throttle) -> float:
        return throttle.in_time(
            throttle.clock.monotonic() + POLL_SECONDS[min(self._looks, len(POLL_SECONDS) - 1)]
        )

    def not_looked_at(self, throttle: Throttle) -> Outcome | None:
        """Note that a look has to wait; verification does not wait longer than it would have."""
        now = throttle.clock.monotonic()
        self.due = max(now, throttle.opens(DESCRIBE_INSTANCES, self.scope))
        if self._accepted_at is not None:
            if now >= self._verified_until:
                return self.given_up(now)
            self.due = min(self.due, self._verified_until)
        return None

    def not_seen(self, error: CloudError, throttle: Throttle) -> Outcome | None:
        """Take in that a look failed."""
        now = throttle.clock.monotonic()
        self._look_error = error
        self._failed_looks += error.meaning is not Meaning.THROTTLED
        again = throttle.after(DESCRIBE_INSTANCES, self.scope, error, self._failed_looks)
        if self._accepted_at is None:
            goes_on = self._failed_looks < MAX_TRIES
        else:
            goes_on = now < self._verified_until
            again = min(again, self._verified_until)
        if error.passing and goes_on:
            self.due = again
            return None
        return self.given_up(now)

    def given_up(self, now: float) -> Outcome:
        """Settle what nothing more can be learnt about, because looks fail or the run has no more time."""
        if self._accepted_at is not None:
            because = (
                f": {self._look_error.message}"
                if self._look_error
                else " within VERIFY_SECONDS"
                if now >= self._verified_until
                else " before the run's time was up"
            )
            return self._outcome(Status.STOPPING, None, f"not confirmed{because}", now)
        if self._unanswered or self._may_yet_show(now):
            return self._unknown(now)
        if self._verdict is not None:
            return self._outcome(self._verdict.status, self._verdict.code, self._verdict.message, now)
        error = self._error or self._look_error
        if error is not None:
            return self._outcome(Status.FAILED, error.code, error.message, now)
        if self._attempts:
            how = "with KeepCharging" if self._economical_refused else "on its own"
            message = f"time ran out before it could be asked again, {how}"
            return self._outcome(Status.FAILED, ClientCode.OUT_OF_TIME, message, now)
        return self._outcome(
            Status.NOT_ATTEMPTED, None, "time ran out before the stop call could be sent", now
        )

    def not_handed_on(self, trouble: CloudError | Unfinished, now: float) -> Outcome:
        """Settle that no other invocation took it over, or that nobody knows; it got no stop call here."""
        if isinstance(trouble, Unfinished):
            message = "time ran out before it could be handed on to another invocation"
            return self._outcome(Status.NOT_ATTEMPTED, None, message, now)
        if trouble.in_doubt:
            message = f"may have been handed on to another invocation, which would stop it: {trouble.message}"
            return self._outcome(Status.UNKNOWN, trouble.code, message, now)
        message = f"could not be handed on to another invocation: {trouble.message}"
        return self._outcome(Status.FAILED, trouble.code, message, now)

    def _unknown(self, now: float) -> Outcome:
        code = self._error.code if self._error and not self._unanswered else ClientCode.NO_ANSWER
        message = "a stop call got no clear answer; it may have been done, or may yet be"
        return self._outcome(Status.UNKNOWN, code, f"{message}; last seen {self.instance.status}", now)

    def interrupted(self, error: Exception, now: float) -> Outcome:
        """Settle what is left after an unforeseen error; a call that may be on its way leaves it unknown."""
        if self._accepted_at is not None:
            status = Status.STOPPING
        else:
            status = Status.NOT_ATTEMPTED if self._first_sent is None else Status.UNKNOWN
        message = f"the run ended before this was settled ({origin(error)})"
        return self._outcome(status, ClientCode.UNFORESEEN, message, now)

    def _outcome(self, status: Status, code: str | None, message: str, now: float) -> Outcome:
        call = self.stop.call
        stops = status in {Status.STOPPED, Status.STOPPING, Status.WOULD_STOP}
        actual = self.instance.stopped_mode if self.instance.status == "Stopped" else None
        warnings = self.stop.warnings if stops else ()
        if status is Status.STOPPED and not _reached(call.stopped_mode, actual):
            warnings += (f"StoppedMode: {call.stopped_mode} was expected, ECS shows {actual}",)
        return Outcome(
            source=self.request.source,
            event_id=self.request.event_id,
            instance_id=self.instance.instance_id,
            scope=self.scope,
            status=status,
            code=code,
            message=message,
            ecs_request_id=self._request_id,
            stopped_mode=StoppedModes(
                requested=self.requested_mode, expected=call.stopped_mode if stops else None, actual=actual
            ),
            previous_status=self._previous_status,
            attempts=self._attempts,
            duration_ms=0 if self._first_sent is None else round((now - self._first_sent) * 1000),
            warnings=warnings,
            instance=self.instance,
        )


def _reached(expected: StoppedMode, actual: str | None) -> bool:
    """Compare with DescribeInstances' StoppedMode; `Not-applicable` is how it says that billing goes on."""
    return actual in {None, expected.value} or (
        expected is StoppedMode.KEEP_CHARGING and actual == "Not-applicable"
    )


def _without_economical_mode(stop: Stop) -> Stop:
    if stop.call.stopped_mode is not StoppedMode.STOP_CHARGING:
        return stop
    warning = f"{EcsCode.NOT_ECONOMICAL}: ECS refused StopCharging for it; it is stopped with KeepCharging"
    return Stop(
        call=replace(stop.call, stopped_mode=StoppedMode.KEEP_CHARGING), warnings=(*stop.warnings, warning)
    )
