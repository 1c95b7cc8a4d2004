"""An instance as DescribeInstances shows it, and what its type says about local disks."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from function.model.request import Tag

FAMILIES_WITH_LOCAL_DISKS = frozenset(
    "i1 i2 i2g i2ne i2gne i3 i3g i4 i4g i4r i4p i5 i5e i5g i5ge d1 d1ne d2s d2c d3s d3c gn5 ga1".split()  # noqa: SIM905 - a list of words reads better as words
)
"""Known from the instance family pages; asked only where ECS itself does not say."""

FAMILIES_WITH_PERSISTENT_MEMORY = frozenset({"re6p", "re6p-redis", "ebmre6p"})
"""They can't be stopped with StopCharging (economical mode's prerequisites)."""


_TYPE = re.compile(r"ecs\.(?P<family>[a-z0-9-]+?)(-c\d+[a-z]\d+)?\.[a-z0-9-]+")
"""Older types carry cores and devices in the name of their family."""

_STORAGE_FAMILY = re.compile(r"(ebm)?[id]\d.*")


class LocalDisks(StrEnum):
    """Whether an instance has local disks, whose data a stop puts at risk."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"
    """Could not be established; whoever decides must count it as YES."""


def _lock_reasons(answer: object) -> tuple[str, ...]:
    """Take the reasons out of `{"LockReason": [{"LockReason": "security"}]}`; no field, no lock."""
    if answer is None or answer == {}:
        return ()
    match answer:
        case {"LockReason": list(locks)}:
            return tuple(_text(lock, "LockReason") for lock in locks)
        case _:
            raise ValueError("is not a list of locks")


def _tags(answer: object) -> tuple[Tag, ...]:
    """Take the tags out of `{"Tag": [{"TagKey": …, "TagValue": …}]}`; a tag may come without a value."""
    if answer is None or answer == {}:
        return ()
    match answer:
        case {"Tag": list(tags)}:
            return tuple(Tag(key=_text(tag, "TagKey"), value=_text(tag, "TagValue", "")) for tag in tags)
        case _:
            raise ValueError("is not a list of tags")


def _text(item: object, name: str, default: object = None) -> str:
    text = item.get(name, default) if isinstance(item, dict) else None
    if not isinstance(text, str):
        raise ValueError(f"has no {name}")  # noqa: TRY004 - pydantic turns this one into its own
    return text


def _start_time(answer: object) -> datetime | None:
    """Read `2017-12-10T04:04Z`; what can't be read is not known."""
    try:
        time = datetime.fromisoformat(str(answer))
        return time.astimezone(UTC) if time.tzinfo else time.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None


MAX_NAME = 128
"""Characters of an instance's name: ECS takes no more."""


def _name(answer: object) -> str:
    """Take a name, which anybody may have given, as text of one line; what is no text is no name."""
    name = answer if isinstance(answer, str) else ""
    return "".join(char if char.isprintable() else "\ufffd" for char in name[:MAX_NAME])


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
    region_id: str = Field(alias="RegionId")
    status: str = Field(alias="Status")
    instance_type: str = Field("", alias="InstanceType")
    cpu: int | None = Field(None, alias="Cpu")
    instance_charge_type: str | None = Field(None, alias="InstanceChargeType")
    instance_network_type: str | None = Field(None, alias="InstanceNetworkType")
    local_storage_amount: int | None = Field(None, alias="LocalStorageAmount")
    local_storage_capacity: int | None = Field(None, alias="LocalStorageCapacity")
    lock_reasons: Annotated[tuple[str, ...], BeforeValidator(_lock_reasons)] = Field(
        (), alias="OperationLocks"
    )
    tags: Annotated[tuple[Tag, ...], BeforeValidator(_tags)] = Field((), alias="Tags")
    start_time: Annotated[datetime | None, BeforeValidator(_start_time)] = Field(None, alias="StartTime")
    stopped_mode: str | None = Field(None, alias="StoppedMode")
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
        """Establish whether there are local disks: its own live fields first, else what `types` says."""
        sizes = {self.local_storage_amount, self.local_storage_capacity} - {None}
        if sizes:
            return LocalDisks.NO if sizes == {0} else LocalDisks.YES
        return types.get(self.instance_type, LocalDisks.UNKNOWN)


def local_disks_by_family(instance: Instance) -> LocalDisks:
    """Judge by the family alone, the last resort where ECS may not be asked.

    Families of kind `i` (local SSDs) and `d` (dense storage) that are not listed are not established.
    """
    family = instance.family
    if family in FAMILIES_WITH_LOCAL_DISKS:
        return LocalDisks.YES
    return LocalDisks.UNKNOWN if family is None or _STORAGE_FAMILY.fullmatch(family) else LocalDisks.NO
