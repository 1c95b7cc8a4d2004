"""The body of a `StopRequest` as people write it: a timer's payload, or an event of its own."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, NoReturn

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError
from pydantic.alias_generators import to_pascal

from function.events.arn import MAX_REGION
from function.events.json_reader import Json, Node, name, quote
from function.events.unrecognized import suggest
from function.model.request import (
    INSTANCE_ID,
    MAX_INSTANCE_IDS,
    REGION_ID,
    Selection,
    StoppedMode,
    StopRequest,
    Tag,
)
from function.model.scope import ROLE_ARN

EXAMPLE = '{"InstanceIds": ["i-bp67acfmxazb4ph001"]}'
"""What a message says where it can, so that the reader has something to copy."""

MAX_TAGS = 20
_MAX_TEXT = 128
"""Tag.N of DescribeInstances: N is 1 to 20; keys and values have at most 128 characters, names likewise."""

MAX_REGIONS = 100
"""There are some thirty regions."""

MAX_ROLES = 100
"""Each is another account, and a call to STS and to ECS in each region; for more, send more events."""

MAX_FIELDS = 100
"""With more, not each that is unknown is looked at."""

_PRINTABLE = r"^[^\p{C}\p{Zl}\p{Zp}]*$"
"""No control, format, private or unassigned characters, nor line and paragraph separators."""

_Text = Annotated[str, StringConstraints(min_length=1, max_length=_MAX_TEXT, pattern=_PRINTABLE)]
_Region = Annotated[str, StringConstraints(max_length=MAX_REGION, pattern=f"^(?:{REGION_ID.pattern})$")]
_RoleArn = Annotated[str, StringConstraints(pattern=f"^(?:{ROLE_ARN.pattern})$")]
_InstanceId = Annotated[str, StringConstraints(pattern=f"^(?:{INSTANCE_ID.pattern})$")]


class _Body(BaseModel):
    model_config = ConfigDict(
        strict=True, extra="forbid", frozen=True, alias_generator=to_pascal, hide_input_in_errors=True
    )


class TagBody(_Body):
    """One element of `Tag`."""

    key: _Text
    value: Annotated[str, StringConstraints(max_length=_MAX_TEXT, pattern=_PRINTABLE)] | None = None


class RequestBody(_Body):
    """The fields of a `StopRequest`; each description is what an error says would be right.

    A field that may be absent is None then; null in the event was refused before.
    """

    instance_ids: tuple[_InstanceId, ...] | None = Field(
        None,
        min_length=1,
        strict=False,
        description='a list of instance ids such as ["i-bp67acfmxazb4ph001"]',
    )
    instance_id: _InstanceId | None = Field(
        None, description='one instance id such as "i-bp67acfmxazb4ph001"'
    )
    tag: tuple[TagBody, ...] | None = Field(
        None,
        min_length=1,
        max_length=MAX_TAGS,
        strict=False,
        description=f'a list of 1 to {MAX_TAGS} tags such as [{{"Key": "env", "Value": "dev"}}]',
    )
    resource_group_id: _Text | None = Field(None, description='a text such as "rg-bp67acfmxazb4p"')
    vpc_id: _Text | None = Field(None, description='a text such as "vpc-bp67acfmxazb4p"')
    zone_id: _Text | None = Field(None, description='a text such as "cn-hangzhou-g"')
    instance_name: _Text | None = Field(None, description='a text such as "dev-web-1"')
    region_id: _Region | None = Field(None, description='a region such as "cn-hangzhou"')
    region_ids: tuple[_Region, ...] | None = Field(
        None,
        min_length=1,
        max_length=MAX_REGIONS,
        strict=False,
        description=f'a list of 1 to {MAX_REGIONS} regions such as ["cn-hangzhou"]',
    )
    role_arn: _RoleArn | None = Field(
        None, description='the ARN of a role such as "acs:ram::1234567890123456:role/stop-guard"'
    )
    role_arns: tuple[_RoleArn, ...] | None = Field(
        None,
        min_length=1,
        max_length=MAX_ROLES,
        strict=False,
        description=f"a list of 1 to {MAX_ROLES} ARNs of roles such as "
        '["acs:ram::1234567890123456:role/stop-guard"]',
    )
    stopped_mode: StoppedMode | None = Field(
        None, strict=False, description='"StopCharging" or "KeepCharging"'
    )
    confirm_stop: bool = Field(default=False, description="true or false, without quotes")
    force_stop: bool = Field(default=False, description="true or false, without quotes")
    dry_run: bool = Field(default=False, description="true or false, without quotes")


def _spellings(model: type[_Body]) -> dict[str, str]:
    """Map both spellings of each field to the API's own."""
    return {way: to_pascal(field) for field in model.model_fields for way in (field, to_pascal(field))}


_FIELDS = _spellings(RequestBody)
_TAG_FIELDS = _spellings(TagBody)
_PLAIN_FIELDS = {field.replace("_", "") for field in RequestBody.model_fields}
FIELDS = tuple(map(to_pascal, RequestBody.model_fields))
"""What a request has, in the API's spelling."""
_DESCRIPTIONS = {to_pascal(field): info.description for field, info in RequestBody.model_fields.items()}


def looks_like(event: Node) -> bool:
    """Tell whether this is an object with a field of a `StopRequest`, were it in wrong capitals."""
    fields = event.value if isinstance(event.value, dict) else ()
    return not _PLAIN_FIELDS.isdisjoint(key.replace("_", "").lower() for key in fields)


def read_request(body: Node, base: StopRequest) -> StopRequest:
    """Complete the request by what the body asks. Raise `InvalidEvent`, naming the first wrong field."""
    asked = _read(body)
    ids = _one_or_several(body, asked.instance_id, asked.instance_ids, "InstanceId", "instances")
    if len(ids) > MAX_INSTANCE_IDS:
        body.fail(f"names {len(ids)} instances; an event names at most {MAX_INSTANCE_IDS}")
    regions = _one_or_several(body, asked.region_id, asked.region_ids, "RegionId", "regions")
    roles = _one_or_several(body, asked.role_arn, asked.role_arns, "RoleArn", "roles")
    selection = _selection(body, asked)
    if ids and selection:
        body.fail("has both instance ids and a selection (Tag, VpcId, ...); use one of them")
    if not ids and not selection:
        body.fail(f"names no instance: it needs InstanceIds or a selection by Tag, such as {EXAMPLE}")
    return replace(
        base,
        instance_ids=ids,
        selection=selection or base.selection,
        region_ids=regions,
        role_arns=roles,
        stopped_mode=asked.stopped_mode,
        confirm_stop=asked.confirm_stop,
        force_stop=asked.force_stop,
        dry_run=asked.dry_run,
    )


def _one_or_several(
    body: Node, one: str | None, several: tuple[str, ...] | None, field: str, things: str
) -> tuple[str, ...]:
    """Give what a field names, or its plural, each once. Raise `InvalidEvent` where both are there."""
    if one is not None and several:
        body.fail(f"has both {field} and {field}s; name the {things} in one of them")
    return (one,) if one is not None else tuple(dict.fromkeys(several or ()))


def read_selection(body: Node) -> Selection | None:
    """Read the selection by which a shard's instances were found, likewise."""
    return _selection(body, _read(body))


def _read(body: Node) -> RequestBody:
    spelt = _spelt(body, _FIELDS)
    if isinstance(spelt.get("Tag"), list):
        tags = Node(spelt["Tag"], body.below("Tag")).items()
        spelt["Tag"] = [_spelt(tag, _TAG_FIELDS) for tag in tags]
    try:
        return RequestBody.model_validate(spelt)
    except ValidationError as error:
        _fail(body, error)


def _selection(body: Node, asked: RequestBody) -> Selection | None:
    tags = tuple(Tag(key=tag.key, value=tag.value) for tag in asked.tag or ())
    if len({tag.key for tag in tags}) < len(tags):
        # What ECS makes of a key with two values is not documented: it must not be found out by stopping.
        body.fail("names the same key twice in Tag; name each key once")
    selection = Selection(
        tags=tags,
        resource_group_id=asked.resource_group_id,
        vpc_id=asked.vpc_id,
        zone_id=asked.zone_id,
        instance_name=asked.instance_name,
    )
    return None if selection == Selection() else selection


def _spelt(body: Node, fields: Mapping[str, str]) -> dict[str, Json]:
    """Give the object in the API's spelling. Raise `InvalidEvent` for null or a field in both."""
    spelt: dict[str, Json] = {}
    if len(body.object()) > MAX_FIELDS:
        body.fail(
            f"has {len(body.object()):,} fields; it has only {', '.join(dict.fromkeys(fields.values()))}"
        )
    for key, value in body.object().items():
        if isinstance(value, list):
            Node(value, body.below(key)).items()  # no longer than any list may be
        spelling = fields.get(key, key)
        if spelling in spelt:
            body.fail(f"has {spelling} in both spellings; keep one")
        if value is None:
            Node(None, body.below(spelling)).fail("is null; leave out what you don't want to say")
        spelt[spelling] = value
    return spelt


def _fail(body: Node, error: ValidationError) -> NoReturn:
    """Say the first thing that is wrong in the project's words instead of pydantic's."""
    first = error.errors(include_url=False, include_context=False)[0]
    path = body.path
    for step in first["loc"]:
        path = f"{path}[{step}]" if isinstance(step, int) else Node(None, path).below(step)
    field = str(first["loc"][0])
    wrong = Node(first["input"], path)
    match first["type"]:
        case "extra_forbidden" if len(first["loc"]) == 1:
            meant = suggest([field], FIELDS)
            body.fail(f"has the unknown field {name(field)}{meant}; a request has only {', '.join(FIELDS)}")
        case "extra_forbidden":
            problem = f"is an unknown field{suggest([str(first['loc'][-1])], ('Key', 'Value'))}"
        case "missing":
            problem = "is missing"
        case _:
            problem = f"is {quote(first['input'])}"
    wrong.fail(f"{problem}; {field} must be {_DESCRIPTIONS[field]}")
