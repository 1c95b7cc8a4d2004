"""The commands of `stop-guard` with their options. What each does stands in its own module.

A command loads its module when it is called, so that each starts in a fraction of a second.
"""

import io
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer

from local.command_line.ending import end_with, open_streams, unwritten
from local.command_line.exit_codes import CommandError, ExitCode
from local.command_line.options import (
    EventFile,
    Faults,
    FleetFile,
    Live,
    MaybeEventFile,
    Port,
    RunOptions,
    TemplateFile,
    Yes,
    spread,
)

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
@spread
def invoke(
    event: MaybeEventFile = None,
    *,
    plan: Annotated[bool, typer.Option("--plan", help="Dry run: stop nothing.")] = False,
    template: TemplateFile = None,
    trigger: Annotated[
        str | None, typer.Option(metavar="NAME", help="With --template, for EVENT: what this timer sends.")
    ] = None,
    fault: Faults = None,
    options: RunOptions,
) -> None:
    """Run the function on an event: on a local ECS, or with --live in the real cloud.

    In the real cloud it shows its plan, asks, and stops only what the plan showed.
    """

    def run() -> ExitCode:
        from local.command_line.event_file import event_or_payload
        from local.command_line.invoke import invoke
        from local.command_line.settings import settings_of

        settings, function = settings_of(template)
        delivered = event_or_payload(event, function, trigger)
        return invoke(delivered, settings, options, plan=plan, faults=fault or (), can_ask=event != "-")

    end_with(run)


@app.command()
@spread
def apply(
    plan: Annotated[Path, typer.Argument(metavar="PLAN", help="What `invoke --plan --out PLAN` wrote.")],
    *,
    options: RunOptions,
) -> None:
    """Stop what a saved plan would stop, decided anew, and nothing else."""

    def run() -> ExitCode:
        from local.command_line.apply import apply
        from local.command_line.settings import machine_settings

        return apply(plan, machine_settings(), options)

    end_with(run)


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

    end_with(run)


@app.command()
def check(
    template: Annotated[Path, typer.Argument(help="The template, or your own file that extends it.")] = Path(
        "template.yml"
    ),
    *,
    live: Annotated[
        bool, typer.Option("--live", help="Ask the cloud, too: may the role do what it must?")
    ] = False,
) -> None:
    """Say whether a template is what it seems, and when its timers fire and what they ask for.

    Misspelt names, values that Function Compute would refuse, settings that contradict each other.
    """

    def run() -> ExitCode:
        from local.command_line.check import check_template

        return check_template(template, live=live)

    end_with(run)


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

    end_with(run)


@app.command()
def savings(
    log: Annotated[
        list[str],
        typer.Argument(metavar="FILE...", help="Logs or reports, also packed by gzip; - for standard input."),
    ],
    *,
    by: Annotated[str, typer.Option(metavar="day|type|tag:KEY", help="What to group by.")] = "day",
    zone: Annotated[str, typer.Option(metavar="ZONE", help="Whose days: Asia/Shanghai, +08:00, ...")] = "UTC",
    plot: Annotated[Path | None, typer.Option(metavar="FILE", help="Draw it: .svg or .png.")] = None,
    prices: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help='What an hour costs: {"currency": "CNY", "ecs.g6.large": 0.5}.'),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Add up, from logs and reports, the hours that StopCharging saved.

    A stop counts until the instance's next start that they show, else until it was last seen.
    """

    def run() -> ExitCode:
        from local.command_line.savings import add_up_savings

        return add_up_savings(log, by=by, zone=zone, plot=plot, prices=prices, as_json=as_json)

    end_with(run)


@app.command()
def emulator(
    *,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Port = 8014,
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

        if reset and (fleet is not None or fault):
            raise CommandError("--reset starts anew what runs there, with its own fleet; leave the rest away")
        if reset:
            reset_ecs(host, port, ca_file=tls)
        else:
            serve_ecs(host, port, fleet=fleet, faults=fault or [], ca_file=tls)
        return ExitCode.COMPLETE

    end_with(run)


def run() -> None:
    """Run the command line. A character that the terminal's encoding lacks must not cost the report."""
    open_streams()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        try:
            app()
        finally:
            sys.stdout.flush()  # what typer itself has printed, too
    except OSError as error:
        raise SystemExit(unwritten(error)) from None
