"""The function's log lines read back, from files that may hold other text around and between them."""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, BinaryIO

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from function.events.json_reader import quote
from local.api.validation import in_words
from local.savings.files import Unreadable, read_texts

_HEAD = frozenset({"level", "message", "request_id", "event_id"})
"""What every log line of the function has, and what SLS puts around it has not."""

_REPORT = frozenset({"request_id", "summary", "outcomes", "refusals"})
"""What every report has, and no line."""

# Where JSON may begin: {"time… as it was written, {\"time… inside another JSON text, {""time… in a CSV cell.
_START = re.compile(r'"?(?P<brace>\{)\s*(?P<quote>\\"|""(?!:)|"|\})')
_OUTCOME = re.compile(r"\binstance_id\b|\baccepted\\?\"")
_FIRST_YEAR, _LAST_YEAR = 2000, 2099
_DECODER = json.JSONDecoder()


def _moment(given: object) -> int:
    """Read `2026-01-30T12:04:09+00:00` into seconds since the epoch, rounded down."""
    try:
        time = datetime.fromisoformat(given) if isinstance(given, str) else None
    except ValueError:
        time = None
    if time is None or time.tzinfo is None or not _FIRST_YEAR <= time.year <= _LAST_YEAR:
        raise ValueError("expected a time such as 2026-01-30T12:04:09+00:00")
    return int(time.astimezone(UTC).timestamp())


Moment = Annotated[int, BeforeValidator(_moment)]


class Modes(BaseModel):
    """An outcome's `stopped_mode`, as far as it matters here: what ECS showed of a stopped instance."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    actual: str | None = None


class LogLine(BaseModel):
    """What a line tells of an instance's life. Times in seconds since the epoch.

    `instance_id` is None in the lines that are about the run as a whole. `accepted`: the instance's id in the
    line that ECS has accepted its stop, which says no more of it. `start_time`: the instance's last start, as
    ECS told it then; who has one was seen. `target`: not the cloud, but a local ECS.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    time: Moment
    account_id: str | None = None
    region_id: str | None = None
    instance_id: str | None = None
    accepted: str | None = None
    instance_type: str | None = None
    cpu: int | None = Field(None, strict=True, gt=0)
    start_time: Moment | None = None
    charging_suspended_since: Moment | None = None
    tags: dict[str, str] | None = None
    status: str | None = None
    code: str | None = None
    attempts: int = 0
    stopped_mode: Modes = Modes()
    target: str | None = None


@dataclass(frozen=True, slots=True)
class OwnObject:
    """One of the function's lines as it was written, and where it stands."""

    fields: dict[str, object]
    place: str


def read_log(file: BinaryIO, name: str) -> Iterator[LogLine | Unreadable]:
    """Give what the function's lines in a file tell of instances' lives."""
    for found in own_objects(file, name):
        yield _read(found.fields, found.place) if isinstance(found, OwnObject) else found


def own_objects(file: BinaryIO, name: str) -> Iterator[OwnObject | Unreadable]:
    """Give the function's lines in a file, one after the other, and pass over all other text.

    A line may stand alone, with text around it, or in a field of an export of SLS: JSON (lines, or an answer
    of GetLogs), or CSV. The outcomes of a report, on one line or many, are given as lines of its time.
    """
    for text in read_texts(file, name):
        if isinstance(text, Unreadable):
            yield text
            continue
        place = f"{name}:{text.line}"
        try:
            for found in _own(text.text):
                yield Unreadable(place, found) if isinstance(found, str) else OwnObject(found, place)
        except RecursionError:
            yield Unreadable(place, "nested too deeply")


def _own(text: str) -> Iterator[dict[str, object] | str]:
    """Give the function's objects in a text, as it is or quoted, or say what is wrong with one of them."""
    position = 0
    while start := _START.search(text, position):
        quoted = start["quote"] == '\\"'
        if start["quote"] == '""':  # in a cell of CSV each quote is doubled
            yield from _own(text[start.start("brace") :].replace('""', '"'))
            return
        try:
            value, position = _DECODER.raw_decode(text, start.start() if quoted else start.start("brace"))
        except ValueError:
            if _OUTCOME.search(text, start.start()):
                yield "cut off or garbled"
            return  # what follows may be data in a line of ours, whatever it looks like
        yield from _own_in(value)


def _own_in(value: object) -> Iterator[dict[str, object] | str]:
    """Look for the function's objects in a JSON value. What they hold themselves is data."""
    if isinstance(value, str):
        yield from _own(value)
    elif isinstance(value, dict) and value.keys() >= _REPORT:
        yield from _of_report(value)
    elif isinstance(value, dict) and value.keys() >= _HEAD:
        yield value
    elif isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _own_in(each)


def _of_report(report: dict[str, object]) -> Iterator[dict[str, object] | str]:
    """Give a report's outcomes, and itself, as the lines that they were; its time is when the run began."""
    own: dict[str, object] = {name: report[name] for name in ("time", "target") if name in report}
    yield own
    outcomes, shards = report["outcomes"], report.get("shards")
    for outcome in outcomes if isinstance(outcomes, list) else ():
        yield own | outcome if isinstance(outcome, dict) else "an outcome is no object"
    yield from _own_in(shards)


def _read(found: dict[str, object], place: str) -> LogLine | Unreadable:
    try:
        return LogLine.model_validate(found)
    except ValidationError as error:
        return Unreadable(place, "; ".join(_problems(error)))


def _problems(error: ValidationError) -> Iterable[str]:
    for problem in error.errors(include_url=False):
        path = ".".join(map(str, problem["loc"]))
        if problem["type"] == "missing":
            yield f"has no {path}"
        else:
            yield f"{path} is {quote(problem['input'])}: {in_words(problem)}"
