"""An instance is read from DescribeInstances as it is, or not at all."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from function.model.instance import (
    FAMILIES_WITH_LOCAL_DISKS,
    Instance,
    LocalDisks,
    local_disks_by_family,
)
from function.model.request import Tag

BARE = {"InstanceId": "i-1", "RegionId": "cn-hangzhou", "Status": "Running"}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


def read(**fields: object) -> Instance:
    """Read an instance with these fields."""
    return Instance.model_validate(BARE | fields)


@pytest.mark.parametrize(
    ("said", "cpu"), [(2, 2), (0, 0), (True, None), ("2", None), ("", None), (None, None)]
)
def test_the_number_of_cores_is_a_number_or_not_known(said: object, cpu: int | None) -> None:
    """It is only reported: what is no number is not known, and never a reason to fail."""
    assert read(Cpu=said).cpu == cpu


def test_locks_and_tags_are_taken_out_of_their_lists() -> None:
    """The nested lists of DescribeInstances become plain reasons and tags; a tag may have no value."""
    seen = read(
        OperationLocks={
            "LockReason": [{"LockReason": "security", "LockMsg": ""}, {"LockReason": "financial"}]
        },
        Tags={"Tag": [{"TagKey": "a", "TagValue": "b"}, {"TagKey": "c"}]},
    )
    assert seen.lock_reasons == ("security", "financial")
    assert seen.tags == (Tag(key="a", value="b"), Tag(key="c", value=""))


NO_LOCKS: list[object] = [None, {}, [], "", {"LockReason": []}, {"LockReason": None}, {"LockReason": ""}]


@pytest.mark.parametrize("nothing", NO_LOCKS)
def test_no_locks(nothing: object) -> None:
    """Without locks the field, or the list in it, is missing, null or empty."""
    assert read(OperationLocks=nothing).lock_reasons == ()


@pytest.mark.parametrize("nothing", [None, {}, [], "", {"Tag": []}, {"Tag": None}, {"Tag": ""}])
def test_no_tags(nothing: object) -> None:
    """Without tags the field, or the list in it, is missing, null or empty."""
    assert read(Tags=nothing).tags == ()


@pytest.mark.parametrize("value", [None, ""])
def test_a_tag_without_a_value_has_the_empty_one(value: object) -> None:
    """Null is how some say that a tag has no value."""
    assert read(Tags={"Tag": [{"TagKey": "a", "TagValue": value}]}).tags == (Tag(key="a", value=""),)


@given(
    st.sampled_from(
        [
            "Cpu",
            "StoppedMode",
            "InstanceName",
            "StartTime",
            "PublicIpAddress",
            "RegionId",
            "Memory",
            "ExpiredTime",
        ]
    ),
    JSON,
)
def test_what_no_decision_uses_never_fails(field: str, answer: object) -> None:
    """Whatever stands in a field that is only reported, the instance can be read."""
    assert read(**{field: answer}).instance_id == "i-1"


@pytest.mark.parametrize(
    "field",
    [
        "InstanceType",
        "InstanceChargeType",
        "InstanceNetworkType",
        "LocalStorageAmount",
        "LocalStorageCapacity",
        "OperationLocks",
        "Tags",
    ],
)
@pytest.mark.parametrize("answer", [None, ""])
def test_null_and_empty_say_nothing(field: str, answer: object) -> None:
    """A field that decisions use may be missing, null or empty: it is as if it were not there."""
    said = read(**{field: answer})
    assert (said.local_disks({}), said.lock_reasons, said.tags) == (LocalDisks.UNKNOWN, (), ())


@pytest.mark.parametrize("field", ["InstanceId", "Status", "OperationLocks", "Tags", "LocalStorageAmount"])
def test_a_field_that_matters_is_named(field: str) -> None:
    """What a decision needs and can't be read is named by the error."""
    with pytest.raises(ValidationError) as raised:
        read(**{field: ["security"]})
    assert [error["loc"][0] for error in raised.value.errors()] == [field]


@given(
    JSON
    | JSON.map(lambda inner: {"LockReason": inner})
    | st.lists(JSON).map(lambda inner: {"LockReason": inner})
)
def test_a_lock_is_never_overlooked(answer: object) -> None:
    """Locks in a shape that nobody knows make the answer unreadable; they never read as no lock."""
    try:
        seen = read(OperationLocks=answer)
    except ValidationError:
        return
    assert seen.lock_reasons or answer in NO_LOCKS


@pytest.mark.parametrize(
    ("amount", "capacity", "disks"),
    [
        (0, 0, LocalDisks.NO),
        (0, None, LocalDisks.NO),
        (1, None, LocalDisks.YES),
        (None, 894, LocalDisks.YES),
        (0, 894, LocalDisks.YES),
        (None, None, LocalDisks.UNKNOWN),
    ],
)
def test_live_fields_tell_of_local_disks(amount: int | None, capacity: int | None, disks: LocalDisks) -> None:
    """Its own fields decide where they are there, in doubt for a disk; else its type has to."""
    seen = read(LocalStorageAmount=amount, LocalStorageCapacity=capacity, InstanceType="ecs.g6.large")
    assert seen.local_disks({}) is disks
    if disks is LocalDisks.UNKNOWN:
        assert seen.local_disks({"ecs.g6.large": LocalDisks.YES}) is LocalDisks.YES


@pytest.mark.parametrize(
    ("instance_type", "disks"),
    [
        ("ecs.i2.xlarge", LocalDisks.YES),
        ("ecs.i1-c5d1.4xlarge", LocalDisks.YES),
        ("ecs.gn5-c4g1.xlarge", LocalDisks.YES),
        ("ecs.re6p-redis.large", LocalDisks.NO),
        ("ecs.re6p.large", LocalDisks.YES),
        ("ecs.gn3.2xlarge", LocalDisks.YES),
        ("ecs.i4p.2xlarge", LocalDisks.YES),
        ("ecs.g6.large", LocalDisks.NO),
        ("ecs.i99.large", LocalDisks.UNKNOWN),
        ("ecs.ebmi9g.32xlarge", LocalDisks.UNKNOWN),
        ("ecs.d7.large", LocalDisks.UNKNOWN),
        ("", LocalDisks.UNKNOWN),
        ("something else", LocalDisks.UNKNOWN),
    ],
)
def test_families(instance_type: str, disks: LocalDisks) -> None:
    """The list of families decides; an unlisted storage family, or no family at all, is not established."""
    assert local_disks_by_family(read(InstanceType=instance_type)) is disks


@pytest.mark.parametrize("family", [*sorted(FAMILIES_WITH_LOCAL_DISKS), "i99", "i6g", "ebmi9g", "d7", "d4s"])
def test_a_known_family_is_not_believed_to_have_none(family: str) -> None:
    """Zeros in its own fields, or in its type's, leave it open whether it has local disks.

    Nor is one of the i or d series, which ECS's pages know for them, that is newer than the list.
    """
    kind = f"ecs.{family}.2xlarge"
    assert read(InstanceType=kind, LocalStorageAmount=0).local_disks({}) is LocalDisks.UNKNOWN
    assert read(InstanceType=kind).local_disks({kind: LocalDisks.NO}) is LocalDisks.UNKNOWN
    assert read(InstanceType=kind, LocalStorageAmount=1).local_disks({}) is LocalDisks.YES
