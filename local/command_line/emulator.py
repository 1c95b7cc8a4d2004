"""`stop-guard emulator`: serves the local ECS until it is stopped, or has one that runs start anew."""

import os
from collections.abc import Sequence
from pathlib import Path
from urllib.error import URLError

from local.command_line.drill import read_faults
from local.command_line.exit_codes import CommandError
from local.command_line.fleets import open_fleet
from local.command_line.interrupts import Interruptible
from local.emulator.standalone import reset_running, run


def serve_ecs(
    host: str, port: int, *, fleet: Path | None, faults: Sequence[str], ca_file: Path | None = None
) -> None:
    """Serve it, over TLS with a file for its certificate's issuer. Raise CommandError."""
    instances, script = open_fleet(fleet), read_faults(faults)
    try:
        with Interruptible():
            run(instances, script, host=host, port=port, ca_file=ca_file)
    except OSError as error:
        raise CommandError(f"cannot listen on {host}:{port}: {_reason(error)}") from None


def reset_ecs(host: str, port: int, *, ca_file: Path | None = None) -> None:
    """Have the one that runs there start anew. Raise CommandError."""
    try:
        reset_running(host, port, ca_file)
    except OSError as error:
        raise CommandError(f"nothing to reset at {host}:{port}: {_reason(error)}") from None


def _reason(error: OSError) -> str:
    """Give the system's own word, without what Python and urllib say around it."""
    inner = error.reason if isinstance(error, URLError) else error
    if not isinstance(inner, OSError) or not inner.errno:
        return str(inner)
    return (
        os.strerror(inner.errno) if inner.errno > 0 else "no such host is known"
    )  # getaddrinfo's are below 0
