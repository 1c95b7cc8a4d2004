"""Every row of StopInstance's error table, at the wire, in both formats."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import pytest

from local.api.error_table import STOP_INSTANCE_TABLE
from local.emulator.backend import LocalEcs
from local.emulator.fault_text import parse_fault

RUNNING = {"InstanceId": "i-bp67acfmxazb4ph001"}
ASK = RUNNING
STOP_CHARGING = {**ASK, "StoppedMode": "StopCharging"}
UNKNOWN_ERROR = "The request processing has failed due to some unknown error."
ARREARS = (
    "The specified operation is denied as your prepay instance is expired (prepay mode) or in arrears "
    "(afterpay mode)."
)
FAILURE = "The request processing has failed due to some unknown error, exception or failure."


def locked(reason: str) -> dict[str, object]:
    """Make an instance with an operation lock."""
    return {**RUNNING, "OperationLocks": {"LockReason": [{"LockReason": reason}]}}


def answering(code: str, message: str | None = None) -> dict[str, object]:
    """Make an instance whose stop calls get this error."""
    return {**RUNNING, "x-emulator": {"StopInstance": {"Code": code, "Message": message}}}


class Row(NamedTuple):
    """A row as StopInstance's document prints it, and the fleet's instance and the call that give it."""

    status: int
    code: str
    message: str
    instance: Mapping[str, object]
    call: Mapping[str, str]


TABLE = [
    Row(
        404,
        "InvalidInstanceId.NotFound",
        "The specified InstanceId does not exist.",
        RUNNING,
        {"InstanceId": "i-bp67acfmxazb4ph999"},
    ),
    Row(
        403,
        "IncorrectInstanceStatus",
        "The current status of the resource does not support this operation.",
        {**RUNNING, "Status": "Stopped"},
        ASK,
    ),
    Row(
        403,
        "InstanceLockedForSecurity",
        "The specified operation is denied as your instance is locked for security reasons.",
        locked("security"),
        ASK,
    ),
    Row(403, "DiskError", "IncorrectDiskStatus", answering("DiskError"), ASK),
    Row(500, "InternalError", UNKNOWN_ERROR, answering("InternalError"), ASK),
    Row(
        403,
        "InstanceType.ParameterMismatch",
        "The input parameter ConfirmStop must be true when an instance have localstorage.",
        {**RUNNING, "LocalStorageAmount": 1, "LocalStorageCapacity": 894},
        {**ASK, "ConfirmStop": "false"},
    ),
    Row(
        403,
        "InstanceExpiredOrInArrears",
        ARREARS,
        locked("financial"),
        ASK,
    ),
    Row(
        403,
        "InvalidInstanceId.NotSupport",
        "Classic network Instance does not support this operation.",
        {**RUNNING, "InstanceNetworkType": "classic"},
        STOP_CHARGING,
    ),
    Row(
        403,
        "InvalidInstanceId.NotSupport",
        "Pre pay instance does not support this operation.",
        {**RUNNING, "InstanceChargeType": "PrePaid"},
        STOP_CHARGING,
    ),
    Row(
        403,
        "InvalidInstanceId.NotSupport",
        "Local disk instance does not support this operation.",
        {**RUNNING, "InstanceType": "ecs.i1.xlarge"},
        {**STOP_CHARGING, "ConfirmStop": "true"},
    ),
    Row(
        403,
        "InvalidInstanceId.NotSupport",
        "Spot instance does not support this operation.",
        {**RUNNING, "SpotStrategy": "SpotAsPriceGo"},
        STOP_CHARGING,
    ),
    Row(
        403,
        "IncorrectInstanceStatus",
        "The disk is being snapshotted.",
        answering("IncorrectInstanceStatus", "The disk is being snapshotted."),
        ASK,
    ),
    Row(
        403,
        "InvalidParameter.KMSKeyId.KMSUnauthorized",
        "ECS service have no right to access your KMS.",
        answering("InvalidParameter.KMSKeyId.KMSUnauthorized"),
        ASK,
    ),
    Row(500, "InternalError", FAILURE, answering("InternalError", FAILURE), ASK),
]

Make = Callable[..., LocalEcs]
Connect = Callable[..., Any]


@pytest.mark.parametrize("dry_run", ["false", "true"])
@pytest.mark.parametrize("row", TABLE)
def test_each_row_as_json(row: Row, dry_run: str, make_ecs: Make, wire: Connect) -> None:
    """Each row comes with its status, code and message, in a dry run too, and nothing changes."""
    ecs = make_ecs(row.instance)
    before = ecs.instances()
    answer = wire(ecs).acs3("StopInstance", {**row.call, "DryRun": dry_run})
    assert (answer.status, answer.json["Code"], answer.json["Message"]) == row[:3]
    assert answer.json.keys() == {"RequestId", "HostId", "Code", "Message", "Recommend"}
    assert ecs.instances() == before


@pytest.mark.parametrize("row", TABLE)
def test_each_row_as_xml(row: Row, make_ecs: Make, wire: Connect) -> None:
    """Each row comes as an <Error> element where XML is asked for."""
    answer = wire(make_ecs(row.instance)).rpc("StopInstance", row.call, Format="XML")
    assert (answer.status, answer.xml.tag) == (row.status, "Error")
    assert (answer.xml.findtext("Code"), answer.xml.findtext("Message")) == (row.code, row.message)
    assert answer.xml.findtext("RequestId")


@pytest.mark.parametrize("row", TABLE)
def test_each_row_by_a_scripted_fault(row: Row, make_ecs: Make, wire: Connect) -> None:
    """Each row can be had once from an instance that is in no such state, by a fault."""
    fault = parse_fault(f"StopInstance:1={row.code},message={row.message}")
    client = wire(make_ecs(RUNNING, faults=[fault]))
    answer = client.acs3("StopInstance", ASK)
    assert (answer.status, answer.json["Code"], answer.json["Message"]) == row[:3]
    assert client.acs3("StopInstance", ASK).status == 200


def test_the_table_is_the_whole_table() -> None:
    """The rows above are those that the local ECS has, in their order; only `%s` stands for any text."""
    rows = [row[:3] for row in TABLE]
    own = [
        tuple(row._replace(message=rows[place][2]) if row.message == "%s" else row)
        for place, row in enumerate(STOP_INSTANCE_TABLE)
    ]
    assert own == rows
