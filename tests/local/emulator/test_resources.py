"""Regions, zones, disks, security groups and tags: what the fleet tells of them, over the real SDK."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from alibabacloud_ecs20140526 import models

from local.api.api_error import ApiError
from local.emulator.backend import LocalEcs
from local.emulator.server import serve
from tests.local.emulator.clients import client

REGION = "cn-hangzhou"
FLEET = (
    {
        "InstanceId": "i-a",
        "ZoneId": "cn-hangzhou-k",
        "SecurityGroupIds": {"SecurityGroupId": ["sg-1", "sg-2"]},
        "Tags": {"Tag": [{"TagKey": "env", "TagValue": "dev"}]},
    },
    {"InstanceId": "i-b", "SecurityGroupIds": {"SecurityGroupId": ["sg-1"]}, "InstanceType": "ecs.d1.xlarge"},
    {"InstanceId": "i-c", "RegionId": "cn-atlantis"},
)

Make = Callable[..., LocalEcs]


@pytest.fixture
def ecs(make_ecs: Make) -> LocalEcs:
    """Give a local ECS with the fleet."""
    return make_ecs(*FLEET)


@pytest.fixture
def sdk(ecs: LocalEcs) -> Iterator[Any]:
    """Give a client of the SDK for it."""
    with serve(ecs) as endpoint:
        yield client(endpoint)


def code(ecs: LocalEcs, action: str, **parameters: str) -> str:
    """Call and give the error's code, empty if it went well."""
    try:
        ecs.call(action, {"RegionId": REGION, **parameters})
    except ApiError as error:
        return error.code
    return ""


def test_regions(sdk: Any) -> None:  # noqa: ANN401 - the SDK has no types
    """DescribeRegions lists Alibaba Cloud's regions and the fleet's own, in the language asked for."""
    regions = sdk.describe_regions(models.DescribeRegionsRequest(accept_language="en-US")).body.regions.region
    names = {region.region_id: region.local_name for region in regions}
    assert (names["cn-hangzhou"], names["cn-atlantis"]) == ("China (Hangzhou)", "cn-atlantis")
    assert len(names) > 30
    default = sdk.describe_regions(models.DescribeRegionsRequest()).body.regions.region[0]
    assert not default.local_name.isascii()


def test_zones(sdk: Any) -> None:  # noqa: ANN401 - the SDK has no types
    """DescribeZones lists the zones where a region has instances, each with its types."""
    zones = sdk.describe_zones(models.DescribeZonesRequest(region_id=REGION)).body.zones.zone
    assert {zone.zone_id: zone.available_instance_types.instance_types for zone in zones} == {
        "cn-hangzhou-h": ["ecs.d1.xlarge"],
        "cn-hangzhou-k": ["ecs.g6.large"],
    }
    assert sdk.describe_zones(models.DescribeZonesRequest(region_id="eu-west-1")).body.zones.zone == []


def test_security_groups(sdk: Any) -> None:  # noqa: ANN401 - the SDK has no types
    """DescribeSecurityGroups lists those that instances are in, and counts them."""
    request = models.DescribeSecurityGroupsRequest(region_id=REGION)
    body = sdk.describe_security_groups(request).body
    groups = {group.security_group_id: group.ecs_count for group in body.security_groups.security_group}
    assert (groups, body.total_count) == ({"sg-1": 2, "sg-2": 1}, 2)
    request = models.DescribeSecurityGroupsRequest(region_id=REGION, security_group_ids='["sg-2"]')
    (only,) = sdk.describe_security_groups(request).body.security_groups.security_group
    assert only.security_group_id == "sg-2"


def test_disks(sdk: Any) -> None:  # noqa: ANN401 - the SDK has no types
    """DescribeDisks lists a system disk of each instance, and its local ones; filters find them."""
    body = sdk.describe_disks(models.DescribeDisksRequest(region_id=REGION)).body
    kinds = [(disk.instance_id, disk.type, disk.category) for disk in body.disks.disk]
    assert kinds == [
        ("i-a", "system", "cloud_essd"),
        ("i-b", "system", "cloud_essd"),
        ("i-b", "data", "local_ssd_pro"),
    ]
    assert len({disk.disk_id for disk in body.disks.disk}) == 3
    for filters in ({"instance_id": "i-b", "disk_type": "data"}, {"category": "local_ssd_pro"}):
        request = models.DescribeDisksRequest(region_id=REGION, **filters)
        (only,) = sdk.describe_disks(request).body.disks.disk
        assert (only.instance_id, only.size) == ("i-b", 894)


def test_disks_in_pages(make_ecs: Make) -> None:
    """Tokens lead through all disks."""
    ecs = make_ecs(*({"InstanceId": f"i-{n}"} for n in range(25)))
    seen, token = [], ""
    for size in (10, 10, 5):
        answer = ecs.call("DescribeDisks", {"RegionId": REGION, "MaxResults": "10", "NextToken": token})
        assert len(answer["Disks"]["Disk"]) == size
        seen += [disk["InstanceId"] for disk in answer["Disks"]["Disk"]]
        token = answer["NextToken"]
    assert (seen, token) == ([f"i-{n}" for n in range(25)], "")


def tagged_by(sdk: Any, **tag: str) -> list[str]:  # noqa: ANN401 - the SDK has no types
    """Find instances by a tag, both ways that there are; they have to agree."""
    tags = [models.DescribeInstancesRequestTag(**tag)]
    found = sdk.describe_instances(models.DescribeInstancesRequest(region_id=REGION, tag=tags))
    ids = [instance.instance_id for instance in found.body.instances.instance]
    listed = sdk.list_tag_resources(
        models.ListTagResourcesRequest(
            region_id=REGION, resource_type="instance", tag=[models.ListTagResourcesRequestTag(**tag)]
        )
    )
    assert list(dict.fromkeys(one.resource_id for one in listed.body.tag_resources.tag_resource)) == ids
    return ids


def test_tags_come_and_go(sdk: Any, ecs: LocalEcs) -> None:  # noqa: ANN401 - the SDK has no types
    """What TagResources sets is found by its tag, until UntagResources takes it off, or a reset."""
    assert tagged_by(sdk, key="env", value="prod") == []
    sdk.tag_resources(
        models.TagResourcesRequest(
            region_id=REGION,
            resource_type="instance",
            resource_id=["i-a", "i-b"],
            tag=[models.TagResourcesRequestTag(key="env", value="prod")],
        )
    )
    assert tagged_by(sdk, key="env", value="prod") == ["i-a", "i-b"]
    assert tagged_by(sdk, key="env", value="dev") == []
    sdk.untag_resources(
        models.UntagResourcesRequest(
            region_id=REGION, resource_type="instance", resource_id=["i-a"], tag_key=["env", "other"]
        )
    )
    assert tagged_by(sdk, key="env") == ["i-b"]
    ecs.call("TagResources", {**IDS, "ResourceId.1": "i-b", "Tag.1.Key": "team", "Tag.1.Value": ""})
    ecs.call("UntagResources", {**IDS, "ResourceId.1": "i-b", "All": "true"})
    assert ecs.instance("i-b").profile.tags == {}
    ecs.reset()
    assert tagged_by(sdk, key="env") == ["i-a"]


IDS = {"RegionId": REGION, "ResourceType": "instance"}


def test_a_tag_outlives_a_stop(ecs: LocalEcs) -> None:
    """A tag set while an instance is Stopping is there once it is Stopped."""
    ecs.call("StopInstance", {"InstanceId": "i-a"})
    ecs.call("TagResources", {**IDS, "ResourceId.1": "i-a", "Tag.1.Key": "keep", "Tag.1.Value": "yes"})
    assert (ecs.instance("i-a").status, ecs.instance("i-a").profile.tags["keep"]) == ("Stopping", "yes")


@pytest.mark.parametrize(
    ("parameters", "refusal"),
    [
        ({"ResourceType": ""}, "MissingResourceType"),
        ({"ResourceType": "disk"}, "InvalidResourceType.NotFound"),
        ({"ResourceId.1": ""}, "MissingResourceId.N"),
        ({"ResourceId.2": "i-nobody"}, "InvalidResourceId.NotFound"),
        ({"Tag.1.Key": "acs:rm"}, "InvalidTagKey.Malformed"),
        ({"Tag.1.Key": "Aliyun-x"}, "InvalidTagKey.Malformed"),
        ({"Tag.1.Key": "x" * 129}, "InvalidTagKey.Malformed"),
        ({"Tag.1.Value": "see http://x"}, "InvalidTagValue.Malformed"),
        ({f"Tag.{n}.Key": f"k{n}" for n in range(1, 22)}, "InvalidParameter"),
        ({f"Tag.{n}.Key": f"k{n}" for n in range(1, 21)}, "NumberExceed.Tags"),
        ({f"ResourceId.{n}": f"i-{n}" for n in range(1, 52)}, "InvalidParameter"),
    ],
)
def test_tags_that_cannot_be_set(parameters: dict[str, str], refusal: str, ecs: LocalEcs) -> None:
    """A call that is wrong in one thing sets no tag at all."""
    given = {"ResourceType": "instance", "ResourceId.1": "i-a", "Tag.1.Key": "k", **parameters}
    given = {name: value for name, value in given.items() if value}
    assert code(ecs, "TagResources", **given) == refusal
    assert ecs.instance("i-a").profile.tags == {"env": "dev"}


def test_tags_in_pages(make_ecs: Make) -> None:
    """ListTagResources gives fifty resources a page, and its tokens lead through all."""
    tags = {"Tags": {"Tag": [{"TagKey": "env", "TagValue": "dev"}, {"TagKey": "team", "TagValue": "a"}]}}
    ecs = make_ecs(*({"InstanceId": f"i-{n}", **tags} for n in range(60)))
    seen, token = [], ""
    for resources in (50, 10):
        answer = ecs.call("ListTagResources", {**IDS, "Tag.1.Key": "env", "NextToken": token})
        lines = answer["TagResources"]["TagResource"]
        assert len(lines) == 2 * resources
        seen += [line["ResourceId"] for line in lines if line["TagKey"] == "team"]
        token = answer["NextToken"]
    assert (seen, token) == ([f"i-{n}" for n in range(60)], "")
    assert code(ecs, "ListTagResources", ResourceType="instance") == "MissingResourceId.N"
    assert (
        code(ecs, "UntagResources", **{"ResourceType": "instance", "ResourceId.1": "i-0"})
        == "MissingTagKey.N"
    )
