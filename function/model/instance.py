"""An instance as DescribeInstances shows it, and what its type says about local disks."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from function.model.request import Tag

_ECONOMICAL_MODE = "page 'Economical mode', instance families that do not support it"
_PERSISTENT_MEMORY = "page 'Configure the usage mode of persistent memory'"
_I_SERIES = "i1 i2 i2g i2ne i2gne i3 i3g i4 i4g i4r i5 i5e i5g i5ge"
_D_SERIES = "d1 d1ne d2s d2c d3s d3c"

FAMILIES_WITH_LOCAL_DISKS: Mapping[str, str] = {
    **dict.fromkeys(_I_SERIES.split(), f"{_ECONOMICAL_MODE}: all with local SSDs (i series)"),
    **dict.fromkeys(_D_SERIES.split(), f"{_ECONOMICAL_MODE}: all big data families (d series)"),
    "gn5": _ECONOMICAL_MODE,
    "gn3": "an answer of DescribeInstanceTypes: ecs.gn3.2xlarge has one local_ssd_pro of 350 GiB",
    "ga1": "instance family pages: NVMe SSD local disks",
    "i4p": f"{_PERSISTENT_MEMORY}: as a local disk",
    "re6p": f"{_PERSISTENT_MEMORY}: as a local disk",
}
"""Families known for local disks, and where that was seen. Of f1 the sources disagree: its fields decide."""

FAMILIES_WITH_PERSISTENT_MEMORY: Mapping[str, str] = {
    "re6p": _ECONOMICAL_MODE,
    "re6p-redis": _ECONOMICAL_MODE,
    "ebmre6p": _ECONOMICAL_MODE,
    "i4p": _PERSISTENT_MEMORY,
    "re7p": f"{_PERSISTENT_MEMORY}: as memory",
    "r7p": f"{_PERSISTENT_MEMORY}: as memory",
    "ebmre7p": "page 'ECS Bare Metal Instance families': persistent memory",
}
"""They can't be stopped with StopCharging (economical mode's prerequisites), and where that was seen."""

_TYPE = re.compile(r"ecs\.(?P<family>[a-z0-9-]+?)(-c\d+[a-z]\d+)?\.[a-z0-9-]+")
"""Older types carry cores and devices in the name of their family."""

_STORAGE_FAMILY = re.compile(r"(ebm)?[id]\d.*")
"""Families by whose names ECS tells of storage: `i` has local SSDs, `d` is for big data."""


class LocalDisks(StrEnum):
    """Whether an instance has local disks, whose data a stop puts at risk."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"
    """Could not be established; whoever decides must count it as YES."""


def _items(answer: object, name: str) -> list[object]:
    """Take the list out of `{name: […]}`; where nothing is in it, either may be missing, null or empty."""
    match answer:
        case None | "":
            return []
        case dict() | list() if not answer:
            return []
        case {**fields} if set(fields) == {name}:
            items = fields[name]
            if items is None or items == "":
                return []
            if isinstance(items, list):
                return items
    raise ValueError(f"is no list of {name}")


def _lock_reasons(answer: object) -> tuple[str, ...]:
    """Take the reasons out of `{"LockReason": [{"LockReason": "security"}]}`; no field, no lock."""
    return tuple(_text(lock, "LockReason") for lock in _items(answer, "LockReason"))


def _tags(answer: object) -> tuple[Tag, ...]:
    """Take the tags out of `{"Tag": [{"TagKey": …, "TagValue": …}]}`; a tag may come without a value."""
    return tuple(
        Tag(key=_text(tag, "TagKey"), value=_text(tag, "TagValue", empty="")) for tag in _items(answer, "Tag")
    )


def _text(item: object, name: str, *, empty: str | None = None) -> str:
    text = item.get(name) if isinstance(item, dict) else None
    text = empty if text is None else text
    if not isinstance(text, str):
        raise ValueError(f"has no {name}")  # noqa: TRY004 - pydantic turns this one into its own
    return text


def _unless_empty(answer: object) -> object:
    """Take null, and the empty text that some write for it, as nothing said."""
    return None if answer == "" else answer


def _count(answer: object) -> int | None:
    """Take a number that is only reported; what is none is not known."""
    return answer if isinstance(answer, int) and not isinstance(answer, bool) else None


def _word(answer: object) -> str | None:
    """Take a text that is only reported; what is none is not known."""
    return answer if isinstance(answer, str) and answer else None


def _start_time(answer: object) -> datetime | None:
    """Read `2017-12-10T04:04Z`; what can't be read is not known."""
    try:
        time = datetime.fromisoformat(str(answer))
        return time.astimezone(UTC) if time.tzinfo else time.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None


def _name(answer: object) -> str:
    """Take a name, which anybody may have given, as text of one line; what is no text is no name."""
    name = answer if isinstance(answer, str) else ""
    if name.isprintable():
        return name
    return "".join(char if char.isprintable() else "\ufffd" for char in name)


def _has_address(answer: object) -> bool:
    """Whether there is an address in `{"IpAddress": ["203.0.113.7"]}`; what can't be read is none."""
    return isinstance(answer, dict) and bool(answer.get("IpAddress"))


class Instance(BaseModel):
    """The fields of DescribeInstances that decisions and reports rest on, under the API's names.

    Validation fails rather than read a lock or a tag wrongly; what is only reported never fails.
    `has_public_ip`: one that comes with its vCPUs; an Elastic IP is elsewhere (`EipAddress`).
    """

    model_config = ConfigDict(frozen=True, extra="ignore", arbitrary_types_allowed=True)

    instance_id: str = Field(alias="InstanceId")
    instance_name: Annotated[str, BeforeValidator(_name)] = Field("", alias="InstanceName")
    resource_group_id: Annotated[str | None, BeforeValidator(_word)] = Field(None, alias="ResourceGroupId")
    status: str = Field(alias="Status")
    instance_type: Annotated[str, BeforeValidator(lambda answer: "" if answer is None else answer)] = Field(
        "", alias="InstanceType"
    )
    cpu: Annotated[int | None, BeforeValidator(_count)] = Field(None, alias="Cpu")
    instance_charge_type: str | None = Field(None, alias="InstanceChargeType")
    instance_network_type: str | None = Field(None, alias="InstanceNetworkType")
    local_storage_amount: Annotated[int | None, BeforeValidator(_unless_empty)] = Field(
        None, alias="LocalStorageAmount"
    )
    local_storage_capacity: Annotated[int | None, BeforeValidator(_unless_empty)] = Field(
        None, alias="LocalStorageCapacity"
    )
    lock_reasons: Annotated[tuple[str, ...], BeforeValidator(_lock_reasons)] = Field(
        (), alias="OperationLocks"
    )
    tags: Annotated[tuple[Tag, ...], BeforeValidator(_tags)] = Field((), alias="Tags")
    start_time: Annotated[datetime | None, BeforeValidator(_start_time)] = Field(None, alias="StartTime")
    stopped_mode: Annotated[str | None, BeforeValidator(_word)] = Field(None, alias="StoppedMode")
    has_public_ip: Annotated[bool, BeforeValidator(_has_address)] = Field(
        default=False, alias="PublicIpAddress"
    )

    @property
    def family(self) -> str | None:
        """`g6` of `ecs.g6.large`, `gn5` of `ecs.gn5-c4g1.xlarge`; None where the type has another form."""
        match = _TYPE.fullmatch(self.instance_type)
        return match["family"] if match else None

    def carries(self, tag: Tag) -> bool:
        """Whether it has this tag; a tag without a value is matched by its key."""
        return any(own.key == tag.key and tag.value in {None, own.value} for own in self.tags)

    def tag_value(self, key: str) -> str | None:
        """Give the value of a tag, None where there is no such tag."""
        return next((tag.value for tag in self.tags if tag.key == key), None)

    def local_disks(self, types: Mapping[str, LocalDisks]) -> LocalDisks:
        """Establish whether there are local disks: its own live fields first, else what `types` says.

        "None" is not believed, of the instance or of its type, where the family is known for local disks, or
        has such a name.
        """
        sizes = {self.local_storage_amount, self.local_storage_capacity} - {None}
        if sizes:
            said = LocalDisks.NO if sizes == {0} else LocalDisks.YES
        else:
            said = types.get(self.instance_type, LocalDisks.UNKNOWN)
        believed = said is not LocalDisks.NO or self.family is None
        return said if believed or local_disks_by_family(self) is LocalDisks.NO else LocalDisks.UNKNOWN


def local_disks_by_family(instance: Instance) -> LocalDisks:
    """Judge by the family alone, the last resort where ECS may not be asked.

    Families of kind `i` (local SSDs) and `d` (dense storage) that are not listed are not established.
    """
    family = instance.family
    if family in FAMILIES_WITH_LOCAL_DISKS:
        return LocalDisks.YES
    return LocalDisks.UNKNOWN if family is None or _STORAGE_FAMILY.fullmatch(family) else LocalDisks.NO
