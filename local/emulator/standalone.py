"""The local ECS as a server of its own: runs until stopped, and is reset from outside."""

import os
import ssl
import urllib.request
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from threading import Event

from local.emulator.backend import LocalEcs
from local.emulator.deployment import Deployment
from local.emulator.faults import Fault
from local.emulator.fleet import Fleet
from local.emulator.keys import KeyPair
from local.emulator.server import serve

DEFAULT_PORT = 8014
"""None of those that development servers commonly take."""

_TIMEOUT_SECONDS = 10
"""For a call on the same machine: whoever is silent for longer will stay so."""


def run(
    fleet: Fleet, faults: Sequence[Fault] = (), *, host: str, port: int, ca_file: Path | None = None
) -> None:
    """Serve the fleet until Ctrl-C; say on standard output where. Raise OSError where it can't listen.

    The key is the one in ALIBABA_CLOUD_*, else `emulator`. With `ca_file` it speaks TLS, with a certificate
    whose issuer's goes there.
    """
    usual = KeyPair()
    key = KeyPair(
        access_key_id=os.environ.get("ALIBABA_CLOUD_ACCESS_KEY_ID", usual.access_key_id),
        access_key_secret=os.environ.get("ALIBABA_CLOUD_ACCESS_KEY_SECRET", usual.access_key_secret),
        security_token=os.environ.get("ALIBABA_CLOUD_SECURITY_TOKEN", usual.security_token),
    )
    tls = None if ca_file is None else _tls(ca_file, host)
    ecs = LocalEcs(fleet, faults=faults)
    # Nothing is deployed there: `stop-guard check --live` says of all that it is missing.
    serving = serve(ecs, None, Deployment(), host=host, port=port, credentials=key, tls=tls)
    with serving as endpoint, suppress(KeyboardInterrupt):
        print(f"listening on {endpoint}", flush=True)
        Event().wait()


def reset_running(host: str, port: int, ca_file: Path | None = None) -> None:
    """Have the server there start anew; `ca_file` as it was started with. Raise OSError if none answers."""
    scheme = "http" if ca_file is None else "https"
    url = f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}/reset"
    # Proxies of the environment are not for this machine.
    context = None if ca_file is None else ssl.create_default_context(cafile=ca_file)
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context)
    )
    with opener.open(urllib.request.Request(url, method="POST"), timeout=_TIMEOUT_SECONDS):  # noqa: S310 - http(s)
        pass


def _tls(ca_file: Path, host: str) -> ssl.SSLContext:
    """Make the certificate; cryptography is needed for that alone, and is an extra."""
    try:
        from local.emulator.tls import THIS_MACHINE, make_tls  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise OSError(f"TLS needs the package cryptography ({error}); install local-ecs[tls]") from error
    return make_tls(ca_file, dict.fromkeys((*THIS_MACHINE, host)))
