"""Ports that FC can take away: once an instance is stopped, nothing that it tries happens any more."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from threading import Event
from typing import ParamSpec, TypeVar, cast

from function.model.ports import Clock, Ecs, Fc, Ports, Sts
from local.emulator.invocations import InstanceStopped

Given = ParamSpec("Given")
Result = TypeVar("Result")


def stoppable(ports: Ports, stopped: Event) -> Ports:
    """Give the same ports; each raises InstanceStopped once the event is set.

    What ECS was asked before goes on there. What it answered is never seen.
    """
    while_running = _WhileRunning(stopped)
    return replace(
        ports,
        clock=_StoppableClock(ports.clock, while_running),
        write=while_running(ports.write),
        connect_ecs=lambda *given, **named: cast(
            Ecs, _StoppableClient(ports.connect_ecs(*given, **named), while_running)
        ),
        connect_sts=lambda *given, **named: cast(
            Sts, _StoppableClient(ports.connect_sts(*given, **named), while_running)
        ),
        connect_fc=lambda *given, **named: cast(
            Fc, _StoppableClient(ports.connect_fc(*given, **named), while_running)
        ),
    )


@dataclass(frozen=True, slots=True)
class _WhileRunning:
    stopped: Event

    def __call__(self, function: Callable[Given, Result]) -> Callable[Given, Result]:
        def call(*given: Given.args, **named: Given.kwargs) -> Result:
            self.check()
            result = function(*given, **named)
            self.check()
            return result

        return call

    def check(self) -> None:
        if self.stopped.is_set():
            raise InstanceStopped


@dataclass(frozen=True, slots=True)
class _StoppableClock:
    clock: Clock
    while_running: _WhileRunning

    def now(self) -> datetime:
        self.while_running.check()
        return self.clock.now()

    def monotonic(self) -> float:
        self.while_running.check()
        return self.clock.monotonic()

    def sleep(self, seconds: float) -> None:
        self.while_running(self.clock.sleep)(seconds)


@dataclass(frozen=True, slots=True)
class _StoppableClient:
    """A client of any of the APIs, whose methods end with the instance."""

    client: object
    while_running: _WhileRunning

    def __getattr__(self, name: str) -> object:
        return self.while_running(getattr(self.client, name))
