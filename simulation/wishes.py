"""Random events: what each means, and how each of the sources that can reach the function would say it."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from hashlib import sha256
from random import Random
from typing import Any

from simulation.machine import EPOCH, true_time
from simulation.scenario import (
    ALARM_TOKEN,
    OWN_REGION,
    OWN_ROLE,
    SECOND_REGION,
    SECOND_ROLE,
    THIRD_REGION,
    Limits,
    Tag,
    Wish,
)

SYSTEM_EVENT = "Instance:SystemMaintenance.Reboot:Executing"

Event = tuple[Any, list[Wish]]
"""An event as JSON has it, and what it means."""

_FILTERS: tuple[tuple[dict[str, Any], dict[str, str]], ...] = (
    ({"Tag": [{"Key": "env", "Value": "dev"}]}, {"Tag.1.Key": "env", "Tag.1.Value": "dev"}),
    ({"Tag": [{"Key": "env"}]}, {"Tag.1.Key": "env"}),
    (
        {"Tag": [{"Key": "env", "Value": "dev"}], "ResourceGroupId": "rg-one"},
        {"Tag.1.Key": "env", "Tag.1.Value": "dev", "ResourceGroupId": "rg-one"},
    ),
    ({"ResourceGroupId": "rg-two"}, {"ResourceGroupId": "rg-two"}),
    ({"ZoneId": f"{OWN_REGION}-h"}, {"ZoneId": f"{OWN_REGION}-h"}),
    ({"InstanceName": "dev-*"}, {"InstanceName": "dev-*"}),
)
_INVALID: tuple[Any, ...] = (
    {"InstanceIds": "i-000"},
    {"InstanceIds": []},
    {"InstanceId": "i-000", "DryRun": "true"},
    {"InstanceId": "i-000", "Force": True},
    {"DryRun": True, "RegionId": OWN_REGION},
    {"InstanceIds": ["i-000"], "Tag": [{"Key": "env"}]},
    {"triggerTime": "yesterday", "triggerName": "night", "payload": '{"InstanceId": "i-000"}'},
    "stop everything",
)


def draw_events(random: Random, fleet: Sequence[Mapping[str, Any]], limits: Limits, sent: float) -> Event:
    """Draw what one delivery holds: mostly one event, sometimes an array, sometimes with mistakes in it."""
    if random.random() < 0.85:
        return _event(random, fleet, limits, sent)
    events = [_event(random, fleet, limits, sent) for _ in range(random.choice((1, 2, 2, 3)))]
    if random.random() < 0.1:
        events.append(events[0])
    return [body for body, _ in events], [wish for _, wishes in events for wish in wishes]


def handed_on(event: bytes) -> tuple[Wish, ...]:
    """Read what an event that the function has handed on asks for: a shard, or all of a delivery."""
    found = json.loads(event)
    return tuple(map(_wish, found if isinstance(found, list) else [found]))


def _wish(envelope: Mapping[str, Any]) -> Wish:
    data, time, selection = envelope["data"], envelope.get("time"), envelope.get("selection", {})
    return Wish(
        event_id=envelope["id"],
        source=envelope.get("origin", "request"),
        ids=tuple(data.get("InstanceIds", ())),
        filters=None if "InstanceIds" in data else _parameters(data),
        regions=tuple(data.get("RegionIds") or (data["RegionId"],)),
        roles=(data["RoleArn"],) if "RoleArn" in data else (),
        stopped_mode=data["StoppedMode"],
        confirm_stop=data.get("ConfirmStop", False),
        force_stop=data.get("ForceStop", False),
        dry_run=data["DryRun"],
        admitted=envelope["admitted"],
        selected_by=_tags(selection),
        time=None if time is None else (datetime.fromisoformat(time) - EPOCH).total_seconds(),
    )


def _tags(filters: Mapping[str, Any]) -> tuple[Tag, ...]:
    return tuple((tag["Key"], tag.get("Value")) for tag in filters.get("Tag", ()))


def _parameters(filters: Mapping[str, Any]) -> dict[str, str]:
    """Give filters under DescribeInstances' names."""
    names = ("ResourceGroupId", "VpcId", "ZoneId", "InstanceName")
    parameters: dict[str, str] = {name: filters[name] for name in names if name in filters}
    for number, (key, value) in enumerate(_tags(filters), 1):
        parameters[f"Tag.{number}.Key"] = key
        if value is not None:
            parameters[f"Tag.{number}.Value"] = value
    return parameters


def over_http(random: Random, event: Any) -> tuple[Any, bool]:  # noqa: ANN401 - any JSON
    """Wrap it as FC's HTTP trigger does, and say whether it has the right token."""
    authorized = random.random() < 0.9
    token = ALARM_TOKEN if authorized else random.choice(("", "wrong"))
    return {
        "version": "v1",
        "rawPath": "/",
        "headers": {"X-Alarm-Token": token},
        "queryParameters": {},
        "body": json.dumps(event),
        "isBase64Encoded": False,
        "requestContext": {},
    }, authorized


def by_token(wish: Wish) -> Wish:
    """Say what a wish comes to over HTTP: a token is no leave to lose data, to use force or another role."""
    asks_much = wish.confirm_stop or wish.force_stop or wish.roles
    return replace(wish, enabled=wish.enabled and not asks_much)


def _event(random: Random, fleet: Sequence[Mapping[str, Any]], limits: Limits, sent: float) -> Event:
    if random.random() < 0.02:
        return random.choice(_INVALID), [Wish(event_id=None, valid=False)]
    draw: Callable[[Random, Sequence[Mapping[str, Any]], Limits, float], Event] = random.choice(
        (
            *(_timer, _timer, _timer, _request, _request, _enveloped),
            *(_metric_alarm, _callback, _alertmanager, _system_event, _subscription),
        )
    )
    return draw(random, fleet, limits, sent)


def _time(random: Random, sent: float) -> float:
    """Draw when an event was made: mostly just now, sometimes too long ago, or later than now."""
    return float(round(sent - random.choice((*(0, 1, 2, 2, 5, 9, 30, 90) * 4, 1000, 3500, 4000, -200, -400))))


def _iso(moment: float) -> str:
    return true_time(moment).strftime("%Y-%m-%dT%H:%M:%SZ")


def _digest(event: Any) -> str:  # noqa: ANN401 - any JSON
    """Name an event that has no name: SHA-256 of its JSON without blanks, keys in order, 16 digits."""
    return sha256(json.dumps(event, sort_keys=True, separators=(",", ":")).encode()).hexdigest()[:16]


def _body(random: Random, fleet: Sequence[Mapping[str, Any]], limits: Limits) -> tuple[dict[str, Any], Wish]:
    """Draw a StopRequest."""
    chance = random.random
    body: dict[str, Any] = {}
    wish = Wish(event_id=None)
    regions = _regions(random, limits)
    if regions != (OWN_REGION,) or chance() < 0.5:
        body["RegionIds"] = list(regions)
    wish = replace(wish, regions=regions)
    if chance() < 0.02 or (limits.allowed_roles and chance() < 0.4):
        known = (OWN_ROLE, SECOND_ROLE) if chance() < 0.05 else limits.allowed_roles or (SECOND_ROLE,)
        roles = tuple(random.sample(known, random.randint(1, len(known))))
        body |= {"RoleArn": roles[0]} if len(roles) == 1 and chance() < 0.5 else {"RoleArns": list(roles)}
        wish = replace(wish, roles=roles)
    if chance() < 0.6:
        ids = _ids(random, fleet, regions)
        body["InstanceIds"] = ids
        wish = replace(wish, ids=tuple(dict.fromkeys(ids)))
    else:
        filters, parameters = random.choice(_FILTERS)
        body |= filters
        wish = replace(wish, filters=parameters)
    if chance() < 0.4:
        body["StoppedMode"] = random.choice(("StopCharging", "KeepCharging"))
    if chance() < 0.5:
        body["ConfirmStop"] = chance() < 0.8
    if chance() < 0.3:
        body["ForceStop"] = chance() < 0.7
    if chance() < 0.2:
        body["DryRun"] = chance() < 0.6
    return body, replace(
        wish,
        stopped_mode=body.get("StoppedMode"),
        confirm_stop=body.get("ConfirmStop", False),
        force_stop=body.get("ForceStop", False),
        dry_run=body.get("DryRun", False),
    )


def _regions(random: Random, limits: Limits) -> tuple[str, ...]:
    """Draw some of the regions that are allowed, seldom one that is not."""
    if random.random() < 0.03:
        return random.choice(((THIRD_REGION,), (OWN_REGION, THIRD_REGION), (SECOND_REGION, OWN_REGION)))
    allowed = limits.allowed_regions or (OWN_REGION,)
    return tuple(random.sample(allowed, random.randint(1, len(allowed))))


def _ids(random: Random, fleet: Sequence[Mapping[str, Any]], regions: Sequence[str]) -> list[str]:
    """Draw instances, mostly of these regions; some unknown, some twice."""
    there = [instance["InstanceId"] for instance in fleet if instance["RegionId"] in regions]
    anywhere = [instance["InstanceId"] for instance in fleet]
    known = there if there and random.random() < 0.9 else anywhere
    many = len(known) if random.random() < 0.5 else random.randint(1, len(known))
    ids = random.sample(known, many)
    if random.random() < 0.15:
        ids.append("i-unknown")
    if random.random() < 0.1:
        ids.append(ids[0])
    return ids


def _timer(random: Random, fleet: Sequence[Mapping[str, Any]], limits: Limits, sent: float) -> Event:
    body, wish = _body(random, fleet, limits)
    name, time = f"night-{random.randrange(1000)}", _time(random, sent)
    event = {"triggerTime": _iso(time), "triggerName": name, "payload": json.dumps(body)}
    return event, [replace(wish, event_id=f"{name}@{_iso(time)}", source="timer", time=time)]


def _request(random: Random, fleet: Sequence[Mapping[str, Any]], limits: Limits, _sent: float) -> Event:
    body, wish = _body(random, fleet, limits)
    return body, [replace(wish, event_id=_digest(body))]


def _enveloped(random: Random, fleet: Sequence[Mapping[str, Any]], limits: Limits, sent: float) -> Event:
    """Put one or two requests into EventBridge's envelope, whose id and time are theirs."""
    time, event_id = _time(random, sent), f"e-{random.randrange(1000)}"
    inside = [_body(random, fleet, limits) for _ in range(random.choice((1, 1, 1, 2)))]
    event = {
        "id": event_id,
        "specversion": "1.0",
        "source": "my.shop",
        "type": "my:closed",
        "time": _iso(time),
        "data": inside[0][0] if len(inside) == 1 else [body for body, _ in inside],
    }
    return event, [replace(wish, event_id=event_id, time=time) for _, wish in inside]


def _everywhere(limits: Limits) -> tuple[str, ...]:
    """Where an alarm means its instance if it names no region: wherever anything may be stopped."""
    return limits.allowed_regions or (OWN_REGION,)


def _metric_alarm(random: Random, fleet: Sequence[Mapping[str, Any]], limits: Limits, sent: float) -> Event:
    time, level = _time(random, sent), random.choice(("CRITICAL", "WARN", "INFO", "OK"))
    (instance_id,) = _ids(random, fleet, _everywhere(limits))[:1]
    event = {
        "ruleName": f"idle-{random.randrange(1000)}",
        "curLevel": level,
        "resources": json.dumps({"instanceId": instance_id}),
        "time": round((EPOCH.timestamp() + time) * 1000),
    }
    return event, [
        Wish(
            event_id=_digest(event),
            source="cms.alarm",
            ids=(instance_id,),
            regions=_everywhere(limits),
            time=time,
            enabled=level != "OK",
        )
    ]


def _callback(random: Random, fleet: Sequence[Mapping[str, Any]], limits: Limits, sent: float) -> Event:
    """Draw an alarm in the form of a callback, whose region may be missing or say nothing."""
    time, state = _time(random, sent), random.choice(("ALERT", "ALERT", "OK", "INSUFFICIENT_DATA"))
    region = random.choice((None, "null", "-", *_everywhere(limits)))
    (instance_id,) = _ids(random, fleet, _everywhere(limits))[:1]
    event = {
        "alertName": f"idle-{random.randrange(1000)}",
        "alertState": state,
        "dimensions": f"{{userId=1234567890123456, instanceId={instance_id}}}",
        "timestamp": str(round((EPOCH.timestamp() + time) * 1000)),
    } | ({"regionId": region} if region else {})
    return event, [
        Wish(
            event_id=_digest(event),
            source="cms.callback",
            ids=(instance_id,),
            regions=(region,) if region in _everywhere(limits) else _everywhere(limits),
            time=time,
            enabled=state == "ALERT",
        )
    ]


def _alertmanager(random: Random, fleet: Sequence[Mapping[str, Any]], limits: Limits, _sent: float) -> Event:
    """Draw several alerts; those of one status and one region are one wish."""
    alerts, groups = [], dict[tuple[str, str | None], dict[str, None]]()
    for instance_id in _ids(random, fleet, (OWN_REGION, SECOND_REGION))[:4]:
        status = random.choice(("firing", "firing", "firing", "resolved"))
        region = random.choice((None, None, *(limits.allowed_regions or (OWN_REGION,))))
        labels = {"instance_id": instance_id} | ({"region_id": region} if region else {})
        alerts.append({"status": status, "labels": labels})
        groups.setdefault((status, region), {})[instance_id] = None
    event = {"status": "firing", "alerts": alerts, "groupKey": f"{random.randrange(1000)}"}
    in_order = sorted(groups, key=lambda group: [status for status, _ in groups].index(group[0]))
    return event, [
        Wish(
            event_id=_digest(event),
            source="alertmanager",
            ids=tuple(groups[status, region]),
            regions=(region,) if region else _everywhere(limits),
            enabled=status == "firing",
        )
        for status, region in in_order
    ]


def _system_event(random: Random, fleet: Sequence[Mapping[str, Any]], limits: Limits, sent: float) -> Event:
    time, (region, *_) = _time(random, sent), _regions(random, limits)
    (instance_id,) = _ids(random, fleet, (region,))[:1]
    event_id = f"s-{random.randrange(1000)}"
    event = {
        "id": event_id,
        "product": "ECS",
        "resourceId": f"acs:ecs:{region}:1234567890123456:instance/{instance_id}",
        "name": SYSTEM_EVENT,
        "eventTime": _iso(time),
        "content": {},
    }
    enabled = limits.system_events != ""
    return event, [
        Wish(
            event_id=event_id,
            source="cms.event",
            ids=(instance_id,),
            regions=(region,),
            time=time,
            enabled=enabled,
        )
    ]


def _subscription(random: Random, fleet: Sequence[Mapping[str, Any]], limits: Limits, sent: float) -> Event:
    """Draw the same event as an event subscription posts it."""
    event, (wish,) = _system_event(random, fleet, limits, sent)
    status = random.choice(("TRIGGERED", "TRIGGERED", "RESOLVED"))
    source = random.choice(("SYS_EVENT", "SYS_EVENT", "SYS_EVENT", "CUSTOM_EVENT"))
    alert = {
        "alertStatus": status,
        "source": source,
        "product": "ECS",
        "traceId": event["id"],
        "eventName": SYSTEM_EVENT,
        "arn": event["resourceId"],
        "eventContentMap": event["content"],
        "timestamp": round((EPOCH.timestamp() + (wish.time or 0)) * 1000),
    }
    body = {"strategyName": "simulated", "alert": random.choice((alert, json.dumps(alert)))}
    enabled = wish.enabled and status == "TRIGGERED" and source == "SYS_EVENT"
    return body, [replace(wish, enabled=enabled)]
