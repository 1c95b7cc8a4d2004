"""Many runs of many instances over real HTTP with real threads, on bad days of all kinds."""

import os
import random

import pytest

from local.emulator.fault_text import parse_fault
from tests.stage import WITH_DISKS, SetStage

RUNS = int(os.environ.get("STRESS_RUNS", "8"))
"""`make soak` plays 200."""

IDS = [f"i-bp1many{n:03}" for n in range(200)]
TROUBLES = [
    "quota,per-minute=120",
    "reset",
    "reset,when=after",
    "html",
    "garbage,when=after",
    "InternalError",
    "ServiceUnavailable",
    "Throttling.User,retry-after=700",
    "stale,seconds=6",
    "IncorrectInstanceStatus",
    "DiskError",
]


def bad_day(chance: random.Random, *, alone: bool) -> list[str]:
    """Draw some troubles, each on a stretch of the calls of an action."""
    faults = []
    for trouble in chance.sample(TROUBLES, 5):
        first = chance.randrange(1, 150 if alone else 4)
        last = first + chance.randrange(30 if alone else 3)
        calls = "" if trouble.startswith(("quota", "stale")) else f":{first}-{last}"
        faults.append(f"{'StopInstance' if alone else 'StopInstances'}{calls}={trouble}")
    look = chance.randrange(1, 6)
    return [
        *faults,
        f"DescribeInstances:{look}-{look + 1}={chance.choice(['reset', 'html', 'InternalError'])}",
    ]


@pytest.mark.parametrize("run", range(RUNS))
def test_no_outcome_is_lost(stage: SetStage, run: int) -> None:
    """Of 200 instances each has one outcome, and what is called stopped is stopped, whatever the day."""
    chance = random.Random(run)
    alone = chance.random() < 0.5
    faults = tuple(map(parse_fault, bad_day(chance, alone=alone)))
    disks = WITH_DISKS if alone else {"LocalStorageAmount": 0}
    set_up = stage(*({"InstanceId": one, **disks} for one in IDS), faults=faults)
    played = set_up.invoke({"InstanceIds": IDS, "ConfirmStop": alone}, timeout=400, MAX_INSTANCES="200")
    assert sorted(played.outcomes) == IDS
    assert sorted(str(line["instance_id"]) for line in played.lines if "status" in line) == IDS
    for instance_id, outcome in played.outcomes.items():
        stopped = set_up.ecs.instance(instance_id).status == "Stopped"
        assert outcome["attempts"] == played.asked(instance_id)
        assert stopped == (outcome["status"] == "stopped") or outcome["status"] in {"stopping", "unknown"}
