"""How `stop-guard` ends: its exit codes, and the error that ends it with one of them."""

from enum import IntEnum

from local.command_line.interrupts import INTERRUPTED


class ExitCode(IntEnum):
    """What a shell or a pipeline goes by."""

    COMPLETE = 0
    """The run is complete; refused instances are complete too."""
    LEFT = 1
    """Something is left, or what was found could not be written."""
    WRONG = 2
    """The event, a file, a setting or the usage is wrong; or nobody could be asked."""
    REFUSED = 3
    """The event was refused as a whole."""
    DECLINED = 4
    """The question was answered no."""
    INTERRUPTED = INTERRUPTED
    """Ended by the keyboard, as shells say it."""
    CLOSED_PIPE = 141
    """Nobody reads the output any more, as shells say it of other programs."""


class Ended(Exception):  # noqa: N818 - it is what a person wanted
    """Ctrl-C ended the command, and all that is to be said of it has been said."""


class CommandError(Exception):
    """The command can't go on. The message says what is wrong, with which value, and what would be right."""

    def __init__(self, message: str, code: ExitCode = ExitCode.WRONG) -> None:
        super().__init__(message)
        self.code = code
