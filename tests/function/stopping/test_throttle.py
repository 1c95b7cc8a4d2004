"""Throttled by ECS: the run slows down, wastes little, loses nothing, and stops on fresh looks only."""

import json
from datetime import datetime, timedelta

import pytest

from function.model.errors import CloudError
from function.model.scope import Scope
from function.run import SECONDS_PER_100
from function.stopping.operation import FRESH_SECONDS
from function.stopping.throttle import Throttle
from local.api.error_table import error_row
from local.emulator.clock import VirtualClock
from local.emulator.fault_text import parse_fault
from local.emulator.faults import Failure, Fault
from tests.stage import NOW, WITH_DISKS, Played, SetStage

OWN = Scope(region_id="cn-hangzhou")


def ids(count: int) -> list[str]:
    """Name some instances."""
    return [f"i-bp1many{n:03}" for n in range(count)]


def throttled(stage: SetStage, count: int, per_minute: int, timeout: int) -> Played:
    """Stop some instances where ECS takes only so many stop calls a minute."""
    fault = parse_fault(f"StopInstance=quota,per-minute={per_minute}")
    set_up = stage(*({"InstanceId": one, **WITH_DISKS} for one in ids(count)), faults=(fault,))
    event = {"InstanceIds": ids(count), "ConfirmStop": True}
    return set_up.invoke(event, timeout=timeout, MAX_INSTANCES="1000")


def test_all_are_stopped_in_the_end(stage: SetStage) -> None:
    """Nobody gives up while there is time, and few calls are wasted once the quota is known."""
    played = throttled(stage, 100, 10, 3600)
    assert played.report["summary"] == {"total": 100, "stopped": 100}
    wasted = len(played.stops) - 100
    first_burst = 16
    assert wasted <= first_burst + 10 * 2


def test_when_time_is_up_the_rest_was_throttled_or_not_attempted(stage: SetStage) -> None:
    """A call that was only ever throttled has failed; one that never went out was not attempted."""
    played = throttled(stage, 100, 10, 50)
    statuses = {str(outcome["status"]) for outcome in played.outcomes.values()}
    assert statuses == {"stopped", "failed", "not_attempted"}
    for outcome in played.outcomes.values():
        assert (outcome["status"] == "not_attempted") == (outcome["attempts"] == 0)
        assert (outcome["status"] == "failed") == (outcome["code"] == "Throttling.User")


@pytest.mark.parametrize("code", ["Throttling.User", "InternalError"])
def test_a_wait_beyond_all_numbers(stage: SetStage, code: str) -> None:
    """x-acs-retry-after may be any number: too long a wait loses one instance, not the run."""
    failure = Failure(row=error_row(code), retry_after_ms=10**400)
    fault = Fault(action="StopInstance", effect=failure, instance_id="i-bp1many000")
    played = stage(*({"InstanceId": one, **WITH_DISKS} for one in ids(3)), faults=(fault,)).invoke(
        {"InstanceIds": ids(3), "ConfirmStop": True}
    )
    assert (played.outcomes["i-bp1many000"]["status"], played.outcomes["i-bp1many000"]["code"]) == (
        "failed",
        code,
    )
    assert {played.outcomes[one]["status"] for one in ids(3)[1:]} <= {"stopped", "not_attempted"}


def test_each_stop_rests_on_a_fresh_look(stage: SetStage) -> None:
    """However long a call is held back, the instance was looked at shortly before it goes out."""
    played = throttled(stage, 60, 10, 3600)
    looked: dict[str, datetime] = {}
    for call in played.calls:
        if call.action == "DescribeInstances":
            looked |= dict.fromkeys(json.loads(call.parameters["InstanceIds"]), call.time)
        elif call.action == "StopInstance":
            age = call.time - looked[call.parameters["InstanceId"]]
            assert age.total_seconds() <= FRESH_SECONDS


def test_a_throttled_look_does_not_say_that_time_was_up(stage: SetStage) -> None:
    """Of 200 that can't be looked at, those whose look did not even go out say so as they should."""
    running = [{"InstanceId": one, "LocalStorageAmount": 0} for one in ids(200)]
    set_up = stage(*running, faults=(parse_fault("DescribeInstances:3-=Throttling.User"),))
    played = set_up.invoke(
        {"InstanceIds": ids(200)}, MAX_INSTANCES="200", VERIFY_SECONDS="5", CONCURRENCY="1", timeout=600
    )
    messages = {str(outcome["message"]).partition("; ")[0] for outcome in played.outcomes.values()}
    assert messages == {
        "not confirmed: Request was denied due to user flow control.",
        "not confirmed within VERIFY_SECONDS",
    }


def test_a_late_answer_opens_nothing_earlier() -> None:
    """Of several throttled calls the one that has to wait longest counts, whichever is heard of last."""
    throttle = Throttle(VirtualClock(NOW), 0.0, deadline=1_000.0)
    for seconds in (60.0, 1.0, 30.0):
        throttle.answered("StopInstance", OWN, CloudError("Throttling.User", "", retry_after=seconds))
        assert throttle.opens_at("StopInstance", OWN) == 60.0
    assert throttle.is_open("StopInstances", OWN)


@pytest.mark.parametrize("seconds", [0.0, 0.001, 0.5])
def test_a_throttled_action_rests(seconds: float) -> None:
    """Where ECS asks for no wait, or next to none, an action is not called over and over."""
    throttle = Throttle(VirtualClock(NOW), 0.0, deadline=1_000.0)
    throttle.answered("StopInstance", OWN, CloudError("Throttling.User", "", retry_after=seconds))
    assert throttle.opens_at("StopInstance", OWN) == 1.0


def test_a_share_of_what_passed_is_used_and_then_more_and_more() -> None:
    """Of ten that passed eight are tried in the next minute; where those pass, 9, then 11, then 15."""
    clock = VirtualClock(NOW)
    throttle = Throttle(clock, 0.0, deadline=1_000.0)
    assert throttle.room("StopInstance", OWN) is None
    for _ in range(10):
        throttle.answered("StopInstance", OWN, None)
    for _ in range(6):  # all that were on their way
        throttle.answered("StopInstance", OWN, CloudError("Throttling.User", ""))
    for room in (8, 9, 11, 15):
        clock.seconds += 60
        for left in range(room, 0, -1):
            assert throttle.room("StopInstance", OWN) == left
            throttle.answered("StopInstance", OWN, None)
        assert throttle.is_open("StopInstance", OWN)
        assert throttle.room("StopInstance", OWN) == 0
        assert throttle.opens_at("StopInstance", OWN) == clock.seconds + 60
    assert throttle.room("StopInstances", OWN) is None


@pytest.mark.parametrize(("passed", "room"), [(0, 1), (1, 1), (2, 1), (3, 2), (5, 4)])
def test_a_small_quota_leaves_room_for_one(passed: int, room: int) -> None:
    """However few calls passed, one is tried in the next minute, and no more than eight of ten."""
    clock = VirtualClock(NOW)
    throttle = Throttle(clock, 0.0, deadline=1_000.0)
    for _ in range(passed):
        throttle.answered("StopInstance", OWN, None)
    throttle.answered("StopInstance", OWN, CloudError("Throttling.User", ""))
    clock.advance(60)
    assert throttle.room("StopInstance", OWN) == room


def test_what_waits_for_its_window_is_not_looked_at_in_vain(stage: SetStage) -> None:
    """While another one is verified, those that are throttled are left alone until they may be asked."""
    slow = {"InstanceId": "i-bp1slow", **WITH_DISKS, "x-emulator": {"StopSeconds": 30}}
    fault = parse_fault("StopInstances:1=Throttling.User,retry-after=40000")
    running = [{"InstanceId": one, "LocalStorageAmount": 0} for one in ids(4)]
    set_up = stage(slow, *running, faults=(fault,))
    played = set_up.invoke({"InstanceIds": ["i-bp1slow", *ids(4)], "ConfirmStop": True})
    assert played.report["summary"] == {"total": 5, "stopped": 5}
    looks = [call for call in played.calls if call.action == "DescribeInstances"]
    early = [call for call in looks[1:] if call.time < NOW + timedelta(seconds=40)]
    assert len(early) > 3
    assert {call.parameters["InstanceIds"] for call in early} == {'["i-bp1slow"]'}


@pytest.mark.parametrize("second", [0, 1, 45, 59])
def test_a_window_ends_with_its_minute(second: int) -> None:
    """ECS counts in fixed minutes: what is throttled within one may go out again when it is over."""
    throttle = Throttle(VirtualClock(NOW + timedelta(seconds=second)), 0.0, deadline=1_000.0)
    assert throttle.window_ends() == 60 - second
    throttle.answered("StopInstance", OWN, CloudError("Throttling.User", ""))
    assert throttle.opens_at("StopInstance", OWN) == 60 - second


@pytest.mark.parametrize("code", ["Throttling.User", "ServiceUnavailable"])
@pytest.mark.parametrize("action", ["StopInstance", "DescribeInstances"])
def test_retry_after_is_honoured(stage: SetStage, action: str, code: str) -> None:
    """Where ECS says how long to wait, it waits that long and a little, not to the next minute."""
    set_up = stage({"InstanceId": "i-bp1a"}, faults=(parse_fault(f"{action}:1={code},retry-after=4000"),))
    played = set_up.invoke({"InstanceId": "i-bp1a"})
    assert played.outcome["status"] == "stopped"
    first, second, *_ = (call.time for call in played.calls if call.action == action)
    assert 4 <= (second - first).total_seconds() <= 4 + 5


def test_what_was_done_is_seen_however_long_ecs_asks_to_wait(stage: SetStage) -> None:
    """A stop that failed after its effect is looked at in time; it is only not asked for again so soon."""
    faults = map(
        parse_fault, ("StopInstance:1=InternalError,when=after,retry-after=90000", "*=stale,seconds=8")
    )
    set_up = stage({"InstanceId": "i-bp1a"}, faults=tuple(faults))
    played = set_up.invoke({"InstanceId": "i-bp1a"}, timeout=60)
    assert played.outcome["status"] == "stopped"
    assert played.outcome["attempts"] == 1


def test_what_was_done_is_seen_while_the_next_call_is_throttled(stage: SetStage) -> None:
    """A stop in doubt is looked at until it shows, though there is no time left for the next window."""
    script = (
        "StopInstance:1=ServiceUnavailable,when=after",
        "StopInstance=stale,seconds=8",
        "StopInstance:2-=Throttling.User",
    )
    set_up = stage({"InstanceId": "i-bp1a"}, faults=tuple(map(parse_fault, script)))
    played = set_up.invoke({"InstanceId": "i-bp1a"}, timeout=40)
    assert played.outcome["status"] == "stopped"


@pytest.mark.parametrize("then", ["InternalError", "Throttling.User"])
def test_what_may_yet_show_is_unknown_when_time_is_up(stage: SetStage, then: str) -> None:
    """A stop in doubt is not called failed while looks had less time to show it than a stop has."""
    script = (
        "StopInstance:1=ServiceUnavailable,when=after",
        "StopInstance=stale,seconds=100",
        f"StopInstance:2-={then}",
    )
    set_up = stage({"InstanceId": "i-bp1a"}, faults=tuple(map(parse_fault, script)))
    played = set_up.invoke({"InstanceId": "i-bp1a"}, timeout=30)
    assert played.outcome["status"] == "unknown"
    assert "last seen Running" in str(played.outcome["message"])


def test_no_answer_is_not_forgotten(stage: SetStage) -> None:
    """Whatever clear answers come later, the call that got none may yet be done: the outcome is not known."""
    script = ("StopInstance:1=reset", "StopInstance:2-=InternalError")
    set_up = stage({"InstanceId": "i-bp1a"}, faults=tuple(map(parse_fault, script)))
    played = set_up.invoke({"InstanceId": "i-bp1a"})
    assert (played.outcome["status"], played.outcome["code"]) == ("unknown", "Client.NoAnswer")


def test_a_call_for_many_takes_the_room_of_one(stage: SetStage) -> None:
    """ECS's quota counts calls, however many instances are in one: no more go out than will probably pass."""
    running = [{"InstanceId": one, "LocalStorageAmount": 0} for one in ids(1000)]
    set_up = stage(*running, faults=(parse_fault("StopInstances=quota,per-minute=2"),))
    played = set_up.invoke({"InstanceIds": ids(1000)}, timeout=3600, MAX_INSTANCES="1000")
    assert played.report["summary"] == {"total": 1000, "stopped": 1000}
    first_burst = 10
    assert len(played.batches) <= 10 + first_burst


def test_a_large_run_ends_earlier(stage: SetStage) -> None:
    """Each outcome has its time to be logged and reported, so that the handler returns before its timeout."""
    ends = []
    for count in (99, 300):
        stuck = {"LocalStorageAmount": 0, "x-emulator": {"Stuck": "Stopping"}}
        set_up = stage(*({"InstanceId": one, **stuck} for one in ids(count)))
        event = {"InstanceIds": ids(count)}
        played = set_up.invoke(event, timeout=60, VERIFY_SECONDS="600", MAX_INSTANCES="300")
        assert played.report["summary"] == {"total": count, "stopping": count}
        ends.append(set_up.clock.seconds)
    assert ends[0] - ends[1] == pytest.approx(3 * SECONDS_PER_100)
    assert ends[1] < ends[0]
