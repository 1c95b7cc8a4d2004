"""DescribeDisks and DescribeSecurityGroups, as far as the fleet's instances tell of them.

Of disks, ECS's instances tell their local ones alone; that each has a system disk goes without saying.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from local.api.parameters import Parameters, json_list, region
from local.emulator.account import Account
from local.emulator.actions.action import Action, CallContext
from local.emulator.actions.paging import (
    BY_TOKEN,
    DEFAULT_SIZE,
    NUMBERED,
    asks_by_token,
    numbered_page,
    token_page,
)
from local.emulator.lifecycle import EmulatedInstance

MAX_IDS = 100
MAX_RESULTS = 500
MAX_PAGE_SIZE = 100
"""Of DescribeDisks and its like, as their pages have it."""
SYSTEM_DISK_GIB = 40
"""Of a system disk, whose size no instance tells: the console's default."""

_OF_A_DISK = {
    **{name: name for name in ("ZoneId", "InstanceId", "DiskName", "Category", "Status")},
    "DiskType": "Type",
    "DiskChargeType": "DiskChargeType",
    "ResourceGroupId": "ResourceGroupId",
}
_OF_A_GROUP = {name: name for name in ("VpcId", "SecurityGroupId", "SecurityGroupName")}
Resource = dict[str, Any]


def _describe_disks(account: Account, parameters: Parameters, _context: CallContext) -> dict[str, Any]:
    instances = account.in_region(region(parameters)).values()
    disks = [disk for instance in instances for disk in _disks(instance)]
    ids = json_list(parameters, "DiskIds", MAX_IDS)
    return _page(parameters, _matching(parameters, _OF_A_DISK, "DiskId", ids, disks), "Disks", "Disk")


def _disks(instance: EmulatedInstance) -> Iterator[Resource]:
    attributes: Mapping[str, Any] = instance.profile.attributes
    tail = instance.instance_id.removeprefix("i-")
    common = {
        "InstanceId": instance.instance_id,
        "RegionId": instance.profile.region_id,
        "ZoneId": attributes["ZoneId"],
        "ResourceGroupId": attributes["ResourceGroupId"],
        "Status": "In_use",
        "DiskChargeType": attributes["InstanceChargeType"],
        "CreationTime": attributes["CreationTime"],
        "AttachedTime": attributes["CreationTime"],
        "DeleteWithInstance": True,
        "Encrypted": False,
        "Portable": False,
    }
    yield {
        **common,
        "DiskId": f"d-{tail}",
        "DiskName": "",
        "Device": "/dev/xvda",
        "Type": "system",
        "Category": "cloud_essd",
        "Size": SYSTEM_DISK_GIB,
    }
    local = instance.profile.local_storage
    for number in range(local.local_storage_amount if local else 0):
        yield {
            **common,
            "DiskId": f"d-{tail}-{number}",
            "DiskName": "",
            "Device": f"/dev/xvd{chr(ord('b') + number % 25)}",
            "Type": "data",
            "Category": local.local_storage_category if local else "",
            "Size": local.local_storage_capacity if local else 0,
        }


def _describe_security_groups(
    account: Account, parameters: Parameters, _context: CallContext
) -> dict[str, Any]:
    groups: dict[str, Resource] = {}
    for instance in account.in_region(region(parameters)).values():
        attributes = instance.profile.attributes
        for group_id in attributes["SecurityGroupIds"].get("SecurityGroupId", []):
            group = groups.setdefault(
                group_id,
                {
                    "SecurityGroupId": group_id,
                    "SecurityGroupName": group_id,
                    "Description": "",
                    "SecurityGroupType": "normal",
                    "VpcId": attributes["VpcAttributes"].get("VpcId", ""),
                    "EcsCount": 0,
                    "ServiceManaged": False,
                    "Tags": {"Tag": []},
                },
            )
            group["EcsCount"] += 1
    ids = json_list(parameters, "SecurityGroupIds", MAX_IDS)
    found = _matching(parameters, _OF_A_GROUP, "SecurityGroupId", ids, list(groups.values()))
    return {
        **_page(parameters, found, "SecurityGroups", "SecurityGroup"),
        "RegionId": region(parameters),
    }


def _matching(
    parameters: Parameters,
    fields: Mapping[str, str],
    id_field: str,
    ids: tuple[str, ...] | None,
    resources: list[Resource],
) -> list[Resource]:
    wanted = {field: parameters[name] for name, field in fields.items() if parameters.get(name)}
    return [
        each
        for each in resources
        if (ids is None or each[id_field] in ids)
        and all(each[field] == value for field, value in wanted.items())
    ]


def _page(parameters: Parameters, found: list[Resource], plural: str, singular: str) -> dict[str, Any]:
    if not asks_by_token(parameters):
        page, answer = numbered_page(parameters, found, MAX_PAGE_SIZE)
        return {**answer, "NextToken": "", plural: {singular: list(page)}}
    places = list(enumerate(found))
    part, token = token_page(
        parameters, places, lambda one: one[0], least=1, most=MAX_RESULTS, default=DEFAULT_SIZE
    )
    return {"TotalCount": len(found), "NextToken": token, plural: {singular: [each for _, each in part]}}


ACTIONS = (
    Action(
        name="DescribeDisks",
        perform=_describe_disks,
        parameters=frozenset({"RegionId", *NUMBERED, *BY_TOKEN, "DiskIds", *_OF_A_DISK}),
    ),
    Action(
        name="DescribeSecurityGroups",
        perform=_describe_security_groups,
        parameters=frozenset({"RegionId", *NUMBERED, *BY_TOKEN, "SecurityGroupIds", *_OF_A_GROUP}),
    ),
)
