"""Runs the function on this machine, on a target, and keeps its answers and log lines."""

import json
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace

from function.cloud.runtime import system_ports
from function.events.parse import Delivery
from function.invocation import StopIncomplete
from function.model.ports import Clock
from function.model.request import InvalidEvent
from function.settings import InvalidSettings
from local.command_line.exit_codes import ExitCode
from local.command_line.interrupts import Interruptible
from local.command_line.progress import Watch
from local.command_line.rows import Line
from local.emulator.invocations import Answer
from local.function_compute import FunctionCompute

_ROLE = "the function's role"

Deliver = Callable[[Callable[[bytes], Answer]], object]
"""FC's asynchronous side: lets a function have what was handed on to it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where runs take place: the cloud, or a local ECS. `environment` is all that the function sees there.

    `read`: how an event is understood there. `deliver`: None where nothing can be handed on.
    `caller`: the ARN of the person whose key it is, where it is one's.
    """

    live: bool
    environment: Mapping[str, str]
    clock: Clock
    account_id: str
    timeout: int
    read: Callable[[bytes], Delivery]
    deliver: Deliver | None = None
    caller: str = ""

    @property
    def name(self) -> str:
        """What reports and log lines call it."""
        return "live" if self.live else "local"

    def told(self, text: str) -> str:
        """Blame nobody's role where the key is a person's: in the function's own words it is its role."""
        return text.replace(_ROLE, self.caller) if self.caller else text


@dataclass(frozen=True, slots=True)
class Run:
    """What came of a run, and of the shards that it handed on, in that order; and the log lines of all."""

    answers: tuple[Answer, ...]
    lines: tuple[Line, ...]
    target: Target | None = None

    @property
    def exit_code(self) -> ExitCode:
        """How the command ends after it: by what is wrong, else by what is left, else by what was refused."""
        codes = {_exit_code(answer) for answer in self.answers}
        worst = (ExitCode.WRONG, ExitCode.LEFT, ExitCode.REFUSED)
        return next((code for code in worst if code in codes), ExitCode.COMPLETE)

    def reports(self) -> list[Mapping[str, object]]:
        """Give the reports; where there is none, what went wrong in the form of an HTTP answer's body."""
        reports = [_report(answer) for answer in self.answers]
        if self.target is None or not self.target.caller:
            return reports
        return [json.loads(self.target.told(json.dumps(report))) for report in reports]


class Interrupted(Exception):  # noqa: N818 - it ends the run as a person wanted
    """Ctrl-C ended a run: its log lines so far, and what it had asked to stop without an outcome yet."""

    def __init__(self, lines: tuple[Line, ...], asked: tuple[str, ...]) -> None:
        super().__init__()
        self.lines = lines
        self.asked = asked


def execute(
    target: Target,
    delivery: Delivery,
    *,
    dry_run: bool,
    watching: AbstractContextManager[Watch],
    log: Callable[[str], object],
) -> Run:
    """Run the function on a delivery; `log` gets its lines. Raise Interrupted."""
    lines: list[Line] = []
    answers: dict[bytes, Answer] = {}
    with Interruptible(), watching as watch:

        def write(text: str) -> None:
            text = target.told(text)
            line = json.loads(text)
            log(text if target.live else json.dumps({**line, "target": target.name}))
            lines.append(line)
            watch.line(line)

        function = FunctionCompute(
            environment={**target.environment, "DRY_RUN": "true"} if dry_run else target.environment,
            timeout=target.timeout,
            account_id=target.account_id,
            ports=replace(system_ports(), clock=target.clock, write=write, connect_ecs=watch.connect_ecs),
        )

        def invoke(event: bytes) -> Answer:
            answers[event] = function.invoke(event)  # of those that FC tries again the last
            return answers[event]

        try:
            first = function.handle(delivery)
            if target.deliver is not None:
                target.deliver(invoke)
        except KeyboardInterrupt:
            raise Interrupted(tuple(lines), watch.end()) from None
    return Run((first, *answers.values()), tuple(lines), target)


def _exit_code(answer: Answer) -> ExitCode:
    if answer.error is not None:
        wrong = isinstance(answer.error, InvalidEvent | InvalidSettings)
        return ExitCode.WRONG if wrong else ExitCode.LEFT
    report = _report(answer)
    status_code = (answer.returned or {}).get("statusCode", 200)
    if status_code == 500:  # noqa: PLR2004 - as the contract has it: incomplete
        return ExitCode.LEFT
    if status_code == 400:  # noqa: PLR2004 - invalid
        return ExitCode.WRONG
    refused = report.get("refusals") and not report.get("outcomes") and not report.get("handed_on")
    return ExitCode.REFUSED if status_code == 401 or refused else ExitCode.COMPLETE  # noqa: PLR2004 - bad token


def _report(answer: Answer) -> Mapping[str, object]:
    if isinstance(answer.error, StopIncomplete | InvalidEvent) and answer.error.report is not None:
        return answer.error.report
    if answer.error is not None:
        return {"code": type(answer.error).__name__, "message": str(answer.error)}
    returned = answer.returned or {}
    if "body" in returned:
        body: Mapping[str, object] = json.loads(str(returned["body"]))
        return body
    return returned
