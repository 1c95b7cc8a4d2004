"""What an instance's document in DescribeInstances says, read anew: nothing in here comes from `function`."""

from collections.abc import Mapping
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from typing import Any

from simulation.machine import EPOCH

Document = Mapping[str, Any]


def locks(document: Document) -> set[str]:
    """Give the reasons for which an instance is locked."""
    return {lock["LockReason"] for lock in document["OperationLocks"]["LockReason"]}


def tags(document: Document) -> dict[str, str]:
    """Give the tags of an instance."""
    return {tag["TagKey"]: tag["TagValue"] for tag in document["Tags"]["Tag"]}


def carries(document: Document, wanted: tuple[str, str | None]) -> bool:
    """Whether an instance has a tag; of any value, where none is wanted."""
    key, value = wanted
    own = tags(document)
    return key in own and value in (None, own[key])


def matches(document: Document, filters: Mapping[str, str]) -> bool:
    """Whether an instance is selected by DescribeInstances' filters; simulated ones name one tag at most."""
    for name, value in filters.items():
        if name == "Tag.1.Key":
            fits = carries(document, (value, filters.get("Tag.1.Value")))
        elif name == "InstanceName":
            fits = fnmatchcase(document[name], value)
        else:
            fits = name == "Tag.1.Value" or document[name] == value
        if not fits:
            return False
    return True


def start_moment(document: Document) -> float | None:
    """When an instance was started; None: it doesn't say."""
    if not document["StartTime"]:
        return None
    time = datetime.strptime(document["StartTime"], "%Y-%m-%dT%H:%MZ").replace(tzinfo=UTC)
    return (time - EPOCH).total_seconds()
