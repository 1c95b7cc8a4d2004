"""What is to be started again: exactly what runs stopped and nobody has started since."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from function.model.outcome import Acceptance, Status
from function.model.request import Source
from function.model.scope import Scope
from function.reporting.log import Log
from local.savings.files import Unreadable
from local.undo.history import follow
from local.undo.records import InvalidRecord, Record, read_records

EVENING = datetime(2026, 1, 30, 20, 0, tzinfo=UTC)
MORNING = EVENING + timedelta(hours=12)
BEFORE = EVENING - timedelta(days=3)


def record(
    status: Status,
    hours: float = 0,
    *,
    attempts: int = 1,
    previous: str | None = "Running",
    started: datetime | None = BEFORE,
) -> Record:
    """Make a record so many hours after the evening."""
    return Record(
        time=EVENING + timedelta(hours=hours),
        instance_id="i-1",
        instance_name="",
        region_id="cn-hangzhou",
        account_id="1234567890123456",
        status=status,
        attempts=attempts,
        previous_status=previous,
        start_time=started,
        instance_type=None,
    )


STOPPED = record(Status.STOPPED)
SEEN_STOPPED = record(Status.ALREADY_STOPPED, 1, attempts=0, previous="Stopped")
SEEN_RUNNING = record(Status.REFUSED, 1, attempts=0, previous="Running")
RESTARTED = record(Status.REFUSED, 13, attempts=0, previous="Running", started=MORNING)


@pytest.mark.parametrize(
    ("records", "stopped", "started"),
    [
        ([STOPPED], [True], 0),
        ([STOPPED, SEEN_STOPPED], [True], 0),
        ([SEEN_STOPPED, STOPPED], [True], 0),
        ([STOPPED, RESTARTED], [], 1),
        ([RESTARTED, STOPPED], [], 1),  # in whichever order the files come
        ([STOPPED, record(Status.STOPPED, 14, started=MORNING)], [True], 0),
        ([STOPPED, record(Status.WOULD_STOP, 14, attempts=1, started=MORNING)], [], 1),
        ([record(Status.UNKNOWN)], [False], 0),
        ([record(Status.STOPPING)], [False], 0),
        ([record(Status.UNKNOWN), SEEN_STOPPED], [True], 0),
        ([record(Status.UNKNOWN), SEEN_RUNNING], [], 0),
        ([record(Status.STOPPING, attempts=0)], [], 0),  # somebody else's stop
        ([record(Status.FAILED)], [], 0),
        ([record(Status.WOULD_STOP)], [], 0),
        ([record(Status.ALREADY_STOPPED, attempts=0, previous="Stopped")], [], 0),
        ([record(Status.STOPPED, started=None), RESTARTED], [], 1),
    ],
)
def test_only_what_runs_stopped_and_nobody_started(
    records: list[Record], stopped: list[bool], started: int
) -> None:
    """A stop counts once it is confirmed, by itself or by a later look; a later start ends it."""
    history = follow(records)
    assert [one.confirmed for one in history.stopped] == stopped
    assert len(history.started_since) == started


def accepted() -> str:
    """Write the one line of a run that was ended right after ECS had accepted its stop."""
    lines: list[str] = []
    Log("R-1", lambda: EVENING, lines.append).result(
        Acceptance(
            source=Source.CMS_CALLBACK,
            event_id="e-1",
            scope=Scope(region_id="cn-hangzhou", account_id="1234567890123456"),
            instance_id="i-1",
            ecs_request_id="R-2",
        )
    )
    (line,) = lines
    return line


def test_what_ecs_accepted_is_a_stop_in_doubt() -> None:
    """A run that was ended in the midst has told no more; what a later one finds stopped is ours."""
    (found,) = read_records(accepted().encode(), "run.log")
    assert not isinstance(found, Unreadable)
    (alone,) = follow([found]).stopped
    assert (alone.record.instance_id, alone.confirmed) == ("i-1", False)
    later = replace(SEEN_STOPPED, instance_name="dev-web", instance_type="ecs.g6.large")
    (confirmed,) = follow([later, found]).stopped
    assert (confirmed.record.instance_name, confirmed.confirmed) == ("dev-web", True)
    assert confirmed.record.time == EVENING
    assert follow([found, SEEN_RUNNING]).stopped == ()
    assert len(follow([found, RESTARTED]).started_since) == 1


def test_what_a_local_ecs_accepted_is_no_stop() -> None:
    """A rehearsal's line is refused, as its outcomes are."""
    rehearsed = accepted().replace("{", '{"target": "local", ', 1)
    with pytest.raises(InvalidRecord, match="rehearsal"):
        list(read_records(rehearsed.encode(), "run.log"))
