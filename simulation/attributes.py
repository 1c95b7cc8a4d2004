"""What DescribeInstances says of an instance, read anew: nothing in here comes from `function`."""

from collections.abc import Mapping
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from typing import Any

from simulation.machine import EPOCH

Attributes = Mapping[str, Any]
"""One instance of its answer."""


def locks(attributes: Attributes) -> set[str]:
    """Give the reasons for which an instance is locked."""
    return {lock["LockReason"] for lock in attributes["OperationLocks"]["LockReason"]}


def tags(attributes: Attributes) -> dict[str, str]:
    """Give the tags of an instance."""
    return {tag["TagKey"]: tag["TagValue"] for tag in attributes["Tags"]["Tag"]}


def carries(attributes: Attributes, wanted: tuple[str, str | None]) -> bool:
    """Whether an instance has a tag; of any value, where none is wanted."""
    key, value = wanted
    own = tags(attributes)
    return key in own and value in (None, own[key])


def matches(attributes: Attributes, filters: Mapping[str, str]) -> bool:
    """Whether an instance is selected by DescribeInstances' filters; simulated ones name one tag at most."""
    for name, value in filters.items():
        if name == "Tag.1.Key":
            fits = carries(attributes, (value, filters.get("Tag.1.Value")))
        elif name == "InstanceName":
            fits = fnmatchcase(attributes[name], value)
        else:
            fits = name == "Tag.1.Value" or attributes[name] == value
        if not fits:
            return False
    return True


def start_moment(attributes: Attributes) -> float | None:
    """When an instance was started; None: it doesn't say."""
    if not attributes["StartTime"]:
        return None
    time = datetime.strptime(attributes["StartTime"], "%Y-%m-%dT%H:%MZ").replace(tzinfo=UTC)
    return (time - EPOCH).total_seconds()
