"""Fleet files: saved answers come back as they were, gaps are filled, and mistakes are named."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.api.api_error import ApiError
from local.emulator.backend import LocalEcs
from local.emulator.behaviour import Behaviour
from local.emulator.fleet import Fleet, InvalidFleet
from local.emulator.fleet_file import load_fleet, sample_fleet

REGION = "cn-hangzhou"

# As ECS' documents list them.
LOCAL_DISK_FAMILIES = [
    *("i1", "i2", "i2g", "i2ne", "i2gne", "i3", "i3g", "i4", "i4g", "i4r", "i4p", "i5", "i5e", "i5g", "i5ge"),
    *("d1", "d1ne", "d2s", "d2c", "d3s", "d3c", "gn3", "gn5", "ga1"),
]

Make = Callable[..., LocalEcs]

texts = st.text(max_size=8)
values = st.recursive(st.booleans() | st.integers() | texts, st.lists, max_leaves=4)


def described(fleet: Fleet) -> list[dict[str, Any]]:
    """Give what DescribeInstances answers about a fleet."""
    answer = LocalEcs(fleet).call("DescribeInstances", {"RegionId": REGION, "PageSize": "100"})
    instances: list[dict[str, Any]] = answer["Instances"]["Instance"]
    return instances


def test_a_saved_answer_comes_back_as_it_was() -> None:
    """A fleet made of DescribeInstances' own answer is answered again, field by field."""
    saved = described(sample_fleet())
    assert described(load_fleet(json.dumps({"Instances": {"Instance": saved}}))) == saved
    assert described(load_fleet(json.dumps(saved))) == saved


@given(
    st.dictionaries(st.from_regex(r"X[A-Za-z]{1,8}", fullmatch=True), values, max_size=4),
    st.dictionaries(texts, texts, max_size=3),
)
def test_unknown_fields_and_tags_pass_through(extra: dict[str, object], tags: dict[str, str]) -> None:
    """Fields that the local ECS doesn't know, and any tags, are answered unchanged."""
    listed = [{"TagKey": key, "TagValue": value} for key, value in tags.items()]
    given_instance = {"InstanceId": "i-1", "Tags": {"Tag": listed}, **extra}
    (instance,) = described(Fleet.from_instances([given_instance]))
    assert {name: instance[name] for name in given_instance} == given_instance


def test_an_id_is_enough() -> None:
    """A bare instance runs, pays as it goes, in a VPC, without locks, tags or local disks."""
    (instance,) = described(Fleet.from_instances([{"InstanceId": "i-1"}]))
    assert instance["Status"] == "Running"
    assert instance["InstanceChargeType"] == "PostPaid"
    assert instance["InstanceNetworkType"] == "vpc"
    assert instance["VpcAttributes"]["VpcId"].startswith("vpc-")
    assert (instance["Tags"], instance["OperationLocks"]) == ({"Tag": []}, {"LockReason": []})
    assert (instance["RegionId"], instance["ZoneId"]) == ("cn-hangzhou", "cn-hangzhou-h")
    assert "LocalStorageAmount" not in instance


@pytest.mark.parametrize(
    ("instance_type", "cores", "local_disks"),
    [
        ("ecs.g7.large", 2, False),
        ("ecs.c7.xlarge", 4, False),
        ("ecs.r7.16xlarge", 64, False),
        ("ecs.t6-c1m1.large", 2, False),
        ("ecs.gn5i-c4g1.xlarge", 4, False),
        ("ecs.g5i.large", 2, False),
        *[(f"ecs.{family}.xlarge", 4, True) for family in LOCAL_DISK_FAMILIES],
        ("ecs.gn5-c4g1.xlarge", 4, True),
    ],
)
def test_types_tell_size_and_local_disks(instance_type: str, cores: int, local_disks: bool) -> None:  # noqa: FBT001 - a table
    """Of a type known by name alone, cores follow from its size, local disks from its family."""
    fleet = Fleet.from_instances([{"InstanceId": "i-1", "InstanceType": instance_type}])
    (instance,) = described(fleet)
    assert instance["Cpu"] == cores
    assert (fleet.instances[0].local_storage is not None) == local_disks


@pytest.mark.parametrize(
    ("fields", "amount"),
    [
        ({"LocalStorageAmount": 3, "LocalStorageCapacity": 100}, 3),
        ({"InstanceType": "ecs.i2.xlarge", "LocalStorageAmount": 0}, 0),
        ({"InstanceType": "ecs.i2.xlarge", "x-emulator": {"LocalStorage": {"LocalStorageAmount": 0}}}, 0),
        ({"x-emulator": {"LocalStorage": {}}}, 1),
        ({"LocalStorageAmount": 2, "x-emulator": {"LocalStorage": {"LocalStorageAmount": 5}}}, 2),
    ],
)
def test_local_disks_by_the_nearest_source(fields: dict[str, object], amount: int) -> None:
    """What an instance says of its local disks counts before x-emulator, that before its family's name."""
    (instance,) = Fleet.from_instances([{"InstanceId": "i-1", **fields}]).instances
    assert (instance.local_storage.local_storage_amount if instance.local_storage else 0) == amount


def test_the_region_of_those_that_name_none() -> None:
    """A fleet's region goes to instances without one, and to their zone."""
    fleet = Fleet.from_instances(
        [{"InstanceId": "i-1"}, {"InstanceId": "i-2", "RegionId": "cn-beijing"}], region_id="eu-west-1"
    )
    assert [instance.region_id for instance in fleet.instances] == ["eu-west-1", "cn-beijing"]
    assert fleet.instances[0].attributes["ZoneId"] == "eu-west-1-h"


def test_x_emulator_is_never_answered(make_ecs: Make) -> None:
    """What ECS doesn't say is in no answer."""
    ecs = make_ecs({"InstanceId": "i-1", "x-emulator": {"StopSeconds": 1}})
    assert "x-emulator" not in json.dumps(ecs.call("DescribeInstances", {"RegionId": REGION}))


@pytest.mark.parametrize(
    ("instance", "message"),
    [
        ({}, "instance number 1: InstanceId is missing"),
        ("i-1", 'instance number 1 is "i-1", expected an object'),
        ({"InstanceId": "1"}, 'instance 1: InstanceId is "1"'),
        ({"InstanceId": "i-1", "RegionId": "Hangzhou"}, 'instance i-1: RegionId is "Hangzhou"'),
        ({"InstanceId": "i-1", "Status": "running"}, "instance i-1: Status is \"running\": .*'Running'"),
        ({"InstanceId": "i-1", "Tags": {"Tag": [{"TagKey": 1}]}}, "instance i-1: Tags.Tag.0.TagKey is 1"),
        ({"InstanceId": "i-1", "Tags": [{"TagKey": "a"}]}, 'instance i-1: Tags is .*expected {"Tag": '),
        ({"InstanceId": "i-1", "Tags": {"env": "dev"}}, 'instance i-1: Tags is .*expected {"Tag": '),
        ({"InstanceId": "i-1", "OperationLocks": {"security": True}}, 'Locks is .*expected {"LockReason": '),
        ({"InstanceId": "i-1", "LocalStorageAmount": "1"}, 'instance i-1: LocalStorageAmount is "1"'),
        ({"InstanceId": "i-1", "LocalStorageAmount": -1}, "instance i-1: LocalStorageAmount is -1"),
        (
            {"InstanceId": "i-1", "LocalStorageAmount": 1, "LocalStorageCapacity": -1},
            "instance i-1: LocalStorageCapacity is -1",
        ),
        (
            {"InstanceId": "i-1", "x-emulator": {"StopSecond": 1}},
            "instance i-1: x-emulator.StopSecond is unknown; x-emulator takes StopSeconds, ",
        ),
        ({"InstanceId": "i-1", "x-emulator": {"StopSeconds": "1"}}, 'x-emulator.StopSeconds is "1"'),
        ({"InstanceId": "i-1", "x-emulator": {"StopSeconds": -1}}, "x-emulator.StopSeconds is -1"),
        ({"InstanceId": "i-1", "x-emulator": {"Stuck": "Stopped"}}, 'x-emulator.Stuck is "Stopped"'),
        ({"InstanceId": "i-1", "x-emulator": {"StopInstance": "DiskEror"}}, "the code DiskEror is unknown"),
        ({"InstanceId": "i-1", "x-emulator": {"AccountId": "1234"}}, 'x-emulator.AccountId is "1234"'),
        ({"InstanceId": "i-1", "x-emulator": []}, r"x-emulator is \[\]"),
        ({"InstanceId": "i-1", "Memory": 8192.5}, "instance i-1: Memory is 8192.5"),
        ({"InstanceId": "i-1", "Memory": float("nan")}, "instance i-1: Memory is nan"),
        ({"InstanceId": "i-1", "InstanceName": "a\ud800b"}, r'instance i-1: InstanceName is "a\\ud800b"'),
        ({"InstanceId": "i-\ud800"}, r'instance i-\\ud800: InstanceId is "i-\\ud800"'),
        ({"InstanceId": "i-1", "Tags": {"Tag": [{"TagKey": "\udc00"}]}}, "i-1: Tags.Tag.TagKey is "),
        ({"InstanceId": "i-1", "EipAddress": {"a b": 1}}, 'i-1: EipAddress has the key "a b"'),
        ({"InstanceId": "i-1", "a:b": 1}, 'instance i-1: it has the key "a:b"'),
    ],
)
def test_mistakes_are_named(instance: object, message: str) -> None:
    """A mistake in a fleet is an error that names the instance, the key and the value."""
    with pytest.raises(InvalidFleet, match=message):
        Fleet.from_instances([instance])


def test_an_id_is_there_once() -> None:
    """Two instances with one id are refused, whatever their regions."""
    twice = [{"InstanceId": "i-1"}, {"InstanceId": "i-2"}, {"InstanceId": "i-1", "RegionId": "cn-beijing"}]
    with pytest.raises(InvalidFleet, match=r"i-1 is there twice \(numbers 1 and 3\)"):
        Fleet.from_instances(twice)


def test_long_values_are_quoted_in_part() -> None:
    """An error quotes at most 200 characters of a value."""
    with pytest.raises(InvalidFleet) as raised:
        Fleet.from_instances([{"InstanceId": "i-1", "Tags": "z" * 5000}])
    assert 190 < str(raised.value).count("z") <= 200


def nulls(value: Any) -> Any:  # noqa: ANN401 - whatever JSON holds
    """Put nulls wherever JSON allows one."""
    if isinstance(value, dict):
        return {name: nulls(inner) for name, inner in value.items()} | {"Null": None}
    return [None, *map(nulls, value)] if isinstance(value, list) else value


def test_null_says_as_little_as_nothing() -> None:
    """A null is a missing field, at any depth, whether the local ECS goes by it or passes it through."""
    saved = [{"InstanceId": "i-1", "ImageId": "m-1", "Tags": {"Tag": [{"TagKey": "a"}]}}]
    modelled = ("LocalStorageAmount", "OperationLocks", "InstanceName", "Cpu", "Memory", "StoppedMode")
    given_nulls = [{**nulls(instance), **dict.fromkeys(modelled)} for instance in saved]
    assert described(Fleet.from_instances(given_nulls)) == described(Fleet.from_instances(saved))
    assert Fleet.from_instances(given_nulls).instances[0].local_storage is None


def test_values_that_ecs_adds_later_are_kept() -> None:
    """A value of a list that ECS may extend is answered as it is; such a status can't be stopped."""
    news = {
        "Status": "Deleted",
        "StoppedMode": "Paused",
        "SpotStrategy": "Spot",
        "InstanceChargeType": "Other",
        "InstanceNetworkType": "mesh",
    }
    ecs = LocalEcs(Fleet.from_instances([{"InstanceId": "i-1", **news}]))
    (instance,) = ecs.call("DescribeInstances", {"RegionId": REGION})["Instances"]["Instance"]
    assert {name: instance[name] for name in news} == news
    with pytest.raises(ApiError, match="IncorrectInstanceStatus"):
        ecs.call("StopInstance", {"InstanceId": "i-1"})


def test_whole_numbers_may_have_a_point() -> None:
    """Numbers saved as 8192.0 are answered as ECS writes them, 8192."""
    numbers = {"Cpu": 2.0, "Memory": 8192.0, "LocalStorageAmount": 1.0, "LocalStorageCapacity": 894.0}
    (instance,) = described(Fleet.from_instances([{"InstanceId": "i-1", **numbers}]))
    assert [str(instance[name]) for name in numbers] == ["2", "8192", "1", "894"]


def page(*ids: str, **paging: object) -> dict[str, object]:
    """Make a page of a DescribeInstances answer."""
    return {"Instances": {"Instance": [{"InstanceId": id_} for id_ in ids]}, **paging}


@pytest.mark.parametrize(
    "saved",
    [
        page("i-1", NextToken="more", TotalCount=0),
        page("i-1", NextToken="", TotalCount=2),
        page("i-1", PageNumber=1, PageSize=1, TotalCount=2),
        [page("i-1", NextToken="more"), page("i-2", NextToken="still more")],
        [page("i-1", TotalCount=3), page("i-2", TotalCount=3)],
    ],
)
def test_a_part_of_a_fleet_is_refused(saved: object) -> None:
    """A page that isn't all that ECS had to say is no fleet; the error says how to save all of it."""
    with pytest.raises(InvalidFleet, match=r"^the fleet: these are only [12] instances.*--pager"):
        load_fleet(json.dumps(saved))


@pytest.mark.parametrize(
    "saved",
    [
        page("i-1", "i-2"),  # as aliyun … --pager puts the pages together
        page("i-1", "i-2", NextToken="", TotalCount=2),
        page("i-1", "i-2", NextToken=None, TotalCount=None),
        [page("i-1", NextToken="more", TotalCount=2), page("i-2", NextToken="", TotalCount=2)],
        [page("i-1", "i-2")],
    ],
)
def test_a_whole_fleet_in_one_or_several_pages(saved: object) -> None:
    """Merged pages, one page that holds all, and a list of all pages are the same fleet."""
    assert [instance.instance_id for instance in load_fleet(json.dumps(saved)).instances] == ["i-1", "i-2"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is not JSON"),
        (b"{", "is not JSON.*line 1"),
        (b"\xff\xfe", "is empty"),
        (b"\x80", "byte 1 is not UTF-8; save the file as UTF-8"),
        (b'{"Instances": []}', "as DescribeInstances answers, or a list"),
        (b"3", "as DescribeInstances answers, or a list"),
        (
            b'[{"Instances": {"Instance": []}}, {"InstanceId": "i-1"}]',
            "as DescribeInstances answers, or a list",
        ),
        (b'[{"InstanceId": "i-1", "A": ' + b"[" * 700 + b"]" * 700 + b"}]", "nested deeper than 100 levels"),
        (b'[{"InstanceId": "x"}]', "instance x: InstanceId"),
    ],
)
def test_bad_files_are_named(content: bytes, message: str, tmp_path: Path) -> None:
    """A file that can't be used is named in the error."""
    path = tmp_path / "fleet.json"
    path.write_bytes(content)
    with pytest.raises(InvalidFleet, match=f"fleet.json.*{message}"):
        load_fleet(path)


@pytest.mark.parametrize("levels", [99, 100, 500, 1_200, 50_000])
def test_how_deep_a_file_may_be_is_no_matter_of_the_interpreter(levels: int) -> None:
    """A file is read up to 100 levels, and refused above, however deep this Python could read."""
    text = '[{"InstanceId": "i-1", "A": ' + "[" * (levels - 2) + "]" * (levels - 2) + "}]"
    if levels <= 100:
        assert load_fleet(text).instances[0].instance_id == "i-1"
    else:
        with pytest.raises(InvalidFleet, match="the fleet is not JSON: it is nested deeper than 100 levels"):
            load_fleet(text)


def test_instances_are_no_deeper_than_files() -> None:
    """Instances that no file gave have the same bound; an error names the one that goes beyond."""
    deep: list[object] = []
    for _ in range(98):
        deep = [deep]
    assert Fleet.from_instances([{"InstanceId": "i-1", "A": deep}]).instances[0].instance_id == "i-1"
    with pytest.raises(InvalidFleet, match="instance i-1: it is nested deeper than 100 levels"):
        Fleet.from_instances([{"InstanceId": "i-1", "A": [deep]}])


def test_files_that_arent_there(tmp_path: Path) -> None:
    """A missing file is an InvalidFleet too."""
    with pytest.raises(InvalidFleet, match=r"nothing\.json can't be read"):
        load_fleet(str(tmp_path / "nothing.json"))


def test_files_may_begin_with_a_byte_order_mark(tmp_path: Path) -> None:
    """A file saved by an editor that writes a byte order mark is read."""
    path = tmp_path / "fleet.json"
    path.write_text('[{"InstanceId": "i-1"}]', encoding="utf-8-sig")
    assert load_fleet(path).instances[0].instance_id == "i-1"


def test_the_sample_fleet_has_some_of_everything() -> None:
    """The sample fleet has ids in ECS's style and each reason for which a stop is refused."""
    instances = sample_fleet().instances
    assert all(len(instance.instance_id) == 22 for instance in instances)
    assert {instance.region_id for instance in instances} == {REGION}
    assert {lock for instance in instances for lock in instance.locks} == {"security", "financial"}
    assert {instance.attributes["Status"] for instance in instances} == {"Running", "Stopped"}
    assert {"PrePaid", "PostPaid"} == {instance.attributes["InstanceChargeType"] for instance in instances}
    assert any("LocalStorageAmount" in instance.attributes for instance in instances)
    assert any("keep-running-until" in instance.tags for instance in instances)
    assert any("auto-stop" not in instance.tags for instance in instances)
    assert any(instance.tags.get("stop-guard") == "protected" for instance in instances)


def test_a_fleet_says_how_ecs_behaves() -> None:
    """A fleet file's own x-emulator is the local ECS's behaviour, unless it is told another."""
    keys = {"StopSeconds": 0, "StopCharging": "lenient", "FilterLimit": "refuse"}
    body = {"Instances": {"Instance": [{"InstanceId": "i-1"}]}, "x-emulator": keys}
    fleet = load_fleet(json.dumps(body))
    assert fleet.behaviour == Behaviour(stop_seconds=0, stop_charging="lenient", filter_limit="refuse")
    assert load_fleet(json.dumps([body])).behaviour == fleet.behaviour
    ecs = LocalEcs(fleet)
    ecs.call("StopInstance", {"InstanceId": "i-1"})
    assert ecs.instance("i-1").status == "Stopped"
    told = LocalEcs(fleet, behaviour=Behaviour(stop_seconds=60))
    told.call("StopInstance", {"InstanceId": "i-1"})
    assert told.instance("i-1").status == "Stopping"


@pytest.mark.parametrize(
    ("keys", "problem"),
    [
        ({"FilterLimits": "cut"}, "x-emulator: FilterLimits is unknown; a fleet's takes StopSeconds, Start"),
        ({"FilterLimit": "off"}, "x-emulator: FilterLimit is 'off': it must be 'refuse' or 'cut'"),
        ({"StopSeconds": -1}, "x-emulator: StopSeconds is '-1': it must be at least 0"),
        (["cut"], "x-emulator: it is .*, expected an object"),
    ],
)
def test_wrong_behaviour_is_named(keys: object, problem: str) -> None:
    """What can't be read in a fleet's own x-emulator is named, with its value and what would be right."""
    with pytest.raises(InvalidFleet, match=problem):
        load_fleet(json.dumps({"Instances": {"Instance": []}, "x-emulator": keys}))
