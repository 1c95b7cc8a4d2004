"""Threads: a few at once, none of which works on after its pool is closed, even where few are to be had."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from function.cloud.call_limits import permission_to_write
from function.cloud.runtime import Threads
from function.model.ports import Pool, Unfinished


@contextmanager
def no_further_thread() -> Iterator[None]:
    """Let the machine give no further thread: none has the memory for such a stack."""
    threading.stack_size(1 << 40)
    try:
        yield
    finally:
        threading.stack_size(0)


def results(pool: Pool[int, int], count: int) -> list[int]:
    """Wait for so many results."""
    found: list[int] = []
    while len(found) < count:
        found += [result for _, result in pool.wait(10)]
    return sorted(found)


def test_each_is_done_once_and_a_few_at_a_time() -> None:
    """However many there are, never more than the limit are in work."""
    at_once, most, lock = [0], [0], threading.Lock()

    def work(item: int) -> int:
        with lock:
            at_once[0] += 1
            most[0] = max(most[0], at_once[0])
        with lock:
            at_once[0] -= 1
        return item

    pool = Threads().pool(work, limit=3)
    for item in range(100):
        pool.submit(item)
    assert results(pool, 100) == list(range(100))
    assert most[0] <= 3
    assert pool.close() == []


def test_where_threads_are_few_those_do_it_all() -> None:
    """A machine that gives one and no more has its items done by that one, and none after the end."""
    go, done = threading.Event(), []

    def work(item: int) -> int:
        go.wait(10)
        done.append(item)
        return item

    pool = Threads().pool(work, limit=3)
    pool.submit(0)
    with no_further_thread():
        for item in range(1, 6):
            pool.submit(item)
    assert pool.wait(0) == []
    unfinished = dict(pool.close())
    assert sorted(unfinished) == list(range(6))
    assert list(unfinished.values()).count(Unfinished.ABANDONED) <= 1
    go.set()
    for thread in threading.enumerate():
        if thread.name == "call":
            thread.join(10)
    assert done in ([], [0])


def test_what_a_worker_raises_is_raised_where_its_result_is_asked_for() -> None:
    """A mistake is not swallowed."""

    def work(item: int) -> int:
        raise KeyError(item)

    pool = Threads().pool(work, limit=1)
    pool.submit(7)
    with pytest.raises(KeyError, match="7"):
        pool.wait(10)
    pool.close()


def test_the_end_waits_for_what_is_just_being_written() -> None:
    """Whoever was allowed to write has written before the pool is closed, and nobody is after that."""
    begun, deeds = threading.Event(), []

    def work(_item: int) -> None:
        with permission_to_write() as refused:
            begun.set()
            threading.Event().wait(0.05)
            deeds.append(refused)

    pool = Threads().pool(work, limit=1)
    pool.submit(1)
    assert begun.wait(10)
    pool.close()
    assert deeds == [None]


FEW = """
import resource, sys, threading
from function.cloud.runtime import Threads
with open("/proc/self/statm") as sizes:
    used = int(sizes.read().split()[0]) * resource.getpagesize()
threading.stack_size(256 << 20)
most = used + (int(sys.argv[1]) << 28) + (128 << 20)
resource.setrlimit(resource.RLIMIT_AS, (most, most))
gate = threading.Event()
def begin(item):
    gate.wait(0.2)
    return threading.current_thread().name
pool, done = Threads().pool(begin, limit=6), []
for item in range(8):
    pool.submit(item)
gate.set()
while len(done) < 8:
    done += pool.wait(60)
print(len(done), len({item for item, _ in done}), {name for _, name in done} == {sys.argv[2]})
"""


@pytest.mark.parametrize(("threads", "by"), [(2, "call"), (0, "MainThread")])
def test_a_machine_without_threads_does_all_the_same(threads: int, by: str) -> None:
    """Where no further thread can be started, those there are do everything, if need be this one alone."""
    done = subprocess.run(
        [sys.executable, "-c", FEW, str(threads), by],
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert done.stdout == "8 8 True\n"


def test_what_is_done_at_the_last_moment_is_not_lost() -> None:
    """A result that nobody has asked for yet is given when the pool is closed, and once."""
    done = threading.Event()

    def work(item: int) -> int:
        done.set()
        return item * 2

    pool = Threads().pool(work, limit=1)
    pool.submit(21)
    assert done.wait(10)
    given: list[tuple[int, int | Unfinished]] = []
    while not given:  # the thread has yet to hand its result over
        given = [*pool.wait(0), *pool.close()]
    assert given in ([(21, 42)], [(21, Unfinished.ABANDONED)])
