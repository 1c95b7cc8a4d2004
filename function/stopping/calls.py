"""Calls to the cloud, many at a time: once each, or until they are answered."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Generic, TypeVar

from function.model.errors import ClientCode, CloudError, Meaning
from function.model.ports import Unfinished, Workers
from function.model.scope import QuotaKey, Scope, quota_key
from function.stopping.throttle import MAX_TRIES, Throttle

_ABANDONED = CloudError(ClientCode.NO_ANSWER, "no answer came before the run's time was up")

CallFailure = CloudError | Unfinished
"""Why there is no result: the last error, or no time for even one call."""

Subject = TypeVar("Subject")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True, kw_only=True)
class Call(Generic[Subject, Result]):
    """One call about a subject; `send` takes the seconds that it may take, and raises `CloudError` only.

    `good_until`: the monotonic moment after which it is no longer to be sent.
    """

    action: str
    scope: Scope
    subject: Subject
    send: Callable[[float], Result]
    good_until: float = float("inf")


@dataclass(frozen=True, slots=True)
class Caller:
    """Sends calls at the run's throttle, at most `limit` at a time."""

    throttle: Throttle
    workers: Workers
    limit: int

    def once(
        self, calls: Iterable[Call[Subject, Result]]
    ) -> Iterator[tuple[Call[Subject, Result], Result | CallFailure]]:
        """Send each call once, if it may go out now; yield each with what came of it, as soon as it is known.

        Once a call was throttled, no further one of its action goes out at its scope.
        """
        throttled: set[QuotaKey] = set()
        send = partial(self._send, throttled)
        answers = self.workers.each(send, list(calls), limit=self.limit, seconds=self.throttle.seconds_left())
        for call, answer in answers:
            result = _ABANDONED if answer is Unfinished.ABANDONED else answer
            if not isinstance(result, Unfinished):
                self.throttle.answered(
                    call.action, call.scope, result if isinstance(result, CloudError) else None
                )
            yield call, result

    def until_answered(
        self, calls: Iterable[Call[Subject, Result]], *, done_once: bool = False
    ) -> Iterator[tuple[Call[Subject, Result], Result | CallFailure]]:
        """Send each call until it is answered, or fails for good, or `MAX_TRIES` are used up, or time is.

        `done_once`: not again, either, where it may have been done all the same. A call whose time ran out
        yields the last error, or `NOT_STARTED` where there was none.
        """
        tries: dict[int, int] = {}
        errors: dict[int, CloudError] = {}
        due = {id(call): (0.0, call) for call in calls}
        while due:
            now = self.throttle.clock.monotonic()
            ready = [call for moment, call in due.values() if moment <= now]
            for call, result in self.once(ready):
                key = id(call)
                if isinstance(result, Unfinished):
                    due[key] = (self.throttle.opens(call.action, call.scope), call)
                    continue
                if isinstance(result, CloudError):
                    tries[key] = tries.get(key, 0) + (result.meaning is not Meaning.THROTTLED)
                    errors[key] = result
                    due[key] = (self.throttle.after(call.action, call.scope, result, tries[key]), call)
                    again = result.passing and not (done_once and result.in_doubt)
                    if again and tries[key] < MAX_TRIES:
                        continue
                del due[key]
                yield call, result
            if due and not self.throttle.wait_until(min(moment for moment, _ in due.values())):
                yield from ((call, errors.get(key, Unfinished.NOT_STARTED)) for key, (_, call) in due.items())
                return

    def _send(self, throttled: set[QuotaKey], call: Call[Subject, Result]) -> Result | CallFailure:
        """Send one call; this runs in a worker, which the others hear from only by `throttled`."""
        own = quota_key(call.action, call.scope)
        seconds = self.throttle.seconds_for_a_call()
        late = self.throttle.clock.monotonic() > call.good_until
        if seconds is None or late or own in throttled or not self.throttle.is_open(call.action, call.scope):
            return Unfinished.NOT_STARTED
        try:
            return call.send(seconds)
        except CloudError as error:
            if error.meaning is Meaning.THROTTLED:
                throttled.add(own)
            return error
