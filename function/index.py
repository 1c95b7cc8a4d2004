"""The entry points that Function Compute calls: `index.initialize` and `index.handler`."""

import os

from function.cloud.runtime import system_ports
from function.invocation import Context, Function

_prepared: list[Function] = []


def initialize(_context: object) -> None:
    """Read the settings once per function instance; a wrong one stops it here."""
    _prepared[:] = [Function.prepare(os.environ)]


def handler(event: bytes, context: Context) -> dict[str, object]:
    """Handle one event; where no initializer is configured, prepare at the first."""
    if not _prepared:
        initialize(context)
    return _prepared[0].invoke(event, context, os.environ, system_ports())
