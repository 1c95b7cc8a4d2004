"""Plays a run on a local ECS, without waiting, and keeps every call that it makes."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from function.cloud.ecs import connect_ecs
from function.cloud.runtime import system_ports
from function.model.credentials import Credentials
from function.model.instance import LocalDisks
from function.model.ports import DESCRIBE_INSTANCE_TYPES, STOP_INSTANCE, Ecs
from local.command_line.rehearsal import TIMEOUT_SECONDS, rehearsal
from local.command_line.settings import machine_settings
from local.command_line.watching import PassedOn
from local.emulator.backend import LocalEcs
from local.emulator.call_log import ReceivedCall
from local.emulator.clock import VirtualClock
from local.emulator.fleet import Fleet
from local.emulator.invocations import Answer
from local.function_compute import FunctionCompute
from local.samples.typed_call import TypedCall, typed_call

LoggedLine = dict[str, Any]
"""A log line of the function, read back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Playback:
    """A run that was played: the calls in their order, each also in types, what came of it, and its log.

    `answers`: of the run itself, then of the shards that it has handed on.
    """

    calls: tuple[tuple[ReceivedCall, TypedCall], ...]
    answers: tuple[Answer, ...]
    lines: tuple[LoggedLine, ...]


def play(event: bytes, fleet: Fleet) -> Playback:
    """Run the function on an event sent now, and its shards, one call at a time, without waiting."""
    lines: list[LoggedLine] = []
    regions: list[str] = []

    def noting(region_id: str, credentials: Credentials, *, endpoint: str | None, connections: int) -> Ecs:
        ecs = connect_ecs(region_id, credentials, endpoint=endpoint, connections=connections)
        return _Noted(ecs, region_id, regions)

    with rehearsal(fleet, machine_settings(), make_clock=lambda: VirtualClock(datetime.now(UTC))) as local:
        function = FunctionCompute(
            environment={**local.environment, "CONCURRENCY": "1"},
            timeout=TIMEOUT_SECONDS,
            ports=replace(
                system_ports(),
                clock=local.clock,
                write=lambda text: lines.append(json.loads(text)),
                connect_ecs=noting,
            ),
        )
        answers: dict[bytes, Answer] = {}

        def invoke(shard: bytes) -> Answer:
            answers[shard] = function.invoke(shard)  # of those that FC tries again the last
            return answers[shard]

        first = function.handle(local.read(event))
        local.functions.deliver(invoke)
    own, noted = local.environment["FC_REGION"], iter(regions)
    calls = tuple(
        (call, typed_call(call.action, _region(local.ecs, call, own, noted), call.parameters))
        for call in local.ecs.calls
    )
    return Playback(calls=calls, answers=(first, *answers.values()), lines=tuple(lines))


@dataclass(frozen=True, slots=True)
class _Noted(PassedOn):
    """Notes in which region each DescribeInstanceTypes is made, which does not say it."""

    region_id: str
    regions: list[str]

    def local_disks(self, instance_types: Sequence[str], *, seconds: float) -> Mapping[str, LocalDisks]:
        """See `Ecs.local_disks`."""
        self.regions.append(self.region_id)
        return self.ecs.local_disks(instance_types, seconds=seconds)


def _region(ecs: LocalEcs, call: ReceivedCall, own: str, noted: Iterator[str]) -> str:
    """Say where a call went; those of STS and FC go to the function's own region."""
    if call.action == DESCRIBE_INSTANCE_TYPES:
        return next(noted)
    if call.action == STOP_INSTANCE:
        return ecs.instance(call.parameters["InstanceId"]).profile.region_id
    return call.parameters.get("RegionId", own)
