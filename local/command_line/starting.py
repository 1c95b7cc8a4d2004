"""Starts instances in the real cloud, each by a call of its own, and watches them come up."""

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from function.cloud.ecs import connect_ecs
from function.cloud.runtime import SystemClock, Threads
from function.model.credentials import Credentials
from function.model.errors import CloudError, Meaning
from function.model.instance import Instance
from function.model.ports import MAX_IDS, Ecs, Unfinished
from function.model.scope import Scope
from function.stopping.calls import Call, Caller, CallFailure
from function.stopping.throttle import Throttle
from local.command_line.ecs_calls import Send, ecs_call
from local.command_line.execution import Target

START_INSTANCE = "StartInstance"
WATCH_SECONDS = 120.0
"""How long an instance has to come up: as long as the function gives one to stop."""
POLL_SECONDS = 3.0
"""Between two looks: soon enough for whoever waits, and far fewer calls than the starts took."""
TOTAL_SECONDS = 1800.0
"""For all of it: after half an hour whoever waits is told what is left."""
_CONNECTIONS = 16
"""Calls at once: the default of the function's CONCURRENCY."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """What became of one: `running`, `starting`, `refused`, `failed`; and why."""

    instance_id: str
    region_id: str
    status: str
    message: str

    @property
    def left(self) -> bool:
        """Whether something is left to do."""
        return self.status != "running"


class Starter:
    """Describes and starts instances of the account that the target's credentials are of."""

    def __init__(self, target: Target, endpoint: str | None) -> None:
        self._endpoint = endpoint
        self._credentials = Credentials.read(None, target.environment)
        self._clock = SystemClock()
        throttle = Throttle(self._clock, random.random(), self._clock.monotonic() + TOTAL_SECONDS)  # noqa: S311 - it spreads calls, and keeps no secret
        self._caller = Caller(throttle, Threads(), _CONNECTIONS)
        self._account_id = target.account_id

    def describe(self, wanted: Sequence[tuple[str, str]]) -> dict[str, Instance | CallFailure]:
        """Look at instances by region and id; one that does not exist is missing in the answer."""
        found: dict[str, Instance | CallFailure] = {}
        for region_id in sorted({region_id for region_id, _ in wanted}):
            ids = [instance_id for region, instance_id in wanted if region == region_id]
            ecs = self._ecs(region_id)
            parts = [ids[start : start + MAX_IDS] for start in range(0, len(ids), MAX_IDS)]
            calls = [
                Call(
                    action="DescribeInstances",
                    scope=self._scope(region_id),
                    subject=part,
                    send=_describing(ecs, part),
                )
                for part in parts
            ]
            for call, answer in self._caller.until_answered(calls):
                if isinstance(answer, CallFailure):
                    found.update(dict.fromkeys(call.subject, answer))
                else:
                    found.update({one.instance_id: one for one in answer})
        return found

    def start(self, wanted: Sequence[tuple[str, str]]) -> Iterator[Started]:
        """Start each on its own: no stock for one is no reason for another. Yield what became of each."""
        calls = [
            Call(
                action=START_INSTANCE,
                scope=self._scope(region_id),
                subject=(region_id, instance_id),
                send=self._starting(region_id, instance_id),
            )
            for region_id, instance_id in wanted
        ]
        coming: list[tuple[str, str]] = []
        for call, answer in self._caller.until_answered(calls, done_once=True):
            region_id, instance_id = call.subject
            if isinstance(answer, dict) or (isinstance(answer, CloudError) and answer.in_doubt):
                coming.append((region_id, instance_id))
            elif isinstance(answer, Unfinished):
                yield Started(
                    instance_id=instance_id, region_id=region_id, status="failed", message="time ran out"
                )
            else:
                refused = answer.meaning in {Meaning.REFUSED, Meaning.DENIED}
                yield Started(
                    instance_id=instance_id,
                    region_id=region_id,
                    status="refused" if refused else "failed",
                    message=f"{answer.code}: {answer.message}",
                )
        yield from self._watch(coming)

    def _watch(self, coming: list[tuple[str, str]]) -> Iterator[Started]:
        until = self._clock.monotonic() + WATCH_SECONDS
        while coming:
            seen = self.describe(coming)
            for region_id, instance_id in list(coming):
                instance = seen.get(instance_id)
                if isinstance(instance, Instance) and instance.status == "Running":
                    coming.remove((region_id, instance_id))
                    yield Started(
                        instance_id=instance_id,
                        region_id=region_id,
                        status="running",
                        message="running again",
                    )
            if coming and self._clock.monotonic() >= until:
                for region_id, instance_id in coming:
                    yield Started(
                        instance_id=instance_id,
                        region_id=region_id,
                        status="starting",
                        message="not yet seen running; look at it in the console",
                    )
                return
            if coming:
                self._clock.sleep(POLL_SECONDS)

    def _starting(self, region_id: str, instance_id: str) -> Send:
        return ecs_call(
            START_INSTANCE,
            {"InstanceId": instance_id},
            region_id=region_id,
            credentials=self._credentials,
            endpoint=self._endpoint,
        )

    def _ecs(self, region_id: str) -> Ecs:
        return connect_ecs(region_id, self._credentials, endpoint=self._endpoint, connections=_CONNECTIONS)

    def _scope(self, region_id: str) -> Scope:
        return Scope(region_id=region_id, account_id=self._account_id)


def _describing(ecs: Ecs, ids: Sequence[str]) -> Callable[[float], tuple[Instance, ...]]:
    return lambda seconds: ecs.describe(ids, seconds=seconds).instances
