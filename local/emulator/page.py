"""The local ECS's page for people: its fleet, its last calls, a form that stops, buttons that start.

It is for a browser on this machine. Its forms have the local ECS sign a call, so they take only what this
very page sends: other sites can have a browser post here, but not with this page's Origin. Its script does
nothing but keep it up to date.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from xml.etree import ElementTree as ET

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from werkzeug.wrappers import Request, Response

from local.api.answers import to_xml
from local.emulator.backend import LocalEcs
from local.emulator.call_log import ReceivedCall
from local.emulator.form import FIELDS, START_INSTANCE, STOP_INSTANCE, InvalidForm, Sent, read_form, send
from local.emulator.keys import KeyPair
from local.emulator.lifecycle import STOPPING, EmulatedInstance

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

MAX_INSTANCES = 200
MAX_CALLS = 20
"""That are shown, so that the page of a large fleet still opens at once; of the calls the latest."""
MAX_TEXT = 20_000
"""Characters of an answer that are shown."""

_HERE = Path(__file__).parent
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self'; img-src data:; "
        "form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    ),
    "Referrer-Policy": "same-origin",  # with no-referrer, browsers send the form with the Origin null
    "X-Content-Type-Options": "nosniff",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """An instance as the page shows it."""

    instance: EmulatedInstance
    name: str
    stopped_mode: str
    disks: str

    @classmethod
    def of(cls, instance: EmulatedInstance) -> "Card":
        """Say it in words."""
        profile = instance.profile
        disks = profile.local_storage
        return cls(
            instance=instance,
            name=str(profile.attributes["InstanceName"]),
            stopped_mode=instance.becomes_mode if instance.status == STOPPING else instance.stopped_mode,
            disks="none"
            if disks is None
            else f"{disks.local_storage_amount} x {disks.local_storage_capacity} GiB "
            f"({disks.local_storage_category})",
        )


class WebPage:
    """A WSGI application in front of the API's: it answers browsers, and lets everything else through.

    `clock` is the one that signatures are checked by.
    """

    def __init__(
        self,
        api: "WSGIApplication",
        ecs: LocalEcs,
        credentials: KeyPair,
        clock: Callable[[], datetime],
    ) -> None:
        self._api = api
        self._ecs = ecs
        self._credentials = credentials
        self._clock = clock

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Answer a person; have the API answer everybody else."""
        request = Request(environ)
        answer = {
            ("GET", "/"): self._show,
            ("GET", "/page.css"): _style,
            ("GET", "/page.js"): _script,
            ("GET", "/stop"): self._show,  # the address that the browser shows after the form, opened again
            ("POST", "/stop"): self._stop,
            ("GET", "/start"): self._show,
            ("POST", "/start"): self._start,
            ("POST", "/reset"): self._reset,
        }.get((request.method, request.path))
        if answer is None or (request.path == "/" and not _from_a_person(request)):
            return self._api(environ, start_response)
        problem = None if _resets(request) else _stranger(request)
        response = answer(request) if problem is None else _refusal(problem)
        response.headers.update(_HEADERS)
        return response(environ, start_response)

    def _show(self, request: Request) -> Response:
        return self._page(request, given={"InstanceId": request.args.get("InstanceId", "")})

    def _stop(self, request: Request) -> Response:
        if not _from_this_page(request):
            return _refusal("the form takes only what its own page sends")
        try:
            parameters = read_form(request.form)
        except InvalidForm as problem:
            return _refusal(str(problem), 400)
        return self._page(request, given=parameters, sent=self._send(request, STOP_INSTANCE, parameters))

    def _start(self, request: Request) -> Response:
        if not _from_this_page(request):
            return _refusal("the button takes only what its own page sends")
        parameters = {"InstanceId": request.form.get("InstanceId", "")}
        return self._page(request, given={}, sent=self._send(request, START_INSTANCE, parameters))

    def _send(self, request: Request, action: str, parameters: Mapping[str, str]) -> Sent:
        return send(
            self._api,
            self._ecs,
            action,
            parameters,
            credentials=self._credentials,
            url=f"{request.scheme}://{request.host}",
            now=self._clock(),
        )

    def _reset(self, request: Request) -> Response:
        """Start anew, for the page's own button, and for programs: those name no origin, a browser does."""
        if _from_a_browser(request) and not _from_this_page(request):
            return _refusal("a browser may reset it from its own page alone")
        self._ecs.reset()
        if _from_a_browser(request):
            return Response("", 303, headers={"Location": "/"})
        return Response("", 204)

    def _page(self, request: Request, *, given: Mapping[str, str], sent: Sent | None = None) -> Response:
        instances, calls = self._ecs.instances(), self._ecs.calls
        text = _template().render(
            now=self._ecs.now(),
            url=f"{request.scheme}://{request.host}",
            host=request.host,
            key_id=self._credentials.access_key_id,
            account_id=self._ecs.account_id,
            cards=[Card.of(instance) for instance in instances[:MAX_INSTANCES]],
            instance_count=len(instances),
            calls=calls[: -MAX_CALLS - 1 : -1],
            call_count=len(calls),
            fields=FIELDS,
            given=given,
            sent=sent,
        )
        return Response(text, content_type="text/html;charset=utf-8")


@cache
def _template() -> Template:
    templates = Environment(loader=FileSystemLoader(_HERE), autoescape=True, undefined=StrictUndefined)
    templates.trim_blocks = templates.lstrip_blocks = True
    templates.filters.update(pretty_json=_pretty_json, pretty_xml=_pretty_xml, cut=_cut)
    return templates.get_template("page.html")


def _from_a_person(request: Request) -> bool:
    """Tell a browser from a client of the API, which signs, in the query or the header Authorization."""
    wants_html = any(kind == "text/html" for kind, _ in request.accept_mimetypes)
    signs = "Authorization" in request.headers or {"Action", "AccessKeyId"} & set(request.args)
    return wants_html and not signs


def _from_this_page(request: Request) -> bool:
    return request.origin == f"{request.scheme}://{request.host}"


def _from_a_browser(request: Request) -> bool:
    """Browsers say where a POST comes from, in Origin, and the later ones in Sec-Fetch-Site too."""
    return request.origin is not None or "Sec-Fetch-Site" in request.headers


def _resets(request: Request) -> bool:
    """Tell a program's reset, which may come from another machine, as the calls do."""
    return request.path == "/reset" and not _from_a_browser(request)


def _stranger(request: Request) -> str | None:
    """Say why the request isn't a browser's on this machine; a Host of another name may be DNS rebinding."""
    if not _is_this_machine(request.host):
        return "the page is for this machine alone; open it as http://127.0.0.1 or http://localhost"
    if not _is_loopback(request.remote_addr or ""):
        return "the page is for this machine alone"
    return None


def _is_this_machine(host: str) -> bool:
    try:
        name = urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return False
    return name == "localhost" or _is_loopback(name)


def _is_loopback(address: str) -> bool:
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return False


def _refusal(problem: str, status: int = 403) -> Response:
    return Response(f"{problem}\n", status, content_type="text/plain;charset=utf-8")


def _style(_request: Request) -> Response:
    return Response((_HERE / "page.css").read_text(encoding="utf-8"), content_type="text/css;charset=utf-8")


def _script(_request: Request) -> Response:
    return Response(
        (_HERE / "page.js").read_text(encoding="utf-8"), content_type="text/javascript;charset=utf-8"
    )


def _pretty_json(body: dict[str, Any]) -> str:
    return json.dumps(body, ensure_ascii=False, indent=4)


def _pretty_xml(call: ReceivedCall) -> str:
    element = ET.fromstring(to_xml("Error" if call.code else f"{call.action}Response", call.answer))  # noqa: S314 - just written
    ET.indent(element, "    ")
    return ET.tostring(element, encoding="unicode", short_empty_elements=False)


def _cut(text: str) -> str:
    more = len(text) - MAX_TEXT
    return text if more <= 0 else f"{text[:MAX_TEXT]}\n… {more} more characters"
