"""Why a selection matched nothing: what it asked for, how many instances are there, and what comes close."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from typing import Any

from function.model.credentials import Credentials
from function.model.errors import CloudError
from function.model.request import Selection, StopRequest
from local.command_line.ecs_calls import ecs_call
from local.command_line.execution import Target
from local.command_line.rows import Line, printable
from local.template.timers import selected

MAX_PAGES = 20
"""Pages of 100 instances that are looked through: enough to find a slip."""
CALL_SECONDS = 5.0
"""For one page: it only helps with a slip, and nobody waits long for help."""
_SHOWN = 5
"""Of what comes close, the most frequent: as many as one takes in at a glance."""
_NEARLY = 0.75
"""As `SequenceMatcher` counts: one letter of four is wrong, or left out."""

Instances = Sequence[Mapping[str, Any]]


def unmatched(lines: Sequence[Line], requests: Sequence[StopRequest]) -> list[StopRequest]:
    """Give the selections of which a run's log says nothing at all but that nothing matched."""
    told = {(line.get("source"), line.get("event_id")) for line in lines if "summary" not in line}
    return [one for one in requests if one.selection is not None and (one.source, one.event_id) not in told]


def explain_unmatched(request: StopRequest, target: Target) -> Iterator[str]:
    """Say it, a sentence for each region, looking at what is there; a look that fails is left out."""
    selection = request.selection or Selection()
    for region_id in request.region_ids or (target.environment["FC_REGION"],):
        start = f"No instance in {region_id} has {selected(selection)}"
        if request.role_arns:
            yield f"{start}, in the accounts of its roles."
            continue
        try:
            instances = list(_listed(region_id, target))
        except CloudError:
            yield f"{start}."
            continue
        are = "instance is" if len(instances) == 1 else "instances are"
        near = "; ".join(near_misses(selection, instances))
        yield f"{start}; {len(instances):,} {are} there. {f'Close to it: {near}.' if near else ''}".rstrip()


def near_misses(selection: Selection, instances: Instances) -> Iterator[str]:
    """Say for each filter how many instances pass it alone, and which other values come close to it."""
    for tag in selection.tags:
        pairs = Counter(
            (one["TagKey"], one.get("TagValue") or "") for each in instances for one in _tags(each)
        )
        exact = sum(
            count for (key, value), count in pairs.items() if key == tag.key and tag.value in {None, value}
        )
        if exact:
            yield f"{exact:,} with the tag {tag} alone"
            continue
        wanted = (tag.key, tag.value)
        close = [(pair, count) for pair, count in pairs.most_common() if _is_close(wanted, pair)]
        yield from (
            f"the tag {printable(f'{key}={value}')} ({count:,})" for (key, value), count in close[:_SHOWN]
        )
    for name, value, found in (
        ("ZoneId", selection.zone_id, [str(each.get("ZoneId", "")) for each in instances]),
        ("VpcId", selection.vpc_id, [str(_vpc(each)) for each in instances]),
        (
            "ResourceGroupId",
            selection.resource_group_id,
            [str(each.get("ResourceGroupId", "")) for each in instances],
        ),
        ("InstanceName", selection.instance_name, [str(each.get("InstanceName", "")) for each in instances]),
    ):
        if value is None:
            continue
        values = Counter(filter(None, found))
        if values[value]:
            yield f"{values[value]:,} with {name} {value} alone"
            continue
        close_values = [(one, count) for one, count in values.most_common() if _alike(value, one)]
        yield from (f"{name} {printable(one)} ({count:,})" for one, count in close_values[:_SHOWN])


def _listed(region_id: str, target: Target) -> Iterator[Mapping[str, Any]]:
    token = ""
    for _ in range(MAX_PAGES):
        send = ecs_call(
            "DescribeInstances",
            {"RegionId": region_id, "MaxResults": "100", **({"NextToken": token} if token else {})},
            region_id=region_id,
            credentials=Credentials.read(None, target.environment),
            endpoint=target.environment.get("ECS_ENDPOINT") or None,
        )
        body = send(CALL_SECONDS)
        page = body.get("Instances", {}).get("Instance") or []
        yield from page
        token = body.get("NextToken") or ""
        if not token or not page:
            return


def _tags(instance: Mapping[str, Any]) -> list[Mapping[str, str]]:
    return (instance.get("Tags") or {}).get("Tag") or []


def _vpc(instance: Mapping[str, Any]) -> object:
    return (instance.get("VpcAttributes") or {}).get("VpcId", "")


def _is_close(wanted: tuple[str, str | None], found: tuple[str, str]) -> bool:
    key, value = wanted
    return _alike(key, found[0]) and (value is None or _alike(value, found[1]))


def _alike(one: str, other: str) -> bool:
    """Whether one may be meant by the other: other capitals, dashes and blanks, or a slip of the finger."""
    plain, others = _plain(one), _plain(other)
    return plain == others or SequenceMatcher(None, plain, others).ratio() >= _NEARLY


def _plain(text: str) -> str:
    return "".join(character for character in text.casefold() if character.isalnum())
