"""DescribeInstances, DescribeInstanceStatus and DescribeInstanceTypes: filters and both ways of paging."""

import base64
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Any, TypeVar

from local.api.error_table import invalid
from local.api.parameters import Parameters, choice, excerpt, json_ids, number, numbered, region, tags
from local.emulator.account import Account
from local.emulator.actions.action import Action, CallContext
from local.emulator.fleet_format import STATUSES
from local.emulator.lifecycle import EmulatedInstance

MAX_INSTANCE_IDS = 100
MAX_RESULTS = 100
MAX_STATUSES = 50
MAX_TYPES = 10
DEFAULT_RESULTS = 10
# Filters of DescribeInstances that compare a field of the same name.
SAME_FIELD = (
    "ResourceGroupId",
    "ZoneId",
    "InstanceType",
    "InstanceTypeFamily",
    "InstanceChargeType",
    "InstanceNetworkType",
    "ImageId",
    "KeyPairName",
)

T = TypeVar("T")
_Test = Callable[[EmulatedInstance], bool]


def _describe_instances(account: Account, parameters: Parameters, context: CallContext) -> dict[str, Any]:
    """Describe a region's instances that match every filter given, a page at a time."""
    in_region = account.in_region(region(parameters))
    ids = json_ids(parameters, "InstanceIds", MAX_INSTANCE_IDS)
    tests = tuple(_tests(parameters))
    named = (
        ((instance.profile.place, instance) for instance in in_region.values())
        if ids is None
        else enumerate(in_region[id_] for id_ in ids if id_ in in_region)
    )
    shown = ((place, instance.described(context.now)) for place, instance in named)
    found = [(place, instance) for place, instance in shown if all(test(instance) for test in tests)]
    page: Sequence[EmulatedInstance]
    if parameters.get("MaxResults") or parameters.get("NextToken"):
        page, token = _token_page(parameters, found)
        # All are in ECS's answers whichever way it pages; what they say by token, it doesn't tell.
        size = number(parameters, "MaxResults", DEFAULT_RESULTS, MAX_RESULTS)
        answer: dict[str, Any] = {"PageNumber": 1, "PageSize": size, "NextToken": token}
    else:
        page, answer = _numbered_page(parameters, [instance for _, instance in found], MAX_RESULTS)
        answer["NextToken"] = ""
    answer["TotalCount"] = len(found)
    answer["Instances"] = {"Instance": [instance.document() for instance in page]}
    return answer


def _describe_instance_status(
    account: Account, parameters: Parameters, context: CallContext
) -> dict[str, Any]:
    """Say the status of a region's instances, or of those named as InstanceId.N, a page at a time."""
    in_region = account.in_region(region(parameters))
    ids = numbered(parameters, "InstanceId")
    if len(ids) > MAX_INSTANCE_IDS:
        raise invalid("InstanceId", f"{len(ids)} ids, expected at most {MAX_INSTANCE_IDS}.")
    zone = parameters.get("ZoneId")
    named = in_region.values() if not ids else [in_region[id_] for id_ in ids if id_ in in_region]
    found = [
        each.described(context.now) for each in named if not zone or each.profile.document["ZoneId"] == zone
    ]
    page, answer = _numbered_page(parameters, found, MAX_STATUSES)
    answer["TotalCount"] = len(found)
    statuses = [{"InstanceId": instance.instance_id, "Status": instance.status} for instance in page]
    answer["InstanceStatuses"] = {"InstanceStatus": statuses}
    return answer


def _describe_instance_types(
    account: Account, parameters: Parameters, _context: CallContext
) -> dict[str, Any]:
    """Describe the types that the fleet's instances have; others this ECS doesn't know."""
    wanted = numbered(parameters, "InstanceTypes")
    if len(wanted) > MAX_TYPES:
        raise invalid("InstanceTypes", f"{len(wanted)} types, expected at most {MAX_TYPES}.")
    types: dict[str, dict[str, Any]] = {}
    for instance in account.instances():
        name, profile = instance.profile.document["InstanceType"], instance.profile
        # Of the instances of a type, one that tells its local disks speaks for it.
        if not profile.emulator.unknown_type and (name not in types or profile.local_storage):
            types[name] = _type(instance)
    found = (described for name, described in types.items() if not wanted or name in wanted)
    page, token = _token_page(parameters, enumerate(found))
    return {"NextToken": token, "InstanceTypes": {"InstanceType": page}}


def _type(instance: EmulatedInstance) -> dict[str, Any]:
    document, disks = instance.profile.document, instance.profile.local_storage
    described = {
        "InstanceTypeId": document["InstanceType"],
        "InstanceTypeFamily": document["InstanceTypeFamily"],
        "CpuCoreCount": document["Cpu"],
        "MemorySize": document["Memory"] / 1024,
        "LocalStorageCategory": "" if disks is None else disks.local_storage_category,
    }
    if disks is not None:
        described["LocalStorageAmount"] = disks.local_storage_amount
        described["LocalStorageCapacity"] = disks.local_storage_capacity
    return described


def _tests(parameters: Parameters) -> Iterator[_Test]:
    """Turn each filter given into a test of an instance."""
    status = choice(parameters, "Status", STATUSES)
    if status:
        yield lambda instance: instance.status == status
    for name in SAME_FIELD:
        if parameters.get(name):
            yield partial(_has_field, name, parameters[name])
    vpc = parameters.get("VpcId")
    if vpc:
        yield lambda instance: instance.profile.document["VpcAttributes"].get("VpcId") == vpc
    pattern = parameters.get("InstanceName")
    if pattern:
        yield lambda instance: _is_like(instance.profile.document["InstanceName"], pattern)
    for key, value in tags(parameters):
        yield partial(_has_tag, key, value)


def _is_like(name: str, pattern: str) -> bool:
    """Match a name against a pattern whose `*` is any text, each part at its first place: no way back.

    A regular expression would try every way to share the name among many asterisks.
    """
    first, *others = pattern.split("*")
    if not others:
        return name == pattern
    *parts, last = others
    place, end = len(first), len(name) - len(last)
    if place > end or not (name.startswith(first) and name.endswith(last)):
        return False
    for part in parts:
        found = name.find(part, place, end)
        if found < 0:
            return False
        place = found + len(part)
    return True


def _has_field(name: str, value: str, instance: EmulatedInstance) -> bool:
    return instance.profile.document.get(name) == value


def _has_tag(key: str, value: str | None, instance: EmulatedInstance) -> bool:
    return key in instance.profile.tags and value in (None, instance.profile.tags[key])


def _numbered_page(
    parameters: Parameters, found: Sequence[T], largest: int
) -> tuple[Sequence[T], dict[str, Any]]:
    """Return the page that PageNumber and PageSize ask for, and what the answer says about it."""
    size = number(parameters, "PageSize", DEFAULT_RESULTS, largest)
    page = number(parameters, "PageNumber", 1, 10**9)
    return found[(page - 1) * size : page * size], {"PageNumber": page, "PageSize": size}


def _token_page(parameters: Parameters, found: Iterable[tuple[int, T]]) -> tuple[list[T], str]:
    """Return the page after NextToken and the token of the next one, empty at the end.

    A token holds a place among all candidates, not among the matches, so that an instance that starts or
    stops matching, or is gone, between two pages moves none of the others.
    """
    size = number(parameters, "MaxResults", DEFAULT_RESULTS, MAX_RESULTS)
    given = parameters.get("NextToken")
    start = _place(given) if given else 0
    rest = [(place, item) for place, item in found if place >= start]
    page = rest[:size]
    return [item for _, item in page], _token(page[-1][0] + 1) if len(rest) > size else ""


def _token(place: int) -> str:
    return base64.urlsafe_b64encode(f"from {place}".encode()).decode()


def _place(token: str) -> int:
    try:
        word, place = base64.urlsafe_b64decode(token).decode("ascii").split(" ")
    except ValueError:
        word = place = ""
    if word != "from" or not place.isdigit() or len(place) > 9:  # noqa: PLR2004 - no fleet has as many
        raise invalid("NextToken", f"{excerpt(token)}, expected the NextToken of the page before.")
    return int(place)


_PAGE = ("PageNumber", "PageSize")
_TOKEN = ("MaxResults", "NextToken")

ACTIONS = (
    Action(
        name="DescribeInstances",
        perform=_describe_instances,
        parameters=frozenset(
            {
                *("RegionId", *_PAGE, *_TOKEN, *SAME_FIELD),
                *("InstanceIds", "InstanceName", "Status", "Tag.", "VpcId"),
            }
        ),
    ),
    Action(
        name="DescribeInstanceStatus",
        perform=_describe_instance_status,
        parameters=frozenset({"RegionId", *_PAGE, "InstanceId.", "ZoneId"}),
    ),
    Action(
        name="DescribeInstanceTypes",
        perform=_describe_instance_types,
        parameters=frozenset({"RegionId", *_TOKEN, "InstanceTypes."}),
    ),
)
