"""Event files as people have them, and where in one a mistake stands."""

import re
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from local.command_line.exit_codes import CommandError
from local.emulator.json_files import InvalidJson, decode, documents, line_and_column
from local.template.model import Function
from local.template.timers import event_of

_NO_KIND = "the event is of no kind known here"
"""How the function begins to say so (`function.events.parse`)."""
_UNKNOWN_FIELD = re.compile(r'the unknown field "(\w+)"')


@dataclass(frozen=True, slots=True)
class EventFile:
    """An event as the function gets it, UTF-8; its text, and why that is no JSON, if it isn't.

    `path`: of its file, where it has one.
    """

    content: bytes
    text: str = ""
    problem: str = ""
    path: Path | None = None

    def explained(self, message: str) -> str:
        """Say what the function has against it, and where that stands."""
        if self.problem:
            return f"the event is not JSON: {self.problem}"
        unknown = _UNKNOWN_FIELD.search(message)
        if (unknown or message.startswith(_NO_KIND)) and '"outcomes": [' in self.text:
            return "this is a report or a saved plan, no event; `stop-guard apply PLAN` carries a plan out"
        if unknown is None:
            return message
        position = self.text.find(unknown[1])
        return f"{line_and_column(self.text, position)}: {message}" if position >= 0 else message


def event_or_payload(path: str | None, function: Function | None, trigger: str | None) -> EventFile:
    """Read the event, or take what a timer of the template sends. Raise CommandError."""
    if trigger is None:
        if path is None:
            raise CommandError(
                "EVENT is missing: give a file, - for standard input, or --template with --trigger"
            )
        return read_event(path)
    if path is not None:
        raise CommandError("--trigger stands for EVENT; give one of them")
    if function is None:
        raise CommandError("--trigger goes with --template, which says what the trigger sends")
    timer = next((one for one in function.timers if one.name == trigger), None)
    if timer is None:
        names = ", ".join(one.name for one in function.timers) or "none"
        raise CommandError(f"--trigger {trigger!r} is no timer of the template; its timers: {names}")
    content = event_of(timer, datetime.now(UTC))
    return EventFile(content, content.decode())


def read_event(path: str) -> EventFile:
    """Read one. Raise CommandError where there is nothing to read."""
    file = None if path == "-" else Path(path)
    try:
        content = sys.stdin.buffer.read() if file is None else file.read_bytes()
    except OSError as error:
        raise CommandError(
            f"cannot read the event {path!r}: {error.strerror}; give a file, or - for standard input"
        ) from None
    try:
        text = decode(content)
    except InvalidJson as error:
        return EventFile(content, problem=str(error), path=file)
    try:
        count = len(documents(text))
        problem = (
            f"it holds {count:,} documents; several events are an array: [event, event]" if count > 1 else ""
        )
    except InvalidJson as error:
        problem = str(error)
    return EventFile(text.encode(errors="surrogatepass"), text, problem, file)
