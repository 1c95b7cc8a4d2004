"""Random deliveries: one event or several, of any kind, some of them over HTTP, some of them wrong."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from random import Random
from typing import Any

from simulation.draw_alarms import (
    draw_alertmanager,
    draw_callback,
    draw_metric_alarm,
    draw_subscription,
    draw_system_event,
)
from simulation.draw_requests import draw_enveloped, draw_request, draw_timer
from simulation.event_parts import Event
from simulation.scenario import ALARM_TOKEN, OWN_REGION, Limits, Wish

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
            *(draw_timer, draw_timer, draw_timer, draw_request, draw_request, draw_enveloped),
            *(draw_metric_alarm, draw_callback, draw_alertmanager, draw_system_event, draw_subscription),
        )
    )
    return draw(random, fleet, limits, sent)
