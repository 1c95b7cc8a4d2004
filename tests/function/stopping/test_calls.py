"""Calls in a queue: each is sent once, or not at all where its time, its look or its quota is over."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import inf
from typing import Generic, cast

import pytest

from function.guard.instance import Stop
from function.model.errors import CloudError
from function.model.instance import Instance
from function.model.ports import Ecs, Item, Pool, Returned, StopCall, Unfinished
from function.model.request import Job, Source, StoppedMode, StopRequest
from function.model.scope import Scope
from function.stopping.calls import Call, Caller, CallQueue
from function.stopping.clients import Clients
from function.stopping.operation import Operation
from function.stopping.stop import stop
from function.stopping.throttle import CALL_SECONDS, MIN_CALL_SECONDS, Throttle
from local.emulator.clock import VirtualClock
from tests.stage import NOW

SCOPE = Scope(region_id="cn-hangzhou")
ELSEWHERE = Scope(region_id="cn-shanghai")


@dataclass
class OneWorker:
    """Workers of which there is one; `busy`: how long the call that it has just sent takes.

    `hurries`: it works on all that waits before anybody hears of the first.
    """

    clock: VirtualClock
    hurries: bool = False
    busy: float = 0.0
    asked: list[float] = field(default_factory=list)

    def pool(self, function: Callable[[Item], Returned], *, limit: int) -> Pool[Item, Returned]:
        """See `Workers.pool`."""
        del limit
        return OneAtATime(self, function)


@dataclass
class OneAtATime(Generic[Item, Returned]):
    """See `OneWorker`."""

    worker: OneWorker
    function: Callable[[Item], Returned]
    waiting: list[Item] = field(default_factory=list)
    done: list[tuple[float, Item, Returned]] = field(default_factory=list)

    def submit(self, item: Item) -> None:
        """See `Pool.submit`."""
        self.waiting.append(item)

    def wait(self, seconds: float) -> Sequence[tuple[Item, Returned]]:
        """See `Pool.wait`."""
        clock = self.worker.clock
        self.worker.asked.append(seconds)
        if self.worker.hurries:
            results = [(item, self.function(item)) for item in self.waiting]
            self.waiting.clear()
            return results
        if not self.done:
            item, self.worker.busy = self.waiting.pop(0), 0.0
            result = self.function(item)
            self.done.append((clock.seconds + self.worker.busy, item, result))
        ((moment, item, result),) = self.done
        clock.seconds = min(moment, clock.seconds + seconds)
        if clock.seconds < moment:
            return []
        self.done.clear()
        return [(item, result)]

    def close(self) -> Sequence[tuple[Item, Returned | Unfinished]]:
        """See `Pool.close`."""
        abandoned = [(item, Unfinished.ABANDONED) for _, item, _ in self.done]
        return [*((item, Unfinished.NOT_STARTED) for item in self.waiting), *abandoned]


@dataclass
class Bench:
    """A queue with one worker, and what was sent: of each call its subject, when, and with how much time."""

    deadline: float = 100.0
    took: float = 1.0
    hurries: bool = False
    sent: list[tuple[str, float, float]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.clock = VirtualClock(NOW)
        self.worker = OneWorker(self.clock, self.hurries)
        throttle = Throttle(self.clock, 0.0, self.deadline)
        self.queue: CallQueue[str, str] = CallQueue(throttle, self.worker, 16)

    def send(
        self,
        subject: str,
        *,
        scope: Scope = SCOPE,
        good_until: float = inf,
        error: CloudError | None = None,
    ) -> None:
        """Put a call into the queue that comes to its own subject, or to an error."""

        def send(seconds: float) -> str:
            self.sent.append((subject, self.clock.seconds, seconds))
            self.worker.busy = self.took
            if error is not None:
                raise error
            return subject

        self.queue.send(
            Call(action="StopInstance", scope=scope, subject=subject, send=send, good_until=good_until)
        )

    def results(self, count: int) -> list[object]:
        """Wait for so many answers."""
        found: list[object] = []
        while len(found) < count:
            answers = self.queue.answers(inf)
            assert answers is not None
            found += [answered.result for answered in answers]
        return found


@pytest.mark.parametrize(("took", "good_until", "sent"), [(2.0, 2.0, True), (2.0, 1.9, False)])
def test_what_its_look_has_grown_too_old_for_is_not_sent(
    took: float, good_until: float, *, sent: bool
) -> None:
    """A call that had to wait for its turn too long does not go out: it is as if it had not been begun."""
    bench = Bench(took=took)
    bench.send("first")
    bench.send("second", good_until=good_until)
    assert bench.results(2) == ["first", "second" if sent else Unfinished.NOT_STARTED]
    assert [subject for subject, _, _ in bench.sent] == ["first", "second"][: 1 + sent]


def test_after_a_throttled_call_none_of_its_kind_goes_out() -> None:
    """What waits for its turn at that scope is not sent any more, before anybody has looked at the answer."""
    bench = Bench(hurries=True)
    throttled = CloudError("Throttling.User", "slow down")
    bench.send("first", error=throttled)
    bench.send("second")
    bench.send("elsewhere", scope=ELSEWHERE)
    assert bench.results(3) == [throttled, Unfinished.NOT_STARTED, "elsewhere"]
    assert [subject for subject, _, _ in bench.sent] == ["first", "elsewhere"]


def test_a_call_has_its_time_and_never_more_than_the_run() -> None:
    """Fifteen seconds, or what is left until the deadline; with less than one left it is not begun."""
    bench = Bench(deadline=20.0, took=9.5)
    for subject in ("first", "second", "third"):
        bench.send(subject)
    assert bench.results(2) == ["first", "second"]
    assert bench.queue.answers(inf) is None
    assert [seconds for _, _, seconds in bench.sent] == [CALL_SECONDS, 10.5, 1.0]
    assert MIN_CALL_SECONDS == 1.0
    bench = Bench(deadline=20.0, took=19.1)
    bench.send("first")
    bench.send("second")
    assert bench.results(2) == ["first", Unfinished.NOT_STARTED]
    assert not bench.queue.has_time()


def test_an_answer_counts_until_the_very_end() -> None:
    """It is waited for as long as the run has time, and no longer."""
    bench = Bench(deadline=10.0, took=9.5)
    bench.send("first")
    assert bench.queue.answers(9.2) == []
    assert [answered.result for answered in bench.queue.answers(inf) or ()] == ["first"]
    assert bench.worker.asked == [9.2, pytest.approx(0.8)]
    bench = Bench(deadline=10.0, took=11.0)
    bench.send("first")
    assert bench.queue.answers(inf) is None
    assert bench.clock.seconds == 10.0


@dataclass
class Idle:
    """Workers that never come to do anything; `given`: what they were given to do."""

    clock: VirtualClock
    given: list[object] = field(default_factory=list)

    def pool(self, function: Callable[[Item], Returned], *, limit: int) -> Pool[Item, Returned]:
        """See `Workers.pool`."""
        del function, limit
        return IdlePool(self)


@dataclass
class IdlePool(Generic[Item, Returned]):
    """See `Idle`."""

    workers: Idle

    def submit(self, item: Item) -> None:
        """See `Pool.submit`."""
        self.workers.given.append(item)

    def wait(self, seconds: float) -> Sequence[tuple[Item, Returned]]:
        """See `Pool.wait`."""
        self.workers.clock.advance(seconds)
        return []

    def close(self) -> Sequence[tuple[Item, Returned | Unfinished]]:
        """See `Pool.close`."""
        return []


def operation(number: int, due: float) -> Operation:
    """Make one that is to be stopped at a moment, by a call of its own."""
    request = StopRequest(source=Source.TIMER, event_id="e", confirm_stop=True)
    job = Job(request=request, scopes=(SCOPE,), stopped_mode=StoppedMode.KEEP_CHARGING, dry_run=False)
    seen = Instance.model_validate({"InstanceId": f"i-{number}", "Status": "Running"})
    call = StopCall(
        instance_id=seen.instance_id,
        stopped_mode=StoppedMode.KEEP_CHARGING,
        confirm_stop=True,
        force_stop=False,
        dry_run=False,
    )
    return Operation(
        scope=SCOPE,
        job=job,
        instance=seen,
        seen_first=seen,
        seen_at=due,
        stop=Stop(call=call),
        decide=lambda *_: Stop(call=call),
        verify_seconds=60,
        confirms=True,
        due=due,
    )


def test_what_is_on_its_way_takes_room() -> None:
    """Where eight calls will probably pass in a minute, those that have no answer yet are among them."""
    clock = VirtualClock(NOW)
    throttle = Throttle(clock, 0.0, deadline=70.0)
    for _ in range(10):
        throttle.answered("StopInstance", SCOPE, None)
    throttle.answered("StopInstance", SCOPE, CloudError("Throttling.User", ""))
    clock.advance(60)
    workers = Idle(clock)
    operations = [operation(number, due=60.0 if number < 6 else 61.0) for number in range(12)]
    clients = Clients({SCOPE: cast(Ecs, None)})
    outcomes = list(stop(operations, clients, Caller(throttle, workers, 16)))
    assert len(workers.given) == 8
    assert len(outcomes) == 12


def test_what_is_on_its_way_is_counted() -> None:
    """By action, region and account, as ECS counts; what was not sent counts no more, either."""
    bench = Bench()
    for scope in (SCOPE, SCOPE, ELSEWHERE):
        bench.send("one", scope=scope)
    assert bench.queue.in_flight("StopInstance", SCOPE) == 2
    assert bench.queue.in_flight("StopInstances", SCOPE) == 0
    bench.results(1)
    assert bench.queue.in_flight("StopInstance", SCOPE) == 1
    assert [one.result for one in bench.queue.close()] == [Unfinished.NOT_STARTED] * 2
    assert bench.queue.in_flight("StopInstance", ELSEWHERE) == 0
