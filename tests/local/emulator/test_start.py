"""Starting and rebooting: what an instance becomes, and when it is refused, over the real SDK."""

from collections.abc import Callable
from typing import Any

import pytest
from alibabacloud_ecs20140526 import models
from alibabacloud_tea_openapi.exceptions import ClientException

from local.api.api_error import ApiError
from local.emulator.backend import LocalEcs
from local.emulator.behaviour import Behaviour
from local.emulator.fault_text import parse_fault
from local.emulator.server import serve
from tests.local.emulator.clients import client

ID, OTHER, REGION = "i-bp67acfmxazb4ph001", "i-bp67acfmxazb4ph002", "cn-hangzhou"
EIP = {"PublicIpAddress": {"IpAddress": []}, "EipAddress": {"IpAddress": "203.0.113.9"}}
STOPPED = {"InstanceId": ID, "Status": "Stopped", "StoppedMode": "StopCharging"}

Make = Callable[..., LocalEcs]


def code(ecs: LocalEcs, action: str, **parameters: str) -> str:
    """Call and give the error's code, empty if it went well."""
    try:
        ecs.call(action, parameters)
    except ApiError as error:
        return error.code
    return ""


def described(ecs: LocalEcs, instance_id: str = ID) -> dict[str, Any]:
    """Describe one instance."""
    answer = ecs.call("DescribeInstances", {"RegionId": REGION, "InstanceIds": f'["{instance_id}"]'})
    document: dict[str, Any] = answer["Instances"]["Instance"][0]
    return document


def test_the_sdk_starts_and_reboots(make_ecs: Make, clock: Any) -> None:  # noqa: ANN401 - the fixture's
    """An instance that the SDK starts is Starting, then Running; so is one that it reboots."""
    ecs = make_ecs(STOPPED, behaviour=Behaviour(start_seconds=20))
    seen = []
    with serve(ecs) as endpoint:
        sdk = client(endpoint)
        for call, request in (
            (sdk.start_instance, models.StartInstanceRequest(instance_id=ID)),
            (sdk.reboot_instance, models.RebootInstanceRequest(instance_id=ID)),
            (sdk.reboot_instances, models.RebootInstancesRequest(region_id=REGION, instance_id=[ID])),
        ):
            call(request)
            seen.append(ecs.instance(ID).status)
            clock.advance(20)
            seen.append(ecs.instance(ID).status)
    assert seen == ["Starting", "Running"] * 3


def test_a_started_instance_says_when_and_is_charged(make_ecs: Make, clock: Any) -> None:  # noqa: ANN401 - the fixture's
    """A start leaves its own time, to the minute, and no StoppedMode; a reboot keeps the time."""
    ecs = make_ecs(STOPPED, behaviour=Behaviour(start_seconds=0))
    ecs.call("StartInstance", {"InstanceId": ID})
    started = described(ecs)
    assert (started["Status"], started["StoppedMode"], started["StartTime"]) == (
        "Running",
        "Not-applicable",
        f"{clock.now():%Y-%m-%dT%H:%MZ}",
    )
    clock.advance(600)
    ecs.call("RebootInstance", {"InstanceId": ID})
    assert described(ecs)["StartTime"] == started["StartTime"]


@pytest.mark.parametrize(
    ("mode", "more", "kept"),
    [
        ("StopCharging", {}, False),
        ("KeepCharging", {}, True),
        (
            "StopCharging",
            {"PublicIpAddress": {"IpAddress": []}, "EipAddress": {"IpAddress": "203.0.113.9"}},
            True,
        ),
    ],
)
def test_another_public_address(mode: str, more: dict[str, object], kept: bool, make_ecs: Make) -> None:  # noqa: FBT001 - a row's
    """After a stop with StopCharging a public address of its own is another one, each time; an EIP stays."""
    ecs = make_ecs(
        {"InstanceId": ID, "PublicIpAddress": {"IpAddress": ["203.0.113.7"]}, **more},
        behaviour=Behaviour(stop_seconds=0, start_seconds=0),
    )
    seen = []
    for _ in range(3):
        document = described(ecs)
        seen.append((str(document["PublicIpAddress"]), str(document.get("EipAddress"))))
        ecs.call("StopInstance", {"InstanceId": ID, "StoppedMode": mode})
        ecs.call("StartInstance", {"InstanceId": ID})
    assert len(set(seen)) == (1 if kept else 3)


def test_stopped_again_after_a_start(make_ecs: Make) -> None:
    """What was started can be stopped, and started again: the states come round."""
    ecs = make_ecs(STOPPED, behaviour=Behaviour(start_seconds=0, stop_seconds=0))
    for action, status in (("StartInstance", "Running"), ("StopInstance", "Stopped")) * 2:
        ecs.call(action, {"InstanceId": ID})
        assert ecs.instance(ID).status == status


@pytest.mark.parametrize(
    ("action", "instance", "refusal"),
    [
        ("StartInstance", {"Status": "Stopped"}, ""),
        ("StartInstance", {"Status": "Running"}, "IncorrectInstanceStatus"),
        ("StartInstance", {"Status": "Starting"}, "IncorrectInstanceStatus"),
        ("StartInstance", {"Status": "Stopping"}, "IncorrectInstanceStatus"),
        ("RebootInstance", {"Status": "Running"}, ""),
        ("RebootInstance", {"Status": "Stopped"}, "IncorrectInstanceStatus"),
        (
            "StartInstance",
            {"Status": "Running", "OperationLocks": {"LockReason": [{"LockReason": "security"}]}},
            "InstanceLockedForSecurity",
        ),
        (
            "StartInstance",
            {"Status": "Stopped", "OperationLocks": {"LockReason": [{"LockReason": "financial"}]}},
            "InstanceExpiredOrInArrears",
        ),
        (
            "StartInstance",
            {"Status": "Stopped", "x-emulator": {"StartInstance": "OperationDenied.NoStock"}},
            "OperationDenied.NoStock",
        ),
    ],
)
def test_what_can_be_started(action: str, instance: dict[str, object], refusal: str, make_ecs: Make) -> None:
    """Stopped can be started and Running rebooted, unless a lock or a shortage stands against it."""
    ecs = make_ecs({"InstanceId": ID, **instance})
    assert code(ecs, action, InstanceId=ID) == refusal
    dry = make_ecs({"InstanceId": ID, **instance})
    assert code(dry, action, InstanceId=ID, DryRun="true") == (refusal or "DryRunOperation")
    assert dry.instance(ID).status == instance["Status"]


@pytest.mark.parametrize("action", ["StartInstance", "RebootInstance"])
def test_an_instance_that_is_not_there(action: str, make_ecs: Make) -> None:
    """An id that nobody has, or that is in another region, isn't found."""
    ecs = make_ecs(STOPPED)
    assert code(ecs, action, InstanceId=OTHER) == "InvalidInstanceId.NotFound"
    assert code(ecs, action, InstanceId=ID, RegionId="cn-beijing") == "InvalidInstanceId.NotFound"


def test_a_batch_of_starts(make_ecs: Make) -> None:
    """SuccessFirst starts what it can and names the rest; AllTogether starts none where one can't be."""
    fleet = (STOPPED, {"InstanceId": OTHER})
    given = {"RegionId": REGION, "InstanceId.1": ID, "InstanceId.2": OTHER, "InstanceId.3": "i-nobody"}
    ecs = make_ecs(*fleet)
    assert code(ecs, "StartInstances", **given) == "IncorrectInstanceStatus"
    assert ecs.instance(ID).status == "Stopped"
    answer = ecs.call("StartInstances", {**given, "BatchOptimization": "SuccessFirst"})
    said = [
        (one["Code"], one["PreviousStatus"], one["CurrentStatus"])
        for one in answer["InstanceResponses"]["InstanceResponse"]
    ]
    assert said == [
        ("200", "Stopped", "Starting"),
        ("IncorrectInstanceStatus", "Running", "Running"),
        ("InvalidInstanceId.NotFound", "", ""),
    ]


def test_no_stock_for_the_second_start(make_ecs: Make) -> None:
    """A fault takes the stock away: the SDK hears OperationDenied.NoStock, and the instance stays Stopped."""
    ecs = make_ecs(
        STOPPED,
        {**STOPPED, "InstanceId": OTHER},
        faults=[parse_fault("StartInstance:2-=OperationDenied.NoStock")],
    )
    with serve(ecs) as endpoint:
        sdk = client(endpoint)
        sdk.start_instance(models.StartInstanceRequest(instance_id=ID))
        with pytest.raises(ClientException) as raised:
            sdk.start_instance(models.StartInstanceRequest(instance_id=OTHER))
    assert (raised.value.code, raised.value.status_code) == ("OperationDenied.NoStock", 403)
    assert ecs.instance(OTHER).status == "Stopped"


@pytest.mark.parametrize(
    ("fault", "real", "shown"),
    [
        ("StartInstance=stuck,status=Starting", "Starting", "Starting"),
        ("StartInstance=stuck,status=Stopped", "Stopped", "Stopped"),
        ("StartInstance=stale,seconds=60", "Running", "Stopped"),
    ],
)
def test_a_start_that_does_not_show(fault: str, real: str, shown: str, make_ecs: Make, clock: Any) -> None:  # noqa: ANN401 - the fixture's
    """A fault keeps an instance from getting anywhere, or reads from seeing it."""
    ecs = make_ecs(STOPPED, faults=[parse_fault(fault)])
    ecs.call("StartInstance", {"InstanceId": ID})
    clock.advance(30)
    assert (ecs.instance(ID).status, described(ecs)["Status"]) == (real, shown)
