"""DescribeInstanceTypes: the types that the fleet's instances have; others this ECS doesn't know."""

from collections.abc import Iterator, Mapping
from typing import Any

from local.api.api_error import invalid
from local.api.parameters import Parameters, decimal, numbered
from local.emulator.account import Account
from local.emulator.actions.action import Action, CallContext
from local.emulator.actions.paging import BY_TOKEN, token_page
from local.emulator.lifecycle import EmulatedInstance

MAX_TYPES = 10
MAX_RESULTS = 1_600
"""Of DescribeInstanceTypes, as its page has it; so many is the default, too."""

SAME = {
    "InstanceTypes.": "InstanceTypeId",
    "InstanceTypeFamilies.": "InstanceTypeFamily",
    "InstanceTypeFamily": "InstanceTypeFamily",
    "LocalStorageCategories.": "LocalStorageCategory",
    "LocalStorageCategory": "LocalStorageCategory",
}
"""Filters whose value, or one of whose values, a field of the type has."""

LEAST = {
    "MinimumCpuCoreCount": "CpuCoreCount",
    "MinimumMemorySize": "MemorySize",
    "MinimumLocalStorageAmount": "LocalStorageAmount",
    "MinimumLocalStorageCapacity": "LocalStorageCapacity",
    "MinimumGPUAmount": "GPUAmount",
}
MOST = {
    "MaximumCpuCoreCount": "CpuCoreCount",
    "MaximumMemorySize": "MemorySize",
    "MaximumGPUAmount": "GPUAmount",
}


def _describe_instance_types(
    account: Account, parameters: Parameters, _context: CallContext
) -> dict[str, Any]:
    wanted = tuple(_wanted(parameters))
    gpus = tuple(filter(None, (parameters.get("GPUSpec"), *numbered(parameters, "GpuSpecs"))))
    least = {field: decimal(parameters, name) for name, field in LEAST.items() if parameters.get(name)}
    most = {field: decimal(parameters, name) for name, field in MOST.items() if parameters.get(name)}
    found = [
        (place, described)
        for place, described in enumerate(_types(account))
        if _is_of_a_gpu(described, gpus)
        and all(described[field] in values for field, values in wanted)
        and all(described.get(field, 0) >= limit for field, limit in least.items())
        and all(described.get(field, 0) <= limit for field, limit in most.items())
    ]
    page, token = token_page(
        parameters, found, lambda one: one[0], least=1, most=MAX_RESULTS, default=MAX_RESULTS
    )
    return {"NextToken": token, "InstanceTypes": {"InstanceType": [described for _, described in page]}}


def _types(account: Account) -> tuple[dict[str, Any], ...]:
    """Describe each type once, as long as the account has the same instances."""
    types: dict[str, dict[str, Any]] = {}
    for instance in account.of_each_type():
        types[instance.profile.attributes["InstanceType"]] = _type(instance)
    return tuple(types.values())


def _is_of_a_gpu(described: dict[str, Any], names: tuple[str, ...]) -> bool:
    """Match a GPU by part of its name, as ECS does: NVIDIA finds NVIDIA V100."""
    return not names or any(name.lower() in described["GPUSpec"].lower() for name in names)


def _wanted(parameters: Parameters) -> Iterator[tuple[str, tuple[str, ...]]]:
    for name, field in SAME.items():
        if name.endswith("."):
            values = numbered(parameters, name[:-1])
            if len(values) > MAX_TYPES:
                raise invalid(name[:-1], f"{len(values)} values, expected at most {MAX_TYPES}.")
        else:
            values = (parameters[name],) if parameters.get(name) else ()
        if values:
            yield field, values


def _type(instance: EmulatedInstance) -> dict[str, Any]:
    attributes: Mapping[str, Any] = instance.profile.attributes
    disks = instance.profile.local_storage
    described = {
        "InstanceTypeId": attributes["InstanceType"],
        "InstanceTypeFamily": attributes["InstanceTypeFamily"],
        "CpuCoreCount": attributes["Cpu"],
        "MemorySize": attributes["Memory"] / 1024,
        "GPUAmount": attributes.get("GPUAmount", 0),
        "GPUSpec": attributes.get("GPUSpec", ""),
        "LocalStorageCategory": "" if disks is None else disks.local_storage_category,
    }
    if disks is not None:
        described["LocalStorageAmount"] = disks.local_storage_amount
        described["LocalStorageCapacity"] = disks.local_storage_capacity
    return described


ACTIONS = (
    Action(
        name="DescribeInstanceTypes",
        perform=_describe_instance_types,
        parameters=frozenset({"RegionId", *BY_TOKEN, *SAME, *LEAST, *MOST, "GPUSpec", "GpuSpecs."}),
    ),
)
