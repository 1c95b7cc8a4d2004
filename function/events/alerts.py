"""Alerts of Simple Log Service, and those in Alertmanager's form: ARMS, Prometheus, Grafana."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Self

from function.events.alarms import is_callback
from function.events.grouping import Alert, group
from function.events.json_reader import Json, Node
from function.events.labels import (
    Absent,
    InstanceRef,
    NoInstance,
    Unclear,
    find_instance,
    is_identifying,
)
from function.events.missing_data import alarm_state, datasource_name, is_of_datasource
from function.model.frozen import frozen
from function.model.request import InvalidEvent, StopRequest

_ALERT_NAMES = ("alertname", "alert_name", "_aliyun_arms_alert_name")
_ARMS_OBJECT = "_aliyun_arms_involvedObject_id"
_ARMS_HINT = f"ARMS has it in {_ARMS_OBJECT}, which may be anything: give the rule a label instance_id"

MAX_IDENTIFYING_LABELS = 16
"""The four labels that identify something, each as instanceId, InstanceId, instance_id and instance-id."""


def is_log_alert(event: Node) -> bool:
    """Tell it by fields that only Simple Log Service's alerts have; Alertmanager's may have a name."""
    named = event.has_any("alert_name", "alert_id") and not event.has("alerts")
    own = named or event.has_any("alert_instance_id", "fire_results")
    return own and event.has_any("fire_time", "alert_time", "fire_results", "project", "status")


def is_alertmanager(event: Node) -> bool:
    """Tell it by a list of alerts; whoever else has a field of that name has more of its own."""
    return event.has("alerts") and not (is_log_alert(event) or is_callback(event))


def read_log_alert(event: Node, base: StopRequest) -> Iterator[StopRequest]:
    """Stop the instance in `labels`, else those in `fire_results`, if `ALARM_STATES` has `status`."""
    name = _text(event.object().get("alert_name"))
    missing = f"{event} names no ECS instance by instance_id, neither in labels nor in fire_results"
    nothing: NoInstance = Absent(missing)
    labels, rows = Node({}), None
    try:
        rows = _rows(event)
    except InvalidEvent as error:
        nothing = Unclear(str(error))
    try:
        labels = event.find_structure("labels") or labels
        target = find_instance(labels)
        # Labels that are none leave it to the rows, where there are some.
        if isinstance(target, Absent) or (rows and not isinstance(labels.value, dict)):
            shared = _identifying_labels(
                event, "labels", labels.value if isinstance(labels.value, dict) else {}
            )
            targets = [_find_in(row, shared) for row in rows or ()] or [nothing]
        else:
            targets = [target]
    except InvalidEvent as error:
        targets = [Unclear(str(error))]
    own = labels.value if isinstance(labels.value, dict) else {}
    state = alarm_state(
        event.field("status").word(),
        names=[name, *_texts(own)],
        reason=_reason(event, "annotations"),
        empty=_is_empty(event, rows) or is_of_datasource(own),
    )
    return group(base, [Alert(state, name, target) for target in targets])


def _rows(event: Node) -> list[Node] | None:
    """Give the rows for which a rule fired: a list, or one alone; None where nothing is said of them."""
    results = event.find_structure("fire_results")
    if results is None:
        return None
    return [results] if isinstance(results.value, dict) else [_opened(row) for row in results.items()]


def _is_empty(event: Node, rows: Sequence[Node] | None) -> bool:
    """Tell an alert for a query without a row, of which a rule may have one; others have a row to show."""
    said = rows is not None or str(event.object().get("fire_results_count")) == "0"
    return said and not any(row.value and not row.is_blank() for row in rows or ())


def _find_in(row: Node, shared: Mapping[str, Json]) -> InstanceRef | NoInstance:
    """Find the instance in a row or an alert's labels, with the identifying labels that all of them share."""
    try:
        return find_instance(Node({**shared, **row.opened().object()}, row.path))
    except InvalidEvent as error:
        return Unclear(str(error))


def read_alertmanager(event: Node, base: StopRequest) -> Iterator[StopRequest | InvalidEvent]:
    """Stop the instances in the labels of `alerts`, if `ALARM_STATES` has an alert's `status`."""
    alerts = event.find_structure("alerts") or event.field("alerts")
    shared = _Shared.of(event)
    judged: list[Alert] = []
    unread: list[InvalidEvent] = []
    for alert in alerts.items():
        try:
            judged.append(shared.judge(alert.opened()))
        except InvalidEvent as error:
            unread.append(error)
    yield from group(base, judged)
    if unread:
        others = f" (and {len(unread) - 1} more alerts)" if len(unread) > 1 else ""
        yield InvalidEvent(f"{unread[0]}{others}")
    elif not judged:
        alerts.fail("is empty; it must hold at least one alert")


@frozen
class _Shared:
    """What an event says of all its alerts: identifying labels, their name, and why they fire.

    `message` tells of each alert, so it is read only for one that has no name.
    """

    event: Node
    identifying: Mapping[str, Json]
    name: str | None
    reason: str | None
    message: str | None

    @classmethod
    def of(cls, event: Node) -> Self:
        """Read it once: an event may have thousands of labels, times as many alerts."""
        labels = _remarks(event, "commonLabels")
        shown = {key: event.object().get(key) for key in ("title", "groupKey")}
        named = map(datasource_name, _texts(labels, _remarks(event, "groupLabels"), shown))
        return cls(
            event=event,
            identifying=_identifying_labels(event, "commonLabels", labels),
            name=next((name for name in named if name), None) or _alert_name(labels),
            reason=_reason(event, "commonAnnotations", "commonLabels"),
            message=_text(event.object().get("message")),
        )

    def judge(self, alert: Node) -> Alert:
        """Judge one alert. Raise `InvalidEvent` where it has no state that can be read."""
        state = (_status(alert) or _status(self.event) or alert.field("status")).word()
        name = self.name
        try:
            own = _object(alert, "labels")
            name = _alert_name(own) or self.name
            target = _find_in(Node(dict(own), alert.below("labels")), self.identifying)
            if isinstance(target, Absent) and _ARMS_OBJECT in own:
                target = Absent(f"{target.message}; {_ARMS_HINT}")
        except InvalidEvent as error:
            own, target = {}, Unclear(str(error))
        written = alarm_state(
            state,
            names=(*_texts(own), self.name or (None if name else self.message)),
            reason=_reason(alert, "annotations", "labels") or self.reason,
            empty=is_of_datasource(own),
        )
        return Alert(written, name, target)


def _status(node: Node) -> Node | None:
    """Find the status: a word, or as Alertmanager's API has it, an object with the word in `state`."""
    status = node.find_value("status")
    return status.find("state") if status and isinstance(status.value, dict) else status


def _object(node: Node, key: str) -> Mapping[str, Json]:
    """Give the fields of the object that a field holds, as it is or as JSON text; none where it is absent."""
    found = node.object().get(key)
    if isinstance(found, dict):
        return found
    structure = node.find_structure(key)
    return structure.object() if structure else {}


def _remarks(node: Node, key: str) -> Mapping[str, Json]:
    """Give likewise what is said beside an alert or of all together; none, too, where that can't be read."""
    try:
        return _object(node, key)
    except InvalidEvent:
        return {}


def _reason(node: Node, *keys: str) -> str | None:
    """Find why Grafana put an alert into its state."""
    reasons = (_text(_remarks(node, key).get("grafana_state_reason")) for key in keys)
    return next(filter(None, reasons), None)


def _identifying_labels(node: Node, key: str, labels: Mapping[str, Json]) -> dict[str, Json]:
    """Give the identifying labels, which hold for each row or alert that has no such label."""
    identifying = {label: value for label, value in labels.items() if is_identifying(label)}
    if len(identifying) > MAX_IDENTIFYING_LABELS:
        node.fail(f"names an instance or region in {len(identifying)} of its {key}; one for each is enough")
    return identifying


def _opened(node: Node) -> Node:
    """Read what may be JSON text; leave alone what is not, or broken."""
    try:
        return node.opened()
    except InvalidEvent:
        return node


def _texts(*objects: Mapping[str, Json]) -> Iterable[str]:
    return (value for fields in objects for value in fields.values() if isinstance(value, str))


def _alert_name(labels: Mapping[str, Json]) -> str | None:
    return next((text for key in _ALERT_NAMES if (text := _text(labels.get(key)))), None)


def _text(value: Json) -> str | None:
    return value if isinstance(value, str) else None
