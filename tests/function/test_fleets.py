"""Fleets as they really are: members that others manage, and machines that go on being charged."""

from tests.stage import SetStage


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
    assert played.report["message"] == "Stopped 1 of 4; refused 3: 3 managed elsewhere"
