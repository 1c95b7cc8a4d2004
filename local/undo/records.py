"""Reads what logs and reports of runs say of instances."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO

from function.model.outcome import Status
from local.savings.files import Unreadable
from local.savings.log_lines import own_objects


class InvalidRecord(ValueError):  # noqa: N818 - what is wrong is the file, and the message says how
    """A file holds nothing of a run, or something of a rehearsal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What one run says of one instance. `start_time`: its last start, as ECS told it then."""

    time: datetime
    instance_id: str
    instance_name: str
    region_id: str
    account_id: str | None
    status: Status
    attempts: int
    previous_status: str | None
    start_time: datetime | None
    instance_type: str | None


def read_records(content: bytes, name: str) -> Iterator[Record | Unreadable]:
    """Give what a file says, in its order. Raise InvalidRecord for a rehearsal's."""
    for found in own_objects(BytesIO(content), name):
        if isinstance(found, Unreadable):
            yield found
        elif "instance_id" in found.fields:
            yield _record(found.fields, name, found.place)
        elif isinstance(found.fields.get("accepted"), str):
            yield _record(_as_stopping(found.fields), name, found.place)


def _as_stopping(fields: Mapping[str, object]) -> Mapping[str, object]:
    """Read the line that ECS has accepted a stop, which is the only one where the run was ended after it."""
    return {**fields, "instance_id": fields["accepted"], "status": Status.STOPPING.value, "attempts": 1}


def _record(fields: Mapping[str, object], name: str, place: str) -> Record | Unreadable:
    if fields.get("target") == "local":
        raise InvalidRecord(f"{name} is of a rehearsal on a local ECS: nothing real was stopped by it")
    time = _moment(fields.get("time"))
    try:
        status = Status(str(fields.get("status")))
    except ValueError:
        return Unreadable(place, f"has the status {str(fields.get('status'))[:100]!r}")
    if time is None:
        return Unreadable(place, "has no time, which says what came before what")
    attempts = fields.get("attempts")
    return Record(
        time=time,
        instance_id=str(fields["instance_id"]),
        instance_name=_name(fields),
        region_id=str(fields.get("region_id")),
        account_id=_text(fields.get("account_id")),
        status=status,
        attempts=attempts if isinstance(attempts, int) else 0,
        previous_status=_text(fields.get("previous_status")),
        start_time=_moment(fields.get("start_time")),
        instance_type=_text(fields.get("instance_type")),
    )


def _name(fields: Mapping[str, object]) -> str:
    """Give a name of its own: ECS calls an instance without one by its id."""
    name = _text(fields.get("instance_name")) or ""
    return "" if name == fields["instance_id"] else name


def _moment(given: object) -> datetime | None:
    try:
        found = datetime.fromisoformat(given) if isinstance(given, str) else None
    except ValueError:
        return None
    return found.astimezone(UTC) if found is not None and found.tzinfo else None


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
