"""Rehearsals: one run of the function on one event, against a local ECS started for it."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from time import monotonic

from function.cloud.runtime import SystemClock
from function.events.parse import parse
from function.model.ports import Clock
from function.model.request import InvalidEvent
from function.settings import Settings
from local.emulator.backend import LocalEcs
from local.emulator.faults import Fault
from local.emulator.fleet import DEFAULT_REGION, Fleet
from local.emulator.functions import LocalFunctions
from local.emulator.server import serve

LOCAL_KEY = {"ALIBABA_CLOUD_ACCESS_KEY_ID": "emulator", "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "emulator"}

TIMEOUT_SECONDS = 300
"""The function's timeout in a rehearsal."""


@dataclass(frozen=True, slots=True)
class ShiftedClock(SystemClock):
    """The machine's clock, set so that it shows `start` at the moment of its making."""

    start: datetime
    _made: float = field(default_factory=monotonic)

    def now(self) -> datetime:
        """Give the shifted time of day."""
        return self.start + timedelta(seconds=monotonic() - self._made)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsal:
    """What a local run needs: the local ECS and FC, their clock, and what the function finds around it."""

    ecs: LocalEcs
    functions: LocalFunctions
    clock: Clock
    environment: Mapping[str, str]


@contextmanager
def rehearsal(
    event: bytes,
    fleet: Fleet,
    *,
    faults: Sequence[Fault] = (),
    make_clock: Callable[[datetime], Clock] = ShiftedClock,
) -> Iterator[Rehearsal]:
    """Serve a local ECS at the event's own time, with the settings, and only those, of this machine."""
    given = {name: value for name, value in os.environ.items() if name in Settings.variables()}
    settings = {"FC_REGION": _region_of(fleet), "ALARM_TOKEN": "emulator"} | given
    clock = make_clock(_delivered_at(event, settings["ALARM_TOKEN"]))
    ecs = LocalEcs(fleet, now=clock.now, sleep=clock.sleep, faults=faults)
    functions = LocalFunctions()
    with serve(ecs, functions) as endpoint:
        endpoints = dict.fromkeys(("ECS_ENDPOINT", "STS_ENDPOINT", "FAN_OUT_ENDPOINT"), endpoint)
        environment = settings | LOCAL_KEY | endpoints
        yield Rehearsal(ecs=ecs, functions=functions, clock=clock, environment=environment)


def _region_of(fleet: Fleet) -> str:
    """Give the region that all of the fleet is in, as if the function were there, too."""
    regions = {instance.region_id for instance in fleet.instances}
    return regions.pop() if len(regions) == 1 else DEFAULT_REGION


def _delivered_at(event: bytes, alarm_token: str) -> datetime:
    """Take the event's own time, so that samples don't go stale; now, where it has none."""
    last_day = datetime.max.replace(tzinfo=UTC) - timedelta(days=1)
    parsed = parse(event, now=last_day, alarm_token=alarm_token)
    times = [one.time for one in parsed.events if not isinstance(one, InvalidEvent) and one.time is not None]
    return max(times, default=datetime.now(UTC))
