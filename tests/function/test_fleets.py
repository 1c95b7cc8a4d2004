"""Fleets as they really are: members that others manage, and machines that go on being charged."""

import pytest

from function.model.instance import Instance
from tests.stage import SetStage, error


def tags(**values: str) -> dict[str, object]:
    """Write the tags of an instance that opted in, and these."""
    pairs = {"auto-stop": "true", **values}
    return {"Tags": {"Tag": [{"TagKey": key, "TagValue": value} for key, value in pairs.items()]}}


def test_members_of_groups_pools_and_clusters_are_left_to_their_owners(stage: SetStage) -> None:
    """A group passes the opt-in tag on to its members; stopped, they would be replaced or released."""
    fleet = stage(
        {"InstanceId": "i-bp1group", **tags(**{"acs:autoscaling:scalingGroupId": "asg-1"})},
        {
            "InstanceId": "i-bp1node",
            **tags(**{"ack.aliyun.com": "c1", "ack.alibabacloud.com/nodepool-id": "np1"}),
        },
        {"InstanceId": "i-bp1emr", **tags(**{"acs:emr:clusterId": "c-1"})},
        {"InstanceId": "i-bp1plain", **tags()},
    )
    played = fleet.invoke({"Tag": [{"Key": "auto-stop", "Value": "true"}]})
    found = {name: outcome["code"] or outcome["status"] for name, outcome in played.outcomes.items()}
    managed = dict.fromkeys(("i-bp1group", "i-bp1node", "i-bp1emr"), "Guard.ManagedElsewhere")
    assert found == managed | {"i-bp1plain": "stopped"}
    assert [stop["InstanceId"] for stop in played.stops] == ["i-bp1plain"]
    assert played.report["message"] == (
        "Stopped 1 of 4; refused 3: 3 managed elsewhere; 1 goes on being charged"
    )


ALL = {"Tag": [{"Key": "auto-stop", "Value": "true"}]}
SAVING = {**ALL, "StoppedMode": "StopCharging"}


def warnings(outcome: dict[str, object]) -> str:
    """Give an outcome's warnings as one text."""
    found = outcome["warnings"]
    assert isinstance(found, list)
    return "; ".join(found)


@pytest.mark.parametrize(("dry_run", "words"), [(False, "1 goes on"), (True, "1 would go on")])
def test_what_goes_on_being_charged_is_said(stage: SetStage, words: str, *, dry_run: bool) -> None:
    """Plan, report, sentence and log say that a stop with KeepCharging saves nothing."""
    fleet = stage({"InstanceId": "i-bp1gpu"}, {"InstanceId": "i-bp1sub", "InstanceChargeType": "PrePaid"})
    played = fleet.invoke({**ALL, "DryRun": dry_run})
    assert played.report["still_charged"] == played.lines[-1]["still_charged"] == 1
    assert str(played.report["message"]).endswith(f"; {words} being charged")
    told = {name: "on being charged" in str(one["message"]) for name, one in played.outcomes.items()}
    assert told == {"i-bp1gpu": True, "i-bp1sub": False}
    saving = fleet.invoke({**SAVING, "DryRun": True})
    assert saving.report["still_charged"] == 0


def test_an_instance_that_was_shut_down_from_inside_is_warned_of(stage: SetStage) -> None:
    """Asked to save, a machine found stopped with KeepCharging is no saving; the others need no warning."""
    fleet = stage(
        {"InstanceId": "i-bp1keep", "Status": "Stopped", "StoppedMode": "KeepCharging"},
        {"InstanceId": "i-bp1save", "Status": "Stopped", "StoppedMode": "StopCharging"},
        {
            "InstanceId": "i-bp1paid",
            "Status": "Stopped",
            "StoppedMode": "Not-applicable",
            "InstanceChargeType": "PrePaid",
        },
    )
    played = fleet.invoke(SAVING)
    assert {name: bool(one["warnings"]) for name, one in played.outcomes.items()} == {
        "i-bp1keep": True,
        "i-bp1save": False,
        "i-bp1paid": False,
    }
    assert "goes on being charged" in str(played.outcomes["i-bp1keep"]["message"])
    assert "so start it first" in warnings(played.outcomes["i-bp1keep"])
    assert played.report["message"] == "Already stopped 3 of 3: 1 charged all the same"
    levels = {line["instance_id"]: line["level"] for line in played.lines if "instance_id" in line}
    assert levels == {"i-bp1keep": "WARNING", "i-bp1save": "INFO", "i-bp1paid": "INFO"}
    assert fleet.invoke(ALL).outcomes["i-bp1keep"]["warnings"] == []


def test_a_plan_names_who_would_lose_a_public_address(stage: SetStage) -> None:
    """StopCharging gives back a fixed public address; an Elastic IP stays, and KeepCharging keeps both."""
    fleet = stage(
        {"InstanceId": "i-bp1fixed", "PublicIpAddress": {"IpAddress": ["203.0.113.7"]}},
        {"InstanceId": "i-bp1eip", "EipAddress": {"IpAddress": "203.0.113.8", "AllocationId": "eip-1"}},
        {"InstanceId": "i-bp1none"},
    )
    plan = fleet.invoke({**SAVING, "DryRun": True})
    assert "gives back its public IP address" in warnings(plan.outcomes["i-bp1fixed"])
    assert plan.outcomes["i-bp1eip"]["warnings"] == plan.outcomes["i-bp1none"]["warnings"] == []
    keeping = fleet.invoke({**ALL, "DryRun": True})
    assert [one["warnings"] for one in keeping.outcomes.values()] == [[], [], []]


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("web-1", "web-1"),
        ("网页", "网页"),
        ('a\n{"level": "ERROR"}\x1b[31m', 'a\ufffd{"level": "ERROR"}\ufffd[31m'),
    ],
)
def test_names_are_told(stage: SetStage, name: str, shown: str) -> None:
    """People know machines by their names; what somebody wrote into one is data, on one line."""
    played = stage({"InstanceId": "i-bp1a", "InstanceName": name}).invoke(ALL)
    assert played.outcome["instance_name"] == shown
    assert [line["instance_name"] for line in played.lines if "instance_id" in line] == [shown]


def test_a_notice_names_the_machines_that_are_left(stage: SetStage) -> None:
    """What FC hands to the failure destination is read by people: the id, and the name as data."""
    fleet = stage(
        {"InstanceId": "i-bp1db", "InstanceName": "db\n; all is well"},
        {"InstanceId": "i-bp1none"},
        faults=(error("StopInstance", "DiskError"),),
    )
    text = str(fleet.invoke(ALL).answer.error)
    assert text.startswith("2 of 2 instances are left: ")
    assert "i-bp1db 'db\ufffd; all is well' failed (DiskError)" in text
    assert "i-bp1none failed (DiskError)" in text


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("InstanceName", 7),
        ("InstanceName", None),
        ("PublicIpAddress", "203.0.113.7"),
        ("PublicIpAddress", {"IpAddress": None}),
        ("PublicIpAddress", {"IpAddress": 7}),
        ("PublicIpAddress", None),
    ],
)
def test_what_is_only_told_never_fails(field: str, value: object) -> None:
    """No decision rests on a name or an address, so an instance never fails by one that can't be read."""
    seen = Instance.model_validate(
        {"InstanceId": "i-1", "RegionId": "cn-hangzhou", "Status": "Running", field: value}
    )
    assert seen.instance_name == ""


def test_what_keeps_its_charges_as_asked_is_no_warning(stage: SetStage) -> None:
    """ECS shows `Not-applicable` for a subscription instance: its billing goes on, as was expected."""
    one = "i-bp1prepaid"
    played = stage({"InstanceId": one, "InstanceChargeType": "PrePaid"}).invoke({"InstanceId": one})
    assert played.outcome["stopped_mode"] == {
        "requested": "KeepCharging",
        "expected": "KeepCharging",
        "actual": "Not-applicable",
    }
    assert played.outcome["warnings"] == []
