"""The APIs of what is deployed with the function: each verifies who calls, then `Deployment` answers."""

import hmac
import re
from collections.abc import Callable
from typing import Any

from werkzeug.wrappers import Response

from local.api.answers import JSON_TYPE, to_json
from local.api.api_error import ApiError
from local.api.names import FC_VERSION
from local.api.signatures import log_signature, log_string_to_sign
from local.emulator.authenticator import Authenticator, HttpRequest, read_signature
from local.emulator.deployment import Deployment
from local.emulator.keys import AccessKey

RAM_VERSION, QUEUE_VERSION = "2015-05-01", "2022-01-19"

_FUNCTION = re.compile(rf"/{FC_VERSION}/functions/([^/]+)(/triggers|/async-invoke-config)?")
_FC_ACTIONS = {
    None: "GetFunction",
    "/triggers": "ListTriggers",
    "/async-invoke-config": "GetAsyncInvokeConfig",
}
_LOGSTORE = re.compile(r"/logstores/([^/]+)")
_LOG_KEY = re.compile(r"LOG ([^:\s]+):(\S+)")


class DeploymentApi:
    """Answers requests to RAM, Simple Message Queue, Log Service, and FC's reads."""

    def __init__(
        self,
        deployment: Deployment,
        authenticator: Authenticator,
        find_key: Callable[[str], AccessKey | None],
        request_ids: Callable[[], str],
    ) -> None:
        self._deployment = deployment
        self._authenticator = authenticator
        self._find_key = find_key
        self._request_ids = request_ids

    def answer(self, request: HttpRequest) -> Response | None:
        """Answer one request; None where it is to none of these."""
        if request.method == "GET" and (log := _LOGSTORE.fullmatch(request.path)):
            return self._answered(lambda: self._logstore(request, log[1]), log_service=True)
        if request.method == "GET" and (function := _FUNCTION.fullmatch(request.path)):
            action = _FC_ACTIONS[function[2]]
            return self._answered(lambda: self._function(request, action, function[1]))
        version = request.headers.get("x-acs-version")
        if request.path == "/" and version in (RAM_VERSION, QUEUE_VERSION):
            return self._answered(lambda: self._rpc(request, version))
        return None

    def _answered(self, read: Callable[[], dict[str, Any]], *, log_service: bool = False) -> Response:
        request_id = self._request_ids()
        try:
            body, status = read(), 200
        except ApiError as error:
            said = {"Code": error.code, "Message": error.message, "RequestId": request_id}
            if log_service:
                said = {"errorCode": error.code, "errorMessage": error.message}
            body, status = said, error.status
        return Response(to_json(body), status, content_type=JSON_TYPE)

    def _rpc(self, request: HttpRequest, version: str) -> dict[str, Any]:
        self._authenticator.verify(read_signature(request))
        action = request.headers.get("x-acs-action", "")
        if version == RAM_VERSION:
            return self._deployment.ram(action, request.parameters)
        return self._deployment.queue(request.parameters)

    def _function(self, request: HttpRequest, action: str, name: str) -> dict[str, Any]:
        self._authenticator.verify(read_signature(request))
        return dict(self._deployment.function(action, name, request.query))

    def _logstore(self, request: HttpRequest, name: str) -> dict[str, Any]:
        """Answer of the project that the host begins with, as the Log Service has it."""
        match = _LOG_KEY.fullmatch(request.headers.get("authorization", ""))
        key = self._find_key(match[1]) if match else None
        if match is None or key is None:
            raise ApiError(401, "Unauthorized", "The AccessKeyId is unauthorized.")
        text = log_string_to_sign(request.method, request.path, request.headers)
        expected = log_signature(text, key.credentials.access_key_secret)
        if not hmac.compare_digest(expected.encode(), match[2].encode()):
            raise ApiError(403, "SignatureNotMatch", "Signature is not matched with our calculation.")
        return self._deployment.logstore(request.headers.get("host", "").partition(".")[0], name)
