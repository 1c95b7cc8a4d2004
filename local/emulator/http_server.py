"""A WSGI application on a port: werkzeug's threads, connections that stay open, no traces printed."""

import io
import re
import select
import socket
import struct
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from http import HTTPStatus
from ssl import SSLContext
from typing import TYPE_CHECKING

from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler
from werkzeug.test import run_wsgi_app
from werkzeug.wrappers import Response

from local.api.api_error import ApiError, ConnectionLost, unreadable
from local.api.error_table import INTERNAL_ERROR

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

MAX_BODY = 1 << 20
"""Bytes of a request's body."""

_LINE_END = b"\r\n"
_CHUNK_SIZE = re.compile(rb"([0-9A-Fa-f]{1,8})\r\n")
_MAX_SIZE_LINE = 20
"""Bytes: eight digits, the line's end, and some more by which a longer one is told."""

LINGER_SECONDS = 1
"""How long a refused client may be silent before its connection is closed."""


_CLOSED = getattr(select, "POLLRDHUP", select.POLLHUP)
"""The other side will send no more; Linux has a name of its own for that."""

HUNG_UP = "local.hung_up"
"""In the WSGI environment: a function that tells whether the client has closed the connection."""

Refused = Callable[[ApiError], Response]
"""Answers what is no request at all, or what was answered by a mistake here."""


class _Handler(WSGIRequestHandler):
    """Serves requests on kept-alive connections.

    werkzeug's own `run_wsgi` closes the connection after each answer and waits 10 ms for leftovers before;
    the SDKs keep theirs open. Here the body is read whole first, so nothing is ever left over.
    """

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: "_Server"

    def setup(self) -> None:
        """Have the server know the connection, which outlives a single request.

        TLS begins here, in the connection's own thread: a client that says nothing keeps no other waiting.
        """
        if self.server.tls is not None:
            self.request = self.server.tls.wrap_socket(self.request, server_side=True)
        super().setup()
        self.server.connections.add(self.connection)

    def finish(self) -> None:
        """Have the server forget the connection; it closes what it has accepted, not TLS's socket on it."""
        self.server.connections.discard(self.connection)
        super().finish()
        if self.server.tls is not None:
            self.connection.close()

    def run_wsgi(self) -> None:
        """Answer one request and leave the connection open unless the client asked otherwise."""
        body = self._body()
        if isinstance(body, HTTPStatus):
            self.send_error(body)
        else:
            self._serve(body)

    def _body(self) -> bytes | HTTPStatus:
        """Read the request's body, or say what is wrong with it."""
        length, *more = self.headers.get_all("Content-Length", ["0"])
        if more:
            return HTTPStatus.BAD_REQUEST
        if "Transfer-Encoding" in self.headers:
            return self._chunks()
        if not (length.isascii() and length.isdigit()):
            return HTTPStatus.LENGTH_REQUIRED
        if len(length) > 9 or int(length) > MAX_BODY:  # noqa: PLR2004 - digits, more than MAX_BODY has
            return HTTPStatus.REQUEST_ENTITY_TOO_LARGE
        body = self.rfile.read(int(length))
        return body if len(body) == int(length) else HTTPStatus.BAD_REQUEST

    def _chunks(self) -> bytes | HTTPStatus:
        """Read a body in chunks, which is how the Node.js SDK sends an event to FC.

        werkzeug's own reader takes a chunk that ends early for a whole one.
        """
        if [each.lower() for each in self.headers.get_all("Transfer-Encoding", [])] != ["chunked"]:
            return HTTPStatus.NOT_IMPLEMENTED
        if "Content-Length" in self.headers:
            return HTTPStatus.BAD_REQUEST
        body = b""
        while True:
            size = _CHUNK_SIZE.fullmatch(self.rfile.readline(_MAX_SIZE_LINE))
            if size is None:
                return HTTPStatus.BAD_REQUEST
            length = int(size[1], 16)
            if len(body) + length > MAX_BODY:
                return HTTPStatus.REQUEST_ENTITY_TOO_LARGE
            chunk = self.rfile.read(length + len(_LINE_END))
            if len(chunk) < length + len(_LINE_END) or not chunk.endswith(_LINE_END):
                return HTTPStatus.BAD_REQUEST
            if length == 0:
                return body
            body += chunk.removesuffix(_LINE_END)

    def _serve(self, body: bytes) -> None:
        try:
            environ = self.make_environ()
        except ValueError:  # the request's target, of which anything may have been sent
            self.send_error(HTTPStatus.BAD_REQUEST)
            return
        environ["wsgi.input"] = io.BytesIO(body)
        environ["wsgi.url_scheme"] = "http" if self.server.tls is None else "https"
        environ[HUNG_UP] = self._hung_up
        try:
            answer = run_wsgi_app(self.server.app, environ)
        except ConnectionLost:
            self._reset()
        except Exception:  # noqa: BLE001 - a mistake here; clients hear of it as they would from ECS
            self._refuse(ApiError(*INTERNAL_ERROR))
        else:
            self._send(*answer)

    def _hung_up(self) -> bool:
        """Tell whether the client has closed the connection; what it sends meanwhile stays unread."""
        try:
            looked_for = select.poll()
            looked_for.register(self.connection, _CLOSED)
            return bool(looked_for.poll(0))
        except (OSError, ValueError):
            return True

    def _send(self, body: Iterable[bytes], status: str, headers: Iterable[tuple[str, str]]) -> None:
        code, _, phrase = status.partition(" ")
        self.send_response(int(code), phrase)
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(b"".join(body))

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:  # noqa: ARG002 - http.server's
        """Answer what HTTP itself has something against, in the API's form, and close the connection."""
        self._refuse(unreadable(code))

    def _refuse(self, error: ApiError) -> None:
        response = self.server.refused(error)
        response.headers["Connection"] = "close"  # send_header sees it, and closes
        self._send([response.get_data()], response.status, response.headers)
        with suppress(OSError):
            # While the client is still sending, a close would reset the connection and lose the answer.
            self.connection.shutdown(socket.SHUT_WR)
            self.connection.settimeout(LINGER_SECONDS)
            while self.rfile.read1(MAX_BODY):
                pass

    def _reset(self) -> None:
        """Close the connection so that the client sees a reset (RST), not an orderly end."""
        self.close_connection = True
        self.server.connections.discard(self.connection)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        socket.close(self.connection.detach())

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing; werkzeug would read the request's target here, and raise where that is malformed."""

    def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002 - werkzeug's name
        """Say nothing; LocalEcs remembers the calls."""


class _Server(ThreadedWSGIServer):
    def __init__(
        self, host: str, port: int, app: "WSGIApplication", refused: Refused, tls: SSLContext | None
    ) -> None:
        self.refused = refused
        self.tls = tls
        self.connections: set[socket.socket] = set()
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        # werkzeug leaves the process when the port is taken; this raises OSError.
        with socket.create_server((host, port), family=family, backlog=128) as listening:
            super().__init__(host, port, app, _Handler, fd=listening.fileno())

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing, where werkzeug prints a trace: what clients do is no business of the terminal."""

    def server_close(self) -> None:
        """Close the port and every connection, kept-alive ones too: no call arrives any more."""
        super().server_close()
        for connection in tuple(self.connections):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue


@contextmanager
def listen(
    host: str, port: int, app: "WSGIApplication", refused: Refused, *, tls: SSLContext | None = None
) -> Iterator[str]:
    """Serve an application in threads of its own; yield `http://HOST:PORT`. `port` 0: a free one.

    With `tls` it is `https://…`. Raise OSError if the port is taken.
    """
    server = _Server(host, port, app, refused, tls)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"{'http' if tls is None else 'https'}://{f'[{host}]' if ':' in host else host}:{server.port}"
    finally:
        server.shutdown()
        thread.join()
