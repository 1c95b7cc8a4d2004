"""What became of each instance after a run stopped it, as far as the records go. A pure decision."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from function.model.outcome import Status
from local.undo.records import Record

_IN_DOUBT = frozenset({Status.STOPPING, Status.UNKNOWN})


@dataclass(frozen=True, slots=True)
class Stopped:
    """A run stopped it, and no record shows a start since. Not `confirmed`: none shows it stopped, either."""

    record: Record
    confirmed: bool


@dataclass(frozen=True, slots=True)
class History:
    """All that runs stopped, by what is known of it now."""

    stopped: tuple[Stopped, ...]
    started_since: tuple[Record, ...]


def follow(records: Iterable[Record]) -> History:
    """Follow each instance through its records."""
    by_instance: dict[tuple[str | None, str, str], list[Record]] = {}
    for record in sorted(records, key=lambda one: one.time):
        key = (record.account_id, record.region_id, record.instance_id)
        by_instance.setdefault(key, []).append(record)
    stopped: list[Stopped] = []
    started: list[Record] = []
    for its in by_instance.values():
        end = _end_of(its)
        if isinstance(end, Stopped):
            stopped.append(end)
        elif end is not None:
            started.append(end)
    by_id = sorted(stopped, key=lambda one: (one.record.region_id, one.record.instance_id))
    return History(tuple(by_id), tuple(started))


def _end_of(its: Iterable[Record]) -> Stopped | Record | None:
    """Say how one instance's records end: with a stop, with one that was started since, or with neither."""
    end: Stopped | Record | None = None
    for record in its:
        if isinstance(end, Stopped) and _started_since(end.record, record):
            end = end.record
        if record.status is Status.STOPPED or (record.status in _IN_DOUBT and record.attempts):
            end = Stopped(record, confirmed=record.status is Status.STOPPED)
        elif isinstance(end, Stopped):
            end = _seen_after(end, record)
    return end


def _seen_after(stop: Stopped, later: Record) -> Stopped | None:
    """Take in what a later run saw of an instance that it did not stop itself."""
    if later.previous_status == "Stopped":
        return Stopped(_named(stop.record, later), confirmed=True)
    return None if later.previous_status == "Running" else stop  # a stop in doubt did not come to pass


def _named(stop: Record, later: Record) -> Record:
    """Add what the line that ECS accepted a stop leaves out."""
    return replace(
        stop,
        instance_name=stop.instance_name or later.instance_name,
        instance_type=stop.instance_type or later.instance_type,
    )


def _started_since(stop: Record, later: Record) -> bool:
    """Tell by its start: another than the one that the run knew when it stopped it, or one after the stop."""
    if later.start_time is None:
        return False
    if stop.start_time is not None:
        return later.start_time > stop.start_time
    return later.start_time > stop.time
