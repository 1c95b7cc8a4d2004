"""What a cold start costs, until StopInstance is answered: the artifact's against a plain handler's.

Both run in turns, as Function Compute would start them, over HTTPS and over HTTP, against a server in this
process. It has a certificate of its own, whose issuer stands in SSL_CERT_FILE beside all those of certifi, as
it would in a system's store; both verify it. What the process has used when its handler is done is the
kernel's own account. Ratios are medians over the pairs of runs; they hold better than the figures,
which depend on the machine.

    .venv/bin/python bench/cold_start.py [--against DIRECTORY]

With `--against`, another artifact (the `build/` of another commit) takes its turns in the same rounds.
"""

import argparse
import json
import os
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from ssl import SSLContext
from statistics import median
from typing import Any

import certifi

from local.artifact import (
    PROJECT,
    RUNTIMES,
    BuildTarget,
    build,
    compile_all,
    find_interpreter,
    install,
    make_zip,
)
from local.emulator.tls import make_tls

ROUNDS = 15
NOT_THE_SDK = {"annotated-types", "pydantic", "pydantic-core", "typing-inspection"}
INSTANCE = "i-bp67acfmxazb4ph001"
EVENT = json.dumps({"InstanceId": INSTANCE})

# What FC's own start-up does is the same for every handler and is left out, as is `site` (-S).
START = """
import sys
sys.path.insert(0, {code!r})
import index
class function: name, timeout = "stop-guard", 60
class context: request_id, region, account_id = "r", "cn-hangzhou", "1234567890123456"
context.function = function
if hasattr(index, "initialize"):
    index.initialize(context)
index.handler(b'{event}', context)
import os
with open("/proc/self/status") as status:
    os.write(2, next(line for line in status if line.startswith("VmHWM:")).encode())
os._exit(0)
"""

RATIO_AIMS = {("https", True): 0.42, ("https", False): 0.28, ("http", True): 0.45, ("http", False): 0.30}
"""Of CPU and wall time to the plain handler's, by scheme, with byte code and without."""

PEAK_AIMS = {True: 41, False: 46}
"""MiB, with byte code and without."""

DESCRIBED = {
    "RequestId": "R",
    "Instances": {
        "Instance": [
            {
                "InstanceId": INSTANCE,
                "RegionId": "cn-hangzhou",
                "InstanceType": "ecs.g7.large",
                "InstanceTypeFamily": "ecs.g7",
                "Status": "Running",
                "LocalStorageAmount": 0,
                "LocalStorageCapacity": 0,
                "Tags": {"Tag": [{"TagKey": "auto-stop", "TagValue": "true"}]},
            }
        ]
    },
}


@dataclass(frozen=True, slots=True)
class Cost:
    """What one start took."""

    cpu_seconds: float
    wall_seconds: float
    peak_mebibytes: float


@dataclass(frozen=True, slots=True)
class Code:
    """A code directory to start from, and the size of its zip file."""

    name: str
    byte_code: bool
    directory: Path
    zip_megabytes: float


class Server(ThreadingHTTPServer):
    """Answers DescribeInstances and StopInstance, and counts the stops."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, tls: SSLContext | None = None) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.endpoint = f"{'http' if tls is None else 'https'}://127.0.0.1:{self.server_port}"
        self.stops = 0
        self._tls = tls

    def finish_request(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 - the base class's
        """Begin TLS in the connection's own thread."""
        if self._tls is not None:
            request = self._tls.wrap_socket(request, server_side=True)
        super().finish_request(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("content-length") or 0))
        stop = self.headers["x-acs-action"] == "StopInstance"
        self.server.stops += stop
        body = json.dumps({"RequestId": "R"} if stop else DESCRIBED).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Keep the output clean."""


def start(python: Path, code: Code, server: Server, trusted: Path) -> Cost:
    """Start once; gives the cost until the handler was done."""
    before = server.stops
    environment = {
        "PYTHONPATH": str(code.directory / "python"),
        "PYTHONDONTWRITEBYTECODE": "1",
        "ALIBABA_CLOUD_ACCESS_KEY_ID": "id",
        "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "secret",
        "ALIBABA_CLOUD_SECURITY_TOKEN": "token",
        "ECS_ENDPOINT": server.endpoint,
        "SSL_CERT_FILE": str(trusted),
        "VERIFY_SECONDS": "0",
    }
    command = [str(python), "-s", "-S", "-c", START.format(code=str(code.directory), event=EVENT)]
    began = time.monotonic()
    process = subprocess.Popen(  # noqa: S603 - a Python of this machine and code from here
        command, cwd="/", env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None  # noqa: S101 - asked for above
    said = process.stderr.read()
    _, status, used = os.wait4(process.pid, 0)
    wall = time.monotonic() - began
    process.returncode = os.waitstatus_to_exitcode(status)  # so that `process` need not ask
    if process.returncode or server.stops == before:
        raise SystemExit(f"{code.name} ended without a StopInstance over {server.endpoint}: {said}")
    return Cost(
        cpu_seconds=used.ru_utime + used.ru_stime,
        wall_seconds=wall,
        peak_mebibytes=int(said.rpartition("VmHWM:")[2].split()[0]) / 1024,
    )


def own_certificate(place: Path) -> tuple[SSLContext, Path]:
    """Make a server's certificate, and a store of all that a system trusts and its issuer."""
    issuer, trusted = place / "issuer.pem", place / "trusted.pem"
    tls = make_tls(issuer)
    trusted.write_bytes(Path(certifi.where()).read_bytes() + issuer.read_bytes())
    return tls, trusted


def make_codes(runtime: BuildTarget, place: Path) -> list[Code]:
    """Build the artifact and the plain handler, each with and without byte code."""
    codes = []
    for byte_code in (True, False):
        plain = place / f"plain-{byte_code}"
        install(runtime, plain / "python", left_out=NOT_THE_SDK)
        shutil.copyfile(PROJECT / "bench" / "plain.py", plain / "index.py")
        interpreter = find_interpreter(runtime)
        if byte_code and interpreter:
            compile_all(interpreter, plain)
        make_zip(plain, plain.with_suffix(".zip"))
        ours = place / f"ours-{byte_code}"
        build(runtime, ours, byte_code=byte_code)
        for name, directory in (("plain handler", plain), ("stop-guard", ours)):
            size = directory.with_name(f"{directory.name}.zip").stat().st_size / 1e6
            codes.append(Code(name, byte_code, directory, size))
    return codes


def other_artifact(directory: Path) -> Code:
    """Take an artifact that is built already, with byte code or without, as it is."""
    size = directory.with_name(f"{directory.name}.zip")
    return Code(
        "the other",
        byte_code=(directory / "__pycache__").is_dir(),
        directory=directory,
        zip_megabytes=size.stat().st_size / 1e6 if size.exists() else 0.0,
    )


def measure(python: Path, codes: Sequence[Code], server: Server, trusted: Path) -> dict[Code, list[Cost]]:
    """Start each in turn, many times."""
    costs: dict[Code, list[Cost]] = {code: [] for code in codes}
    threading.Thread(target=server.serve_forever, daemon=True).start()
    for _ in range(ROUNDS):
        for code in codes:
            costs[code].append(start(python, code, server, trusted))
    server.shutdown()
    return costs


def table(scheme: str, costs: Mapping[Code, Sequence[Cost]]) -> Iterator[str]:
    """Give the lines of the table; each ratio is to the plain handler of the same kind and round."""
    yield f"{scheme.upper():15}byte code   CPU s  ratio  wall s  ratio   aim  peak MiB   aim  zip MB"
    for code, own in costs.items():
        plain = next(theirs for other, theirs in costs.items() if other.byte_code == code.byte_code)
        cpu = median(cost.cpu_seconds for cost in own)
        cpu_ratio = median(a.cpu_seconds / b.cpu_seconds for a, b in zip(own, plain, strict=True))
        wall = median(cost.wall_seconds for cost in own)
        wall_ratio = median(a.wall_seconds / b.wall_seconds for a, b in zip(own, plain, strict=True))
        peak = median(cost.peak_mebibytes for cost in own)
        ours = own is not plain
        ratio_aim = f"{RATIO_AIMS[scheme, code.byte_code]:.2f}" if ours else ""
        peak_aim = str(PEAK_AIMS[code.byte_code]) if ours else ""
        yield (
            f"{code.name:15}{'yes' if code.byte_code else 'no':>9}{cpu:8.2f}{cpu_ratio:7.2f}"
            f"{wall:8.2f}{wall_ratio:7.2f}{ratio_aim:>6}{peak:10.0f}{peak_aim:>6}{code.zip_megabytes:8.1f}"
        )


def main() -> None:
    """Build, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--against", type=Path, metavar="DIRECTORY", help="another artifact's")
    against = parser.parse_args().against
    runtime = next(runtime for runtime in RUNTIMES.values() if find_interpreter(runtime))
    python = find_interpreter(runtime)
    assert python is not None  # noqa: S101 - `host` finds at least this interpreter
    with tempfile.TemporaryDirectory() as place:
        codes = make_codes(runtime, Path(place))
        codes += [other_artifact(against.resolve())] if against else []
        tls, trusted = own_certificate(Path(place))
        print(f"A cold start until StopInstance is answered: {python}, medians of {ROUNDS} rounds")
        for server in (Server(tls), Server()):
            with server:
                costs = measure(python, codes, server, trusted)
            print("\n".join(table(server.endpoint.partition(":")[0], costs)))


if __name__ == "__main__":
    main()
