"""The filters of DescribeInstances: each parameter given narrows the instances down."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime

from local.api.api_error import invalid, missing
from local.api.parameters import Parameters, boolean, choice, excerpt, json_list, numbered, tags
from local.emulator.fleet_format import STATUSES
from local.emulator.lifecycle import EmulatedInstance
from local.emulator.region import Instances, Region

Filter = Callable[[Instances], Instances]

FIELDS: Mapping[str, tuple[str, ...]] = {
    **{
        name: (name,)
        for name in (
            *("ResourceGroupId", "ZoneId", "InstanceType", "InstanceTypeFamily", "InstanceChargeType"),
            *("InstanceNetworkType", "InternetChargeType", "ImageId", "KeyPairName", "HpcClusterId"),
        )
    },
    "VpcId": ("VpcAttributes", "VpcId"),
    "VSwitchId": ("VpcAttributes", "VSwitchId"),
    "SecurityGroupId": ("SecurityGroupIds", "SecurityGroupId"),
    "HttpEndpoint": ("MetadataOptions", "HttpEndpoint"),
    "HttpTokens": ("MetadataOptions", "HttpTokens"),
    "HttpPutResponseHopLimit": ("MetadataOptions", "HttpPutResponseHopLimit"),
}
"""Where in an instance the value is that a filter compares."""

SWITCHES = ("IoOptimized", "DeviceAvailable")
"""Filters that compare a field of the same name, true or false."""

ADDRESSES: Mapping[str, tuple[str, ...]] = {
    "PrivateIpAddresses": ("VpcAttributes", "PrivateIpAddress", "IpAddress"),
    "PublicIpAddresses": ("PublicIpAddress", "IpAddress"),
    "InnerIpAddresses": ("InnerIpAddress", "IpAddress"),
    "EipAddresses": ("EipAddress", "IpAddress"),
    "RdmaIpAddresses": ("RdmaIpAddress", "IpAddress"),
}
"""Filters that name up to 100 addresses as a JSON array, and where an instance's own are."""

_IPV6 = ("NetworkInterfaces", "NetworkInterface", "Ipv6Sets", "Ipv6Set", "Ipv6Address")
_TIMES = {
    "CreationStartTime": ("CreationTime", False),
    "CreationEndTime": ("CreationTime", True),
    "ExpiredStartTime": ("ExpiredTime", False),
    "ExpiredEndTime": ("ExpiredTime", True),
}
"""The keys of Filter.N: the field, and whether the time given is the latest."""
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\dZ", re.ASCII)

NAMES = frozenset(
    {
        *FIELDS,
        *SWITCHES,
        *ADDRESSES,
        "InstanceName",
        "Status",
        "LockReason",
        "Tag.",
        "Ipv6Address.",
        "Filter.",
    }
)
"""The parameters that are filters."""

LIMITED = ("Tag.", "ResourceGroupId")
"""Those that hold for so many matching instances only."""
LIMIT = 1_000
"""As the models of the SDK say of these filters (7.11.8)."""


def matching(region: Region, parameters: Parameters, now: datetime) -> list[EmulatedInstance]:
    """Return a region's instances that match every filter given. Raise ApiError for what can't be read."""
    status = choice(parameters, "Status", STATUSES)
    filters = tuple(_filters(parameters))

    def narrow(instances: Instances) -> Instances:
        for narrowed in filters:
            instances = narrowed(instances)
        return instances

    asked = frozenset(
        (name, value)
        for name, value in parameters.items()
        if "".join(name.partition(".")[:2]) in NAMES and name != "Status"
    )
    found = region.search(asked, now, narrow) if filters else region.shown(now)
    return [each for each in found if each.status == status] if status else found


def matching_ids(
    region: Region, ids: Iterable[str], parameters: Parameters, now: datetime
) -> list[EmulatedInstance]:
    """Return those of these ids that match every filter given, in the fleet's order."""
    status = choice(parameters, "Status", STATUSES)
    found = [region[id_].described(now) for id_ in ids if id_ in region]
    for narrowed in _filters(parameters):
        found = narrowed(found)
    return sorted(
        (each for each in found if status in (None, each.status)), key=lambda each: each.profile.place
    )


def _filters(parameters: Parameters) -> Iterator[Filter]:
    """Give a filter for each that looks at what time doesn't change: all but Status."""
    for name, path in FIELDS.items():
        if parameters.get(name):
            yield _by_field(path, parameters[name])
    for name in SWITCHES:
        if parameters.get(name):
            yield _by_any((name,), frozenset({str(boolean(parameters, name)).lower()}))
    yield from (_by_tag(key, value) for key, value in tags(parameters))
    yield from _of_its_own(parameters)
    for name, path in ADDRESSES.items():
        addresses = json_list(parameters, name, 100)
        if addresses is not None:
            yield _by_any(path, frozenset(addresses))
    yield from _times(parameters)


def _of_its_own(parameters: Parameters) -> Iterator[Filter]:
    lock = parameters.get("LockReason")
    if lock:
        yield lambda instances: [each for each in instances if lock in each.profile.locks]
    pattern = parameters.get("InstanceName")
    if pattern:
        yield lambda instances: [
            each for each in instances if is_like(each.profile.attributes["InstanceName"], pattern)
        ]
    ipv6 = numbered(parameters, "Ipv6Address")
    if ipv6:
        yield _by_any(_IPV6, frozenset(ipv6))


def is_limited(parameters: Parameters) -> bool:
    """Tell whether one of the filters is of those that hold for 1,000 instances only."""
    return any(value and name.startswith(LIMITED) for name, value in parameters.items())


def is_like(name: str, pattern: str) -> bool:
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


def _by_field(path: tuple[str, ...], value: str) -> Filter:
    if len(path) == 1:
        (name,) = path
        return lambda instances: [each for each in instances if each.profile.attributes.get(name) == value]
    return _by_any(path, frozenset({value}))


def _by_any(path: tuple[str, ...], wanted: frozenset[str]) -> Filter:
    return lambda instances: [
        each for each in instances if any(value in wanted for value in _values(each.profile.attributes, path))
    ]


def _values(value: object, path: tuple[str, ...]) -> Iterator[str]:
    """Give what is at the path, each of it where there are lists, as the API's text."""
    match value:
        case list():
            for item in value:
                yield from _values(item, path)
        case Mapping() if path:
            yield from _values(value.get(path[0]), path[1:])
        case bool():
            yield str(value).lower()
        case str() | int() if not path:
            yield str(value)


def _by_tag(key: str, value: str | None) -> Filter:
    if value is None:
        return lambda instances: [each for each in instances if key in each.profile.tags]
    return lambda instances: [each for each in instances if each.profile.tags.get(key) == value]


def _times(parameters: Parameters) -> Iterator[Filter]:
    for name, key in parameters.items():
        match name.split("."):
            case ["Filter", place, "Key"] if key:
                if key not in _TIMES:
                    raise invalid(name, f"{excerpt(key)}, expected {' or '.join(_TIMES)}.")
                text = parameters.get(f"Filter.{place}.Value")
                if not text:
                    raise missing(f"Filter.{place}.Value")
                if _TIME.fullmatch(text) is None:
                    raise invalid(
                        f"Filter.{place}.Value", f"{excerpt(text)}, expected such as 2026-03-01T09:00Z."
                    )
                yield _by_time(*_TIMES[key], text)
            case ["Filter", place, "Value"] if f"Filter.{place}.Key" in parameters:
                continue
            case ["Filter", *_]:
                raise invalid(name, "filters are given as Filter.N.Key and Filter.N.Value.")


def _by_time(field: str, latest: bool, text: str) -> Filter:  # noqa: FBT001 - a column of the table above
    def at(instance: EmulatedInstance) -> str:
        return str(instance.profile.attributes.get(field, ""))

    if latest:
        return lambda instances: [each for each in instances if "" < at(each) <= text]
    return lambda instances: [each for each in instances if at(each) >= text]
