"""What happened: one `Outcome` per target, one `Report` per run."""

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from function.instance import Instance
from function.request import Source, StoppedMode
from function.site import Site


class Status(StrEnum):
    """What became of a target."""

    STOPPED = "stopped"
    STOPPING = "stopping"
    ALREADY_STOPPED = "already_stopped"
    WOULD_STOP = "would_stop"
    REFUSED = "refused"
    FAILED = "failed"
    UNKNOWN = "unknown"
    NOT_ATTEMPTED = "not_attempted"

    @property
    def left(self) -> bool:
        """Whether something is left to do, so that the run must not pass for complete."""
        return self in {Status.FAILED, Status.UNKNOWN, Status.NOT_ATTEMPTED}


class Guard(StrEnum):
    """The guard's own codes; where the API has a code for the case, that one is used instead."""

    NOT_OPTED_IN = "Guard.NotOptedIn"
    PROTECTED = "Guard.Protected"
    KEEP_RUNNING_UNTIL = "Guard.KeepRunningUntil"
    MIN_UPTIME = "Guard.MinUptime"
    OPERATION_LOCKED = "Guard.OperationLocked"
    TOO_MANY_INSTANCES = "Guard.TooManyInstances"
    REGION_NOT_ALLOWED = "Guard.RegionNotAllowed"
    ROLE_NOT_ALLOWED = "Guard.RoleNotAllowed"
    STALE_EVENT = "Guard.StaleEvent"
    ALARM_STATE = "Guard.AlarmState"
    EVENT_NOT_ENABLED = "Guard.EventNotEnabled"
    UNAUTHORIZED = "Guard.Unauthorized"


INVALID_EVENT = "InvalidEvent"
"""The code of a refusal of an event that could not be understood."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoppedModes:
    """Asked for, foreseen by the guard, and found in DescribeInstances after the stop."""

    requested: StoppedMode
    expected: StoppedMode | None = None
    actual: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The one true result for one target. `attempts` counts stop calls, `duration_ms` runs from the first.

    `instance` is as it was last seen, if it was. `charging_suspended_since`: when ECS was seen to confirm
    that it is stopped without charging for its vCPUs and memory.
    """

    source: Source
    event_id: str
    instance_id: str
    site: Site
    status: Status
    code: str | None
    message: str
    ecs_request_id: str | None = None
    stopped_mode: StoppedModes
    previous_status: str | None = None
    attempts: int = 0
    duration_ms: int = 0
    warnings: tuple[str, ...] = ()
    instance: Instance | None = None
    charging_suspended_since: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """An event refused as a whole: none of its instances has an outcome."""

    source: Source | None
    event_id: str | None
    code: str
    message: str
    instance_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RegionError:
    """A region of an account whose instances could not be listed to the end: none of them was touched."""

    source: Source
    event_id: str
    site: Site
    code: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HandedOn:
    """Targets that another invocation stops and reports on: they have their outcomes there, not here.

    `shard_event_id` is what that invocation calls its event, `shard_request_id` is FC's id of it.
    """

    source: Source
    event_id: str
    site: Site
    instance_ids: tuple[str, ...]
    shard_event_id: str
    shard_request_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A whole run. `source` and `event_id` are the first event's."""

    request_id: str
    source: Source | None
    event_id: str | None
    dry_run: bool
    outcomes: tuple[Outcome, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    region_errors: tuple[RegionError, ...] = ()
    handed_on: tuple[HandedOn, ...] = ()

    @property
    def summary(self) -> dict[str, int]:
        """Count the outcomes: the total, then each status that occurs."""
        counts = Counter(outcome.status for outcome in self.outcomes)
        return {"total": len(self.outcomes)} | {str(s): counts[s] for s in Status if counts[s]}

    @property
    def left(self) -> tuple[Outcome, ...]:
        """Give the outcomes that leave something to do."""
        return tuple(outcome for outcome in self.outcomes if outcome.status.left)

    @property
    def invalid(self) -> tuple[Refusal, ...]:
        """Give the events that could not be understood."""
        return tuple(refusal for refusal in self.refusals if refusal.code == INVALID_EVENT)

    @property
    def complete(self) -> bool:
        """Whether nothing is left; refusals are complete too."""
        return not self.left and not self.region_errors

    def as_dict(self) -> dict[str, object]:
        """Give the report as JSON has it."""
        return {
            "request_id": self.request_id,
            "source": self.source,
            "event_id": self.event_id,
            "dry_run": self.dry_run,
            "summary": self.summary,
            "outcomes": [outcome_fields(outcome) for outcome in self.outcomes],
            "refusals": [refusal_fields(refusal) for refusal in self.refusals],
            "region_errors": [region_error_fields(error) for error in self.region_errors],
            "handed_on": [handed_on_fields(shard) for shard in self.handed_on],
        }


def utc(moment: datetime) -> str:
    """Write a time as logs and messages have it, such as 2026-01-31T12:00:00+00:00."""
    return moment.astimezone(UTC).isoformat(timespec="seconds")


def _time(moment: datetime | None) -> str | None:
    return utc(moment) if moment else None


def outcome_fields(outcome: Outcome) -> dict[str, object]:
    """Give an outcome as JSON has it, in the report and in its log line."""
    instance = outcome.instance
    return {
        "instance_id": outcome.instance_id,
        "region_id": outcome.site.region_id,
        "account_id": outcome.site.account_id,
        "status": outcome.status,
        "code": outcome.code,
        "message": outcome.message,
        "ecs_request_id": outcome.ecs_request_id,
        "stopped_mode": {
            "requested": outcome.stopped_mode.requested,
            "expected": outcome.stopped_mode.expected,
            "actual": outcome.stopped_mode.actual,
        },
        "previous_status": outcome.previous_status,
        "attempts": outcome.attempts,
        "duration_ms": outcome.duration_ms,
        "warnings": list(outcome.warnings),
        "instance_type": instance.instance_type if instance else None,
        "cpu": instance.cpu if instance else None,
        "start_time": _time(instance.start_time) if instance else None,
        "charging_suspended_since": _time(outcome.charging_suspended_since),
        "tags": {tag.key: tag.value for tag in instance.tags} if instance else {},
        "source": outcome.source,
        "event_id": outcome.event_id,
    }


def refusal_fields(refusal: Refusal) -> dict[str, object]:
    """Give a refusal as JSON has it."""
    return {
        "event_id": refusal.event_id,
        "code": refusal.code,
        "message": refusal.message,
        "instance_ids": list(refusal.instance_ids),
        "source": refusal.source,
    }


def region_error_fields(error: RegionError) -> dict[str, object]:
    """Give a region error as JSON has it."""
    return {
        "region_id": error.site.region_id,
        "account_id": error.site.account_id,
        "code": error.code,
        "message": error.message,
        "source": error.source,
        "event_id": error.event_id,
    }


def handed_on_fields(shard: HandedOn) -> dict[str, object]:
    """Give what was handed on as JSON has it."""
    return {
        "region_id": shard.site.region_id,
        "account_id": shard.site.account_id,
        "message": "handed on to another invocation, which reports on them",
        "instance_ids": list(shard.instance_ids),
        "shard_event_id": shard.shard_event_id,
        "shard_request_id": shard.shard_request_id,
        "source": shard.source,
        "event_id": shard.event_id,
    }
