"""What holds over all tries of an event: its cap, what is started between them, what goes on stopping."""

import json
from collections.abc import Mapping

import pytest

from local.emulator.fault_text import parse_fault
from tests.stage import NOW, SetStage, Stage

A, B = "i-bp1a", "i-bp1b"
DEV = {"Tag": [{"Key": "env", "Value": "dev"}]}
TAGS = {"Tags": {"Tag": [{"TagKey": "auto-stop", "TagValue": "true"}, {"TagKey": "env", "TagValue": "dev"}]}}


def timer(payload: Mapping[str, object]) -> dict[str, object]:
    """Write FC's timer event, due at the stage's time."""
    return {"triggerTime": NOW.isoformat(), "triggerName": "night", "payload": json.dumps(payload)}


def start(stage: Stage, instance_id: str) -> None:
    """Let its owner start an instance, and wait until it runs."""
    stage.ecs.call("StartInstance", {"InstanceId": instance_id})
    stage.clock.advance(60)


def test_the_cap_holds_over_retries_of_a_listing(stage: SetStage) -> None:
    """What the first try stopped counts in the next, which sees a region more; so nothing more is stopped."""
    regions = ("cn-hangzhou", "cn-shanghai")
    fleet = [
        {"InstanceId": f"i-bp1{region[3]}{n}", "RegionId": region, **TAGS}
        for region in regions
        for n in range(8)
    ]
    fault = parse_fault("DescribeInstances:2-6=InternalError")  # all tries in the second region
    set_up = stage(*fleet, faults=(fault,))
    settings = {"MAX_INSTANCES": "10", "ALLOWED_REGIONS": ",".join(regions), "CONCURRENCY": "1"}
    event = timer({**DEV, "RegionIds": regions})
    first = set_up.invoke_with(settings, event)
    assert first.report["summary"] == {"total": 8, "stopped": 8}
    again = set_up.invoke_with(settings, event)
    assert [refusal["code"] for refusal in again.refusals] == ["Guard.TooManyInstances"]
    assert (
        "8 would be stopped, 8 are stopped already, the limit is 10: set MAX_INSTANCES to at least 16"
        in str(again.refusals[0]["message"])
    )
    assert again.stops == []


def test_ids_that_could_not_be_described_count(stage: SetStage) -> None:
    """They may be stopped by the next try, so with them it is too many already now."""
    ids = [f"i-bp1many{n:03}" for n in range(200)]
    fault = parse_fault("DescribeInstances:1-5=InternalError")
    set_up = stage(*({"InstanceId": one} for one in ids), faults=(fault,))
    played = set_up.invoke(timer({"InstanceIds": ids}), CONCURRENCY="1")
    assert [refusal["code"] for refusal in played.refusals] == ["Guard.TooManyInstances"]
    assert (played.stops, played.batches) == ([], [])


@pytest.mark.parametrize(("count", "warned"), [(7, False), (8, True), (10, True)])
@pytest.mark.parametrize("dry_run", [True, False])
def test_a_plan_warns_before_it_is_too_many(
    stage: SetStage, count: int, *, warned: bool, dry_run: bool
) -> None:
    """From 80 % of MAX_INSTANCES on a plan says so; a run does not."""
    ids = [f"i-bp1few{n}" for n in range(count)]
    played = stage(*({"InstanceId": one} for one in ids)).invoke(
        {"InstanceIds": ids, "DryRun": dry_run}, MAX_INSTANCES="10"
    )
    said = [line for line in played.lines if "the limit is 10" in str(line["message"])]
    assert bool(said) == (warned and dry_run)


def test_what_its_owner_started_is_left_alone_by_a_retry(stage: SetStage) -> None:
    """FC's retry of an event stops nothing that somebody has started since the event."""
    fault = parse_fault(f"StopInstance:1:{B}=DiskError")
    set_up = stage({"InstanceId": A}, {"InstanceId": B}, faults=(fault,))
    event = timer({"InstanceIds": [A, B]})
    first = set_up.invoke(event)
    assert {one: outcome["status"] for one, outcome in first.outcomes.items()} == {A: "stopped", B: "failed"}
    set_up.clock.advance(120)
    start(set_up, A)
    again = set_up.invoke(event)
    assert again.outcomes[A]["code"] == "Guard.StartedSince"
    assert again.outcomes[B]["status"] == "stopped"


def stopping(stage: SetStage, seconds: float, **more: object) -> Stage:
    """Make an instance that somebody else has stopped just now, and that takes so long."""
    set_up = stage({"InstanceId": A, "x-emulator": {"StopSeconds": seconds}, **more}, {"InstanceId": B})
    set_up.ecs.call("StopInstance", {"InstanceId": A})
    return set_up


def test_what_is_stopping_is_watched_until_it_is_stopped(stage: SetStage) -> None:
    """Whoever has it stopped: it gets no call, and is already stopped once a look shows that."""
    set_up = stopping(stage, 20)
    played = set_up.invoke(timer({"InstanceIds": [A]}))
    assert (played.outcome["status"], played.outcome["attempts"], played.stops) == ("already_stopped", 0, [])
    assert "not by this run" in str(played.outcome["message"])
    assert set_up.clock.seconds >= 20


def test_stuck_in_stopping_is_no_success(stage: SetStage) -> None:
    """It raises with the id and since when, so the failure destination hears of it; it is a WARNING."""
    set_up = stopping(stage, 100_000)
    for since in ("2026-01-15T20:00:00+00:00", "2026-01-15T20:02:00+00:00"):
        played = set_up.invoke(timer({"InstanceIds": [A]}))
        assert type(played.answer.error).__name__ == "StopIncomplete"
        assert f"{A} stopping since {since}" in str(played.answer.error)
        (line,) = [line for line in played.lines if "instance_id" in line]
        assert (line["status"], line["level"], played.stops) == ("stopping", "WARNING", [])
        assert since in str(line["message"])


def test_our_own_stop_that_gets_stuck_is_no_success_either(stage: SetStage) -> None:
    """FC's retry looks again, and finds it stopped if it was only slow."""
    set_up = stage({"InstanceId": A, "x-emulator": {"StopSeconds": 150}})
    event = timer({"InstanceIds": [A]})
    first = set_up.invoke(event)
    assert type(first.answer.error).__name__ == "StopIncomplete"
    assert f"{A} stopping since" in str(first.answer.error)
    again = set_up.invoke(event)
    assert (again.outcome["status"], again.answer.error) == ("already_stopped", None)


@pytest.mark.parametrize(
    ("in_event", "settings"),
    [({}, {"VERIFY_SECONDS": "0"}), ({"DryRun": True}, {}), ({}, {"DRY_RUN": "true"})],
)
def test_where_nothing_is_waited_for_stopping_is_said_at_once(
    stage: SetStage, in_event: Mapping[str, object], settings: Mapping[str, str]
) -> None:
    """With VERIFY_SECONDS=0 and in a dry run no more was asked: INFO, and done."""
    set_up = stopping(stage, 100_000)
    played = set_up.invoke_with(settings, timer({"InstanceIds": [A], **in_event}))
    assert (played.outcome["status"], played.answer.error) == ("stopping", None)
    assert {line["level"] for line in played.lines} == {"INFO"}
    assert set_up.clock.seconds == 0
