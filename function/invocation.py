"""One invocation by Function Compute: from its event and context to what it returns or raises."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import inf
from typing import Protocol, Self

from function.events.http_trigger import Rejection
from function.events.parse import Delivery, parse
from function.model.credentials import ContextCredentials, Credentials, Redactor
from function.model.instance import LocalDisks
from function.model.outcome import INVALID_EVENT, Refusal
from function.model.ports import Ports
from function.model.request import InvalidEvent
from function.model.scope import Scope
from function.reporting.fields import report_fields
from function.reporting.log import Log
from function.reporting.report import Report
from function.reporting.summary import first_few, what_is_left
from function.run import run
from function.settings import InvalidSettings, Settings
from function.stopping.context import InvocationContext

END_SECONDS = 1.5
"""The run ends this long before FC's timeout: a second that the contract promises, and time to return."""

HTTP_SECONDS = 3.5
"""A run over HTTP ends by then, so that its answer goes out within 4 s: CloudMonitor and ARMS wait for 5
(their pages about callbacks and webhooks), and a cold start comes before it."""


class FunctionMeta(Protocol):
    """`context.function`, by its name in FC's runtime."""

    @property
    def name(self) -> str:
        """The function's own name."""
        ...

    @property
    def timeout(self) -> int:
        """Seconds after which FC ends the invocation."""
        ...


class FcContext(Protocol):
    """What the handler needs of FC's context; up to Python 3.10 it may also have `credentials`."""

    @property
    def request_id(self) -> str:
        """FC's id of this invocation."""
        ...

    @property
    def region(self) -> str:
        """The function's own region."""
        ...

    @property
    def account_id(self) -> str:
        """The function's own account."""
        ...

    @property
    def function(self) -> FunctionMeta:
        """The function's configuration."""
        ...


class StopIncomplete(Exception):  # noqa: N818 - the name that FC reports, fixed by the contract
    """Something is left: the message says what, in a line. FC retries the event, if it was asynchronous."""

    def __init__(self, message: str, report: Mapping[str, object]) -> None:
        super().__init__(message)
        self.report = report


@dataclass(slots=True)
class FunctionInstance:
    """What one instance of the function keeps between invocations: the settings, and what it learns."""

    settings: Settings
    known_types: dict[str, LocalDisks] = field(default_factory=dict)
    """What ECS has said of instance types so far; only `handle` adds to it, after each run."""

    @classmethod
    def prepare(cls, environment: Mapping[str, str]) -> Self:
        """Read the settings; raises `InvalidSettings`."""
        return cls(Settings.from_environment(environment))

    def invoke(
        self, event: bytes, context: FcContext, environment: Mapping[str, str], ports: Ports
    ) -> dict[str, object]:
        """Handle one event.

        Returns the report, or the HTTP answer where the event came over an HTTP trigger. Raises
        `StopIncomplete` if something is left, else `InvalidEvent` if an event could not be understood;
        over HTTP neither.
        """
        started = ports.clock.monotonic()
        token = self.settings.alarm_token
        delivery = parse(
            event,
            now=ports.clock.now(),
            alarm_token=None if token is None else token.get_secret_value(),
            redact=self._redactor(_credentials(context, environment)),
        )
        return self.handle(delivery, context, environment, ports, started=started)

    def _redactor(self, credentials: Credentials) -> Redactor:
        token = self.settings.alarm_token
        return Redactor([*credentials.secrets(), *([token.get_secret_value()] if token else [])])

    def handle(
        self,
        delivery: Delivery,
        context: FcContext,
        environment: Mapping[str, str],
        ports: Ports,
        *,
        started: float,
    ) -> dict[str, object]:
        """Handle what an event was understood as; `started`: when that began. Otherwise as `invoke`."""
        credentials = _credentials(context, environment)
        redact = self._redactor(credentials)
        if delivery.rejection:
            return _rejected(delivery.rejection, context, ports, redact)
        invocation = InvocationContext(
            request_id=context.request_id,
            function_name=context.function.name,
            own=Scope(region_id=_own_region(context, self.settings), account_id=context.account_id or None),
            credentials=credentials,
            settings=self.settings,
            ports=ports,
            deadline=started
            + min(context.function.timeout - END_SECONDS, HTTP_SECONDS if delivery.http else inf),
            redact=redact,
            over_http=delivery.http,
        )
        report, types = run(delivery.events, invocation, self.known_types)
        self.known_types.update(types)
        answer = _http_answer if delivery.http else _answer
        return answer(report, redact)


def _own_region(context: FcContext, settings: Settings) -> str:
    region = context.region or settings.fc_region
    if not region:
        raise InvalidSettings(
            "FC_REGION: neither it nor the context names the function's own region; "
            "right would be FC_REGION=cn-hangzhou"
        )
    return region


def _credentials(context: FcContext, environment: Mapping[str, str]) -> Credentials:
    own: ContextCredentials | None = getattr(context, "credentials", None)
    return Credentials.read(own, environment)


def _answer(report: Report, redact: Redactor) -> dict[str, object]:
    shown = _shown(report, redact)
    invalid = first_few([refusal.message for refusal in report.invalid], "; ")
    if not report.complete:
        text = what_is_left(report) + (f"; and not understood: {invalid}" if invalid else "")
        raise StopIncomplete(redact.text(text), shown)
    if invalid:
        first = report.invalid[0]
        raise InvalidEvent(redact.text(invalid), source=first.source, event_id=first.event_id, report=shown)
    return shown


def _shown(report: Report, redact: Redactor) -> dict[str, object]:
    """Give the report as JSON has it, with its summary, and without secrets."""
    return {
        name: [redact.value(each) for each in value] if isinstance(value, list) else redact.value(value)
        for name, value in report_fields(report).items()
    }


def _http_answer(report: Report, redact: Redactor) -> dict[str, object]:
    shown = _shown(report, redact)
    if not report.complete:
        return _http(500, shown)
    if not report.invalid:
        return _http(202 if report.handed_on else 200, shown)
    message = redact.text(first_few([refusal.message for refusal in report.invalid], "; "))
    others = len(report.refusals) > len(report.invalid) or report.outcomes
    return _http(400, {**(shown if others else {}), "code": INVALID_EVENT, "message": message})


def _rejected(rejection: Rejection, context: FcContext, ports: Ports, redact: Redactor) -> dict[str, object]:
    """Answer what came over HTTP and was not even read."""
    refusal = Refusal(source=None, event_id=None, code=rejection.code, message=rejection.message)
    report = Report(
        request_id=context.request_id,
        time=ports.clock.now(),
        account_id=context.account_id or None,
        source=None,
        event_id=None,
        dry_run=False,
        refusals=(refusal,),
    )
    log = Log(context.request_id, ports.clock.now, ports.write, redact)
    log.result(refusal)
    log.summary(report)
    return _http(rejection.status_code, {"code": refusal.code, "message": refusal.message})


def _http(status_code: int, body: Mapping[str, object]) -> dict[str, object]:
    return {
        "statusCode": status_code,
        "headers": {"Content-Type": "application/json"},
        "body": json.dumps(body),
    }
