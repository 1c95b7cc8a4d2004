"""The machine's threads: each item once, in time, and whatever the machine gives."""

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from function.cloud.runtime import Threads
from function.model.ports import Unfinished


def test_each_item_is_done_once_by_no_more_threads_than_allowed() -> None:
    """All results come, each with its item, and never more than `limit` are in the making."""
    lock, now, most = threading.Lock(), [0], [0]
    turn = threading.Barrier(4)

    def square(item: int) -> int:
        with lock:
            now[0] += 1
            most[0] = max(most[0], now[0])
        turn.wait(timeout=10)
        with lock:
            now[0] -= 1
        return item * item

    done = list(Threads().each(square, range(40), limit=4, seconds=60))
    assert sorted(done) == [(item, item * item) for item in range(40)]
    assert most == [4]


def test_what_has_no_result_in_time_is_given_up() -> None:
    """One that was begun is abandoned, those that were not are not begun any more."""
    over, begun = threading.Event(), []

    def wait(item: int) -> int:
        begun.append(item)
        if item:
            over.wait(timeout=30)
        return item

    done = dict(Threads().each(wait, range(5), limit=1, seconds=0.3))
    over.set()
    assert done[0] == 0
    assert done[1] is Unfinished.ABANDONED
    assert [done[item] for item in (2, 3, 4)] == [Unfinished.NOT_STARTED] * 3
    assert begun == [0, 1]


def test_nothing_is_begun_without_time() -> None:
    """With no seconds left every item still comes back, once."""
    done = list(Threads().each(lambda item: item, range(5), limit=2, seconds=-1))
    assert sorted(item for item, _ in done) == [*range(5)]


def test_a_mistake_in_the_function_is_raised_and_ends_it() -> None:
    """Nobody may take a mistake for a result; what was not begun is not begun after it."""
    begun = []

    def fail(item: int) -> int:
        begun.append(item)
        raise KeyError(item)

    with pytest.raises(KeyError):
        list(Threads().each(fail, range(100), limit=1, seconds=10))
    assert begun[0] == 0


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
done = list(Threads().each(begin, range(8), limit=6, seconds=60))
print(len(done), len({item for item, _ in done}), {name for _, name in done} == {sys.argv[2]})
"""


@pytest.mark.parametrize(("threads", "by"), [(2, "ecs"), (0, "MainThread")])
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
