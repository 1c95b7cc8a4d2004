"""What every random event has: the instances that it means, a time, and a name."""

import json
from collections.abc import Mapping, Sequence
from hashlib import sha256
from random import Random
from typing import Any

from simulation.machine import true_time
from simulation.scenario import OWN_REGION, SECOND_REGION, THIRD_REGION, Limits, Wish

Event = tuple[Any, list[Wish]]
"""An event as JSON has it, and what it means."""


def draw_regions(random: Random, limits: Limits) -> tuple[str, ...]:
    """Draw some of the regions that are allowed, seldom one that is not."""
    if random.random() < 0.03:
        return random.choice(((THIRD_REGION,), (OWN_REGION, THIRD_REGION), (SECOND_REGION, OWN_REGION)))
    allowed = limits.allowed_regions or (OWN_REGION,)
    return tuple(random.sample(allowed, random.randint(1, len(allowed))))


def draw_ids(random: Random, fleet: Sequence[Mapping[str, Any]], regions: Sequence[str]) -> list[str]:
    """Draw instances, mostly of these regions; some unknown, some twice."""
    there = [instance["InstanceId"] for instance in fleet if instance["RegionId"] in regions]
    anywhere = [instance["InstanceId"] for instance in fleet]
    known = there if there and random.random() < 0.9 else anywhere
    many = len(known) if random.random() < 0.5 else random.randint(1, len(known))
    ids = random.sample(known, many)
    if random.random() < 0.15:
        ids.append("i-unknown")
    if random.random() < 0.1:
        ids.append(ids[0])
    return ids


def everywhere(limits: Limits) -> tuple[str, ...]:
    """Where an alarm means its instance if it names no region: wherever anything may be stopped."""
    return limits.allowed_regions or (OWN_REGION,)


def event_time(random: Random, sent: float) -> float:
    """Draw when an event was made: mostly just now, sometimes too long ago, or later than now."""
    return float(round(sent - random.choice((*(0, 1, 2, 2, 5, 9, 30, 90) * 4, 1000, 3500, 4000, -200, -400))))


def iso(moment: float) -> str:
    """Write a moment's time of day as Alibaba Cloud does."""
    return true_time(moment).strftime("%Y-%m-%dT%H:%M:%SZ")


def digest(event: Any) -> str:  # noqa: ANN401 - any JSON
    """Name an event that has no name: SHA-256 of its JSON without blanks, keys in order, 16 digits."""
    return sha256(json.dumps(event, sort_keys=True, separators=(",", ":")).encode()).hexdigest()[:16]
