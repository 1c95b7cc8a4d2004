"""The local cloud on a port: ECS and STS, FC's API, the page; and FC's HTTP trigger at a port of its own."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from ssl import SSLContext

from local.emulator.application import Application
from local.emulator.backend import LocalEcs, utc_now
from local.emulator.deployment import Deployment
from local.emulator.functions import LocalFunctions
from local.emulator.http_events import HttpTrigger
from local.emulator.http_server import listen
from local.emulator.invocations import Invoke
from local.emulator.keys import KeyPair
from local.emulator.page import WebPage


@contextmanager
def serve(
    ecs: LocalEcs,
    functions: LocalFunctions | None = None,
    deployment: Deployment | None = None,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    credentials: KeyPair | None = None,
    clock: Callable[[], datetime] = utc_now,
    tls: SSLContext | None = None,
) -> Iterator[str]:
    """Serve the local ECS in threads of its own; yield `http://HOST:PORT`. `port` 0: a free one.

    STS is at the same port, FC with `functions`, and with `deployment` what `stop-guard check --live` asks:
    the one endpoint is for all. With `tls`, such as
    `local.emulator.tls` makes, it is `https://…`.
    `clock` says whether a request's time is fresh. It isn't the fleet's `now`: the SDKs stamp their requests
    with the clock on the wall. Raise OSError if the port is taken.
    """
    key = credentials or KeyPair()
    api = Application(ecs, key, clock, functions, deployment)
    with listen(host, port, WebPage(api, ecs, key, clock), api.refused, tls=tls) as endpoint:
        yield endpoint


@contextmanager
def serve_http_trigger(
    invoke: Invoke, *, host: str = "127.0.0.1", port: int = 0, clock: Callable[[], datetime] = utc_now
) -> Iterator[str]:
    """Serve the HTTP trigger of a function, whose URL is yielded; `clock` is FC's own."""
    trigger = HttpTrigger(invoke, clock)
    with listen(host, port, trigger, trigger.refused) as url:
        yield url
