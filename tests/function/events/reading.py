"""What the tests of events share: an hour, instances, plain events, and what is understood of one."""

import json
from datetime import UTC, datetime

from function.events.parse import parse
from function.model.request import InvalidEvent, StopRequest

NOW = datetime(2026, 1, 30, 12, tzinfo=UTC)
ID, OTHER = "i-bp1dev0web1k7s2q9x4f", "i-bp1dev0api8w3m5t6j2c"
SECONDS = int(NOW.timestamp())

REQUEST = {"InstanceId": ID}
ALARM = {
    "ruleName": "idle",
    "curLevel": "INFO",
    "resources": json.dumps({"instanceId": ID}),
    "time": int(NOW.timestamp() * 1000),
}
LOG_ALERT: dict[str, object] = {
    "alert_id": "dev-idle",
    "alert_name": "idle",
    "alert_instance_id": "5a0d-64f1",
    "fire_time": SECONDS - 7200,
    "alert_time": SECONDS,
    "resolve_time": 0,
    "status": "firing",
    "region": "cn-hangzhou",
    "labels": {"instance_id": ID},
}


def understood(event: object) -> tuple[StopRequest | InvalidEvent, ...]:
    """Read an event, as bytes or as what its JSON holds."""
    return parse(event if isinstance(event, bytes) else json.dumps(event).encode(), now=NOW).events


def request_of(event: object) -> StopRequest:
    """Give the one request that an event is understood as."""
    (found,) = understood(event)
    assert isinstance(found, StopRequest), found
    return found


def error_of(event: object) -> InvalidEvent:
    """Give why an event is not understood."""
    (found,) = understood(event)
    assert isinstance(found, InvalidEvent), found
    return found


def refusal_of(event: object) -> str:
    """Give why an event is not understood, or names nothing that could be stopped."""
    (found,) = understood(event)
    if isinstance(found, InvalidEvent):
        return str(found)
    assert found.problem, found
    assert not found.instance_ids
    return found.problem.message


def timer_event(payload: object = REQUEST, **fields: object) -> dict[str, object]:
    """Make a timer's event with this payload."""
    text = payload if isinstance(payload, str) else json.dumps(payload)
    return {"triggerTime": "2026-01-30T12:00:00Z", "triggerName": "evening", "payload": text} | fields


def cloud_event(data: object, **fields: object) -> dict[str, object]:
    """Put an event into EventBridge's envelope."""
    return {
        "specversion": "1.0",
        "id": "e-1",
        "source": "dev",
        "type": "dev:Stop",
        "time": "2026-01-30T11:59:00Z",
        "data": data,
    } | fields


def alert(instance_id: object = ID, status: object = "firing", **labels: object) -> dict[str, object]:
    """Make an alert as Alertmanager sends it."""
    return {"status": status, "labels": {"alertname": "idle", "instance_id": instance_id} | labels}
