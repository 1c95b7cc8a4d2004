"""Whole runs: the function against the local ECS, over real HTTP and through the real SDK."""

import errno
import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from local.function_compute import ACCOUNT_ID, Runtime
from tests.stage import OPTED_IN, SetStage, error

EVENTS = Path(__file__).parents[2] / "events"
GOOD = "i-bp1good0000000000001"
OTHER = "i-bp1good0000000000002"
ABSENT = "i-bp1absent0000000001"


def request(*ids: str, **fields: object) -> dict[str, object]:
    """Write a bare StopRequest."""
    return {"InstanceIds": list(ids), **fields}


def timer(payload: Mapping[str, object]) -> dict[str, object]:
    """Write FC's timer event, due at the stage's time."""
    return {
        "triggerTime": "2026-01-15T20:00:00Z",
        "triggerName": "nightly",
        "payload": json.dumps(payload),
    }


@pytest.mark.parametrize("runtime", list(Runtime))
def test_a_timer_stops_an_instance(stage: SetStage, runtime: Runtime) -> None:
    """With either kind of context, a timer's instance is stopped by one call, confirmed, and reported."""
    fleet = stage({"InstanceId": GOOD, "InstanceName": "dev-web"})
    played = fleet.invoke(timer(request(GOOD)), runtime=runtime)
    assert played.outcome | {"duration_ms": None, "ecs_request_id": None} == {
        "instance_id": GOOD,
        "instance_name": "dev-web",
        "region_id": "cn-hangzhou",
        "account_id": "1234567890123456",
        "status": "stopped",
        "code": None,
        "message": "stopped, as ECS confirms; it goes on being charged",
        "ecs_request_id": None,
        "stopped_mode": {"requested": "KeepCharging", "expected": "KeepCharging", "actual": "KeepCharging"},
        "previous_status": "Running",
        "attempts": 1,
        "duration_ms": None,
        "warnings": [],
        "instance_type": "ecs.g6.large",
        "cpu": 2,
        "start_time": "2024-01-01T00:01:00+00:00",
        "charging_suspended_since": None,
        "tags": {"auto-stop": "true"},
        "source": "timer",
        "event_id": "nightly@2026-01-15T20:00:00Z",
    }
    assert played.outcome["ecs_request_id"]
    assert played.stops == [
        {"InstanceId": GOOD, "StoppedMode": "KeepCharging", "ForceStop": "False", "DryRun": "False"}
    ]
    assert played.report["summary"] == {"total": 1, "stopped": 1}
    assert played.report["source"] == "timer"


def test_each_outcome_is_a_line_and_a_summary_ends_the_run(stage: SetStage) -> None:
    """Log lines carry the outcomes' fields at their top level, and what every line must carry."""
    played = stage({"InstanceId": GOOD}, {"InstanceId": OTHER, "Tags": {"Tag": []}}).invoke(
        request(GOOD, OTHER, ABSENT)
    )
    *outcomes, summary = played.lines
    for line in played.lines:
        assert {"time", "level", "message", "request_id", "source", "event_id"} <= set(line)
    kept = [{key: line[key] for key in played.outcomes[GOOD]} for line in outcomes]
    assert kept == played.report["outcomes"]
    assert summary["summary"] == {"total": 3, "stopped": 1, "refused": 2}
    assert summary["message"] == played.report["message"]


def test_every_parameter_reaches_ecs_as_asked(stage: SetStage) -> None:
    """ConfirmStop, ForceStop and StoppedMode arrive as the event says; local disks need the first."""
    disks = {"InstanceId": GOOD, "LocalStorageAmount": 1, "LocalStorageCapacity": 894}
    played = stage(disks).invoke(request(GOOD, ConfirmStop=True, ForceStop=True, StoppedMode="KeepCharging"))
    assert played.outcome["status"] == "stopped"
    assert played.stops == [
        {
            "InstanceId": GOOD,
            "StoppedMode": "KeepCharging",
            "ForceStop": "True",
            "DryRun": "False",
            "ConfirmStop": "True",
        }
    ]


@pytest.mark.parametrize(("in_event", "in_settings"), [(True, "false"), (False, "true"), (False, "1")])
def test_a_dry_run_changes_nothing(stage: SetStage, in_settings: str, *, in_event: bool) -> None:
    """ECS checks the call and answers DryRunOperation; the instance goes on running."""
    set_up = stage({"InstanceId": GOOD})
    played = set_up.invoke(request(GOOD, DryRun=in_event), DRY_RUN=in_settings)
    assert played.outcome["status"] == "would_stop"
    assert played.report["dry_run"] is True
    assert set_up.ecs.instance(GOOD).status == "Running"


def test_running_twice_does_no_more_than_once(stage: SetStage) -> None:
    """What is stopped already gets no call, and is no error."""
    set_up = stage({"InstanceId": GOOD})
    set_up.invoke(request(GOOD))
    again = set_up.invoke(request(GOOD))
    assert (again.outcome["status"], again.stops) == ("already_stopped", [])


def test_more_than_100_ids_are_described_in_two_calls(stage: SetStage) -> None:
    """Ids are looked up 100 a call, whether they exist or not."""
    played = stage({"InstanceId": GOOD}).invoke(request(GOOD, *(f"i-bp1no{n:03}" for n in range(100))))
    described = [call for call in played.calls if call.action == "DescribeInstances"]
    assert [len(json.loads(call.parameters["InstanceIds"])) for call in described][:2] in ([100, 1], [1, 100])
    assert played.report["summary"] == {"total": 101, "stopped": 1, "refused": 100}


def test_an_instance_is_found_in_any_of_the_events_regions(stage: SetStage) -> None:
    """Ids are looked for in each region named, and reported where they were found."""
    played = stage({"InstanceId": GOOD, "RegionId": "cn-shanghai"}).invoke(
        request(GOOD, ABSENT, RegionIds=["cn-hangzhou", "cn-shanghai"]),
        ALLOWED_REGIONS="cn-hangzhou,cn-shanghai",
    )
    assert (played.outcomes[GOOD]["status"], played.outcomes[GOOD]["region_id"]) == ("stopped", "cn-shanghai")
    assert played.outcomes[ABSENT]["code"] == "InvalidInstanceId.NotFound"


def test_a_selection_stops_what_matches_and_is_opted_in(stage: SetStage) -> None:
    """A selection is paged to its end; the guard's rules hold for each instance in it."""
    fleet = [
        {
            "InstanceId": f"i-bp1many{n:03}",
            "Tags": {"Tag": [*OPTED_IN["Tag"], {"TagKey": "env", "TagValue": "dev"}]},
        }
        for n in range(150)
    ]
    other = {"InstanceId": OTHER, "Tags": {"Tag": [{"TagKey": "env", "TagValue": "dev"}]}}
    played = stage(*fleet, other, {"InstanceId": GOOD}).invoke(
        {"Tag": [{"Key": "env", "Value": "dev"}]}, MAX_INSTANCES="150"
    )
    assert played.report["summary"] == {"total": 151, "stopped": 150, "refused": 1}
    assert played.outcomes[OTHER]["code"] == "Guard.NotOptedIn"


def test_too_many_instances_stop_nothing(stage: SetStage) -> None:
    """One more than MAX_INSTANCES would stop: no call, no outcome, one refusal that names them all."""
    played = stage({"InstanceId": GOOD}, {"InstanceId": OTHER}).invoke(
        request(GOOD, OTHER, ABSENT), MAX_INSTANCES="1"
    )
    assert (played.stops, played.outcomes) == ([], {})
    (refusal,) = played.refusals
    assert refusal["code"] == "Guard.TooManyInstances"
    assert refusal["instance_ids"] == [GOOD, OTHER]


def test_instances_that_are_refused_do_not_count_as_too_many(stage: SetStage) -> None:
    """What another guard refuses, or does not exist, leaves room for others."""
    played = stage({"InstanceId": GOOD}, {"InstanceId": OTHER, "Tags": {"Tag": []}}).invoke(
        request(GOOD, OTHER, ABSENT), MAX_INSTANCES="1"
    )
    assert played.report["summary"] == {"total": 3, "stopped": 1, "refused": 2}


def test_a_region_outside_the_list_refuses_the_event(stage: SetStage) -> None:
    """Nothing is called at all, and the refusal names the instances that the event named."""
    played = stage({"InstanceId": GOOD}).invoke(request(GOOD, RegionId="cn-beijing"))
    assert played.calls == ()
    (refusal,) = played.refusals
    assert (refusal["code"], refusal["instance_ids"]) == ("Guard.RegionNotAllowed", [GOOD])


@pytest.mark.parametrize(
    ("fields", "answer", "confirmed"),
    [
        ({"InstanceType": "ecs.i2.xlarge"}, "InstanceType.ParameterMismatch", []),
        ({"InstanceType": "ecs.g6.large"}, None, [None]),
        ({"InstanceType": "ecs.nobodyknows9.large"}, "InstanceType.ParameterMismatch", []),
    ],
)
def test_types_tell_of_local_disks_where_the_instance_does_not(
    stage: SetStage, fields: dict[str, object], answer: str | None, confirmed: list[None]
) -> None:
    """Without LocalStorage fields DescribeInstanceTypes is asked; a type unknown to it may have disks."""
    bare = {"InstanceId": GOOD, **fields}
    if "nobody" in str(fields):
        bare["x-emulator"] = {"UnknownType": True}
    played = stage(bare).invoke(request(GOOD))
    assert played.outcome["code"] == answer
    assert [stop.get("ConfirmStop") for stop in played.stops] == confirmed


@pytest.mark.parametrize(("family", "refused"), [("d1", True), ("g6", False)])
def test_the_family_decides_where_types_are_denied(stage: SetStage, family: str, *, refused: bool) -> None:
    """Where the role may not call DescribeInstanceTypes, the list of families says who has local disks."""
    bare = {
        "InstanceId": GOOD,
        "InstanceType": f"ecs.{family}.large",
    }
    denied = error("DescribeInstanceTypes", "Forbidden.RAM")
    played = stage(bare, faults=(denied,)).invoke(request(GOOD))
    assert (played.outcome["code"] == "InstanceType.ParameterMismatch") == refused


def test_types_are_asked_once_in_the_life_of_the_function(stage: SetStage) -> None:
    """Ten types a call, and no type that an earlier invocation learned about."""
    fleet = [{"InstanceId": f"i-bp1kind{n:02}", "InstanceType": f"ecs.g{n}.large"} for n in range(12)]
    set_up = stage(*fleet)
    function = set_up.function(DRY_RUN="true")
    event = json.dumps(request(*(str(one["InstanceId"]) for one in fleet))).encode()
    for _ in range(2):
        assert function.invoke(event).error is None
    asked = [
        sum(name.startswith("InstanceTypes.") for name in call.parameters)
        for call in set_up.ecs.calls
        if call.action == "DescribeInstanceTypes"
    ]
    assert sorted(asked) == [2, 10]


def test_not_economical_is_sent_once_more_with_keep_charging(stage: SetStage) -> None:
    """ECS's InvalidInstanceId.NotSupport costs one more call with KeepCharging, and leaves a warning."""
    spot = {"InstanceId": GOOD, "SpotStrategy": "SpotAsPriceGo"}
    fault = error("StopInstance", "InvalidInstanceId.NotSupport", last=1)
    played = stage(spot, faults=(fault,)).invoke(request(GOOD, StoppedMode="StopCharging"))
    assert [stop["StoppedMode"] for stop in played.stops] == ["StopCharging", "KeepCharging"]
    assert played.outcome["status"] == "stopped"
    assert played.outcome["stopped_mode"] == {
        "requested": "StopCharging",
        "expected": "KeepCharging",
        "actual": "KeepCharging",
    }
    assert "InvalidInstanceId.NotSupport" in str(played.outcome["warnings"])


def test_a_stop_that_suspends_charging_says_since_when(stage: SetStage) -> None:
    """Only a confirmed StopCharging carries the time since which vCPUs and memory are not charged."""
    set_up = stage({"InstanceId": GOOD}, {"InstanceId": OTHER, "InstanceChargeType": "PrePaid"})
    played = set_up.invoke(request(GOOD, OTHER, StoppedMode="StopCharging"))
    confirmed = set_up.clock.now().isoformat(timespec="seconds")
    assert played.outcomes[GOOD]["charging_suspended_since"] == confirmed
    assert played.outcomes[OTHER]["charging_suspended_since"] is None


def test_no_line_is_too_long_for_the_log(stage: SetStage) -> None:
    """FC cuts a log entry at 32 KB; even with the longest tags that ECS takes, a line stays below."""
    tags = [{"TagKey": f"{n:02}" + "\u503c" * 126, "TagValue": "\u503c" * 256} for n in range(19)]
    long = {"InstanceId": GOOD, "Tags": {"Tag": [*OPTED_IN["Tag"], *tags]}}
    played = stage(long).invoke(request(GOOD))
    assert max(len(json.dumps(line)) for line in played.lines) < 32_000
    assert played.outcome["status"] == "stopped"


MAINTENANCE = json.loads((EVENTS / "cms.event.json").read_text()) | {"eventTime": "20260116T035900.000+0800"}


@pytest.mark.parametrize(
    ("event", "settings", "level"),
    [
        ({"InstanceIds": ["i-bp1a", "i-bp1b"]}, {}, "INFO"),
        ({"InstanceIds": ["i-bp1a", "i-bp1b"]}, {"MAX_INSTANCES": "1"}, "ERROR"),
        ({"InstanceId": "i-bp1a", "RegionId": "cn-beijing"}, {}, "WARNING"),
        ({"Tag": [{"Key": "env", "Value": "prd"}]}, {}, "WARNING"),
        (MAINTENANCE, {}, "INFO"),
        ({"InstanceId": "i-bp1a", "Odd": 1}, {}, "ERROR"),
    ],
)
def test_the_level_says_whether_somebody_should_look(
    stage: SetStage, event: dict[str, object], settings: dict[str, str], level: str
) -> None:
    """Also where nothing was done at all: an event refused as a whole, or one that means no instance."""
    played = stage({"InstanceId": "i-bp1a"}, {"InstanceId": "i-bp1b"}).invoke_with(settings, event)
    *refusals, summary = (line["level"] for line in played.lines if "instance_id" not in line)
    assert summary == level
    assert set(refusals) <= {level}


def test_a_log_that_cannot_be_written_stops_nothing_from_being_done(stage: SetStage) -> None:
    """The run goes on, and its report has every outcome."""

    def write(_line: str) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    set_up = stage({"InstanceId": GOOD}, {"InstanceId": OTHER})
    answer = set_up.function(write=write).invoke(json.dumps(request(GOOD, OTHER, ABSENT)).encode())
    assert answer.returned is not None, answer.error
    assert answer.returned["summary"] == {"total": 3, "stopped": 2, "refused": 1}


def test_the_report_is_the_contracts(stage: SetStage) -> None:
    """Its fields, their order, and where and when it was, for whoever reads it long after."""
    set_up = stage({"InstanceId": GOOD})
    began = set_up.clock.now()
    report = set_up.invoke(request(GOOD, ABSENT)).report
    assert list(report) == [
        *("request_id", "time", "account_id", "region_ids", "source", "event_id", "dry_run", "message"),
        *("summary", "still_charged", "outcomes", "handed_on", "refusals", "region_errors"),
    ]
    assert report["time"] == began.isoformat(timespec="seconds")
    assert (report["account_id"], report["region_ids"]) == (ACCOUNT_ID, ["cn-hangzhou"])


def test_an_outcome_is_the_contracts(stage: SetStage) -> None:
    """Seen or not, an outcome has each field, in the report and in its line, which says whose it is."""
    played = stage({"InstanceId": GOOD}).invoke(request(GOOD, ABSENT))
    fields = [
        *("instance_id", "instance_name", "region_id", "account_id", "status", "code", "message"),
        *("ecs_request_id", "stopped_mode", "previous_status", "attempts", "duration_ms", "warnings"),
        *("instance_type", "cpu", "start_time", "charging_suspended_since", "tags", "source", "event_id"),
    ]
    assert [list(outcome) for outcome in played.outcomes.values()] == [fields, fields]
    lines = [line.keys() for line in played.lines if "instance_id" in line]
    assert lines == [{*fields, "time", "level", "request_id"}] * 2
