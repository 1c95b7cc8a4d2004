"""Random fleets, in DescribeInstances' words: every status, lock, tag, disk and way to pay that matters."""

from collections.abc import Sequence
from datetime import timedelta, timezone
from math import inf
from random import Random
from typing import Any

from simulation.machine import true_time
from simulation.scenario import MANAGED_TAGS, OWN_REGION, SECOND_ACCOUNT, SECOND_REGION, THIRD_REGION, Limits

MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0

LOCKS = ("security", "financial", "Recycling", "dedicatedhostfinancial", "refunded")
REGIONS = (OWN_REGION,) * 5 + (SECOND_REGION,) * 3 + (THIRD_REGION,)

# What DescribeInstanceTypes will say: x-emulator, and whether there are local disks. z1's family is in no
# list, x9 is too new for DescribeInstanceTypes.
TYPES: dict[str, tuple[dict[str, Any], bool]] = {
    "ecs.g6.large": ({}, False),
    "ecs.re6p.large": ({}, False),
    "ecs.re7p.large": ({}, False),
    "ecs.i2.xlarge": ({}, True),
    "ecs.z1.large": ({"LocalStorage": {}}, True),
    "ecs.x9.large": ({"UnknownType": True}, False),
}
_TYPES = ("ecs.g6.large",) * 6 + tuple(TYPES)

_SIZES = (1, 1, 1, 2, 2, 3, 3, 4, 5, 6, 8, 12)
_ONE_BIG = 300
"""One fleet in so many needs more than one page, and more than one call by id."""
_BIG_SIZES = (101, 150, 230, 260)
_ONE_ALIKE = 3
"""One fleet in so many is of one type without local disks, so that most of it can be stopped together."""
_ALIKE_SIZES = (6, 8, 10, 12, 16, 20)
_ALIKE = {
    "InstanceType": "ecs.g6.large",
    "LocalStorageAmount": 0,
    "LocalStorageCapacity": 0,
    "StartTime": true_time(-3 * HOUR).strftime("%Y-%m-%dT%H:%MZ"),
    "Status": "Running",
    "OperationLocks": {"LockReason": []},
}


def draw_fleet(
    random: Random, limits: Limits, keep_until: dict[str, float], *, calm: bool
) -> Sequence[dict[str, Any]]:
    """Draw a fleet; what its keep-until tags mean is noted in `keep_until`."""
    big, alike = random.randrange(_ONE_BIG) == 0, random.randrange(_ONE_ALIKE) == 0
    regions = (OWN_REGION,) if big or (alike and random.random() < 0.7) else REGIONS
    fleet = [
        _instance(random, number, random.choice(regions), limits, keep_until, calm=calm)
        for number in range(random.choice(_BIG_SIZES if big else _ALIKE_SIZES if alike else _SIZES))
    ]
    return [one | _ALIKE for one in fleet] if alike else fleet


def draw_keep_until(random: Random) -> tuple[str, float]:
    """Draw the value of a keep-until tag, and the moment until which it keeps its instance running.

    A time without an offset counts as UTC-12, a date alone lasts to its end there, and what can't be read
    keeps the instance for ever.
    """
    moment = random.choice((-DAY, -2 * DAY, -10 * MINUTE, -1, 5, 20, 60, HOUR, 3 * DAY))
    time = true_time(moment)
    match random.randrange(5):
        case 0:
            return time.strftime("%Y-%m-%dT%H:%M:%SZ"), moment
        case 1:
            east = time.astimezone(timezone(timedelta(hours=8)))
            return east.strftime("%Y-%m-%dT%H:%M:%S+08:00"), moment
        case 2:
            return time.strftime("%Y-%m-%dT%H:%M:%S"), moment + 12 * HOUR
        case 3:
            into_the_day = time.hour * HOUR + time.minute * MINUTE + time.second
            return time.strftime("%Y-%m-%d"), moment - into_the_day + DAY + 12 * HOUR
        case _:
            return random.choice(("tomorrow", "", "2026-02-30", "20.01.2026")), inf


def _instance(
    random: Random,
    number: int,
    region: str,
    limits: Limits,
    keep_until: dict[str, float],
    *,
    calm: bool,
) -> dict[str, Any]:
    chance = random.random
    kind = random.choice(_TYPES)
    type_emulator, has_disks = TYPES[kind]
    attributes: dict[str, Any] = {
        "InstanceId": f"i-{number:03}",
        "RegionId": region,
        "ZoneId": f"{region}-{random.choice('gh')}",
        "InstanceName": f"{random.choice(('dev', 'web'))}-{number}",
        "ResourceGroupId": random.choice(("rg-one", "rg-two")),
        "InstanceType": kind,
        "Status": "Running"
        if chance() < 0.8
        else random.choice(("Stopped", "Stopping", "Starting", "Pending")),
        "Tags": {"Tag": _tags(random, limits, keep_until)},
    }
    if chance() < 0.12:
        reasons = random.sample(LOCKS, random.choice((1, 1, 2)))
        attributes["OperationLocks"] = {"LockReason": [{"LockReason": reason} for reason in reasons]}
    if chance() < 0.5:
        shown = has_disks and chance() < 0.8  # ECS shows zeros, too, where there are disks
        attributes["LocalStorageAmount"] = int(shown)
        attributes["LocalStorageCapacity"] = 894 if shown else 0
    if chance() < 0.2:
        attributes["InstanceChargeType"] = random.choice(("PrePaid", "PostPaid"))
        attributes["InstanceNetworkType"] = random.choice(("classic", "vpc"))
        attributes["SpotStrategy"] = random.choice(("NoSpot", "SpotAsPriceGo", "SpotWithPriceLimit"))
    if chance() < 0.5:
        started = true_time(-random.choice((10, 5 * MINUTE, 40 * MINUTE, 3 * HOUR, -MINUTE)))
        attributes["StartTime"] = started.strftime("%Y-%m-%dT%H:%MZ") if chance() < 0.9 else ""
    attributes["x-emulator"] = type_emulator | _behaviour(random, calm=calm)
    if chance() < (0.4 if limits.allowed_roles else 0.05):
        attributes["x-emulator"]["AccountId"] = SECOND_ACCOUNT
    return attributes


def _tags(random: Random, limits: Limits, keep_until: dict[str, float]) -> list[dict[str, str]]:
    chance = random.random
    tags = {}
    if chance() < 0.7:
        tags["env"] = random.choice(("dev", "dev", "prod"))
    if chance() < 0.9 and limits.required_tag:
        key, value = limits.required_tag
        right = random.choice(("true", "yes")) if value is None else value
        tags[key] = right if chance() < 0.95 else "false"
    if chance() < 0.1:
        key, value = random.choice(limits.protected_tags)
        tags[key] = value or "protected" if chance() < 0.8 else "other"
    if chance() < 0.06:
        tags[random.choice((*MANAGED_TAGS, *limits.managing, "managed-by"))] = "np-1"
    if chance() < 0.12:
        text, until = draw_keep_until(random)
        tags[limits.keep_until_key] = text
        keep_until[text] = until
    return [{"TagKey": key, "TagValue": value} for key, value in tags.items()]


def _behaviour(random: Random, *, calm: bool) -> dict[str, Any]:
    chance = random.random
    keys: dict[str, Any] = {"StopSeconds": random.choice((0, 1, 1, 2, 2, 5, 20, 30))}
    if calm:
        return keys
    keys["StopSeconds"] = random.choice((0, 1, 1, 2, 2, 2, 5, 5, 20, 60, 200))
    if chance() < 0.05:
        keys["Stuck"] = random.choice(("Running", "Stopping"))
    if chance() < 0.06:
        keys["StopInstance"] = random.choice(
            (
                "DiskError",
                "InternalError",
                "InvalidParameter.KMSKeyId.KMSUnauthorized",
                "IncorrectInstanceStatus",
            )
        )
    if chance() < 0.2:
        keys["StopCharging"] = random.choice(("reject", "lenient"))
    return keys
