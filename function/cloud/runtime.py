"""The machine that the function runs on: its clock, threads and standard output; and all ports together."""

import random
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from datetime import UTC, datetime

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


class Threads:
    """One thread per call in flight: the SDK's synchronous client reuses its connections across threads."""

    def each(
        self, function: Callable[[Item], Result], items: Iterable[Item], *, limit: int, seconds: float
    ) -> Iterator[tuple[Item, Result | Unfinished]]:
        """See `Workers.each`. An abandoned thread ends by itself when its call times out."""
        pool = ThreadPoolExecutor(max_workers=limit, thread_name_prefix="ecs")
        futures: dict[Future[Result], Item] = {pool.submit(function, item): item for item in items}
        try:
            for future in as_completed(futures, timeout=max(0.0, seconds)):
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
