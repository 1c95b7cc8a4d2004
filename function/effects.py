"""All that a run takes from the outside world: time, chance, parallel work, log lines, the cloud.

A run gets them as one `Effects`, so that a simulation can put virtual time and a seed in their place.
"""

import random
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum, auto
from typing import Protocol, TypeVar

from function.ecs import Connect, connect
from function.fc import InvokeFunction, invoke_function
from function.sts import AssumeRole, assume_role

Item = TypeVar("Item")
Result = TypeVar("Result")


class Unfinished(Enum):
    """What `Workers.each` tells of an item that had no result in time."""

    NOT_STARTED = auto()
    ABANDONED = auto()
    """It was started and is perhaps still running; its result will never be known."""


class Clock(Protocol):
    """Wall clock, monotonic clock (seconds), and sleep (seconds)."""

    def now(self) -> datetime:
        """Give the time of day, aware."""
        ...

    def monotonic(self) -> float:
        """Give seconds since some moment; never goes back."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait."""
        ...


class Workers(Protocol):
    """Runs a function over items, several at a time."""

    def each(
        self, function: Callable[[Item], Result], items: Iterable[Item], *, limit: int, until: float
    ) -> Iterator[tuple[Item, Result | Unfinished]]:
        """Yield every item once, with its result as soon as that is there.

        At most `limit` at a time; what has no result when the monotonic clock reaches `until` is given up.
        """
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Give the time of day in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Give the machine's monotonic clock."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Sleep for real."""
        time.sleep(seconds)


@dataclass(frozen=True)
class Threads:
    """One thread per call in flight: the SDK's synchronous client reuses its connections across threads."""

    clock: Clock

    def each(
        self, function: Callable[[Item], Result], items: Iterable[Item], *, limit: int, until: float
    ) -> Iterator[tuple[Item, Result | Unfinished]]:
        """See `Workers.each`. An abandoned thread ends by itself when its call times out."""
        pool = ThreadPoolExecutor(max_workers=limit, thread_name_prefix="ecs")
        futures: dict[Future[Result], Item] = {pool.submit(function, item): item for item in items}
        try:
            for future in as_completed(futures, timeout=max(0.0, until - self.clock.monotonic())):
                yield futures.pop(future), future.result()
        except TimeoutError:
            for future, item in futures.items():
                if future.cancel():
                    yield item, Unfinished.NOT_STARTED
                else:
                    yield item, future.result() if future.done() else Unfinished.ABANDONED
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _print_line(line: str) -> None:
    """Write one log line whole, at once: FC takes standard output as the log."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _system_threads() -> Workers:
    return Threads(SystemClock())


@dataclass(frozen=True, slots=True, kw_only=True)
class Effects:
    """The real ones by default. `chance` gives numbers from 0 to 1, for jitter."""

    clock: Clock = field(default_factory=SystemClock)
    workers: Workers = field(default_factory=_system_threads)
    chance: Callable[[], float] = random.random
    write: Callable[[str], None] = _print_line
    connect: Connect = connect
    assume_role: AssumeRole = assume_role
    invoke_function: InvokeFunction = invoke_function
