"""The machine that an invocation runs on: its clocks and its threads, in virtual time."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from function.model.ports import Unfinished
from simulation.scheduler import Scheduler, Task

Item = TypeVar("Item")
Result = TypeVar("Result")

EPOCH = datetime(2026, 1, 15, 20, 0, 7, tzinfo=UTC)
"""The true time at which every simulation begins; all moments are seconds since then."""


def true_time(moment: float) -> datetime:
    """Give the time of day of a moment."""
    return EPOCH + timedelta(seconds=moment)


@dataclass(frozen=True, slots=True, kw_only=True)
class WallClock:
    """What the machine takes for the time of day: wrong by `skew` seconds, and by each jump so far.

    `jumps`: moment, and the seconds that the clock was put forward by then (back, if below zero).
    """

    skew: float = 0.0
    jumps: Sequence[tuple[float, float]] = ()

    def ahead(self, moment: float) -> float:
        """Give the seconds by which it is ahead of the true time."""
        return self.skew + sum(by for when, by in self.jumps if when <= moment)

    def latest(self, start: float, end: float) -> float:
        """Give the latest time, as a moment, that it shows anywhere between two moments."""
        turns = [when for when, _ in self.jumps if start < when <= end]
        # Just before it is put back, it shows more than after.
        before = [when + self.ahead(when) - by for when, by in self.jumps if start < when <= end]
        return max([moment + self.ahead(moment) for moment in (start, *turns, end)] + before)


@dataclass(frozen=True, slots=True)
class VirtualClock:
    """`function.model.ports.Clock` over the scheduler's time."""

    scheduler: Scheduler
    wall: WallClock

    def now(self) -> datetime:
        """Give the time that the machine's wall clock shows."""
        moment = self.scheduler.time
        return true_time(moment + self.wall.ahead(moment))

    def monotonic(self) -> float:
        """Give seconds; they begin where no one may think they do."""
        return 1000.0 + self.scheduler.time

    def sleep(self, seconds: float) -> None:
        """Let others go on for so long."""
        self.scheduler.wait(self.scheduler.time + max(0.0, seconds))


@dataclass(frozen=True, slots=True)
class Tasks:
    """`function.model.ports.Workers`, with a task for each thread; `tasks` are those of the process."""

    scheduler: Scheduler
    tasks: list[Task]

    def each(
        self, function: Callable[[Item], Result], items: Iterable[Item], *, limit: int, seconds: float
    ) -> Iterator[tuple[Item, Result | Unfinished]]:
        """See `function.model.ports.Workers.each`."""
        waiting = deque(enumerate(items))
        started: dict[int, Item] = {}
        finished: deque[tuple[int, Result]] = deque()
        mistakes: list[Exception] = []
        consumer, consumer_waits = self.scheduler.running, False

        def work() -> None:
            while waiting:
                index, item = waiting.popleft()
                started[index] = item
                try:
                    finished.append((index, function(item)))
                except Exception as error:  # noqa: BLE001 - a future gives it to whoever asks for the result
                    mistakes.append(error)
                if consumer_waits:
                    self.scheduler.wake(consumer)
                # The next item may be taken before or after this result is looked at.
                self.scheduler.wait(self.scheduler.time)

        self.tasks.extend(self.scheduler.spawn(work) for _ in range(min(limit, len(waiting))))
        end = self.scheduler.time + seconds
        try:
            while waiting or started:
                while finished:
                    index, result = finished.popleft()
                    yield started.pop(index), result
                if mistakes:
                    raise mistakes[0]
                if self.scheduler.time >= end:
                    break
                if waiting or started:
                    consumer_waits = True
                    self.scheduler.wait(end)
                    consumer_waits = False
            not_started = [item for _, item in waiting]
            waiting.clear()
            yield from ((item, Unfinished.NOT_STARTED) for item in not_started)
            yield from ((item, Unfinished.ABANDONED) for item in started.values())
        finally:
            waiting.clear()
