"""How long a sender over HTTP waits for a cold start, by the share of a vCPU that the function has.

What is measured is CPU time, which hardly depends on what else the machine does: until the function is
initialized, and until its answer is there. The artifact is started anew each time, with byte code, over
HTTPS, against a local ECS whose stops take half a minute; the least of several rounds counts. Divided by the
share that FC gives, it is the time that passes. FC's own part of a cold start, its scheduling and the loading
of the code, can't be measured here and comes on top.
"""

import json
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import certifi

from function.invocation import HTTP_SECONDS
from local.artifact import RUNTIMES, build, find_interpreter
from local.emulator.backend import LocalEcs, utc_now
from local.emulator.fleet import Fleet
from local.emulator.functions import LocalFunctions
from local.emulator.server import serve
from local.emulator.tls import make_tls

ROUNDS = 9
SHARES = (0.05, 0.1, 0.2, 0.35, 0.5, 1.0)
SENDER_SECONDS = 5.0
"""What CloudMonitor and ARMS wait for an answer (their pages about callbacks and webhooks)."""
TOKEN = "emulator-alarm-token"  # noqa: S105 - of the local ECS
INSTANCE = {
    "InstanceId": "i-bp1dev",
    "Tags": {"Tag": [{"TagKey": "auto-stop", "TagValue": "true"}]},
    "x-emulator": {"StopSeconds": 30},
}
EVENT = json.dumps(
    {
        "rawPath": "/",
        "headers": {"X-Alarm-Token": TOKEN},
        "body": json.dumps({"InstanceId": INSTANCE["InstanceId"]}),
        "requestContext": {"http": {}},
    }
)

# What FC's own start-up does is left out, as is `site` (-S).
START = """
import sys, time
sys.path.insert(0, {code!r})
import index
class function: name, timeout = "stop-guard", 60
class context: request_id, region, account_id = "r", "cn-hangzhou", "1234567890123456"
context.function = function
index.initialize(context)
started = time.process_time()
answer = index.handler(sys.stdin.buffer.read(), context)
print(started, time.process_time(), answer["statusCode"])
"""


@dataclass(frozen=True, slots=True)
class Cost:
    """CPU seconds until the function was initialized, and until its answer was there."""

    started: float
    answered: float


def start(python: Path, code: Path, trusted: Path, endpoint: str, *, fan_out: bool) -> Cost:
    """Start once, with one event over HTTP."""
    environment = {
        "PYTHONPATH": str(code / "python"),
        "PYTHONDONTWRITEBYTECODE": "1",
        "ALIBABA_CLOUD_ACCESS_KEY_ID": "emulator",
        "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "emulator",
        "ALARM_TOKEN": TOKEN,
        "ECS_ENDPOINT": endpoint,
        "FAN_OUT_ENDPOINT": endpoint,
        "FAN_OUT": str(fan_out).lower(),
        "SSL_CERT_FILE": str(trusted),
    }
    done = subprocess.run(  # noqa: S603 - a Python of this machine and code from here
        [str(python), "-s", "-S", "-c", START.format(code=str(code))],
        cwd="/",
        env=environment,
        input=EVENT,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    started, answered, status = done.stdout.splitlines()[-1].split()
    if int(status) != (202 if fan_out else 200):
        raise SystemExit(f"answered with {status}:\n{done.stdout}")
    return Cost(float(started), float(answered))


def measure(python: Path, code: Path, place: Path) -> Mapping[bool, Cost]:
    """Start several times, in turns; give the least for each."""
    issuer, trusted = place / "issuer.pem", place / "trusted.pem"
    tls = make_tls(issuer)
    trusted.write_bytes(Path(certifi.where()).read_bytes() + issuer.read_bytes())
    costs: dict[bool, list[Cost]] = {True: [], False: []}
    for _ in range(ROUNDS):
        for fan_out, own in costs.items():
            ecs = LocalEcs(Fleet.from_instances([INSTANCE]), now=utc_now)
            with serve(ecs, LocalFunctions(), tls=tls) as endpoint:
                own.append(start(python, code, trusted, endpoint, fan_out=fan_out))
    return {
        fan_out: Cost(min(cost.started for cost in own), min(cost.answered for cost in own))
        for fan_out, own in costs.items()
    }


def main() -> None:
    """Build, measure, print."""
    runtime = next(runtime for runtime in RUNTIMES.values() if find_interpreter(runtime))
    python = find_interpreter(runtime)
    assert python is not None  # noqa: S101 - `host` finds at least this interpreter
    with TemporaryDirectory() as made:
        place = Path(made)
        build(runtime, place / "code", byte_code=True)
        costs = measure(python, place / "code", place)
    started = min(cost.started for cost in costs.values())
    handed_on = costs[True].answered
    print(f"A cold start by an event over HTTP: {os.path.realpath(python)}, the least of {ROUNDS} rounds")
    print(
        f"CPU s: initialized {started:.2f}, handed on (202) {handed_on:.2f}, "
        f"stopping (200) {costs[False].answered:.2f}"
    )
    print(
        f"vCPU   initialized   202 with FAN_OUT   200 at the latest   (a sender waits {SENDER_SECONDS:.0f} s)"
    )
    for share in SHARES:
        begin = started / share
        print(f"{share:4}{begin:12.1f} s{handed_on / share:17.1f} s{begin + HTTP_SECONDS:18.1f} s")


if __name__ == "__main__":
    main()
