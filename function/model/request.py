"""What an event asks for: one frozen `StopRequest`, whichever source it came from."""

import re
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from function.model.frozen import frozen
from function.model.scope import Scope

INSTANCE_ID = re.compile(r"i-[0-9A-Za-z][0-9A-Za-z-]{0,62}")
REGION_ID = re.compile(r"[a-z]{2,}(-[a-z0-9]+)+")

MAX_INSTANCE_IDS = 1_000
"""Of an event, and so of a shard: with ids of 64 characters they are some 70 KB, of the 128 KB that an
asynchronous invocation has (FC's page about limits)."""

MAX_EVENT_ID = 256
"""Characters. EventBridge's have 128 (its page about limits); a timer's is its name with a time behind it."""
SHARD = "stop-guard:Shard"
"""The `type` of an event by which the function hands a part of its work on to itself."""


class StoppedMode(StrEnum):
    """`StoppedMode` of StopInstance: whether billing goes on while the instance is stopped."""

    STOP_CHARGING = "StopCharging"
    KEEP_CHARGING = "KeepCharging"


class Source(StrEnum):
    """What sent the event, after EventBridge, MNS or HTTP wrapping is taken off."""

    TIMER = "timer"
    REQUEST = "request"
    CMS_EVENT = "cms.event"
    CMS_ALARM = "cms.alarm"
    CMS_CALLBACK = "cms.callback"
    SLS_ALERT = "sls.alert"
    ALERTMANAGER = "alertmanager"


@frozen(kw_only=True)
class Tag:
    """A tag to match; without a value, any value does."""

    key: str
    value: str | None = None

    def __str__(self) -> str:
        """`key` or `key=value`, as the settings spell it."""
        return self.key if self.value is None else f"{self.key}={self.value}"


@frozen(kw_only=True)
class Selection:
    """Filters of DescribeInstances; an instance is meant when it matches all that are given."""

    tags: tuple[Tag, ...] = ()
    resource_group_id: str | None = None
    vpc_id: str | None = None
    zone_id: str | None = None
    instance_name: str | None = None


@frozen(kw_only=True)
class TargetProblem:
    """Why an event means no instance that could be stopped: its refusal's code and message."""

    code: str
    message: str


@frozen(kw_only=True)
class StopRequest:
    """One event's wish, in the API's terms: `instance_ids`, a `selection`, or the `problem` with its target.

    A shard has both of the first, the instances that its selection had found.

    `time` is the event's own, aware; None where its source has none. No `region_ids`: the function's own
    region, or for an alarm all that are allowed; no `role_arns`, its own account; no `stopped_mode`, the one
    of the settings. `ram_authorized`: RAM vouches for its sender, which a shared token or a queue does not.
    `alarm_state` and `alarm_name` come with alarms; `system_event` (the name that SYSTEM_EVENTS is matched
    with) with system events, and `tells_of_start` where one says that its instance is Running now.
    `notes` are remarks about the event that the log repeats.
    `admitted`: it was found new enough before, and its age is not asked again.
    """

    source: Source
    event_id: str
    time: datetime | None = None
    admitted: bool = False
    instance_ids: tuple[str, ...] = ()
    selection: Selection | None = None
    region_ids: tuple[str, ...] = ()
    role_arns: tuple[str, ...] = ()
    stopped_mode: StoppedMode | None = None
    confirm_stop: bool = False
    force_stop: bool = False
    dry_run: bool = False
    alarm_state: str | None = None
    alarm_name: str | None = None
    system_event: str | None = None
    tells_of_start: bool = False
    problem: TargetProblem | None = None
    ram_authorized: bool = True
    notes: tuple[str, ...] = ()


@frozen(kw_only=True)
class Job:
    """A request that was admitted: where it applies, and what it left to the environment, settled."""

    request: StopRequest
    scopes: tuple[Scope, ...]
    stopped_mode: StoppedMode
    dry_run: bool


class InvalidEvent(ValueError):  # noqa: N818 - the name FC reports to the operator; the contract fixes it
    """The event can't be understood. The message names the field, the problem and what would be right.

    `source` is None where not even that could be told. `report` says, where there is one, what became of the
    delivery's other events.
    """

    def __init__(
        self,
        message: str,
        *,
        source: Source | None = None,
        event_id: str | None = None,
        report: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(message)
        self.source = source
        self.event_id = event_id
        self.report = report
