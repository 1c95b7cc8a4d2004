"""The time that a keep-running-until tag names."""

import re
from datetime import UTC, date, datetime, time, timedelta, timezone

_LATEST_OFFSET = timezone(timedelta(hours=-12))
"""Where a local time comes last on Earth: a time without an offset is taken to mean it."""
_DATE_TIME = re.compile(
    r"(\d{4}-\d{2}-\d{2}|\d{8})([T ]\d{2}(:?\d{2}(:?\d{2}([.,]\d+)?)?)?(Z|[+-]\d{2}(:?\d{2})?)?)?", re.ASCII
)
"""Python reads much more as a date-time: weeks, any separator, an offset as a time of day."""


def keep_until(value: str) -> datetime | None:
    """Read the time that a keep-running-until tag names; None: it can't be read.

    ISO 8601 calendar dates and times. Without an offset it is taken as late as it can mean (UTC-12), a date
    alone to the end of that day. A time beyond what a datetime holds can't be read.
    """
    text = value.strip()
    if not _DATE_TIME.fullmatch(text):
        return None
    try:
        if len(text) <= len("2026-01-31"):
            day = datetime.combine(date.fromisoformat(text), time.min, _LATEST_OFFSET)
            return (day + timedelta(days=1)).astimezone(UTC)
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=_LATEST_OFFSET)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
