"""DescribeInstances, DescribeInstanceStatus, DescribeInstanceAttribute and DescribeInstancesFullStatus."""

from collections.abc import Sequence
from typing import Any

from local.api.api_error import ApiError, invalid
from local.api.error_table import DRY_RUN, NOT_FOUND
from local.api.parameters import Parameters, boolean, choice, clamped, json_list, numbered, region, required
from local.emulator.account import Account
from local.emulator.actions import filters
from local.emulator.actions.action import Action, CallContext
from local.emulator.actions.filters import LIMIT
from local.emulator.actions.paging import (
    BY_TOKEN,
    DEFAULT_SIZE,
    NUMBERED,
    asks_by_token,
    numbered_page,
    token_page,
)
from local.emulator.fleet_format import STATUSES
from local.emulator.lifecycle import EmulatedInstance
from local.emulator.region import Instances

MAX_INSTANCE_IDS = 100
MAX_RESULTS = 100
"""Of both actions, as their pages have it."""
MAX_STATUSES = 50
"""PageSize of DescribeInstanceStatus, as its page has it."""

ATTRIBUTES = (
    *(
        "InstanceId",
        "InstanceName",
        "InstanceType",
        "Description",
        "HostName",
        "ImageId",
        "RegionId",
        "ZoneId",
    ),
    *(
        "ClusterId",
        "Status",
        "StoppedMode",
        "CreationTime",
        "ExpiredTime",
        "InstanceChargeType",
        "Cpu",
        "Memory",
    ),
    *("InstanceNetworkType", "InternetChargeType", "InternetMaxBandwidthIn", "InternetMaxBandwidthOut"),
    *("IoOptimized", "SerialNumber", "VlanId", "CreditSpecification", "EnableNetworkEncryption"),
    *(
        "VpcAttributes",
        "EipAddress",
        "PublicIpAddress",
        "InnerIpAddress",
        "SecurityGroupIds",
        "OperationLocks",
    ),
    "DedicatedHostAttribute",
)
"""The fields of DescribeInstances that DescribeInstanceAttribute has too."""

HEALTHY = "Ok"


def _describe_instances(account: Account, parameters: Parameters, context: CallContext) -> dict[str, Any]:
    """Describe a region's instances that match every filter given, a page at a time."""
    in_region = account.in_region(region(parameters))
    ids = json_list(parameters, "InstanceIds", MAX_INSTANCE_IDS)
    if ids is None:
        found = filters.matching(in_region, parameters, context.now)
    else:
        found = filters.matching_ids(in_region, ids, parameters, context.now)
    found = _limited(account, parameters, found)
    page: Sequence[EmulatedInstance]
    if asks_by_token(parameters):
        page, token = token_page(
            parameters, found, _place, least=DEFAULT_SIZE, most=MAX_RESULTS, default=DEFAULT_SIZE
        )
        # All are in ECS's answers whichever way it pages; what they say by token, it doesn't tell.
        size = clamped(parameters, "MaxResults", default=DEFAULT_SIZE, least=DEFAULT_SIZE, most=MAX_RESULTS)
        answer: dict[str, Any] = {"PageNumber": 1, "PageSize": size, "TotalCount": len(found)}
        answer["NextToken"] = token
    else:
        page, answer = numbered_page(parameters, found, MAX_RESULTS)
        answer["NextToken"] = ""
    if boolean(parameters, "DryRun"):
        raise ApiError(*DRY_RUN)
    answer["Instances"] = {"Instance": [instance.attributes() for instance in page]}
    return answer


def _limited(account: Account, parameters: Parameters, found: Instances) -> Instances:
    """Hold a filter by tags or resource group to ECS's limit, where the emulator is told to."""
    limit = account.behaviour.filter_limit
    if limit is None or len(found) <= LIMIT or not filters.is_limited(parameters):
        return found
    if limit == "cut":
        return found[:LIMIT]
    raise invalid(
        "Tag or ResourceGroupId", f"{len(found)} instances match, and these filters are for at most {LIMIT}."
    )


def _describe_instance_status(
    account: Account, parameters: Parameters, context: CallContext
) -> dict[str, Any]:
    """Say the status of a region's instances, or of those named as InstanceId.N, a page at a time."""
    found = _in_region(account, parameters, context)
    for name in ("ZoneId", "ClusterId"):
        if parameters.get(name):
            found = [each for each in found if each.profile.attributes.get(name) == parameters[name]]
    page, answer = numbered_page(parameters, found, MAX_STATUSES)
    statuses = [{"InstanceId": instance.instance_id, "Status": instance.status} for instance in page]
    answer["InstanceStatuses"] = {"InstanceStatus": statuses}
    return answer


def _describe_full_status(account: Account, parameters: Parameters, context: CallContext) -> dict[str, Any]:
    """Say status, health and events; here all are healthy, and no event is scheduled."""
    found = _in_region(account, parameters, context)
    status = choice(parameters, "Status", STATUSES)
    if status:
        found = [each for each in found if each.status == status]
    if parameters.get("HealthStatus", HEALTHY) != HEALTHY:
        found = []
    page, answer = numbered_page(parameters, found, MAX_RESULTS)
    answer["InstanceFullStatusSet"] = {"InstanceFullStatusType": [_full_status(each) for each in page]}
    return answer


def _full_status(instance: EmulatedInstance) -> dict[str, Any]:
    return {
        "InstanceId": instance.instance_id,
        "Status": {"Name": instance.status},  # the codes beside the names aren't published
        "HealthStatus": {"Name": HEALTHY},
        "ScheduledSystemEventSet": {"ScheduledSystemEventType": []},
    }


def _describe_attribute(account: Account, parameters: Parameters, context: CallContext) -> dict[str, Any]:
    """Describe one instance, named by InstanceId, in whichever region it is."""
    instance = account.find(required(parameters, "InstanceId"))
    if instance is None:
        raise ApiError(*NOT_FOUND)
    attributes = instance.described(context.now).attributes()
    return {name: attributes[name] for name in ATTRIBUTES if name in attributes}


def _in_region(account: Account, parameters: Parameters, context: CallContext) -> list[EmulatedInstance]:
    in_region = account.in_region(region(parameters))
    ids = numbered(parameters, "InstanceId")
    if len(ids) > MAX_INSTANCE_IDS:
        raise invalid("InstanceId", f"{len(ids)} ids, expected at most {MAX_INSTANCE_IDS}.")
    if not ids:
        return in_region.shown(context.now)
    return [in_region[id_].described(context.now) for id_ in ids if id_ in in_region]


def _place(instance: EmulatedInstance) -> int:
    return instance.profile.place


ACTIONS = (
    Action(
        name="DescribeInstances",
        perform=_describe_instances,
        parameters=filters.NAMES
        | {*NUMBERED, *BY_TOKEN, "RegionId", "InstanceIds", "DryRun", "AdditionalAttributes."},
    ),
    Action(
        name="DescribeInstanceStatus",
        perform=_describe_instance_status,
        parameters=frozenset({"RegionId", *NUMBERED, "InstanceId.", "ZoneId", "ClusterId"}),
    ),
    Action(
        name="DescribeInstancesFullStatus",
        perform=_describe_full_status,
        parameters=frozenset({"RegionId", *NUMBERED, "InstanceId.", "Status", "HealthStatus"}),
    ),
    Action(
        name="DescribeInstanceAttribute",
        perform=_describe_attribute,
        parameters=frozenset({"RegionId", "InstanceId"}),
    ),
)
