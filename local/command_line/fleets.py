"""The fleet that a command names, else the sample."""

from pathlib import Path

from local.command_line.exit_codes import CommandError
from local.emulator.fleet import Fleet, InvalidFleet
from local.emulator.fleet_file import load_fleet, sample_fleet


def open_fleet(path: Path | None) -> Fleet:
    """Read it. Raise CommandError."""
    try:
        return sample_fleet() if path is None else load_fleet(path)
    except InvalidFleet as error:
        raise CommandError(f"fleet file {error}") from None
