"""What FC's Python runtime makes of an invocation: its answer as text, its error record, its end.

Source: the runtime's own bootstrap, of which public dumps exist, and FC's page "Error handling" for Python.
"""

import json
import traceback
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from threading import Event, Thread

UNHANDLED = "UnhandledInvocationError"
"""How FC calls an exception that left the handler: X-Fc-Error-Type, and a destination's condition."""

_LOOK_SECONDS = 0.02
"""How often a sender is looked after while the function runs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came of an invocation: what the handler returned, or the exception that left it."""

    returned: Mapping[str, object] | None = None
    error: Exception | None = None

    @property
    def text(self) -> str:
        """The response body: what was returned, or the error record."""
        return serialize(self.returned or {}) if self.error is None else serialize(error_record(self.error))


Invoke = Callable[[bytes, Event], Answer]
"""Invokes the function with an event. Once the other event is set, nothing of the invocation goes on."""


class InstanceStopped(BaseException):
    """FC has stopped the function's instance in the midst; no `except Exception` of the function keeps it."""


class SenderGone(Exception):  # noqa: N818 - what happened, not what went wrong here
    """Nobody waits for the answer any more."""


def serialize(returned: object) -> str:
    """Write what a handler returns as the runtime does: a text as it is, anything else as indented JSON."""
    return returned if isinstance(returned, str) else json.dumps(returned, indent=4, sort_keys=True)


def error_record(error: Exception) -> dict[str, object]:
    """Tell an exception as the runtime does: each frame is a list of file, line, function and source.

    Without a frame there is no stack.
    """
    stack = [
        [*(part.strip() for part in frame.split("\n")[0].split(",")), frame.split("\n")[1].strip()]
        for frame in traceback.format_tb(error.__traceback__)
    ]
    record: dict[str, object] = {"errorMessage": str(error), "errorType": type(error).__name__}
    return record | ({"stackTrace": stack} if stack else {})


def invoke_while_awaited(invoke: Invoke, event: bytes, hung_up: Callable[[], bool]) -> Answer:
    """Invoke the function while its sender waits.

    Raise SenderGone once he has hung up: FC then stops the instance, if that has no other request (page "Why
    does a function instance restart after a client 499").
    """
    gone = Event()
    answers: list[Answer] = []

    def run() -> None:
        with suppress(InstanceStopped):
            answers.append(invoke(event, gone))

    running = Thread(target=run, daemon=True)
    running.start()
    while running.is_alive():
        running.join(_LOOK_SECONDS)
        if hung_up():
            gone.set()
            raise SenderGone
    return answers[0]
