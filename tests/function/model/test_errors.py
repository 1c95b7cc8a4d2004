"""Every row of StopInstance's error table, and the rest of the failure table, as outcomes."""

import pytest

from function.model.errors import ClientCode, CloudError, Meaning, meaning
from local.api.error_table import STOP_INSTANCE_TABLE, ErrorRow
from local.emulator.fault_text import parse_fault
from local.emulator.faults import Failure, Fault
from tests.stage import SetStage, error

INSTANCE = "i-bp1good0000000000001"

OUTCOMES = {
    "InvalidInstanceId.NotFound": "refused",
    "IncorrectInstanceStatus": "failed",
    "InstanceLockedForSecurity": "refused",
    "DiskError": "failed",
    "InternalError": "failed",
    "InstanceType.ParameterMismatch": "refused",
    "InstanceExpiredOrInArrears": "refused",
    "InvalidInstanceId.NotSupport": "refused",
    "InvalidParameter.KMSKeyId.KMSUnauthorized": "refused",
}


@pytest.mark.parametrize("row", STOP_INSTANCE_TABLE, ids=lambda row: f"{row.code}-{row.message[:20]}")
def test_each_row_becomes_an_outcome(stage: SetStage, row: ErrorRow) -> None:
    """Where ECS keeps answering with a row of the table, the outcome has its code and the right status."""
    fault = Fault(action="StopInstance", effect=Failure(row=row))
    played = stage({"InstanceId": INSTANCE}, faults=(fault,)).invoke({"InstanceId": INSTANCE})
    assert (played.outcome["code"], played.outcome["status"]) == (row.code, OUTCOMES[row.code])
    assert row.message in str(played.outcome["message"])
    assert played.outcome["ecs_request_id"]
    left = OUTCOMES[row.code] == "failed"
    assert (type(played.answer.error).__name__ == "StopIncomplete") == left


@pytest.mark.parametrize(
    "code", ["InternalError", "Throttling.User", "ServiceUnavailable", "InstanceNotReady"]
)
def test_a_passing_trouble_is_tried_again(stage: SetStage, code: str) -> None:
    """A stop that fails in passing is asked for again, after a look, and each call is counted."""
    fault = error("StopInstance", code, last=2)
    played = stage({"InstanceId": INSTANCE}, faults=(fault,)).invoke({"InstanceId": INSTANCE})
    assert (played.outcome["status"], played.outcome["attempts"]) == ("stopped", 3)
    actions = [call.action for call in played.calls]
    first = actions.index("StopInstance")
    assert actions[first : first + 5] == [
        "StopInstance",
        "DescribeInstances",
        "StopInstance",
        "DescribeInstances",
        "StopInstance",
    ]


@pytest.mark.parametrize("count", [1, 6])
def test_a_code_that_nobody_knows_is_looked_at(stage: SetStage, count: int) -> None:
    """It says neither that the stop was done nor that it was not: looks do, and it is not asked for again."""
    ids = [f"{INSTANCE}{n}" for n in range(count)]
    instances = [{"InstanceId": one, "LocalStorageAmount": 0} for one in ids]
    for moment, status in (("after", "stopped"), ("before", "failed")):
        faults = [
            parse_fault(f"{action}=SomethingNew,status=500,when={moment}")
            for action in ("StopInstance", "StopInstances")
        ]
        played = stage(*instances, faults=tuple(faults)).invoke({"InstanceIds": ids})
        assert played.report["summary"] == {"total": count, status: count}
        assert len(played.batches) == (count > 1)
        assert len(played.stops) == (count if status == "failed" or count == 1 else 0)


@pytest.mark.parametrize("code", ["Forbidden.RAM", "InvalidSecurityToken.Expired", "NoPermission"])
def test_denied_is_a_failure_that_says_what_to_check(stage: SetStage, code: str) -> None:
    """Missing permission is not the instance's fault: it fails, once, and says what the role needs."""
    played = stage({"InstanceId": INSTANCE}, faults=(error("StopInstance", code),)).invoke(
        {"InstanceId": INSTANCE}
    )
    assert (played.outcome["status"], played.outcome["code"], len(played.stops)) == ("failed", code, 1)
    assert "ecs:StopInstance" in str(played.outcome["message"])


@pytest.mark.parametrize(
    ("code", "means"),
    [
        ("Throttling", Meaning.THROTTLED),
        ("Throttling.User", Meaning.THROTTLED),
        ("LimitedOperation.ServiceUnavailable", Meaning.RETRY),
        ("ServiceUnavailable", Meaning.RETRY),
        ("InvalidOperation.Conflict", Meaning.RETRY),
        ("OperationDenied.SystemInstanceNotSupport", Meaning.REFUSED),
        ("HibernationNotSupported", Meaning.REFUSED),
        ("InvalidAccessKeyId.NotFound", Meaning.DENIED),
        ("SignatureDoesNotMatch", Meaning.DENIED),
        (ClientCode.NO_ANSWER, Meaning.UNKNOWN),
        (ClientCode.NO_CONNECTION, Meaning.NOT_SENT),
        ("InvalidParameter.RegionId", Meaning.FAILED),
        ("MissingParameter", Meaning.FAILED),
        ("SomethingNew", Meaning.UNLISTED),
        ("NotThrottling", Meaning.UNLISTED),
        ("", Meaning.UNLISTED),
    ],
)
def test_meaning_goes_by_code(code: str, means: Meaning) -> None:
    """Exact codes first, then patterns; a code that nobody knows is never retried."""
    assert meaning(code) is means
    passing = {Meaning.THROTTLED, Meaning.RETRY, Meaning.UNKNOWN, Meaning.NOT_SENT}
    assert CloudError(code, "").passing == (means in passing)
