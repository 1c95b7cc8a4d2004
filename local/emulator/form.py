"""Calls ECS from the page: reads the form's fields, signs the request, has the API in this process answer."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from uuid import uuid4

from werkzeug.test import EnvironBuilder, run_wsgi_app

from local.api.api_error import ConnectionLost
from local.api.names import ECS_VERSION
from local.api.parameters import BOOLEANS, excerpt
from local.api.signatures import (
    acs3_authorization,
    acs3_canonical_request,
    acs3_signature,
    acs3_string_to_sign,
    canonical_query,
)
from local.emulator.actions.stop_instance import STOPPED_MODES
from local.emulator.backend import LocalEcs
from local.emulator.call_log import ReceivedCall
from local.emulator.fleet import DEFAULT_REGION
from local.emulator.keys import HIDDEN, KeyPair
from local.samples.languages import Sample, samples
from local.samples.typed_call import typed_call

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

STOP_INSTANCE = "StopInstance"
START_INSTANCE = "StartInstance"


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A parameter as the form asks for it; no `options`: any text."""

    name: str
    meaning: str
    options: tuple[str, ...] = ()


FIELDS = (
    Field(name="InstanceId", meaning="The instance to stop."),
    Field(
        name="StoppedMode",
        meaning="Whether billing goes on while it is stopped. Left out: KeepCharging here.",
        options=STOPPED_MODES,
    ),
    Field(
        name="ConfirmStop",
        meaning="Needed where it has local disks: their data is at risk. Left out: false.",
        options=tuple(BOOLEANS),
    ),
    Field(
        name="ForceStop",
        meaning="Cuts the power instead of shutting down. Left out: false.",
        options=tuple(BOOLEANS),
    ),
    Field(
        name="DryRun",
        meaning="Checks the request and stops nothing; DryRunOperation means it would. Left out: false.",
        options=tuple(BOOLEANS),
    ),
)


class InvalidForm(ValueError):  # noqa: N818 - what is wrong is the form, and the message says how
    """A field has a value that the form doesn't offer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A call that was sent. `request`: the HTTP message, the security token hidden; `call`: as ECS saw it.

    `answer`: the body as it came; empty where the connection was lost.
    """

    request: str
    signature: str
    call: ReceivedCall
    answer: str
    samples: tuple[Sample, ...]


def read_form(fields: Mapping[str, str]) -> dict[str, str]:
    """Take the parameters that are given; an empty field is none. Raise InvalidForm."""
    given = {field: fields.get(field.name, "").strip() for field in FIELDS}
    for field, value in given.items():
        if value and field.options and value not in field.options:
            raise InvalidForm(f"{field.name} is {excerpt(value)}, expected {' or '.join(field.options)}")
    return {field.name: value for field, value in given.items() if value}


def send(
    api: "WSGIApplication",
    ecs: LocalEcs,
    action: str,
    parameters: Mapping[str, str],
    *,
    credentials: KeyPair,
    url: str,
    now: datetime,
) -> Sent:
    """Sign a call as the SDKs do (ACS3-HMAC-SHA256), and have the API at this URL answer it."""
    nonce = uuid4().hex
    headers = {
        "host": urlsplit(url).netloc,
        "x-acs-action": action,
        "x-acs-content-sha256": hashlib.sha256(b"").hexdigest(),
        "x-acs-date": f"{now:%Y-%m-%dT%H:%M:%SZ}",
        "x-acs-signature-nonce": nonce,
        "x-acs-version": ECS_VERSION,
    }
    if credentials.security_token:
        headers["x-acs-security-token"] = credentials.security_token
    canonical_request = acs3_canonical_request(
        method="POST", path="/", query=parameters, headers=headers, signed_headers=headers, body=b""
    )
    signature = acs3_signature(acs3_string_to_sign(canonical_request), credentials.access_key_secret)
    headers["authorization"] = acs3_authorization(credentials.access_key_id, tuple(headers), signature)
    builder = EnvironBuilder("/", url, query_string=parameters, method="POST", headers=tuple(headers.items()))
    try:
        answer = b"".join(run_wsgi_app(api, builder.get_environ())[0]).decode()
    except ConnectionLost:
        answer = ""
    shown = headers | ({"x-acs-security-token": HIDDEN} if credentials.security_token else {})
    return Sent(
        request=f"POST /?{canonical_query(parameters)} HTTP/1.1\n"
        + "".join(f"{name}: {value}\n" for name, value in shown.items()),
        signature=signature,
        call=next(call for call in reversed(ecs.calls) if nonce in call.signed),
        answer=answer,
        samples=samples(typed_call(action, _region(ecs, parameters), parameters), url),
    )


def _region(ecs: LocalEcs, parameters: Mapping[str, str]) -> str:
    try:
        return ecs.instance(parameters.get("InstanceId", "")).profile.region_id
    except KeyError:
        return DEFAULT_REGION
