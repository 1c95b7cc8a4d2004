"""The command line `stop-guard`: its commands with their options. What each does stands in its own module.

A command loads its module when it is called, so that each starts in a fraction of a second.
"""

import errno
import io
import os
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from local.command_line.exit_codes import CommandError, ExitCode
from local.command_line.savings import savings

EventFile = Annotated[str, typer.Argument(metavar="EVENT", help="An event file; - for standard input.")]
FleetFile = Annotated[Path | None, typer.Option(help="A saved DescribeInstances answer for the local ECS.")]
Faults = Annotated[
    list[str] | None,
    typer.Option(
        help="What goes wrong in the local ECS, e.g. StopInstance:2=InternalError; may be repeated."
    ),
]
Live = Annotated[bool, typer.Option("--live", help="The real cloud, with this machine's credentials.")]
Yes = Annotated[bool, typer.Option("--yes", help="With --live: do not ask before the plan is carried out.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the report alone, as JSON.")]
Full = Annotated[bool, typer.Option("--full", help="Show every instance, however many there are.")]
Out = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Write the whole report too: .json or .csv by its name.")
]
LogFile = Annotated[
    Path | None, typer.Option("--log", metavar="FILE", help="Append the function's own log lines to it.")
]

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Stop ECS instances safely: rehearse on a local ECS, look at a plan, and carry it out.",
)


def _show_version(asked: bool) -> None:  # noqa: FBT001 - typer calls it so
    if asked:
        print(f"stop-guard {version('stop-guard')}")
        raise typer.Exit


@app.callback()
def _common(
    *,
    _version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    pass


@app.command()
def invoke(
    event: EventFile,
    *,
    plan: Annotated[bool, typer.Option("--plan", help="Dry run: stop nothing.")] = False,
    fleet: FleetFile = None,
    fault: Faults = None,
    live: Live = False,
    yes: Yes = False,
    as_json: AsJson = False,
    full: Full = False,
    out: Out = None,
    log: LogFile = None,
) -> None:
    """Run the function on an event: on a local ECS, or with --live in the real cloud.

    In the real cloud it shows its plan, asks, and stops only what the plan showed.
    """

    def run() -> ExitCode:
        from local.command_line.event_file import read_event
        from local.command_line.invoke import Options, invoke
        from local.command_line.settings import machine_settings

        options = Options(
            plan=plan,
            live=live,
            yes=yes,
            as_json=as_json,
            full=full,
            out=out,
            log=log,
            fleet=fleet,
            faults=tuple(fault or ()),
            can_ask=event != "-",
        )
        return invoke(read_event(event), machine_settings(), options)

    _end_with(run)


@app.command()
def apply(
    plan: Annotated[Path, typer.Argument(metavar="PLAN", help="What `invoke --plan --out PLAN` wrote.")],
    *,
    fleet: FleetFile = None,
    live: Live = False,
    yes: Yes = False,
    as_json: AsJson = False,
    full: Full = False,
    out: Out = None,
    log: LogFile = None,
) -> None:
    """Stop what a saved plan would stop, decided anew, and nothing else."""

    def run() -> ExitCode:
        from local.command_line.apply import apply
        from local.command_line.invoke import Options
        from local.command_line.settings import machine_settings

        options = Options(
            plan=False,
            live=live,
            yes=yes,
            as_json=as_json,
            full=full,
            out=out,
            log=log,
            fleet=fleet,
            faults=(),
            can_ask=True,
        )
        return apply(plan, machine_settings(), options)

    _end_with(run)


@app.command()
def undo(
    file: Annotated[
        list[str], typer.Argument(metavar="FILE...", help="Logs or reports of runs; - for standard input.")
    ],
    *,
    live: Live = False,
    yes: Yes = False,
) -> None:
    """Say what runs stopped and nobody has started since; with --live start it again, after a question."""

    def run() -> ExitCode:
        from local.command_line.settings import machine_settings
        from local.command_line.undo import undo

        return undo(file, machine_settings(), live=live, yes=yes)

    _end_with(run)


@app.command()
def check(
    template: Annotated[Path, typer.Argument(help="The template, or your own file that extends it.")] = Path(
        "template.yml"
    ),
) -> None:
    """Say whether a template is what it seems, and when its timers fire and what they ask for.

    Misspelt names, values that Function Compute would refuse, settings that contradict each other.
    """

    def run() -> ExitCode:
        from local.command_line.check import check_template

        return check_template(template)

    _end_with(run)


@app.command()
def explain(
    event: EventFile,
    *,
    instance: Annotated[str | None, typer.Option(help="Only the calls about this instance.")] = None,
    fleet: FleetFile = None,
) -> None:
    """Show each call that a run would make: parameters, signature, aliyun command line, sample code.

    The code calls the region's own endpoints, or what ECS_ENDPOINT and the like say.
    """

    def run() -> ExitCode:
        from local.command_line.event_file import read_event
        from local.command_line.explain import show_calls

        return show_calls(read_event(event), instance_id=instance, fleet=fleet)

    _end_with(run)


app.command()(savings)


@app.command()
def emulator(
    *,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(min=0, max=65_535, help="The port to listen on; 0: a free one.")
    ] = 8014,
    fleet: FleetFile = None,
    fault: Faults = None,
    tls: Annotated[
        Path | None,
        typer.Option(metavar="CA_FILE", help="Speak HTTPS; its certificate's issuer goes to this file."),
    ] = None,
    reset: Annotated[bool, typer.Option("--reset", help="Have the one that runs there start anew.")] = False,
) -> None:
    """Serve the local ECS over HTTP until stopped, and STS for the accounts of its fleet.

    Its key is id emulator, secret emulator, unless the environment names another in ALIBABA_CLOUD_*.
    """

    def run() -> ExitCode:
        from local.command_line.emulator import reset_ecs, serve_ecs

        if reset:
            reset_ecs(host, port, ca_file=tls)
        else:
            serve_ecs(host, port, fleet=fleet, faults=fault or [], ca_file=tls)
        return ExitCode.COMPLETE

    _end_with(run)


def _end_with(command: Callable[[], ExitCode]) -> NoReturn:
    """End the process with what the command comes to; with a word to a person, and never with a trace."""
    try:
        code = command()
        sys.stdout.flush()
    except CommandError as error:
        _say(str(error))
        code = error.code
    except KeyboardInterrupt:
        _say("Interrupted.")
        code = ExitCode.INTERRUPTED
    except OSError as error:
        code = _unwritten(error)
    raise SystemExit(code)


def _unwritten(error: OSError) -> ExitCode:
    """Say that the output can't be written; nothing to somebody who closed the pipe."""
    os.dup2(
        os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno()
    )  # else Python complains once more at its end
    if error.errno == errno.EPIPE:
        return ExitCode.CLOSED_PIPE
    _say(f"cannot write: {error.strerror}")
    return ExitCode.LEFT


def _say(message: str) -> None:
    from local.command_line.display import complain

    complain(message)


def main() -> None:
    """Run the command line. A character that the terminal's encoding lacks must not cost the report."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    app()
