"""The options that several commands share."""

from pathlib import Path
from typing import Annotated

import typer

EventFile = Annotated[str, typer.Argument(metavar="EVENT", help="An event file; - for standard input.")]
MaybeEventFile = Annotated[
    str | None, typer.Argument(metavar="EVENT", help="An event file; - for standard input.")
]
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
TemplateFile = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Settings as this template deploys them, not this machine's."),
]
