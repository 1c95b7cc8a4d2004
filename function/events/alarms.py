"""Events that tell of an instance's state: one reader per source.

Each completes the draft of a `StopRequest` with the instances and the alarm's state. None of them reads how
to stop: consent, force and mode are never an alarm's to give.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from function.events.arn import (
    labelled_instance,
    labelled_region,
    names_a_place,
    read_arn,
    read_instance_id,
    read_region,
    settle_region,
)
from function.events.json_reader import Json, Node, quote
from function.model.request import MAX_INSTANCE_IDS, InvalidEvent, StopRequest

# `<resource type>:<event>:<status>`; the status stands only with some events (ECS, event notifications).
_PARTS_BEFORE_STATUS = 2


def read_system_event(event: Node, draft: StopRequest) -> Iterator[StopRequest]:
    """Stop the instance at the end of `resourceId`, if `SYSTEM_EVENTS` names the event."""
    yield _system_event(
        draft,
        event_name=event.field("name").word(),
        content=event.find("content"),
        arn=event.find("resourceId"),
        told_region=event.find("regionId"),
    )


def read_ecs_event(event: Node, draft: StopRequest) -> Iterator[StopRequest]:
    """Take `type` without `ecs:` for the name and `data` for the content; else like `cms.event`."""
    yield _system_event(
        draft,
        event_name=event.field("type").word().removeprefix("ecs:"),
        content=event.field("data"),
        arn=event.find("subject"),
        told_region=event.find("aliyunregionid"),
    )


def _system_event(
    draft: StopRequest, *, event_name: str, content: Node | None, arn: Node | None, told_region: Node | None
) -> StopRequest:
    status = content.find("eventStatus") if content else None
    if status:
        # A documented sample still says Scheduled in its name when its status is Avoided.
        event_name = ":".join([*event_name.split(":")[:_PARTS_BEFORE_STATUS], status.word()])
    resource = read_arn(arn)
    named = []
    if arn and resource and resource.kind:
        if (resource.service, resource.kind) != ("ecs", "instance"):
            arn.fail(f"is {quote(arn.value)}, not an ECS instance; nothing else is stopped")
        named.append(Node(resource.resource_id, arn.path))
    named += [found for key in ("instanceId", "resourceId") if content and (found := content.find(key))]
    ids = tuple(dict.fromkeys(read_instance_id(node) for node in named))
    if not ids:
        raise InvalidEvent(
            "the event names no ECS instance, neither by an ARN nor by instanceId in its content"
        )
    if len(ids) > 1:
        raise InvalidEvent(
            f"{' and '.join(map(str, named))} name different instances: {quote(', '.join(ids))}"
        )
    region_id, notes = settle_region(resource, told_region)
    return replace(
        draft,
        instance_ids=ids,
        region_ids=(region_id,) if region_id else draft.region_ids,
        system_event=event_name,
        notes=notes,
    )


def read_metric_alarm(event: Node, draft: StopRequest) -> Iterator[StopRequest]:
    """Stop the instance in `resources` or `metricData`, if `ALARM_STATES` has `curLevel`."""
    resources = event.find("resources")
    if resources and isinstance(resources.value, str):
        resources = resources.json()
    targets = _targets(place for place in (resources, event.find("metricData")) if place)
    if len({target.instance_id for target in targets}) > 1:
        event.fail("names one instance in resources and another in metricData")
    # The region may stand in only one of the two places.
    targets = [target for target in targets if target.region_id] or targets
    yield from _requests(event, draft, targets, state=event.field("curLevel"), names=[event.find("ruleName")])


def read_callback(event: Node, draft: StopRequest) -> Iterator[StopRequest]:
    """Stop the instances in `dimensions`, if `ALARM_STATES` has `alertState`."""
    dimensions = event.field("dimensions")
    if isinstance(dimensions.value, str):
        dimensions = _dimensions(dimensions)
    targets = _targets(dimensions.items() if isinstance(dimensions.value, list) else [dimensions])
    state, names = event.field("alertState"), [event.find("alertName")]
    yield from _requests(event, draft, targets, state=state, names=names)


def _dimensions(written: Node) -> Node:
    """Read `{userId=12, instanceId=i-12}`, which is not JSON, or JSON in a text (older callbacks)."""
    text = written.text().strip()
    if text.startswith("[") or text.removeprefix("{").lstrip().startswith('"'):
        return written.json()
    fields: dict[str, Json] = {}
    for pair in text.strip("{}").split(","):
        key, _, value = (part.strip() for part in pair.partition("="))
        if key in fields:
            written.fail(f"is {quote(text)}, which names {quote(key)} twice")
        fields[key] = value
    return Node(fields, written.path)


def read_log_alert(event: Node, draft: StopRequest) -> Iterator[StopRequest]:
    """Stop the instance in `labels`, else those in `fire_results`, if `ALARM_STATES` has `status`."""
    labels, rows, region = (event.find(key) for key in ("labels", "fire_results", "region"))
    targets = _targets([labels] if labels else [])
    if not targets and rows:
        targets = _targets(rows.items())
    if region:
        # The region of the logs, so that of the instances that wrote them, unless a label says otherwise.
        draft = replace(draft, region_ids=(read_region(region),))
    state, names = event.field("status"), [event.find("alert_name")]
    yield from _requests(event, draft, targets, state=state, names=names)


def read_alertmanager(event: Node, draft: StopRequest) -> Iterator[StopRequest | InvalidEvent]:
    """Stop the instances in the labels of `alerts`, if `ALARM_STATES` has an alert's `status`."""
    groups: dict[str, list[tuple[Node, Node]]] = {}
    lost: list[InvalidEvent] = []
    common = _common_labels(event)
    for alert in event.field("alerts").items():
        try:
            state = alert.find("status") or event.field("status")
            own = alert.find("labels")
            labels = Node(common | dict(own.object() if own else {}), alert.below("labels"))
            if not _targets([labels]):
                labels.fail("name no ECS instance (by instanceId or instance_id); nothing else is stopped")
            groups.setdefault(state.word(), []).append((state, labels))
        except InvalidEvent as error:
            lost.append(error)
    for alerts in groups.values():
        targets = _targets(labels for _, labels in alerts)
        names = [labels.find("alertname") for _, labels in alerts]
        yield from _requests(event, draft, targets, state=alerts[0][0], names=names)
    if lost:
        others = f" (and {len(lost) - 1} more alerts)" if len(lost) > 1 else ""
        yield InvalidEvent(f"{lost[0]}{others}")
    elif not groups:
        event.field("alerts").fail("is empty; it must hold at least one alert")


def _common_labels(event: Node) -> dict[str, Json]:
    """Give the labels of all alerts that matter here: an event may have thousands, times as many alerts."""
    labels = event.find("commonLabels")
    return {
        key: value
        for key, value in (labels.object() if labels else {}).items()
        if names_a_place(key) or key == "alertname"
    }


@dataclass(frozen=True, slots=True)
class _Target:
    instance_id: str
    region_id: str | None


def _targets(places: Iterable[Node]) -> list[_Target]:
    """Find the instances that these labels (dimensions, rows) name."""
    return [_Target(found, labelled_region(place)) for place in places if (found := labelled_instance(place))]


def _requests(
    event: Node, draft: StopRequest, targets: list[_Target], *, state: Node, names: Iterable[Node | None]
) -> Iterator[StopRequest]:
    """Complete the draft, once for each region."""
    ids = dict.fromkeys(target.instance_id for target in targets)
    if not ids:
        event.fail("names no ECS instance (by instanceId); an alarm on anything else stops nothing")
    if len(ids) > MAX_INSTANCE_IDS:
        event.fail(f"names {len(ids)} instances; an event names at most {MAX_INSTANCE_IDS}")
    said = ", ".join(dict.fromkeys(str(node.value) for node in names if node and isinstance(node.value, str)))
    for region_id in dict.fromkeys(target.region_id for target in targets):
        yield replace(
            draft,
            instance_ids=tuple(
                dict.fromkeys(target.instance_id for target in targets if target.region_id == region_id)
            ),
            region_ids=(region_id,) if region_id else draft.region_ids,
            alarm_state=state.word(),
            alarm_name=said or None,
        )
