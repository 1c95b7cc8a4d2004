"""Times as events write them."""

import re
from datetime import UTC, datetime

from function.events.json_reader import Node, quote

# An epoch time of this many digits is in milliseconds; in seconds it would lie beyond the year 30000.
MILLISECOND_DIGITS = 13
EARLIEST, LATEST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
"""What lies outside is in another unit, or of a clock that was never set."""
_EPOCH = re.compile(r"[0-9]{1,15}")


def read_time(node: Node) -> datetime:
    """Read a time: ISO 8601 with an offset (basic or extended), or seconds or milliseconds since 1970.

    Raise `InvalidEvent` for anything else, and for what lies before 2000 or after 2199.
    """
    right = "it must be a time with an offset such as 2026-01-31T20:00:00Z, or the seconds since 1970"
    value = node.value
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    text = str(value) if isinstance(value, int | str) else ""
    try:
        if _EPOCH.fullmatch(text):
            found = datetime.fromtimestamp(int(text) / (1000 if len(text) >= MILLISECOND_DIGITS else 1), UTC)
        else:
            found = datetime.fromisoformat(text)
    except (ValueError, OverflowError, OSError):
        node.fail(f"is {quote(node.value)}; {right}")
    if found.tzinfo is None:
        node.fail(f"is {quote(node.value)}, which has no offset; {right}")
    if not EARLIEST <= found < LATEST:
        node.fail(f"is {quote(node.value)}, which is not between {EARLIEST.year} and {LATEST.year}; {right}")
    return found.astimezone(UTC)
