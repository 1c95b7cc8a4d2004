"""Every row of StopInstance's error table, and the rest of the failure table, as outcomes."""

import re
from pathlib import Path

import pytest

from function.model.errors import NOT_FOUND_CODES, CloudError, Meaning, known_codes, meaning, origin
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
    "code",
    [
        "InternalError",
        "Throttling.User",
        "ServiceUnavailable",
        "InstanceNotReady",
        "UnknownError",
        "SystemBusy",
        "LastTokenProcessing",
        "InternalError.Dispatch",
        "GatewayTimeout",
    ],
)
def test_a_passing_trouble_is_tried_again(stage: SetStage, code: str) -> None:
    """A stop that fails in passing is asked for again, after a look, and each call is counted."""
    fault = parse_fault(f"StopInstance:1-2={code},status=500")
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
        ("Rejected.Throttling", Meaning.THROTTLED),
        ("LimitedOperation.ServiceUnavailable", Meaning.RETRY),
        ("ServiceUnavailable.RegionMaintaining", Meaning.RETRY),
        ("InternalError.Dispatch", Meaning.RETRY),
        ("RequestTimeout", Meaning.UNKNOWN),
        ("GatewayTimeOut", Meaning.UNKNOWN),
        ("InvalidParameter.Timeout", Meaning.FAILED),
        ("InvalidInstance.NotFound", Meaning.REFUSED),
        ("InvalidImageId.NotFound", Meaning.FAILED),
        ("IncorrectInstanceStatus.Starting", Meaning.LOOK_AGAIN),
        ("OperationDenied.SystemInstanceNotSupport", Meaning.REFUSED),
        ("HibernationNotSupported", Meaning.REFUSED),
        ("InvalidParameter.KMSKeyId.CMKNotEnabled", Meaning.REFUSED),
        ("InvalidAccessKeyId.NotFound", Meaning.DENIED),
        ("Forbidden.RAM", Meaning.DENIED),
        ("SignatureDoesNotMatch", Meaning.DENIED),
        ("InvalidParameter.RegionId", Meaning.FAILED),
        ("MissingParameter", Meaning.FAILED),
        ("SomethingNew", Meaning.UNLISTED),
        ("", Meaning.UNLISTED),
    ],
)
def test_meaning_goes_by_code(code: str, means: Meaning) -> None:
    """Exact codes first, then patterns; a code that nobody knows is never retried."""
    assert meaning(code) is means


OPERATE = Path(__file__).parents[3] / "docs" / "operate.md"
ROW = re.compile(
    r"^\| (?P<codes>`[^|]+`) \| (?P<meaning>[A-Z_]+) \| (?P<does>[^|]+) \| (?P<others>[^|]+) \|$"
)


def rows() -> dict[str, tuple[str, str]]:
    """Read the error table of the documents: by code what it means, and what other clients do."""
    found: dict[str, tuple[str, str]] = {}
    for line in OPERATE.read_text().splitlines():
        if row := ROW.fullmatch(line):
            for code in re.findall(r"`([^`]+)`", row["codes"]):
                assert code not in found, f"{code} has two rows"
                found[code] = (row["meaning"], row["others"].strip())
    return found


def test_the_documents_have_every_code_and_its_meaning() -> None:
    """The table in docs/operate.md is that of the code, and says for each what other clients do with it."""
    documented = rows()
    assert documented.keys() == set(known_codes())
    for code, (means, others) in documented.items():
        assert Meaning[means] is known_codes()[code]
        assert others


def test_an_unforeseen_error_is_told_by_where_it_came_from() -> None:
    """Its kind and the innermost place, where it is to be looked for; nothing of its text."""

    def inner() -> None:
        raise KeyError("a secret")

    with pytest.raises(KeyError) as raised:
        inner()
    assert origin(raised.value) == f"KeyError at inner:{inner.__code__.co_firstlineno + 1}"
    assert origin(KeyError("a secret")) == "KeyError"


TRANSIENT = {Meaning.THROTTLED, Meaning.RETRY, Meaning.BUSY, Meaning.UNKNOWN, Meaning.NOT_SENT}


@pytest.mark.parametrize("code", [*known_codes(), "SomethingNew"])
@pytest.mark.parametrize("status", [None, 403, 500, 503])
def test_what_passes_for_a_stop_and_for_a_look(code: str, status: int | None) -> None:
    """A stop is asked for again by its code alone; a look also after an unknown error and any HTTP 5xx."""
    means = meaning(code)
    stop, look = (CloudError(code, "", http_status=status, read=read) for read in (False, True))
    assert stop.transient == (means in TRANSIENT)
    assert look.transient == (means in {*TRANSIENT, Meaning.UNLISTED} or (status or 0) >= 500)


@pytest.mark.parametrize("code", [*known_codes(), "SomethingNew"])
@pytest.mark.parametrize("status", [None, 200, 409, 500, 503])
def test_what_leaves_in_doubt(code: str, status: int | None) -> None:
    """A stop may have been done after trouble, silence, an unknown code; after a conflict only with a 5xx."""
    in_doubt = CloudError(code, "", http_status=status).in_doubt
    if meaning(code) is Meaning.BUSY:
        assert in_doubt == (status in {500, 503})
    else:
        assert in_doubt == (meaning(code) in {Meaning.RETRY, Meaning.UNKNOWN, Meaning.UNLISTED})


def test_an_operation_denied_for_now_passes() -> None:
    """`OperationDenied` is no refusal where its message asks to come back later."""
    denied = CloudError("OperationDenied", "The instance is being migrated; try again later.")
    assert (denied.meaning, denied.transient) == (Meaning.BUSY, True)
    assert CloudError("OperationDenied", "The translated instance does not support it.").transient is False


@pytest.mark.parametrize("code", NOT_FOUND_CODES)
def test_no_such_instance_by_any_name(stage: SetStage, code: str) -> None:
    """Each code for an instance that is not there is a refusal that says so, with ECS's own code."""
    fault = parse_fault(f"StopInstance={code},status=404")
    played = stage({"InstanceId": INSTANCE}, faults=(fault,)).invoke({"InstanceId": INSTANCE})
    assert (played.outcome["status"], played.outcome["code"]) == ("refused", code)
    assert len(played.stops) == 1


@pytest.mark.parametrize(
    "code", ["OperationConflict", "IncorrectInstanceStatus.Initializing", "TaskConflict"]
)
def test_a_conflict_that_lasts_is_waited_for(stage: SetStage, code: str) -> None:
    """Another operation on the instance may take minutes: the stop is asked for until it has ended."""
    fault = parse_fault(f"StopInstance:1-15={code},status=409")
    played = stage({"InstanceId": INSTANCE}, faults=(fault,)).invoke({"InstanceId": INSTANCE}, timeout=600)
    assert (played.outcome["status"], played.outcome["attempts"]) == ("stopped", 16)
    never = parse_fault(f"StopInstance={code},status=409")
    set_up = stage({"InstanceId": INSTANCE}, faults=(never,))
    played = set_up.invoke({"InstanceId": INSTANCE}, timeout=600)
    assert (played.outcome["status"], played.outcome["code"]) == ("failed", code)
    assert 180 <= set_up.clock.monotonic() <= 400


@pytest.mark.parametrize("code", ["InsufficientBalance", "IllegalTimestamp"])
def test_what_needs_a_person_fails_at_once(stage: SetStage, code: str) -> None:
    """It would be the same at the next try."""
    fault = parse_fault(f"StopInstance={code},status=400")
    played = stage({"InstanceId": INSTANCE}, faults=(fault,)).invoke({"InstanceId": INSTANCE})
    assert (played.outcome["status"], played.outcome["attempts"]) == ("failed", 1)


@pytest.mark.parametrize("status", [400, 500, 503])
@pytest.mark.parametrize("first", [1, 2, 3])
def test_a_look_is_taken_again_after_unknown_trouble(stage: SetStage, status: int, first: int) -> None:
    """At the first look, and while the stop is verified, a code that nobody knows costs only time."""
    fault = parse_fault(f"DescribeInstances:{first}-{first + 1}=SomethingNew,status={status}")
    played = stage({"InstanceId": INSTANCE}, faults=(fault,)).invoke({"InstanceId": INSTANCE})
    assert (played.outcome["status"], played.outcome["attempts"]) == ("stopped", 1)


def test_a_role_is_assumed_again_after_trouble(stage: SetStage) -> None:
    """AssumeRole changes nothing, so it is tried again as a look is."""
    role = "acs:ram::1234567890123456:role/stop-guard"
    fault = parse_fault("AssumeRole:1-2=SomethingNew,status=500")
    played = stage({"InstanceId": INSTANCE}, faults=(fault,)).invoke(
        {"InstanceId": INSTANCE, "RoleArn": role}, ALLOWED_ROLE_ARNS=role
    )
    assert played.outcome["status"] == "stopped"
