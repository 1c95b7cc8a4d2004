"""ListTagResources, TagResources and UntagResources, of instances: the fleet has no other resources."""

from collections.abc import Iterator
from typing import Any

from local.api.api_error import ApiError, invalid, missing
from local.api.parameters import Parameters, boolean, excerpt, numbered, region, required, tags
from local.emulator.account import Account
from local.emulator.actions.action import Action, CallContext
from local.emulator.actions.paging import token_page
from local.emulator.lifecycle import EmulatedInstance

RESOURCE_TYPE = "instance"
MAX_RESOURCES = 50
"""`ResourceId.N` of TagResources and UntagResources, as their pages have it."""
MAX_TAGS = 20
"""Of a call, and of an instance (ECS's page on tag limits)."""
MAX_LENGTH = 128
"""Characters of a key, and of a value."""
RESULTS = 50
"""Resources a page; how many, the caller has no say in."""

_NOT_FOUND = "The specified ResourceIds are not found in our records."


def _list(account: Account, parameters: Parameters, context: CallContext) -> dict[str, Any]:
    """List the tags of the resources named, or of all that have every tag given; each tag has a line."""
    in_region = account.in_region(region(parameters))
    _check_type(parameters)
    ids, wanted = _ids(parameters), tags(parameters)
    if not ids and not wanted:
        raise missing("ResourceId.N")
    named = in_region.values() if not ids else (in_region[id_] for id_ in ids if id_ in in_region)
    found = [
        each
        for each in sorted((one.described(context.now) for one in named), key=_place)
        if each.profile.tags
        and all(key in each.profile.tags and value in (None, each.profile.tags[key]) for key, value in wanted)
    ]
    page, token = token_page(parameters, found, _place, least=RESULTS, most=RESULTS, default=RESULTS)
    lines = [
        {
            "ResourceId": each.instance_id,
            "ResourceType": RESOURCE_TYPE,
            "TagKey": key,
            "TagValue": value,
        }
        for each in page
        for key, value in each.profile.tags.items()
    ]
    return {"NextToken": token, "TagResources": {"TagResource": lines}}


def _tag(account: Account, parameters: Parameters, context: CallContext) -> dict[str, Any]:
    """Set tags, each of a call on each of its resources: all or none."""
    given = {key: value or "" for key, value in tags(parameters)}
    if not given:
        raise missing("Tag.N")
    if len(given) > MAX_TAGS:
        raise invalid("Tag.N", f"{len(given)} tags, expected at most {MAX_TAGS}.")
    for key, value in given.items():
        _check_tag(key, value)
    changed = []
    for instance in _resources(account, parameters):
        now_there = {**instance.at(context.now).profile.tags, **given}
        if len(now_there) > MAX_TAGS:
            raise ApiError(400, "NumberExceed.Tags", "The Tags parameter's number is exceed, Valid : 20.")
        changed.append(instance.tagged(now_there))
    for instance in changed:
        account.replace(instance)
    return {}


def _untag(account: Account, parameters: Parameters, _context: CallContext) -> dict[str, Any]:
    """Take tags off: those named, or with All every one."""
    keys = numbered(parameters, "TagKey")
    if not keys and not boolean(parameters, "All"):
        raise missing("TagKey.N")
    for instance in list(_resources(account, parameters)):
        left = {key: value for key, value in instance.profile.tags.items() if keys and key not in keys}
        account.replace(instance.tagged(left))
    return {}


def _resources(account: Account, parameters: Parameters) -> Iterator[EmulatedInstance]:
    in_region = account.in_region(region(parameters))
    _check_type(parameters)
    ids = _ids(parameters)
    if not ids:
        raise missing("ResourceId.N")
    for instance_id in ids:
        if instance_id not in in_region:
            raise ApiError(404, "InvalidResourceId.NotFound", _NOT_FOUND)
        yield in_region[instance_id]


def _ids(parameters: Parameters) -> tuple[str, ...]:
    ids = numbered(parameters, "ResourceId")
    if len(ids) > MAX_RESOURCES:
        raise invalid("ResourceId.N", f"{len(ids)} ids, expected at most {MAX_RESOURCES}.")
    return ids


def _check_type(parameters: Parameters) -> None:
    given = required(parameters, "ResourceType")
    if given.lower() != RESOURCE_TYPE:
        raise ApiError(
            404,
            "InvalidResourceType.NotFound",
            f"The ResourceType {excerpt(given)} isn't here, instance is.",
        )


def _check_tag(key: str, value: str) -> None:
    for name, text in (("Key", key), ("Value", value)):
        if len(text) > MAX_LENGTH or "http://" in text or "https://" in text:
            raise ApiError(
                400,
                f"InvalidTag{name}.Malformed",
                f"The specified Tag.N.{name} is not valid: {excerpt(text)}, expected at most {MAX_LENGTH} "
                "characters without http:// and https://.",
            )
    if not key or key.lower().startswith(("aliyun", "acs:")):
        raise ApiError(
            400,
            "InvalidTagKey.Malformed",
            f"The specified Tag.N.Key is not valid: {excerpt(key)}, expected a text that starts with neither "
            "aliyun nor acs:.",
        )


def _place(instance: EmulatedInstance) -> int:
    return instance.profile.place


ACTIONS = (
    Action(
        name="ListTagResources",
        perform=_list,
        parameters=frozenset({"RegionId", "ResourceType", "ResourceId.", "Tag.", "NextToken"}),
    ),
    Action(
        name="TagResources",
        perform=_tag,
        parameters=frozenset({"RegionId", "ResourceType", "ResourceId.", "Tag."}),
    ),
    Action(
        name="UntagResources",
        perform=_untag,
        parameters=frozenset({"RegionId", "ResourceType", "ResourceId.", "TagKey.", "All"}),
    ),
)
