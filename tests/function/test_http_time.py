"""Over HTTP the sender waits: the answer goes out in time, and what ECS accepted is in the log before."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from function.model.ports import Fc
from local.emulator.call_log import ReceivedCall
from local.emulator.clock import VirtualClock
from tests.stage import NOW, Played, SetStage, Stage, error

A, B = "i-bp1a", "i-bp1b"
TOKEN = "emulator-alarm-token"
ENV = {"Tag": [{"TagKey": "auto-stop", "TagValue": "true"}, {"TagKey": "env", "TagValue": "dev"}]}
SLOW = {"x-emulator": {"StopSeconds": 30}}


def over_http(body: object) -> dict[str, object]:
    """Wrap a body as FC's HTTP trigger does."""
    return {
        "version": "v1",
        "rawPath": "/",
        "headers": {"X-Alarm-Token": TOKEN},
        "queryParameters": {},
        "body": json.dumps(body),
        "isBase64Encoded": False,
        "requestContext": {"http": {"method": "POST"}},
    }


def callback(instance_id: str, made: Stage) -> dict[str, object]:
    """Make a callback of CloudMonitor."""
    return over_http(
        {
            "alertName": "idle",
            "alertState": "ALERT",
            "dimensions": f"{{userId=1, instanceId={instance_id}}}",
            "timestamp": str(int(made.clock.now().timestamp())),
        }
    )


@pytest.mark.parametrize("verify", ["120", "0"])
def test_an_answer_goes_out_in_time(stage: SetStage, verify: str) -> None:
    """A stop that takes half a minute is answered with what is known, within 4 s of the start."""
    made = stage({"InstanceId": A, **SLOW})
    begun = made.clock.monotonic()
    played = made.invoke(callback(A, made), ALARM_TOKEN=TOKEN, VERIFY_SECONDS=verify)
    assert made.clock.monotonic() - begun < 4
    assert played.answer.returned is not None
    assert played.answer.returned["statusCode"] == 200
    assert (played.outcome["status"], played.outcome["attempts"]) == ("stopping", 1)
    assert played.lines[-1]["level"] == "INFO"


def test_a_stop_that_is_seen_in_time_is_confirmed(stage: SetStage) -> None:
    """The time there is is used."""
    made = stage({"InstanceId": A, "x-emulator": {"StopSeconds": 1}})
    assert made.invoke(callback(A, made), ALARM_TOKEN=TOKEN).outcome["status"] == "stopped"


def test_a_repeat_of_the_sender_does_no_harm(stage: SetStage) -> None:
    """Whoever had no answer sends it again: nothing is stopped twice, nor called somebody else's."""
    made = stage({"InstanceId": A, **SLOW})
    event = callback(A, made)
    made.invoke(event, ALARM_TOKEN=TOKEN)
    again = made.invoke(event, ALARM_TOKEN=TOKEN)
    assert again.stops == []
    assert (again.outcome["status"], again.outcome["attempts"]) == ("stopping", 0)
    assert "somebody else" not in str(again.outcome["message"])
    assert made.clock.monotonic() < 8


class MortalClock(VirtualClock):
    """A clock whose first sleep is the end of the process."""

    def sleep(self, seconds: float) -> None:
        """End it, as FC does when the sender hangs up."""
        raise SystemExit(f"while it was to wait for {seconds} s")


def test_what_was_accepted_is_in_the_log_before_it_is_waited_for(stage: SetStage) -> None:
    """Should FC stop the instance in the midst, the log says of each stop of ours that it is ours."""
    made = stage({"InstanceId": A, **SLOW}, {"InstanceId": B, **SLOW})
    lines: list[Mapping[str, object]] = []
    function = made.function(write=lambda line: lines.append(json.loads(line)), ALARM_TOKEN=TOKEN)
    function.ports = replace(function.ports, clock=MortalClock(NOW))
    with pytest.raises(SystemExit):
        function.invoke(json.dumps(over_http({"InstanceIds": [A, B]})).encode())
    assert sorted(str(line["accepted"]) for line in lines) == [A, B]
    calls = {call.parameters["InstanceId"]: call for call in made.ecs.calls if call.action == "StopInstance"}
    assert {(line["accepted"], line["level"], line["source"]) for line in lines} == {
        (one, "INFO", "request") for one in calls
    }
    assert all(line["ecs_request_id"] and line["event_id"] for line in lines)


PROCESS = """
import sys
from types import SimpleNamespace
from function import index

context = SimpleNamespace(
    request_id="r", region="cn-hangzhou", account_id="1", function=SimpleNamespace(name="f", timeout=60)
)
index.initialize(context)
index.handler(sys.stdin.buffer.read(), context)
"""


def test_a_process_that_is_killed_leaves_no_stop_of_its_own_unsaid(stage: SetStage) -> None:
    """Killed while it watches, as FC does when a sender hangs up: the log has all, a repeat does no harm."""
    few, many = [A, B], [f"i-bp1many{n}" for n in range(5)]  # one by one, and in one call
    where = dict.fromkeys(few, "cn-shanghai") | dict.fromkeys(many, "cn-hangzhou")
    made = stage(*({"InstanceId": one, "RegionId": region, **SLOW} for one, region in where.items()))
    made.clock.advance((datetime.now(UTC) - NOW).total_seconds())  # the process has the machine's clock
    event = over_http([{"InstanceIds": few, "RegionId": "cn-shanghai"}, {"InstanceIds": many}])
    regions = "cn-hangzhou,cn-shanghai"
    with subprocess.Popen(
        [sys.executable, "-c", PROCESS],
        cwd=Path(__file__).parents[2],
        env={
            **made.function(ALARM_TOKEN=TOKEN, ALLOWED_REGIONS=regions).environment,
            "PATH": os.environ["PATH"],
        },
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin
        process.stdin.write(json.dumps(event))
        process.stdin.close()
        while process.poll() is None and looks(made) < 3:
            time.sleep(0.01)
        process.kill()
        assert process.stdout
        lines = [json.loads(line) for line in process.stdout]
    assert process.returncode == -signal.SIGKILL
    assert sorted(one for call in made.ecs.calls for one in stopped_by(call)) == sorted(where)
    assert sorted(line["accepted"] for line in lines) == sorted(where)
    assert all(line["ecs_request_id"] for line in lines)

    made.clock.advance(5)
    again = made.invoke(event, ALARM_TOKEN=TOKEN, ALLOWED_REGIONS=regions)
    assert {one["status"] for one in again.outcomes.values()} == {"stopping"}
    assert not any(map(stopped_by, again.calls))
    assert "somebody" not in str(again.answer.returned)


def looks(made: Stage) -> int:
    """Count the looks that ECS had: one to decide, the others to see what became of it."""
    return [call.action for call in made.ecs.calls].count("DescribeInstances")


def stopped_by(call: ReceivedCall) -> list[str]:
    """Say which instances a call was to stop."""
    if call.action not in {"StopInstance", "StopInstances"}:
        return []
    return [value for name, value in call.parameters.items() if name.startswith("InstanceId")]


def test_nobody_waits_for_an_event_that_came_otherwise(stage: SetStage) -> None:
    """A timer's run takes the time it needs, and has one line for each instance."""
    made = stage({"InstanceId": A, **SLOW})
    played = made.invoke({"InstanceId": A}, ALARM_TOKEN=TOKEN)
    assert played.outcome["status"] == "stopped"
    assert [line for line in played.lines if "accepted" in line] == []


def fan_out(made: Stage, event: object, system_events: str = "") -> Played:
    """Send an event to a function that may hand on."""
    regions = "cn-hangzhou,cn-shanghai"
    return made.invoke(
        event, ALARM_TOKEN=TOKEN, FAN_OUT="true", ALLOWED_REGIONS=regions, SYSTEM_EVENTS=system_events
    )


def test_with_fan_out_it_is_handed_on(stage: SetStage) -> None:
    """The sender gets 202 and the id of the invocation that does it; that one sees it confirmed."""
    made = stage({"InstanceId": A, "RegionId": "cn-shanghai", **SLOW})
    event = callback(A, made)
    played = fan_out(made, event)
    assert played.answer.returned is not None
    assert played.answer.returned["statusCode"] == 202
    assert [call.action for call in played.calls] == ["InvokeFunction"]
    (handed,) = [line for line in played.lines if "shard_request_id" in line]
    assert (handed["source"], handed["instance_ids"]) == ("cms.callback", [A])
    assert handed["shard_request_id"]
    made.deliver()
    (done,) = made.shards
    assert (done.outcome["status"], done.outcome["region_id"]) == ("stopped", "cn-shanghai")
    assert {(line["source"], line["event_id"]) for line in done.lines} == {
        ("cms.callback", handed["event_id"])
    }
    assert TOKEN not in json.dumps([played.lines, done.lines])


def test_what_is_handed_on_does_not_go_stale(stage: SetStage) -> None:
    """It was admitted when it came, and carries that time: what its owner started since is left alone."""
    made = stage({"InstanceId": A, "Tags": ENV}, {"InstanceId": B, "Tags": ENV})
    fan_out(made, over_http({"Tag": [{"Key": "env", "Value": "dev"}]}))
    made.clock.advance(3 * 3600)
    made.deliver()
    (done,) = made.shards
    assert {one["status"] for one in done.outcomes.values()} == {"stopped"}


@pytest.mark.parametrize(
    ("tag", "done"), [({"Key": "env", "Value": "dev"}, {A}), ({"Key": "env"}, {A, B})], ids=["value", "any"]
)
def test_what_is_handed_on_selects_the_same(stage: SetStage, tag: dict[str, str], done: set[str]) -> None:
    """A tag's value goes along; one without a value is matched by its key."""
    prod = {"Tag": [{"TagKey": "auto-stop", "TagValue": "true"}, {"TagKey": "env", "TagValue": "prod"}]}
    made = stage({"InstanceId": A, "Tags": ENV}, {"InstanceId": B, "Tags": prod})
    fan_out(made, over_http({"Tag": [tag]}))
    made.deliver()
    assert set(made.shards[0].outcomes) == done


def test_what_tells_of_a_start_does_so_when_it_is_handed_on(stage: SetStage) -> None:
    """Who wants machines stopped that are started at night gets it, also over HTTP and in shards."""
    regions = {A: "cn-hangzhou", B: "cn-shanghai"}
    started = {"StartTime": NOW.strftime("%Y-%m-%dT%H:%MZ")}
    events = [
        {
            "name": "Instance:StateChange",
            "eventTime": (NOW + timedelta(seconds=20)).isoformat(),
            "resourceId": f"acs:ecs:{region}:1:instance/{one}",
            "content": {"state": "Running", "resourceId": one},
        }
        for one, region in regions.items()
    ]
    for event in (over_http(events), events):
        made = stage(*({"InstanceId": one, "RegionId": region, **started} for one, region in regions.items()))
        made.clock.advance(30)
        played = fan_out(made, event, "Instance:StateChange")
        assert played.stops == []
        for _ in range(2):  # what came over HTTP is cut into shards where it is done
            made.deliver()
        done = {name: one["status"] for shard in made.shards for name, one in shard.outcomes.items()}
        assert done == {A: "stopped", B: "stopped"}


@pytest.mark.parametrize(
    ("code", "status", "left"), [("AccessDenied", 200, "stopping"), ("InternalServerError", 500, "unknown")]
)
def test_where_fc_does_not_take_it(stage: SetStage, code: str, status: int, left: str) -> None:
    """What FC refuses is done at once; what it may have taken is not done as well."""
    made = stage({"InstanceId": A, **SLOW}, faults=(error("InvokeFunction", code),))
    played = fan_out(made, callback(A, made))
    assert played.answer.returned is not None
    assert played.answer.returned["statusCode"] == status
    assert (played.outcome["status"], played.asked(A)) == (left, int(status == 200))
    assert made.clock.monotonic() < 4


@pytest.mark.parametrize("event", [{"InstanceIds": [A, B]}, {"Tag": [{"Key": "env"}]}])
def test_a_mistake_on_the_way_to_fc_loses_no_target(stage: SetStage, event: object) -> None:
    """Nobody knows then whether FC has it: all is accounted for as that, nothing is stopped as well."""
    made = stage({"InstanceId": A, "Tags": ENV}, {"InstanceId": B, "Tags": ENV})
    lines: list[dict[str, object]] = []
    function = made.function(
        write=lambda line: lines.append(json.loads(line)), ALARM_TOKEN=TOKEN, FAN_OUT="true"
    )

    def broken(*_args: object, **_kwargs: object) -> Fc:
        raise RuntimeError("a mistake, with a secret in its text")

    function.ports = replace(function.ports, connect_fc=broken)
    answer = function.invoke(json.dumps(over_http(event)).encode())
    assert answer.returned is not None
    assert answer.returned["statusCode"] == 500
    told = [line for line in lines if "summary" not in line]
    assert {line["code"] for line in told} == {"Client.Unforeseen"}
    assert [line.get("instance_id") for line in told] == ([A, B] if "InstanceIds" in str(event) else [None])
    assert {line.get("status") for line in told} <= {"unknown", None}
    assert "secret" not in json.dumps(lines)
    assert made.ecs.calls == ()


def test_only_the_function_itself_can_say_that_it_was_admitted(stage: SetStage) -> None:
    """Neither over HTTP nor in a message does an event become fresh, or another's, by saying so."""
    made = stage({"InstanceId": A})
    claim = {
        "specversion": "1.0",
        "id": "e",
        "source": "stop-guard",
        "type": "stop-guard:Shard",
        "admitted": True,
        "origin": "timer",
        "time": "2020-01-01T00:00:00Z",
        "data": {"InstanceId": A},
    }
    played = made.invoke(over_http(claim), ALARM_TOKEN=TOKEN)
    assert [(one["code"], one["source"]) for one in played.refusals] == [("Guard.StaleEvent", "request")]
