"""What a cold start costs, until StopInstance is on the wire: the artifact's against a plain handler's.

Both run in turns, as Function Compute would start them, against a server in this process that answers
DescribeInstances. When StopInstance arrives the measured process is killed: what it has used by then is
the kernel's own account (`wait4`). Ratios are medians over the pairs of runs; they hold better than the
figures, which depend on the machine.
"""

import json
import os
import resource
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from statistics import median

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
"""

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
    peak_megabytes: float


@dataclass(frozen=True, slots=True)
class Code:
    """A code directory to start from, and the size of its zip file."""

    name: str
    byte_code: bool
    directory: Path
    zip_megabytes: float


class Server(ThreadingHTTPServer):
    """Answers DescribeInstances; says when StopInstance has arrived, and does not answer it."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.stop_arrived = threading.Event()
        self.arrival = 0.0


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("content-length") or 0))
        if self.headers["x-acs-action"] == "StopInstance":
            self.server.arrival = time.monotonic()
            self.server.stop_arrived.set()
            self.rfile.read(1)  # until the process is killed: it must not go on with a lost connection
            self.close_connection = True
            return
        body = json.dumps(DESCRIBED).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Keep the output clean."""


def start(python: Path, code: Code, server: Server) -> Cost:
    """Start once; gives the cost until StopInstance arrived."""
    server.stop_arrived.clear()
    environment = {
        "PYTHONPATH": str(code.directory / "python"),
        "PYTHONDONTWRITEBYTECODE": "1",
        "ALIBABA_CLOUD_ACCESS_KEY_ID": "id",
        "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "secret",
        "ALIBABA_CLOUD_SECURITY_TOKEN": "token",
        "ECS_ENDPOINT": f"http://127.0.0.1:{server.server_port}",
    }
    command = [str(python), "-s", "-S", "-c", START.format(code=str(code.directory), event=EVENT)]
    began = time.monotonic()
    process = subprocess.Popen(  # noqa: S603 - a Python of this machine and code from here
        command, cwd="/", env=environment, stdout=subprocess.DEVNULL
    )
    while not (arrived := server.stop_arrived.wait(0.05)) and not _has_ended(process.pid):
        pass
    os.kill(process.pid, signal.SIGKILL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)  # so that `process` need not ask
    if not arrived:
        raise SystemExit(f"{code.name} ended without a StopInstance")
    return Cost(
        cpu_seconds=used.ru_utime + used.ru_stime,
        wall_seconds=server.arrival - began,
        peak_megabytes=used.ru_maxrss * 1024 / 1e6,
    )


def _has_ended(pid: int) -> bool:
    """Look without taking the account that `wait4` will give."""
    return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


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


def measure(python: Path, codes: Sequence[Code]) -> dict[Code, list[Cost]]:
    """Start each in turn, many times."""
    costs: dict[Code, list[Cost]] = {code: [] for code in codes}
    with Server() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        for _ in range(ROUNDS):
            for code in codes:
                costs[code].append(start(python, code, server))
        server.shutdown()
    return costs


def table(costs: Mapping[Code, Sequence[Cost]]) -> Iterator[str]:
    """Give the lines of the table; each ratio is to the plain handler of the same kind and round."""
    yield "               byte code   CPU s  ratio  wall s  ratio  peak MB  zip MB"
    for code, own in costs.items():
        plain = next(theirs for other, theirs in costs.items() if other.byte_code == code.byte_code)
        cpu = median(cost.cpu_seconds for cost in own)
        cpu_ratio = median(a.cpu_seconds / b.cpu_seconds for a, b in zip(own, plain, strict=True))
        wall = median(cost.wall_seconds for cost in own)
        wall_ratio = median(a.wall_seconds / b.wall_seconds for a, b in zip(own, plain, strict=True))
        peak = median(cost.peak_megabytes for cost in own)
        yield (
            f"{code.name:15}{'yes' if code.byte_code else 'no':>10}{cpu:8.2f}{cpu_ratio:7.2f}"
            f"{wall:8.2f}{wall_ratio:7.2f}{peak:9.0f}{code.zip_megabytes:8.1f}"
        )


def main() -> None:
    """Build, measure, print."""
    runtime = next(runtime for runtime in RUNTIMES.values() if find_interpreter(runtime))
    python = find_interpreter(runtime)
    assert python is not None  # noqa: S101 - `host` finds at least this interpreter
    with tempfile.TemporaryDirectory() as place:
        # In a process of its own: a child's peak memory starts from that of the process that starts it.
        with ProcessPoolExecutor(1) as pool:
            codes = pool.submit(make_codes, runtime, Path(place)).result()
        costs = measure(python, codes)
    print(f"A cold start until StopInstance is on the wire: {python}, medians of {ROUNDS} rounds")
    print("\n".join(table(costs)))
    print("Aimed at: ratios of 0.75 with and 0.50 without byte code, 64 MB, and 8 MB zipped without")
    own_peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
    if own_peak >= min(cost.peak_megabytes for those in costs.values() for cost in those):
        print(f"The peaks can't be told from this process's own ({own_peak:.0f} MB)")


if __name__ == "__main__":
    main()
