"""Other releases of the official SDK on the local ECS: each is installed for itself, and has to do the same.

    .venv/bin/python bench/clients.py [RELEASE]…

Needs the package registry. Without releases: the last one of every minor version since 3.0, and the first.
"""

import asyncio
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

RELEASES = (
    *("3.0.0", "3.0.15", "4.0.4", "4.1.13", "4.2.0", "4.3.0", "4.4.11", "5.0.2", "6.0.0", "6.1.0", "7.0.17"),
    *("7.1.3", "7.2.5", "7.3.0", "7.4.2", "7.5.4", "7.6.2", "7.7.7", "7.8.7", "7.9.6", "7.10.0", "7.11.8"),
)
REGION = "cn-hangzhou"
FLEET: list[dict[str, object]] = [
    {"InstanceId": "i-a", "Tags": {"Tag": [{"TagKey": "env", "TagValue": "dev"}]}},
    {"InstanceId": "i-b"},
    {"InstanceId": "i-c"},
    {"InstanceId": "i-d"},
    {"InstanceId": "i-off", "Status": "Stopped"},
]


def session(host: str) -> dict[str, object]:
    """Do all this with the SDK at hand; say what each step gave, or how it failed."""
    from alibabacloud_ecs20140526 import models as m  # noqa: PLC0415 - not the one of this environment
    from alibabacloud_ecs20140526.client import Client  # noqa: PLC0415
    from alibabacloud_tea_openapi.models import Config  # noqa: PLC0415

    client = Client(
        Config(access_key_id="emulator", access_key_secret="emulator", endpoint=host, protocol="http")  # noqa: S106
    )
    by_id = m.DescribeInstancesRequest(region_id=REGION, instance_ids='["i-a"]')
    by_tag = m.DescribeInstancesRequest(
        region_id=REGION, tag=[m.DescribeInstancesRequestTag(key="env", value="dev")]
    )
    several = m.StopInstancesRequest(region_id=REGION, instance_id=["i-b", "i-c"])

    async def without_waiting() -> int:
        await client.stop_instance_async(m.StopInstanceRequest(instance_id="i-d"))
        found = await client.describe_instances_async(m.DescribeInstancesRequest(region_id=REGION))
        return len(found.body.instances.instance)

    steps: dict[str, Callable[[], object]] = {
        "by id": lambda: client.describe_instances(by_id).body.instances.instance[0].status,
        "by tag": lambda: len(client.describe_instances(by_tag).body.instances.instance),
        "regions": lambda: len(client.describe_regions(m.DescribeRegionsRequest()).body.regions.region) > 1,
        "stop": lambda: len(client.stop_instance(m.StopInstanceRequest(instance_id="i-a")).body.request_id),
        "stops": lambda: [
            one.code for one in client.stop_instances(several).body.instance_responses.instance_response
        ],
        "start": lambda: len(
            client.start_instance(m.StartInstanceRequest(instance_id="i-off")).body.request_id
        ),
        "error": lambda: client.stop_instance(m.StopInstanceRequest(instance_id="i-no")),
        "async": lambda: asyncio.run(without_waiting()),
    }
    return {name: _outcome(step) for name, step in steps.items()}


def _outcome(step: Callable[[], object]) -> object:
    try:
        return step()
    except Exception as error:  # noqa: BLE001 - whatever this release raises
        return str(getattr(error, "code", None) or repr(error))


EXPECTED = {
    "by id": "Running",
    "by tag": 1,
    "regions": True,
    "stop": 36,
    "stops": ["200", "200"],
    "start": 36,
    "error": "InvalidInstanceId.NotFound",
    "async": 5,
}


def tried(release: str) -> dict[str, object]:
    """Install a release, and have it do its session in a process that sees nothing else."""
    from local.emulator.for_tests import serving  # noqa: PLC0415 - the session has no use for it

    with tempfile.TemporaryDirectory() as folder, serving() as ecs:
        install = (str(Path(sys.executable).with_name("uv")), "pip", "install", "--quiet", "--target", folder)
        subprocess.run((*install, f"alibabacloud_ecs20140526=={release}"), check=True)  # noqa: S603
        ecs.reset(fleet=FLEET)
        done = subprocess.run(  # noqa: S603
            (sys.executable, "-S", "-W", "ignore", __file__, "--session", ecs.host),
            env={"PATH": os.environ["PATH"], "PYTHONPATH": folder},
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode:
        return {"": done.stderr.strip().splitlines()[-1]}
    outcome: dict[str, object] = json.loads(done.stdout)
    return outcome


def main(releases: list[str]) -> int:
    """Try each; print a row for it; the exit code says whether all did what is expected."""
    wrong = 0
    for release in releases or RELEASES:
        differs = {step: got for step, got in tried(release).items() if got != EXPECTED.get(step)}
        print(f"{release:8} {differs or 'does all of it'}", flush=True)
        wrong += bool(differs)
    return min(wrong, 1)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--session"]:
        print(json.dumps(session(sys.argv[2])))
    else:
        sys.exit(main(sys.argv[1:]))
