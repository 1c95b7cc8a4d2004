"""Several accounts in one fleet: whose call sees what, and whose calls a fault meets."""

from collections.abc import Callable
from typing import Any

import pytest

from local.api.api_error import ApiError
from local.emulator.account import DEFAULT_ACCOUNT
from local.emulator.backend import LocalEcs
from local.emulator.fault_text import parse_fault

REGION = "cn-hangzhou"
OTHER, THIRD = "2345678901234567", "3456789012345678"
FLEET: tuple[dict[str, object], ...] = (
    {"InstanceId": "i-1"},
    {"InstanceId": "i-2", "InstanceType": "ecs.c7.large", "x-emulator": {"AccountId": OTHER}},
    {"InstanceId": "i-3", "RegionId": "cn-beijing", "x-emulator": {"AccountId": OTHER}},
)

Make = Callable[..., LocalEcs]


def stopped(ecs: LocalEcs, instance_id: str, account_id: str | None) -> str:
    """Stop an instance from an account, and say how it ended: `ok` or the error's code."""
    try:
        ecs.call("StopInstance", {"InstanceId": instance_id}, account_id=account_id)
    except ApiError as error:
        return error.code
    return "ok"


@pytest.mark.parametrize(
    ("account_id", "ids", "types"),
    [
        (None, ["i-1"], ["ecs.g6.large"]),
        (DEFAULT_ACCOUNT, ["i-1"], ["ecs.g6.large"]),
        (OTHER, ["i-2"], ["ecs.c7.large", "ecs.g6.large"]),
    ],
)
def test_an_account_sees_its_own(
    account_id: str | None, ids: list[str], types: list[str], make_ecs: Make
) -> None:
    """Reads tell of the instances of the account that they are made in, and of their types."""
    ecs = make_ecs(*FLEET)
    found = ecs.call("DescribeInstances", {"RegionId": REGION}, account_id=account_id)
    assert [instance["InstanceId"] for instance in found["Instances"]["Instance"]] == ids
    known = ecs.call("DescribeInstanceTypes", {}, account_id=account_id)
    assert [type_["InstanceTypeId"] for type_ in known["InstanceTypes"]["InstanceType"]] == types


def test_an_account_stops_its_own(make_ecs: Make) -> None:
    """Another account's instance isn't there for a stop, alone or in a batch; its own is."""
    ecs = make_ecs(*FLEET)
    assert stopped(ecs, "i-2", None) == "InvalidInstanceId.NotFound"
    assert stopped(ecs, "i-1", OTHER) == "InvalidInstanceId.NotFound"
    batch = {"RegionId": REGION, "InstanceId.1": "i-1", "BatchOptimization": "SuccessFirst"}
    (one,) = ecs.call("StopInstances", batch, account_id=OTHER)["InstanceResponses"]["InstanceResponse"]
    assert one["Code"] == "InvalidInstanceId.NotFound"
    assert [instance.status for instance in ecs.instances()] == ["Running"] * 3
    assert stopped(ecs, "i-2", OTHER) == "ok"
    assert ecs.instance("i-2").status == "Stopping"


def test_the_whole_fleet_is_at_hand(make_ecs: Make) -> None:
    """What is asked beside the API goes over all accounts, and a reset brings all of them back."""
    ecs = make_ecs(*FLEET)
    before = ecs.instances()
    assert [instance.instance_id for instance in before] == ["i-1", "i-2", "i-3"]
    assert stopped(ecs, "i-3", OTHER) == "ok"
    assert ecs.instances() != before
    ecs.reset()
    assert ecs.instances() == before


def test_an_account_that_isnt_there(make_ecs: Make) -> None:
    """A call in an account without instances is no error of the API's: there is no such account."""
    with pytest.raises(KeyError, match=THIRD):
        make_ecs(*FLEET).call("DescribeInstances", {"RegionId": REGION}, account_id=THIRD)


def test_the_default_account_may_be_another(make_ecs: Make) -> None:
    """Instances that name no account belong to the one that the local ECS is told."""
    ecs = make_ecs(*FLEET, account_id=OTHER)
    assert [stopped(ecs, instance_id, None) for instance_id in ("i-1", "i-2", "i-3")] == ["ok"] * 3


def test_calls_are_remembered_with_their_account(make_ecs: Make) -> None:
    """A remembered call says whose it was."""
    ecs = make_ecs(*FLEET)
    stopped(ecs, "i-1", None)
    stopped(ecs, "i-2", OTHER)
    assert [call.account_id for call in ecs.calls] == [DEFAULT_ACCOUNT, OTHER]


def test_a_quota_is_each_accounts_own(make_ecs: Make) -> None:
    """What one account has spent of a quota takes nothing from another."""
    ecs = make_ecs(*FLEET, faults=[parse_fault("StopInstance=quota,per-minute=1")])
    seen = [stopped(ecs, *of) for of in (("i-1", None), ("i-2", OTHER), ("i-1", None), ("i-2", OTHER))]
    assert seen == ["ok", "ok", "Throttling.User", "Throttling.User"]


@pytest.mark.parametrize("fault", ["DiskError", "quota,per-minute=0", "stuck,status=Running"])
def test_a_fault_of_one_account(fault: str, make_ecs: Make) -> None:
    """A fault with `account=` meets that account's calls, and counts no others."""
    ecs = make_ecs(*FLEET, faults=[parse_fault(f"StopInstance:2={fault},account={OTHER}")])
    assert [stopped(ecs, "i-1", None), stopped(ecs, "i-2", OTHER)] == ["ok", "ok"]
    code = stopped(ecs, "i-3", OTHER)
    assert ecs.instance("i-3").status == "Running"
    assert code == {"DiskError": "DiskError", "stuck,status=Running": "ok"}.get(fault, "Throttling.User")


def test_accounts_by_the_wire(make_ecs: Make, wire: Callable[..., Any]) -> None:
    """The server's own key acts in the default account."""
    ecs = make_ecs(*FLEET)
    answer = wire(ecs).acs3("DescribeInstances", {"RegionId": REGION})
    assert [instance["InstanceId"] for instance in answer.json["Instances"]["Instance"]] == ["i-1"]
