"""The ports: all that a run takes from the outside world. Time, chance, parallel work, log lines, the cloud.

Everything here is an interface or what passes through one; the adapters are in `function.cloud`. So a
simulation can put virtual time and a seed in their place, and tests a clock that they move themselves.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from datetime import datetime
from enum import Enum, auto
from typing import Protocol, TypeVar

from function.model.credentials import Credentials
from function.model.errors import CloudError
from function.model.frozen import frozen
from function.model.instance import Instance, LocalDisks
from function.model.request import Selection, StoppedMode

DESCRIBE_INSTANCES = "DescribeInstances"
DESCRIBE_INSTANCE_TYPES = "DescribeInstanceTypes"
STOP_INSTANCE = "StopInstance"
STOP_INSTANCES = "StopInstances"
ASSUME_ROLE = "AssumeRole"
INVOKE_FUNCTION = "InvokeFunction"

READS = frozenset({DESCRIBE_INSTANCES, DESCRIBE_INSTANCE_TYPES, ASSUME_ROLE})
"""What changes nothing, so that it may be repeated after any error that is not the request's own."""

MAX_IDS = 100
"""DescribeInstances: `InstanceIds` and `MaxResults` are at most 100."""

MAX_STOPS = 100
"""StopInstances: at most 100 `InstanceId`."""

MAX_TYPES = 10
"""DescribeInstanceTypes: at most 10 `InstanceTypes`."""

Item = TypeVar("Item")
Returned = TypeVar("Returned")
Returned_co = TypeVar("Returned_co", covariant=True)
Client_co = TypeVar("Client_co", covariant=True)


class Unfinished(Enum):
    """What a pool tells of an item that has no result when it is closed."""

    NOT_STARTED = auto()
    ABANDONED = auto()
    """It was started and is perhaps still running; its result will never be known."""


class Clock(Protocol):
    """Wall clock, monotonic clock (seconds), and sleep (seconds)."""

    def now(self) -> datetime:
        """Give the time of day, aware."""
        ...

    def monotonic(self) -> float:
        """Give seconds since some moment; never goes back."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait."""
        ...


class Pool(Protocol[Item, Returned_co]):
    """A function at work on items, several at a time, in the order in which they come in."""

    def submit(self, item: Item) -> None:
        """Have the function called with it, as soon as a worker is free."""
        ...

    def wait(self, seconds: float) -> Sequence[tuple[Item, Returned_co]]:
        """Give what is done and was not given yet; where that is nothing, wait for something so long."""
        ...

    def close(self) -> Sequence[tuple[Item, Returned_co | Unfinished]]:
        """Call the function no more, from this moment on, and give all that was not given yet.

        That is what was done at the last moment, and the items that there is no result for.
        """
        ...


class Workers(Protocol):
    """Makes pools."""

    def pool(self, function: Callable[[Item], Returned], *, limit: int) -> Pool[Item, Returned]:
        """Make one that calls a function, at most `limit` times at once."""
        ...


@frozen(kw_only=True)
class StopCall:
    """The parameters of StopInstance, all of them always sent, but for ConfirmStop when it is not needed."""

    instance_id: str
    stopped_mode: StoppedMode
    confirm_stop: bool
    force_stop: bool
    dry_run: bool

    @property
    def alone(self) -> bool:
        """Whether only StopInstance can do it: StopInstances has no ConfirmStop, and no dry run to trust."""
        return self.confirm_stop or self.dry_run


@frozen(kw_only=True)
class Page:
    """One answer of DescribeInstances; no `next_token`: the last one.

    `unreadable`: by id, the instances of which something that matters can't be read, and what.
    """

    instances: tuple[Instance, ...]
    next_token: str | None = None
    unreadable: Mapping[str, CloudError] = field(default_factory=dict)


class Ecs(Protocol):
    """ECS of one region. Every call ends within `seconds`, and raises `CloudError` and nothing else."""

    def describe(self, instance_ids: Sequence[str], *, seconds: float) -> Page:
        """DescribeInstances by at most `MAX_IDS` ids; one that ECS does not know is missing in the answer."""
        ...

    def select(self, selection: Selection, next_token: str | None, *, seconds: float) -> Page:
        """DescribeInstances by filters, one page."""
        ...

    def local_disks(self, instance_types: Sequence[str], *, seconds: float) -> Mapping[str, LocalDisks]:
        """DescribeInstanceTypes for at most `MAX_TYPES` types; unknown types are missing in the answer."""
        ...

    def stop(self, call: StopCall, *, seconds: float, fresh_seconds: float) -> str:
        """StopInstance; gives the request id of a call that ECS accepted.

        It is not sent where its connection stands only after `fresh_seconds`: what was seen is too old then.
        """
        ...

    def stop_together(
        self, calls: Sequence[StopCall], *, seconds: float, fresh_seconds: float
    ) -> Mapping[str, str | CloudError]:
        """StopInstances for at most `MAX_STOPS` calls that differ in their instance alone, each on its own.

        Gives by instance what `stop` would give or raise; what ECS says nothing of is missing.
        """
        ...


class Sts(Protocol):
    """STS, with somebody's credentials."""

    def assume_role(self, role_arn: str, *, lasting: float, seconds: float) -> Credentials:
        """Assume the role for `lasting` seconds, an hour at most.

        Ends within `seconds`, and raises `CloudError` and nothing else.
        """
        ...


class Fc(Protocol):
    """FC of one region."""

    def invoke(self, function_name: str, event: bytes, *, seconds: float) -> str:
        """Hand over an event of at most 128 KB; give the request id of the invocation that will handle it.

        Ends within `seconds`, and raises `CloudError` and nothing else.
        """
        ...


class ConnectEcs(Protocol):
    """Makes the client of the ECS of one region; nothing is sent yet."""

    def __call__(
        self, region_id: str, credentials: Credentials, *, endpoint: str | None, connections: int
    ) -> Ecs:
        """Connect; `endpoint` is `http(s)://host[:port]`, None the region's own."""
        ...


class Connect(Protocol[Client_co]):
    """Makes the client of STS, or of the FC of one region; nothing is sent yet."""

    def __call__(self, region_id: str, credentials: Credentials, *, endpoint: str | None) -> Client_co:
        """Connect; `endpoint` is `http(s)://host[:port]`, None the region's own."""
        ...


@frozen(kw_only=True)
class Ports:
    """One of each. `chance` gives numbers from 0 to 1, for jitter; `write` takes a log line."""

    clock: Clock
    workers: Workers
    chance: Callable[[], float]
    write: Callable[[str], None]
    connect_ecs: ConnectEcs
    connect_sts: Connect[Sts]
    connect_fc: Connect[Fc]
