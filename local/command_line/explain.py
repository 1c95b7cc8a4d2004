"""`stop-guard explain`: shows each call that a run would make."""

import os
from pathlib import Path

import typer

from function.settings import InvalidSettings, Settings
from local.command_line import display
from local.command_line.event_file import EventFile
from local.command_line.execution import Run
from local.command_line.exit_codes import CommandError, ExitCode
from local.command_line.explanation import NotMeant, explain
from local.command_line.fleets import open_fleet
from local.command_line.playback import play


def show_calls(event: EventFile, *, instance_id: str | None, fleet: Path | None) -> ExitCode:
    """Play the event and print what it called. Raise CommandError."""
    try:
        settings = Settings.from_environment(os.environ)
    except InvalidSettings as error:
        raise CommandError(f"InvalidSettings: {error}") from None
    recording = play(event.content, open_fleet(fleet))
    try:
        if recording.calls or recording.answers[0].error is None:
            for block in explain(recording, instance_id=instance_id, settings=settings):
                typer.secho(f"{block}\n", bold=block.startswith("#") or None)
    except NotMeant as error:
        raise CommandError(f"--instance: {error}") from None
    for answer in recording.answers:
        if answer.error is not None:
            display.complain(f"{type(answer.error).__name__}: {event.explained(str(answer.error))}")
    return Run(recording.answers, ()).exit_code
