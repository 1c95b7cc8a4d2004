"""The log lines of a run: a JSON object a line for each result, and a summary."""

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime
from enum import IntEnum

from function.model.credentials import NO_SECRETS, Redactor
from function.model.frozen import frozen
from function.model.outcome import (
    INVALID_EVENT,
    Acceptance,
    Dispatch,
    GuardCode,
    Outcome,
    Refusal,
    RegionError,
    Result,
)
from function.model.request import Source
from function.reporting.fields import result_fields
from function.reporting.report import Report
from function.reporting.summary import summarize

MAX_LINE = 30_000
"""Bytes of a log line, above which it is made shorter: FC cuts a log entry at 32 KB."""

MAX_TEXTS = (1_000, 100)
"""Characters of any text in a line that would be too long; the second, should the first not be enough."""

MAX_LOGGED_IDS = 50
"""Ids of a refusal or shard in a line: enough to know it again; the report has them all."""


class Level(IntEnum):
    """How much a line needs somebody."""

    INFO = 1
    WARNING = 2
    ERROR = 3


_REFUSED = {
    GuardCode.ALARM_STATE: Level.INFO,
    GuardCode.EVENT_NOT_ENABLED: Level.INFO,
    GuardCode.TOO_MANY_INSTANCES: Level.ERROR,
    INVALID_EVENT: Level.ERROR,
}
"""Events refused as a matter of course, recoveries and what the settings leave out; and mistakes that cost a
night. Whatever else is refused as a whole is a WARNING."""


@frozen
class Log:
    """Writes the lines of a run: objects with `time, level, message, request_id, source, event_id`."""

    request_id: str
    now: Callable[[], datetime]
    write: Callable[[str], None]
    redact: Redactor = NO_SECRETS

    def result(self, result: Result) -> None:
        """Log one result; of many ids the first and how many there are."""
        fields = result_fields(result)
        match fields:
            case {"instance_ids": list(ids)}:
                fields |= {"instance_ids": ids[:MAX_LOGGED_IDS], "instance_count": len(ids)}
        self._line(level(result), fields)

    def note(self, source: Source, event_id: str, message: str) -> None:
        """Log a remark about an event."""
        self._line(Level.WARNING, {"source": source, "event_id": event_id, "message": message})

    def summary(self, report: Report) -> None:
        """Log the line that ends the run."""
        fields = {"source": report.source, "event_id": report.event_id, "message": summarize(report)}
        counts = {
            "dry_run": report.dry_run,
            "summary": report.summary,
            "still_charged": report.still_charged,
            "refusals": len(report.refusals),
            "region_errors": len(report.region_errors),
            "handed_on": sum(len(shard.instance_ids) for shard in report.handed_on),
        }
        self._line(summary_level(report), fields | counts)

    def _line(self, level: Level, fields: Mapping[str, object]) -> None:
        time = self.now().isoformat(timespec="milliseconds")
        head = {"time": time, "level": level.name, "message": None, "request_id": self.request_id}
        content = {**head, **fields}
        line = json.dumps(content)
        if self.redact.holds(line):
            line = json.dumps(self.redact.value(content))
        if len(line) > MAX_LINE:
            line = _shorter(json.loads(line))
        with suppress(OSError):  # a log that can't be written keeps nothing from being stopped and reported
            self.write(line)


def level(result: Result) -> Level:
    """Say how much a result needs somebody."""
    match result:
        case Outcome():
            if result.status.left:
                return Level.ERROR
            return Level.WARNING if result.warnings or result.left else Level.INFO
        case Refusal():
            return _REFUSED.get(result.code, Level.WARNING)
        case RegionError():
            return Level.ERROR
        case Dispatch() | Acceptance():
            return Level.INFO


def summary_level(report: Report) -> Level:
    """Say how much a run needs somebody: also where it did nothing at all, and nobody may have meant that."""
    if not report.complete:
        return Level.ERROR
    nothing = not (report.outcomes or report.handed_on or report.refusals)
    return max(map(level, report.refusals), default=Level.WARNING if nothing else Level.INFO)


def _shorter(content: Mapping[str, object]) -> str:
    """Write a line that is too long with its texts cut, and without its tags where that is not enough."""
    line = ""
    for kept in (dict(content), {**content, "tags": {}}):
        for limit in MAX_TEXTS:
            line = json.dumps({name: _cut(value, limit) for name, value in kept.items()})
            if len(line) <= MAX_LINE:
                return line
    return line


def _cut(value: object, limit: int) -> object:
    """Cut the texts in a JSON value."""
    match value:
        case str() if len(value) > limit:
            return f"{value[:limit]}… ({len(value)} characters)"
        case dict():
            return {key: _cut(inner, limit) for key, inner in value.items()}
        case list():
            return [_cut(inner, limit) for inner in value]
        case _:
            return value
