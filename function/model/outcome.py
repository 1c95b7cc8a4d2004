"""What became of each target and of each event: statuses, the guard's codes, one outcome per target."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Self

from function.model.errors import CloudError
from function.model.frozen import frozen
from function.model.instance import Instance
from function.model.request import Source, StoppedMode
from function.model.scope import Scope


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
        """Whether something is left to do, whatever the outcome says besides."""
        return self in {Status.FAILED, Status.UNKNOWN, Status.NOT_ATTEMPTED}


class GuardCode(StrEnum):
    """The guard's own codes, each with its words; where the API has a code for the case, that one is used."""

    words: str
    """The reason in a word or two, for people who need not know the codes."""

    def __new__(cls, code: str, words: str) -> Self:
        """Make a member that is its code's text."""
        member = str.__new__(cls, code)
        member._value_ = code
        member.words = words
        return member

    NOT_OPTED_IN = "Guard.NotOptedIn", "not opted in"
    PROTECTED = "Guard.Protected", "protected"
    MANAGED_ELSEWHERE = "Guard.ManagedElsewhere", "managed elsewhere"
    NOT_SELECTED = "Guard.NotSelected", "no longer selected"
    KEEP_RUNNING_UNTIL = "Guard.KeepRunningUntil", "kept running"
    MIN_UPTIME = "Guard.MinUptime", "just started"
    STARTED_SINCE = "Guard.StartedSince", "started since"
    OPERATION_LOCKED = "Guard.OperationLocked", "locked"
    TOO_MANY_INSTANCES = "Guard.TooManyInstances", "too many instances"
    REGION_NOT_ALLOWED = "Guard.RegionNotAllowed", "region not allowed"
    ROLE_NOT_ALLOWED = "Guard.RoleNotAllowed", "role not allowed"
    STALE_EVENT = "Guard.StaleEvent", "stale"
    ALARM_STATE = "Guard.AlarmState", "no alarm"
    EVENT_NOT_ENABLED = "Guard.EventNotEnabled", "not enabled"
    NOT_AN_INSTANCE = "Guard.NotAnInstance", "no instance"
    UNAUTHORIZED = "Guard.Unauthorized", "not authorized"


INVALID_EVENT = "InvalidEvent"
"""The code of a refusal of an event that could not be understood."""


@frozen(kw_only=True)
class Settled:
    """What becomes of a target without a further call: its outcome's status, code and message."""

    status: Status
    code: str | None
    message: str

    @classmethod
    def failed(cls, error: CloudError) -> Self:
        """Settle on what ECS should have done and didn't."""
        return cls(status=Status.FAILED, code=error.code, message=error.message)


@frozen(kw_only=True)
class StoppedModes:
    """Asked for, foreseen by the guard, and found in DescribeInstances after the stop."""

    requested: StoppedMode
    expected: StoppedMode | None = None
    actual: str | None = None


@frozen(kw_only=True)
class Outcome:
    """The one true result for one target. `attempts` counts stop calls, `duration_ms` runs from the first.

    `instance` is as it was last seen, if it was. `charging_suspended_since`: when ECS was seen to confirm
    that it is stopped without charging for its vCPUs and memory. `unconfirmed_since`: since when it was seen
    stopping, where it was waited for in vain.
    """

    source: Source
    event_id: str
    instance_id: str
    scope: Scope
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
    unconfirmed_since: datetime | None = None

    @property
    def left(self) -> bool:
        """Whether something is left to do, so that the run must not pass for complete."""
        return self.status.left or self.unconfirmed_since is not None


@frozen(kw_only=True)
class Refusal:
    """An event refused as a whole: none of its instances has an outcome."""

    source: Source | None
    event_id: str | None
    code: str
    message: str
    instance_ids: tuple[str, ...] = ()


@frozen(kw_only=True)
class RegionError:
    """A region of an account whose instances could not be listed to the end: none of them was touched."""

    source: Source
    event_id: str
    scope: Scope
    code: str
    message: str


@frozen(kw_only=True)
class Dispatch:
    """Targets that another invocation stops and reports on: they have their outcomes there, not here.

    `shard_event_id` is what that invocation calls its event, `shard_request_id` is FC's id of it.
    """

    source: Source
    event_id: str
    scope: Scope
    instance_ids: tuple[str, ...]
    shard_event_id: str
    shard_request_id: str


@frozen(kw_only=True)
class Acceptance:
    """A stop that ECS has accepted: no outcome yet, but ours whatever becomes of the run."""

    source: Source
    event_id: str
    scope: Scope
    instance_id: str
    ecs_request_id: str | None


Result = Outcome | Refusal | RegionError | Dispatch | Acceptance
"""What a run tells as soon as it is known."""


def utc(moment: datetime) -> str:
    """Write a time as logs and messages have it, such as 2026-01-31T12:00:00+00:00."""
    return moment.astimezone(UTC).isoformat(timespec="seconds")
