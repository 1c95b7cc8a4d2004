"""What it takes to stop fleets: calls, time, CPU and memory, against a plain loop and against the limit.

The local ECS runs in a process of its own, and takes 50 ms for each call, over HTTPS with a certificate of
its own where that is said. The run is measured in a fresh process, until every instance is accepted
(VERIFY_SECONDS=0), the plain loop likewise.
"""

import cProfile
import json
import multiprocessing
import os
import pstats
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Generic

import certifi

from function.cloud.runtime import SystemClock, system_ports
from function.model.ports import Item, Pool, Returned, Unfinished, Workers
from local.emulator.backend import LocalEcs, utc_now
from local.emulator.fault_text import parse_fault
from local.emulator.fleet import Fleet
from local.emulator.server import serve
from local.emulator.tls import make_tls
from local.function_compute import FunctionCompute

CALL_SECONDS = 0.05
ACCOUNTS = ("1234567890123456", "2345678901234567", "3456789012345678")
REGIONS = ("cn-hangzhou", "cn-shanghai", "cn-beijing", "cn-shenzhen")
ROLES = tuple(f"acs:ram::{account}:role/stop-guard" for account in ACCOUNTS)
PLAIN_LOOP = Path(__file__).with_name("plain_loop.py")
KEY = {"ALIBABA_CLOUD_ACCESS_KEY_ID": "emulator", "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "emulator"}
SETTINGS = {
    "FC_REGION": "cn-hangzhou",
    "ALLOWED_REGIONS": ",".join(REGIONS),
    "ALLOWED_ROLE_ARNS": ",".join(ROLES),
    "MAX_INSTANCES": "1000000",
    "VERIFY_SECONDS": "0",
} | KEY
SELECTED = {"Tag": [{"Key": "auto-stop", "Value": "true"}]}
QUOTA, SPEED = 300, 20
"""Calls a minute, and how much faster than the machine's the clock of that run goes."""

# The run itself, as FC has it, in a process that imports nothing else; what it used is said at its end.
RUN = """
import json, os, resource, sys, time
from dataclasses import replace
from types import SimpleNamespace
from function.cloud.runtime import system_ports
from function.invocation import FunctionInstance
function = FunctionInstance.prepare(os.environ)
context = SimpleNamespace(request_id="r", region="cn-hangzhou", account_id="1234567890123456",
    function=SimpleNamespace(name="stop-guard", timeout=600))
before = resource.getrusage(resource.RUSAGE_SELF)
began = time.monotonic()
ports = replace(system_ports(), write=lambda line: None)
report = function.invoke(sys.stdin.buffer.read(), context, os.environ, ports)
wall = time.monotonic() - began
after = resource.getrusage(resource.RUSAGE_SELF)
with open("/proc/self/status") as lines:
    peak = next(int(line.split()[1]) << 10 for line in lines if line.startswith("VmHWM"))
print(json.dumps({"summary": report["summary"], "wall": wall, "peak": peak,
    "cpu": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime}))
"""


def fleet(count: int, regions: Sequence[str], accounts: Sequence[str], **fields: object) -> Fleet:
    """Make opted-in instances, in turn in each region of each account."""
    places = [(region, account) for account in accounts for region in regions]
    return Fleet.from_instances(
        [
            {
                "InstanceId": f"i-bp1many{number:06}",
                "RegionId": places[number % len(places)][0],
                "InstanceType": "ecs.g7.large",
                "LocalStorageAmount": 0,
                "Tags": {"Tag": [{"TagKey": "auto-stop", "TagValue": "true"}]},
                "x-emulator": {"AccountId": places[number % len(places)][1]},
                **fields,
            }
            for number in range(count)
        ]
    )


@contextmanager
def cloud(made: Fleet, issuer: Path | None = None) -> Iterator[tuple[str, Callable[[], Counter[str]]]]:
    """Serve it in a process of its own; give the endpoint, and what counts the calls since last asked.

    With `issuer`, a file to write to, over TLS.
    """
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(
        target=_serve, args=(made, theirs, issuer), daemon=True
    )
    process.start()
    endpoint = ours.recv()

    def calls() -> Counter[str]:
        ours.send("calls")
        counted: Counter[str] = ours.recv()
        return counted

    try:
        yield endpoint, calls
    finally:
        process.terminate()
        process.join()


def _serve(made: Fleet, asked: Connection, issuer: Path | None) -> None:
    ecs = LocalEcs(made, faults=[parse_fault(f"*=delay,seconds={CALL_SECONDS}")], remember=1_000_000)
    with serve(ecs, tls=make_tls(issuer) if issuer else None) as endpoint:
        asked.send(endpoint)
        told = 0
        while asked.recv():
            calls = ecs.calls
            asked.send(Counter(call.action for call in calls[told:]))
            told = len(calls)


@dataclass(frozen=True, slots=True)
class Cost:
    """What a run took; `cpu` and `peak` (bytes) are those of the function's process."""

    instances: int
    calls: Counter[str]
    wall: float
    cpu: float
    peak: int


def run(made: Fleet, event: Mapping[str, object], *, tls: bool = False, **settings: str) -> Cost:
    """Stop a fleet, with these settings beside those of all."""
    with (
        TemporaryDirectory() as place,
        cloud(made, Path(place, "issuer") if tls else None) as (endpoint, calls),
    ):
        trusted = Path(place, "trusted")
        trusted.write_bytes(
            Path(certifi.where()).read_bytes() + (Path(place, "issuer").read_bytes() if tls else b"")
        )
        environment = (
            SETTINGS
            | settings
            | {
                "SSL_CERT_FILE": str(trusted),
                "ECS_ENDPOINT": endpoint,
                "STS_ENDPOINT": endpoint,
                "PATH": os.environ["PATH"],
            }
        )
        done = subprocess.run(  # noqa: S603 - this Python, and code from here
            [sys.executable, "-c", RUN],
            input=json.dumps(event),
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
        said = json.loads(done.stdout)
        count = len(made.instances)
        if said["summary"] != {"total": count, "stopping": count}:
            raise SystemExit(f"not every instance was accepted: {said['summary']}")
        return Cost(count, calls(), said["wall"], said["cpu"], said["peak"])


def plain_loop(made: Fleet) -> tuple[float, Counter[str]]:
    """Stop a fleet by the plain loop; gives its wall time and its calls."""
    with cloud(made) as (endpoint, calls):
        ids = json.dumps([instance.instance_id for instance in made.instances])
        began = time.monotonic()
        subprocess.run(  # noqa: S603 - this Python, and code from here
            [sys.executable, str(PLAIN_LOOP)],
            input=ids,
            env=KEY | {"ECS_ENDPOINT": endpoint, "PATH": os.environ["PATH"]},
            text=True,
            check=True,
        )
        return time.monotonic() - began, calls()


@dataclass
class _InlinePool(Generic[Item, Returned]):
    function: Callable[[Item], Returned]
    waiting: list[Item] = field(default_factory=list)

    def submit(self, item: Item) -> None:
        """See `Pool.submit`."""
        self.waiting.append(item)

    def wait(self, seconds: float) -> Sequence[tuple[Item, Returned]]:
        """See `Pool.wait`."""
        del seconds
        items, self.waiting = self.waiting, []
        return [(item, self.function(item)) for item in items]

    def close(self) -> Sequence[tuple[Item, Returned | Unfinished]]:
        """See `Pool.close`."""
        return [(item, Unfinished.NOT_STARTED) for item in self.waiting]


class Inline(Workers):
    """Does everything in the calling thread, where a profiler sees it."""

    def pool(self, function: Callable[[Item], Returned], *, limit: int) -> Pool[Item, Returned]:
        """See `Workers.pool`."""
        del limit
        return _InlinePool(function)


def profile(made: Fleet, event: Mapping[str, object]) -> list[tuple[str, float]]:
    """Say which share of a run's own time is spent in which package, the largest first."""
    with cloud(made) as (endpoint, _):
        function = FunctionCompute(
            environment=SETTINGS | {"ECS_ENDPOINT": endpoint, "STS_ENDPOINT": endpoint},
            timeout=600,
            ports=replace(system_ports(), workers=Inline(), write=lambda _line: None),
        )
        profiler = cProfile.Profile(time.thread_time)
        profiler.runcall(function.invoke, json.dumps(event).encode())
    spent: Counter[str] = Counter()
    for (file, _, name), (_, _, own, _, _) in pstats.Stats(profiler).stats.items():  # type: ignore[attr-defined]
        spent[_package(file, name)] += own
    total = sum(spent.values())
    return [(name, seconds / total) for name, seconds in spent.most_common(10)]


def _package(file: str, name: str) -> str:
    for mark in ("site-packages/", f"/python{sys.version_info.major}.{sys.version_info.minor}/"):
        if mark in file:
            return file.rpartition(mark)[2].partition("/")[0].removesuffix(".py")
    if "/function/" in file:
        return f"function/{Path(file).stem}"
    return "pydantic" if "pydantic" in name else "built in" if file == "~" else Path(file).stem


@dataclass(slots=True)
class FastClock(SystemClock):
    """A clock that goes `SPEED` times as fast, so that ECS's minutes are short."""

    began: float
    start: datetime

    def now(self) -> datetime:
        """Give the time of day."""
        return self.start + timedelta(seconds=self.monotonic())

    def monotonic(self) -> float:
        """Give the seconds since it was made."""
        return (time.monotonic() - self.began) * SPEED

    def sleep(self, seconds: float) -> None:
        """Sleep, for as much less."""
        time.sleep(seconds / SPEED)


def under_quota(made: Fleet, event: Mapping[str, object]) -> tuple[object, Counter[str], Counter[str], float]:
    """Stop a fleet where ECS takes `QUOTA` calls a minute; gives summary, calls, throttled calls, minutes."""
    clock = FastClock(time.monotonic(), utc_now().replace(second=0))
    faults = [parse_fault(f"*=quota,per-minute={QUOTA}"), parse_fault(f"*=delay,seconds={CALL_SECONDS}")]
    ecs = LocalEcs(made, now=clock.now, sleep=clock.sleep, faults=faults, remember=1_000_000)
    with serve(ecs) as endpoint:
        function = FunctionCompute(
            environment=SETTINGS | {"ECS_ENDPOINT": endpoint, "STS_ENDPOINT": endpoint},
            timeout=3600,
            ports=replace(system_ports(), clock=clock, write=lambda _line: None),
        )
        answer = function.invoke(json.dumps(event).encode())
    returned = answer.returned
    if returned is None:
        raise SystemExit(f"the run under a quota failed: {answer.error}")
    throttled = Counter(call.action for call in ecs.calls if call.code.startswith("Throttling"))
    return returned["summary"], Counter(call.action for call in ecs.calls), throttled, clock.monotonic() / 60


def _calls(calls: Counter[str]) -> str:
    return (
        f"{calls.total():,} calls ("
        + ", ".join(f"{count:,} {action}" for action, count in calls.items())
        + ")"
    )


def _line(cost: Cost) -> str:
    return (
        f"{cost.instances:,} instances: {_calls(cost.calls)}, {cost.wall:.2f} s, "
        f"{cost.cpu * 1e6 / cost.instances:.0f} µs CPU each, peak {cost.peak / 1e6:.0f} MB"
    )


def main() -> None:
    """Measure and print."""
    thousand = fleet(1_000, REGIONS[:1], ACCOUNTS[:1])
    costs = sorted((run(thousand, SELECTED) for _ in range(5)), key=lambda cost: cost.wall)
    ours = costs[len(costs) // 2]
    print("A fleet until every instance is accepted; 50 ms for each call; medians of 5 runs")
    print(_line(ours))
    limit = 11 * CALL_SECONDS
    print(
        f"  the limit, ten pages in turn and one round of stops, is {limit:.2f} s: "
        f"{ours.wall / limit:.2f} times that"
    )
    for package, share in profile(thousand, SELECTED):
        print(f"    {share:4.0%} of the CPU time in {package}")
    loop, calls = plain_loop(thousand)
    print(f"  a plain loop: {_calls(calls)}, {loop:.1f} s: ratio 1/{loop / ours.wall:.0f}, aimed at 1/100")

    less = run(fleet(999, REGIONS[:1], ACCOUNTS[:1]), SELECTED)
    print(f"{_line(less)}; fewer than filters hold for, aimed at 22 calls")

    first = fleet(16, REGIONS[:1], ACCOUNTS[:1], LocalStorageAmount=1, LocalStorageCapacity=894)
    each = {**SELECTED, "ConfirmStop": True}
    plain, secure = (median(run(first, each, tls=tls).cpu for _ in range(5)) for tls in (False, True))
    more = (secure - plain) * 1000
    print(f"16 first connections over HTTPS: {more:.0f} ms CPU more than over HTTP, aimed at 80")

    event = {**SELECTED, "RegionIds": REGIONS, "RoleArns": ROLES}
    few = {}
    for tls, aim in ((False, 130), (True, 150)):
        few[tls] = run(fleet(10_000, REGIONS, ACCOUNTS), event, tls=tls)
        print(f"{_line(few[tls])}; 4 regions, 3 accounts, {'HTTPS' if tls else 'HTTP'}; aimed at {aim} µs")
    each_calls = few[False].calls.total() / few[False].instances / (ours.calls.total() / ours.instances)
    print(f"  per instance, to the 1,000: {each_calls:.2f} times the calls, aimed at 1.20")
    print(f"{_line(run(fleet(20_000, REGIONS, ACCOUNTS), event))}, aimed at 134 (128 MiB); likewise, HTTP")
    many = run(fleet(30_000, REGIONS[:1], ACCOUNTS[:1]), SELECTED)
    growth = many.cpu / many.instances / (few[False].cpu / few[False].instances)
    print(f"{_line(many)}; by tag, HTTP")
    print(f"  {growth:.2f} times the CPU of 10,000, each; aimed at 1.15, and 640 calls")

    disks = fleet(1_000, REGIONS[:1], ACCOUNTS[:1], LocalStorageAmount=1, LocalStorageCapacity=894)
    summary, calls, throttled, minutes = under_quota(disks, {**SELECTED, "ConfirmStop": True})
    wasted = throttled.total() / calls.total()
    print(f"1,000 instances that need a call each, {QUOTA} calls a minute: {summary}, {_calls(calls)}")
    print(f"  {throttled.total()} throttled, {wasted:.1%} of the calls, aimed at 5 %; {minutes:.1f} minutes")


if __name__ == "__main__":
    main()
