"""The options that several commands share."""

from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import wraps
from inspect import Parameter, signature
from pathlib import Path
from typing import Annotated

import typer

EventFile = Annotated[str, typer.Argument(metavar="EVENT", help="An event file; - for standard input.")]
MaybeEventFile = Annotated[
    str | None, typer.Argument(metavar="EVENT", help="An event file; - for standard input.")
]
FleetFile = Annotated[
    Path | None, typer.Option(metavar="FILE", help="A saved DescribeInstances answer for the local ECS.")
]
Faults = Annotated[
    list[str] | None,
    typer.Option(
        metavar="FAULT",
        help="What goes wrong in the local ECS, e.g. StopInstance:2=InternalError; may be repeated.",
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
TemplateFile = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Settings as this template deploys them, not this machine's."),
]


_LAST_PORT = 65_535


def _port(text: str | int) -> int:
    number = str(text)
    if not (number.isascii() and number.isdigit() and int(number[:6]) <= _LAST_PORT):
        raise typer.BadParameter(f"{number[:20]!r} is no port; it goes to {_LAST_PORT}, and 0 is a free one")
    return int(number)


Port = Annotated[
    int, typer.Option(parser=_port, metavar="PORT", help="The port to listen on; 0: a free one.")
]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """The options of all that runs the function."""

    fleet: FleetFile = None
    live: Live = False
    yes: Yes = False
    as_json: AsJson = False
    full: Full = False
    out: Out = None
    log: LogFile = None


def spread(command: Callable[..., None]) -> Callable[..., None]:
    """Give typer each field of a command's `options` as an option of the command's own."""
    own = signature(command)
    shared = [
        Parameter(one.name, Parameter.KEYWORD_ONLY, default=one.default, annotation=one.type)
        for one in fields(RunOptions)
    ]

    @wraps(command)
    def called(**given: object) -> None:
        options = RunOptions(**{one.name: given.pop(one.name) for one in shared})  # type: ignore[arg-type]  # as typer has read them
        command(**given, options=options)

    parameters = [one for one in own.parameters.values() if one.name != "options"] + shared
    called.__signature__ = own.replace(parameters=parameters)  # type: ignore[attr-defined]  # what inspect goes by
    called.__annotations__ = {one.name: one.annotation for one in parameters}
    return called
