"""One seed, one scenario: settings, events, and how bad a day it is."""

import json
from collections.abc import Mapping, Sequence
from random import Random
from typing import Any

from local.api.error_table import error_row
from local.emulator.behaviour import Behaviour
from local.emulator.faults import GARBAGE, HTML, Failure, Fault, Quota, Reset
from local.emulator.lifecycle import Aftermath
from simulation.fleets import HOUR, LOCKS, draw_fleet, draw_keep_until
from simulation.history import UNLISTED
from simulation.machine import WallClock
from simulation.scenario import (
    MANAGED_TAGS,
    OWN_REGION,
    OWN_ROLE,
    SECOND_REGION,
    SECOND_ROLE,
    THIRD_REGION,
    Delivery,
    Limits,
    Meddling,
    Scenario,
    Weather,
)
from simulation.wishes import SYSTEM_EVENT, by_token, draw_events, over_http

ACTIONS = (
    "*",
    "StopInstance",
    "StopInstance",
    "StopInstance",
    "StopInstances",
    "StopInstances",
    "DescribeInstances",
    "DescribeInstances",
    "DescribeInstanceTypes",
    "AssumeRole",
    "InvokeFunction",
)
CODES = (
    *("InternalError", "InternalError", "ServiceUnavailable", "LimitedOperation.ServiceUnavailable"),
    *("Throttling.User", "Throttling", "Throttling.Api", "InvalidOperation.Conflict", "InstanceNotReady"),
    *(
        "OperationConflict",
        "LastTokenProcessing",
        "SystemBusy",
        "UnknownError",
        "ServiceUnavailable.RegionMaintaining",
    ),
    *("IncorrectInstanceStatus", "DiskError", "InvalidInstanceId.NotSupport", "InstanceLockedForSecurity"),
    *("Forbidden.RAM", "NoPermission", "InvalidSecurityToken.Expired", UNLISTED),
    *("OperationDenied.SystemInstanceNotSupport", "InstanceExpiredOrInArrears", "SignatureNonceUsed"),
)
# Those after which the effect may have come all the same; the others say that nothing was done.
PERHAPS_DONE = ("InternalError", "ServiceUnavailable", "LimitedOperation.ServiceUnavailable", UNLISTED)
CALM_TIMEOUT = 600


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
    meddlings = _meddlings(random, fleet, limits, keep_until) if random.random() < 0.4 else ()
    faults = _faults(random, fleet) if random.random() < 0.7 else []
    if limits.fan_out and any(delivery.http for delivery in deliveries):
        deferral = Random(f"deferral {seed}")  # of its own, so that the other seeds stay what they are
        faults += [_fc_fault(deferral)] if deferral.random() < 0.5 else []
    return Scenario(
        seed=seed,
        calm=False,
        fleet=fleet,
        behaviour=behaviour,
        limits=limits,
        keep_until=keep_until,
        deliveries=deliveries,
        faults=faults,
        weather=_weather(random) if random.random() < 0.5 else Weather(),
        wall=_wall(random) if random.random() < 0.4 else WallClock(),
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
) -> list[Delivery]:
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
                Delivery(
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


def _fc_fault(random: Random) -> Fault:
    """Draw what may become of the call by which FC is to take a delivery over HTTP, the first of its kind."""
    code = random.choice(("ResourceExhausted", "FunctionNotFound", "AccessDenied", "InternalServerError"))
    effect = random.choice((Failure(row=error_row(code)), Failure(row=error_row(code)), Reset(), HTML))
    perhaps_done = code == "InternalServerError" or not isinstance(effect, Failure)
    after = perhaps_done and random.random() < 0.5
    return Fault(effect=effect, action="InvokeFunction", last=random.choice((1, 1, None)), after=after)


def _weather(random: Random) -> Weather:
    def sometimes(*choices: float) -> float:
        return random.choice(choices) if random.random() < 0.5 else 0.0

    return Weather(
        latencies=random.choice(
            ((0.02, 0.05, 0.1), (0.0,), (0.5, 1.0, 1.0, 3.0), (0.05, 0.05, 6.0, 11.0), (0.1, 0.1, 0.1, 30.0))
        ),
        no_connection=sometimes(0.02, 0.05, 0.3),
        lost=sometimes(0.02, 0.1, 0.3, 0.7),
        late=sometimes(0.05, 0.2),
        late_stop=sometimes(0.2, 0.6),
        late_seconds=random.choice((12.0, 60.0, 300.0)),
    )


def _faults(random: Random, fleet: Sequence[Mapping[str, Any]]) -> list[Fault]:
    faults = []
    for _ in range(random.choice((1, 1, 2, 3))):
        first = random.choice((1, 1, 1, 2, 3, 5))
        last = random.choice((first, first, first + 1, first + 4, None))
        instance_id = random.choice(fleet)["InstanceId"] if random.random() < 0.2 else None
        match random.randrange(8):
            case 0 | 1 | 2:
                code = random.choice(CODES)
                effect: Any = Failure(
                    row=error_row(code, status=403),
                    retry_after_ms=random.choice((None, None, 0, 500, 2000, 70000)),
                )
                after = code in PERHAPS_DONE and random.random() < 0.4
            case 3:
                effect, after = Reset(), random.random() < 0.6
            case 4:
                effect, after = random.choice((HTML, GARBAGE)), random.random() < 0.6
            case 5:
                effect, after = Quota(random.choice((0, 1, 2, 5, 10))), False
            case 6:
                effect, after = Aftermath(stuck=random.choice(("Running", "Stopping"))), False
            case _:
                effect, after = Aftermath(stale_seconds=random.choice((0.5, 3.0, 15.0, 100.0))), False
        faults.append(
            Fault(
                effect=effect,
                action=random.choice(ACTIONS),
                instance_id=instance_id,
                first=first,
                last=last,
                after=after,
            )
        )
    if any(fault.after for fault in faults) and random.random() < 0.5:  # done, not said, and not to be seen
        stale_seconds = random.choice((0.5, 3.0, 15.0, 100.0))
        faults.append(Fault(effect=Aftermath(stale_seconds=stale_seconds), action="StopInstance"))
    return faults


def _wall(random: Random) -> WallClock:
    jumps = []
    if random.random() < 0.5:
        jumps = [
            (random.uniform(0, 90), random.choice((-HOUR, -70.0, -3.0, 3.0, 70.0, HOUR)))
            for _ in range(random.choice((1, 2)))
        ]
    return WallClock(
        skew=random.choice((*(0.0, 0.3, 2.0, -20.0, 45.0) * 3, 290.0, 400.0, -HOUR, 2 * HOUR)),
        jumps=sorted(jumps),
    )


def _meddlings(
    random: Random, fleet: Sequence[Mapping[str, Any]], limits: Limits, keep_until: dict[str, float]
) -> list[Meddling]:
    meddlings = []
    for _ in range(random.choice((1, 1, 2, 4, 8))):
        deed = random.choice(("start", "start", "stop", "stop", "lock", "unlock", "tag", "untag", "release"))
        word = ""
        if deed in {"lock", "unlock"}:
            word = random.choice(LOCKS)
        elif deed in {"tag", "untag"}:
            word = _tag(random, limits, keep_until)
        meddlings.append(
            Meddling(
                moment=round(random.uniform(0, random.choice((1, 5, 30, 200))), 2),
                instance_id=random.choice(fleet)["InstanceId"],
                deed=deed,
                word=word,
                stale=random.choice((0.0, 0.0, 2.0, 20.0)) if deed != "start" else 0.0,
            )
        )
    return meddlings


def _tag(random: Random, limits: Limits, keep_until: dict[str, float]) -> str:
    key, value = random.choice(
        (
            *limits.protected_tags,
            limits.required_tag or limits.protected_tags[0],
            ("env", "dev"),
            ("owned-by", None),
            (MANAGED_TAGS[0], None),
        )
    )
    if random.random() < 0.25:
        key = limits.keep_until_key
        value, keep_until[value] = draw_keep_until(random)
    return f"{key}={value or 'true'}"
