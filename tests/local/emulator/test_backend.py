"""The local ECS without HTTP: what it remembers, that it repeats exactly, that two share nothing."""

import itertools
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.api.api_error import ApiError, BrokenAnswer, ConnectionLost
from local.emulator.backend import LocalEcs
from local.emulator.behaviour import Behaviour
from local.emulator.fault_text import parse_fault
from local.emulator.fleet import Fleet

ID = "i-bp67acfmxazb4ph001"
REGION = "cn-hangzhou"

Make = Callable[..., LocalEcs]


def test_calls_are_remembered(make_ecs: Make, clock: Any) -> None:  # noqa: ANN401 - the fixture's
    """Each call is kept with its time, parameters, status, code and answer, whatever became of it."""
    faults = [parse_fault("StopInstance:2=html"), parse_fault("StopInstance:3=reset")]
    ecs = make_ecs({"InstanceId": ID}, faults=faults)
    for _ in range(4):
        clock.advance(1)
        try:
            ecs.call("StopInstance", {"InstanceId": ID}, signed="text")
        except (ApiError, BrokenAnswer, ConnectionLost):
            continue
    assert [(call.status, call.code) for call in ecs.calls] == [
        (200, ""),
        (502, ""),
        (0, ""),
        (403, "IncorrectInstanceStatus"),
    ]
    first, *_, last = ecs.calls
    assert (first.action, first.parameters, first.signed) == ("StopInstance", {"InstanceId": ID}, "text")
    assert first.answer.keys() == {"RequestId"}
    assert last.answer["Code"] == "IncorrectInstanceStatus"
    assert (last.time - first.time).total_seconds() == 3


def test_only_the_last_calls_are_kept(make_ecs: Make) -> None:
    """More calls than are to be remembered push the oldest out."""
    ecs = make_ecs({"InstanceId": ID}, remember=3)
    for page in range(1, 6):
        ecs.call("DescribeInstances", {"RegionId": REGION, "PageNumber": str(page)})
    assert [call.parameters["PageNumber"] for call in ecs.calls] == ["3", "4", "5"]


def test_an_unknown_id_is_a_key_error(make_ecs: Make) -> None:
    """Asking for an instance that isn't there names it."""
    with pytest.raises(KeyError, match="i-nowhere"):
        make_ecs().instance("i-nowhere")


def test_reset_brings_the_fleet_back(make_ecs: Make) -> None:
    """After a reset every instance is what the fleet says, and no call has been."""
    ecs = make_ecs({"InstanceId": ID}, {"InstanceId": "i-b", "RegionId": "cn-beijing"})
    before = ecs.instances()
    ecs.call("StopInstance", {"InstanceId": ID})
    ecs.reset()
    assert (ecs.instances(), ecs.calls) == (before, ())


def test_reset_takes_another_fleet(make_ecs: Make) -> None:
    """A fleet, faults and behaviour that a reset gives count from then on, later resets included."""
    ecs = make_ecs({"InstanceId": ID})
    ecs.reset(
        fleet=Fleet.from_instances([{"InstanceId": "i-b"}]),
        faults=[parse_fault("StopInstance:1=DiskError")],
        behaviour=Behaviour(stop_seconds=0),
    )
    for _ in range(2):
        assert [one.instance_id for one in ecs.instances()] == ["i-b"]
        with pytest.raises(ApiError, match="DiskError"):
            ecs.call("StopInstance", {"InstanceId": "i-b"})
        ecs.call("StopInstance", {"InstanceId": "i-b"})
        assert ecs.instance("i-b").status == "Stopped"
        ecs.reset()
    ecs.reset(faults=[])
    ecs.call("StopInstance", {"InstanceId": "i-b"})


def test_two_of_one_fleet_share_nothing() -> None:
    """A stop on one local ECS is not seen on another that has the same fleet and account."""
    fleet = Fleet.from_instances([{"InstanceId": ID}])
    one, other = LocalEcs(fleet), LocalEcs(fleet)
    one.call("StopInstance", {"InstanceId": ID})
    assert other.instance(ID).status == "Running"


@given(st.lists(st.sampled_from(["stop", "describe", "types", "pass", "unknown"]), max_size=20))
def test_everything_repeats_exactly(steps: list[str]) -> None:
    """With clock, sleep and request ids given, the same calls get the same answers, errors and faults."""

    def run() -> object:
        seconds = itertools.count()
        numbers = itertools.count()
        ecs = LocalEcs(
            Fleet.from_instances([{"InstanceId": f"i-{n}"} for n in range(5)]),
            now=lambda: datetime.fromtimestamp(next(seconds), UTC),
            sleep=lambda _: None,
            request_ids=lambda: f"R{next(numbers)}",
            faults=[parse_fault("*:3=InternalError"), parse_fault("StopInstance=quota,per-minute=2")],
        )
        for number, step in enumerate(steps):
            action = {"stop": "StopInstance", "types": "DescribeInstanceTypes"}.get(step, "DescribeInstances")
            parameters = {"RegionId": REGION, "InstanceId": f"i-{number % 5}"}
            try:
                ecs.call("Unknown" if step == "unknown" else action, parameters)
            except ApiError:
                continue
        return ecs.calls, ecs.instances()

    assert run() == run()


def test_threads_lose_nothing() -> None:
    """Of many threads that stop one instance, exactly one succeeds; every call is remembered."""
    ecs = LocalEcs(Fleet.from_instances([{"InstanceId": ID}]))
    gate = threading.Barrier(8)
    codes: list[str] = []

    def stop() -> None:
        gate.wait()
        try:
            ecs.call("StopInstance", {"InstanceId": ID})
            codes.append("")
        except ApiError as error:
            codes.append(error.code)

    threads = [threading.Thread(target=stop) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(codes) == ["", *["IncorrectInstanceStatus"] * 7]
    assert len(ecs.calls) == 8
