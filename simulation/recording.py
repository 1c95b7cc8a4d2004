"""What really happened in a simulation: each call as it was sent, as it arrived, and what was heard of it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from local.emulator.lifecycle import EmulatedInstance
from simulation.scenario import Scenario, ScheduledDelivery, Scope

NO_ANSWER = "(no answer)"
NO_CONNECTION = "(no connection)"
STOPS = ("StopInstance", "StopInstances")
UNLISTED = "SomethingNobodyKnows"
"""A code that is in no table: it may mean anything."""
PERHAPS_DONE = (
    *("InternalError", "ServiceUnavailable", "InstanceNotReady", "SignatureNonceUsed"),
    *("LastTokenProcessing", "SystemBusy", "UnknownError", "RegionMaintaining"),
    UNLISTED,
)
"""Ends of the codes after which only a look can tell what was done."""
RELEASED = "(released)"
"""The status in which a recording notes an instance that is no more; ECS knows none by this name."""


JsonObject = Mapping[str, Any]
"""A report, one of its outcomes, a log line: as JSON has it."""


@dataclass(slots=True, kw_only=True, eq=False)
class RecordedCall:
    """A call by an invocation. Moments are seconds, steps number all that happens.

    `role`: the one through which it was made; None: none, in the function's own account.
    `event`: what an InvokeFunction hands on; `taken`: FC has it, whatever was heard of that.

    `before`, `after`: the instances of a stop call, as they really were when it arrived, and after it.
    `code`: what ECS made of it, empty where it went well; None: it never arrived.
    `heard`: what the client made of it: that code, `NO_ANSWER` or `NO_CONNECTION`; None: it is still waiting.
    """

    invocation: int
    action: str
    account_id: str
    role: str | None
    region_id: str
    parameters: Mapping[str, str]
    event: bytes = b""
    taken: bool = False
    sent: float
    sent_step: int
    arrived: float | None = None
    arrived_step: int | None = None
    before: Mapping[str, EmulatedInstance] = field(default_factory=dict)
    after: Mapping[str, EmulatedInstance] = field(default_factory=dict)
    code: str | None = None
    retry_after_ms: int | None = None
    heard: str | None = None
    heard_at: float | None = None
    heard_step: int | None = None
    body: Mapping[str, Any] = field(default_factory=dict)

    @property
    def scope(self) -> Scope:
        """Where it was sent."""
        return self.account_id, self.region_id

    @property
    def instance_ids(self) -> Sequence[str]:
        """The instances of a stop call."""
        return [
            text
            for name, text in self.parameters.items()
            if self.action in STOPS and name.partition(".")[0] == "InstanceId"
        ]

    @property
    def stops(self) -> "Sequence[RecordedStop]":
        """What it asks of each of its instances."""
        return [RecordedStop(self, instance_id) for instance_id in self.instance_ids]

    @property
    def instances(self) -> Sequence[Mapping[str, Any]]:
        """The instances that a look has shown; none where it failed."""
        seen = self.heard == "" and self.action == "DescribeInstances"
        found: Sequence[Mapping[str, Any]] = self.body["Instances"]["Instance"] if seen else ()
        return found


@dataclass(frozen=True, slots=True)
class RecordedStop:
    """One instance's part in a stop call: in a StopInstance all of it, in a StopInstances one of many."""

    call: RecordedCall
    instance_id: str

    @property
    def together(self) -> bool:
        """Whether others are in the call, too."""
        return self.call.action == "StopInstances"

    @property
    def parameters(self) -> Mapping[str, str]:
        """What is asked for, in StopInstance's words."""
        asked = {
            name: text
            for name, text in self.call.parameters.items()
            if name not in ("RegionId", "BatchOptimization") and not name.startswith("InstanceId.")
        }
        return asked | {"InstanceId": self.instance_id}

    @property
    def heard(self) -> str | None:
        """What was heard about this instance: as of a call, but each has its own code in a StopInstances."""
        if not self.together or self.call.heard != "":
            return self.call.heard
        answers = self.call.body["InstanceResponses"]["InstanceResponse"]
        codes = {one["InstanceId"]: one["Code"] for one in answers}
        code = codes.get(self.instance_id, NO_ANSWER)
        return "" if code == "200" else str(code)

    @property
    def refused_whole(self) -> bool:
        """Whether a StopInstances was refused as a whole, which is no answer about one of its instances."""
        return self.together and self.call.heard not in {None, "", NO_ANSWER, NO_CONNECTION}

    @property
    def effective(self) -> bool:
        """Whether it changed its instance."""
        return self.call.before.get(self.instance_id) != self.call.after.get(self.instance_id)

    @property
    def scope(self) -> Scope:
        """Where it was sent."""
        return self.call.scope

    @property
    def sent(self) -> float:
        """When it was sent."""
        return self.call.sent

    @property
    def sent_step(self) -> int:
        """The step at which it was sent."""
        return self.call.sent_step

    @property
    def heard_at(self) -> float | None:
        """When something was heard."""
        return self.call.heard_at

    @property
    def heard_step(self) -> int | None:
        """The step at which something was heard."""
        return self.call.heard_step


@dataclass(slots=True, kw_only=True, eq=False)
class RecordedInvocation:
    """One call of the handler. `host`: the instance of the function that it ran on.

    `ended` stays None where it was killed: by the scenario, or (`outlived`) by FC at its timeout.
    """

    number: int
    delivery: ScheduledDelivery
    host: int
    request_id: str
    started: float
    started_step: int
    ended: float | None = None
    ended_step: int | None = None
    killed: float | None = None
    outlived: bool = False
    connected: list[tuple[Scope, str | None]] = field(default_factory=list)
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
class Recording:
    """All of one simulation.

    `states`: of each instance, the moments at which it was changed, and to what. `meddled`: what others did:
    step, moment, instance, deed. `stuck`: why it did not come to an end; empty if it did.
    """

    scenario: Scenario
    calls: list[RecordedCall] = field(default_factory=list)
    invocations: list[RecordedInvocation] = field(default_factory=list)
    states: dict[str, list[tuple[float, EmulatedInstance]]] = field(default_factory=dict)
    meddled: list[tuple[int, float, str, str]] = field(default_factory=list)
    stuck: str = ""
    steps: int = 0

    def step(self) -> int:
        """Count one more thing that happened."""
        self.steps += 1
        return self.steps
