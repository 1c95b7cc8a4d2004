"""An instance is read from DescribeInstances as it is, or not at all."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from function.model.instance import Instance, LocalDisks, local_disks_by_family
from function.model.request import Tag

BARE = {"InstanceId": "i-1", "RegionId": "cn-hangzhou", "Status": "Running"}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


def read(**fields: object) -> Instance:
    """Read an instance with these fields."""
    return Instance.model_validate(BARE | fields)


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


@pytest.mark.parametrize("nothing", [None, {}, {"LockReason": []}])
def test_no_locks(nothing: object) -> None:
    """Without locks the field is missing, null or empty."""
    assert read(OperationLocks=nothing).lock_reasons == ()


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
    assert seen.lock_reasons or answer in (None, {}, {"LockReason": []})


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
