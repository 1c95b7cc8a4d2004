"""How the SDK's calls travel: one trust for all connections, and no call that outlasts its time.

The SDK makes its connections by `requests` and urllib3. What it makes them of is put here by the means that
those offer: an adapter, pools, connections and sockets of our own. Without that, certificates would be parsed
three times for a first connection and once for each further one, a name look-up would take as long as it
likes, and an answer that comes byte by byte would never time out.
"""

import functools
import ipaddress
import re
import socket
import ssl
import sys
import threading
import time
import warnings
from pathlib import Path
from typing import Any

from function.cloud.call_limits import permission_to_write, seconds_left
from function.cloud.lazy_imports import importing_lazily

with importing_lazily(), warnings.catch_warnings():
    warnings.simplefilter("ignore")  # requests', that it finds nothing to guess a text's encoding by
    import certifi
    from requests.adapters import HTTPAdapter
    from urllib3.connection import HTTPConnection, HTTPSConnection
    from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
    from urllib3.exceptions import NameResolutionError, NewConnectionError

_POOLS = 10
_CONNECTIONS = 40
"""As the SDK has them by default: hosts, and connections kept to each."""

_HASHED = re.compile(r"[0-9a-f]{8}\.[0-9]+")
"""How OpenSSL wants the certificates of a directory named (its `rehash`)."""


class _Timed(socket.socket):
    """A socket whose every step ends when its call does. Python's own timeout begins anew with each byte."""

    def _limit(self) -> None:
        left = seconds_left(self.gettimeout())
        if left != float("inf"):
            self.settimeout(left)

    def recv_into(self, *args: Any, **kwargs: Any) -> int:  # noqa: ANN401 - as the socket's
        """See `socket.recv_into`."""
        self._limit()
        return super().recv_into(*args, **kwargs)

    def send(self, *args: Any, **kwargs: Any) -> int:  # noqa: ANN401 - as the socket's
        """See `socket.send`; over TLS, `sendall` consists of these."""
        self._limit()
        return super().send(*args, **kwargs)

    def sendall(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - as the socket's
        """See `socket.sendall`."""
        self._limit()
        super().sendall(*args, **kwargs)


class _TimedTls(_Timed, ssl.SSLSocket):
    """The same over TLS. The handshake ends as a whole within the socket's timeout."""


class _Trust(ssl.SSLContext):
    """Never changed once it is made: urllib3 sets the protocols (ALPN) anew for each connection.

    OpenSSL frees the former ones then, which a handshake that begins in another thread may be reading.
    """

    sslsocket_class = _TimedTls

    def set_alpn_protocols(self, alpn_protocols: Any) -> None:  # noqa: ANN401 - as the context's
        """Leave them as they are."""


@functools.cache
def _trust() -> ssl.SSLContext:
    """Read what the system trusts, SSL_CERT_FILE and SSL_CERT_DIR included, else certifi's certificates."""
    context = _Trust(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_default_certs(ssl.Purpose.SERVER_AUTH)
    if not context.cert_store_stats()["x509"] and not _has_certificates(
        ssl.get_default_verify_paths().capath
    ):
        context.load_verify_locations(certifi.where())
    ssl.SSLContext.set_alpn_protocols(context, ["http/1.1"])
    return context


def _has_certificates(directory: str | None) -> bool:
    """Whether OpenSSL would find certificates there; it reads them one by one, when it needs them."""
    return directory is not None and any(_HASHED.fullmatch(file.name) for file in Path(directory).iterdir())


_trust_lock = threading.Lock()


def trust() -> ssl.SSLContext:
    """Give what every connection of the process trusts."""
    with _trust_lock:
        return _trust()


class _Connection(HTTPConnection):
    """Looks the name up and connects within the call's time; writes only what may still be written."""

    def _new_conn(self) -> socket.socket:
        timeout = self.timeout if isinstance(self.timeout, int | float) else None
        try:
            ends = time.monotonic() + seconds_left(timeout)
            made = _connect(_addresses(self._dns_host, self.port, ends), ends, self.socket_options or ())
        except socket.gaierror as error:
            raise NameResolutionError(self.host, self, error) from error
        except OSError as error:
            raise NewConnectionError(self, f"no connection: {error}") from error
        sys.audit("http.client.connect", self, self.host, self.port)
        return made

    def request(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - as urllib3's
        """See urllib3's."""
        if self.sock is None:
            self.connect()
        with permission_to_write() as refused:
            if refused is not None:
                raise NewConnectionError(self, refused)
            super().request(*args, **kwargs)


class _TlsConnection(_Connection, HTTPSConnection):
    """The same over TLS."""


_Address = tuple[socket.AddressFamily, Any]


def _addresses(host: str, port: int, ends: float) -> list[_Address]:
    """Look a host up in a thread of its own: the system's resolver takes no time limit."""
    try:
        version = ipaddress.ip_address(host.strip("[]")).version
    except ValueError:
        pass
    else:
        return [(socket.AF_INET6 if version == 6 else socket.AF_INET, (host.strip("[]"), port))]  # noqa: PLR2004 - IP's
    found: list[list[_Address] | OSError] = []

    def look_up() -> None:
        try:
            every = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            found.append([(family, address) for family, _, _, _, address in every])
        except (OSError, UnicodeError) as error:
            found.append(error if isinstance(error, OSError) else OSError(str(error)))

    thread = threading.Thread(target=look_up, name="look-up", daemon=True)
    thread.start()
    thread.join(max(0.0, min(ends - time.monotonic(), threading.TIMEOUT_MAX)))
    if not found:
        raise TimeoutError(f"the look-up of {host} took too long")
    if isinstance(found[0], OSError):
        raise found[0]
    return found[0]


def _connect(addresses: list[_Address], ends: float, options: Any) -> socket.socket:  # noqa: ANN401 - as urllib3's
    """Connect to the first address that answers, all of them within the time."""
    failed: OSError = OSError("the host has no address")
    for family, address in addresses:
        made = _Timed(family, socket.SOCK_STREAM)
        try:
            for option in options:
                made.setsockopt(*option)
            left = ends - time.monotonic()
            if left <= 0:
                raise TimeoutError("it took too long")
            made.settimeout(None if left == float("inf") else left)
            made.connect(address)
        except OSError as error:
            made.close()
            failed = error
        else:
            return made
    raise failed


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _TlsConnection


class Adapter(HTTPAdapter):
    """Makes the connections of a session; verification is on and can't be switched off."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - as requests'
        """Use our own pools."""
        super().init_poolmanager(*args, **kwargs)
        _use_own_pools(self.poolmanager)

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:  # noqa: ANN401 - as requests'
        """Use them on the way through a proxy, too."""
        return _use_own_pools(super().proxy_manager_for(proxy, **kwargs))

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:  # noqa: ANN401 - as requests'
        """Give a pool of TLS connections what is trusted; requests would have each connection read a file."""
        del verify, cert
        if url.lower().startswith("https"):
            conn.cert_reqs = "CERT_REQUIRED"
            conn.conn_kw["ssl_context"] = trust()


def _use_own_pools(manager: Any) -> Any:  # noqa: ANN401 - urllib3's
    manager.pool_classes_by_scheme = {"http": _Pool, "https": _TlsPool}
    return manager


def make_adapter(_prefix: str, _tls_min_version: str | None = None, pool_size: int | None = None) -> Adapter:
    """Take the place of `DaraCore.get_adapter`, which reads all certificates for each session, HTTP's too."""
    return Adapter(pool_connections=_POOLS, pool_maxsize=pool_size or _CONNECTIONS)
