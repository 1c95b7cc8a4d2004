"""What really happened in a simulation: each call as it was sent, as it arrived, and what was heard of it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from local.instance import Instance
from simulation.scenario import Delivery, Scenario

NO_ANSWER = "(no answer)"
NO_CONNECTION = "(no connection)"


@dataclass(slots=True, kw_only=True, eq=False)
class Call:
    """A call by an invocation. Moments are seconds, steps number all that happens.

    `before`, `after`: the instance of a stop call, as it really was when the call arrived, and after it.
    `code`: what ECS made of it, empty where it went well; None: it never arrived.
    `heard`: what the client made of it: that code, `NO_ANSWER` or `NO_CONNECTION`; None: it is still waiting.
    """

    invocation: int
    action: str
    region_id: str
    parameters: Mapping[str, str]
    sent: float
    sent_step: int
    arrived: float | None = None
    arrived_step: int | None = None
    before: Instance | None = None
    after: Instance | None = None
    code: str | None = None
    retry_after_ms: int | None = None
    heard: str | None = None
    heard_at: float | None = None
    heard_step: int | None = None
    body: Mapping[str, Any] = field(default_factory=dict)

    @property
    def instance_id(self) -> str:
        """The instance of a stop call."""
        return self.parameters["InstanceId"]

    @property
    def effective(self) -> bool:
        """Whether it changed its instance."""
        return self.before != self.after

    @property
    def documents(self) -> Sequence[Mapping[str, Any]]:
        """The instances that a look has shown; none where it failed."""
        seen = self.heard == "" and self.action == "DescribeInstances"
        found: Sequence[Mapping[str, Any]] = self.body["Instances"]["Instance"] if seen else ()
        return found


@dataclass(slots=True, kw_only=True, eq=False)
class Invocation:
    """One call of the handler. `host`: the instance of the function that it ran on.

    `ended` stays None where it was killed: by the scenario, or (`outlived`) by FC at its timeout.
    """

    number: int
    delivery: Delivery
    host: int
    request_id: str
    started: float
    started_step: int
    ended: float | None = None
    ended_step: int | None = None
    killed: float | None = None
    outlived: bool = False
    connected: list[tuple[str, str | None]] = field(default_factory=list)
    written: list[tuple[int, float, str]] = field(default_factory=list)
    returned: Mapping[str, Any] | None = None
    raised: Exception | None = None
    _lines: list[Mapping[str, Any]] = field(default_factory=list)

    @property
    def lines(self) -> Sequence[Mapping[str, Any]]:
        """The log lines. Raise ValueError for one that is no JSON."""
        if len(self._lines) != len(self.written):
            self._lines = [json.loads(text) for _, _, text in self.written]
        return self._lines

    @property
    def report(self) -> Mapping[str, Any] | None:
        """The report, in whichever way it left the handler; None: there is none."""
        if self.returned is None:
            left: Mapping[str, Any] | None = getattr(self.raised, "report", None)
            return left
        if not self.delivery.http:
            return self.returned
        body: Mapping[str, Any] = json.loads(self.returned["body"])
        return body if "outcomes" in body else None


@dataclass(slots=True)
class History:
    """All of one simulation.

    `states`: of each instance, the moments at which it was changed, and to what. `meddled`: what others did:
    step, moment, instance, deed. `stuck`: why it did not come to an end; empty if it did.
    """

    scenario: Scenario
    calls: list[Call] = field(default_factory=list)
    invocations: list[Invocation] = field(default_factory=list)
    states: dict[str, list[tuple[float, Instance]]] = field(default_factory=dict)
    meddled: list[tuple[int, float, str, str]] = field(default_factory=list)
    stuck: str = ""
    steps: int = 0

    def step(self) -> int:
        """Count one more thing that happened."""
        self.steps += 1
        return self.steps
