"""FC's timer expressions: six fields with seconds first, a zone before them, or @every.

The grammar is that of FC's page on time triggers (help/en/functioncompute/fc/time-triggers): the day of the
month takes `?`, the day of the week 1 to 7 or MON to SUN and no step; without CRON_TZ the zone is UTC.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from difflib import get_close_matches
from zoneinfo import ZoneInfo, available_timezones

from croniter import croniter

_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_DAYS = ("MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN")


@dataclass(frozen=True, slots=True)
class _Field:
    """What one of the six takes; `words` stand for 1 and what follows."""

    name: str
    least: int
    most: int
    marks: str = "*,-/"
    words: tuple[str, ...] = ()


_FIELDS = (
    _Field("seconds", 0, 59),
    _Field("minutes", 0, 59),
    _Field("hours", 0, 23),
    _Field("day of month", 1, 31, "*,-/?"),
    _Field("month", 1, 12, words=_MONTHS),
    _Field("day of week", 1, 7, "*,-?", _DAYS),
)
_EXAMPLE = "CRON_TZ=Asia/Shanghai 0 0 20 * * *"
_EVERY = re.compile(r"@every (?P<count>[1-9]\d{0,5})(?P<unit>[smh])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours"}

ZONES = {
    "cn-hongkong": "Asia/Hong_Kong",
    "cn-": "Asia/Shanghai",
    "ap-southeast-1": "Asia/Singapore",
    "ap-southeast-3": "Asia/Kuala_Lumpur",
    "ap-southeast-5": "Asia/Jakarta",
    "ap-southeast-6": "Asia/Manila",
    "ap-southeast-7": "Asia/Bangkok",
    "ap-northeast-1": "Asia/Tokyo",
    "ap-northeast-2": "Asia/Seoul",
    "us-west-1": "America/Los_Angeles",
    "us-east-1": "America/New_York",
    "eu-central-1": "Europe/Berlin",
    "eu-west-1": "Europe/London",
    "me-east-1": "Asia/Dubai",
    "me-central-1": "Asia/Riyadh",
}
"""Where people live by a region's beginning, to say what a time in UTC is there."""


class InvalidCron(ValueError):  # noqa: N818 - what is wrong is the expression, and the message says how
    """FC would refuse it, or take it for something else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timer:
    """When a timer fires. `zone`: None where the expression names none, which means UTC."""

    fields: str = ""
    every: timedelta | None = None
    zone: str | None = None

    def next_times(self, now: datetime, count: int) -> list[datetime]:
        """Give the next times in its own zone; of @every as if it began now."""
        own: tzinfo = ZoneInfo(self.zone) if self.zone else UTC
        if self.every is not None:
            return [(now + self.every * number).astimezone(own) for number in range(1, count + 1)]
        times = croniter(self.fields, now.astimezone(own), second_at_beginning=True)
        return [times.get_next(datetime) for _ in range(count)]


def parse(expression: str) -> Timer:
    """Read an expression. Raise InvalidCron."""
    if expression.startswith("@"):
        return _every(expression)
    zone, fields = _zone(expression)
    given = fields.split()
    if len(given) == len(_FIELDS) - 1:
        raise InvalidCron(f"{expression!r} has five fields; seconds come first: {'0 ' + ' '.join(given)!r}")
    if len(given) != len(_FIELDS):
        raise InvalidCron(f"{expression!r} has {len(given)} fields; it needs six, as in {_EXAMPLE!r}")
    plain = [_plain(expression, text, its) for text, its in zip(given, _FIELDS, strict=True)]
    timer = Timer(fields=" ".join(plain), zone=zone)
    try:
        timer.next_times(datetime.now(UTC), 1)
    except ValueError:  # croniter's: it looked for years
        raise InvalidCron(f"{expression!r} never comes: no month has such a day") from None
    return timer


def local_zone(region_id: str) -> str | None:
    """Give the zone in which people of a region live."""
    return next((zone for start, zone in ZONES.items() if region_id.startswith(start)), None)


def _every(expression: str) -> Timer:
    match = _EVERY.fullmatch(expression)
    if match is None:
        raise InvalidCron(
            f"{expression!r} is not understood; it is @every and a number with s, m or h: '@every 30m'"
        )
    return Timer(every=timedelta(**{_UNITS[match["unit"]]: int(match["count"])}))


def _zone(expression: str) -> tuple[str | None, str]:
    head, _, rest = expression.partition(" ")
    name, equals, zone = head.partition("=")
    if not equals:
        return None, expression
    if name != "CRON_TZ":
        raise InvalidCron(f"{expression!r} begins with {name}=; FC takes only CRON_TZ=, as in {_EXAMPLE!r}")
    known = available_timezones()
    if zone not in known:
        near = get_close_matches(zone, known, 1, 0.6)
        hint = f"did you mean {near[0]}?" if near else "it is one such as Asia/Shanghai"
        raise InvalidCron(f"{expression!r} names the time zone {zone!r}, which there is not; {hint}")
    return zone, rest


def _plain(expression: str, text: str, its: _Field) -> str:
    """Check one field and give it with numbers for words."""

    def fail(problem: str) -> InvalidCron:
        words = f" or {its.words[0]} to {its.words[-1]}" if its.words else ""
        right = f"it takes {its.least} to {its.most}{words}, and {' '.join(its.marks)}"
        return InvalidCron(f"{expression!r}: the {its.name} {problem}; {right}")

    if text == "?":
        if "?" not in its.marks:
            raise fail("takes no ?")
        return "*"
    done = []
    for part in text.split(","):
        span, slash, step = part.partition("/")
        if slash and ("/" not in its.marks or not (step.isascii() and step.isdigit() and int(step))):
            raise fail(f"is {text!r}")
        numbers = list(_numbers(span, its.words)) if span != "*" else []
        if span != "*" and (
            len(numbers) not in (1, 2) or not all(its.least <= one <= its.most for one in numbers)
        ):
            raise fail(f"is {text!r}")
        if numbers != sorted(numbers):
            raise fail(f"is {text!r}, a range that runs backwards")
        done.append("-".join(map(str, numbers)) if numbers else "*")
        if slash:
            done[-1] += f"/{int(step)}" if len(numbers) != 1 else f"-{its.most}/{int(step)}"
    return ",".join(done)


def _numbers(span: str, words: tuple[str, ...]) -> Iterator[int]:
    """Give the ends of a range; -1 for what is none."""
    for end in span.split("-"):
        if end.upper() in words:
            yield words.index(end.upper()) + 1
        else:
            yield int(end) if end.isascii() and end.isdigit() and len(end) <= 2 else -1  # noqa: PLR2004 - 59 is the most
