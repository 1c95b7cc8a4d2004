"""Faults come exactly where the script has them, and do exactly what it says, to the real SDK too."""

import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from alibabacloud_ecs20140526 import models
from alibabacloud_ecs20140526.client import Client
from alibabacloud_tea_openapi.models import Config
from darabonba.exceptions import UnretryableException
from hypothesis import given
from hypothesis import strategies as st

from local.api.api_error import ApiError, BrokenAnswer, ConnectionLost
from local.api.error_table import ErrorRow
from local.emulator.backend import LocalEcs
from local.emulator.fault_text import InvalidFault, parse_fault
from local.emulator.faults import Failure, Fault
from local.emulator.fleet import Fleet
from local.emulator.server import serve

ID = "i-bp67acfmxazb4ph001"
REGION = "cn-hangzhou"
NAMED = {"StopInstance": {"InstanceId": ID}}
"""What makes a call about the one instance."""

Make = Callable[..., LocalEcs]


def outcome(ecs: LocalEcs, action: str = "StopInstance", **parameters: str) -> str:
    """Call and say how it ended: `ok`, an error's code, `lost`, or the status of what isn't the API's."""
    try:
        ecs.call(action, NAMED.get(action, {}) | {"RegionId": REGION, **parameters})
    except ApiError as error:
        return error.code
    except BrokenAnswer as broken:
        return str(broken.status)
    except ConnectionLost:
        return "lost"
    return "ok"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("DescribeInstances:2=InternalError", ["ok", "InternalError", "ok", "ok"]),
        ("DescribeInstances:2-3=InternalError", ["ok", "InternalError", "InternalError", "ok"]),
        ("DescribeInstances:3-=reset", ["ok", "ok", "lost", "lost"]),
        ("DescribeInstances=html", ["502"] * 4),
        ("DescribeInstances:1=html,status=504", ["504", "ok", "ok", "ok"]),
        ("*:1=garbage", ["200", "ok", "ok", "ok"]),
        ("StopInstance=reset", ["ok"] * 4),
        (f"*:{ID}:2=Throttling.User", ["ok", "Throttling.User", "ok", "ok"]),
        ("*:i-other=reset", ["ok"] * 4),
        ("DescribeInstances:1=Odd.Code,status=418", ["Odd.Code", "ok", "ok", "ok"]),
    ],
)
def test_which_calls_a_fault_meets(text: str, expected: list[str], make_ecs: Make) -> None:
    """A fault meets the calls that its text counts out, of its action and instance, and no others."""
    ecs = make_ecs({"InstanceId": ID}, faults=[parse_fault(text)])
    assert [outcome(ecs, "DescribeInstances", InstanceIds=f'["{ID}"]') for _ in range(4)] == expected


def test_an_instance_is_named_in_lists_too(make_ecs: Make) -> None:
    """A fault of one instance meets calls that name it as InstanceId.N or in InstanceIds."""
    ecs = make_ecs({"InstanceId": ID}, faults=[parse_fault(f"*:{ID}=reset")])
    calls = [
        ("DescribeInstances", {"InstanceIds": f'["i-a", "{ID}"]'}),
        ("DescribeInstances", {"InstanceIds": '["i-a"]'}),
        ("StopInstances", {"InstanceId.1": "i-a", "InstanceId.2": ID}),
        ("DescribeInstanceStatus", {"InstanceId.1": "i-a"}),
    ]
    seen = []
    for action, parameters in calls:
        try:
            ecs.call(action, {"RegionId": REGION, **parameters})
            seen.append("ok")
        except ConnectionLost:
            seen.append("lost")
    assert seen == ["lost", "ok", "lost", "ok"]


@pytest.mark.parametrize("fault", ["InternalError", "html", "garbage", "reset"])
@pytest.mark.parametrize(("when", "status"), [("before", "Running"), ("after", "Stopping")])
def test_before_and_after_the_effect(fault: str, when: str, status: str, make_ecs: Make) -> None:
    """A failure before the effect leaves the instance running, one after it leaves it stopping."""
    ecs = make_ecs({"InstanceId": ID}, faults=[parse_fault(f"StopInstance={fault},when={when}")])
    assert outcome(ecs) != "ok"
    assert ecs.instance(ID).status == status


@pytest.mark.parametrize("when", ["before", "after"])
def test_refusals_are_lost_too(when: str, make_ecs: Make, clock: Any) -> None:  # noqa: ANN401 - the fixture's
    """A fault meets calls that ECS would have refused as well: the refusal is late, and never arrives."""
    texts = [f"StopInstance=reset,when={when}", f"StopInstance=delay,seconds=1,when={when}"]
    ecs = make_ecs({"InstanceId": ID}, faults=[parse_fault(text) for text in texts])
    assert outcome(ecs, DryRun="true") == "lost"
    assert clock.slept == [1]


@pytest.mark.parametrize(("when", "status"), [("before", "Stopping"), ("after", "Stopped")])
def test_delays(when: str, status: str, make_ecs: Make, clock: Any) -> None:  # noqa: ANN401 - the fixture's
    """A delay is slept by the injected sleep, before the effect or after it."""
    faults = [parse_fault(f"StopInstance=delay,seconds=2.5,when={when}")]
    ecs = make_ecs({"InstanceId": ID}, faults=faults)
    assert outcome(ecs) == "ok"
    assert clock.slept == [2.5]
    assert ecs.instance(ID).status == status


def test_a_quota_counts_minutes_of_the_clock(make_ecs: Make, clock: Any) -> None:  # noqa: ANN401 - the fixture's
    """After so many calls an action is throttled in its region until the next full minute, others aren't."""
    ecs = make_ecs({"InstanceId": ID}, faults=[parse_fault("DescribeInstances=quota,per-minute=2")])
    clock.advance(50)
    assert [outcome(ecs, "DescribeInstances") for _ in range(3)] == ["ok", "ok", "Throttling.User"]
    assert outcome(ecs, "DescribeInstances", RegionId="cn-beijing") == "ok"
    assert outcome(ecs, "DescribeInstanceStatus") == "ok"
    clock.advance(9)
    assert outcome(ecs, "DescribeInstances") == "Throttling.User"
    clock.advance(1)
    assert [outcome(ecs, "DescribeInstances") for _ in range(3)] == ["ok", "ok", "Throttling.User"]


def test_a_stops_quota_is_its_instances_region(make_ecs: Make) -> None:
    """StopInstance names no region; its quota is that of the region where its instance is."""
    ecs = make_ecs(
        {"InstanceId": "i-a"},
        {"InstanceId": "i-b", "RegionId": "cn-beijing"},
        {"InstanceId": "i-c"},
        faults=[parse_fault("*=quota,per-minute=1")],
    )
    seen = [outcome(ecs, InstanceId=id_, RegionId="") for id_ in ("i-a", "i-b", "i-c")]
    assert seen == ["ok", "ok", "Throttling.User"]


@pytest.mark.parametrize("status", ["Running", "Stopping"])
@pytest.mark.parametrize("by", ["fault", "fleet"])
def test_stuck_instances(status: str, by: str, make_ecs: Make, clock: Any) -> None:  # noqa: ANN401 - the fixture's
    """A stuck instance's stop is accepted, and it keeps its status for good."""
    emulator = {"x-emulator": {"Stuck": status}} if by == "fleet" else {}
    faults = [parse_fault(f"StopInstance=stuck,status={status}")] if by == "fault" else []
    ecs = make_ecs({"InstanceId": ID, **emulator}, faults=faults)
    assert outcome(ecs) == "ok"
    clock.advance(365 * 24 * 3600)
    assert ecs.instance(ID).status == status


def test_reads_may_lag_behind(make_ecs: Make, clock: Any) -> None:  # noqa: ANN401 - the fixture's
    """For its seconds after a stop, reads show the instance as it was, filters too; stops see it as it is."""
    ecs = make_ecs({"InstanceId": ID}, faults=[parse_fault("StopInstance:1=stale,seconds=5")])
    assert outcome(ecs) == "ok"

    def running() -> list[str]:
        answer = ecs.call("DescribeInstances", {"RegionId": REGION, "Status": "Running"})
        return [instance["Status"] for instance in answer["Instances"]["Instance"]]

    assert running() == ["Running"]
    assert outcome(ecs) == "IncorrectInstanceStatus"
    clock.advance(5)
    assert running() == []
    assert ecs.instance(ID).status == "Stopped"


def test_of_two_failures_the_first_in_the_script_wins(make_ecs: Make, clock: Any) -> None:  # noqa: ANN401 - the fixture's
    """Delays add up whatever else happens; of failures the script's first is the call's."""
    texts = ["*=delay,seconds=1", "*:2-=reset", "*=InternalError", "*=delay,seconds=2"]
    ecs = make_ecs({"InstanceId": ID}, faults=[parse_fault(text) for text in texts])
    assert [outcome(ecs), outcome(ecs)] == ["InternalError", "lost"]
    assert clock.slept == [3, 3]


def test_reset_starts_the_script_anew(make_ecs: Make) -> None:
    """After a reset of the local ECS its faults count from their beginning, as its instances do."""
    ecs = make_ecs({"InstanceId": ID}, faults=[parse_fault("StopInstance:1=InternalError")])
    assert [outcome(ecs), outcome(ecs)] == ["InternalError", "ok"]
    ecs.reset()
    assert ecs.calls == ()
    assert [outcome(ecs), outcome(ecs)] == ["InternalError", "ok"]


@pytest.mark.parametrize(
    ("text", "status", "cause", "patience_ms"),
    [
        ("StopInstance=reset", "Running", "Connection reset by peer", 10_000),
        ("StopInstance=reset,when=after", "Stopping", "Connection reset by peer", 10_000),
        ("StopInstance=html", "Running", "Failed to parse the value as json", 10_000),
        ("StopInstance=garbage,when=after", "Stopping", "Failed to parse the value as json", 10_000),
        ("StopInstance=delay,seconds=30", "Running", "Read timed out", 300),
        ("StopInstance=delay,seconds=30,when=after", "Stopping", "Read timed out", 300),
    ],
)
def test_the_sdk_gets_no_answer(
    text: str,
    status: str,
    cause: str,
    patience_ms: int,
    clock: Any,  # noqa: ANN401 - the fixture's
) -> None:
    """At the wire each of these leaves the official SDK without an answer and without a code."""
    asleep, over = threading.Event(), threading.Event()

    def sleep(_seconds: float) -> None:
        asleep.set()
        over.wait()

    fleet = Fleet.from_instances([{"InstanceId": ID}])
    ecs = LocalEcs(fleet, now=clock.now, sleep=sleep, faults=[parse_fault(text)])
    with serve(ecs) as endpoint:
        client = Client(
            Config(
                access_key_id="emulator",
                access_key_secret="emulator",
                endpoint=endpoint.removeprefix("http://"),
                protocol="HTTP",
                read_timeout=patience_ms,
            )
        )
        with pytest.raises(UnretryableException) as raised:
            client.stop_instance(models.StopInstanceRequest(instance_id=ID))
        if "delay" in text:
            assert asleep.wait(timeout=10)  # the client may have given up before the call was looked at
        reached = ecs.instance(ID).status
        over.set()
    assert raised.value.code is None
    assert cause in str(raised.value.inner_exception)
    assert reached == status


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("StopInstance", "it has no ="),
        ("Stop=reset", "unknown action 'Stop', expected \\* or one of StopInstance"),
        ("StopInstance=resett", "unknown fault 'resett', expected html"),
        ("StopInstance=", "unknown fault ''"),
        ("StopInstance=InternalEror", "the code InternalEror is unknown here"),
        ("StopInstance=InternalError,status=200", "status='200', expected a whole number from 400 to 599"),
        ("StopInstance=InternalError,retry-after=1s", "retry-after='1s'"),
        ("StopInstance=reset,foo=1", "reset has no option 'foo', it takes when"),
        ("StopInstance=reset,when", "reset has no option 'when'"),
        ("StopInstance=reset,when=later", "when=later, expected before or after"),
        ("StopInstance=reset,account=1234", "account='1234', expected the 16 digits"),
        ("StopInstance:0=reset", "calls '0', expected such as"),
        ("StopInstance:4-2=reset", "calls '4-2'"),
        ("StopInstance:x=reset", "'x' is neither an instance id nor calls"),
        ("StopInstance=delay", "delay needs seconds="),
        ("StopInstance=delay,seconds=nan", "not 'nan'"),
        ("StopInstance=delay,seconds=-1", "not '-1'"),
        ("StopInstance=delay,seconds=inf", "not 'inf'"),
        ("StopInstance=quota", "per-minute=''"),
        ("StopInstance=stuck,status=Pending", "status='Pending', expected Stopping, Running"),
        ("DescribeInstances=stuck", "stuck goes with a stop"),
        ("DescribeInstances=stale,seconds=1", "stale goes with a stop"),
    ],
)
def test_texts_that_cant_be_read(text: str, message: str) -> None:
    """The error quotes the text and says which part is wrong and what would be right."""
    with pytest.raises(InvalidFault, match=message) as raised:
        parse_fault(text)
    assert repr(text) in str(raised.value)


def test_a_message_takes_the_rest() -> None:
    """A message may hold commas and equals signs, so it is the last option."""
    row = ErrorRow(409, "DiskError", "a, b=c")
    assert parse_fault("StopInstance:2-:i-a=DiskError,status=409,message=a, b=c") == Fault(
        effect=Failure(row=row), action="StopInstance", instance_id="i-a", first=2
    )


@given(st.text(max_size=40) | st.from_regex(r"(\*|StopInstance)(:[0-9i-]{1,4})?=[a-zA-Z,=0-9-]{1,20}"))
def test_any_text_is_read_or_refused(text: str) -> None:
    """No text makes the reader fail in any other way than the one for bad texts."""
    with suppress(InvalidFault):
        parse_fault(text)
