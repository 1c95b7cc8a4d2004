"""The command `stop-guard`, from its first line on: Ctrl-C ends it quietly, also while it loads."""

from local.command_line.interrupts import end_at_once


def main() -> None:
    """Run the command line."""
    end_at_once()
    from local.command_line.commands import run  # noqa: PLC0415 - it takes most of a start

    run()
