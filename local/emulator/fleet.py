"""The fleet: what DescribeInstances shows becomes the instances of the local ECS."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError
from pydantic.alias_generators import to_pascal

from local.api.error_table import SPOT, ErrorRow
from local.api.validation import in_words
from local.emulator.behaviour import Behaviour
from local.emulator.families import (
    economical_mode_error_of,
    family_of,
    has_persistent_memory,
    local_storage_of,
)
from local.emulator.fleet_format import EMULATOR_KEY, Emulator, KnownAttributes, LocalStorage
from local.emulator.json_values import shown, told

DEFAULT_REGION = "cn-hangzhou"
DEFAULT_GROUP = "sg-bp1emulator0000000000"
"""The security group of instances that name none."""
_SIZE = re.compile(r"\.(\d*)x?large$")
_NUMBERS = {"cpu", "memory", "local_storage_amount", "local_storage_capacity"}


class InvalidFleet(ValueError):  # noqa: N818 - what is wrong is the fleet, and the message says how
    """A fleet can't be used. The message names the instance, the key, the problem and what would be right."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetInstance:
    """One instance as the fleet gives it. `attributes` are DescribeInstances' answer: never change them.

    `place`: its number in the fleet, which it keeps whatever becomes of the others.

    `economical_mode`: StopCharging can take effect. `economical_mode_error`: the row of StopInstance's table
    that rejects StopCharging; for spot instances today's pages and the table disagree, so they have both.
    """

    place: int
    instance_id: str
    region_id: str
    attributes: Mapping[str, Any]
    emulator: Emulator
    tags: Mapping[str, str]
    locks: frozenset[str]
    stop_error: ErrorRow | None
    start_error: ErrorRow | None
    local_storage: LocalStorage | None
    economical_mode: bool
    economical_mode_error: ErrorRow | None


@dataclass(frozen=True, slots=True)
class Fleet:
    """The instances that a local ECS starts with, in the order in which it lists them.

    `behaviour`: how it is to behave, where the fleet says so.
    """

    instances: tuple[FleetInstance, ...]
    behaviour: Behaviour | None = None

    @classmethod
    def from_instances(
        cls,
        instances: Sequence[object],
        *,
        region_id: str = DEFAULT_REGION,
        behaviour: Behaviour | None = None,
    ) -> "Fleet":
        """Read instances in the shape of DescribeInstances; `region_id` for those that name none.

        Raise InvalidFleet for the first that can't be used or whose id came before.
        """
        read = tuple(_instance(attributes, place, region_id) for place, attributes in enumerate(instances, 1))
        seen: dict[str, int] = {}
        for place, instance in enumerate(read, 1):
            earlier = seen.setdefault(instance.instance_id, place)
            if earlier != place:
                raise InvalidFleet(
                    f"instance {instance.instance_id} is there twice (numbers {earlier} and {place}); "
                    "an InstanceId is unique"
                )
        return cls(read, behaviour)


def _instance(given: object, place: int, region_id: str) -> FleetInstance:
    if not isinstance(given, Mapping):
        raise InvalidFleet(f"instance number {place} is {shown(given)}, expected an object")
    try:
        known = told(given)
        read = KnownAttributes.model_validate(known)
    except ValueError as error:
        name = shown(given.get("InstanceId") or f"number {place}").strip('"')
        problem = "; ".join(_problems(error)) if isinstance(error, ValidationError) else str(error)
        raise InvalidFleet(f"instance {name}: {problem}") from error
    numbers = read.model_dump(include=_NUMBERS, exclude_unset=True, by_alias=True)
    attributes = {**_defaults(read, region_id), **known, **numbers}
    attributes.pop(EMULATOR_KEY, None)
    local_storage, emulator = local_storage_of(read), read.emulator
    economical_mode_error = economical_mode_error_of(read, local_storage)
    return FleetInstance(
        place=place,
        instance_id=read.instance_id,
        region_id=attributes["RegionId"],
        attributes=attributes,
        emulator=emulator,
        tags={tag.tag_key: tag.tag_value for tag in read.tags.tag},
        locks=frozenset(lock.lock_reason for lock in read.operation_locks.lock_reason),
        stop_error=emulator.stop_instance.row() if emulator.stop_instance else None,
        start_error=emulator.start_instance.row() if emulator.start_instance else None,
        local_storage=local_storage,
        economical_mode=economical_mode_error in (None, SPOT) and not has_persistent_memory(read),
        economical_mode_error=economical_mode_error,
    )


def _defaults(read: KnownAttributes, region_id: str) -> dict[str, Any]:
    """Say what an instance is where the fleet leaves it open: running, pay as you go, in a VPC, without tags.

    LocalStorageAmount and LocalStorageCapacity stay away, as ECS leaves them away.
    """
    region_id = read.region_id or region_id
    size = _SIZE.search(read.instance_type)
    cores = 4 * int(size[1] or 1) if size and "xlarge" in size[0] else 2
    return {
        "InstanceId": read.instance_id,
        "InstanceName": read.instance_id,
        "RegionId": region_id,
        "ZoneId": f"{region_id}-h",
        "Status": read.status,
        "StoppedMode": "KeepCharging" if read.status == "Stopped" else read.stopped_mode,
        "InstanceType": read.instance_type,
        "InstanceTypeFamily": family_of(read),
        "Cpu": cores,
        "Memory": cores * 4096,
        "InstanceChargeType": read.instance_charge_type,
        "SpotStrategy": read.spot_strategy,
        "InstanceNetworkType": read.instance_network_type,
        "VpcAttributes": {
            "VpcId": "vpc-bp1emulator0000000000" if read.instance_network_type == "vpc" else ""
        },
        "SecurityGroupIds": {"SecurityGroupId": [DEFAULT_GROUP]},
        "ResourceGroupId": read.resource_group_id,
        "OSType": "linux",
        "CreationTime": "2024-01-01T00:00Z",
        "StartTime": "2024-01-01T00:01Z",
        "OperationLocks": {"LockReason": []},
        "Tags": {"Tag": []},
    }


def _problems(error: ValidationError) -> Iterable[str]:
    for problem in error.errors(include_url=False):
        path = ".".join(str(part) for part in problem["loc"])
        if problem["type"] == "extra_forbidden":
            known = ", ".join(map(to_pascal, Emulator.model_fields))
            yield f"{path} is unknown; {EMULATOR_KEY} takes {known}"
        elif problem["type"] == "missing":
            yield f"{path} is missing"
        else:
            yield f"{path} is {shown(problem['input'])}: {in_words(problem)}"
