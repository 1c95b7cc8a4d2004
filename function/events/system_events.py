"""System events: CloudMonitor's own, those of an event subscription, and ECS's through EventBridge."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from function.events.arn import Arn, read_arn, settle_region
from function.events.json_reader import Node, quote
from function.events.labels import is_instance_id
from function.model.frozen import frozen
from function.model.outcome import INVALID_EVENT, GuardCode
from function.model.request import InvalidEvent, StopRequest, TargetProblem

# `<resource type>:<event>:<status>`; the status stands only with some events (ECS, event notifications).
_PARTS_BEFORE_STATUS = 2

_STATE_CHANGE = "Instance:StateChange"
"""The system event of a start, too (ECS help, "Instance state change event"); its content has the `state`."""

# Who called the API, and what Cloud Config made of it: neither says what has become of an instance.
_NO_RESOURCES = frozenset({"ActionTrail", "Config"})

_TRIGGERED = "TRIGGERED"
_SYSTEM_EVENT = "SYS_EVENT"


def is_system_event(event: Node) -> bool:
    """Tell it by name, time and content together; a level or a rule's name it may have as alarms do."""
    own = sum(event.has(key) for key in ("name", "eventTime", "content", "resourceId"))
    return own > 1 and not event.has_any("alertState", "metricData", "specversion")


def is_subscription(event: Node) -> bool:
    """Tell it by the alert beside what says to whom and by which strategy it goes."""
    return event.has("alert") and event.has_any("subscription", "strategyName", "userInfo", "batchId")


def alert_of(event: Node) -> Node:
    """Give what a subscription sends. Raise `InvalidEvent` where there is none."""
    return _object_in(event, "alert") or event.field("alert")


def alert_problem(alert: Node) -> TargetProblem | None:
    """Say why such an alert stops nothing, whatever it is about: it has ended, or is no system event."""
    status = alert.field("alertStatus")
    if status.word().casefold() != _TRIGGERED.casefold():
        text = f"{status} is {quote(status.value)}, which stops nothing; only {_TRIGGERED} may"
        return TargetProblem(code=GuardCode.ALARM_STATE, message=text)
    source = Node(alert.object().get("source"), alert.below("source"))
    if str(source.value).casefold() != _SYSTEM_EVENT.casefold():
        text = f"{source} is {quote(source.value)}; only {_SYSTEM_EVENT} is read"
        return TargetProblem(code=GuardCode.EVENT_NOT_ENABLED, message=text)
    return None


def read_system_event(event: Node, base: StopRequest) -> Iterator[StopRequest]:
    """Stop the instance at the end of `resourceId`, if `SYSTEM_EVENTS` names the event."""
    yield _request(
        base,
        name=event.field("name"),
        content=_object_in(event, "content"),
        arns=[event.find_value("resourceId")],
        region=event.find_value("regionId"),
        product=event.find_value("product"),
    )


def read_ecs_event(event: Node, base: StopRequest) -> Iterator[StopRequest]:
    """Take `type` without `ecs:` for the name and `data` for the content; else like `cms.event`."""
    content = _object_in(event, "data")
    subject = _resource(event.find_value("subject"))
    # A subject may be any text; that of EventBridge's own sample ends in a number.
    named = subject.node if subject and (subject.arn or subject.instance_id) else None
    yield _request(
        base,
        name=event.field("type"),
        content=content,
        arns=[named],
        region=(content.find_value("regionId") if content else None) or event.find_value("aliyunregionid"),
    )


def read_subscription(event: Node, base: StopRequest) -> Iterator[StopRequest]:
    """Stop the instance of `alert.arn`, if `SYSTEM_EVENTS` names `alert.eventName` and it is `TRIGGERED`."""
    alert = alert_of(event)
    if problem := alert_problem(alert):
        yield replace(base, problem=problem)
        return
    meta = _object_in(alert, "meta")
    system_event = _object_in(meta, "sysEventMeta") if meta else None
    contents = (_object_in(alert, key) for key in ("eventContentMap", "eventRawContent"))
    arn = alert.find_structure("arn")
    arns = arn.items() if arn and isinstance(arn.value, list) else [arn]
    yield _request(
        base,
        name=alert.field("eventName"),
        content=next((content for content in contents if content and content.value), None),
        arns=[*arns, system_event.find_value("resourceId") if system_event else None],
        region=system_event.find_value("regionId") if system_event else None,
        product=alert.find_value("product"),
    )


def _object_in(node: Node, key: str) -> Node | None:
    """Give the object in a field, also one that is alone in a list; what else stands there says nothing."""
    found = node.find_structure(key)
    if found and isinstance(found.value, list) and len(found.value) == 1:
        (found,) = found.items()
    return found if found and isinstance(found.value, dict) else None


def _request(
    base: StopRequest,
    *,
    name: Node,
    content: Node | None,
    arns: Sequence[Node | None],
    region: Node | None,
    product: Node | None = None,
) -> StopRequest:
    event_name = name.word().removeprefix("ecs:")
    status = content.find_value("eventStatus") if content else None
    if status:
        # A documented sample still says Scheduled in its name when its status is Avoided.
        event_name = ":".join([*event_name.split(":")[:_PARTS_BEFORE_STATUS], status.word()])
    resources = [one for node in arns if (one := _resource(node)) and one.arn]
    target = _target(event_name, resources, [node for node in arns if node], content, product)
    region_id: str | None = None
    notes: tuple[str, ...] = ()
    if isinstance(target, str):
        try:
            region_id, notes = settle_region(resources[0].arn if resources else None, region)
        except InvalidEvent as error:
            target = TargetProblem(code=INVALID_EVENT, message=str(error))
    return replace(
        base,
        system_event=event_name,
        tells_of_start=event_name.startswith(_STATE_CHANGE) and _state(content) == "Running",
        instance_ids=(target,) if isinstance(target, str) else (),
        problem=target if isinstance(target, TargetProblem) else None,
        region_ids=(region_id,) if region_id else base.region_ids,
        notes=notes,
    )


def _state(content: Node | None) -> object:
    state = content.find_value("state") if content else None
    return state.value if state else None


@frozen
class _Resource:
    """What an event is about, by an ARN of the form `…:TYPE/ID` or by a bare id."""

    node: Node
    arn: Arn | None
    instance_id: str | None


def _resource(node: Node | None) -> _Resource | None:
    if node is None:
        return None
    arn = read_arn(node)
    arn = arn if arn and arn.kind else None
    written = arn.resource_id if arn else node.value
    bare = Node(written.strip() if isinstance(written, str) else written, node.path)
    instance_id = str(bare.value) if is_instance_id(bare) and (arn is None or arn.is_instance) else None
    return _Resource(node, arn, instance_id)


def _target(
    event_name: str,
    resources: Sequence[_Resource],
    arns: Sequence[Node],
    content: Node | None,
    product: Node | None,
) -> str | TargetProblem:
    """Find the instance that the event is about. An ARN says it before everything; else name and product."""
    foreign = product is not None and str(product.value).strip().casefold() != "ecs"
    kind, colon, _ = event_name.partition(":")
    for resource in resources:
        if not resource.instance_id:
            return _something_else(resource.node)
    if resources and product and foreign:
        return _of_another_service(f"{product} is {quote(product.value)}")
    if product and foreign:
        return _something_else(product)
    if not colon or kind in _NO_RESOURCES:
        return _of_another_service(f"the event is {event_name!r}")
    if not resources and kind != "Instance":
        return _not_an_instance(f"the event {event_name!r} is about a {kind}, not an ECS instance")
    inside = [content.find_value(key) for key in ("instanceId", "resourceId")] if content else []
    named = [one for node in (*([] if resources else arns), *inside) if (one := _resource(node))]
    others = [one for one in named if not one.instance_id]
    if others and not resources:
        return _something_else(others[0].node)
    found = [*resources, *(one for one in named if one.instance_id)]
    ids = list(dict.fromkeys(one.instance_id for one in found if one.instance_id))
    if len(ids) == 1:
        return ids[0]
    return TargetProblem(
        code=INVALID_EVENT,
        message=f"{' and '.join(str(one.node) for one in found)} name different instances: {', '.join(ids)}"
        if ids
        else "the event names no ECS instance, neither by an ARN nor by instanceId in its content",
    )


def _of_another_service(text: str) -> TargetProblem:
    return TargetProblem(
        code=GuardCode.EVENT_NOT_ENABLED, message=f"{text}: about an instance, but no event of ECS's own"
    )


def _something_else(node: Node) -> TargetProblem:
    return _not_an_instance(f"{node} is {quote(node.value)}, not an ECS instance")


def _not_an_instance(text: str) -> TargetProblem:
    return TargetProblem(code=GuardCode.NOT_AN_INSTANCE, message=f"{text}; nothing else is stopped")
