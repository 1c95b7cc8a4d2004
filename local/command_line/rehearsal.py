"""Rehearsals: runs against a local ECS started for them, on an event that counts as sent now."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from function.cloud.runtime import SystemClock
from function.events.parse import Delivery, parse
from function.model.ports import Clock
from function.model.request import StopRequest
from local.emulator.backend import LocalEcs
from local.emulator.faults import Fault
from local.emulator.fleet import DEFAULT_REGION, Fleet
from local.emulator.functions import LocalFunctions
from local.emulator.server import serve

LOCAL_TOKEN = "emulator-alarm-token"  # noqa: S105 - everybody may know it: it opens nothing but a rehearsal
"""ALARM_TOKEN of a rehearsal, where it isn't set."""

LOCAL_KEY = {"ALIBABA_CLOUD_ACCESS_KEY_ID": "emulator", "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "emulator"}

TIMEOUT_SECONDS = 300
"""The function's timeout in a rehearsal."""

_NO_TIME = "it must be a time "
"""Part of what the function says of a time that it can't read (`function.events.event_time`)."""

_LAST_DAY = datetime.max.replace(tzinfo=UTC) - timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsal:
    """What a local run needs: the local ECS and FC, their clock, and what the function finds around it."""

    ecs: LocalEcs
    functions: LocalFunctions
    clock: Clock
    environment: Mapping[str, str]

    def read(self, event: bytes) -> Delivery:
        """Understand an event as sent now."""
        return sent_now(event, now=self.clock.now(), alarm_token=self.environment["ALARM_TOKEN"])


@contextmanager
def rehearsal(
    fleet: Fleet,
    settings: Mapping[str, str],
    *,
    faults: Sequence[Fault] = (),
    make_clock: Callable[[], Clock] = SystemClock,
) -> Iterator[Rehearsal]:
    """Serve a local ECS, with these settings, and only those."""
    given = {"FC_REGION": _region_of(fleet), "ALARM_TOKEN": LOCAL_TOKEN, **settings}
    clock = make_clock()
    ecs = LocalEcs(fleet, now=clock.now, sleep=clock.sleep, faults=faults)
    functions = LocalFunctions()
    with serve(ecs, functions) as endpoint:
        endpoints = dict.fromkeys(("ECS_ENDPOINT", "STS_ENDPOINT", "FAN_OUT_ENDPOINT"), endpoint)
        environment = given | LOCAL_KEY | endpoints
        yield Rehearsal(ecs=ecs, functions=functions, clock=clock, environment=environment)


def sent_now(event: bytes, *, now: datetime, alarm_token: str) -> Delivery:
    """Understand an event, its times moved so that the last of them is now: samples don't go stale.

    All are moved by the same amount, so that what came long before the others is as stale as it was.
    """
    delivery = parse(event, now=_LAST_DAY, alarm_token=alarm_token)
    times = [one.time for one in delivery.events if isinstance(one, StopRequest) and one.time is not None]
    if not times:
        return delivery
    by = now - max(times)
    return replace(
        delivery,
        events=tuple(
            replace(one, time=one.time + by) if isinstance(one, StopRequest) and one.time else one
            for one in delivery.events
        ),
    )


def unmoved(message: str) -> str:
    """Say of an event that was refused for its time that a rehearsal could not move it, as it does others."""
    if _NO_TIME not in message:
        return message
    return (
        f"{message}. A rehearsal takes an event as sent now; this time can't be moved, for it can't be read"
    )


def _region_of(fleet: Fleet) -> str:
    """Give the region that all of the fleet is in, as if the function were there, too."""
    regions = {instance.region_id for instance in fleet.instances}
    return regions.pop() if len(regions) == 1 else DEFAULT_REGION
