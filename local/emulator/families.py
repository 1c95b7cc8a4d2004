"""What an instance's family says of it, where neither the instance nor its x-emulator does.

DescribeInstanceTypes says so for real; the names stand in for it. They are those of ECS's pages on instance
families, local disks and the economical mode.
"""

import re
from functools import lru_cache

from local.api.error_table import CLASSIC, LOCAL_DISK, PREPAID, SPOT, ErrorRow
from local.emulator.fleet_format import KnownAttributes, LocalStorage

_LOCAL_DISKS = re.compile(r"ecs\.(?:i[1-5][a-z]*|d[1-3][a-z]*|gn3|gn5|ga1)")
# They stop without an error, but never in the economical mode.
_PERSISTENT_MEMORY = re.compile(r"ecs\.(?:r7p|re[67]p|re6p-redis|ebmre[67]p)")
# A type of an older family may tell its cores between family and size: ecs.gn5-c4g1.xlarge.
_CORES = re.compile(r"-c\d+[a-z]\d+$")


def family_of(read: KnownAttributes) -> str:
    """Return the family, such as ecs.g6."""
    return _family(read.instance_type)


@lru_cache(maxsize=1_000)
def _family(instance_type: str) -> str:
    return _CORES.sub("", instance_type.rpartition(".")[0])


def has_persistent_memory(read: KnownAttributes) -> bool:
    """Tell whether its family has persistent memory."""
    return _PERSISTENT_MEMORY.fullmatch(family_of(read)) is not None


def local_storage_of(read: KnownAttributes) -> LocalStorage | None:
    """Say which local disks it has: by its own fields, else its x-emulator, else its family's name."""
    if "local_storage_amount" in read.model_fields_set:
        found = LocalStorage(
            LocalStorageAmount=read.local_storage_amount, LocalStorageCapacity=read.local_storage_capacity
        )
    elif read.emulator.local_storage is not None:
        found = read.emulator.local_storage
    elif _LOCAL_DISKS.fullmatch(family_of(read)):
        found = LocalStorage()
    else:
        return None
    return found if found.local_storage_amount else None


def economical_mode_error_of(read: KnownAttributes, local_storage: LocalStorage | None) -> ErrorRow | None:
    """Say which row of StopInstance's table meets StopCharging here."""
    if read.instance_network_type == "classic":
        return CLASSIC
    if read.instance_charge_type == "PrePaid":
        return PREPAID
    if local_storage is not None:
        return LOCAL_DISK
    if read.spot_strategy != "NoSpot":
        return SPOT
    return None
