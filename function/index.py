"""The entry points that Function Compute calls: `index.initialize` and `index.handler`."""

import gc
import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache


@contextmanager
def _uncollected() -> Iterator[None]:
    """Look for no garbage meanwhile, nor ever in what is there by the end: modules stay as they are.

    That search is a twelfth of a start's instructions (callgrind, an import and a dry run over HTTP).
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


with _uncollected():
    from function.cloud.runtime import system_ports
    from function.invocation import FcContext, FunctionInstance


@cache
def _function_instance() -> FunctionInstance:
    """Read the settings once per function instance; FC starts a new one where the environment changes."""
    return FunctionInstance.prepare(os.environ)


def initialize(_context: object) -> None:
    """Prepare the function; a wrong setting stops it here."""
    _function_instance()


def handler(event: bytes, context: FcContext) -> dict[str, object]:
    """Handle one event; where no initializer is configured, prepare at the first."""
    return _function_instance().invoke(event, context, os.environ, system_ports())
