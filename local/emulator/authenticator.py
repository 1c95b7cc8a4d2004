"""Checks who calls the local ECS: reads a request's signature, in either scheme, and verifies it."""

import hashlib
import hmac
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from threading import Lock

from local.api import error_table as errors
from local.api.api_error import ApiError, missing
from local.api.signatures import (
    ACS3,
    acs3_canonical_request,
    acs3_signature,
    acs3_string_to_sign,
    rpc_signature,
    rpc_string_to_sign,
)
from local.emulator.keys import HIDDEN, AccessKey

# How far a request's time may be from the clock, as ECS has it.
TOLERANCE = timedelta(minutes=15)
_AUTHORIZATION = re.compile(
    rf"{ACS3}\s+Credential=([^,\s]+),\s*SignedHeaders=([^,\s]+),\s*Signature=([0-9a-f]+)", re.IGNORECASE
)


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpRequest:
    """A request as it arrived; header names in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    query: Mapping[str, str]
    form: Mapping[str, str]
    body: bytes

    @property
    def acs3(self) -> bool:
        """Tell whether it is signed in the header Authorization rather than in its parameters."""
        return "authorization" in self.headers

    @property
    def parameters(self) -> dict[str, str]:
        """The parameters of query and form together."""
        return {**self.query, **self.form}


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """What a request says about who sent it, and the text that its signature is for.

    `canonical_request`: ACS3 has one, RPC doesn't. `shown`: all the text there is, with the security token
    hidden.
    """

    access_key_id: str
    signature: str
    time: str
    nonce: str
    security_token: str = field(repr=False)
    string_to_sign: str = field(repr=False)
    canonical_request: str = field(default="", repr=False)
    shown: str


def read_signature(request: HttpRequest) -> Signed:
    """Read the signature of a request, or raise ApiError naming what is missing or malformed."""
    return _read_acs3(request) if request.acs3 else _read_rpc(request)


def _read_acs3(request: HttpRequest) -> Signed:
    match = _AUTHORIZATION.fullmatch(request.headers["authorization"].strip())
    if match is None:
        raise ApiError(*errors.INCOMPLETE_SIGNATURE)
    headers, signed = request.headers, set(match[2].lower().split(";"))
    must = {name for name in headers if name.startswith("x-acs-")} | {"host", "x-acs-content-sha256"}
    if not must <= signed <= headers.keys():
        raise ApiError(*errors.INCOMPLETE_SIGNATURE)
    if headers["x-acs-content-sha256"].strip().lower() != hashlib.sha256(request.body).hexdigest():
        raise ApiError(*errors.OTHER_BODY)

    def canonical(token: str) -> str:
        shown = {**headers, "x-acs-security-token": token}
        return acs3_canonical_request(
            method=request.method,
            path=request.path,
            query=request.query,
            headers=shown,
            signed_headers=signed,
            body=request.body,
        )

    token = headers.get("x-acs-security-token", "")
    canonical_request = canonical(token)
    string_to_sign = acs3_string_to_sign(canonical_request)
    return Signed(
        access_key_id=match[1],
        signature=match[3].lower(),
        time=_given(headers, "x-acs-date", "Timestamp"),
        nonce=_given(headers, "x-acs-signature-nonce", "SignatureNonce"),
        security_token=token,
        string_to_sign=string_to_sign,
        canonical_request=canonical_request,
        shown=f"{canonical(HIDDEN) if token else canonical_request}\n\n{string_to_sign}",
    )


def _read_rpc(request: HttpRequest) -> Signed:
    parameters = request.parameters
    access_key_id = _given(parameters, "AccessKeyId", "AccessKeyId")
    signature = parameters.pop("Signature", "")
    if not signature or parameters.get("SignatureMethod", "HMAC-SHA1") != "HMAC-SHA1":
        raise ApiError(*errors.INCOMPLETE_SIGNATURE)
    token = parameters.get("SecurityToken", "")
    hidden = {**parameters, "SecurityToken": HIDDEN} if token else parameters
    return Signed(
        access_key_id=access_key_id,
        signature=signature,
        time=_given(parameters, "Timestamp", "Timestamp"),
        nonce=_given(parameters, "SignatureNonce", "SignatureNonce"),
        security_token=token,
        string_to_sign=rpc_string_to_sign(request.method, parameters),
        shown=rpc_string_to_sign(request.method, hidden),
    )


def _given(values: Mapping[str, str], name: str, parameter: str) -> str:
    value = values.get(name)
    if not value:
        raise missing(parameter)
    return value


class Authenticator:
    """Verifies signatures against the keys that `find_key` knows by their ids.

    `now` is the clock that request times are compared with.
    """

    def __init__(self, find_key: Callable[[str], AccessKey | None], now: Callable[[], datetime]) -> None:
        self._find_key = find_key
        self._now = now
        self._nonces: dict[str, datetime] = {}
        self._lock = Lock()

    def verify(self, signed: Signed) -> AccessKey:
        """Return the key that signed the request; raise ApiError with ECS's own code if it isn't let in."""
        key = self._find_key(signed.access_key_id)
        if key is None:
            raise ApiError(*errors.UNKNOWN_KEY)
        known = key.credentials
        now = self._now()
        self._check_time(signed.time, now)
        _check_token(signed.security_token, known.security_token)
        if key.expired:
            raise ApiError(*errors.EXPIRED_TOKEN)
        if signed.canonical_request:
            expected = acs3_signature(signed.string_to_sign, known.access_key_secret)
        else:
            expected = rpc_signature(signed.string_to_sign, known.access_key_secret)
        if not hmac.compare_digest(expected.encode(), signed.signature.encode()):
            raise _mismatch(signed)
        self._use_nonce(signed.nonce, now)
        return key

    def _check_time(self, text: str, now: datetime) -> None:
        try:
            time = datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
        except ValueError:
            raise ApiError(*errors.MALFORMED_TIME) from None
        if abs(now - time) > TOLERANCE:
            raise ApiError(*errors.EXPIRED)

    def _use_nonce(self, nonce: str, now: datetime) -> None:
        """Take the nonce, or raise SignatureNonceUsed; those too old to pass the time check are forgotten."""
        with self._lock:
            while self._nonces:
                oldest = next(iter(self._nonces))
                if now - self._nonces[oldest] <= 2 * TOLERANCE:
                    break
                del self._nonces[oldest]
            if nonce in self._nonces:
                raise ApiError(*errors.NONCE_USED)
            self._nonces[nonce] = now


def _check_token(token: str, expected: str) -> None:
    if expected and not token:
        raise missing("SecurityToken")
    if token and not expected:
        raise ApiError(*errors.MISMATCHED_TOKEN)
    if not hmac.compare_digest(token.encode(), expected.encode()):
        raise ApiError(*errors.MALFORMED_TOKEN)


def _mismatch(signed: Signed) -> ApiError:
    """Echo what was signed, as ECS does; the security token is in there."""
    code = "SignatureDoesNotMatch"
    if signed.canonical_request:
        message = "Specified signature does not match our calculation."
        echo = (
            f" server StringToSign is [{signed.string_to_sign}]"
            f" server CanonicalRequest is [{signed.canonical_request}]"
        )
    else:
        message = "Specified signature is not matched with our calculation."
        echo = f" server string to sign is:{signed.string_to_sign}"
    return ApiError(400, code, message, echo=echo)
