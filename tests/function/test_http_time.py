"""Over HTTP the sender waits: the answer goes out in time, and what ECS accepted is in the log before."""

import json
from collections.abc import Mapping
from dataclasses import replace

import pytest

from local.emulator.clock import VirtualClock
from tests.stage import NOW, SetStage, Stage

A, B = "i-bp1a", "i-bp1b"
TOKEN = "emulator-alarm-token"
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


def test_nobody_waits_for_an_event_that_came_otherwise(stage: SetStage) -> None:
    """A timer's run takes the time it needs, and has one line for each instance."""
    made = stage({"InstanceId": A, **SLOW})
    played = made.invoke({"InstanceId": A}, ALARM_TOKEN=TOKEN)
    assert played.outcome["status"] == "stopped"
    assert [line for line in played.lines if "accepted" in line] == []
