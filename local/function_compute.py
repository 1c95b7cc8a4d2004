"""A local Function Compute: calls the function as FC does, and reports what came of it as FC does."""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from enum import StrEnum
from threading import Event, RLock
from uuid import uuid4

from function.cloud.runtime import system_ports
from function.events.parse import Delivery
from function.invocation import FunctionInstance
from function.model.credentials import Credentials
from function.model.ports import Ports
from local.emulator.invocations import Answer, InstanceStopped, error_record, serialize
from local.stoppable import stoppable

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


_Handler = Callable[[FunctionInstance, Context, Ports], Mapping[str, object]]


@dataclass(slots=True, kw_only=True)
class FunctionCompute:
    """One instance of the function: initialized once, at its first invocation.

    `environment` is all that the function sees of the machine: credentials, region and settings.
    `account_id`: empty where nobody knows whose account it is.
    `log`: takes what FC's log gets of each invocation: its own lines, and the function's between them.
    """

    environment: Mapping[str, str]
    runtime: Runtime = Runtime.PYTHON_3_12
    timeout: int = 300
    account_id: str = ACCOUNT_ID
    ports: Ports = field(default_factory=system_ports)
    log: Callable[[str], None] = lambda _line: None
    _function: FunctionInstance | None = None

    def invoke(self, event: bytes, stopped: Event | None = None) -> Answer:
        """Invoke the function; its exceptions become part of the answer, those of `initialize` too.

        Once `stopped` is set FC has stopped the instance: raise InstanceStopped, wherever it is.
        """
        return self._answer(
            lambda function, context, ports: function.invoke(event, context, self.environment, ports), stopped
        )

    def handle(self, delivery: Delivery) -> Answer:
        """Let the function handle what an event was understood as, likewise."""
        started = self.ports.clock.monotonic()
        return self._answer(
            lambda function, context, ports: function.handle(
                delivery, context, self.environment, ports, started=started
            )
        )

    def _answer(self, call: _Handler, stopped: Event | None = None) -> Answer:
        with _environment(self.environment):
            ports = self._ports(stopped)
            context = self._context()
            try:
                if self._function is None:
                    with self._logged("Initialize", context.request_id):
                        self._function = FunctionInstance.prepare(self.environment)
                with self._logged("Invoke", context.request_id):
                    return Answer(returned=call(self._function, context, ports))
            except InstanceStopped:
                self._function = None
                raise
            except Exception as error:  # noqa: BLE001 - FC reports whatever the handler raises
                return Answer(error=_without_frames_of_fc(error))

    def _ports(self, stopped: Event | None) -> Ports:
        def write(line: str) -> None:
            self.ports.write(line)
            self.log(line)

        ports = replace(self.ports, write=write)
        return ports if stopped is None else stoppable(ports, stopped)

    @contextmanager
    def _logged(self, what: str, request_id: str) -> Iterator[None]:
        """Write FC's own lines around a call, and the record of the exception that leaves it."""
        self.log(f"FC {what} Start RequestId: {request_id}")
        try:
            yield
        except Exception as error:
            time = self.ports.clock.now().isoformat(timespec="milliseconds").replace("+00:00", "Z")
            record = serialize(error_record(_without_frames_of_fc(error)))
            self.log(f"{time} {request_id} [ERROR] {record}")
            self.log(f"FC {what} End RequestId: {request_id}, Error: Unhandled function error")
            raise
        self.log(f"FC {what} End RequestId: {request_id}")

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


def _without_frames_of_fc(error: Exception) -> Exception:
    """Drop the frames of this module, as FC drops those of its bootstrap."""
    frame = error.__traceback__
    while frame is not None and frame.tb_frame.f_code.co_filename == __file__:
        frame = frame.tb_next
    return error.with_traceback(frame)


_ENVIRONMENT = RLock()
"""The process has one environment: an invocation that is still ending keeps the next one waiting."""


@contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    """Replace the process's whole environment, as the SDK reads some of it (proxies, DEBUG) by itself."""
    with _ENVIRONMENT:
        before = dict(os.environ)
        try:
            os.environ.clear()
            os.environ.update(variables)
            yield
        finally:
            os.environ.clear()
            os.environ.update(before)
