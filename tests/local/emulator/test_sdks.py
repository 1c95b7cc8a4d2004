"""Clients that no one here wrote stop an instance on the local ECS."""

import asyncio
import itertools
import json
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from alibabacloud_ecs20140526 import models
from alibabacloud_ecs20140526.client import Client
from alibabacloud_tea_openapi.exceptions import ThrottlingException
from alibabacloud_tea_openapi.models import Config
from aliyunsdkcore.acs_exception.exceptions import ServerException
from aliyunsdkcore.auth.credentials import StsTokenCredential
from aliyunsdkcore.client import AcsClient
from aliyunsdkcore.profile.region_provider import modify_point
from aliyunsdkecs.request.v20140526.DescribeInstancesRequest import DescribeInstancesRequest
from aliyunsdkecs.request.v20140526.StartInstanceRequest import StartInstanceRequest
from aliyunsdkecs.request.v20140526.StopInstanceRequest import StopInstanceRequest
from aliyunsdkecs.request.v20140526.StopInstancesRequest import StopInstancesRequest
from libcloud.compute.providers import get_driver
from libcloud.compute.types import NodeState, Provider

from local.emulator.backend import LocalEcs
from local.emulator.fault_text import parse_fault
from local.emulator.fleet import Fleet
from local.emulator.keys import KeyPair
from local.emulator.server import serve

ID = "i-bp67acfmxazb4ph001"
REGION = "cn-hangzhou"
START = datetime(2026, 3, 1, tzinfo=UTC)
TEMPORARY = KeyPair("STS.emulator", "its secret", "its token+/=")

Make = Callable[..., LocalEcs]


def modern(endpoint: str, credentials: KeyPair, algorithm: str | None) -> Any:  # noqa: ANN401 - the SDK has no types
    """Make a client of today's SDK."""
    return Client(
        Config(
            access_key_id=credentials.access_key_id,
            access_key_secret=credentials.access_key_secret,
            security_token=credentials.security_token or None,
            endpoint=endpoint.removeprefix("http://"),
            protocol="HTTP",
            signature_algorithm=algorithm,
        )
    )


@pytest.mark.parametrize("credentials", [KeyPair(), TEMPORARY], ids=["key", "token"])
@pytest.mark.parametrize("algorithm", [None, "v2"], ids=["acs3", "rpc"])
def test_the_official_sdk(algorithm: str | None, credentials: KeyPair, make_ecs: Make) -> None:
    """The SDK stops an instance under both signatures, with a key and with a temporary one."""
    ecs = make_ecs({"InstanceId": ID})
    with serve(ecs, credentials=credentials) as endpoint:
        client = modern(endpoint, credentials, algorithm)
        client.stop_instance(
            models.StopInstanceRequest(instance_id=ID, force_stop=True, stopped_mode="StopCharging")
        )
        found = client.describe_instances(
            models.DescribeInstancesRequest(region_id=REGION, instance_ids=json.dumps([ID]))
        )
    assert found.body.instances.instance[0].status == "Stopping"
    assert ecs.calls[0].parameters == {"InstanceId": ID, "ForceStop": "True", "StoppedMode": "StopCharging"}
    assert credentials.security_token not in ecs.calls[0].signed or not credentials.security_token


def test_the_official_sdk_without_waiting(make_ecs: Make) -> None:
    """Its asynchronous calls, several at once, are answered like the others."""
    ecs = make_ecs(*({"InstanceId": f"i-{n}"} for n in range(8)))

    async def stop_all(client: Any) -> list[Any]:  # noqa: ANN401 - the SDK has no types
        requests = [models.StopInstanceRequest(instance_id=f"i-{n}") for n in range(8)]
        await asyncio.gather(*(client.stop_instance_async(request) for request in requests))
        found = await client.describe_instances_async(models.DescribeInstancesRequest(region_id=REGION))
        return list(found.body.instances.instance)

    with serve(ecs) as endpoint:
        instances = asyncio.run(stop_all(modern(endpoint, KeyPair(), None)))
    assert [instance.status for instance in instances] == ["Stopping"] * 8


def test_the_official_sdk_reads_throttling(make_ecs: Make) -> None:
    """A scripted x-acs-retry-after reaches the SDK's caller in milliseconds."""
    ecs = make_ecs(faults=[parse_fault("StopInstance=Throttling.User,retry-after=1500")])
    with serve(ecs) as endpoint, pytest.raises(ThrottlingException) as raised:
        modern(endpoint, KeyPair(), None).stop_instance(models.StopInstanceRequest(instance_id=ID))
    assert (raised.value.code, raised.value.retry_after) == ("Throttling.User", 1500)


def test_the_official_sdk_stops_a_batch(make_ecs: Make) -> None:
    """StopInstances through the SDK says for each instance what became of it."""
    ecs = make_ecs({"InstanceId": "i-a"}, {"InstanceId": "i-b", "Status": "Stopped"})
    request = models.StopInstancesRequest(
        region_id=REGION, instance_id=["i-a", "i-b", "i-c"], batch_optimization="SuccessFirst"
    )
    with serve(ecs) as endpoint:
        answer = modern(endpoint, KeyPair(), None).stop_instances(request)
    assert [
        (each.instance_id, each.code, each.previous_status, each.current_status)
        for each in answer.body.instance_responses.instance_response
    ] == [
        ("i-a", "200", "Running", "Stopping"),
        ("i-b", "IncorrectInstanceStatus", "Stopped", "Stopped"),
        ("i-c", "InvalidInstanceId.NotFound", "", ""),
    ]


def legacy(endpoint: str, request: Any, credential: Any = None) -> dict[str, Any]:  # noqa: ANN401 - the SDK has no types
    """Send a request of the legacy SDK, which signs as RPC, and read its answer."""
    key = {} if credential else {"ak": "emulator", "secret": "emulator"}
    client = AcsClient(region_id=REGION, credential=credential, auto_retry=False, **key)
    request.set_endpoint(endpoint.removeprefix("http://"))
    request.set_protocol_type("http")
    answer: dict[str, Any] = json.loads(client.do_action_with_exception(request))
    return answer


def test_the_legacy_sdk(make_ecs: Make) -> None:
    """aliyun-python-sdk-ecs stops an instance, sees it Stopping, and gets ECS's error the second time."""
    ecs = make_ecs({"InstanceId": ID})
    stop, describe = StopInstanceRequest(), DescribeInstancesRequest()
    stop.set_InstanceId(ID)
    stop.set_ForceStop(True)
    describe.set_InstanceIds(json.dumps([ID]))
    with serve(ecs) as endpoint:
        assert legacy(endpoint, stop).keys() == {"RequestId"}
        (instance,) = legacy(endpoint, describe)["Instances"]["Instance"]
        assert instance["Status"] == "Stopping"
        with pytest.raises(ServerException) as raised:
            legacy(endpoint, stop)
    assert (raised.value.http_status, raised.value.error_code) == (403, "IncorrectInstanceStatus")


def test_the_legacy_sdk_as_ansibles_modules_use_it(make_ecs: Make) -> None:
    """Footmark names an endpoint for the whole process, and sends what ECS ignores or takes from anybody.

    Its own: `on`, the rest of `set_Action` where it cuts the first four letters off `Action`.
    """
    elsewhere = "cn-wulanchabu"  # of no other test: what the process is told, it keeps
    ecs = make_ecs({"InstanceId": ID, "RegionId": elsewhere, "Status": "Stopped"})
    start, describe = StartInstanceRequest(), DescribeInstancesRequest()
    start.set_InstanceId(ID)
    describe.set_InstanceIds(json.dumps([ID]))
    describe.set_PageSize(10)
    for request in (start, describe):
        request.add_query_param("on", request.get_action_name())
        request.set_OwnerId("1")
        request.set_ResourceOwnerAccount("somebody")
        request.set_accept_format("json")
    with serve(ecs) as endpoint:
        modify_point("Ecs", elsewhere, endpoint.removeprefix("http://"))
        client = AcsClient("emulator", "emulator", elsewhere)
        client.do_action_with_exception(start)
        (instance,) = json.loads(client.do_action_with_exception(describe))["Instances"]["Instance"]
    assert instance["Status"] == "Starting"


def test_the_legacy_sdk_with_a_token(make_ecs: Make) -> None:
    """aliyun-python-sdk-ecs is let in with a temporary key."""
    request = StopInstancesRequest()
    request.set_InstanceIds([ID])
    with serve(make_ecs({"InstanceId": ID}), credentials=TEMPORARY) as endpoint:
        credential = StsTokenCredential(
            TEMPORARY.access_key_id, TEMPORARY.access_key_secret, TEMPORARY.security_token
        )
        answer = legacy(endpoint, request, credential)
    assert answer["InstanceResponses"]["InstanceResponse"][0]["Code"] == "200"


def libcloud(endpoint: str) -> Any:  # noqa: ANN401 - libcloud's driver has no types
    """Make libcloud's driver."""
    host, port = endpoint.removeprefix("http://").split(":")
    return get_driver(Provider.ALIYUN_ECS)(
        "emulator", "emulator", region=REGION, secure=False, host=host, port=int(port)
    )


def test_libcloud() -> None:
    """The driver of libcloud lists all pages, stops a node and sees it stopped; it speaks GET and XML."""
    # Each look at this clock is an hour later, so that the driver's own wait never has to sleep.
    hours = itertools.count()
    fleet = Fleet.from_instances([{"InstanceId": f"i-{n}"} for n in range(25)])
    ecs = LocalEcs(fleet, now=lambda: START + timedelta(hours=next(hours)))
    with serve(ecs) as endpoint:
        driver = libcloud(endpoint)
        nodes = driver.list_nodes()
        assert driver.ex_stop_node(nodes[3])
        states = {node.id: node.state for node in driver.list_nodes()}
        (size,) = driver.list_sizes()
    assert [node.id for node in nodes] == [f"i-{n}" for n in range(25)]
    assert [id_ for id_, state in states.items() if state == NodeState.STOPPED] == ["i-3"]
    assert (size.id, size.ram) == ("ecs.g6.large", 8)


def test_libcloud_in_the_morning(make_ecs: Make) -> None:
    """It starts and reboots nodes, and finds locations, zones, security groups and volumes."""
    at_once = {"StartSeconds": 0}
    ecs = make_ecs(
        {"InstanceId": "i-off", "Status": "Stopped", "ZoneId": "cn-hangzhou-k", "x-emulator": at_once},
        {"InstanceId": "i-on", "ZoneId": "cn-hangzhou-k", "x-emulator": at_once},
    )
    with serve(ecs) as endpoint:
        driver = libcloud(endpoint)
        off, on = driver.list_nodes()
        assert driver.ex_start_node(off)
        assert driver.reboot_node(on)
        states = {node.id: node.state for node in driver.list_nodes()}
        assert REGION in {location.id for location in driver.list_locations()}
        assert [zone.id for zone in driver.ex_list_zones()] == ["cn-hangzhou-k"]
        assert len(driver.ex_list_security_groups()) == 1
        assert len(driver.list_volumes()) == 2
    assert states == dict.fromkeys(("i-off", "i-on"), NodeState.RUNNING)
    assert [call.action for call in ecs.calls if call.code] == []


def test_both_stop_instances_on_the_emulator(tmp_path: Path) -> None:
    """`stop-guard emulator`, a process of its own, is ECS enough for the legacy SDK and for libcloud."""
    saved = tmp_path / "fleet.json"
    at_once = {"StopSeconds": 0}
    saved.write_text(json.dumps([{"InstanceId": id_, "x-emulator": at_once} for id_ in ("i-a", "i-b")]))
    stop_guard = Path(sys.executable).with_name("stop-guard")
    command = [str(stop_guard), "emulator", "--port", "0", "--fleet", str(saved)]
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as emulator:
        try:
            assert emulator.stdout is not None
            endpoint = emulator.stdout.readline().removeprefix("listening on ").strip()
            stop = StopInstanceRequest()
            stop.set_InstanceId("i-a")
            assert legacy(endpoint, stop).keys() == {"RequestId"}
            driver = libcloud(endpoint)
            assert driver.ex_stop_node(driver.list_nodes(ex_node_ids=["i-b"])[0])
            states = {node.id: node.state for node in driver.list_nodes()}
        finally:
            emulator.terminate()
    assert states == dict.fromkeys(("i-a", "i-b"), NodeState.STOPPED)
