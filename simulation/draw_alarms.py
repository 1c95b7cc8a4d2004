"""Random alarms and system events, as each of their senders would say them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from random import Random
from typing import Any

from simulation.event_parts import Event, digest, draw_ids, draw_regions, event_time, everywhere, iso
from simulation.machine import EPOCH
from simulation.scenario import OWN_REGION, SECOND_REGION, Limits, Wish

SYSTEM_EVENT = "Instance:SystemMaintenance.Reboot:Executing"


def draw_metric_alarm(
    random: Random, fleet: Sequence[Mapping[str, Any]], limits: Limits, sent: float
) -> Event:
    """Draw CloudMonitor's alarm in the form of a metric."""
    time, level = event_time(random, sent), random.choice(("CRITICAL", "WARN", "INFO", "OK"))
    (instance_id,) = draw_ids(random, fleet, everywhere(limits))[:1]
    event = {
        "ruleName": f"idle-{random.randrange(1000)}",
        "curLevel": level,
        "resources": json.dumps({"instanceId": instance_id}),
        "time": round((EPOCH.timestamp() + time) * 1000),
    }
    return event, [
        Wish(
            event_id=digest(event),
            source="cms.alarm",
            ids=(instance_id,),
            regions=everywhere(limits),
            time=time,
            enabled=level != "OK",
        )
    ]


def draw_callback(random: Random, fleet: Sequence[Mapping[str, Any]], limits: Limits, sent: float) -> Event:
    """Draw an alarm in the form of a callback, whose region may be missing or say nothing."""
    time, state = event_time(random, sent), random.choice(("ALERT", "ALERT", "OK", "INSUFFICIENT_DATA"))
    region = random.choice((None, "null", "-", *everywhere(limits)))
    (instance_id,) = draw_ids(random, fleet, everywhere(limits))[:1]
    event = {
        "alertName": f"idle-{random.randrange(1000)}",
        "alertState": state,
        "dimensions": f"{{userId=1234567890123456, instanceId={instance_id}}}",
        "timestamp": str(round((EPOCH.timestamp() + time) * 1000)),
    } | ({"regionId": region} if region else {})
    return event, [
        Wish(
            event_id=digest(event),
            source="cms.callback",
            ids=(instance_id,),
            regions=(region,) if region in everywhere(limits) else everywhere(limits),
            time=time,
            enabled=state == "ALERT",
        )
    ]


def draw_alertmanager(
    random: Random, fleet: Sequence[Mapping[str, Any]], limits: Limits, _sent: float
) -> Event:
    """Draw several alerts; those of one status and one region are one wish."""
    alerts, groups = [], dict[tuple[str, str | None], dict[str, None]]()
    for instance_id in draw_ids(random, fleet, (OWN_REGION, SECOND_REGION))[:4]:
        status = random.choice(("firing", "firing", "firing", "resolved"))
        region = random.choice((None, None, *(limits.allowed_regions or (OWN_REGION,))))
        labels = {"instance_id": instance_id} | ({"region_id": region} if region else {})
        alerts.append({"status": status, "labels": labels})
        groups.setdefault((status, region), {})[instance_id] = None
    event = {"status": "firing", "alerts": alerts, "groupKey": f"{random.randrange(1000)}"}
    in_order = sorted(groups, key=lambda group: [status for status, _ in groups].index(group[0]))
    return event, [
        Wish(
            event_id=digest(event),
            source="alertmanager",
            ids=tuple(groups[status, region]),
            regions=(region,) if region else everywhere(limits),
            enabled=status == "firing",
        )
        for status, region in in_order
    ]


def draw_system_event(
    random: Random, fleet: Sequence[Mapping[str, Any]], limits: Limits, sent: float
) -> Event:
    """Draw an event of ECS about one instance."""
    time, (region, *_) = event_time(random, sent), draw_regions(random, limits)
    (instance_id,) = draw_ids(random, fleet, (region,))[:1]
    event_id = f"s-{random.randrange(1000)}"
    event = {
        "id": event_id,
        "product": "ECS",
        "resourceId": f"acs:ecs:{region}:1234567890123456:instance/{instance_id}",
        "name": SYSTEM_EVENT,
        "eventTime": iso(time),
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


def draw_subscription(
    random: Random, fleet: Sequence[Mapping[str, Any]], limits: Limits, sent: float
) -> Event:
    """Draw the same event as an event subscription posts it."""
    event, (wish,) = draw_system_event(random, fleet, limits, sent)
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
