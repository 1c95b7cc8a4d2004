"""Alerts of Simple Log Service, and those in Alertmanager's form: ARMS, Prometheus, Grafana."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Self

from function.events.grouping import Part, group
from function.events.json_reader import Json, Node
from function.events.labels import Lack, NoTarget, Target, find_target, names_a_place
from function.events.missing_data import alarm_state, datasource_name
from function.model.request import InvalidEvent, StopRequest

_ALERT_NAMES = ("alertname", "alert_name", "_aliyun_arms_alert_name")
_ARMS_OBJECT = "_aliyun_arms_involvedObject_id"
_ARMS_HINT = f"ARMS has it in {_ARMS_OBJECT}, which may be anything: give the rule a label instance_id"

MAX_SPELLINGS = 16
"""More ways to spell a label that names a place than there are."""


def is_log_alert(event: Node) -> bool:
    """Tell it by fields that only Simple Log Service's alerts have."""
    return event.has_any("alert_id", "alert_name", "alert_instance_id", "fire_results") and event.has_any(
        "fire_time", "alert_time", "fire_results", "project", "status"
    )


def is_alertmanager(event: Node) -> bool:
    """Tell it by a list of alerts; whoever else has a field of that name has more of its own."""
    return event.has("alerts") and not is_log_alert(event)


def read_log_alert(event: Node, base: StopRequest) -> Iterator[StopRequest]:
    """Stop the instance in `labels`, else those in `fire_results`, if `ALARM_STATES` has `status`."""
    name = _text(event.object().get("alert_name"))
    rows, targets = None, list[Target | NoTarget]()
    try:
        labels, rows = event.find_structure("labels"), event.find_structure("fire_results")
        by_labels = find_target(labels) if labels else None
        if by_labels and not (isinstance(by_labels, NoTarget) and by_labels.lack is Lack.NOTHING):
            targets = [by_labels]
        elif rows:
            targets = [find_target(row) for row in rows.items()]
    except InvalidEvent as error:
        targets = [NoTarget(Lack.UNCLEAR, str(error))]
    nothing = NoTarget(
        Lack.NOTHING, f"{event} names no ECS instance by instance_id, neither in labels nor in fire_results"
    )
    # A rule may have an alert of its own for a query without a row; one that fires for rows has some to show.
    empty = rows is not None and rows.value == []
    state = alarm_state(event.field("status").word(), names=[name], empty=empty)
    return group(base, [Part(state, name, target) for target in targets or [nothing]])


def read_alertmanager(event: Node, base: StopRequest) -> Iterator[StopRequest | InvalidEvent]:
    """Stop the instances in the labels of `alerts`, if `ALARM_STATES` has an alert's `status`."""
    alerts = event.find_structure("alerts") or event.field("alerts")
    shared = _Shared.of(event)
    parts: list[Part] = []
    unread: list[InvalidEvent] = []
    for alert in alerts.items():
        try:
            parts.append(shared.part(alert))
        except InvalidEvent as error:
            unread.append(error)
    yield from group(base, parts)
    if unread:
        others = f" (and {len(unread) - 1} more alerts)" if len(unread) > 1 else ""
        yield InvalidEvent(f"{unread[0]}{others}")
    elif not parts:
        alerts.fail("is empty; it must hold at least one alert")


@dataclass(frozen=True, slots=True)
class _Shared:
    """What an event says of all its alerts: labels that name a place, their name, and why they fire."""

    event: Node
    places: Mapping[str, Json]
    name: str | None
    reason: str | None

    @classmethod
    def of(cls, event: Node) -> Self:
        """Read it once: an event may have thousands of labels, times as many alerts."""
        labels = _object(event, "commonLabels")
        places = {key: value for key, value in labels.items() if names_a_place(key)}
        if len(places) > MAX_SPELLINGS:
            event.fail(f"names places in {len(places)} of its commonLabels; one for the instance is enough")
        texts = [*labels.values(), *_object(event, "groupLabels").values(), event.object().get("title")]
        named = (datasource_name(text) for text in texts if isinstance(text, str))
        return cls(
            event=event,
            places=places,
            name=next((name for name in named if name), None) or _alert_name(labels),
            reason=_text(_object(event, "commonAnnotations").get("grafana_state_reason")),
        )

    def part(self, alert: Node) -> Part:
        """Judge one alert. Raise `InvalidEvent` where it has no state that can be read."""
        state = (_status(alert) or _status(self.event) or alert.field("status")).word()
        name = self.name
        try:
            own = _object(alert, "labels")
            name = _alert_name(own) or self.name
            target = find_target(Node({**self.places, **own}, alert.below("labels")))
            if isinstance(target, NoTarget) and target.lack is Lack.NOTHING and _ARMS_OBJECT in own:
                target = NoTarget(Lack.NOTHING, f"{target.message}; {_ARMS_HINT}")
            texts = [value for value in own.values() if isinstance(value, str)]
        except InvalidEvent as error:
            target, texts = NoTarget(Lack.UNCLEAR, str(error)), []
        reason = _text(_object(alert, "annotations").get("grafana_state_reason")) or self.reason
        return Part(alarm_state(state, names=(*texts, self.name), reason=reason), name, target)


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


def _alert_name(labels: Mapping[str, Json]) -> str | None:
    return next((text for key in _ALERT_NAMES if (text := _text(labels.get(key)))), None)


def _text(value: Json) -> str | None:
    return value if isinstance(value, str) else None
