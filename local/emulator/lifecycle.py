"""An instance's life on the local ECS: Running, Stopping, Stopped, each told from the time asked about."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from local.emulator.fleet import FleetInstance

RUNNING, STARTING, STOPPING, STOPPED = "Running", "Starting", "Stopping", "Stopped"
NOT_APPLICABLE, ECONOMICAL = "Not-applicable", "StopCharging"


@dataclass(frozen=True, slots=True, kw_only=True)
class Aftermath:
    """What a fault makes of a stop or a start that ECS accepts.

    `stuck`: the status in which the instance stays: that which it had, or Stopping, or Starting.
    `stale_seconds`: so long reads show what it was.
    """

    stuck: str | None = None
    stale_seconds: float = 0.0


@dataclass(frozen=True, kw_only=True)  # without slots: its attributes are made once
class EmulatedInstance:
    """An instance since its last change. Nothing ticks: `at` says what has become of it by then.

    `changes_at`: when Stopping becomes Stopped, or Starting Running; None: never by itself.
    `becomes_mode`: the StoppedMode once it is Stopped.
    `started`: its StartTime, where a call has started it since the fleet was given.
    `readdressed`: how often a start has given it another public address.
    `former`, `former_until`: what reads still show until then, where a fault makes them lag behind.
    """

    profile: FleetInstance
    status: str
    stopped_mode: str
    becomes_mode: str = NOT_APPLICABLE
    changes_at: datetime | None = None
    started: datetime | None = None
    readdressed: int = 0
    former: "EmulatedInstance | None" = None
    former_until: datetime | None = None

    @property
    def instance_id(self) -> str:
        """The id, unique over all regions."""
        return self.profile.instance_id

    def at(self, now: datetime) -> "EmulatedInstance":
        """Return the instance as it is at that time."""
        if self.changes_at is None or now < self.changes_at:
            return self
        if self.status == STOPPING:
            return replace(self, status=STOPPED, stopped_mode=self.becomes_mode, changes_at=None)
        return replace(self, status=RUNNING, changes_at=None)

    def stopping(
        self, now: datetime, seconds: float, stopped_mode: str, aftermath: Aftermath = Aftermath()
    ) -> "EmulatedInstance":
        """Return the instance after ECS took the stop call: Stopping, and Stopped that many seconds later."""
        stuck = aftermath.stuck or self.profile.emulator.stuck
        if stuck == RUNNING:
            return self
        stopping = replace(
            self,
            status=STOPPING,
            becomes_mode=stopped_mode,
            changes_at=None if stuck == STOPPING else now + timedelta(seconds=seconds),
        )
        return _behind(stopping, self, now, aftermath)

    def starting(
        self, now: datetime, seconds: float, aftermath: Aftermath = Aftermath()
    ) -> "EmulatedInstance":
        """Return the instance after ECS took the start call: Starting, and then Running.

        A public address of its own, that is no EIP, is another one after a stop with StopCharging (ECS's page
        on the economical mode).
        """
        had_one = bool(self.profile.attributes.get("PublicIpAddress", {}).get("IpAddress"))
        lost = had_one and self.stopped_mode == ECONOMICAL
        starting = self._starting(now, seconds, aftermath, started=now)
        return replace(starting, readdressed=self.readdressed + 1) if lost else starting

    def rebooting(
        self, now: datetime, seconds: float, aftermath: Aftermath = Aftermath()
    ) -> "EmulatedInstance":
        """Return the instance after ECS took the reboot call: as started, but for its StartTime."""
        return self._starting(now, seconds, aftermath, started=self.started)

    def _starting(
        self, now: datetime, seconds: float, aftermath: Aftermath, started: datetime | None
    ) -> "EmulatedInstance":
        if aftermath.stuck == self.status:
            return self
        starting = replace(
            self,
            status=STARTING,
            stopped_mode=NOT_APPLICABLE,
            changes_at=None if aftermath.stuck == STARTING else now + timedelta(seconds=seconds),
            started=started,
        )
        return _behind(starting, self, now, aftermath)

    def tagged(self, tags: Mapping[str, str]) -> "EmulatedInstance":
        """Return the instance with these tags and no others."""
        listed = [{"TagKey": key, "TagValue": value} for key, value in tags.items()]
        attributes = {**self.profile.attributes, "Tags": {"Tag": listed}}
        return replace(self, profile=replace(self.profile, tags=tags, attributes=attributes))

    def described(self, now: datetime) -> "EmulatedInstance":
        """Return the instance as reads show it at that time."""
        if self.former is not None and self.former_until is not None and now < self.former_until:
            return self.former.at(now)
        return self.at(now)

    def settled(self, now: datetime) -> bool:
        """Tell whether time changes nothing of it any more, nor of what reads show."""
        at = self.at(now)
        return at.changes_at is None and (self.former_until is None or now >= self.former_until)

    def attributes(self) -> dict[str, Any]:
        """Return the instance in DescribeInstances' words: to be read, not changed."""
        return self._document

    @cached_property
    def _document(self) -> dict[str, Any]:
        attributes = {**self.profile.attributes, "Status": self.status, "StoppedMode": self.stopped_mode}
        if self.started is not None:
            attributes["StartTime"] = f"{self.started:%Y-%m-%dT%H:%MZ}"  # to the minute, as ECS tells it
        if self.readdressed:
            attributes["PublicIpAddress"] = {
                "IpAddress": [_another_address(self.instance_id, self.readdressed)]
            }
        return attributes


def _another_address(instance_id: str, times: int) -> str:
    """Make up a public address, the same for the same start: of the benchmarking network, so nobody's."""
    digest = hashlib.sha256(f"{instance_id} {times}".encode()).digest()
    return f"198.18.{digest[0]}.{1 + digest[1] % 254}"


def _behind(
    instance: EmulatedInstance, former: EmulatedInstance, now: datetime, aftermath: Aftermath
) -> EmulatedInstance:
    """Have reads show the former one, as long as the fault says."""
    stale = aftermath.stale_seconds
    return replace(
        instance,
        former=former if stale else None,
        former_until=now + timedelta(seconds=stale) if stale else None,
    )
