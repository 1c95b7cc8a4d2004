"""Fleet files: a saved DescribeInstances answer becomes the instances of the local ECS."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic.alias_generators import to_pascal

from local.api.error_table import CLASSIC, LOCAL_DISK, PREPAID, SPOT, ErrorRow
from local.emulator.fleet_format import EMULATOR_KEY, Document, Emulator, LocalStorage, shown, told

DEFAULT_REGION = "cn-hangzhou"
DEFAULT_GROUP = "sg-bp1emulator0000000000"
"""The security group of instances that name none."""
# Families whose instances have local disks, told by their name alone. DescribeInstanceTypes says so for real;
# this stands in for it where neither the instance nor its x-emulator does.
_LOCAL_DISK_FAMILY = re.compile(r"ecs\.(?:i[1-5][a-z]*|d[1-3][a-z]*|gn5|ga1)")
# Families with persistent memory: they stop without an error, but never in the economical mode.
_PERSISTENT_MEMORY = re.compile(r"ecs\.(?:re6p|re6p-redis|ebmre6p)")
# A type of an older family may tell its cores between family and size: ecs.gn5-c4g1.xlarge.
_CORES = re.compile(r"-c\d+[a-z]\d+$")
_SIZE = re.compile(r"\.(\d*)x?large$")
_NUMBERS = {"cpu", "memory", "local_storage_amount", "local_storage_capacity"}


class InvalidFleet(ValueError):  # noqa: N818 - what is wrong is the fleet, and the message says how
    """A fleet can't be used. The message names the instance, the key, the problem and what would be right."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetInstance:
    """One instance as the fleet gives it. `document` is DescribeInstances' answer: read it, never change it.

    `place`: its number in the fleet, which it keeps whatever becomes of the others.

    `economical_mode`: StopCharging can take effect. `economical_mode_error`: the row of StopInstance's table
    that rejects StopCharging; for spot instances today's pages and the table disagree, so they have both.
    """

    place: int
    instance_id: str
    region_id: str
    document: Mapping[str, Any]
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
    """The instances that a local ECS starts with, in the order in which it lists them."""

    instances: tuple[FleetInstance, ...]

    @classmethod
    def from_instances(cls, instances: Sequence[object], *, region_id: str = DEFAULT_REGION) -> "Fleet":
        """Read instances in the shape of DescribeInstances; `region_id` for those that name none.

        Raise InvalidFleet for the first that can't be used or whose id came before.
        """
        read = tuple(_instance(document, place, region_id) for place, document in enumerate(instances, 1))
        seen: dict[str, int] = {}
        for place, instance in enumerate(read, 1):
            earlier = seen.setdefault(instance.instance_id, place)
            if earlier != place:
                raise InvalidFleet(
                    f"instance {instance.instance_id} is there twice (numbers {earlier} and {place}); "
                    "an InstanceId is unique"
                )
        return cls(read)


def load_fleet(source: Path | str, *, region_id: str = DEFAULT_REGION) -> Fleet:
    """Read a fleet file, or the text of one: a DescribeInstances answer, a list of its pages or of instances.

    Text is what starts with `{` or `[`, anything else is a path. Raise InvalidFleet, for a part of an answer
    too: a rehearsal on a part says nothing about the whole.
    """
    if isinstance(source, str) and source.lstrip()[:1] in ("{", "["):
        name, text = "the fleet", source
    else:
        name = str(source)
        try:
            text = Path(source).read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            raise InvalidFleet(f"{name} can't be read: {error}") from error
    try:
        body = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidFleet(f"{name} is not JSON: {error}") from error
    try:
        return Fleet.from_instances(_instances(body), region_id=region_id)
    except InvalidFleet as error:
        raise InvalidFleet(f"{name}: {error}") from error


def sample_fleet() -> Fleet:
    """Return the fleet that the demo stops: some of everything that can come in the way."""
    return load_fleet(Path(__file__).with_name("fleet.json"))


def _instances(body: object) -> list[object]:
    pages: list[Any]
    match body:
        case [{"Instances": _}, *_]:
            pages = list(body)
        case list():
            return body
        case _:
            pages = [body]
    instances = [instance for page in pages for instance in _on_page(page)]
    totals = [page["TotalCount"] for page in pages if isinstance(page.get("TotalCount"), int)]
    if pages[-1].get("NextToken") or max(totals, default=0) > len(instances):
        raise InvalidFleet(
            f"these are only {len(instances)} instances, and ECS had more; save all of them with "
            "aliyun ecs DescribeInstances --MaxResults 100 --pager, "
            "or leave out NextToken and TotalCount if you mean just these"
        )
    return instances


def _on_page(page: object) -> list[object]:
    match page:
        case {"Instances": {"Instance": list(instances)}}:
            return instances
    raise InvalidFleet('expected {"Instances": {"Instance": […]}} as DescribeInstances answers, or a list')


def _instance(given: object, place: int, region_id: str) -> FleetInstance:
    if not isinstance(given, Mapping):
        raise InvalidFleet(f"instance number {place} is {shown(given)}, expected an object")
    try:
        known = told(given)
        read = Document.model_validate(known)
    except (ValueError, RecursionError) as error:
        name = shown(given.get("InstanceId") or f"number {place}").strip('"')
        problem = "; ".join(_problems(error)) if isinstance(error, ValidationError) else str(error)
        raise InvalidFleet(f"instance {name}: {problem}") from error
    numbers = read.model_dump(include=_NUMBERS, exclude_unset=True, by_alias=True)
    document = {**_defaults(read, region_id), **known, **numbers}
    document.pop(EMULATOR_KEY, None)
    local_storage, emulator = _local_storage(read), read.emulator
    economical_mode_error = _economical_mode_error(read, local_storage)
    return FleetInstance(
        place=place,
        instance_id=read.instance_id,
        region_id=document["RegionId"],
        document=document,
        emulator=emulator,
        tags={tag.tag_key: tag.tag_value for tag in read.tags.tag},
        locks=frozenset(lock.lock_reason for lock in read.operation_locks.lock_reason),
        stop_error=emulator.stop_instance.row() if emulator.stop_instance else None,
        start_error=emulator.start_instance.row() if emulator.start_instance else None,
        local_storage=local_storage,
        economical_mode=economical_mode_error in (None, SPOT)
        and not _PERSISTENT_MEMORY.fullmatch(_family(read)),
        economical_mode_error=economical_mode_error,
    )


def _defaults(read: Document, region_id: str) -> dict[str, Any]:
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
        "InstanceTypeFamily": _family(read),
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


def _family(read: Document) -> str:
    return _CORES.sub("", read.instance_type.rpartition(".")[0])


def _local_storage(read: Document) -> LocalStorage | None:
    """Say which local disks it has: by its own fields, else its x-emulator, else its family's name."""
    if "local_storage_amount" in read.model_fields_set:
        found = LocalStorage(
            LocalStorageAmount=read.local_storage_amount, LocalStorageCapacity=read.local_storage_capacity
        )
    elif read.emulator.local_storage is not None:
        found = read.emulator.local_storage
    elif _LOCAL_DISK_FAMILY.fullmatch(_family(read)):
        found = LocalStorage()
    else:
        return None
    return found if found.local_storage_amount else None


def _economical_mode_error(read: Document, local_storage: LocalStorage | None) -> ErrorRow | None:
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


def _problems(error: ValidationError) -> Iterable[str]:
    for problem in error.errors(include_url=False):
        path = ".".join(str(part) for part in problem["loc"])
        if problem["type"] == "extra_forbidden":
            known = ", ".join(map(to_pascal, Emulator.model_fields))
            yield f"{path} is unknown; {EMULATOR_KEY} takes {known}"
        elif problem["type"] == "missing":
            yield f"{path} is missing"
        else:
            yield f"{path} is {shown(problem['input'])}: {problem['msg']}"
