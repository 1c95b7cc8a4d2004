"""What the local ECS costs under load: CPU per call, calls a second, and how long a start takes.

Run by hand: `.venv/bin/python bench/local_ecs.py [INSTANCES] [CLIENTS]`. The server is a process of its own,
whose CPU time is read from the system; so are the clients, which sign and call as the SDKs do, over HTTP
connections that stay open.
"""

import http.client
import json
import multiprocessing
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode

from local.api.signatures import rpc_signature, rpc_string_to_sign

REGION = "cn-hangzhou"
EACH = 200
"""Calls of a kind whose CPU is measured."""
SECONDS = 15
"""How long the mixed load lasts."""
PROCESSES = 2
TICKS = os.sysconf("SC_CLK_TCK")

Parameters = Mapping[str, str]


def fleet(size: int) -> list[dict[str, object]]:
    """Make instances that differ in what filters look at, with as many fields as ECS answers."""
    return [
        {
            "InstanceId": f"i-bp{number:018d}",
            "InstanceName": f"host-{number}",
            "RegionId": REGION,
            "ZoneId": f"{REGION}-{'ghij'[number % 4]}",
            "InstanceType": ("ecs.g7.large", "ecs.c7.xlarge", "ecs.r7.2xlarge", "ecs.i3.xlarge")[number % 4],
            "ResourceGroupId": f"rg-{number % 7}",
            "Description": "A machine of the benchmark",
            "HostName": f"host-{number}",
            "ImageId": "aliyun_3_x64_20G_alibase_20260101.vhd",
            "OSName": "Alibaba Cloud Linux 3",
            "SerialNumber": f"{number:032x}",
            "InternetMaxBandwidthOut": 5,
            "PublicIpAddress": {"IpAddress": [f"203.0.{number // 256 % 256}.{number % 256}"]},
            "VpcAttributes": {
                "VpcId": f"vpc-{number % 5}",
                "VSwitchId": f"vsw-{number % 11}",
                "PrivateIpAddress": {"IpAddress": [f"10.1.{number // 256 % 256}.{number % 256}"]},
            },
            "SecurityGroupIds": {"SecurityGroupId": [f"sg-{number % 13}"]},
            "Tags": {
                "Tag": [
                    {"TagKey": "env", "TagValue": ("dev", "test", "prod")[number % 3]},
                    {"TagKey": "team", "TagValue": f"team-{number % 17}"},
                ]
            },
        }
        for number in range(size)
    ]


class Client:
    """A client on one connection, which signs with RPC."""

    def __init__(self, address: str, number: int) -> None:
        self._connection = http.client.HTTPConnection(address, timeout=60)
        self._number = number
        self._calls = 0

    def call(self, action: str, parameters: Parameters) -> dict[str, object]:
        """Call and read the answer."""
        self._calls += 1
        query = {
            "Action": action,
            "Version": "2014-05-26",
            "Format": "JSON",
            "AccessKeyId": "emulator",
            "SignatureMethod": "HMAC-SHA1",
            "SignatureVersion": "1.0",
            "SignatureNonce": f"{os.getpid()}-{self._number}-{self._calls}-{time.monotonic_ns()}",
            "Timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            **parameters,
        }
        query["Signature"] = rpc_signature(rpc_string_to_sign("GET", query), "emulator")
        self._connection.request("GET", f"/?{urlencode(query)}")
        body: dict[str, object] = json.loads(self._connection.getresponse().read())
        return body


Kind = Callable[[random.Random, int], tuple[str, Parameters]]


def _some_id(chance: random.Random, size: int) -> str:
    return f"i-bp{chance.randrange(size):018d}"


KINDS: Mapping[str, Kind] = {
    "first page of 10": lambda _chance, _size: ("DescribeInstances", {"RegionId": REGION}),
    "first page of 100": lambda _chance, _size: (
        "DescribeInstances",
        {"RegionId": REGION, "MaxResults": "100"},
    ),
    "first page of 100 by tag": lambda _chance, _size: (
        "DescribeInstances",
        {"RegionId": REGION, "MaxResults": "100", "Tag.1.Key": "env", "Tag.1.Value": "dev"},
    ),
    "first page of 100 by status": lambda _chance, _size: (
        "DescribeInstances",
        {"RegionId": REGION, "MaxResults": "100", "Status": "Running"},
    ),
    "first page by VPC and name": lambda _chance, _size: (
        "DescribeInstances",
        {"RegionId": REGION, "MaxResults": "100", "VpcId": "vpc-1", "InstanceName": "host-*7"},
    ),
    "look at one by id": lambda chance, size: (
        "DescribeInstances",
        {"RegionId": REGION, "InstanceIds": json.dumps([_some_id(chance, size)])},
    ),
    "look at 100 by id": lambda chance, size: (
        "DescribeInstances",
        {
            "RegionId": REGION,
            "MaxResults": "100",
            "InstanceIds": json.dumps([_some_id(chance, size) for _ in range(100)]),
        },
    ),
    "DescribeInstanceStatus": lambda _chance, _size: (
        "DescribeInstanceStatus",
        {"RegionId": REGION, "PageSize": "50"},
    ),
    "DescribeInstanceTypes": lambda _chance, _size: ("DescribeInstanceTypes", {}),
    "StopInstance": lambda chance, size: (
        "StopInstance",
        {"InstanceId": _some_id(chance, size), "StoppedMode": "KeepCharging", "ConfirmStop": "true"},
    ),
    "StartInstance": lambda chance, size: ("StartInstance", {"InstanceId": _some_id(chance, size)}),
}


def cpu_seconds(pid: int) -> float:
    """Return the CPU time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


@contextmanager
def server(path: Path | None = None) -> Iterator[tuple[str, int, float, float]]:
    """Start the emulator as people do; give its address, its process, and what its start took.

    `path`: of the fleet file; None: the sample fleet.
    """
    began = time.monotonic()
    program = Path(sys.executable).with_name("stop-guard")
    command = [str(program), "emulator", "--port", "0", *(("--fleet", str(path)) if path else ())]
    running = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)  # noqa: S603 - the project's own
    try:
        assert running.stdout is not None  # noqa: S101 - asked for above
        line = running.stdout.readline()
        took = time.monotonic() - began
        yield line.rpartition("//")[2].strip(), running.pid, took, cpu_seconds(running.pid)
    finally:
        running.terminate()
        running.wait()


def measure(address: str, pid: int, size: int) -> None:
    """Print what each kind of call costs the server."""
    client, chance = Client(address, 0), random.Random(1)  # noqa: S311 - repeats, hides nothing
    for name, kind in KINDS.items():
        client.call(*kind(chance, size))
        before = cpu_seconds(pid)
        for _ in range(EACH):
            client.call(*kind(chance, size))
        print(f"{name:32}{(cpu_seconds(pid) - before) / EACH * 1000:8.1f} ms of CPU")


def load(address: str, size: int, first: int, clients: int, counts: "multiprocessing.Queue[int]") -> None:
    """Call from so many clients at once, each another kind at random, until the time is over."""
    end = time.monotonic() + SECONDS
    done = [0] * clients

    def run(number: int) -> None:
        client, chance = Client(address, first + number), random.Random(first + number)  # noqa: S311 - as above
        kinds = tuple(KINDS.values())
        while time.monotonic() < end:
            client.call(*chance.choice(kinds)(chance, size))
            done[number] += 1

    threads = [threading.Thread(target=run, args=(number,)) for number in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    counts.put(sum(done))


def main() -> None:
    """Measure a start, each kind of call, and a mixed load."""
    size, clients = (*map(int, sys.argv[1:]), *(10_000, 50)[len(sys.argv) - 1 :])
    with tempfile.TemporaryDirectory() as place:
        path = Path(place, "fleet.json")
        path.write_text(json.dumps({"Instances": {"Instance": fleet(size)}}))
        with server() as (_, _, took, cpu):
            print(f"the sample fleet: started in {took:.2f} s, {cpu:.2f} s of CPU")
        with server(path) as (address, pid, took, cpu):
            print(f"{size} instances: started in {took:.2f} s, {cpu:.2f} s of CPU")
            measure(address, pid, size)
            counts: multiprocessing.Queue[int] = multiprocessing.Queue()
            share = clients // PROCESSES
            processes = [
                multiprocessing.Process(target=load, args=(address, size, share * number, share, counts))
                for number in range(PROCESSES)
            ]
            before = cpu_seconds(pid)
            for process in processes:
                process.start()
            total = sum(counts.get() for _ in processes)
            spent = cpu_seconds(pid) - before
            print(
                f"{share * PROCESSES} clients, mixed calls: {total / SECONDS:.0f} a second, "
                f"{spent / total * 1000:.1f} ms of the server's CPU each"
            )
            memory = Path(f"/proc/{pid}/status").read_text().partition("VmHWM:")[2].split()[0]
            print(f"the server's memory at most: {int(memory) / 1024:.0f} MB")


if __name__ == "__main__":
    main()
