"""The command line: `stop-guard invoke` runs the function on an event, `stop-guard emulator` serves ECS."""

import io
import json
import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import Annotated

import typer

from function.cloud.runtime import SystemClock, system_ports
from function.invocation import StopIncomplete
from function.model.outcome import INVALID_EVENT
from function.model.ports import Clock
from function.model.request import InvalidEvent
from function.settings import InvalidSettings, Settings
from local.command_line import display
from local.command_line.explain import NotMeant, play
from local.command_line.explain import explain as explained
from local.command_line.live import LIVE_TIMEOUT_SECONDS, NoCredentials, is_dry, live_environment
from local.command_line.progress import watching
from local.command_line.rehearsal import LOCAL_KEY, TIMEOUT_SECONDS, rehearsal
from local.command_line.savings import savings
from local.emulator.backend import LocalEcs
from local.emulator.fault_text import InvalidFault, parse_fault
from local.emulator.faults import Fault
from local.emulator.fleet import Fleet, InvalidFleet, load_fleet, sample_fleet
from local.emulator.functions import LocalFunctions
from local.emulator.invocations import Answer
from local.emulator.keys import KeyPair
from local.emulator.server import serve
from local.function_compute import ACCOUNT_ID, FunctionCompute

COMPLETE, LEFT, WRONG, INTERRUPTED = 0, 1, 2, 130
"""Exit codes: the run is complete; something is left; bad input; ended by the keyboard, as shells say it."""

FAULT_HELP = "What goes wrong in the local ECS, e.g. StopInstance:2=InternalError; may be given again."

app = typer.Typer(
    add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False, rich_markup_mode=None
)


@app.command()
def invoke(
    event: Annotated[str, typer.Argument(metavar="EVENT", help="An event file; - for standard input.")],
    *,
    plan: Annotated[bool, typer.Option("--plan", help="Dry run: stop nothing.")] = False,
    fleet: Annotated[
        Path | None, typer.Option(help="A saved DescribeInstances answer for the local ECS.")
    ] = None,
    fault: Annotated[list[str] | None, typer.Option(help=FAULT_HELP)] = None,
    live: Annotated[
        bool, typer.Option("--live", help="The real cloud, with this machine's credentials.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report alone, as JSON.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before stopping in the real cloud.")] = False,
) -> None:
    """Run the function on an event, against a local ECS unless --live is given."""
    if live and (fleet is not None or fault):
        raise typer.BadParameter("--fleet and --fault are for the local ECS; they can't be used with --live")
    content = _read(event)
    if live:
        answers, lines = _invoke_live(content, plan=plan, ask=not yes, from_stdin=event == "-")
    else:
        answers, lines = _invoke_locally(content, fleet, fault or [], plan=plan)
    raise typer.Exit(_present(answers, lines, as_json=as_json))


def _read(path: str) -> bytes:
    try:
        return sys.stdin.buffer.read() if path == "-" else Path(path).read_bytes()
    except OSError as error:
        raise typer.BadParameter(
            f"cannot read the event {path!r}: {error.strerror}; give a file, or - for standard input"
        ) from None


Answers = Sequence[Answer]
"""Of the run itself, then of the shards that it has handed on."""

Lines = list[display.Line]


def _invoke_locally(
    event: bytes, fleet: Path | None, faults: Sequence[str], *, plan: bool
) -> tuple[Answers, Lines]:
    with rehearsal(event, _fleet(fleet), faults=_faults(faults)) as local:
        return _run(
            event,
            local.environment,
            local.clock,
            local.functions,
            account_id=ACCOUNT_ID,
            plan=plan,
            timeout=TIMEOUT_SECONDS,
        )


def _invoke_live(event: bytes, *, plan: bool, ask: bool, from_stdin: bool) -> tuple[Answers, Lines]:
    """Run in the real cloud; where a person is to be asked, a dry run shows what the question is about."""
    try:
        environment = live_environment()
    except NoCredentials as error:
        raise typer.BadParameter(str(error)) from None
    if not plan and ask and not is_dry(event, environment):
        if from_stdin:
            raise typer.BadParameter(
                "with the event on standard input nobody can be asked; add --yes, or --plan"
            )
        answers, lines = _run(event, environment, SystemClock(), plan=True, timeout=LIVE_TIMEOUT_SECONDS)
        if not any(line.get("status") == "would_stop" for line in lines):
            return answers, lines
        display.show(display.console(stderr=True), lines)
        typer.confirm("Stop these instances in the real cloud now?", abort=True, err=True)
    return _run(event, environment, SystemClock(), plan=plan, timeout=LIVE_TIMEOUT_SECONDS)


def _run(
    event: bytes,
    environment: Mapping[str, str],
    clock: Clock,
    functions: LocalFunctions | None = None,
    *,
    account_id: str = "",  # of --live: its credentials don't say whose they are
    plan: bool,
    timeout: int,
) -> tuple[Answers, Lines]:
    lines: Lines = []
    answers: dict[bytes, Answer] = {}
    with watching("Dry run" if plan else "Stopping") as watch:

        def write(text: str) -> None:
            lines.append(json.loads(text))
            watch.line(lines[-1])

        function = FunctionCompute(
            environment={**environment, "DRY_RUN": "true"} if plan else environment,
            timeout=timeout,
            account_id=account_id,
            ports=replace(system_ports(), clock=clock, write=write, connect_ecs=watch.connect_ecs),
        )

        def invoke(some_event: bytes) -> Answer:
            answers[some_event] = function.invoke(some_event)  # of those that FC tries again the last
            return answers[some_event]

        try:
            invoke(event)
            if functions is not None:
                functions.deliver(invoke)
            return [*answers.values()], lines
        except KeyboardInterrupt:
            interrupted = lines
    display.show(display.console(), interrupted)
    display.complain(
        "Interrupted. Nothing was stopped."
        if plan
        else "Interrupted. What is not listed may have been asked to stop; run it again to see."
    )
    raise typer.Exit(INTERRUPTED)


def _present(answers: Answers, lines: Lines, *, as_json: bool) -> int:
    """Show the run, and give the exit code. What the lines have shown is not said again.

    Lines that tell of nothing but events not understood are not shown: the complaint says it all.
    """
    told = any(line.get("code", INVALID_EVENT) != INVALID_EVENT for line in lines)
    shown = not as_json and (told or answers[0].error is None)
    if as_json:
        report, *of_shards = map(_report, answers)
        whole = {**report, "shards": of_shards} if of_shards else report
        sys.stdout.write(json.dumps(whole, indent=2) + "\n")
    elif shown:
        display.show(display.console(), lines)
    for answer in answers:
        if answer.error is not None and not (shown and isinstance(answer.error, InvalidEvent)):
            display.complain(f"{type(answer.error).__name__}: {answer.error}")
    return max(map(_exit_code, answers))


def _report(answer: Answer) -> Mapping[str, object]:
    """Give the report; where there is none, what went wrong in the form of an HTTP answer's body."""
    if isinstance(answer.error, StopIncomplete | InvalidEvent) and answer.error.report is not None:
        return answer.error.report
    if answer.error is not None:
        return {"code": type(answer.error).__name__, "message": str(answer.error)}
    returned = answer.returned or {}
    if "body" in returned:
        body: Mapping[str, object] = json.loads(str(returned["body"]))
        return body
    return returned


def _exit_code(answer: Answer) -> int:
    if isinstance(answer.error, StopIncomplete):
        return LEFT
    if answer.error is not None:
        return WRONG if isinstance(answer.error, InvalidEvent | InvalidSettings) else LEFT
    status_code = (answer.returned or {}).get("statusCode", 200)
    return {200: COMPLETE, 500: LEFT}.get(int(str(status_code)), WRONG)


@app.command()
def explain(
    event: Annotated[str, typer.Argument(metavar="EVENT", help="An event file; - for standard input.")],
    *,
    instance: Annotated[str | None, typer.Option(help="Only the calls about this instance.")] = None,
    fleet: Annotated[
        Path | None, typer.Option(help="A saved DescribeInstances answer for the local ECS.")
    ] = None,
) -> None:
    """Show each call that a run would make: parameters, signature, aliyun command line, sample code.

    The code calls the region's own endpoints, or what ECS_ENDPOINT and the like say.
    """
    content = _read(event)
    try:
        settings = Settings.from_environment(os.environ)
    except InvalidSettings as error:
        display.complain(f"{type(error).__name__}: {error}")
        raise typer.Exit(WRONG) from None
    run = play(content, _fleet(fleet))
    try:
        if run.calls or run.answers[0].error is None:
            for block in explained(run, instance_id=instance, settings=settings):
                typer.secho(f"{block}\n", bold=block.startswith("#") or None)
    except NotMeant as error:
        raise typer.BadParameter(f"--instance: {error}") from None
    for answer in run.answers:
        if answer.error is not None:
            display.complain(f"{type(answer.error).__name__}: {answer.error}")
    raise typer.Exit(max(map(_exit_code, run.answers)))


@app.command()
def emulator(
    *,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(min=0, max=65_535, help="The port to listen on; 0: a free one.")
    ] = 8014,
    fleet: Annotated[Path | None, typer.Option(help="A saved DescribeInstances answer.")] = None,
    fault: Annotated[list[str] | None, typer.Option(help=FAULT_HELP)] = None,
) -> None:
    """Serve the local ECS over HTTP until stopped, and STS's AssumeRole for the accounts of its fleet.

    Its key is id emulator, secret emulator, unless the environment names another in ALIBABA_CLOUD_*.
    """
    own = {**LOCAL_KEY, **os.environ}
    key = KeyPair(
        access_key_id=own["ALIBABA_CLOUD_ACCESS_KEY_ID"],
        access_key_secret=own["ALIBABA_CLOUD_ACCESS_KEY_SECRET"],
        security_token=own.get("ALIBABA_CLOUD_SECURITY_TOKEN", ""),
    )
    ecs = LocalEcs(_fleet(fleet), faults=_faults(fault or []))
    try:
        with serve(ecs, host=host, port=port, credentials=key) as endpoint, suppress(KeyboardInterrupt):
            print(f"listening on {endpoint}", flush=True)
            Event().wait()
    except OSError as error:
        raise typer.BadParameter(f"cannot listen on {host}:{port}: {error.strerror}") from None


def _fleet(path: Path | None) -> Fleet:
    try:
        return sample_fleet() if path is None else load_fleet(path)
    except (InvalidFleet, OSError) as error:
        raise typer.BadParameter(f"fleet file {path}: {error}") from None


def _faults(texts: Sequence[str]) -> tuple[Fault, ...]:
    try:
        return tuple(map(parse_fault, texts))
    except InvalidFault as error:
        raise typer.BadParameter(str(error)) from None


app.command()(savings)


def main() -> None:
    """Run the command line. A character that the terminal's encoding lacks must not cost the report."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    app()
