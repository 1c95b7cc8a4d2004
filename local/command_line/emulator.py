"""`stop-guard emulator`: serves the local ECS until it is stopped."""

import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from threading import Event

from local.command_line.drill import read_faults
from local.command_line.exit_codes import CommandError
from local.command_line.fleets import open_fleet
from local.command_line.rehearsal import LOCAL_KEY
from local.emulator.backend import LocalEcs
from local.emulator.keys import KeyPair
from local.emulator.server import serve


def serve_ecs(host: str, port: int, *, fleet: Path | None, faults: Sequence[str]) -> None:
    """Serve it. Raise CommandError."""
    own = {**LOCAL_KEY, **os.environ}
    key = KeyPair(
        access_key_id=own["ALIBABA_CLOUD_ACCESS_KEY_ID"],
        access_key_secret=own["ALIBABA_CLOUD_ACCESS_KEY_SECRET"],
        security_token=own.get("ALIBABA_CLOUD_SECURITY_TOKEN", ""),
    )
    ecs = LocalEcs(open_fleet(fleet), faults=read_faults(faults))
    try:
        with serve(ecs, host=host, port=port, credentials=key) as endpoint, suppress(KeyboardInterrupt):
            print(f"listening on {endpoint}", flush=True)
            Event().wait()
    except OSError as error:
        raise CommandError(f"cannot listen on {host}:{port}: {error.strerror}") from None
