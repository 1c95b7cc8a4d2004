"""What the report says is what happened: every fault, on every call, for one instance and for many."""

import itertools
from collections.abc import Mapping

import pytest

from function.model.outcome import Status
from local.emulator.fault_text import parse_fault
from tests.stage import Played, SetStage, Stage

FAULTS = [
    "InternalError",
    "ServiceUnavailable",
    "Throttling.User",
    "Throttling.User,retry-after=500",
    "InvalidOperation.Conflict",
    "IncorrectInstanceStatus",
    "DiskError",
    "Forbidden.RAM",
    "InvalidSecurityToken.Expired",
    "SomethingNobodyKnows,status=418",
    "html",
    "html,when=after",
    "garbage",
    "garbage,when=after",
    "reset",
    "reset,when=after",
    "delay,seconds=5",
    "delay,seconds=5,when=after",
    "quota,per-minute=2",
]
AFTERMATHS = ["stuck,status=Stopping", "stuck,status=Running", "stale,seconds=8"]
WHICH = ["", ":1", ":2", ":2-"]
MANY = {"DescribeInstances": 4, "DescribeInstanceTypes": 12, "StopInstance": 4, "StopInstances": 6}
"""By the call: of types ten are asked for at once, and from four instances on they are stopped together."""
CASES = [
    (call, *case, size)
    for call, many in MANY.items()
    for case in itertools.product(WHICH, FAULTS + (AFTERMATHS if call.startswith("Stop") else []))
    for size in (1, many)
]


def fleet(size: int, emulator: Mapping[str, object]) -> list[dict[str, object]]:
    """Make instances whose types have to be asked for."""
    return [
        {"InstanceId": f"i-bp1many{n:03}", "InstanceType": f"ecs.g{n}.large", "x-emulator": emulator}
        for n in range(size)
    ]


def untrue(played: Played, stage: Stage, statuses_before: dict[str, str]) -> list[str]:
    """List what the report says that is not so in ECS."""
    lies = []
    for instance_id, outcome in played.outcomes.items():
        before, now = statuses_before[instance_id], stage.ecs.instance(instance_id).status
        sent = played.asked(instance_id)
        changed = now != before
        match outcome["status"]:
            case Status.STOPPED:
                true = now == "Stopped" and changed
            case Status.STOPPING:
                true = sent > 0 or before == "Stopping"
            case Status.UNKNOWN:
                true = sent > 0
            case Status.ALREADY_STOPPED:
                true = before in {"Stopping", "Stopped"}
            case Status.NOT_ATTEMPTED:
                true = not sent and not changed
            case _:
                true = not changed
        if not true or outcome["attempts"] != sent:
            lies.append(f"{outcome}: was {before}, is {now}, {sent} calls")
    return lies


@pytest.mark.parametrize(("call", "which", "fault", "size"), CASES)
def test_each_outcome_is_true(stage: SetStage, call: str, which: str, fault: str, size: int) -> None:
    """Each target has one outcome, logged and reported alike and true in ECS; what is left is raised."""
    # With local disks, and consent, each has its own call; else the twelve are stopped together.
    alone = call == "StopInstance"
    instances = fleet(size, {"LocalStorage": {}} if alone else {})
    set_up = stage(*instances, faults=(parse_fault(f"{call}{which}={fault}"),))
    ids = [str(instance["InstanceId"]) for instance in instances]
    before = {instance_id: set_up.ecs.instance(instance_id).status for instance_id in ids}
    started = set_up.clock.seconds
    played = set_up.invoke({"InstanceIds": ids, "ConfirmStop": alone}, timeout=200)

    assert sorted(played.outcomes) == sorted(ids)
    logged = [line["instance_id"] for line in played.lines if "status" in line]
    assert sorted(map(str, logged)) == sorted(ids)
    assert untrue(played, set_up, before) == []
    statuses = {Status(str(outcome["status"])) for outcome in played.outcomes.values()}
    left = Status.STOPPING in statuses or any(status.left for status in statuses)
    assert (type(played.answer.error).__name__ == "StopIncomplete") == left
    assert set_up.clock.seconds - started <= 200 - 1


@pytest.mark.parametrize("then", ["InstanceLockedForSecurity", "DiskError"])
@pytest.mark.parametrize("first", ["InternalError", "reset"])
def test_a_clear_no_does_not_hide_a_stop_that_was_done(stage: SetStage, first: str, then: str) -> None:
    """A call in doubt that was done is found out, though reads are late and the next call is refused."""
    script = (f"StopInstance:1={first},when=after", "StopInstance=stale,seconds=8", f"StopInstance:2={then}")
    played = stage({"InstanceId": "i-bp1a"}, faults=tuple(map(parse_fault, script))).invoke(
        {"InstanceId": "i-bp1a"}
    )
    assert played.outcome["attempts"] == 2
    assert played.outcome["status"] == "stopped"
