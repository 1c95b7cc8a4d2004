"""An instance's life on the local ECS: Running, Stopping, Stopped, each told from the time asked about."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from local.emulator.fleet import FleetInstance

RUNNING, STARTING, STOPPING, STOPPED = "Running", "Starting", "Stopping", "Stopped"
NOT_APPLICABLE = "Not-applicable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Aftermath:
    """What a fault makes of a stop call that ECS accepts.

    `stuck`: the instance stays Running, or Stopping. `stale_seconds`: so long reads show what it was.
    """

    stuck: str | None = None
    stale_seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class EmulatedInstance:
    """An instance since its last change. Nothing ticks: `at` says what has become of it by then.

    `changes_at`: when Stopping becomes Stopped, or Starting Running; None: never by itself.
    `becomes_mode`: the StoppedMode once it is Stopped.
    `former`, `former_until`: what reads still show until then, where a fault makes them lag behind.
    """

    profile: FleetInstance
    status: str
    stopped_mode: str
    becomes_mode: str = NOT_APPLICABLE
    changes_at: datetime | None = None
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
        stale = aftermath.stale_seconds
        return replace(
            self,
            status=STOPPING,
            becomes_mode=stopped_mode,
            changes_at=None if stuck == STOPPING else now + timedelta(seconds=seconds),
            former=self if stale else None,
            former_until=now + timedelta(seconds=stale) if stale else None,
        )

    def described(self, now: datetime) -> "EmulatedInstance":
        """Return the instance as reads show it at that time."""
        if self.former is not None and self.former_until is not None and now < self.former_until:
            return self.former.at(now)
        return self.at(now)

    def document(self) -> dict[str, Any]:
        """Return the instance in DescribeInstances' words."""
        return {**self.profile.document, "Status": self.status, "StoppedMode": self.stopped_mode}
