"""Where a service is asked: `http(s)://host[:port]`."""

import ipaddress
from urllib.parse import urlsplit

_FORM = "is not http(s)://host[:port], the port from 1 to 65535"


def read_endpoint(text: str) -> str:
    """Read one, and return it without a closing slash. Raise ValueError, which says what is wrong."""
    if any(not character.isprintable() or character.isspace() for character in text):
        raise ValueError("holds a space or a control character")
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise ValueError(_FORM) from None
    if port == 0 or parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError(_FORM)
    if parts.username is not None or parts.path not in {"", "/"} or parts.query or parts.fragment:
        raise ValueError("may hold nothing but http(s)://host[:port]")
    if parts.scheme == "http" and not _is_loopback(parts.hostname):
        raise ValueError(
            "is plain http to another machine, which would send signed calls unencrypted; use https"
        )
    return f"{parts.scheme}://{parts.netloc}"


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
