"""Until when a call may go on, and whether it may still be written: told to the thread that makes it."""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar

Writing = Callable[[], AbstractContextManager[bool]]
"""Entered where a call is written, with whether it may be; whoever ends all calls waits for its end."""

_ends: ContextVar[float] = ContextVar("ends", default=float("inf"))
_fresh_until: ContextVar[float] = ContextVar("fresh_until", default=float("inf"))
_writing: ContextVar[Writing] = ContextVar("writing", default=lambda: nullcontext(enter_result=True))


@contextmanager
def within(seconds: float, *, fresh_seconds: float = float("inf")) -> Iterator[None]:
    """End the calls that this thread makes inside after so many seconds, whatever they wait for.

    `fresh_seconds`: a call whose connection stands later than that is not written to it.
    """
    now = time.monotonic()
    ends, fresh = _ends.set(now + seconds), _fresh_until.set(now + fresh_seconds)
    try:
        yield
    finally:
        _ends.reset(ends)
        _fresh_until.reset(fresh)


def seconds_left(at_most: float | None) -> float:
    """Give the time that one step may take. Raise TimeoutError where there is none left."""
    left = _ends.get() - time.monotonic()
    if left <= 0:
        raise TimeoutError("the call's time is over")
    return left if at_most is None else min(left, at_most)


@contextmanager
def written_only(writing: Writing) -> Iterator[None]:
    """Let the calls that this thread makes inside be written only where that is allowed."""
    before = _writing.set(writing)
    try:
        yield
    finally:
        _writing.reset(before)


@contextmanager
def permission_to_write() -> Iterator[str | None]:
    """Give why a call may not be written, None where it may: inside, so that no end comes in between."""
    with _writing.get()() as allowed:
        if not allowed:
            yield "the run has ended"
        elif time.monotonic() > _fresh_until.get():
            yield "the connection stood too late for this call"
        else:
            yield None
