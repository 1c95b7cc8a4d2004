"""The machine that an invocation runs on: its clocks and its threads, in virtual time."""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Generic, TypeVar

from function.model.ports import Pool, Unfinished
from simulation.scheduler import Scheduler, Task

Item = TypeVar("Item")
Returned = TypeVar("Returned")

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
class MachineClock:
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


class TaskPool(Generic[Item, Returned]):
    """`function.model.ports.Pool`, with a task for each thread; `tasks` are those of the process."""

    def __init__(
        self, scheduler: Scheduler, tasks: list[Task], function: Callable[[Item], Returned], limit: int
    ) -> None:
        self._scheduler, self._tasks = scheduler, tasks
        self._function, self._limit = function, limit
        self._waiting: deque[Item] = deque()
        self._running: list[Item] = []
        self._done: list[tuple[Item, Returned]] = []
        self._mistakes: list[Exception] = []
        self._workers = 0
        self._consumer: Task | None = None

    def submit(self, item: Item) -> None:
        """See `Pool.submit`."""
        self._waiting.append(item)
        if self._workers < self._limit:
            self._workers += 1
            self._tasks.append(self._scheduler.spawn(self._work))

    def _work(self) -> None:
        while self._waiting:
            item = self._waiting.popleft()
            self._running.append(item)
            try:
                result = self._function(item)
                self._done.append((item, result))
            except Exception as error:  # noqa: BLE001 - it is raised where the result is asked for
                self._mistakes.append(error)
            self._running.remove(item)
            if self._consumer is not None:
                self._scheduler.wake(self._consumer)
            # The next item may be taken before or after this result is looked at.
            self._scheduler.wait(self._scheduler.time)
        self._workers -= 1

    def wait(self, seconds: float) -> Sequence[tuple[Item, Returned]]:
        """See `Pool.wait`."""
        if not self._done and not self._mistakes:
            self._consumer = self._scheduler.running
            self._scheduler.wait(self._scheduler.time + seconds)
            self._consumer = None
        if self._mistakes:
            raise self._mistakes[0]
        done, self._done = self._done, []
        return done

    def close(self) -> Sequence[tuple[Item, Returned | Unfinished]]:
        """See `Pool.close`."""
        not_started = [(item, Unfinished.NOT_STARTED) for item in self._waiting]
        self._waiting.clear()
        done, self._done = self._done, []
        return [*done, *not_started, *((item, Unfinished.ABANDONED) for item in self._running)]


@dataclass(frozen=True, slots=True)
class Tasks:
    """`function.model.ports.Workers`; `tasks` are those of the process."""

    scheduler: Scheduler
    tasks: list[Task]

    def pool(self, function: Callable[[Item], Returned], *, limit: int) -> Pool[Item, Returned]:
        """See `Workers.pool`."""
        return TaskPool(self.scheduler, self.tasks, function, limit)
