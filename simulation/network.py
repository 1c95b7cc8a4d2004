"""The way to ECS: in place of the SDK's client, one that sends each call through the weather."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from random import Random
from typing import Any

import requests

from function.cloud import sdk
from local.api.api_error import ApiError, BrokenAnswer, ConnectionLost
from local.api.names import INVOKE_FUNCTION
from local.emulator.lifecycle import Aftermath, EmulatedInstance
from simulation.recording import NO_ANSWER, NO_CONNECTION, STOPS, RecordedCall, RecordedInvocation, Recording
from simulation.scenario import OWN_ACCOUNT, account_of
from simulation.scheduler import Scheduler, Task
from simulation.simulated_ecs import SimulatedEcs


@dataclass(frozen=True, slots=True)
class Network:
    """All between the invocations and ECS. What was sent goes its way, whatever becomes of the sender."""

    cloud: SimulatedEcs
    recording: Recording
    scheduler: Scheduler
    random: Random
    accept: Callable[[bytes], None]
    """What FC does with an event that is handed on to it."""

    def latency(self) -> float | None:
        """Draw the seconds that a message takes; None: it is lost."""
        weather = self.recording.scenario.weather
        if self.random.random() < weather.lost:
            return None
        if self.random.random() < weather.late:
            return self.random.uniform(0, weather.late_seconds)
        return self.random.choice(weather.latencies)

    def arrive(self, call: RecordedCall, sender: Task) -> None:
        """Let a call reach ECS, and its answer set out."""
        call.arrived, call.arrived_step = self.scheduler.time, self.recording.step()
        call.before = self._instances(call)
        learnt = ""
        try:
            call.body = self._perform(call)
            call.code = ""
        except ApiError as error:
            call.code = learnt = error.code
            call.retry_after_ms = error.retry_after_ms
        except (BrokenAnswer, ConnectionLost) as error:
            call.code, learnt = type(error).__name__, NO_ANSWER
        call.after = self._instances(call)
        for instance in call.after.values():
            self.cloud.note(instance)
        back = self.latency()
        if back is not None:
            self.scheduler.at(self.scheduler.time + back, partial(self._answer, call, sender, learnt))

    def _perform(self, call: RecordedCall) -> dict[str, Any]:
        if call.action != INVOKE_FUNCTION:
            return self.cloud.call(call.action, call.parameters, account_id=call.account_id)

        def act(_now: datetime, _request_id: str, _aftermath: Aftermath) -> dict[str, Any]:
            self.accept(call.event)
            call.taken = True
            return {}

        return self.cloud.answer(call.action, call.parameters, act, account_id=call.account_id, signed="")

    def _instances(self, call: RecordedCall) -> dict[str, EmulatedInstance]:
        """Give the instances of a stop call as they really are."""
        known = (
            {instance.instance_id: instance for instance in self.cloud.instances()}
            if call.instance_ids
            else {}
        )
        return {one: known[one] for one in call.instance_ids if one in known}

    def hear(self, call: RecordedCall, what: str) -> None:
        """Note what a client makes of its call."""
        call.heard, call.heard_at, call.heard_step = what, self.scheduler.time, self.recording.step()

    def _answer(self, call: RecordedCall, sender: Task, what: str) -> None:
        if call.heard is None and not sender.greenlet.dead:
            self.hear(call, what)
            self.scheduler.wake(sender)


@dataclass(frozen=True, slots=True)
class Client:
    """What `function.ecs.SdkEcs` uses of the SDK's client, down to what that raises."""

    network: Network
    invocation: RecordedInvocation
    role: str | None
    region_id: str

    def call_api(self, params: Any, request: Any, runtime: Any) -> dict[str, Any]:  # noqa: ANN401 - the SDK's untyped objects
        """Send a call and wait for its answer, in the time that `runtime` gives for it (milliseconds)."""
        network, scheduler, random = self.network, self.network.scheduler, self.network.random
        weather = network.recording.scenario.weather
        call = RecordedCall(
            invocation=self.invocation.number,
            action=params.action,
            account_id=OWN_ACCOUNT if self.role is None else account_of(self.role),
            role=self.role,
            region_id=self.region_id,
            parameters=request.query,
            event=request.body or b"",
            sent=scheduler.time,
            sent_step=network.recording.step(),
        )
        network.recording.calls.append(call)
        if random.random() < weather.no_connection:
            scheduler.wait(scheduler.time + random.choice((0.0, runtime.connect_timeout / 1000)))
            network.hear(call, NO_CONNECTION)
            raise requests.ConnectTimeout
        late = call.action in STOPS and random.random() < weather.late_stop
        there = random.uniform(0, weather.late_seconds) if late else network.latency()
        if there is not None:
            scheduler.at(scheduler.time + there, partial(network.arrive, call, scheduler.running))
        patience = (runtime.connect_timeout + runtime.read_timeout) / 1000
        # An answer that comes in drips ends with the call's time, too: the function's own sockets see to it.
        scheduler.wait(scheduler.time + patience)
        if call.heard is None:
            network.hear(call, NO_ANSWER)
        if call.heard == NO_ANSWER:
            raise requests.ReadTimeout
        if call.heard:
            raise _refused(call)
        return {"body": call.body}


def _refused(call: RecordedCall) -> Exception:
    """Make what the SDK raises for an error answer; `retry_after` is there with x-acs-retry-after alone."""
    error: Exception = sdk.TeaException(
        {"code": call.code, "message": "", "data": {"RequestId": f"R-{call.sent_step}"}}
    )
    if call.retry_after_ms is not None:
        vars(error)["retry_after"] = call.retry_after_ms
    return error
