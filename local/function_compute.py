"""A local Function Compute: calls the function as FC does, and reports what came of it as FC does."""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from uuid import uuid4

from function.cloud.runtime import system_ports
from function.events.parse import Delivery
from function.invocation import Function
from function.model.credentials import Credentials
from function.model.ports import Ports
from local.emulator.functions import Answer

ACCOUNT_ID = "1234567890123456"


class Runtime(StrEnum):
    """The two kinds of context there are."""

    PYTHON_3_10 = "python3.10"
    PYTHON_3_12 = "python3.12"


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionContext:
    """`context.function`: memory in MB, timeout in seconds."""

    name: str = "stop-guard"
    handler: str = "index.handler"
    memory: int = 128
    timeout: int = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """The context of FC's Python 3.12 runtime: no credentials in it."""

    request_id: str
    region: str
    account_id: str = ACCOUNT_ID
    function: FunctionContext = FunctionContext()


@dataclass(frozen=True, slots=True, kw_only=True)
class ContextWithCredentials(Context):
    """The context of FC's runtimes up to Python 3.10."""

    credentials: Credentials


@dataclass(slots=True, kw_only=True)
class FunctionCompute:
    """One instance of the function: initialized once, at its first invocation.

    `environment` is all that the function sees of the machine: credentials, region and settings.
    `account_id`: empty where nobody knows whose account it is.
    """

    environment: Mapping[str, str]
    runtime: Runtime = Runtime.PYTHON_3_12
    timeout: int = 300
    account_id: str = ACCOUNT_ID
    ports: Ports = field(default_factory=system_ports)
    _function: Function | None = None

    def invoke(self, event: bytes) -> Answer:
        """Invoke the function; its exceptions become part of the answer, those of `initialize` too."""
        return self._answer(
            lambda function: function.invoke(event, self._context(), self.environment, self.ports)
        )

    def handle(self, delivery: Delivery) -> Answer:
        """Let the function handle what an event was understood as, likewise."""
        started = self.ports.clock.monotonic()
        return self._answer(
            lambda function: function.handle(
                delivery, self._context(), self.environment, self.ports, started=started
            )
        )

    def _answer(self, call: Callable[[Function], Mapping[str, object]]) -> Answer:
        with _environment(self.environment):
            try:
                if self._function is None:
                    self._function = Function.prepare(self.environment)
                return Answer(returned=call(self._function))
            except Exception as error:  # noqa: BLE001 - FC reports whatever the handler raises
                return Answer(error=error)

    def _context(self) -> Context:
        request_id = str(uuid4())
        region = self.environment.get("FC_REGION", "")
        function = FunctionContext(timeout=self.timeout)
        if self.runtime is Runtime.PYTHON_3_12:
            return Context(
                request_id=request_id, region=region, account_id=self.account_id, function=function
            )
        return ContextWithCredentials(
            request_id=request_id,
            region=region,
            account_id=self.account_id,
            function=function,
            credentials=Credentials.read(None, self.environment),
        )


@contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    """Replace the process's whole environment, as the SDK reads some of it (proxies, DEBUG) by itself."""
    before = dict(os.environ)
    try:
        os.environ.clear()
        os.environ.update(variables)
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
