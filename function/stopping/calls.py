"""Calls to the cloud, many at a time, none of which waits for another: once each, or until answered."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from math import inf
from typing import Any, Generic, Self, TypeVar

from function.model.errors import ClientCode, CloudError, Meaning
from function.model.frozen import frozen
from function.model.ports import Unfinished, Workers
from function.model.scope import QuotaKey, Scope, quota_key
from function.stopping.throttle import MAX_TRIES, Throttle

_ABANDONED = CloudError(ClientCode.NO_ANSWER, "no answer came before the run's time was up")

CallFailure = CloudError | Unfinished
"""Why there is no result: the last error, or no time for even one call."""

Subject = TypeVar("Subject")
Returned = TypeVar("Returned")


@frozen(kw_only=True)
class Call(Generic[Subject, Returned]):
    """One call about a subject; `send` takes the seconds that it may take, and raises `CloudError` only.

    `good_until`: the monotonic moment after which it is no longer to be sent.
    """

    action: str
    scope: Scope
    subject: Subject
    send: Callable[[float], Returned]
    good_until: float = float("inf")


@frozen
class Answered(Generic[Subject, Returned]):
    """A call with what came of it; `sent_at`: the monotonic moment at which it went out."""

    call: Call[Subject, Returned]
    result: Returned | CallFailure
    sent_at: float


class CallQueue(Generic[Subject, Returned]):
    """Calls in a queue and on their way: each is sent once, if it may go out when its turn comes.

    Once a call was throttled, no further one of its action goes out at its scope.
    """

    def __init__(self, throttle: Throttle, workers: Workers, limit: int) -> None:
        self._throttle = throttle
        self._limit = limit
        self._throttled: set[QuotaKey] = set()
        self._in_flight: Counter[QuotaKey] = Counter()
        self._closed = False
        self._pool = workers.pool(self._send, limit=limit)

    def has_room(self) -> bool:
        """Whether a further call would go out at once."""
        return self._in_flight.total() < self._limit

    def has_time(self) -> bool:
        """Whether it is not too late to start a call."""
        return self._throttle.seconds_for_a_call() is not None

    def in_flight(self, action: str, scope: Scope) -> int:
        """Count the calls of an action that are on their way to a scope, or wait for their turn."""
        return self._in_flight[quota_key(action, scope)]

    def send(self, call: Call[Subject, Returned]) -> None:
        """Let a call go out, after those before it."""
        self._in_flight[quota_key(call.action, call.scope)] += 1
        self._pool.submit(call)

    def answers(self, until: float) -> Sequence[Answered[Subject, Returned]] | None:
        """Give the answers that have come in. Without any, wait for one, or until a moment.

        None: it would be too late to start a call then, and none is on its way; or time is up.
        """
        if not self._in_flight.total():
            return () if self._throttle.wait_until(until) else None
        end = self._throttle.deadline
        seconds = (min(until, end) if self.has_time() else end) - self._throttle.clock.monotonic()
        answered = [self._take(call, *result) for call, result in self._pool.wait(max(0.0, seconds))]
        return answered if answered or self._throttle.seconds_left() > 0 else None

    def close(self) -> Sequence[Answered[Subject, Returned]]:
        """Send nothing any more; give what came in last. Of what is on its way nobody will know."""
        self._closed = True
        answered = []
        for call, result in self._pool.close():
            if isinstance(result, Unfinished):
                unfinished = _ABANDONED if result is Unfinished.ABANDONED else result
                answered.append(self._take(call, unfinished, 0.0))
            else:
                answered.append(self._take(call, *result))
        return answered

    def _take(
        self, call: Call[Subject, Returned], result: Returned | CallFailure, sent_at: float
    ) -> Answered[Subject, Returned]:
        own = quota_key(call.action, call.scope)
        self._in_flight[own] -= 1
        if not isinstance(result, Unfinished):
            error = result if isinstance(result, CloudError) else None
            self._throttle.answered(call.action, call.scope, error)
            self._throttled.discard(own)  # from now on the throttle has it shut
        return Answered(call, result, sent_at)

    def _send(self, call: Call[Subject, Returned]) -> tuple[Returned | CallFailure, float]:
        """Send one call; this runs in a worker, which the others hear from only by `_throttled`."""
        own = quota_key(call.action, call.scope)
        seconds, now = self._throttle.seconds_for_a_call(), self._throttle.clock.monotonic()
        is_open = (
            not self._closed
            and own not in self._throttled
            and self._throttle.is_open(call.action, call.scope)
        )
        if seconds is None or now > call.good_until or not is_open:
            return Unfinished.NOT_STARTED, now
        try:
            return call.send(seconds), now
        except CloudError as error:
            if error.meaning is Meaning.THROTTLED:
                self._throttled.add(own)
            return error, now


@frozen
class Caller:
    """Sends calls at the run's throttle, at most `limit` at a time."""

    throttle: Throttle
    workers: Workers
    limit: int

    def until(self, deadline: float) -> Self:
        """Give one that knows the same of quotas, and ends by this moment."""
        return replace(self, throttle=replace(self.throttle, deadline=deadline))

    @contextmanager
    def queue(self) -> Iterator[CallQueue[Any, Any]]:
        """Let calls go out inside the block; none of them is sent after it."""
        queue: CallQueue[Any, Any] = CallQueue(self.throttle, self.workers, self.limit)
        try:
            yield queue
        finally:
            queue.close()

    def once(self, call: Call[Subject, Returned]) -> Returned | CallFailure:
        """Send a call once, and give what comes of it."""
        with self.queue() as queue:
            queue.send(call)
            answers: Sequence[Answered[Subject, Returned]] | None = ()
            while answers is not None and not answers:
                answers = queue.answers(inf)
            (answered,) = queue.close() if answers is None else answers
            return answered.result

    def until_answered(
        self, calls: Iterable[Call[Subject, Returned]], *, done_once: bool = False
    ) -> Iterator[tuple[Call[Subject, Returned], Returned | CallFailure]]:
        """Send each call until it is answered, or fails for good, or `MAX_TRIES` are used up, or time is.

        `done_once`: not again, either, where it may have been done all the same. A call whose time ran out
        yields the last error, or `NOT_STARTED` where there was none.
        """
        tries: dict[int, int] = {}
        errors: dict[int, CloudError] = {}
        waiting = {id(call): (0.0, call) for call in calls}
        pending = {key: call for key, (_, call) in waiting.items()}
        with self.queue() as queue:
            answers: Sequence[Answered[Subject, Returned]] | None = ()
            while pending and answers is not None:
                now = self.throttle.clock.monotonic()
                due = [key for key, (moment, _) in waiting.items() if moment <= now]
                for key in due if queue.has_time() else ():
                    queue.send(waiting.pop(key)[1])
                answers = queue.answers(min((moment for moment, _ in waiting.values()), default=inf))
                for answered in queue.close() if answers is None else answers:
                    call, result = answered.call, answered.result
                    key = id(call)
                    if isinstance(result, Unfinished):
                        waiting[key] = (self.throttle.opens_at(call.action, call.scope), call)
                        continue
                    if isinstance(result, CloudError):
                        tries[key] = tries.get(key, 0) + (result.meaning is not Meaning.THROTTLED)
                        errors[key] = result
                        waiting[key] = (
                            self.throttle.retry_at(call.action, call.scope, result, tries[key]),
                            call,
                        )
                        again = result.transient and not (done_once and result.in_doubt)
                        if again and tries[key] < MAX_TRIES:
                            continue
                        del waiting[key]
                    del pending[key]
                    yield call, result
        yield from ((call, errors.get(key, Unfinished.NOT_STARTED)) for key, call in pending.items())
