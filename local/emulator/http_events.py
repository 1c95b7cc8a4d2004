"""FC's HTTP trigger: a request becomes the function's event, and its answer the response.

Source: FC's page "Use an HTTP trigger to invoke a function" (payload version v1, built-in runtimes).
"""

import base64
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import uuid4

from werkzeug.wrappers import Request, Response

from local.api.answers import JSON_TYPE, to_json
from local.api.api_error import ApiError, ConnectionLost
from local.emulator.account import DEFAULT_ACCOUNT
from local.emulator.http_server import HUNG_UP
from local.emulator.invocations import UNHANDLED, Answer, Invoke, SenderGone, invoke_while_awaited, serialize

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

FUNCTION_ERROR = 502
"""The status where an exception left the handler (FC's table of HTTP errors)."""


class HttpTrigger:
    """A WSGI application in front of a function; whoever may call it is left to the function."""

    def __init__(self, invoke: Invoke, clock: Callable[[], datetime]) -> None:
        self._invoke = invoke
        self._clock = clock

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Answer one request. Raise ConnectionLost where nobody is there to take the answer."""
        request_id = str(uuid4())
        event = serialize(http_event(Request(environ), request_id, self._clock())).encode()
        try:
            answer = invoke_while_awaited(self._invoke, event, environ[HUNG_UP])
        except SenderGone:
            raise ConnectionLost("the sender hung up") from None
        response = http_response(answer)
        response.headers["X-Fc-Request-Id"] = request_id
        return response(environ, start_response)

    def refused(self, error: ApiError) -> Response:
        """Answer a request that can't be read."""
        return Response(to_json(error.body()), error.status, content_type=JSON_TYPE)


def http_event(request: Request, request_id: str, now: datetime) -> dict[str, object]:
    """Write a request as the event that the function gets."""
    body = request.get_data()
    try:
        text, binary = body.decode(), False
    except UnicodeDecodeError:
        text, binary = base64.b64encode(body).decode(), True
    return {
        "version": "v1",
        "rawPath": request.environ.get("RAW_URI", request.path).partition("?")[0],
        "body": text,
        "isBase64Encoded": binary,
        "headers": {name: ",".join(request.headers.getlist(name)) for name in request.headers.keys()},  # noqa: SIM118 - no mapping
        "queryParameters": {name: ",".join(request.args.getlist(name)) for name in request.args},
        "requestContext": {
            "accountId": DEFAULT_ACCOUNT,
            "domainName": request.host,
            "domainPrefix": request.host.partition(".")[0],
            "http": {
                "method": request.method,
                "path": request.path,
                "protocol": request.environ.get("SERVER_PROTOCOL", "HTTP/1.1"),
                "sourceIp": request.remote_addr or "",
                "userAgent": request.headers.get("User-Agent", ""),
            },
            "requestId": request_id,
            "time": f"{now.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
            "timeEpoch": str(int(now.timestamp() * 1000)),
        },
    }


def http_response(answer: Answer) -> Response:
    """Read what the function answered: a response where it has a `statusCode`, else the body of one."""
    returned = answer.returned or {}
    if answer.error is not None:
        response = Response(answer.text, FUNCTION_ERROR, content_type=JSON_TYPE)
        response.headers["X-Fc-Error-Type"] = UNHANDLED
        return response
    if "statusCode" not in returned:
        return Response(answer.text, 200, content_type=JSON_TYPE)
    body = str(returned.get("body", ""))
    content = base64.b64decode(body) if returned.get("isBase64Encoded") else body.encode()
    response = Response(content, int(str(returned["statusCode"])))
    headers = returned.get("headers")
    for name, value in headers.items() if isinstance(headers, Mapping) else ():
        response.headers[str(name)] = str(value)
    return response
