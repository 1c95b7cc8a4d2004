"""One seed, one scenario: settings, events, and how bad a day it is."""

import json
from collections.abc import Mapping, Sequence
from random import Random
from typing import Any

from local.emulator.behaviour import Behaviour
from simulation.draw_alarms import SYSTEM_EVENT
from simulation.draw_events import by_token, draw_events, over_http
from simulation.draw_fleet import draw_fleet
from simulation.draw_interference import draw_faults, draw_fc_fault, draw_meddlings, draw_wall, draw_weather
from simulation.machine import WallClock
from simulation.scenario import (
    MANAGED_TAGS,
    OWN_REGION,
    OWN_ROLE,
    SECOND_REGION,
    SECOND_ROLE,
    THIRD_REGION,
    Limits,
    Scenario,
    ScheduledDelivery,
    Weather,
)

CALM_TIMEOUT = 600
"""Seconds: more than all that happens on a calm day, the longest wait for Stopped included."""


def draw_scenario(seed: int) -> Scenario:
    """Draw everything that the seed stands for; the same on every machine, and at every time."""
    random = Random(f"scenario {seed}")
    calm = random.random() < 0.2
    limits = _limits(random)
    keep_until: dict[str, float] = {}
    fleet = draw_fleet(random, limits, keep_until, calm=calm)
    deliveries = _deliveries(random, fleet, limits, calm=calm)
    behaviour = Behaviour(stop_seconds=2.0, start_seconds=random.choice((1.0, 3.0, 40.0)))
    if calm:
        return Scenario(
            seed=seed,
            calm=True,
            fleet=fleet,
            behaviour=behaviour,
            limits=limits,
            keep_until=keep_until,
            deliveries=deliveries,
        )
    meddlings = draw_meddlings(random, fleet, limits, keep_until) if random.random() < 0.4 else ()
    faults = draw_faults(random, fleet) if random.random() < 0.7 else []
    if limits.fan_out and any(delivery.http for delivery in deliveries):
        deferral = Random(f"deferral {seed}")  # of its own, so that the other seeds stay what they are
        faults += [draw_fc_fault(deferral)] if deferral.random() < 0.5 else []
    return Scenario(
        seed=seed,
        calm=False,
        fleet=fleet,
        behaviour=behaviour,
        limits=limits,
        keep_until=keep_until,
        deliveries=deliveries,
        faults=faults,
        weather=draw_weather(random) if random.random() < 0.5 else Weather(),
        wall=draw_wall(random) if random.random() < 0.4 else WallClock(),
        meddlings=meddlings,
    )


def _limits(random: Random) -> Limits:
    chance = random.random
    return Limits(
        allowed_regions=random.choice(
            (
                (),
                (),
                (OWN_REGION, SECOND_REGION),
                (OWN_REGION, SECOND_REGION),
                (OWN_REGION, SECOND_REGION, THIRD_REGION),
            )
        )
        if chance() < 0.95
        else (SECOND_REGION,),
        allowed_roles=random.choice(((), (), (SECOND_ROLE,), (OWN_ROLE, SECOND_ROLE))),
        required_tag=random.choice((("auto-stop", "true"), ("auto-stop", None), None)),
        protected_tags=random.choice(
            ((("stop-guard", "protected"),), (("keep", None),), (("keep", None), ("stop-guard", "protected")))
        ),
        managed_tags=random.choice((None, None, None, (), ("owned-by", MANAGED_TAGS[0]))),
        keep_until_key=random.choice(("keep-running-until", "until")),
        min_uptime_minutes=random.choice((0, 0, 0, 5, 30)),
        max_instances=random.choice((0, 1, 2, 3)) if chance() < 0.15 else random.choice((10, 100, 1000)),
        stopped_mode=random.choice(("KeepCharging", "StopCharging")),
        max_event_age_minutes=random.choice((0, 60, 60, 20)),
        verify_seconds=random.choice((0, 1, 5, 20, 60, 120, 120)),
        concurrency=random.choice((1, 2, 3, 16, 16)),
        dry_run=chance() < 0.07,
        endpoint=random.choice((None, "https://ecs.example.com", "http://127.0.0.1:8014")),
        system_events=random.choice(("", SYSTEM_EVENT, "Instance:*")),
        fan_out=chance() < 0.35,
        shard_size=random.choice((1, 2, 3, 1000)),
    )


def _deliveries(
    random: Random, fleet: Sequence[Mapping[str, Any]], limits: Limits, *, calm: bool
) -> list[ScheduledDelivery]:
    """Draw one event, or more, each perhaps delivered twice at about the same time."""
    deliveries = []
    start = 0.0
    for _ in range(1 if calm or random.random() < 0.85 else 2):
        event, wishes = draw_events(random, fleet, limits, start)
        http = random.random() < (0.5 if limits.fan_out else 0.1)  # with FAN_OUT it is handed on whole
        body, authorized = over_http(random, event) if http else (event, True)
        if http:
            wishes = [by_token(wish) for wish in wishes]
        for _ in range(1 if calm or random.random() < 0.75 else 2):
            timeout = (
                CALM_TIMEOUT
                if calm
                else random.choice((1, 2, 3, 5, 10, 20, 30, 60, 60, 60, 120, 120, 300, 300, 600))
            )
            kill = not calm and random.random() < 0.25
            deliveries.append(
                ScheduledDelivery(
                    body=json.dumps(body).encode(),
                    wishes=tuple(wishes),
                    start=start,
                    timeout=timeout,
                    kills=tuple(
                        round(random.uniform(0, random.choice((1, 3, 10, 60))), 2)
                        if kill and random.random() < 0.7
                        else None
                        for _ in range(random.choice((1, 2, 4)))
                    ),
                    retry_after=random.choice((1.0, 5.0, 60.0)),
                    http=http,
                    authorized=authorized,
                )
            )
            start += random.choice((0.0, 0.0, 0.05, 0.5, 2.0, 10.0, 60.0))
    return deliveries
