"""ECS's answers in every spelling: runs as they come out, over real HTTP and through the real SDK."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest

from function.cloud import sdk
from function.cloud.ecs import SdkEcs
from function.model.credentials import Credentials
from function.model.instance import LocalDisks
from function.model.ports import Ecs
from local.emulator.fault_text import parse_fault
from tests.stage import OPTED_IN, WITH_DISKS, SetStage

IDS = [f"i-bp1case00000000000{number}" for number in range(1, 7)]
ODD = IDS[0]
SELECTED = {"Tag": [{"Key": "auto-stop", "Value": "true"}]}
FEW = [{"InstanceId": one, "LocalStorageAmount": 0} for one in IDS[:3]]


def test_a_numeric_code_is_a_code(stage: SetStage) -> None:
    """`"Code": 200` of StopInstances is acceptance, and what it says beside of others is still heard."""
    fleet = [
        *({"InstanceId": one, "LocalStorageAmount": 0} for one in IDS[:4]),
        {"InstanceId": IDS[4], "LocalStorageAmount": 0, "x-emulator": {"StopInstance": "DiskError"}},
        {
            "InstanceId": IDS[5],
            "LocalStorageAmount": 0,
            "x-emulator": {"StopInstance": {"Code": "OperationDenied.Odd", "Message": "No.", "Status": 403}},
        },
    ]
    played = stage(*fleet, faults=(parse_fault("StopInstances=numbers"),)).invoke({"InstanceIds": IDS})
    assert played.report["summary"] == {"total": 6, "stopped": 4, "refused": 1, "failed": 1}
    assert (played.outcomes[IDS[4]]["code"], played.outcomes[IDS[5]]["code"]) == (
        "DiskError",
        "OperationDenied.Odd",
    )
    assert played.batches == [IDS]


@pytest.mark.parametrize("by_tag", [False, True])
def test_a_token_with_every_page_is_followed_to_the_end(stage: SetStage, by_tag: bool) -> None:  # noqa: FBT001 - a case
    """A `NextToken` on a page that is complete says nothing: the next page is empty, and has none."""
    absent = "i-bp1absent0000000001"
    played = stage(*FEW, faults=(parse_fault("DescribeInstances=tokens"),)).invoke(
        SELECTED if by_tag else {"InstanceIds": [*IDS[:3], absent]}
    )
    assert played.report["summary"] == {"total": 3, "stopped": 3} | (
        {} if by_tag else {"total": 4, "refused": 1}
    )
    if not by_tag:
        assert played.outcomes[absent]["code"] == "InvalidInstanceId.NotFound"


@pytest.mark.parametrize("by_tag", [False, True])
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("OperationLocks", {"LockReason": ["security"]}),
        ("Status", None),
        ("Status", 3),
        ("Tags", {"Tag": [{"TagKey": None}]}),
        ("LocalStorageAmount", "some"),
        ("InstanceType", 6),
    ],
)
def test_an_instance_that_cannot_be_read_fails_alone(
    stage: SetStage,
    by_tag: bool,  # noqa: FBT001 - a case
    field: str,
    value: object,
) -> None:
    """Its outcome names the field, it gets no stop call, and the others are served."""
    shown = f"DescribeInstances=shown,instance={ODD},name={field},value={json.dumps(value)}"
    played = stage(*FEW, faults=(parse_fault(shown),)).invoke(
        SELECTED if by_tag else {"InstanceIds": IDS[:3]}
    )
    assert played.report["summary"] == {"total": 3, "stopped": 2, "failed": 1}
    assert (played.outcomes[ODD]["status"], played.outcomes[ODD]["code"]) == ("failed", "Client.Unreadable")
    assert field in str(played.outcomes[ODD]["message"])
    assert played.asked(ODD) == 0
    assert type(played.answer.error).__name__ == "StopIncomplete"


@pytest.mark.parametrize("value", ["", None, [], "many", 0.5])
@pytest.mark.parametrize("field", ["Cpu", "StoppedMode", "StartTime", "InstanceName", "RegionId"])
def test_a_field_that_no_decision_uses_never_fails(stage: SetStage, field: str, value: object) -> None:
    """Whatever is there, the instance is stopped."""
    shown = f"DescribeInstances=shown,instance={ODD},name={field},value={json.dumps(value)}"
    played = stage(*FEW, faults=(parse_fault(shown),)).invoke({"InstanceIds": IDS[:3]})
    assert played.report["summary"] == {"total": 3, "stopped": 3}


def test_a_field_that_cannot_be_read_while_verifying_is_read_again(stage: SetStage) -> None:
    """The look that shows it costs time, not the outcome."""
    shown = f"DescribeInstances:2-3=shown,instance={ODD},name=Status,value=null"
    played = stage(FEW[0], faults=(parse_fault(shown),)).invoke({"InstanceIds": [ODD]})
    assert (played.outcome["status"], played.outcome["attempts"]) == ("stopped", 1)


def test_a_keep_until_tag_of_null_keeps_it_running(stage: SetStage) -> None:
    """A tag without a value has the empty one, which is no date-time."""
    tags = [*OPTED_IN["Tag"], {"TagKey": "keep-running-until", "TagValue": None}]
    shown = f"DescribeInstances=shown,instance={ODD},name=Tags,value={json.dumps({'Tag': tags})}"
    played = stage(*FEW, faults=(parse_fault(shown),)).invoke({"InstanceIds": IDS[:3]})
    assert played.outcomes[ODD]["code"] == "Guard.KeepRunningUntil"
    assert played.report["summary"] == {"total": 3, "stopped": 2, "refused": 1}


ECONOMICAL = {"InstanceChargeType": "PostPaid", "InstanceNetworkType": "vpc"}


def test_zeros_of_a_known_family_are_not_believed(stage: SetStage) -> None:
    """Where a family is known for local disks, it is not stopped without consent, and not by StopCharging."""
    fleet = {
        "InstanceId": ODD,
        "InstanceType": "ecs.i2.xlarge",
        "LocalStorageAmount": 0,
        "LocalStorageCapacity": 0,
        **ECONOMICAL,
    }
    played = stage(fleet).invoke({"InstanceId": ODD, "StoppedMode": "StopCharging"})
    assert (played.outcome["status"], played.outcome["code"]) == ("refused", "InstanceType.ParameterMismatch")
    assert "may have" in str(played.outcome["message"])
    played = stage(fleet).invoke({"InstanceId": ODD, "StoppedMode": "StopCharging", "ConfirmStop": True})
    assert played.stops[0]["StoppedMode"] == "KeepCharging"
    assert played.stops[0]["ConfirmStop"] == "True"


@pytest.mark.parametrize("local_storage", [{"LocalStorageAmount": 0, "LocalStorageCapacity": 0}, {}])
@pytest.mark.parametrize("faults", [(), ("DescribeInstanceTypes=Forbidden.RAM",)])
@pytest.mark.parametrize("instance_type", ["ecs.gn3.2xlarge", "ecs.i4p.2xlarge", "ecs.re6p.large"])
def test_disks_that_may_be_there_are_said(
    stage: SetStage, instance_type: str, faults: tuple[str, ...], local_storage: dict[str, object]
) -> None:
    """Whether the type says none, or may not be asked: nothing is stopped without consent."""
    fleet = {
        "InstanceId": ODD,
        "InstanceType": instance_type,
        "x-emulator": {"LocalStorage": local_storage},
        **ECONOMICAL,
    }
    played = stage(fleet, faults=tuple(map(parse_fault, faults))).invoke(SELECTED)
    assert (played.outcome["status"], played.outcome["code"]) == ("refused", "InstanceType.ParameterMismatch")
    assert played.stops == []


@pytest.mark.parametrize("family", ["re7p", "r7p", "ebmre7p", "re6p-redis", "ebmre6p"])
def test_persistent_memory_is_not_stopped_without_charging(stage: SetStage, family: str) -> None:
    """`StopCharging` is not promised: it is stopped with `KeepCharging`, and a warning says so."""
    fleet = {"InstanceId": ODD, "InstanceType": f"ecs.{family}.large", "LocalStorageAmount": 0, **ECONOMICAL}
    played = stage(fleet).invoke(SELECTED | {"StoppedMode": "StopCharging"})
    modes = played.outcome["stopped_mode"]
    assert isinstance(modes, dict)
    assert (played.outcome["status"], modes["expected"]) == ("stopped", "KeepCharging")
    assert "persistent memory" in str(played.outcome["warnings"])


@pytest.mark.parametrize("value", [None, 3, []])
def test_one_without_an_id_is_missing_nowhere_else(stage: SetStage, value: object) -> None:
    """Asked for by id, whoever is missing beside it fails, and is not called unknown; others are served."""
    shown = f"DescribeInstances=shown,instance={ODD},name=InstanceId,value={json.dumps(value)}"
    played = stage(*FEW, faults=(parse_fault(shown),)).invoke({"InstanceIds": IDS[:3]})
    assert played.report["summary"] == {"total": 3, "stopped": 2, "failed": 1}
    assert (played.outcomes[ODD]["code"], played.asked(ODD)) == ("Client.Unreadable", 0)
    assert "InstanceId" in str(played.outcomes[ODD]["message"])


def test_a_listing_with_one_without_an_id_is_none(stage: SetStage) -> None:
    """Who is selected can't be told then: nothing is stopped, and the region says why."""
    shown = f"DescribeInstances=shown,instance={ODD},name=InstanceId,value=null"
    played = stage(*FEW, faults=(parse_fault(shown),)).invoke(SELECTED)
    assert played.report["summary"] == {"total": 0}
    (region_error,) = list(played.report["region_errors"])  # type: ignore[call-overload]  # JSON's
    assert region_error["code"] == "Client.Unreadable"
    assert "InstanceId" in region_error["message"]


class Chatty(SdkEcs):
    """Answers about types that it was not asked for, too: that they have no local disks."""

    def local_disks(self, instance_types: Sequence[str], *, seconds: float) -> Mapping[str, LocalDisks]:
        """Add one."""
        unasked: dict[str, LocalDisks] = {"ecs.z1.large": LocalDisks.NO}
        return {**unasked, **super().local_disks(instance_types, seconds=seconds)}


@pytest.mark.parametrize(("said", "asked"), [({"LocalStorageAmount": 0}, 0), (WITH_DISKS, 0), ({}, 1)])
def test_types_are_asked_for_only_where_the_instance_does_not_say(
    stage: SetStage, said: dict[str, object], asked: int
) -> None:
    """Its own fields tell whether it has local disks; no call is wasted on its type then."""
    played = stage({"InstanceId": ODD, **said}).invoke({"InstanceId": ODD})
    assert played.count("DescribeInstanceTypes") == asked


def test_types_that_were_not_asked_for_are_not_believed(stage: SetStage) -> None:
    """What ECS says of a type unasked is not remembered for the next run, which asks for it."""

    def connect(region_id: str, credentials: Credentials, *, endpoint: str | None, connections: int) -> Ecs:
        client = sdk.Client(sdk.config(region_id, credentials, endpoint))
        return Chatty(region_id, client, credentials, connections)

    disks = {"InstanceId": IDS[1], "InstanceType": "ecs.z1.large", "x-emulator": {"LocalStorage": {}}}
    set_up = stage({"InstanceId": ODD}, disks)
    function = set_up.function()
    function.ports = replace(function.ports, connect_ecs=connect)
    function.invoke(json.dumps({"InstanceId": ODD}).encode())
    assert [call.action for call in set_up.ecs.calls].count("DescribeInstanceTypes") == 1
    report = function.invoke(json.dumps({"InstanceId": IDS[1]}).encode()).returned
    assert report is not None
    (outcome,) = list(report["outcomes"])  # type: ignore[call-overload]  # JSON's
    assert (outcome["code"], outcome["attempts"]) == ("InstanceType.ParameterMismatch", 0)
