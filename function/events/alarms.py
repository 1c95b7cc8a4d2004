"""CloudMonitor's metric alarms, one reader for each form. None reads how to stop: no alarm has a say in that.

A reader completes the request that has the event's id and time, by the instances and the alarm's state.
"""

import re
from collections.abc import Iterator

from function.events.arn import read_region
from function.events.grouping import Part, group
from function.events.json_reader import Json, Node, quote
from function.events.labels import Lack, NoTarget, Target, find_target
from function.events.missing_data import alarm_state
from function.model.request import InvalidEvent, StopRequest

# A map as Java prints it, or several of them.
_MAP = re.compile(r"\{([^{}]*)\}")


def is_metric_alarm(event: Node) -> bool:
    """Tell it by a level together with what was measured; the callback has other words for both."""
    level = event.has_any("curLevel", "preLevel", "ruleName")
    measured = event.has_any("metricData", "metricName", "resources")
    return level and measured and not is_callback(event) and not event.has("eventTime", "name")


def is_callback(event: Node) -> bool:
    """Tell it by `alertState`, or by `dimensions` beside what else only a callback has."""
    return event.has("alertState") or (
        event.has("dimensions") and event.has_any("alertName", "triggerLevel", "metricProject")
    )


def read_metric_alarm(event: Node, base: StopRequest) -> Iterator[StopRequest]:
    """Stop the instance in `resources` or `metricData`, if `ALARM_STATES` has `curLevel`."""
    beside = "; dimensions are the callback's, with alertState" if event.has("dimensions") else ""
    nothing = NoTarget(
        Lack.NOTHING,
        f"{event} names no ECS instance: a threshold alarm has it in resources or metricData, "
        f'as {{"instanceId": "i-…"}}{beside}',
    )
    try:
        places = (event.find_structure("resources"), event.find_structure("metricData"))
        targets = _agreed(*map(_targets, places)) or [nothing]
    except InvalidEvent as error:
        targets = [NoTarget(Lack.UNCLEAR, str(error))]
    return _requests(event, base, targets, state=event.field("curLevel"), name=event.object().get("ruleName"))


def read_callback(event: Node, base: StopRequest) -> Iterator[StopRequest]:
    """Stop the instances in `dimensions`, if `ALARM_STATES` has `alertState`."""
    try:
        dimensions = event.field("dimensions")
        nothing = NoTarget(Lack.NOTHING, f"{dimensions} names no ECS instance (by instanceId)")
        written = _maps(dimensions) if isinstance(dimensions.value, str) else dimensions
        targets = _targets(written) or [nothing]
    except InvalidEvent as error:
        targets = [NoTarget(Lack.UNCLEAR, str(error))]
    return _requests(
        event, base, targets, state=event.field("alertState"), name=event.object().get("alertName")
    )


def _requests(
    event: Node, base: StopRequest, targets: list[Target | NoTarget], *, state: Node, name: Json
) -> Iterator[StopRequest]:
    """Complete the request; the region beside all is that of each instance which has none of its own."""
    try:
        region_id = read_region(event.find("regionId"))
        targets = [
            Target(one.instance_id, one.region_id or region_id) if isinstance(one, Target) else one
            for one in targets
        ]
    except InvalidEvent as error:
        targets = [NoTarget(Lack.UNCLEAR, str(error))]
    shown = name if isinstance(name, str) else None
    written = alarm_state(state.word(), names=[shown])
    return group(base, [Part(written, shown, target) for target in targets])


def _targets(places: Node | None) -> list[Target | NoTarget]:
    """Find what an object names, or each of a list; nothing where all of them name nothing."""
    if places is None:
        return []
    found = [find_target(place) for place in (places.items() if isinstance(places.value, list) else [places])]
    nothing = all(isinstance(one, NoTarget) and one.lack is Lack.NOTHING for one in found)
    return [] if nothing else found


def _agreed(resources: list[Target | NoTarget], data: list[Target | NoTarget]) -> list[Target | NoTarget]:
    """Take what `resources` names, else what `metricData` does; the region may stand in only one of them."""
    unfit = [one for one in (*resources, *data) if isinstance(one, NoTarget) and one.lack is not Lack.NOTHING]
    if unfit:
        return [unfit[0]]
    if not resources or not data:
        return resources or data
    regions = {one.instance_id: one.region_id for one in data if isinstance(one, Target)}
    named = {one.instance_id for one in resources if isinstance(one, Target)}
    if not regions.keys() <= named:
        text = "the event names one instance in resources and another in metricData"
        return [NoTarget(Lack.UNCLEAR, text)]
    return [
        Target(one.instance_id, one.region_id or regions.get(one.instance_id))
        if isinstance(one, Target)
        else one
        for one in resources
    ]


def _maps(written: Node) -> Node:
    """Read `{userId=12, instanceId=i-12}`, which is not JSON, or JSON in a text (older callbacks)."""
    text = written.text().strip()
    if text.startswith(("{", "[")) and "=" not in text.partition('"')[0]:
        return written.json()
    maps = [_map(written, one) for one in _MAP.findall(text) or [text]]
    return Node(maps[0] if len(maps) == 1 else maps, written.path)


def _map(written: Node, text: str) -> Json:
    fields: dict[str, Json] = {}
    for pair in text.split(","):
        key, equals, value = (part.strip() for part in pair.partition("="))
        if equals and key in fields:
            written.fail(f"is {quote(text)}, which names {quote(key)} twice")
        if equals:
            fields[key] = value
    return fields
