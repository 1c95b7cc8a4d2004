"""The signature schemes of the APIs as pure functions: canonical request, string to sign, signature.

ACS3-HMAC-SHA256 signs headers, query and the body's digest; the SDKs of today use it. RPC signs all
parameters with HMAC-SHA1; legacy SDKs, the aliyun command line and others use it.
"""

import base64
import hashlib
import hmac
from collections.abc import Iterable, Mapping
from urllib.parse import quote

ACS3 = "ACS3-HMAC-SHA256"


def percent_encode(text: str) -> str:
    """Encode as RFC 3986 has it: all but letters, digits and `-_.~`, in upper-case hexadecimal of UTF-8."""
    return quote(text, safe="~")


def canonical_query(parameters: Mapping[str, str]) -> str:
    """Return the parameters sorted by name, encoded, and joined: what both schemes sign of them."""
    return "&".join(
        f"{percent_encode(name)}={percent_encode(value)}" for name, value in sorted(parameters.items())
    )


def rpc_string_to_sign(method: str, parameters: Mapping[str, str]) -> str:
    """Return what RPC signs; `parameters` are all of the query and the form except Signature."""
    return f"{method}&{percent_encode('/')}&{percent_encode(canonical_query(parameters))}"


def rpc_signature(string_to_sign: str, secret: str) -> str:
    """Return the value of the parameter Signature."""
    digest = hmac.digest(f"{secret}&".encode(), string_to_sign.encode(), hashlib.sha1)
    return base64.b64encode(digest).decode()


def acs3_canonical_request(
    *,
    method: str,
    path: str,
    query: Mapping[str, str],
    headers: Mapping[str, str],
    signed_headers: Iterable[str],
    body: bytes,
) -> str:
    """Return what ACS3 hashes; `headers` by lower-case name, of which those in `signed_headers` count."""
    names = sorted(signed_headers)
    lines = "".join(f"{name}:{headers[name].strip()}\n" for name in names)
    digest = hashlib.sha256(body).hexdigest()
    return "\n".join((method, quote(path, safe="/~"), canonical_query(query), lines, ";".join(names), digest))


def acs3_string_to_sign(canonical_request: str) -> str:
    """Return what ACS3 signs: the scheme and the digest of the canonical request."""
    return f"{ACS3}\n{hashlib.sha256(canonical_request.encode()).hexdigest()}"


def acs3_signature(string_to_sign: str, secret: str) -> str:
    """Return the signature of the header Authorization."""
    return hmac.digest(secret.encode(), string_to_sign.encode(), hashlib.sha256).hex()


def acs3_authorization(access_key_id: str, signed_headers: Iterable[str], signature: str) -> str:
    """Return the header Authorization."""
    names = ";".join(sorted(signed_headers))
    return f"{ACS3} Credential={access_key_id},SignedHeaders={names},Signature={signature}"


def log_string_to_sign(method: str, path: str, headers: Mapping[str, str]) -> str:
    """Return what Log Service signs of a request without parameters; `headers` by lower-case name.

    Its own scheme (help/en/sls/developer-reference/request-signatures): three headers by their values, its
    own and RAM's with their names.
    """
    lines = [headers.get(name, "") for name in ("content-md5", "content-type", "date")]
    own = [f"{name}:{headers[name]}" for name in sorted(headers) if name.startswith(("x-log-", "x-acs-"))]
    return "\n".join((method, *lines, *own, path))


def log_signature(string_to_sign: str, secret: str) -> str:
    """Return the signature of `Authorization: LOG ID:SIGNATURE` with `x-log-signaturemethod: hmac-sha256`."""
    return base64.b64encode(hmac.digest(secret.encode(), string_to_sign.encode(), hashlib.sha256)).decode()
