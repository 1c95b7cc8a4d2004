"""The log lines of a run: a JSON object a line for each outcome, refusal and region error, and a summary."""

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime

from function.model.outcome import INVALID_EVENT, Dispatch, GuardCode, Outcome, Refusal, RegionError
from function.model.request import Source
from function.reporting.report import (
    Report,
    handed_on_fields,
    outcome_fields,
    refusal_fields,
    region_error_fields,
)
from function.reporting.summary import summarize
from function.settings import MIN_SECRET

MAX_TEXT = 1_000
"""Characters of any text in a log line: FC cuts a log entry at 32 KB, and a line has few texts."""

MAX_LINE = 30_000
"""Bytes of a log line, above which an outcome's tags are left out: 20 long ones can be more than FC takes."""

MAX_LOGGED_IDS = 50

EXPECTED = frozenset({GuardCode.ALARM_STATE, GuardCode.EVENT_NOT_ENABLED})
"""Refusals of events that come as a matter of course: recoveries, and what the settings leave out."""


@dataclass(frozen=True, slots=True)
class Log:
    """Writes the lines of a run: objects with `time, level, message, request_id, source, event_id`."""

    request_id: str
    now: Callable[[], datetime]
    write: Callable[[str], None]
    secrets: Sequence[str] = ()

    def outcome(self, outcome: Outcome) -> None:
        """Log one target's result."""
        level = "ERROR" if outcome.status.left else "WARNING" if outcome.warnings else "INFO"
        self._line(level, outcome_fields(outcome))

    def refusal(self, refusal: Refusal) -> None:
        """Log an event refused as a whole: the first ids and how many there are."""
        fields = refusal_fields(replace(refusal, instance_ids=refusal.instance_ids[:MAX_LOGGED_IDS]))
        level = "ERROR" if refusal.code == INVALID_EVENT else "WARNING"
        self._line(level, fields | {"instance_count": len(refusal.instance_ids)})

    def region_error(self, error: RegionError) -> None:
        """Log a region that could not be listed."""
        self._line("ERROR", region_error_fields(error))

    def handed_on(self, shard: Dispatch) -> None:
        """Log what another invocation takes over: the first ids and how many there are."""
        fields = handed_on_fields(replace(shard, instance_ids=shard.instance_ids[:MAX_LOGGED_IDS]))
        self._line("INFO", fields | {"instance_count": len(shard.instance_ids)})

    def note(self, source: Source, event_id: str, message: str) -> None:
        """Log a remark about an event."""
        self._line("WARNING", {"source": source, "event_id": event_id, "message": message})

    def summary(self, report: Report) -> None:
        """Log the line that ends the run."""
        fields = {"source": report.source, "event_id": report.event_id, "message": summarize(report)}
        counts = {
            "dry_run": report.dry_run,
            "summary": report.summary,
            "refusals": len(report.refusals),
            "region_errors": len(report.region_errors),
            "handed_on": sum(len(shard.instance_ids) for shard in report.handed_on),
        }
        self._line(_level(report), fields | counts)

    def _line(self, level: str, fields: Mapping[str, object]) -> None:
        time = self.now().isoformat(timespec="milliseconds")
        head = {"time": time, "level": level, "message": None, "request_id": self.request_id}
        content = {**head, **fields}
        line = json.dumps(_bounded(redact(content, self.secrets)))
        if len(line) > MAX_LINE:
            line = json.dumps(_bounded(redact(content | {"tags": {}}, self.secrets)))
        with suppress(OSError):  # a log that can't be written keeps nothing from being stopped and reported
            self.write(line)


def _level(report: Report) -> str:
    """Say how much a run needs somebody: also where it did nothing at all, and nobody may have meant that."""
    if report.invalid or not report.complete:
        return "ERROR"
    refused = any(refusal.code not in EXPECTED for refusal in report.refusals)
    nothing = not (report.outcomes or report.handed_on or report.refusals)
    return "WARNING" if refused or nothing else "INFO"


def redact(value: object, secrets: Sequence[str]) -> object:
    """Take secrets out of every text in a JSON value, keys too; an event or a tag may hold one."""
    match value:
        case str():
            for secret in secrets:
                if len(secret) >= MIN_SECRET:
                    value = value.replace(secret, "***")
            return str(value)
        case dict():
            return {str(redact(key, secrets)): redact(inner, secrets) for key, inner in value.items()}
        case list():
            return [redact(inner, secrets) for inner in value]
        case _:
            return value


def _bounded(value: object) -> object:
    """Cut texts so that a line stays far below FC's limit."""
    match value:
        case str() if len(value) > MAX_TEXT:
            return f"{value[:MAX_TEXT]}… ({len(value)} characters)"
        case dict():
            return {key: _bounded(inner) for key, inner in value.items()}
        case list():
            return [_bounded(inner) for inner in value]
        case _:
            return value
