"""The cap: which instances count for MAX_INSTANCES, and what is said where they are too many or nearly so."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from function.guard.cap import InstanceCount, count_instances
from function.guard.event import admit
from function.guard.instance import decide, not_found
from function.model.instance import Instance, LocalDisks
from function.model.outcome import Settled, Status
from function.model.request import Job, Selection, Source, StopRequest, Tag
from function.model.scope import Scope
from function.settings import Settings

NOW = datetime(2026, 1, 15, 20, 0, 30, tzinfo=UTC)
SETTINGS = Settings.from_environment({"MIN_UPTIME_MINUTES": "5"})
OWN = Scope(region_id="cn-hangzhou")
DEV = Selection(tags=(Tag(key="env", value="dev"),))
REQUEST = StopRequest(source=Source.TIMER, event_id="e", selection=DEV, time=NOW)


def job() -> Job:
    """Admit a timer's selection."""
    admitted = admit(REQUEST, SETTINGS, OWN, NOW)
    assert isinstance(admitted, Job)
    return admitted


def instance(status: str = "Running", start: str = "2026-01-15T08:00Z", **tags: str) -> Instance:
    """Make an instance that is selected, unless its tags say otherwise."""
    carried = {"auto-stop": "true", "env": "dev", **tags}
    return Instance.model_validate(
        {
            "InstanceId": "i-1",
            "RegionId": "cn-hangzhou",
            "Status": status,
            "StartTime": start,
            "Tags": {"Tag": [{"TagKey": key, "TagValue": value} for key, value in carried.items()]},
        }
    )


NOT_DESCRIBED = Settled(status=Status.FAILED, code="InternalError", message="later")


@pytest.mark.parametrize(
    ("seen", "counted"),
    [
        (instance(), (1, 0)),
        (instance("Stopped"), (0, 1)),
        (instance("Stopping"), (0, 1)),
        (instance(env="prod"), (1, 0)),
        (instance("Stopped", env="prod"), (0, 1)),
        (instance(start="2026-01-15T20:00Z"), (0, 0)),
        (instance(**{"stop-guard": "protected"}), (0, 0)),
        (instance("Stopped", **{"stop-guard": "protected"}), (0, 0)),
        (instance(**{"keep-running-until": "2027-01-01"}), (0, 0)),
        (instance("Starting"), (0, 0)),
        (instance(env="prod", **{"keep-running-until": "2027-01-01"}), (0, 0)),
    ],
)
def test_what_counts(seen: Instance, counted: tuple[int, int]) -> None:
    """What may be stopped or is counts; what another guard refuses does not, whatever spares it besides."""
    decision = decide(seen, job(), SETTINGS, NOW, LocalDisks.NO)
    count = count_instances([(job(), seen, decision)], SETTINGS, NOW, {})
    assert (count.may_stop, count.stopped) == counted


def test_started_since_counts() -> None:
    """What its owner started since the event was perhaps stopped by an earlier try."""
    settings = Settings.from_environment({})
    seen = instance(start="2026-01-15T20:00Z")
    decision = decide(seen, job(), settings, NOW, LocalDisks.NO)
    assert isinstance(decision, Settled)
    assert decision.code == "Guard.StartedSince"
    assert count_instances([(job(), seen, decision)], settings, NOW, {}) == InstanceCount(1, 0)


@pytest.mark.parametrize(
    ("disks", "consent", "counted"),
    [
        (LocalDisks.YES, False, 0),
        (LocalDisks.YES, True, 1),
        (LocalDisks.UNKNOWN, False, 1),
        (LocalDisks.NO, False, 1),
    ],
)
def test_known_local_disks_spare_what_was_started_since(
    disks: LocalDisks, counted: int, *, consent: bool
) -> None:
    """No try can have stopped it where its disks are known and nobody consents; else one perhaps has."""
    settings = Settings.from_environment({})
    of = replace(job(), request=replace(REQUEST, confirm_stop=consent))
    seen = instance(start="2026-01-15T20:00Z").model_copy(update={"instance_type": "ecs.x1.large"})
    decision = decide(seen, of, settings, NOW, disks)
    count = count_instances([(of, seen, decision)], settings, NOW, {"ecs.x1.large": disks})
    assert count == InstanceCount(counted, 0)


def test_what_was_not_seen_counts_unless_it_does_not_exist() -> None:
    """An id that could not be described may be stopped by the next try; one that is nowhere may not."""
    of = replace(job())
    assert count_instances(
        [(of, None, NOT_DESCRIBED), (of, None, not_found([OWN]))], SETTINGS, NOW, {}
    ) == InstanceCount(1, 0)


@given(st.integers(0, 300), st.integers(0, 300), st.integers(0, 300))
def test_the_limit(may_stop: int, stopped: int, limit: int) -> None:
    """More than the limit is refused, and the message names a limit that would do; before that, a warning."""
    count = InstanceCount(may_stop, stopped)
    problem, warning = count.problem(limit), count.warning(limit)
    assert (problem is not None) == (may_stop + stopped > limit)
    if problem is not None:
        figures = f"{may_stop} would be stopped, {stopped} are stopped already, the limit is {limit}: "
        assert problem.startswith(f"{figures}set MAX_INSTANCES to at least {may_stop + stopped}")
        assert count.problem(may_stop + stopped) is None
    assert (warning is not None) == (
        0 < may_stop + stopped <= limit and (may_stop + stopped) * 5 >= limit * 4
    )
