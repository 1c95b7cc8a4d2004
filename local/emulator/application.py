"""The local cloud as a WSGI application: werkzeug's requests and answers around `LocalEcs.call`."""

from collections import Counter
from collections.abc import Callable, Iterable
from datetime import datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Request, Response

from local.api.answers import JSON_TYPE, XML_TYPE, to_json, to_xml
from local.api.api_error import ApiError, BrokenAnswer, missing, repeated, unreadable
from local.api.error_table import UNKNOWN_ACTION, UNKNOWN_METHOD, UNKNOWN_VERSION
from local.api.names import ECS_VERSION, FC_VERSION, STS_ACTIONS, STS_VERSION
from local.emulator.authenticator import Authenticator, HttpRequest, read_signature
from local.emulator.backend import LocalEcs, random_request_id
from local.emulator.deployment import Deployment
from local.emulator.deployment_api import DeploymentApi
from local.emulator.functions import LocalFunctions
from local.emulator.functions_api import FunctionsApi
from local.emulator.http_server import HUNG_UP
from local.emulator.keys import AccessKey, KeyPair

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

XML_NAMES = ("application/xml", "text/xml")


class Application:
    """The APIs as a WSGI application, at one port; FC's only with `functions`.

    With `deployment` also RAM's and the others' of what is deployed with the function, and FC's reads.

    ECS and STS are at `/`, by GET and POST, parameters in query, form or both; FC is at its paths.
    """

    def __init__(
        self,
        ecs: LocalEcs,
        credentials: KeyPair,
        clock: Callable[[], datetime],
        functions: LocalFunctions | None = None,
        deployment: Deployment | None = None,
    ) -> None:
        self._ecs = ecs
        self._credentials = credentials
        self._authenticator = Authenticator(self._key, clock)
        self._around = (
            None
            if deployment is None
            else DeploymentApi(deployment, self._authenticator, self._key, random_request_id)
        )
        self._fc = None if functions is None else FunctionsApi(ecs, functions, self._authenticator)

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Answer one request. Raise ConnectionLost where a fault wants no answer at all."""
        try:
            response = self._api(Request(environ))
        except ApiError as error:
            response = self.refused(error)
        except HTTPException as error:
            response = self.refused(unreadable(error.code or HTTPStatus.BAD_REQUEST))
        return response(environ, start_response)

    def refused(self, error: ApiError) -> Response:
        """Answer a request that isn't a call at all."""
        self._ecs.refuse("", {}, error)
        return answer(error, "", xml=False)

    def _key(self, access_key_id: str) -> AccessKey | None:
        if access_key_id == self._credentials.access_key_id:
            return AccessKey(credentials=self._credentials, account_id=self._ecs.account_id)
        return self._ecs.session_key(access_key_id)

    def _api(self, received: Request) -> Response:
        if self._around is not None and (found := self._around.answer(_read(received))) is not None:
            return found
        if self._fc is not None and received.path.startswith(f"/{FC_VERSION}/"):
            return self._fc.answer(_read(received), received.environ.get(HUNG_UP, lambda: False))
        if received.path != "/":
            raise ApiError(*UNKNOWN_ACTION)
        if received.method not in ("GET", "POST"):
            raise ApiError(*UNKNOWN_METHOD)
        request = _read(received)
        parameters = request.parameters
        action = request.headers.get("x-acs-action") if request.acs3 else parameters.get("Action")
        xml = _wants_xml(request)
        try:
            return answer(self._called(request, action or "", parameters), action or "", xml=xml)
        except ApiError as error:
            return answer(error, action or "", xml=xml)
        except BrokenAnswer as broken:
            return Response(broken.body, broken.status, content_type=broken.content_type)

    def _called(self, request: HttpRequest, action: str, parameters: dict[str, str]) -> dict[str, Any]:
        shown = ""
        try:
            signed = read_signature(request)
            shown = signed.shown
            key = self._authenticator.verify(signed)
            _check_names(request, action)
        except ApiError as error:
            self._ecs.refuse(action, parameters, error, signed=shown)
            raise
        return self._ecs.call(
            action, parameters, account_id=key.account_id, session=key.session, signed=shown
        )


def _read(received: Request) -> HttpRequest:
    body = received.get_data(cache=True)
    names = Counter(name for given in (received.args, received.form) for name, _ in given.items(multi=True))
    for name, count in names.items():
        if count > 1:  # which of the values was meant, or signed, is anybody's guess
            raise repeated(name)
    return HttpRequest(
        method=received.method,
        path=received.path,
        headers={name.lower(): value for name, value in received.headers.items()},
        query=received.args.to_dict(),
        form=received.form.to_dict(),
        body=body,
    )


def _wants_xml(request: HttpRequest) -> bool:
    """Tell the format: the parameter's, else XML under RPC, and under ACS3 the header's, else JSON."""
    if request.parameters.get("Format"):
        return request.parameters["Format"].upper() != "JSON"
    return not request.acs3 or request.headers.get("accept", "").strip().lower() in XML_NAMES


def _check_names(request: HttpRequest, action: str) -> None:
    """Raise ApiError unless the request names the version of an API here, and an action that can be its."""
    version = request.headers.get("x-acs-version") if request.acs3 else request.parameters.get("Version")
    if not version:
        raise missing("Version")
    if version not in (ECS_VERSION, STS_VERSION):
        raise ApiError(*UNKNOWN_VERSION)
    if not action:
        raise missing("Action")
    if (action in STS_ACTIONS) != (version == STS_VERSION):
        raise ApiError(*UNKNOWN_ACTION)


def answer(outcome: dict[str, Any] | ApiError, action: str, *, xml: bool) -> Response:
    """Write an answer or an error in the format asked for."""
    if isinstance(outcome, ApiError):
        status, root, body = outcome.status, "Error", outcome.body()
    else:
        status, root, body = 200, f"{action}Response", outcome
    response = Response(
        to_xml(root, body) if xml else to_json(body), status, content_type=XML_TYPE if xml else JSON_TYPE
    )
    response.headers["x-acs-request-id"] = body["RequestId"]
    if isinstance(outcome, ApiError) and outcome.retry_after_ms is not None:
        response.headers["x-acs-retry-after"] = str(outcome.retry_after_ms)
    return response
