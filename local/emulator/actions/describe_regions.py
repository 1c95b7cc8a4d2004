"""DescribeRegions and DescribeZones: the regions there are, and the zones that the fleet knows."""

from collections import defaultdict
from typing import Any

from local.api.parameters import Parameters, choice, region
from local.api.regions import name_of
from local.emulator.account import Account
from local.emulator.actions.action import Action, CallContext

LANGUAGES = ("zh-CN", "en-US")


def _describe_regions(account: Account, parameters: Parameters, _context: CallContext) -> dict[str, Any]:
    english = choice(parameters, "AcceptLanguage", LANGUAGES) == "en-US"
    regions = [
        {
            "RegionId": region_id,
            "LocalName": name_of(region_id, english=english),
            "RegionEndpoint": f"ecs.{region_id}.aliyuncs.com",
            "Status": "available",
        }
        for region_id in account.region_ids
    ]
    return {"Regions": {"Region": regions}}


def _describe_zones(account: Account, parameters: Parameters, _context: CallContext) -> dict[str, Any]:
    """Describe the zones where the region's instances are, with the types that these have."""
    types: dict[str, dict[str, None]] = defaultdict(dict)
    for instance in account.in_region(region(parameters)).values():
        attributes = instance.profile.attributes
        types[attributes["ZoneId"]].setdefault(attributes["InstanceType"])
    english = choice(parameters, "AcceptLanguage", LANGUAGES) == "en-US"
    zones = [
        {
            "ZoneId": zone_id,
            "LocalName": f"Zone {zone_id[-1].upper()}" if english else f"可用区{zone_id[-1].upper()}",
            "ZoneType": "AvailabilityZone",
            "AvailableInstanceTypes": {"InstanceTypes": list(in_zone)},
            "AvailableResourceCreation": {"ResourceTypes": ["Instance", "Disk", "VSwitch"]},
        }
        for zone_id, in_zone in sorted(types.items())
    ]
    return {"Zones": {"Zone": zones}}


ACTIONS = (
    Action(
        name="DescribeRegions",
        perform=_describe_regions,
        parameters=frozenset({"RegionId", "AcceptLanguage"}),
    ),
    Action(
        name="DescribeZones",
        perform=_describe_zones,
        parameters=frozenset({"RegionId", "AcceptLanguage", "Verbose"}),
    ),
)
