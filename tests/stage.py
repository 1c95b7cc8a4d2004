"""A stage for whole runs: a local ECS over real HTTP, the real SDK, and a clock that sleeping alone moves."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from function.cloud.runtime import system_ports
from function.invocation import StopIncomplete
from function.model.request import InvalidEvent
from local.api.error_table import error_row
from local.emulator.backend import LocalEcs
from local.emulator.behaviour import Behaviour
from local.emulator.call_log import ReceivedCall
from local.emulator.clock import VirtualClock
from local.emulator.faults import Failure, Fault
from local.emulator.fleet import Fleet
from local.emulator.functions import LocalFunctions
from local.emulator.invocations import Answer
from local.emulator.server import serve
from local.function_compute import FunctionCompute, Runtime

OPTED_IN = {"Tag": [{"TagKey": "auto-stop", "TagValue": "true"}]}
WITH_DISKS = {"LocalStorageAmount": 1, "LocalStorageCapacity": 894}
"""With consent each such instance is stopped by a StopInstance of its own."""
NOW = datetime(2026, 1, 15, 20, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Played:
    """What one invocation left: its answer, its log lines, and the calls that reached ECS."""

    answer: Answer
    lines: list[dict[str, object]]
    calls: tuple[ReceivedCall, ...]

    @property
    def report(self) -> Mapping[str, object]:
        """The report, whether it was returned, came as an HTTP body, or left with an exception."""
        error, returned = self.answer.error, self.answer.returned
        if isinstance(error, StopIncomplete | InvalidEvent):
            assert error.report is not None
            return error.report
        assert returned is not None, error
        if "body" in returned:
            body: Mapping[str, object] = json.loads(str(returned["body"]))
            return body
        return returned

    @property
    def outcomes(self) -> dict[str, dict[str, object]]:
        """The outcomes by instance id."""
        found = self.report["outcomes"]
        assert isinstance(found, list)
        return {str(outcome["instance_id"]): outcome for outcome in found}

    @property
    def refusals(self) -> list[dict[str, object]]:
        """The events refused as a whole."""
        found = self.report["refusals"]
        assert isinstance(found, list)
        return found

    @property
    def outcome(self) -> dict[str, object]:
        """The only outcome."""
        (only,) = self.outcomes.values()
        return only

    @property
    def stops(self) -> list[Mapping[str, str]]:
        """The parameters of the StopInstance calls that reached ECS, in their order."""
        return [call.parameters for call in self.calls if call.action == "StopInstance"]

    @property
    def batches(self) -> list[list[str]]:
        """The instances of the StopInstances calls that reached ECS, in their order."""
        return [
            [text for name, text in call.parameters.items() if name.startswith("InstanceId.")]
            for call in self.calls
            if call.action == "StopInstances"
        ]

    def count(self, action: str) -> int:
        """Count the calls of an action."""
        return sum(call.action == action for call in self.calls)

    def asked(self, instance_id: str) -> int:
        """Count the stop calls that reached ECS for an instance, alone or with others."""
        alone = sum(stop["InstanceId"] == instance_id for stop in self.stops)
        return alone + sum(instance_id in batch for batch in self.batches)


@dataclass
class Stage:
    """A local ECS with a fleet, STS and FC at the same endpoint, and the function beside them."""

    ecs: LocalEcs
    clock: VirtualClock
    endpoint: str = ""
    shards: list[Played] = field(default_factory=list)
    """What became of each event that FC was handed, in the order of `deliver`."""
    functions: LocalFunctions = field(default_factory=LocalFunctions)
    _settings: Mapping[str, str] = field(default_factory=dict)

    def deliver(self) -> None:
        """Let FC deliver what it was handed, with the settings of the last invocation."""
        settings = self._settings

        def invoke(event: bytes) -> Answer:
            self.shards.append(self.invoke_with(settings, event))
            return self.shards[-1].answer

        self.functions.deliver(invoke)

    def function(
        self,
        *,
        runtime: Runtime = Runtime.PYTHON_3_12,
        timeout: int = 300,
        write: Callable[[str], None] = lambda _line: None,
        **settings: str,
    ) -> FunctionCompute:
        """Make an instance of the function with these settings."""
        return FunctionCompute(
            environment={
                "FC_REGION": "cn-hangzhou",
                "ECS_ENDPOINT": self.endpoint,
                "STS_ENDPOINT": self.endpoint,
                "FAN_OUT_ENDPOINT": self.endpoint,
                "ALIBABA_CLOUD_ACCESS_KEY_ID": "emulator",
                "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "emulator",
            }
            | settings,
            runtime=runtime,
            timeout=timeout,
            ports=replace(system_ports(), clock=self.clock, chance=lambda: 0.5, write=write),
        )

    def invoke(
        self,
        event: object,
        *,
        runtime: Runtime = Runtime.PYTHON_3_12,
        timeout: int = 300,
        **settings: str,
    ) -> Played:
        """Invoke a new instance of the function with an event (bytes, or what becomes JSON)."""
        return self.invoke_with(settings, event, runtime=runtime, timeout=timeout)

    def invoke_with(
        self,
        settings: Mapping[str, str],
        event: object,
        *,
        runtime: Runtime = Runtime.PYTHON_3_12,
        timeout: int = 300,
    ) -> Played:
        """Invoke it likewise, with these settings."""
        self._settings = settings
        lines: list[dict[str, object]] = []
        before = len(self.ecs.calls)
        function = self.function(
            runtime=runtime,
            timeout=timeout,
            write=lambda line: lines.append(json.loads(line)),
            **settings,
        )
        content = event if isinstance(event, bytes) else json.dumps(event).encode()
        return Played(function.invoke(content), lines, self.ecs.calls[before:])


def error(action: str, code: str, *, first: int = 1, last: int | None = None) -> Fault:
    """Make ECS answer calls of an action, from the first to the last, with an error code."""
    return Fault(action=action, effect=Failure(row=error_row(code)), first=first, last=last)


SetStage = Callable[..., Stage]


@contextmanager
def staging() -> Iterator[SetStage]:
    """Make stages that are torn down in the end; an instance is opted in unless it has tags."""
    with ExitStack() as stack:

        def make(*instances: Mapping[str, object], faults: tuple[Fault, ...] = ()) -> Stage:
            clock = VirtualClock(NOW)
            fleet = Fleet.from_instances([{"Tags": OPTED_IN, **instance} for instance in instances])
            behaviour = Behaviour(filter_limit="cut")  # ECS's published one, beyond which some filters fail
            ecs = LocalEcs(fleet, now=clock.now, sleep=clock.sleep, faults=faults, behaviour=behaviour)
            made = Stage(ecs, clock)
            made.endpoint = stack.enter_context(serve(ecs, made.functions))
            return made

        yield make
