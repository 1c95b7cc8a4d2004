"""How a command ends its process: with a code, and a word to a person where something is wrong."""

import errno
import os
import sys
from collections.abc import Callable
from typing import NoReturn

from local.command_line.exit_codes import CommandError, Ended, ExitCode


def end_with(command: Callable[[], ExitCode]) -> NoReturn:
    """End the process with what the command comes to; with a word to a person, and never with a trace."""
    try:
        code = command()
        sys.stdout.flush()
    except CommandError as error:
        _complain(str(error))
        code = error.code
    except Ended:
        code = ExitCode.INTERRUPTED
    except KeyboardInterrupt:
        _complain("Interrupted.")
        code = ExitCode.INTERRUPTED
    except OSError as error:
        code = unwritten(error)
    if code is ExitCode.INTERRUPTED:
        sys.stdout.flush()
        os._exit(code)  # without waiting for calls under way: nobody wants to hear of them any more
    raise SystemExit(code)


def open_streams() -> None:
    """Have three streams, whichever of them the shell has closed: Python has None in the place of one."""
    while (number := os.open(os.devnull, os.O_RDWR)) <= 2:  # noqa: PLR2004 - standard error's number
        pass
    os.close(number)
    for name, number, mode in (("stdin", 0, "r"), ("stdout", 1, "w"), ("stderr", 2, "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(number, mode, encoding="utf-8"))


def unwritten(error: OSError) -> ExitCode:
    """Say that the output can't be written; nothing to somebody who closed the pipe."""
    # Else Python, which flushes once more at its end, complains of the same again.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    if error.errno == errno.EPIPE:
        return ExitCode.CLOSED_PIPE
    _complain(f"cannot write: {error.strerror}")
    return ExitCode.LEFT


def _complain(text: str) -> None:
    from local.command_line.display import complain  # noqa: PLC0415 - rich, only where there is a word to say

    complain(text)
