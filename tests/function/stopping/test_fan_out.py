"""Large runs handed on: each target in one shard, each shard an ordinary event, nothing lost on the way."""

import json

import pytest

from local.emulator.fault_text import parse_fault
from tests.stage import Played, SetStage, Stage

ON = {"FAN_OUT": "true", "SHARD_SIZE": "10", "MAX_INSTANCES": "1000"}
TAG = {"Tag": [{"Key": "auto-stop"}]}
REGIONS = ("cn-hangzhou", "cn-beijing")


def fleet(count: int, regions: tuple[str, ...] = ("cn-hangzhou",)) -> list[dict[str, object]]:
    """Make instances, in turn in each region."""
    return [
        {"InstanceId": f"i-bp1many{n:03}", "RegionId": regions[n % len(regions)], "LocalStorageAmount": 0}
        for n in range(count)
    ]


def nightly(**payload: object) -> dict[str, object]:
    """Write a timer's event."""
    return {
        "triggerTime": "2026-01-15T20:00:00Z",
        "triggerName": "nightly",
        "payload": json.dumps({**TAG, **payload}),
    }


def parts(played: Played) -> list[dict[str, object]]:
    """Give what was handed on."""
    found = played.report["handed_on"]
    assert isinstance(found, list)
    return sorted(found, key=lambda part: str(part["shard_event_id"]))


def ids_of(played: Played) -> list[str]:
    """Give the instances that were handed on."""
    return sorted(str(one) for part in parts(played) for one in part["instance_ids"])  # type: ignore[attr-defined]  # a list


def all_outcomes(parent: Played, set_up: Stage) -> dict[str, str]:
    """Give the status of each instance over the run and its shards; no instance has two."""
    found: dict[str, str] = {}
    for played in (parent, *set_up.shards):
        for instance_id, outcome in played.outcomes.items():
            assert instance_id not in found
            found[instance_id] = str(outcome["status"])
    return found


def test_a_large_run_becomes_shards(stage: SetStage) -> None:
    """25 instances become three events; the shards stop them all, and each has one outcome in one of them."""
    set_up = stage(
        *fleet(25), {"InstanceId": "i-bp1other", "Tags": {"Tag": [{"TagKey": "auto-stop", "TagValue": "no"}]}}
    )
    parent = set_up.invoke_with(ON, nightly())
    assert parent.report["summary"] == {"total": 1, "refused": 1}
    assert [len(part["instance_ids"]) for part in parts(parent)] == [10, 10, 5]  # type: ignore[arg-type]  # a list
    assert ids_of(parent) == [one["InstanceId"] for one in fleet(25)]
    assert parent.stops == []
    assert parent.batches == []
    assert str(parent.lines[-1]["message"]) == ("Refused 1 of 1: 1 not opted in; handed on 25 in 3 shards")
    set_up.deliver()
    assert len(set_up.shards) == 3
    assert sorted(str(shard.report["event_id"]) for shard in set_up.shards) == [
        f"nightly@2026-01-15T20:00:00Z#{n}of3" for n in (1, 2, 3)
    ]
    assert {part["shard_event_id"] for part in parts(parent)} == {
        shard.report["event_id"] for shard in set_up.shards
    }
    outcomes = all_outcomes(parent, set_up)
    assert len(outcomes) == 26
    assert [one for one, status in outcomes.items() if status != "stopped"] == ["i-bp1other"]


def test_several_sites_are_shards_however_small(stage: SetStage) -> None:
    """A region each, so that one region's troubles hold up no other."""
    set_up = stage(*fleet(4, REGIONS))
    settings = {**ON, "ALLOWED_REGIONS": ",".join(REGIONS)}
    parent = set_up.invoke_with(settings, nightly(RegionIds=REGIONS))
    assert sorted(str(part["region_id"]) for part in parts(parent)) == sorted(REGIONS)
    set_up.deliver()
    assert all_outcomes(parent, set_up) == {f"i-bp1many{n:03}": "stopped" for n in range(4)}


def test_a_small_run_is_done_at_once(stage: SetStage) -> None:
    """Ten instances of one region are no reason to hand anything on; nor is anything without FAN_OUT."""
    assert parts(stage(*fleet(10)).invoke_with(ON, nightly())) == []
    off = stage(*fleet(25)).invoke_with({**ON, "FAN_OUT": "false"}, nightly())
    assert off.report["summary"] == {"total": 25, "stopped": 25}


@pytest.mark.parametrize("yes", [True, False])
def test_the_shards_ask_for_the_same(stage: SetStage, *, yes: bool) -> None:
    """Mode, consent, force, account and time go with them, said in full; they are dry where the event is."""
    role = "acs:ram::2345678901234567:role/stop-guard"
    there = {"x-emulator": {"AccountId": "2345678901234567"}}
    set_up = stage(*({**one, **there} for one in fleet(12)))
    asked = {
        "RoleArn": role,
        "ConfirmStop": yes,
        "ForceStop": yes,
        "StoppedMode": "StopCharging",
        "DryRun": yes,
    }
    set_up.invoke_with({**ON, "ALLOWED_ROLE_ARNS": role}, nightly(**asked))
    events = [json.loads(invocation.event) for invocation in set_up.functions.waiting]
    assert [event["time"] for event in events] == ["2026-01-15T20:00:00+00:00"] * 2
    for event in events:
        data = event["data"]
        assert len(data.pop("InstanceIds")) in {10, 2}
        assert data == {**asked, "RegionId": "cn-hangzhou"}
    set_up.deliver()
    assert [shard.report["dry_run"] for shard in set_up.shards] == [yes, yes]
    statuses = {set_up.ecs.instance(str(one["InstanceId"])).status for one in fleet(12)}
    assert statuses == {"Running" if yes else "Stopped"}


def test_a_dry_run_of_the_environment_hands_on_dry_runs(stage: SetStage) -> None:
    """`--plan` on the command line asks for the same: a shard is dry for whoever gets it."""
    set_up = stage(*fleet(12))
    played = set_up.invoke_with({**ON, "DRY_RUN": "true"}, nightly())
    asked = [json.loads(invocation.event)["data"]["DryRun"] for invocation in set_up.functions.waiting]
    assert asked == [True, True]
    assert not any("stop" in str(part["message"]) for part in parts(played))


def test_the_cap_counts_over_all_shards(stage: SetStage) -> None:
    """More than MAX_INSTANCES refuses the event before anything is handed on."""
    set_up = stage(*fleet(25))
    played = set_up.invoke_with({**ON, "MAX_INSTANCES": "24"}, nightly())
    assert [refusal["code"] for refusal in played.refusals] == ["Guard.TooManyInstances"]
    assert set_up.functions.waiting == ()


def test_a_run_that_is_repeated_does_no_harm(stage: SetStage) -> None:
    """As FC's retry does: the same shards come again, and stop nothing twice."""
    set_up = stage(*fleet(25))
    first = set_up.invoke_with(ON, nightly())
    again = set_up.invoke_with(ON, nightly())
    assert [part["shard_event_id"] for part in parts(again)] == [
        part["shard_event_id"] for part in parts(first)
    ]
    assert ids_of(again) == ids_of(first)
    set_up.deliver()
    statuses = [str(one["status"]) for shard in set_up.shards for one in shard.outcomes.values()]
    assert sorted(statuses) == ["already_stopped"] * 25 + ["stopped"] * 25


def test_the_order_of_the_ids_does_not_matter(stage: SetStage) -> None:
    """ECS may list a fleet in any order: the same shards have the same instances."""
    ids = [str(one["InstanceId"]) for one in fleet(25)]
    contents = []
    for order in (ids, ids[::-1]):
        set_up = stage(*fleet(25))
        event = {"triggerName": "nightly", "triggerTime": "2026-01-15T20:00:00Z"}
        set_up.invoke_with(ON, {**event, "payload": json.dumps({"InstanceIds": order})})
        contents.append(sorted(invocation.event for invocation in set_up.functions.waiting))
    assert contents[0] == contents[1]


def test_the_longest_event_id_leaves_room_for_a_number(stage: SetStage) -> None:
    """A shard's id is one that an event may have, however long that of its event is."""
    wrapped = {"specversion": "1.0", "id": "é" * 256, "source": "tests", "type": "tests", "data": TAG}
    set_up = stage(*fleet(25))
    parent = set_up.invoke_with(ON, {**wrapped, "time": "2026-01-15T20:00:00Z"})
    set_up.deliver()
    given = sorted(str(shard.report["event_id"]) for shard in set_up.shards)
    assert given == [f"{'é' * 240}#{n}of3" for n in (1, 2, 3)]
    assert [part["shard_event_id"] for part in parts(parent)] == given


def test_what_was_admitted_once_goes_not_stale(stage: SetStage) -> None:
    """A shard has the time of its event, but is not asked for its age again, however long FC's queue is."""
    set_up = stage(*fleet(25))
    set_up.clock.advance(3500)
    parent = set_up.invoke_with(ON, nightly())
    set_up.clock.advance(3600)
    set_up.deliver()
    assert set(all_outcomes(parent, set_up).values()) == {"stopped"}


def test_a_shard_stops_what_is_selected_still(stage: SetStage) -> None:
    """What has lost the tag of its event's selection, or was started since, is left alone by its shard."""

    def tagged(env: str) -> dict[str, object]:
        pairs = {"auto-stop": "true", "env": env}
        return {"Tags": {"Tag": [{"TagKey": key, "TagValue": value} for key, value in pairs.items()]}}

    set_up = stage(*({**one, **tagged("dev")} for one in fleet(12)))
    set_up.invoke_with(ON, nightly(Tag=[{"Key": "env", "Value": "dev"}]))
    event = json.loads(max((one.event for one in set_up.functions.waiting), key=len))
    retagged, restarted, *others = map(str, event["data"]["InstanceIds"])
    changes: dict[str, dict[str, object]] = {
        retagged: tagged("prod"),
        restarted: {"StartTime": "2026-01-15T20:01Z"},
    }
    later = stage(*({**one, **tagged("dev"), **changes.get(str(one["InstanceId"]), {})} for one in fleet(12)))
    played = later.invoke_with(ON, event)
    assert played.outcomes[retagged]["code"] == "Guard.NotSelected"
    assert played.outcomes[restarted]["code"] == "Guard.StartedSince"
    assert {played.outcomes[one]["status"] for one in others} == {"stopped"}


def test_nobody_else_can_say_that_an_event_was_admitted(stage: SetStage) -> None:
    """Over HTTP, and in what a queue holds, an event that calls itself a shard goes stale like any other."""
    set_up = stage(*fleet(1))
    set_up.clock.advance(3601)
    shard = {
        "specversion": "1.0",
        "id": "e#1of1",
        "source": "stop-guard",
        "type": "stop-guard:Shard",
        "time": "2026-01-15T20:00:00Z",
        "admitted": True,
        "data": {"InstanceIds": ["i-bp1many000"]},
    }
    token = "a-token-of-the-tests"
    http = {
        "version": "v1",
        "rawPath": "/",
        "headers": {"X-Alarm-Token": token},
        "queryParameters": {},
        "body": json.dumps(shard),
        "isBase64Encoded": False,
        "requestContext": {},
    }
    queue = {
        "specversion": "1.0",
        "id": "m",
        "source": "acs.mns",
        "type": "mns:Queue:SendMessage",
        "time": "2026-01-15T20:00:00Z",
        "data": {"messageBody": json.dumps(shard)},
    }
    for event in (http, queue):
        played = set_up.invoke(event, ALARM_TOKEN=token)
        assert [refusal["code"] for refusal in played.refusals] == ["Guard.StaleEvent"]
    assert set_up.invoke(shard).outcome["status"] == "stopped"


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        ("InvokeFunction=AccessDenied,status=403", "failed"),
        ("InvokeFunction=FunctionNotFound,status=404", "failed"),
        ("InvokeFunction=reset", "unknown"),
        ("InvokeFunction=reset,when=after", "unknown"),
        ("InvokeFunction=InternalError", "unknown"),
    ],
)
def test_what_fc_does_not_take_is_left(stage: SetStage, fault: str, status: str) -> None:
    """Each instance of such a shard has an outcome that raises, so that FC tries the event again.

    What FC may have taken is not handed on again by the same run.
    """
    set_up = stage(*fleet(25), faults=(parse_fault(fault),))
    played = set_up.invoke_with(ON, nightly())
    assert played.report["summary"] == {"total": 25, status: 25}
    assert type(played.answer.error).__name__ == "StopIncomplete"
    assert {set_up.ecs.instance(str(one["InstanceId"])).status for one in fleet(25)} == {"Running"}
    assert played.count("InvokeFunction") == 3


@pytest.mark.parametrize("then", ["AccessDenied,status=403", "ResourceThrottled,status=429"])
def test_what_fc_may_have_taken_stays_unknown(stage: SetStage, then: str) -> None:
    """Whatever FC says to others, a shard whose answer was lost may be there."""
    faults = ("InvokeFunction:1-3=reset,when=after", f"InvokeFunction:4-={then}")
    set_up = stage(*fleet(25), faults=tuple(map(parse_fault, faults)))
    played = set_up.invoke_with(ON, nightly(), timeout=30)
    assert len(set_up.functions.waiting) == 3
    assert played.report["summary"] == {"total": 25, "unknown": 25}
    assert {outcome["code"] for outcome in played.outcomes.values()} == {"Client.NoAnswer"}


@pytest.mark.parametrize(
    "fault", ["InvokeFunction:1=ResourceExhausted", "InvokeFunction:2=ResourceThrottled,status=429"]
)
def test_a_passing_trouble_of_fc_is_waited_out(stage: SetStage, fault: str) -> None:
    """The shard is handed on a little later."""
    set_up = stage(*fleet(25), faults=(parse_fault(fault),))
    parent = set_up.invoke_with(ON, nightly())
    assert ids_of(parent) == [one["InstanceId"] for one in fleet(25)]
    set_up.deliver()
    assert set(all_outcomes(parent, set_up).values()) == {"stopped"}


def test_out_of_time_the_rest_is_not_attempted(stage: SetStage) -> None:
    """What could not be handed on before the deadline has its outcome."""
    set_up = stage(*fleet(25), faults=(parse_fault("InvokeFunction:2-=ResourceThrottled,status=429"),))
    played = set_up.invoke_with({**ON, "CONCURRENCY": "1"}, nightly(), timeout=30)
    assert len(ids_of(played)) == 10
    assert played.report["summary"] == {"total": 15, "failed": 10, "not_attempted": 5}


def test_a_shard_that_fails_is_fc_s_to_try_again(stage: SetStage) -> None:
    """It goes to the failure destination in the end, with what is left; the other shards are done."""
    broken = {
        "InstanceId": "i-bp1broken",
        "LocalStorageAmount": 0,
        "x-emulator": {"StopInstance": "DiskError"},
    }
    set_up = stage(*fleet(25), broken)
    set_up.invoke_with(ON, nightly())
    set_up.deliver()
    assert len(set_up.functions.on_success) == 2
    (record,) = set_up.functions.on_failure
    assert record["requestContext"]["approximateInvokeCount"] == 4
    assert "i-bp1broken failed (DiskError)" in json.loads(record["responsePayload"])["errorMessage"]
