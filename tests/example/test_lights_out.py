import pytest
from alibabacloud_ecs20140526.client import Client
from alibabacloud_tea_openapi.models import Config

from lights_out import LightsOut

DEV = {"Tag": [{"TagKey": "env", "TagValue": "dev"}]}


@pytest.fixture
def lights_out(local_ecs):
    config = Config(
        access_key_id=local_ecs.access_key_id,
        access_key_secret=local_ecs.access_key_secret,
        endpoint=local_ecs.host,
        protocol=local_ecs.protocol,
        ca=local_ecs.ca_file and str(local_ecs.ca_file),
    )
    return LightsOut(Client(config), local_ecs.region_id, sleep=local_ecs.pass_time)


@pytest.mark.local_ecs(
    fleet=[{"InstanceId": f"i-{n}", "Tags": DEV} for n in range(12)] + [{"InstanceId": "i-prod"}]
)
def test_all_that_is_tagged_is_stopped(local_ecs, lights_out):
    assert len(lights_out.run("env", "dev")) == 12
    assert local_ecs.status("i-11") == "Stopped"
    assert local_ecs.status("i-prod") == "Running"
    assert local_ecs.actions.count("StopInstance") == 12


@pytest.mark.local_ecs(
    fleet=[{"InstanceId": "i-1", "Tags": DEV}, {"InstanceId": "i-2", "Tags": DEV}],
    faults=["StopInstance:1=DiskError"],
)
def test_what_fails_is_told(local_ecs, lights_out):
    assert lights_out.run("env", "dev") == ["i-2"]
    assert lights_out.failed == {"i-1": "DiskError"}
    assert local_ecs.status("i-1") == "Running"


def test_each_test_begins_anew(local_ecs, lights_out):
    assert local_ecs.calls == ()
    assert lights_out.run("env", "nobody") == []
    assert [call.parameters["Tag.1.Value"] for call in local_ecs.calls] == ["nobody"]
