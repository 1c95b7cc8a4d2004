"""The machine that the function runs on: its clock, threads and standard output; and all ports together."""

import random
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from threading import Condition, Thread
from typing import Generic

from function.cloud.call_limits import written_only
from function.cloud.ecs import connect_ecs
from function.cloud.fc import connect_fc
from function.cloud.sts import connect_sts
from function.model.ports import Item, Pool, Ports, Returned, Unfinished

MAX_WRITE_SECONDS = 0.5
"""How long the end waits for what is just being written; a call of ours fits into the system's buffer."""


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


class ThreadPool(Generic[Item, Returned]):
    """See `Pool`. A thread for each call in flight: the SDK's client shares its connections among threads.

    `concurrent.futures` would not do: where the machine gives no further thread its `submit` raises, though
    it has queued the item, which is then worked on after all.
    """

    def __init__(self, function: Callable[[Item], Returned], limit: int) -> None:
        self._function = function
        self._limit = limit
        self._waiting: deque[Item] = deque()
        self._running: list[Item] = []
        self._done: deque[tuple[Item, Returned | BaseException]] = deque()
        self._threads = self._idle = self._writers = 0
        self._closed = False
        self._changed = Condition()

    def submit(self, item: Item) -> None:
        """See `Pool.submit`."""
        with self._changed:
            self._waiting.append(item)
            if self._idle < len(self._waiting) and self._threads < self._limit:
                with suppress(RuntimeError):  # no further thread is to be had: those that there are must do
                    Thread(target=self._work, name="call", daemon=True).start()
                    self._threads += 1
            self._changed.notify_all()

    def wait(self, seconds: float) -> Sequence[tuple[Item, Returned]]:
        """See `Pool.wait`. Raise what the function raised."""
        with self._changed:
            alone = not self._threads and bool(self._waiting)
            if not alone:
                self._changed.wait_for(lambda: bool(self._done), seconds)
        if alone:
            self._work_on_one()
        with self._changed:
            done = [*self._done]
            self._done.clear()
        results = []
        for item, result in done:
            if isinstance(result, BaseException):
                raise result
            results.append((item, result))
        return results

    def close(self) -> Sequence[tuple[Item, Returned | Unfinished]]:
        """See `Pool.close`. A thread whose call is on its way ends by itself when that times out.

        A call that is not written yet, since its connection does not stand, is not written any more.
        """
        with self._changed:
            self._closed = True
            self._changed.wait_for(lambda: not self._writers, MAX_WRITE_SECONDS)
            not_started = [(item, Unfinished.NOT_STARTED) for item in self._waiting]
            self._waiting.clear()
            self._changed.notify_all()
            done = [
                (item, Unfinished.ABANDONED if isinstance(result, BaseException) else result)
                for item, result in self._done
            ]
            self._done.clear()
            return [*done, *not_started, *((item, Unfinished.ABANDONED) for item in self._running)]

    @contextmanager
    def _writing(self) -> Iterator[bool]:
        """Have the end wait while something is written, and say whether it may be."""
        with self._changed:
            allowed = not self._closed
            self._writers += allowed
        try:
            yield allowed
        finally:
            with self._changed:
                self._writers -= allowed
                self._changed.notify_all()

    def _work(self) -> None:
        while True:
            with self._changed:
                self._idle += 1
                self._changed.wait_for(lambda: self._closed or bool(self._waiting))
                self._idle -= 1
                if self._closed:
                    return
            self._work_on_one()

    def _work_on_one(self) -> None:
        with self._changed:
            if not self._waiting:
                return
            item = self._waiting.popleft()
            self._running.append(item)
        result: Returned | BaseException
        try:
            with written_only(self._writing):
                result = self._function(item)
        except BaseException as error:  # noqa: BLE001 - it is raised where the result is asked for
            result = error
        with self._changed:
            self._running.remove(item)
            self._done.append((item, result))
            self._changed.notify_all()


class Threads:
    """See `Workers`."""

    def pool(self, function: Callable[[Item], Returned], *, limit: int) -> Pool[Item, Returned]:
        """See `Workers.pool`."""
        return ThreadPool(function, limit)


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
