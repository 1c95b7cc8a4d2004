"""What the tests of the local ECS share: a clock to turn, and a client that signs by hand."""

import hashlib
import http.client
import json
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode
from xml.etree import ElementTree as ET

import pytest

from local.api.signatures import (
    acs3_authorization,
    acs3_canonical_request,
    acs3_signature,
    acs3_string_to_sign,
    rpc_signature,
    rpc_string_to_sign,
)
from local.emulator.backend import LocalEcs
from local.emulator.clock import VirtualClock
from local.emulator.fleet import Fleet
from local.emulator.server import serve

WALL = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@dataclass(frozen=True)
class WireAnswer:
    """An answer off the wire."""

    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def json(self) -> dict[str, Any]:
        """The body read as JSON."""
        body: dict[str, Any] = json.loads(self.text)
        return body

    @property
    def xml(self) -> ET.Element:
        """The body read as XML."""
        return ET.fromstring(self.text)  # noqa: S314 - the local ECS wrote it

    @property
    def code(self) -> str | None:
        """The error code, whichever the format."""
        return str(self.json.get("Code")) if self.text.startswith("{") else self.xml.findtext("Code")


@dataclass(frozen=True)
class Wire:
    """Signs by hand and sends; whatever is given replaces what would be right."""

    endpoint: str
    now: Callable[[], datetime]

    def send(self, method: str, path: str, *, headers: Mapping[str, str], body: str = "") -> WireAnswer:
        """Send a request as it is, on a connection of its own."""
        connection = http.client.HTTPConnection(self.endpoint.removeprefix("http://"), timeout=10)
        try:
            connection.request(method, path, body=body.encode(), headers=dict(headers))
            response = connection.getresponse()
            names = {name.lower(): value for name, value in response.getheaders()}
            return WireAnswer(response.status, names, response.read().decode())
        finally:
            connection.close()

    def rpc(
        self,
        action: str,
        parameters: Mapping[str, str] | None = None,
        *,
        method: str = "GET",
        secret: str = "emulator",
        form: Mapping[str, str] | None = None,
        unsigned_query: str = "",
        **common: str,
    ) -> WireAnswer:
        """Call with the RPC signature: `parameters` in the query, `form` in the body; empty ones left out."""
        query = {
            "Action": action,
            "Version": "2014-05-26",
            "Format": "JSON",
            "AccessKeyId": "emulator",
            "SignatureMethod": "HMAC-SHA1",
            "SignatureVersion": "1.0",
            "SignatureNonce": str(uuid.uuid4()),
            "Timestamp": f"{self.now():%Y-%m-%dT%H:%M:%SZ}",
            **(parameters or {}),
            **common,
        }
        query = {name: value for name, value in query.items() if value}
        signed = rpc_string_to_sign(method, {**query, **(form or {})})
        query.setdefault("Signature", rpc_signature(signed, secret))
        return self.send(
            method,
            f"/?{urlencode(query)}{unsigned_query}",
            body=urlencode(form or {}),
            headers={"Content-Type": "application/x-www-form-urlencoded"} if form else {},
        )

    def acs3(
        self,
        action: str,
        parameters: Mapping[str, str] | None = None,
        *,
        secret: str = "emulator",
        access_key_id: str = "emulator",
        form: Mapping[str, str] | None = None,
        unsigned: tuple[str, ...] = (),
        sent_body: str | None = None,
        unsigned_query: str = "",
        path: str = "/",
        content: str = "",
        **changed: str,
    ) -> WireAnswer:
        """Call with ACS3-HMAC-SHA256; `changed` headers with `_` for `-`, an empty one is left out."""
        body = content or urlencode(form or {})
        headers = {
            "host": self.endpoint.removeprefix("http://"),
            "x-acs-action": action,
            "x-acs-version": "2014-05-26",
            "x-acs-date": f"{self.now():%Y-%m-%dT%H:%M:%SZ}",
            "x-acs-signature-nonce": str(uuid.uuid4()),
            "x-acs-content-sha256": hashlib.sha256(body.encode()).hexdigest(),
            **{name.replace("_", "-"): value for name, value in changed.items()},
        }
        headers = {name: value for name, value in headers.items() if value}
        names = [name for name in headers if name not in unsigned]
        canonical = acs3_canonical_request(
            method="POST",
            path=path,
            query=parameters or {},
            headers=headers,
            signed_headers=names,
            body=body.encode(),
        )
        signature = acs3_signature(acs3_string_to_sign(canonical), secret)
        headers["authorization"] = acs3_authorization(access_key_id, names, signature)
        if form or sent_body:
            headers["content-type"] = "application/x-www-form-urlencoded"
        return self.send(
            "POST",
            f"{path}?{urlencode(parameters or {})}{unsigned_query}",
            headers=headers,
            body=body if sent_body is None else sent_body,
        )


@pytest.fixture
def clock() -> VirtualClock:
    """Give a clock that stands still."""
    return VirtualClock(WALL)


MakeEcs = Callable[..., LocalEcs]


@pytest.fixture
def make_ecs(clock: VirtualClock) -> MakeEcs:
    """Make a local ECS on the clock: `make_ecs({"InstanceId": …}, …, faults=…)`."""

    def make(*instances: Mapping[str, object], **options: Any) -> LocalEcs:  # noqa: ANN401 - LocalEcs' own
        return LocalEcs(Fleet.from_instances(instances), now=clock.now, sleep=clock.sleep, **options)

    return make


@pytest.fixture
def wire(clock: VirtualClock) -> Iterator[Callable[..., Wire]]:
    """Serve a local ECS and give a client for it: `wire(ecs)`; request times count by the clock."""
    with ExitStack() as stack:

        def connect(ecs: LocalEcs, **options: Any) -> Wire:  # noqa: ANN401 - serve's own
            endpoint = stack.enter_context(serve(ecs, **{"clock": clock.now, **options}))
            return Wire(endpoint, clock.now)

        yield connect
