"""Event subscriptions of CloudMonitor: which alerts are none, and of how many instances one may be."""

import json
from datetime import UTC, datetime

import pytest

from function.events.parse import parse
from function.model.request import StopRequest

NOW = datetime(2026, 1, 30, 12, tzinfo=UTC)
ID, OTHER = "i-bp1dev0web1k7s2q9x4f", "i-bp1dev0api8w3m5t6j2c"
ARN, OTHER_ARN = (f"acs:ecs:cn-hangzhou:1234567890123456:instance/{each}" for each in (ID, OTHER))
NAME = "Instance:SystemFailure.Reboot:Executed"


def _found(**fields: object) -> StopRequest:
    alert = {
        "alertStatus": "TRIGGERED",
        "source": "SYS_EVENT",
        "eventName": NAME,
        "timestamp": int(NOW.timestamp() * 1000),
        "product": "ECS",
        "arn": ARN,
        "meta": {"sysEventMeta": {"resourceId": ARN}},
    } | fields
    written = {key: value for key, value in alert.items() if value is not None}
    event = json.dumps({"alert": written, "strategyName": "dev"}).encode()
    (found,) = parse(event, now=NOW).events
    assert isinstance(found, StopRequest), found
    return found


def _code(**fields: object) -> str:
    found = _found(**fields)
    assert found.problem, found
    assert not found.instance_ids
    return found.problem.code


@pytest.mark.parametrize("status", ["RESOLVED", "ALERT", "WARN", "INFO", "firing"])
def test_only_an_alert_that_is_triggered_stops_anything(status: str) -> None:
    """Words that are an alarm's state say nothing here, and what has ended may lack everything else."""
    assert _code(alertStatus=status) == "Guard.AlarmState"
    assert _code(alertStatus=status, eventName=None, timestamp=None) == "Guard.AlarmState"


@pytest.mark.parametrize("source", ["METRIC", "", None, 5])
def test_only_a_system_event_is_read(source: object) -> None:
    """What else a subscription sends is refused as that, whatever it lacks."""
    assert _code(source=source) == "Guard.EventNotEnabled"
    assert _code(source=source, eventName=None, timestamp=None) == "Guard.EventNotEnabled"


def test_status_and_source_may_be_written_small() -> None:
    """They are words, not ids."""
    assert _found(alertStatus="triggered", source="sys_event").instance_ids == (ID,)


@pytest.mark.parametrize("content", [{}, [], "x"])
def test_an_empty_content_does_not_hide_the_raw_one(content: object) -> None:
    """The status stands in whichever says something."""
    raw = {"eventStatus": "Avoided"}
    asked = _found(eventContentMap=content, eventRawContent=json.dumps(raw))
    assert asked.system_event == "Instance:SystemFailure.Reboot:Avoided"


@pytest.mark.parametrize(
    ("arn", "code"),
    [
        ([ARN, OTHER_ARN], "InvalidEvent"),
        (json.dumps([ARN, OTHER_ARN]), "InvalidEvent"),
        (OTHER_ARN, "InvalidEvent"),
        ([ARN, ARN.replace("instance", "disk")], "Guard.NotAnInstance"),
    ],
)
def test_several_arns_are_never_silently_one(arn: object, code: str) -> None:
    """An event is about one instance; where it is not clear which, none is stopped."""
    assert _code(arn=arn) == code
    assert _found(arn=[ARN, ARN]).instance_ids == (ID,)


def test_the_region_of_what_is_no_instance_is_not_asked_for() -> None:
    """A bad region is a fault only where it is needed."""
    bare = "acs:ecs::1234567890123456:instance/" + ID
    meta = {"sysEventMeta": {"resourceId": bare, "regionId": "global"}}
    assert _code(arn=bare.replace("instance/i", "disk/d"), meta=meta) == "Guard.NotAnInstance"
    assert _code(arn=bare, meta=meta) == "InvalidEvent"
    assert _found(arn=bare, meta=meta).system_event == NAME
