"""The entry points that Function Compute calls: `index.initialize` and `index.handler`."""

import os
from functools import cache

from function.cloud.runtime import system_ports
from function.invocation import Context, Function


@cache
def _function() -> Function:
    """Read the settings once per function instance; FC starts a new one where the environment changes."""
    return Function.prepare(os.environ)


def initialize(_context: object) -> None:
    """Prepare the function; a wrong setting stops it here."""
    _function()


def handler(event: bytes, context: Context) -> dict[str, object]:
    """Handle one event; where no initializer is configured, prepare at the first."""
    return _function().invoke(event, context, os.environ, system_ports())
