"""What a simulation is about: a fleet, an environment, events, and everything that can come in the way."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from local.emulator.behaviour import Behaviour
from local.emulator.faults import Fault
from simulation.machine import WallClock

OWN_REGION, SECOND_REGION, THIRD_REGION = "cn-hangzhou", "cn-shanghai", "cn-beijing"
OWN_ACCOUNT = "1234567890123456"
SECOND_ACCOUNT = "2345678901234567"
OWN_ROLE, SECOND_ROLE = (f"acs:ram::{account}:role/stop" for account in (OWN_ACCOUNT, SECOND_ACCOUNT))
ALARM_TOKEN = "simulated-alarm-token"  # noqa: S105 - made up, as everything here

MANAGED_TAGS = (
    "ack.alibabacloud.com/nodepool-id",
    "ack.aliyun.com",
    "acs:autoscaling:scalingGroupId",
    "acs:emr:clusterId",
    "karpenter.sh/nodepool",
    "k8s.io/cluster-autoscaler",
)
"""Of ACK, Auto Scaling, E-MapReduce, Karpenter and autoscalers, whose stopped members are replaced."""

RIGHT = WallClock()
"""A wall clock that is never wrong."""

Scope = tuple[str, str]
"""An account and a region."""

Tag = tuple[str, str | None]
"""A key, and a value or None for any."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What the environment allows, as the simulation itself understands it.

    `managed_tags`: None leaves it to the default.
    """

    allowed_regions: tuple[str, ...]
    allowed_roles: tuple[str, ...]
    required_tag: Tag | None
    protected_tags: tuple[Tag, ...]
    managed_tags: tuple[str, ...] | None
    keep_until_key: str
    min_uptime_minutes: int
    max_instances: int
    stopped_mode: str
    max_event_age_minutes: int
    verify_seconds: int
    concurrency: int
    dry_run: bool
    endpoint: str | None
    system_events: str
    fan_out: bool
    shard_size: int

    @property
    def managing(self) -> tuple[str, ...]:
        """The keys of the tags by which other services mark what they manage."""
        return MANAGED_TAGS if self.managed_tags is None else self.managed_tags

    def environment(self) -> dict[str, str]:
        """Give the variables that say so."""
        return {
            "FC_REGION": OWN_REGION,
            "ALLOWED_REGIONS": ",".join(self.allowed_regions),
            "ALLOWED_ROLE_ARNS": ",".join(self.allowed_roles),
            "REQUIRED_TAG": _text(self.required_tag),
            "PROTECTED_TAG": ",".join(map(_text, self.protected_tags)),
            "MANAGED_TAGS": "" if self.managed_tags is None else ",".join(self.managed_tags) or "none",
            "KEEP_UNTIL_TAG": self.keep_until_key,
            "MIN_UPTIME_MINUTES": str(self.min_uptime_minutes),
            "MAX_INSTANCES": str(self.max_instances),
            "STOPPED_MODE": self.stopped_mode,
            "MAX_EVENT_AGE_MINUTES": str(self.max_event_age_minutes),
            "VERIFY_SECONDS": str(self.verify_seconds),
            "CONCURRENCY": str(self.concurrency),
            "DRY_RUN": str(self.dry_run).lower(),
            "ECS_ENDPOINT": self.endpoint or "",
            "SYSTEM_EVENTS": self.system_events,
            "FAN_OUT": str(self.fan_out).lower(),
            "SHARD_SIZE": str(self.shard_size),
            "ALARM_TOKEN": ALARM_TOKEN,
        }


def account_of(role: str) -> str:
    """Give the account of a role's ARN."""
    return role.split(":")[3]


def _text(tag: Tag | None) -> str:
    if tag is None:
        return ""
    key, value = tag
    return key if value is None else f"{key}={value}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What one event asks for. It names `ids`, or has `filters` under DescribeInstances' parameter names.

    `source`: how the report calls the kind of event that it is.
    `time`: the moment at which it says it was made; None: it doesn't say. `enabled`: its alarm's state or its
    system event may stop something. `valid`: it can be understood. `admitted`: a shard, whose age is not
    asked again, with the tags that its event had `selected_by`.
    """

    event_id: str | None
    source: str = "request"
    ids: tuple[str, ...] = ()
    filters: Mapping[str, str] | None = None
    regions: tuple[str, ...] = (OWN_REGION,)
    roles: tuple[str, ...] = ()
    stopped_mode: str | None = None
    confirm_stop: bool = False
    force_stop: bool = False
    dry_run: bool = False
    time: float | None = None
    enabled: bool = True
    valid: bool = True
    admitted: bool = False
    selected_by: tuple[Tag, ...] = ()

    @property
    def tags(self) -> "tuple[Tag, ...]":
        """The tags by which it selects its instances."""
        key = (self.filters or {}).get("Tag.1.Key")
        return self.selected_by if key is None else ((key, (self.filters or {}).get("Tag.1.Value")),)

    @property
    def accounts(self) -> tuple[str, ...]:
        """The accounts in which its instances are: those of its roles, else the function's own."""
        return tuple(account_of(role) for role in self.roles) or (OWN_ACCOUNT,)

    @property
    def scopes(self) -> "frozenset[Scope]":
        """Where its instances are."""
        return frozenset((account, region) for account in self.accounts for region in self.regions)


HTTP_PATIENCE = 5.0
"""The seconds for which CloudMonitor waits for an answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduledDelivery:
    """One event as FC delivers it, again after each failure unless it came over HTTP.

    `kills`: for each try, the seconds after which the machine goes down; None: it doesn't.
    `retry_after`: seconds from a failure to the next try. `authorized`: has the right token, or needs none.
    """

    body: bytes
    wishes: tuple[Wish, ...]
    start: float
    timeout: int
    kills: tuple[float | None, ...]
    retry_after: float
    http: bool = False
    authorized: bool = True

    @property
    def patience(self) -> float:
        """The seconds after which it is too late: FC's timeout, or what an HTTP sender waits, if less."""
        return min(self.timeout, HTTP_PATIENCE) if self.http else self.timeout


@dataclass(frozen=True, slots=True, kw_only=True)
class Weather:
    """What the way to ECS is like. `latencies`: seconds that a message takes, one way; the rest are chances.

    `late`: a message takes up to `late_seconds`, and so does a stop call with `late_stop` on its way to ECS.
    """

    latencies: tuple[float, ...] = (0.02, 0.05, 0.05, 0.1)
    no_connection: float = 0.0
    lost: float = 0.0
    late: float = 0.0
    late_stop: float = 0.0
    late_seconds: float = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Meddling:
    """What somebody else does to an instance: `start`, `stop`, `lock`, `unlock`, `tag`, `untag` or `release`.

    `word`: the lock's reason, or the tag as `key=value`. Reads show it only `stale` seconds later, but for a
    release, which they show at once.
    """

    moment: float
    instance_id: str
    deed: str
    word: str = ""
    stale: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """Everything that a simulation starts from; the seed gives it all.

    `keep_until`: each value of a keep-until tag, and the moment until which it keeps its instance running.
    `calm`: nothing comes in the way, so every instance that may be stopped has to be.
    """

    seed: int
    calm: bool
    fleet: Sequence[Mapping[str, Any]]
    behaviour: Behaviour
    limits: Limits
    keep_until: Mapping[str, float]
    deliveries: Sequence[ScheduledDelivery]
    faults: Sequence[Fault] = ()
    weather: Weather = Weather()
    wall: WallClock = RIGHT
    meddlings: Sequence[Meddling] = ()
