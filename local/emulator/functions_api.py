"""FC's API as far as it is played: InvokeFunction at its path, signed as every call, answered as FC does."""

import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

from werkzeug.wrappers import Response

from local.api.answers import JSON_TYPE, to_json
from local.api.api_error import ApiError, BrokenAnswer, ConnectionLost, missing_header, unknown_function
from local.api.error_table import PATH_NOT_SUPPORTED, UNKNOWN_ACTION, UNKNOWN_VERSION
from local.api.names import FC_VERSION, INVOKE_FUNCTION
from local.emulator.authenticator import Authenticator, HttpRequest, read_signature
from local.emulator.backend import LocalEcs
from local.emulator.functions import Invocation, LocalFunctions
from local.emulator.invocations import UNHANDLED, SenderGone, invoke_while_awaited
from local.emulator.lifecycle import Aftermath

ACCEPTED = 202
"""The status of an accepted event's answer, which has no body."""

_PATH = re.compile(rf"/{FC_VERSION}/functions/([^/]+)/invocations")
_HEADERS = ("x-fc-invocation-type", "x-fc-async-task-id")


class FunctionsApi:
    """Answers requests whose path is one of FC's."""

    def __init__(self, ecs: LocalEcs, functions: LocalFunctions, authenticator: Authenticator) -> None:
        self._ecs = ecs
        self._functions = functions
        self._authenticator = authenticator

    def answer(self, request: HttpRequest, hung_up: Callable[[], bool]) -> Response:
        """Answer one request; `hung_up` tells whether anybody still waits for it.

        Raise ConnectionLost where a fault wants no answer at all, or nobody takes it.
        """
        try:
            answer = self._called(request)
        except ApiError as error:
            body = {"RequestId": error.request_id, "Code": error.code, "Message": error.message + error.echo}
            response = Response(to_json(body), error.status, content_type=JSON_TYPE)
            if error.retry_after_ms is not None:
                response.headers["x-acs-retry-after"] = str(error.retry_after_ms)
            response.headers["X-Fc-Request-Id"] = error.request_id
            return response
        except BrokenAnswer as broken:
            return Response(broken.body, broken.status, content_type=broken.content_type)
        headers = {"X-Fc-Request-Id": answer["RequestId"]}
        if _is_async(request):
            return Response("", ACCEPTED, headers=headers)
        return self._ran(request.body, hung_up, headers)

    def _ran(self, event: bytes, hung_up: Callable[[], bool], headers: dict[str, str]) -> Response:
        """Run the function, outside of any lock: it calls the very cloud that runs it."""
        assert self._functions.invoke is not None  # noqa: S101 - else the call was refused
        try:
            answer = invoke_while_awaited(self._functions.invoke, event, hung_up)
        except SenderGone:
            raise ConnectionLost("the sender hung up") from None
        if answer.error is not None:
            headers = headers | {"X-Fc-Error-Type": UNHANDLED}
        return Response(answer.text, 200, headers=headers, content_type="application/octet-stream")

    def _called(self, request: HttpRequest) -> dict[str, Any]:
        parameters = {name: request.headers[name] for name in _HEADERS if name in request.headers}
        shown = ""
        try:
            name = _function_name(request)
            parameters = {"functionName": name, **parameters}
            signed = read_signature(request)
            shown = signed.shown
            account_id = self._authenticator.verify(signed).account_id
            _check_names(request)
        except ApiError as error:
            self._ecs.refuse(INVOKE_FUNCTION, parameters, error, signed=shown)
            raise

        def accept(now: datetime, request_id: str, _aftermath: Aftermath) -> dict[str, Any]:
            if account_id != self._ecs.account_id:  # functions are their account's own
                raise unknown_function(name)
            if not _is_async(request):
                self._functions.admit(name)
                return {}
            invocation = Invocation(request_id=request_id, time=now, event=request.body)
            self._functions.accept(name, invocation, parameters.get("x-fc-async-task-id"))
            return {}

        parameters["body"] = request.body.decode(errors="replace")
        return self._ecs.answer(
            INVOKE_FUNCTION,
            parameters,
            accept,
            account_id=account_id,
            signed=shown,
            success=ACCEPTED if _is_async(request) else 200,
        )


def _is_async(request: HttpRequest) -> bool:
    return request.headers.get("x-fc-invocation-type", "Sync").lower() == "async"


def _function_name(request: HttpRequest) -> str:
    match = _PATH.fullmatch(request.path)
    if match is None or request.method != "POST":
        raise ApiError(*PATH_NOT_SUPPORTED)
    if not request.acs3:
        raise missing_header("Authorization")
    return match[1]


def _check_names(request: HttpRequest) -> None:
    if request.headers.get("x-acs-version") != FC_VERSION:
        raise ApiError(*UNKNOWN_VERSION)
    if request.headers.get("x-acs-action") != INVOKE_FUNCTION:
        raise ApiError(*UNKNOWN_ACTION)
