"""What the Describe calls find, and how their pages fit together."""

import base64
import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.api.api_error import ApiError
from local.emulator.actions.filters import NAMES
from local.emulator.backend import LocalEcs
from local.emulator.behaviour import Behaviour
from local.emulator.fleet import Fleet

REGION = "cn-hangzhou"

Make = Callable[..., LocalEcs]


def ids(answer: Mapping[str, Any]) -> list[str]:
    """Give the ids of a DescribeInstances answer."""
    return [instance["InstanceId"] for instance in answer["Instances"]["Instance"]]


def tagged(**tags: str) -> dict[str, object]:
    """Give an instance's tags in ECS's shape."""
    return {"Tags": {"Tag": [{"TagKey": key, "TagValue": value} for key, value in tags.items()]}}


FLEET = (
    {"InstanceId": "i-1", "InstanceName": "web-1", "ZoneId": "cn-hangzhou-i", **tagged(env="dev", team="a")},
    {"InstanceId": "i-2", "InstanceName": "web-2", "Status": "Stopped", **tagged(env="dev")},
    {"InstanceId": "i-3", "InstanceName": "db.1", "VpcAttributes": {"VpcId": "vpc-x"}, **tagged(env="")},
    {
        "InstanceId": "i-4",
        "InstanceName": "web[3]",
        "ResourceGroupId": "rg-x",
        "InstanceChargeType": "PrePaid",
    },
    {"InstanceId": "i-5", "RegionId": "cn-beijing", **tagged(env="dev")},
)


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({}, ["i-1", "i-2", "i-3", "i-4"]),
        ({"InstanceIds": '["i-3", "i-1", "i-9", "i-5", "i-3"]'}, ["i-1", "i-3"]),
        ({"InstanceIds": "[]"}, []),
        ({"Tag.1.Key": "env"}, ["i-1", "i-2", "i-3"]),
        ({"Tag.1.Key": "env", "Tag.1.Value": "dev"}, ["i-1", "i-2"]),
        ({"Tag.1.Key": "env", "Tag.1.Value": ""}, ["i-3"]),
        ({"Tag.1.Key": "env", "Tag.1.Value": "dev", "Tag.2.Key": "team"}, ["i-1"]),
        ({"Tag.1.Key": "env", "Tag.1.Value": "dev", "Tag.2.Key": "env", "Tag.2.Value": "x"}, []),
        ({"Status": "Stopped"}, ["i-2"]),
        ({"ResourceGroupId": "rg-x"}, ["i-4"]),
        ({"InstanceChargeType": "PrePaid"}, ["i-4"]),
        ({"VpcId": "vpc-x"}, ["i-3"]),
        ({"ZoneId": "cn-hangzhou-i"}, ["i-1"]),
        ({"InstanceName": "web-1"}, ["i-1"]),
        ({"InstanceName": "web*"}, ["i-1", "i-2", "i-4"]),
        ({"InstanceName": "*[3]"}, ["i-4"]),
        ({"InstanceName": "db?1"}, []),
        ({"InstanceName": "*b*1"}, ["i-1", "i-3"]),
        ({"InstanceName": "web-1*-1"}, []),
        ({"Status": "Running", "InstanceName": "web*", "Tag.1.Key": "env"}, ["i-1"]),
        ({"RegionId": "cn-beijing"}, ["i-5"]),
        ({"RegionId": "eu-west-1"}, []),
    ],
)
def test_filters(filters: dict[str, str], expected: list[str], make_ecs: Make) -> None:
    """An instance is found if it is in the region and matches every filter given."""
    answer = make_ecs(*FLEET).call("DescribeInstances", {"RegionId": REGION, **filters})
    assert ids(answer) == expected
    assert answer["TotalCount"] == len(expected)


def is_like(name: str, pattern: str) -> bool:
    """Match with all the ways there are to read the asterisks."""
    if not pattern.startswith("*"):
        return name[:1] == pattern[:1] and (not pattern or is_like(name[1:], pattern[1:]))
    return is_like(name, pattern[1:]) or (bool(name) and is_like(name[1:], pattern))


ADDRESSES = {
    "VpcAttributes": {
        "VpcId": "vpc-y",
        "VSwitchId": "vsw-y",
        "PrivateIpAddress": {"IpAddress": ["10.0.0.1", "10.0.0.2"]},
    },
    "PublicIpAddress": {"IpAddress": ["203.0.113.1"]},
    "InnerIpAddress": {"IpAddress": ["10.1.0.1"]},
    "EipAddress": {"IpAddress": "203.0.113.2"},
    "RdmaIpAddress": {"IpAddress": ["10.2.0.1"]},
    "NetworkInterfaces": {
        "NetworkInterface": [{"Ipv6Sets": {"Ipv6Set": [{"Ipv6Address": "2001:db8::1"}]}}],
    },
}
RICH: tuple[tuple[dict[str, str], dict[str, object]], ...] = (
    ({"VSwitchId": "vsw-y"}, ADDRESSES),
    ({"PrivateIpAddresses": '["10.0.0.9", "10.0.0.2"]'}, ADDRESSES),
    ({"PublicIpAddresses": '["203.0.113.1"]'}, ADDRESSES),
    ({"InnerIpAddresses": '["10.1.0.1"]'}, ADDRESSES),
    ({"EipAddresses": '["203.0.113.2"]'}, ADDRESSES),
    ({"RdmaIpAddresses": '["10.2.0.1"]'}, ADDRESSES),
    ({"Ipv6Address.1": "2001:db8::9", "Ipv6Address.2": "2001:db8::1"}, ADDRESSES),
    ({"VpcId": "vpc-y"}, ADDRESSES),
    ({"SecurityGroupId": "sg-b"}, {"SecurityGroupIds": {"SecurityGroupId": ["sg-a", "sg-b"]}}),
    ({"LockReason": "security"}, {"OperationLocks": {"LockReason": [{"LockReason": "security"}]}}),
    ({"HttpTokens": "required"}, {"MetadataOptions": {"HttpTokens": "required"}}),
    ({"HttpEndpoint": "disabled"}, {"MetadataOptions": {"HttpEndpoint": "disabled"}}),
    ({"HttpPutResponseHopLimit": "2"}, {"MetadataOptions": {"HttpPutResponseHopLimit": 2}}),
    ({"IoOptimized": "false"}, {"IoOptimized": False}),
    ({"DeviceAvailable": "False"}, {"DeviceAvailable": False}),
    ({"ImageId": "m-1"}, {"ImageId": "m-1"}),
    ({"KeyPairName": "key"}, {"KeyPairName": "key"}),
    ({"HpcClusterId": "hpc-1"}, {"HpcClusterId": "hpc-1"}),
    ({"InternetChargeType": "PayByTraffic"}, {"InternetChargeType": "PayByTraffic"}),
    ({"InstanceNetworkType": "classic"}, {"InstanceNetworkType": "classic"}),
    ({"InstanceChargeType": "PrePaid"}, {"InstanceChargeType": "PrePaid"}),
    ({"InstanceType": "ecs.r7.large"}, {"InstanceType": "ecs.r7.large"}),
    ({"InstanceTypeFamily": "ecs.r7"}, {"InstanceType": "ecs.r7.large"}),
    ({"ResourceGroupId": "rg-y"}, {"ResourceGroupId": "rg-y"}),
    ({"ZoneId": "cn-hangzhou-k"}, {"ZoneId": "cn-hangzhou-k"}),
    ({"InstanceName": "web*"}, {"InstanceName": "web-1"}),
    ({"Status": "Stopped"}, {"Status": "Stopped"}),
    ({"Tag.1.Key": "env"}, tagged(env="dev")),
    (
        {"Filter.1.Key": "CreationStartTime", "Filter.1.Value": "2026-03-01T09:00Z"},
        {"CreationTime": "2026-03-01T09:00Z"},
    ),
    (
        {"Filter.1.Key": "CreationEndTime", "Filter.1.Value": "2023-03-01T09:00Z"},
        {"CreationTime": "2023-03-01T09:00Z"},
    ),
    (
        {"Filter.2.Key": "ExpiredEndTime", "Filter.2.Value": "2026-03-01T09:00Z"},
        {"ExpiredTime": "2026-03-01T09:00Z"},
    ),
    (
        {"Filter.2.Key": "ExpiredStartTime", "Filter.2.Value": "2026-03-01T09:00Z"},
        {"ExpiredTime": "2026-03-01T09:00Z"},
    ),
)


@pytest.mark.parametrize(("filters", "instance"), RICH)
def test_each_filter_finds_one_of_two(
    filters: dict[str, str], instance: dict[str, object], make_ecs: Make
) -> None:
    """Of two instances that differ in the field alone, a filter finds the one that has what it says."""
    ecs = make_ecs({"InstanceId": "i-0"}, {"InstanceId": "i-1", **instance})
    assert ids(ecs.call("DescribeInstances", {"RegionId": REGION, **filters})) == ["i-1"]


def test_every_filter_is_tried() -> None:
    """No filter is served that the test above doesn't try."""
    tried = {"".join(name.partition(".")[:2]) for filters, _ in RICH for name in filters}
    assert tried == NAMES


@pytest.mark.parametrize(
    ("limit", "filters", "total"),
    [
        (None, {"Tag.1.Key": "env"}, 1001),
        ("cut", {"Tag.1.Key": "env"}, 1000),
        ("cut", {"ResourceGroupId": "rg-x"}, 1000),
        ("cut", {"VpcId": "vpc-x"}, 1001),
        ("cut", {"Tag.1.Key": "env", "Status": "Stopped"}, 1),
        ("refuse", {"VpcId": "vpc-x"}, 1001),
        ("refuse", {"Tag.1.Key": "env"}, None),
        ("refuse", {"ResourceGroupId": "rg-x"}, None),
    ],
)
def test_the_limit_of_some_filters(limit: Any, filters: dict[str, str], total: int | None) -> None:  # noqa: ANN401 - one of the words
    """Told so, a filter by tags or resource group that meets more than 1,000 is cut off there, or refused."""
    alike = {"ResourceGroupId": "rg-x", "VpcAttributes": {"VpcId": "vpc-x"}, **tagged(env="dev")}
    fleet = [{"InstanceId": f"i-{n}", "Status": "Running" if n else "Stopped", **alike} for n in range(1001)]
    ecs = LocalEcs(Fleet.from_instances(fleet), behaviour=Behaviour(filter_limit=limit))
    parameters = {"RegionId": REGION, "MaxResults": "100", **filters}
    if total is None:
        with pytest.raises(ApiError, match="1001 instances match"):
            ecs.call("DescribeInstances", parameters)
    else:
        assert ecs.call("DescribeInstances", parameters)["TotalCount"] == total


@given(st.text("ab", max_size=8), st.text("ab*", min_size=1, max_size=8))
def test_an_asterisk_is_any_text(name: str, pattern: str) -> None:
    """A name is found by a pattern if some text in the place of each asterisk makes the two the same."""
    ecs = LocalEcs(Fleet.from_instances([{"InstanceId": "i-1", "InstanceName": name}]))
    found = ids(ecs.call("DescribeInstances", {"RegionId": REGION, "InstanceName": pattern}))
    assert bool(found) == is_like(name, pattern)


def test_many_asterisks_take_no_time(make_ecs: Make) -> None:
    """A pattern that fits nearly, in countless ways, is found not to fit at once."""
    ecs = make_ecs({"InstanceId": "i-1", "InstanceName": "a" * 5000})
    answer = ecs.call("DescribeInstances", {"RegionId": REGION, "InstanceName": "*a" * 1000 + "b"})
    assert ids(answer) == []


@pytest.mark.parametrize("paging", [{}, {"PageSize": "10"}, {"MaxResults": "10"}])
def test_the_fields_of_an_answer(paging: dict[str, str], make_ecs: Make) -> None:
    """An answer has all of ECS's fields, whichever way it is paged."""
    answer = make_ecs(*FLEET).call("DescribeInstances", {"RegionId": REGION, **paging})
    del answer["Instances"], answer["RequestId"]
    assert answer == {"NextToken": "", "PageNumber": 1, "PageSize": 10, "TotalCount": 4}


@pytest.mark.parametrize(
    ("parameters", "code"),
    [
        ({"RegionId": ""}, "MissingRegionId"),
        ({"RegionId": "Hangzhou!"}, "InvalidRegionId.NotFound"),
        ({"InstanceIds": "i-1"}, "InvalidParameter"),
        ({"InstanceIds": '"i-1"'}, "InvalidParameter"),
        ({"InstanceIds": "[1]"}, "InvalidParameter"),
        ({"InstanceIds": "[" * 9999}, "InvalidParameter"),
        ({"InstanceIds": json.dumps([f"i-{n}" for n in range(101)])}, "InvalidParameter"),
        ({"Status": "running"}, "InvalidStatus"),
        ({"Tag.1.Value": "dev"}, "InvalidParameter"),
        ({"Tag.x.Key": "dev"}, "InvalidParameter"),
        ({"PageSize": "101"}, "InvalidParameter"),
        ({"PageSize": "0"}, "InvalidParameter"),
        ({"PageSize": "1_0"}, "InvalidParameter"),
        ({"PageNumber": "-1"}, "InvalidParameter"),
        ({"MaxResults": "many"}, "InvalidParameter"),
        ({"RegionId": "cn-atlantis"}, "InvalidRegionId.NotFound"),
        ({"Filter.1.Key": "CreationStartTime"}, "MissingFilter.1.Value"),
        ({"Filter.1.Value": "2026-03-01T09:00Z"}, "InvalidParameter"),
        ({"Filter.1.Key": "StartTime", "Filter.1.Value": "2026-03-01T09:00Z"}, "InvalidParameter"),
        ({"Filter.1.Key": "CreationStartTime", "Filter.1.Value": "2026-03-01"}, "InvalidParameter"),
        ({"PrivateIpAddresses": "10.0.0.1"}, "InvalidParameter"),
        ({"IoOptimized": "optimized"}, "InvalidParameter"),
        ({"NeedSaleCycle": "true"}, "InvalidParameter"),
        ({"DryRun": "true"}, "DryRunOperation"),
        ({"NextToken": "nonsense"}, "InvalidParameter"),
        ({"NextToken": "ключ"}, "InvalidParameter"),
        ({"NextToken": base64.b64encode(b"from " + b"9" * 5000).decode()}, "InvalidParameter"),
        ({"InstanceIds.1": "i-1"}, "InvalidParameter"),
        ({"Tag": "env"}, "InvalidParameter"),
    ],
)
def test_bad_parameters(parameters: dict[str, str], code: str, make_ecs: Make) -> None:
    """A parameter that can't be read is an error, never a wider answer."""
    with pytest.raises(ApiError) as raised:
        make_ecs(*FLEET).call("DescribeInstances", {"RegionId": REGION, **parameters})
    assert (raised.value.status, raised.value.code) == (404 if "NotFound" in code else 400, code)


def fleet_of(size: int) -> Fleet:
    """Make a fleet of so many instances, every third one stopped."""
    return Fleet.from_instances(
        [{"InstanceId": f"i-{n}", "Status": "Running" if n % 3 else "Stopped"} for n in range(size)]
    )


@given(st.integers(0, 40), st.integers(-5, 15), st.sampled_from(["", "Running"]))
def test_tokens_lead_through_all_pages(size: int, max_results: int, status: str) -> None:
    """Following NextToken gives every match once, in order, in pages of 10 at least, and ends with none."""
    ecs, seen, token = LocalEcs(fleet_of(size)), [], ""
    parameters = {"RegionId": REGION, "Status": status, "MaxResults": str(max_results)}
    for _ in range(size + 1):
        answer = ecs.call("DescribeInstances", {**parameters, "NextToken": token})
        page, token = ids(answer), answer["NextToken"]
        seen += page
        if not token:
            break
        assert len(page) == max(max_results, 10)
    assert token == ""
    assert seen == [f"i-{n}" for n in range(size) if n % 3 or not status]


@given(st.integers(0, 40), st.integers(1, 15))
def test_page_numbers_lead_through_all_pages(size: int, page_size: int) -> None:
    """Counting PageNumber up gives every match once, in order, and TotalCount says where it ends."""
    ecs, seen = LocalEcs(fleet_of(size)), []
    for page in range(1, size // page_size + 2):
        answer = ecs.call(
            "DescribeInstances",
            {"RegionId": REGION, "PageSize": str(page_size), "PageNumber": str(page)},
        )
        assert (answer["PageNumber"], answer["PageSize"], answer["TotalCount"]) == (page, page_size, size)
        seen += ids(answer)
    assert seen == [f"i-{n}" for n in range(size)]


def test_a_page_has_ten_unless_asked() -> None:
    """Without a size a page has 10 entries, however many ids were named."""
    ecs = LocalEcs(fleet_of(30))
    assert len(ids(ecs.call("DescribeInstances", {"RegionId": REGION}))) == 10
    named = json.dumps([f"i-{n}" for n in range(30)])
    assert len(ids(ecs.call("DescribeInstances", {"RegionId": REGION, "InstanceIds": named}))) == 10


def test_a_stop_between_pages_moves_nobody(make_ecs: Make) -> None:
    """An instance that no longer matches when the next page is asked for makes no other one fall out."""
    ecs = make_ecs(*({"InstanceId": f"i-{n}"} for n in range(20)))
    parameters = {"RegionId": REGION, "Status": "Running", "MaxResults": "10"}
    first = ecs.call("DescribeInstances", parameters)
    ecs.call("StopInstance", {"InstanceId": "i-0"})
    second = ecs.call("DescribeInstances", {**parameters, "NextToken": first["NextToken"]})
    assert ids(first) + ids(second) == [f"i-{n}" for n in range(20)]


def test_a_release_between_pages_moves_nobody(make_ecs: Make) -> None:
    """An instance that is gone when the next page is asked for makes no other one fall out."""
    ecs = make_ecs(*({"InstanceId": f"i-{n}"} for n in range(20)))
    parameters = {"RegionId": REGION, "MaxResults": "10"}
    first = ecs.call("DescribeInstances", parameters)
    ecs._accounts[ecs.account_id].remove(ecs.instance("i-0"))
    second = ecs.call("DescribeInstances", {**parameters, "NextToken": first["NextToken"]})
    assert ids(first) + ids(second) == [f"i-{n}" for n in range(20)]


def test_describe_instance_status(make_ecs: Make) -> None:
    """DescribeInstanceStatus says the status of a region's instances or of those named, at most 50 a page."""
    ecs = make_ecs(*FLEET)
    everything = ecs.call("DescribeInstanceStatus", {"RegionId": REGION, "PageSize": "50"})
    named = ecs.call(
        "DescribeInstanceStatus", {"RegionId": REGION, "InstanceId.1": "i-2", "InstanceId.2": "i-5"}
    )
    zone = ecs.call("DescribeInstanceStatus", {"RegionId": REGION, "ZoneId": "cn-hangzhou-i"})
    assert [each["Status"] for each in everything["InstanceStatuses"]["InstanceStatus"]] == [
        *("Running", "Stopped", "Running", "Running")
    ]
    assert named["InstanceStatuses"]["InstanceStatus"] == [{"InstanceId": "i-2", "Status": "Stopped"}]
    assert zone["TotalCount"] == 1
    with pytest.raises(ApiError, match="from 1 to 50"):
        ecs.call("DescribeInstanceStatus", {"RegionId": REGION, "PageSize": "51"})


TYPES = (
    {"InstanceId": "i-1", "InstanceType": "ecs.g7.2xlarge"},
    {"InstanceId": "i-2", "InstanceType": "ecs.i2.xlarge"},
    {
        "InstanceId": "i-3",
        "InstanceType": "ecs.d1.xlarge",
        "x-emulator": {
            "LocalStorage": {
                "LocalStorageCategory": "local_hdd_pro",
                "LocalStorageAmount": 4,
                "LocalStorageCapacity": 5500,
            }
        },
    },
    {"InstanceId": "i-4", "InstanceType": "ecs.new9.large", "x-emulator": {"UnknownType": True}},
)


def test_describe_instance_types(make_ecs: Make) -> None:
    """Types tell their size and local disks; a type without them has an empty category and no amount."""
    answer = make_ecs(*TYPES).call("DescribeInstanceTypes", {})
    plain, ssd, hdd = answer["InstanceTypes"]["InstanceType"]
    assert plain == {
        "InstanceTypeId": "ecs.g7.2xlarge",
        "InstanceTypeFamily": "ecs.g7",
        "CpuCoreCount": 8,
        "MemorySize": 32,
        "GPUAmount": 0,
        "GPUSpec": "",
        "LocalStorageCategory": "",
    }
    assert (ssd["LocalStorageCategory"], ssd["LocalStorageAmount"]) == ("local_ssd_pro", 1)
    assert (hdd["LocalStorageCategory"], hdd["LocalStorageAmount"], hdd["LocalStorageCapacity"]) == (
        *("local_hdd_pro", 4, 5500),
    )


def test_types_by_name_and_page(make_ecs: Make) -> None:
    """InstanceTypes.N picks at most 10 types; an unknown one isn't in the answer; tokens page."""
    ecs = make_ecs(*TYPES)
    named = {"InstanceTypes.1": "ecs.i2.xlarge", "InstanceTypes.2": "ecs.new9.large"}
    picked = ecs.call("DescribeInstanceTypes", named)["InstanceTypes"]["InstanceType"]
    assert [each["InstanceTypeId"] for each in picked] == ["ecs.i2.xlarge"]
    first = ecs.call("DescribeInstanceTypes", {"MaxResults": "2"})
    rest = ecs.call("DescribeInstanceTypes", {"MaxResults": "2", "NextToken": first["NextToken"]})
    assert len(first["InstanceTypes"]["InstanceType"]) == 2
    assert [each["InstanceTypeId"] for each in rest["InstanceTypes"]["InstanceType"]] == ["ecs.d1.xlarge"]
    with pytest.raises(ApiError, match="at most 10"):
        ecs.call("DescribeInstanceTypes", {f"InstanceTypes.{n}": f"ecs.g{n}.large" for n in range(1, 12)})


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({}, ["ecs.g7.2xlarge", "ecs.i2.xlarge", "ecs.d1.xlarge"]),
        ({"InstanceTypeFamily": "ecs.i2"}, ["ecs.i2.xlarge"]),
        (
            {"InstanceTypeFamilies.1": "ecs.i2", "InstanceTypeFamilies.2": "ecs.g7"},
            ["ecs.g7.2xlarge", "ecs.i2.xlarge"],
        ),
        ({"LocalStorageCategory": "local_hdd_pro"}, ["ecs.d1.xlarge"]),
        ({"LocalStorageCategories.1": "local_ssd_pro"}, ["ecs.i2.xlarge"]),
        ({"MinimumCpuCoreCount": "8"}, ["ecs.g7.2xlarge"]),
        ({"MaximumCpuCoreCount": "7"}, ["ecs.i2.xlarge", "ecs.d1.xlarge"]),
        ({"MinimumMemorySize": "16.5"}, ["ecs.g7.2xlarge"]),
        ({"MaximumMemorySize": "16"}, ["ecs.i2.xlarge", "ecs.d1.xlarge"]),
        ({"MinimumLocalStorageAmount": "2"}, ["ecs.d1.xlarge"]),
        ({"MinimumLocalStorageCapacity": "895"}, ["ecs.d1.xlarge"]),
        ({"MinimumGPUAmount": "1"}, []),
        ({"MaximumGPUAmount": "0"}, ["ecs.g7.2xlarge", "ecs.i2.xlarge", "ecs.d1.xlarge"]),
    ],
)
def test_types_by_what_they_have(filters: dict[str, str], expected: list[str], make_ecs: Make) -> None:
    """A type is found if it has what every filter says."""
    answer = make_ecs(*TYPES).call("DescribeInstanceTypes", filters)
    assert [each["InstanceTypeId"] for each in answer["InstanceTypes"]["InstanceType"]] == expected


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"GPUSpec": "nvidia"}, ["ecs.gn6v-c8g1.2xlarge"]),
        ({"GpuSpecs.1": "AMD", "GpuSpecs.2": "V100"}, ["ecs.gn6v-c8g1.2xlarge"]),
        ({"GPUSpec": "AMD"}, []),
        ({"MinimumGPUAmount": "1"}, ["ecs.gn6v-c8g1.2xlarge"]),
    ],
)
def test_types_by_their_gpus(filters: dict[str, str], expected: list[str], make_ecs: Make) -> None:
    """A GPU is found by part of its name, as the instances tell it."""
    gpu = {"InstanceType": "ecs.gn6v-c8g1.2xlarge", "GPUAmount": 1, "GPUSpec": "NVIDIA V100"}
    ecs = make_ecs({"InstanceId": "i-1"}, {"InstanceId": "i-2", **gpu})
    found = ecs.call("DescribeInstanceTypes", filters)["InstanceTypes"]["InstanceType"]
    assert [each["InstanceTypeId"] for each in found] == expected


def test_all_types_in_one_answer() -> None:
    """Without a size, and with any larger one, the answer has up to 1,600 types."""
    fleet = [{"InstanceId": f"i-{n}", "InstanceType": f"ecs.t{n}.large"} for n in range(1700)]
    ecs = LocalEcs(Fleet.from_instances(fleet))
    for given_ in ({}, {"MaxResults": "5000"}):
        answer = ecs.call("DescribeInstanceTypes", given_)
        assert len(answer["InstanceTypes"]["InstanceType"]) == 1600
        assert answer["NextToken"]


def test_one_instance_by_attribute(make_ecs: Make) -> None:
    """DescribeInstanceAttribute says of one instance, in any region, what DescribeInstances says of it."""
    ecs = make_ecs(*FLEET)
    answer = ecs.call("DescribeInstanceAttribute", {"InstanceId": "i-5"})
    listed = ecs.call("DescribeInstances", {"RegionId": "cn-beijing"})["Instances"]["Instance"][0]
    del answer["RequestId"]
    assert answer == {name: listed[name] for name in answer}
    assert (answer["InstanceId"], answer["Status"], "Tags" in answer) == ("i-5", "Running", False)
    with pytest.raises(ApiError) as raised:
        ecs.call("DescribeInstanceAttribute", {"InstanceId": "i-9"})
    assert raised.value.code == "InvalidInstanceId.NotFound"


def test_full_status(make_ecs: Make) -> None:
    """DescribeInstancesFullStatus says status and health of those that have the status asked for."""
    ecs = make_ecs(*FLEET)
    answer = ecs.call("DescribeInstancesFullStatus", {"RegionId": REGION, "Status": "Stopped"})
    (only,) = answer["InstanceFullStatusSet"]["InstanceFullStatusType"]
    assert (only["InstanceId"], only["Status"]["Name"], only["HealthStatus"]["Name"]) == (
        "i-2",
        "Stopped",
        "Ok",
    )
    assert (
        ecs.call("DescribeInstancesFullStatus", {"RegionId": REGION, "HealthStatus": "Impaired"})[
            "TotalCount"
        ]
        == 0
    )
