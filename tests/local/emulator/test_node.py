"""The clients for Node.js on the local ECS: pop-core, which signs as RPC, and today's SDK for TypeScript."""

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from local.emulator.backend import LocalEcs
from local.emulator.server import serve

NODE = Path(__file__).parents[2] / "node"
DEV = {"Tag": [{"TagKey": "env", "TagValue": "dev"}]}


@pytest.mark.skipif(
    shutil.which("node") is None or not (NODE / "node_modules" / "@alicloud" / "pop-core").exists(),
    reason="the Node.js clients are not installed; `make test-tools` installs them where there is npm",
)
def test_both_list_stop_start_and_reboot(make_ecs: Callable[..., LocalEcs]) -> None:
    """Each asks for the regions, lists by page and tag, changes instances, and reads ECS's error codes."""
    ecs = make_ecs(
        {"InstanceId": "i-a", "Tags": DEV},
        {"InstanceId": "i-b"},
        {"InstanceId": "i-c"},
        {"InstanceId": "i-off", "Status": "Stopped"},
    )
    with serve(ecs) as endpoint:
        host = endpoint.removeprefix("http://")
        command = ["node", str(NODE / "clients.js"), host, "i-off"]
        ran = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert ran.returncode == 0, ran.stderr
    everything = ["i-a", "i-b", "i-c", "i-off"]
    assert json.loads(ran.stdout) == {
        "popCore": {
            "regions": True,
            "byGet": everything,
            "byPost": ["i-b"],
            "byTag": ["i-a"],
            "stop": "string",
            "start": "string",
            "error": "InvalidInstanceId.NotFound",
        },
        "typescriptSdk": {
            "regions": True,
            "all": everything,
            "byTag": ["i-a"],
            "stops": ["200", "InvalidInstanceId.NotFound"],
            "reboot": "string",
            "error": "InvalidInstanceId.NotFound",
        },
    }
    statuses = [ecs.instance(one).status for one in everything]
    assert statuses == ["Stopping", "Stopping", "Starting", "Starting"]
