"""How calls travel: whom they trust, and that each of them ends in time, whatever it waits for."""

import json
import os
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from queue import SimpleQueue
from threading import Event, Thread

import pytest

from function.cloud.runtime import Threads
from function.model.errors import ClientCode
from function.model.ports import Pool
from local.emulator.backend import LocalEcs
from local.emulator.fleet import Fleet
from local.emulator.server import serve
from local.emulator.tls import make_tls
from tests.function.cloud.asking import INSTANCE, ask

# What asks in a process of its own, which reads the environment's certificates once.
ASK = """
import json, sys
from tests.function.cloud.asking import ask
print(json.dumps([ask(endpoint) for endpoint in sys.argv[1:]]))
"""


def run_alone(endpoint: str, script: str, trusted: Path) -> subprocess.Popen[str]:
    """Run a script in a new process that one can talk to."""
    return subprocess.Popen(
        [sys.executable, "-c", script, endpoint],
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": os.pathsep.join(sys.path),
            "SSL_CERT_FILE": str(trusted),
        },
        cwd=Path(__file__).parents[3],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def ask_alone(*endpoints: str, script: str = ASK, **environment: str) -> list[str]:
    """Ask in a new process with this environment."""
    done = subprocess.run(
        [sys.executable, "-c", script, *endpoints],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(sys.path), **environment},
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    answers: list[str] = json.loads(done.stdout)
    return answers


@contextmanager
def serving(tls: ssl.SSLContext) -> Iterator[str]:
    """Serve a local ECS with one instance over TLS."""
    fleet = Fleet.from_instances([{"InstanceId": INSTANCE}])
    with serve(LocalEcs(fleet), tls=tls) as endpoint:
        yield endpoint


def test_what_the_system_trusts_is_trusted_and_nothing_else(tmp_path: Path) -> None:
    """A company's own issuer in SSL_CERT_FILE is; not a wrong name, an expired one, or an unknown issuer."""
    made: Mapping[str, ssl.SSLContext] = {
        "own": make_tls(tmp_path / "own.pem"),
        "wrong name": make_tls(tmp_path / "wrong name.pem", ["ecs.example"]),
        "expired": make_tls(tmp_path / "expired.pem", lasts=timedelta(hours=-1)),
        "unknown": make_tls(tmp_path / "unknown.pem"),
    }
    trusted = tmp_path / "trusted.pem"
    trusted.write_bytes(
        b"".join((tmp_path / f"{name}.pem").read_bytes() for name in ("own", "wrong name", "expired"))
    )
    with ExitStack() as stack:
        endpoints = [stack.enter_context(serving(tls)) for tls in made.values()]
        answers = ask_alone(*endpoints, SSL_CERT_FILE=str(trusted))
        refused = "Client.NoAnswer: no usable answer came to ecs:StopInstance (SSLError)"
        assert dict(zip(made, answers, strict=True)) == {
            "own": "stopped",
            "wrong name": refused,
            "expired": refused,
            "unknown": refused,
        }
        assert ask_alone(endpoints[0]) == [refused]


def test_a_directory_of_certificates_is_trusted(tmp_path: Path) -> None:
    """SSL_CERT_DIR has one file for each issuer, named by OpenSSL's hash of it."""
    tls = make_tls(tmp_path / "own.pem")
    # Files whose hash is not known here: OpenSSL asks for its own name of the issuer, so give it that.
    named = subprocess.run(
        ["openssl", "x509", "-hash", "-noout", "-in", str(tmp_path / "own.pem")],  # noqa: S607 - the system's
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    directory = tmp_path / "certs"
    directory.mkdir()
    (tmp_path / "own.pem").rename(directory / f"{named}.0")
    with serving(tls) as endpoint:
        answers = ask_alone(endpoint, SSL_CERT_DIR=str(directory), SSL_CERT_FILE=str(tmp_path / "none"))
        script = (
            "import json; from function.cloud.transport import trust\n"
            "print(json.dumps(trust().get_ca_certs()))"
        )
        elsewhere = ask_alone(
            script=script, SSL_CERT_DIR=str(directory), SSL_CERT_FILE=str(tmp_path / "none")
        )
    assert answers == ["stopped"]
    assert elsewhere == []


def test_certifi_is_trusted_where_the_system_has_nothing(tmp_path: Path) -> None:
    """Without any certificate of the system, those that come along are used, read once."""
    script = (
        "import json; from function.cloud.transport import trust\n"
        "print(json.dumps([str(trust() is trust()), str(trust().cert_store_stats()['x509_ca'] > 50)]))"
    )
    nothing = str(tmp_path / "none")
    assert ask_alone(script=script, SSL_CERT_FILE=nothing, SSL_CERT_DIR=nothing) == ["True", "True"]


MANY = """
import json, sys
from function.cloud.runtime import Threads
from tests.function.cloud.asking import ask
from function.cloud.transport import trust
pool, answers = Threads().pool(ask, limit=16), []
for address in sys.argv[1:] * 64:
    pool.submit(address)
while len(answers) < 64:
    answers += [str(answer) for _, answer in pool.wait(60)]
print(json.dumps([*answers, str(trust().session_stats()["connect_good"])]))
"""


def test_many_threads_share_what_is_trusted(tmp_path: Path) -> None:
    """Sixteen threads that connect at once, with no session and no certificates read before, get through."""
    with serving(make_tls(tmp_path / "own.pem")) as endpoint:
        answers = ask_alone(endpoint, script=MANY, SSL_CERT_FILE=str(tmp_path / "own.pem"))
    *answers, handshakes = answers
    assert len(answers) == 64
    assert 1 <= int(handshakes) <= 16
    assert answers.count("stopped") == 1
    assert all("IncorrectInstanceStatus" in answer for answer in answers if answer != "stopped")


@contextmanager
def peer(talk: Callable[[socket.socket, Event], None]) -> Iterator[tuple[str, Event]]:
    """Accept connections and talk on each by a thread; the event ends them."""
    over = Event()
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        server.settimeout(0.05)

        def accept() -> None:
            while not over.is_set():
                try:
                    connection, _ = server.accept()
                except TimeoutError:
                    continue
                Thread(target=talk, args=(connection, over), daemon=True).start()

        thread = Thread(target=accept)
        thread.start()
        try:
            yield f"127.0.0.1:{server.getsockname()[1]}", over
        finally:
            over.set()
            thread.join()


def drip(connection: socket.socket, over: Event) -> None:
    """Answer a byte at a time, each of them in time."""
    with connection:
        connection.recv(65_536)
        for byte in b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + b" " * 100_000:
            if over.wait(0.1):
                return
            try:
                connection.send(bytes([byte]))
            except OSError:
                return


def say_nothing(connection: socket.socket, over: Event) -> None:
    """Accept, and answer nothing, no TLS either."""
    with connection:
        over.wait()


@pytest.mark.parametrize(("scheme", "talk"), [("http", drip), ("http", say_nothing), ("https", say_nothing)])
def test_a_call_ends_in_its_time(scheme: str, talk: Callable[[socket.socket, Event], None]) -> None:
    """Neither a dripping answer nor a handshake without an answer holds a call longer than it may take."""
    with peer(talk) as (address, _):
        began = time.monotonic()
        said = ask(f"{scheme}://{address}", seconds=0.6)
        took = time.monotonic() - began
    assert said.startswith(ClientCode.NO_ANSWER)
    assert took < 3


SLOW_NAMES = """
import json, socket, sys, threading
real, ended = socket.getaddrinfo, threading.Event()
def slow(*args, **kwargs):
    ended.wait()
    return real(*args, **kwargs)
socket.getaddrinfo = slow
from tests.function.cloud.asking import ask
said = ask(sys.argv[1], seconds=0.5)
ended.set()  # now the name becomes known, and nobody waits for it any more
for thread in threading.enumerate():
    if thread.name == "look-up":
        thread.join()
print(json.dumps([said.partition(":")[0]]))
"""


def test_a_slow_resolver_takes_no_longer_than_the_call(tmp_path: Path) -> None:
    """The call ends in its time and is not sent afterwards, when the name is known at last."""
    ecs = LocalEcs(Fleet.from_instances([{"InstanceId": INSTANCE}]))
    with serve(ecs) as endpoint:
        answers = ask_alone(endpoint.replace("127.0.0.1", "localhost"), script=SLOW_NAMES, HOME=str(tmp_path))
    assert answers == [str(ClientCode.NO_CONNECTION)]
    assert ecs.calls == ()


def shake_hands_late(
    tls: ssl.SSLContext, heard: "SimpleQueue[bytes]", wait: Callable[[], object]
) -> Callable[[socket.socket, Event], None]:
    """Accept at once, shake hands when the wait is over, and note what is written then."""

    def talk(connection: socket.socket, _over: Event) -> None:
        wait()
        written = b""
        # Whoever closes right after the handshake may do so before its last message has gone out here.
        with (
            suppress(ConnectionResetError),
            connection,
            tls.wrap_socket(connection, server_side=True) as secure,
        ):
            written = secure.recv(10)
        heard.put(written)

    return talk


LATE = """
import json, sys
from tests.function.cloud.asking import ask
print(json.dumps([ask(sys.argv[1], fresh_seconds=0.1)]))
"""


def test_a_stop_is_not_written_to_a_connection_that_stood_too_late(tmp_path: Path) -> None:
    """While the handshake takes its time, the look that the stop rests on grows old: it is not sent."""
    heard: SimpleQueue[bytes] = SimpleQueue()
    talk = shake_hands_late(make_tls(tmp_path / "own.pem"), heard, lambda: Event().wait(0.2))
    with peer(talk) as (address, _):
        (said,) = ask_alone(f"https://{address}", script=LATE, SSL_CERT_FILE=str(tmp_path / "own.pem"))
    assert said.startswith(ClientCode.NO_CONNECTION)
    assert heard.get(timeout=30) == b""


CLOSED = """
import sys, threading
from function.cloud.runtime import Threads
from tests.function.cloud.asking import ask
said = []
pool = Threads().pool(lambda endpoint: said.append(ask(endpoint)), limit=1)
pool.submit(sys.argv[1])
sys.stdin.readline()
pool.close()
print("closed", flush=True)
for thread in threading.enumerate():
    if thread.name == "call":
        thread.join(10)
print(*said)
"""


def test_nothing_is_written_once_the_pool_is_closed(tmp_path: Path) -> None:
    """A call whose connection stands only after the run has ended, by whatever error, is never sent."""
    heard: SimpleQueue[bytes] = SimpleQueue()
    connected, closed = Event(), Event()

    def wait() -> None:
        connected.set()
        closed.wait(30)

    talk = shake_hands_late(make_tls(tmp_path / "own.pem"), heard, wait)
    with peer(talk) as (address, _), run_alone(f"https://{address}", CLOSED, tmp_path / "own.pem") as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert connected.wait(60)
        print(file=process.stdin, flush=True)
        assert process.stdout.readline() == "closed\n"
        closed.set()
        said = process.stdout.read()
    assert said.startswith(ClientCode.NO_CONNECTION)
    assert heard.get(timeout=30) == b""


def test_a_slow_call_holds_no_other() -> None:
    """While one answer drips, the others have theirs."""
    ecs = LocalEcs(Fleet.from_instances([{"InstanceId": INSTANCE}]))
    with peer(drip) as (address, _), serve(ecs) as endpoint:
        began = time.monotonic()
        pool: Pool[str, str] = Threads().pool(lambda one: ask(one, seconds=3), limit=2)
        for one in (f"http://{address}", endpoint):
            pool.submit(one)
        assert pool.wait(30) == [(endpoint, "stopped")]
        assert time.monotonic() - began < 3
