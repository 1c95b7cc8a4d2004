"""Ctrl-C: it ends the command at once, but where something is under way that a person has to hear of.

This is imported before all else. What it imports itself is loaded when Python runs.
"""

import os
import signal
import sys
from types import FrameType

INTERRUPTED = 130
"""The exit code, as shells say it."""


def end_at_once() -> None:
    """Let Ctrl-C end the process without a trace from now on; not where the shell has it ignored."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _end)


class Interruptible:
    """A block that Ctrl-C leaves by KeyboardInterrupt, so that it can say what it has asked for."""

    def __enter__(self) -> None:
        """Begin it."""
        self._ended_at_once = signal.getsignal(signal.SIGINT) is _end
        if self._ended_at_once:
            signal.signal(signal.SIGINT, signal.default_int_handler)

    def __exit__(self, *_: object) -> None:
        """End it."""
        if self._ended_at_once:
            signal.signal(signal.SIGINT, _end)


def _end(_signal: int, _frame: FrameType | None) -> None:
    """End without waiting for what is under way, and without Python's own words about it."""
    os.write(sys.__stderr__.fileno() if sys.__stderr__ else 2, b"Interrupted.\n")
    os._exit(INTERRUPTED)
