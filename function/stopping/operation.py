"""One instance that is to be stopped, from the first call to its outcome: a state machine without I/O.

Two rules. A stop is asked for only while the last look at the instance is fresh, and each time the guard has
decided about what that look saw. And after a call whose effect is not known, nothing is settled before looks
have shown what came of it, for as long as a stop would be verified. `state` has the table of what follows.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime

from function.guard.instance import Stop, not_found, without_economical_mode
from function.model.charging import with_charging
from function.model.errors import ClientCode, CloudError, Meaning, origin
from function.model.instance import Instance
from function.model.outcome import Outcome, Settled, Status, StoppedModes, utc
from function.model.ports import DESCRIBE_INSTANCES, StopCall, Unfinished
from function.model.request import Job, StoppedMode
from function.model.scope import InstanceKey, Scope, instance_key
from function.stopping.state import Doubt, Looking, Ready, Settling, State, Verifying, Watching
from function.stopping.throttle import MAX_TRIES, Throttle, max_tries

FRESH_SECONDS = 30.0
"""How old the look may be on which a stop call rests: the longest call to look, and the longest to stop."""

POLL_SECONDS = (1.0, 2.0, 3.0, 5.0)
"""Waits between looks at what is stopping, or may be; the last repeats. Short, as one look serves 100."""

Decide = Callable[[Instance, Job, datetime, Instance], Stop | Settled]
"""Of an instance as it is seen now, at what time of day, and as it was seen first."""


@dataclass(slots=True, kw_only=True)
class Operation:
    """`instance` is as it was last seen, at `seen_at`; `due` is when the next step is. Both are monotonic.

    `stop` is what was decided last, None while nothing was. `confirms`: whoever asked is to hear of it where
    it isn't seen Stopped.
    """

    scope: Scope
    job: Job
    instance: Instance
    seen_first: Instance
    seen_at: float
    stop: Stop | None
    decide: Decide
    verify_seconds: float
    confirms: bool
    state: State = field(default_factory=Ready)
    due: float = 0.0
    _doubt: Doubt | None = None
    _first_sent: float | None = None
    _attempts: int = 0
    _tries: int = 0
    _error: CloudError | None = None
    request_id: str | None = None
    _economical_refused: bool = False
    _split_off: bool = False
    _looks: int = 0
    _failed_looks: int = 0
    _look_error: CloudError | None = None

    @property
    def key(self) -> InstanceKey:
        """Which instance of all it is."""
        return instance_key(self.scope, self.instance.instance_id)

    @property
    def call(self) -> StopCall:
        """What is asked for, once the guard has decided so."""
        if self.stop is None:
            raise AssertionError("the guard has let nothing be asked for")
        return self.stop.call

    @property
    def alone(self) -> bool:
        """Whether its stop call can't be part of a StopInstances."""
        return self._split_off or self.call.alone

    @property
    def good_until(self) -> float:
        """The moment until which a stop call may rest on the last look."""
        return self.seen_at + FRESH_SECONDS

    def sent(self, now: float) -> None:
        """Note that its stop call goes out now."""
        self._first_sent = now if self._first_sent is None else self._first_sent

    def postpone(self, until: float, throttle: Throttle, *, ask_from: float = 0.0) -> None:
        """Note that its stop call may not go out until then: look again before it does.

        While it is not known what an earlier call has done, looks go on meanwhile, to show it in time.
        """
        latest = throttle.clock.monotonic() + POLL_SECONDS[-1]
        self.state = Looking(ask_from)
        self.due = until if self._doubt is None else throttle.in_time(min(until, latest))

    def split_off(self, error: CloudError, now: float) -> None:
        """Note that ECS refused the StopInstances that it was in: it is asked for alone, after a look."""
        self._attempts += 1
        self.request_id = error.request_id or self.request_id
        self._split_off = True
        self._tries += error.in_doubt
        self._note_doubt(error, now)
        self.state, self.due = Looking(), now

    def answered(
        self, action: str, result: str | CloudError | Unfinished, throttle: Throttle
    ) -> Outcome | None:
        """Take in what came of the stop call; `result` is the request id where ECS accepted."""
        now = throttle.clock.monotonic()
        if isinstance(result, Unfinished):
            self.postpone(max(now, throttle.opens_at(action, self.scope)), throttle)
            return None
        if isinstance(result, CloudError):
            return self._not_accepted(action, result, throttle)
        self._attempts += 1
        self.request_id = result
        if self.call.dry_run:
            message = "ECS answered a dry run as if it were none; look at the instance"
            return self.outcome(Status.UNKNOWN, None, message, now)
        if self.verify_seconds == 0:
            return self.outcome(Status.STOPPING, None, "ECS accepted the stop; not verified", now)
        self._looks = 0
        self.state = Verifying(now + self.verify_seconds, throttle.clock.now())
        self.due = now + POLL_SECONDS[0]
        return None

    def _not_accepted(self, action: str, error: CloudError, throttle: Throttle) -> Outcome | None:
        now, call, means = throttle.clock.monotonic(), self.call, error.meaning
        self._attempts += means is not Meaning.NOT_SENT
        self.request_id = error.request_id or self.request_id
        if means is Meaning.DRY_RUN_PASSED and call.dry_run:
            return self.outcome(Status.WOULD_STOP, None, "would be stopped", now)
        if means is Meaning.NOT_ECONOMICAL and call.stopped_mode is StoppedMode.STOP_CHARGING:
            self._economical_refused = True
            self.state, self.due = Looking(), now
            return None
        self._error = error
        self._note_doubt(error, now)
        if means is Meaning.THROTTLED:
            self.postpone(throttle.retry_at(action, self.scope, error, self._tries), throttle)
        elif means is Meaning.LOOK_AGAIN or error.transient:
            self._tries += 1
            again = throttle.retry_at(action, self.scope, error, self._tries)
            self.postpone(now if means is Meaning.LOOK_AGAIN else again, throttle, ask_from=again)
        elif means in {Meaning.REFUSED, Meaning.NOT_ECONOMICAL}:
            refused = Settled(status=Status.REFUSED, code=error.code, message=f"ECS refused: {error.message}")
            return self._settle(refused, throttle)
        else:
            return self._settle(Settled.failed(error), throttle)
        return None

    def _note_doubt(self, error: CloudError, now: float) -> None:
        """Note that a call may have been done all the same."""
        if error.in_doubt and not self.call.dry_run:
            unanswered = self._unanswered or error.meaning is Meaning.UNKNOWN
            self._doubt = Doubt(now + self.verify_seconds, unanswered)

    @property
    def _unanswered(self) -> bool:
        return self._doubt is not None and self._doubt.unanswered

    def seen(self, instance: Instance | None, sent_at: float, throttle: Throttle) -> Outcome | None:
        """Take in a look at the instance, sent then; None: ECS knows no such instance any more."""
        now = throttle.clock.monotonic()
        self.instance = instance or self.instance
        self.seen_at = sent_at
        self._looks += 1
        self._failed_looks, self._look_error = 0, None
        if self._doubt is not None:
            self._doubt = replace(self._doubt, looked=True)
            stops = instance is not None and instance.status in {"Stopping", "Stopped"}
            if stops and not isinstance(self.state, Verifying):
                self.state = Verifying(now + self.verify_seconds, throttle.clock.now())
        match self.state:
            case Watching():
                return self._watched(self.state, instance, throttle)
            case Settling(result):
                return self._settle(result, throttle)
            case Looking(ask_from):
                return self._looked(instance, ask_from, throttle)
        raise AssertionError(f"a look at an instance that is {self.state}")

    def _looked(self, instance: Instance | None, ask_from: float, throttle: Throttle) -> Outcome | None:
        if instance is None:
            return self._settle(not_found([self.scope]), throttle)
        now = throttle.clock.monotonic()
        decision = self.decide(instance, self.job, throttle.clock.now(), self.seen_first)
        if isinstance(decision, Settled):
            if decision.status is Status.STOPPING and self.verify_seconds and not self.job.dry_run:
                self.watch(throttle)
                return None
            return self._settle(decision, throttle)
        if self._error is not None and self._tries >= max_tries(self._error):
            return self._settle(Settled.failed(self._error), throttle)
        self.stop = without_economical_mode(decision) if self._economical_refused else decision
        if self._doubt is not None and now < ask_from:
            self.due = min(ask_from, self._next_poll(throttle))
        else:
            self.state, self.due = Ready(), ask_from
        return None

    def _settle(self, result: Settled, throttle: Throttle) -> Outcome | None:
        """Settle on a result, but after a call in doubt only when looks have had time to show its effect."""
        now = throttle.clock.monotonic()
        if self._doubt is not None and self._doubt.is_open(now):
            self.state = Settling(result)
            self.due = min(max(now, self._doubt.until), self._next_poll(throttle))
            return None
        return self._unknown(now) if self._unanswered else self._result(result, now)

    def watch(self, throttle: Throttle) -> None:
        """Look on while somebody else has it stopped, as long as at a stop of this run's own."""
        until = throttle.clock.monotonic() + self.verify_seconds
        self.state = Watching(until, throttle.clock.now(), self.instance.start_time)
        self.due = min(until, self._next_poll(throttle))

    def _watched(self, state: Watching, instance: Instance | None, throttle: Throttle) -> Outcome | None:
        """Judge an instance that is stopping, for all that is known."""
        now, state = throttle.clock.monotonic(), state.after(instance)
        self.state, runs = state, state.restarted(instance)
        decision = self.decide(runs, self.job, throttle.clock.now(), self.seen_first) if runs else None
        if isinstance(decision, Settled):
            return self._unknown(now) if self._unanswered else self._result(decision, now)
        if instance is not None and instance.status == "Stopped":
            if not isinstance(state, Verifying):
                message = "was being stopped already, not by this run, and is Stopped"
                return self.outcome(Status.ALREADY_STOPPED, None, message, now)
            outcome = self.outcome(Status.STOPPED, None, "stopped, as ECS confirms", now)
            if instance.stopped_mode == StoppedMode.STOP_CHARGING:
                return replace(outcome, charging_suspended_since=throttle.clock.now())
            return outcome
        if now < state.until:
            self.due = min(state.until, self._next_poll(throttle))
            return None
        seen = "ECS no longer lists it" if instance is None else f"last seen {instance.status}"
        return self._unconfirmed(state, f"not confirmed within VERIFY_SECONDS; {seen}", now)

    def _unconfirmed(self, state: Watching, message: str, now: float) -> Outcome:
        by = "" if isinstance(state, Verifying) else ", not by this run"
        text = f"{message}; stopping since {utc(state.since)}{by}"
        outcome = self.outcome(Status.STOPPING, None, text, now)
        return replace(outcome, unconfirmed_since=state.since) if self.confirms else outcome

    def _next_poll(self, throttle: Throttle) -> float:
        wait = POLL_SECONDS[min(self._looks, len(POLL_SECONDS) - 1)]
        return throttle.in_time(throttle.clock.monotonic() + wait)

    def not_looked_at(self, throttle: Throttle) -> Outcome | None:
        """Note that a look has to wait; verification does not wait longer than it would have."""
        now = throttle.clock.monotonic()
        return self._look_again(max(now, throttle.opens_at(DESCRIBE_INSTANCES, self.scope)), now)

    def not_seen(self, error: CloudError, throttle: Throttle) -> Outcome | None:
        """Take in that a look failed."""
        now = throttle.clock.monotonic()
        self._look_error = error
        self._failed_looks += error.meaning is not Meaning.THROTTLED
        again = throttle.retry_at(DESCRIBE_INSTANCES, self.scope, error, self._failed_looks)
        tries_left = isinstance(self.state, Watching) or self._failed_looks < MAX_TRIES
        return self._look_again(again, now) if error.transient and tries_left else self.given_up(now)

    def _look_again(self, moment: float, now: float) -> Outcome | None:
        self.due = moment
        if isinstance(self.state, Watching):
            if now >= self.state.until:
                return self.given_up(now)
            self.due = min(moment, self.state.until)
        return None

    def given_up(self, now: float) -> Outcome:
        """Settle what nothing more can be learnt about, because looks fail or the run has no more time."""
        if isinstance(self.state, Watching):
            why = " within VERIFY_SECONDS" if now >= self.state.until else " before the run's time was up"
            why = f": {self._look_error.message}" if self._look_error else why
            return self._unconfirmed(self.state, f"not confirmed{why}", now)
        if self._doubt is not None and (self._doubt.unanswered or self._doubt.is_open(now)):
            return self._unknown(now)
        if isinstance(self.state, Settling):
            return self._result(self.state.result, now)
        if (error := self._error or self._look_error) is not None:
            return self._result(Settled.failed(error), now)
        if self._attempts:
            how = "with KeepCharging" if self._economical_refused else "on its own"
            message = f"time ran out before it could be asked again, {how}"
            return self.outcome(Status.FAILED, ClientCode.OUT_OF_TIME, message, now)
        message = "time ran out before the stop call could be sent"
        return self.outcome(Status.NOT_ATTEMPTED, None, message, now)

    def _unknown(self, now: float) -> Outcome:
        code = self._error.code if self._error and not self._unanswered else ClientCode.NO_ANSWER
        message = "a stop call got no clear answer; it may have been done, or may yet be"
        return self.outcome(Status.UNKNOWN, code, f"{message}; last seen {self.instance.status}", now)

    def interrupted(self, error: Exception, now: float) -> Outcome:
        """Settle what is left after an unforeseen error; a call that may be on its way leaves it unknown."""
        message = f"the run ended before this was settled ({origin(error)})"
        if isinstance(self.state, Watching):
            return replace(self._unconfirmed(self.state, message, now), code=ClientCode.UNFORESEEN)
        status = Status.NOT_ATTEMPTED if self._first_sent is None else Status.UNKNOWN
        return self.outcome(status, ClientCode.UNFORESEEN, message, now)

    def _result(self, result: Settled, now: float) -> Outcome:
        return self.outcome(result.status, result.code, result.message, now)

    def outcome(self, status: Status, code: str | None, message: str, now: float) -> Outcome:
        """Give its outcome, with all that is known of the way to it."""
        by_us = isinstance(self.state, Ready | Verifying)
        stop = self.stop if by_us and status in {Status.STOPPED, Status.STOPPING, Status.WOULD_STOP} else None
        expected = stop.call.stopped_mode if stop else None
        actual = self.instance.stopped_mode if self.instance.status == "Stopped" else None
        outcome = Outcome(
            source=self.job.request.source,
            event_id=self.job.request.event_id,
            instance_id=self.instance.instance_id,
            scope=self.scope,
            status=status,
            code=code,
            message=message,
            ecs_request_id=self.request_id,
            stopped_mode=StoppedModes(requested=self.job.stopped_mode, expected=expected, actual=actual),
            previous_status=self.seen_first.status,
            attempts=self._attempts,
            duration_ms=0 if self._first_sent is None else round((now - self._first_sent) * 1000),
            warnings=stop.warnings if stop else (),
            instance=self.instance,
        )
        return with_charging(outcome)
