"""Random requests: a timer's, a bare one, and one in EventBridge's envelope."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from random import Random
from typing import Any

from simulation.event_parts import Event, digest, draw_ids, draw_regions, event_time, iso
from simulation.scenario import OWN_REGION, OWN_ROLE, SECOND_ROLE, Limits, Wish

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


def draw_timer(random: Random, fleet: Sequence[Mapping[str, Any]], limits: Limits, sent: float) -> Event:
    """Draw a timer's event, with a request for its payload."""
    body, wish = _body(random, fleet, limits)
    name, time = f"night-{random.randrange(1000)}", event_time(random, sent)
    event = {"triggerTime": iso(time), "triggerName": name, "payload": json.dumps(body)}
    return event, [replace(wish, event_id=f"{name}@{iso(time)}", source="timer", time=time)]


def draw_request(random: Random, fleet: Sequence[Mapping[str, Any]], limits: Limits, _sent: float) -> Event:
    """Draw a request as it is."""
    body, wish = _body(random, fleet, limits)
    return body, [replace(wish, event_id=digest(body))]


def draw_enveloped(random: Random, fleet: Sequence[Mapping[str, Any]], limits: Limits, sent: float) -> Event:
    """Put one or two requests into EventBridge's envelope, whose id and time are theirs."""
    time, event_id = event_time(random, sent), f"e-{random.randrange(1000)}"
    inside = [_body(random, fleet, limits) for _ in range(random.choice((1, 1, 1, 2)))]
    event = {
        "id": event_id,
        "specversion": "1.0",
        "source": "my.shop",
        "type": "my:closed",
        "time": iso(time),
        "data": inside[0][0] if len(inside) == 1 else [body for body, _ in inside],
    }
    return event, [replace(wish, event_id=event_id, time=time) for _, wish in inside]


def _body(random: Random, fleet: Sequence[Mapping[str, Any]], limits: Limits) -> tuple[dict[str, Any], Wish]:
    """Draw a StopRequest."""
    chance = random.random
    body: dict[str, Any] = {}
    wish = Wish(event_id=None)
    regions = draw_regions(random, limits)
    if regions != (OWN_REGION,) or chance() < 0.5:
        body["RegionIds"] = list(regions)
    wish = replace(wish, regions=regions)
    if chance() < 0.02 or (limits.allowed_roles and chance() < 0.4):
        known = (OWN_ROLE, SECOND_ROLE) if chance() < 0.05 else limits.allowed_roles or (SECOND_ROLE,)
        roles = tuple(random.sample(known, random.randint(1, len(known))))
        body |= {"RoleArn": roles[0]} if len(roles) == 1 and chance() < 0.5 else {"RoleArns": list(roles)}
        wish = replace(wish, roles=roles)
    if chance() < 0.6:
        ids = draw_ids(random, fleet, regions)
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
