"""CloudMonitor's metric alarms, one reader for each form. None reads how to stop: no alarm has a say in that.

A reader completes the request that has the event's id and time, by the instances and the alarm's state.
"""

import re
from collections.abc import Iterator

from function.events.arn import read_region
from function.events.grouping import Alert, group
from function.events.json_reader import Json, Node, quote
from function.events.labels import (
    Absent,
    InstanceRef,
    NoInstance,
    OtherResource,
    Unclear,
    find_instance,
    is_identifying,
)
from function.events.missing_data import alarm_state
from function.events.system_events import is_system_event
from function.model.request import InvalidEvent, StopRequest

# JSON has a field's name in quotes, or nothing, behind its first brackets; a map as Java prints it has not.
_JSON = re.compile(r'[\[{\s]+("[^"]*"\s*:|[\]}])')
# What divides such a map, or several; a value in quotes is one thing, whatever it holds.
_DIVIDER = re.compile(r'=\s*"[^"]*"|[{\[]|[}\]]|,')
_OURS = "acs_ecs"

MAX_MAPS = 128 * 1024
"""Characters of dimensions: a thousand instances have a hundred each."""


def is_metric_alarm(event: Node) -> bool:
    """Tell it by a level together with what was measured; the callback has other words for both."""
    level = event.has_any("curLevel", "preLevel", "ruleName")
    measured = event.has_any("metricData", "metricName", "resources")
    return level and measured and not (is_callback(event) or is_system_event(event))


def is_callback(event: Node) -> bool:
    """Tell it by `alertState` and `dimensions`, or one of them beside what else only a callback has."""
    has = sum(event.has(key) for key in ("alertState", "dimensions"))
    other = event.has_any("alertName", "triggerLevel", "metricProject") and not event.has("alerts")
    return (has > 1 or (has > 0 and other)) and not is_system_event(event)


def read_metric_alarm(event: Node, base: StopRequest) -> Iterator[StopRequest]:
    """Stop the instance in `resources` or `metricData`, if `ALARM_STATES` has `curLevel`."""
    beside = "; dimensions are the callback's, with alertState" if event.has("dimensions") else ""
    nothing = Absent(
        f"{event} names no ECS instance: a threshold alarm has it in resources or metricData, "
        f'as {{"instanceId": "i-…"}}{beside}',
    )
    try:
        written = (event.find_value(key) for key in ("resources", "metricData"))
        resources, data = (_maps(one) if one and one.is_json() else one for one in written)
        targets = _agreed(_targets(resources), _targets(data)) or [nothing]
    except InvalidEvent as error:
        targets = [Unclear(str(error))]
    return _requests(event, base, targets, state=event.field("curLevel"), name=event.object().get("ruleName"))


def read_callback(event: Node, base: StopRequest) -> Iterator[StopRequest]:
    """Stop the instances in `dimensions`, if `ALARM_STATES` has `alertState`."""
    try:
        dimensions = event.field("dimensions")
        nothing = Absent(f"{dimensions} names no ECS instance (by instanceId)")
        written = _maps(dimensions) if isinstance(dimensions.value, str) else dimensions
        targets = _targets(written) or [nothing]
    except InvalidEvent as error:
        targets = [Unclear(str(error))]
    return _requests(
        event, base, targets, state=event.field("alertState"), name=event.object().get("alertName")
    )


def _requests(
    event: Node, base: StopRequest, targets: list[InstanceRef | NoInstance], *, state: Node, name: Json
) -> Iterator[StopRequest]:
    """Complete the request; the region beside all is that of each instance which has none of its own."""
    try:
        region_id, problem = read_region(event.find("regionId")), None
    except InvalidEvent as error:
        region_id, problem = None, Unclear(str(error))
    targets = [
        problem or InstanceRef(one.instance_id, one.region_id or region_id)
        if isinstance(one, InstanceRef)
        else _of_another_product(event) or one
        if isinstance(one, Absent)
        else one
        for one in targets
    ]
    shown = name if isinstance(name, str) else None
    written = alarm_state(state.word(), names=[shown])
    return group(base, [Alert(written, shown, target) for target in targets])


def _of_another_product(event: Node) -> NoInstance | None:
    """Say that what was measured belongs to another product, whose metrics have other dimensions."""
    measured = event.find_value("namespace") or event.find_value("metricProject")
    if measured is None or str(measured.value).casefold().startswith(_OURS):
        return None
    return OtherResource(f"{measured} is {quote(measured.value)}, which measures no ECS instance")


def _targets(dimensions: Node | None) -> list[InstanceRef | NoInstance]:
    """Find what an object names, or each of a list; nothing where all of them name nothing."""
    if dimensions is None:
        return []
    each = dimensions.items() if isinstance(dimensions.value, list) else [dimensions]
    found = [find_instance(one) for one in each]
    nothing = all(isinstance(one, Absent) for one in found)
    return [] if nothing else found


def _agreed(
    resources: list[InstanceRef | NoInstance], data: list[InstanceRef | NoInstance]
) -> list[InstanceRef | NoInstance]:
    """Take what `resources` names, else what `metricData` does; the region may stand in only one of them."""
    unclear = [one for one in (*resources, *data) if isinstance(one, Unclear)]
    if unclear:
        return [unclear[0]]
    if not resources or not data:
        return resources or data
    foreign = [one for targets in (resources, data) if (one := _nothing_but_others(targets))]
    if foreign:
        return [foreign[0]]
    regions = {one.instance_id: one.region_id for one in data if isinstance(one, InstanceRef)}
    named = {one.instance_id for one in resources if isinstance(one, InstanceRef)}
    if not regions.keys() <= named:
        text = "the event names one instance in resources and another in metricData"
        return [Unclear(text)]
    return [
        InstanceRef(one.instance_id, one.region_id or regions.get(one.instance_id))
        if isinstance(one, InstanceRef)
        else one
        for one in resources
    ]


def _nothing_but_others(targets: list[InstanceRef | NoInstance]) -> NoInstance | None:
    """Give the first thing that is no instance, where none of them is one."""
    others = [one for one in targets if isinstance(one, OtherResource)]
    return others[0] if others and not any(isinstance(one, InstanceRef) for one in targets) else None


def _maps(written: Node) -> Node:
    """Read `{userId=12, instanceId=i-12}`, which is not JSON, or JSON in a text (older callbacks)."""
    text = written.text().strip()
    if _JSON.match(text):
        return written.json()
    if len(text) > MAX_MAPS:
        written.fail(f"has {len(text):,} characters; dimensions have at most {MAX_MAPS:,}")
    inside = text[1:-1] if text.startswith("[") and text.endswith("]") else text
    parts = list(_divided(written, inside))
    maps = [_map(written, part[1:-1]) for part in parts if part.startswith("{") and part.endswith("}")]
    if maps and len(maps) < len(parts):
        written.fail(f"is {quote(text)}, a map and more beside it")
    maps = maps or [_map(written, inside)]
    return Node(maps[0] if len(maps) == 1 else maps, written.path)


def _map(written: Node, text: str) -> Json:
    fields: dict[str, Json] = {}
    for pair in _divided(written, text):
        key, equals, value = (
            part.strip().removeprefix('"').removesuffix('"') for part in pair.partition("=")
        )
        if equals and key in fields:
            written.fail(f"is {quote(text)}, which names {quote(key)} twice")
        if is_identifying(key) and value.startswith(("{", "[")):
            written.fail(f"is {quote(text)}, which names more than one thing in {quote(key)}")
        if equals:
            fields[key] = value
    return fields


def _divided(written: Node, text: str) -> Iterator[str]:
    """Divide a text at its commas, but for those within braces or brackets, which belong to a value."""
    start = depth = 0
    for found in _DIVIDER.finditer(text):
        depth += {"{": 1, "[": 1, "}": -1, "]": -1}.get(found[0], 0)
        if depth < 0:
            break
        if found[0] == "," and not depth:
            yield text[start : found.start()].strip()
            start = found.end()
    if depth:
        written.fail(f"is {quote(text)}, whose braces do not match")
    yield text[start:].strip()
