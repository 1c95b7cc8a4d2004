"""The actions that the local ECS has, by name."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from local.api.error_table import UNKNOWN_ACTION, ApiError
from local.api.parameters import Parameters, check_known
from local.emulator.account import Account
from local.emulator.describe_actions import (
    SAME_FIELD,
    describe_instance_status,
    describe_instance_types,
    describe_instances,
)
from local.emulator.lifecycle import Aftermath
from local.emulator.stop_actions import stop_instance, stop_instances

READS: dict[str, Callable[[Account, Parameters, datetime], dict[str, Any]]] = {
    "DescribeInstances": describe_instances,
    "DescribeInstanceStatus": describe_instance_status,
    "DescribeInstanceTypes": describe_instance_types,
}
WRITES: dict[str, Callable[[Account, Parameters, datetime, Aftermath], dict[str, Any]]] = {
    "StopInstance": stop_instance,
    "StopInstances": stop_instances,
}
ACTIONS = (*WRITES, *READS)

_PAGE = ("PageNumber", "PageSize")
_TOKEN = ("MaxResults", "NextToken")
_STOP = ("RegionId", "StoppedMode", "ForceStop", "DryRun")
PARAMETERS: dict[str, tuple[str, ...]] = {
    "DescribeInstances": (
        *("RegionId", *_PAGE, *_TOKEN, *SAME_FIELD),
        *("InstanceIds", "InstanceName", "Status", "Tag.", "VpcId"),
    ),
    "DescribeInstanceStatus": ("RegionId", *_PAGE, "InstanceId.", "ZoneId"),
    "DescribeInstanceTypes": ("RegionId", *_TOKEN, "InstanceTypes."),
    "StopInstance": (*_STOP, "InstanceId", "ConfirmStop"),
    "StopInstances": (*_STOP, "InstanceId.", "BatchOptimization"),
}
"""What each action takes; a name that ends in a dot is a list's. Some clients add RegionId to any call."""


def perform(
    action: str, account: Account, parameters: Parameters, now: datetime, aftermath: Aftermath
) -> dict[str, Any]:
    """Do what the action says and return its answer without RequestId, or raise ApiError."""
    if action in PARAMETERS:
        check_known(parameters, PARAMETERS[action])
    if action in WRITES:
        return WRITES[action](account, parameters, now, aftermath)
    if action in READS:
        return READS[action](account, parameters, now)
    raise ApiError(*UNKNOWN_ACTION)
