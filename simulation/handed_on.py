"""What the function hands on, read anew: the wishes of the event that FC gets."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from simulation.machine import EPOCH
from simulation.scenario import Tag, Wish


def handed_on(event: bytes) -> tuple[Wish, ...]:
    """Read what an event that the function has handed on asks for: a shard, or all of a delivery."""
    found = json.loads(event)
    return tuple(map(_wish, found if isinstance(found, list) else [found]))


def _wish(envelope: Mapping[str, Any]) -> Wish:
    data, time, selection = envelope["data"], envelope.get("time"), envelope.get("selection", {})
    return Wish(
        event_id=envelope["id"],
        source=envelope.get("origin", "request"),
        ids=tuple(data.get("InstanceIds", ())),
        filters=None if "InstanceIds" in data else _parameters(data),
        regions=tuple(data.get("RegionIds") or (data["RegionId"],)),
        roles=(data["RoleArn"],) if "RoleArn" in data else (),
        stopped_mode=data["StoppedMode"],
        confirm_stop=data.get("ConfirmStop", False),
        force_stop=data.get("ForceStop", False),
        dry_run=data["DryRun"],
        admitted=envelope["admitted"],
        selected_by=_tags(selection),
        time=None if time is None else (datetime.fromisoformat(time) - EPOCH).total_seconds(),
    )


def _tags(filters: Mapping[str, Any]) -> tuple[Tag, ...]:
    return tuple((tag["Key"], tag.get("Value")) for tag in filters.get("Tag", ()))


def _parameters(filters: Mapping[str, Any]) -> dict[str, str]:
    """Give filters under DescribeInstances' names."""
    names = ("ResourceGroupId", "VpcId", "ZoneId", "InstanceName")
    parameters: dict[str, str] = {name: filters[name] for name in names if name in filters}
    for number, (key, value) in enumerate(_tags(filters), 1):
        parameters[f"Tag.{number}.Key"] = key
        if value is not None:
            parameters[f"Tag.{number}.Value"] = value
    return parameters
