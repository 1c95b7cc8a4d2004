"""The machine that the function runs on: its clock, threads and standard output; and all ports together."""

import random
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from queue import Empty, SimpleQueue
from typing import Generic

from function.cloud.ecs import connect_ecs
from function.cloud.fc import connect_fc
from function.cloud.sts import connect_sts
from function.model.ports import Item, Ports, Result, Unfinished


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


class _Items(Generic[Item, Result]):
    """Items to be done by whoever takes them out, each by one only, and what came of them."""

    def __init__(self, function: Callable[[Item], Result], items: Iterable[Item]) -> None:
        self._function = function
        self._waiting = deque(items)
        self.answers: SimpleQueue[tuple[Item, Result | None, BaseException | None]] = SimpleQueue()

    def do(self, most: int | None = None) -> None:
        """Do what is waiting, or so many of it."""
        while most != 0:
            try:
                item = self._waiting.popleft()
            except IndexError:
                return
            try:
                self.answers.put((item, self._function(item), None))
            except BaseException as error:  # noqa: BLE001 - raised to who asked for it
                self.answers.put((item, None, error))
            most = None if most is None else most - 1

    def take_back(self) -> list[Item]:
        """Give those that nobody has begun, and have nobody begin them."""
        taken = []
        with suppress(IndexError):
            while True:
                taken.append(self._waiting.popleft())
        return taken


class Threads:
    """One thread per call in flight: the SDK's synchronous client reuses its connections across threads."""

    def each(
        self, function: Callable[[Item], Result], items: Iterable[Item], *, limit: int, seconds: float
    ) -> Iterator[tuple[Item, Result | Unfinished]]:
        """See `Workers.each`. An abandoned thread ends by itself when its call times out.

        Where the machine gives fewer threads, those that there are do all; none: this one does.
        """
        ends = time.monotonic() + seconds
        numbered = dict(enumerate(items))
        work = _Items(lambda one: function(one[1]), numbered.items())
        threads = _start(work.do, min(limit, len(numbered)))
        try:
            while numbered:
                if not threads and time.monotonic() < ends:
                    work.do(1)
                (number, item), result, error = work.answers.get(timeout=max(0.0, ends - time.monotonic()))
                if error is not None:
                    raise error
                del numbered[number]
                yield item, result  # type: ignore[misc]  # what the function gave
        except Empty:
            for number, item in work.take_back():
                del numbered[number]
                yield item, Unfinished.NOT_STARTED
            yield from ((item, Unfinished.ABANDONED) for item in numbered.values())
        finally:
            work.take_back()


def _start(work: Callable[[], None], count: int) -> int:
    """Start threads; give how many there are."""
    for started in range(count):
        try:
            threading.Thread(target=work, name="ecs", daemon=True).start()
        except RuntimeError:  # "can't start new thread"
            return started
    return count


def _print_line(line: str) -> None:
    """Write one log line whole, at once: FC takes standard output as the log."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def system_ports() -> Ports:
    """Give the real ones."""
    return Ports(
        clock=SystemClock(),
        workers=Threads(),
        chance=random.random,
        write=_print_line,
        connect_ecs=connect_ecs,
        connect_sts=connect_sts,
        connect_fc=connect_fc,
    )
