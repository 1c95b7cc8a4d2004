"""Other accounts, reached by their roles: allowed by the environment, kept apart, named in the outcomes."""

import json

import pytest

from local.emulator.fault_text import parse_fault
from tests.stage import Played, SetStage, Stage

OWN, SECOND, THIRD = "1234567890123456", "2345678901234567", "3456789012345678"
ROLES = [f"acs:ram::{account}:role/stop-guard" for account in (SECOND, THIRD)]
ALLOWED = {"ALLOWED_ROLE_ARNS": ",".join(ROLES)}
ENV_DEV = {"Tag": [{"TagKey": "auto-stop", "TagValue": "true"}, {"TagKey": "env", "TagValue": "dev"}]}
DEV = {"Tag": [{"Key": "env", "Value": "dev"}]}


def instance(account: str, number: int, **fields: object) -> dict[str, object]:
    """Make an instance in an account."""
    return {
        "InstanceId": f"i-bp1of{account[0]}n{number}",
        "Tags": ENV_DEV,
        "x-emulator": {"AccountId": account},
        **fields,
    }


def three_accounts(stage: SetStage, *faults: str) -> Stage:
    """Make two instances in each of three accounts."""
    instances = [instance(account, number) for account in (OWN, SECOND, THIRD) for number in (1, 2)]
    return stage(*instances, faults=tuple(map(parse_fault, faults)))


def accounts_of(played: Played) -> dict[str, object]:
    """Give the account of each outcome."""
    return {instance_id: outcome["account_id"] for instance_id, outcome in played.outcomes.items()}


@pytest.mark.parametrize("key", ["RoleArns", "role_arns"])
def test_each_account_is_stopped_through_its_role(stage: SetStage, key: str) -> None:
    """A selection means the accounts of the roles that are named, and no other; outcomes say which."""
    set_up = three_accounts(stage)
    played = set_up.invoke_with(ALLOWED, {**DEV, key: ROLES})
    assert played.report["summary"] == {"total": 4, "stopped": 4}
    assert set(accounts_of(played).items()) == {
        (f"i-bp1of{account[0]}n{number}", account) for account in (SECOND, THIRD) for number in (1, 2)
    }
    assert set_up.ecs.instance("i-bp1of1n1").status == "Running"
    assert played.count("AssumeRole") == 2
    assert {line["account_id"] for line in played.lines if "instance_id" in line} == {SECOND, THIRD}


@pytest.mark.parametrize(("timeout", "seconds"), [(300, "900"), (1800, "1799"), (7200, "3600")])
def test_a_session_lasts_as_long_as_the_run(stage: SetStage, timeout: int, seconds: str) -> None:
    """Not shorter than STS allows, nor longer than every role does."""
    played = three_accounts(stage).invoke_with(ALLOWED, {**DEV, "RoleArn": ROLES[0]}, timeout=timeout)
    (asked,) = (call.parameters for call in played.calls if call.action == "AssumeRole")
    assert asked["DurationSeconds"] == seconds


def test_without_a_role_it_is_the_own_account(stage: SetStage) -> None:
    """Nothing is assumed, and other accounts' instances are not even seen."""
    played = three_accounts(stage).invoke_with(ALLOWED, DEV)
    assert set(accounts_of(played).values()) == {OWN}
    assert played.count("AssumeRole") == 0


def test_an_id_is_looked_for_in_each_account(stage: SetStage) -> None:
    """It is found where it is; one that is nowhere says where it was looked for."""
    event = {"InstanceIds": ["i-bp1of3n1", "i-bp1of2n2", "i-bp1of1n1"], "RoleArns": ROLES}
    played = three_accounts(stage).invoke_with(ALLOWED, event)
    assert played.report["summary"] == {"total": 3, "stopped": 2, "refused": 1}
    lost = played.outcomes["i-bp1of1n1"]
    assert lost["code"] == "InvalidInstanceId.NotFound"
    assert f"cn-hangzhou of account {SECOND}, cn-hangzhou of account {THIRD}" in str(lost["message"])


@pytest.mark.parametrize("allowed", [{}, {"ALLOWED_ROLE_ARNS": ROLES[0]}])
def test_a_role_that_is_not_allowed_refuses_the_event(stage: SetStage, allowed: dict[str, str]) -> None:
    """One is enough, as for regions; nothing is called."""
    played = three_accounts(stage).invoke_with(allowed, {**DEV, "RoleArns": ROLES})
    assert [refusal["code"] for refusal in played.refusals] == ["Guard.RoleNotAllowed"]
    assert played.calls == ()


@pytest.mark.parametrize(
    "fault",
    [
        f"AssumeRole=NoPermission,account={SECOND}",
        f"DescribeInstances=Forbidden.RAM,account={SECOND}",
        f"AssumeRole=reset,account={SECOND}",
    ],
)
def test_one_account_s_denial_does_not_touch_the_others(stage: SetStage, fault: str) -> None:
    """Its regions are region errors, which raise once the other account is done."""
    played = three_accounts(stage, fault).invoke_with(ALLOWED, {**DEV, "RoleArns": ROLES})
    assert played.report["summary"] == {"total": 2, "stopped": 2}
    assert set(accounts_of(played).values()) == {THIRD}
    errors = played.report["region_errors"]
    assert isinstance(errors, list)
    assert [(error["region_id"], error["account_id"]) for error in errors] == [("cn-hangzhou", SECOND)]
    assert "StopIncomplete" in type(played.answer.error).__name__
    assert f"account {SECOND}" in str(played.answer.error)


def test_ids_of_an_account_that_denies_are_failed(stage: SetStage) -> None:
    """They can't be described: outcomes, no region error, with the code of the denial."""
    fault = f"AssumeRole=NoPermission,account={SECOND}"
    event = {"InstanceIds": ["i-bp1of2n1"], "RoleArn": ROLES[0]}
    played = three_accounts(stage, fault).invoke_with(ALLOWED, event)
    assert (played.outcome["status"], played.outcome["code"]) == ("failed", "NoPermission")
    assert played.report["region_errors"] == []


def test_a_passing_trouble_of_sts_is_waited_out(stage: SetStage) -> None:
    """Assuming a role changes nothing, so it is tried again."""
    played = three_accounts(stage, "AssumeRole:1=ServiceUnavailable", "AssumeRole:2=Throttling").invoke_with(
        ALLOWED, {**DEV, "RoleArns": ROLES}
    )
    assert played.report["summary"] == {"total": 4, "stopped": 4}


def test_a_quota_is_the_account_s_own(stage: SetStage) -> None:
    """Where one account throttles, calls to the others go on at once."""
    set_up = three_accounts(stage, f"StopInstance=Throttling.User,account={SECOND}")
    played = set_up.invoke_with(ALLOWED, {**DEV, "RoleArns": ROLES}, timeout=30)
    statuses = {one: outcome["status"] for one, outcome in played.outcomes.items()}
    assert {statuses["i-bp1of3n1"], statuses["i-bp1of3n2"]} == {"stopped"}
    assert {statuses["i-bp1of2n1"], statuses["i-bp1of2n2"]} <= {"failed", "not_attempted"}


def test_the_cap_counts_over_all_accounts(stage: SetStage) -> None:
    """Two in each of two accounts are more than three: nothing is stopped anywhere."""
    event = {**DEV, "RoleArns": ROLES}
    played = three_accounts(stage).invoke_with({**ALLOWED, "MAX_INSTANCES": "3"}, event)
    assert [refusal["code"] for refusal in played.refusals] == ["Guard.TooManyInstances"]
    assert played.stops == []


def test_two_roles_of_an_account_lead_to_one_outcome(stage: SetStage) -> None:
    """An instance that is seen twice is stopped once."""
    roles = [f"acs:ram::{SECOND}:role/{name}" for name in ("one", "two")]
    played = three_accounts(stage).invoke({**DEV, "RoleArns": roles}, ALLOWED_ROLE_ARNS=",".join(roles))
    assert played.report["summary"] == {"total": 2, "stopped": 2}
    assert len(played.stops) == 2


@pytest.mark.parametrize("dry_run", [True, False])
def test_a_dry_run_does_not_hide_a_stop_that_failed(stage: SetStage, *, dry_run: bool) -> None:
    """What one event could not reach is left to no other event's dry run, only to one that stops it."""
    roles = [f"acs:ram::{SECOND}:role/{name}" for name in ("one", "two")]
    there: dict[str, object] = {"InstanceId": "i-bp1of2n1"}
    events = [{**there, "RoleArn": roles[0]}, {**there, "RoleArn": roles[1], "DryRun": dry_run}]
    set_up = three_accounts(stage, "AssumeRole:1=NoPermission")
    played = set_up.invoke(events, ALLOWED_ROLE_ARNS=",".join(roles), CONCURRENCY="1")
    assert played.outcome["status"] == ("failed" if dry_run else "stopped")


def test_no_key_of_a_role_is_ever_said(stage: SetStage) -> None:
    """Not in the log, the report or an exception, even where ECS echoes what was signed."""
    set_up = three_accounts(stage, "StopInstance=SignatureDoesNotMatch,status=400")
    played = set_up.invoke_with(ALLOWED, {**DEV, "RoleArns": ROLES})
    said = json.dumps([played.lines, played.report]) + str(played.answer.error)
    assert "STS." not in said
    assert "SignatureDoesNotMatch" in said


@pytest.mark.parametrize(
    "event",
    [
        {"RoleArn": "stop-guard"},
        {"RoleArns": []},
        {"RoleArns": "acs:ram::1:role/a"},
        {"RoleArn": ROLES[0], "RoleArns": ROLES},
        {"RoleArn": f"{ROLES[0]}\nx"},
    ],
)
def test_what_is_no_role_is_invalid(stage: SetStage, event: dict[str, object]) -> None:
    """The message names the field."""
    played = three_accounts(stage).invoke_with(ALLOWED, {**DEV, **event})
    assert type(played.answer.error).__name__ == "InvalidEvent"
    assert "RoleArn" in str(played.answer.error)
    assert played.calls == ()


def test_each_role_stops_what_it_was_named_for(stage: SetStage) -> None:
    """Two roles of one account may be allowed different things: none stops what the other one is to stop."""
    roles = [ROLES[0], ROLES[0].replace("stop-guard", "another")]
    ids = [f"i-bp1of2n{number}" for number in range(8)]
    set_up = stage(*(instance(SECOND, number, LocalStorageAmount=0) for number in range(8)))
    events = [{"InstanceIds": ids[4 * n : 4 * n + 4], "RoleArn": role} for n, role in enumerate(roles)]
    played = set_up.invoke_with({"ALLOWED_ROLE_ARNS": ",".join(roles)}, events)
    assert played.report["summary"] == {"total": 8, "stopped": 8}
    assert sorted(played.batches) == [ids[:4], ids[4:]]
