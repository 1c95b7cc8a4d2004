"""Several events in one delivery, and events that go wrong as a whole."""

import json
from collections.abc import Mapping
from dataclasses import replace

import pytest

from function.invocation import StopIncomplete
from function.model.ports import Ecs, Ports
from function.model.request import InvalidEvent
from local.function_compute import Runtime
from tests.stage import Played, SetStage

A, B, C = "i-bp1aaaaaaaaaaaaaaaa1", "i-bp1bbbbbbbbbbbbbbbb1", "i-bp1cccccccccccccccc1"


def play(stage: SetStage, events: object, *instances: Mapping[str, object], **settings: str) -> Played:
    """Deliver events to a fleet of three, some of them changed."""
    fleet: dict[str, Mapping[str, object]] = {one: {"InstanceId": one} for one in (A, B, C)}
    fleet |= {str(changed["InstanceId"]): changed for changed in instances}
    return stage(*fleet.values()).invoke(events, runtime=Runtime.PYTHON_3_12, timeout=300, **settings)


def test_each_outcome_has_its_own_event(stage: SetStage) -> None:
    """An instance that two events name is handled once, for the first of them."""
    played = play(stage, [{"InstanceIds": [A, B]}, {"InstanceIds": [B, C]}])
    assert len(played.stops) == 3
    assert played.outcomes[A]["event_id"] == played.outcomes[B]["event_id"] == played.report["event_id"]
    assert played.outcomes[C]["event_id"] != played.outcomes[B]["event_id"]


def test_a_dry_run_does_not_swallow_a_real_stop(stage: SetStage) -> None:
    """Of two events about one instance, the one that really stops it counts."""
    played = play(stage, [{"InstanceId": A, "DryRun": True}, {"InstanceId": A}])
    assert (played.outcome["status"], played.report["dry_run"]) == ("stopped", False)


def test_the_cap_counts_the_whole_delivery(stage: SetStage) -> None:
    """Too many over all events: each is refused with its own instances, and nothing at all is stopped."""
    played = play(stage, [{"InstanceIds": [A, B]}, {"InstanceIds": [B, C]}], MAX_INSTANCES="2")
    assert (played.stops, played.outcomes) == ([], {})
    assert [refusal["instance_ids"] for refusal in played.refusals] == [[A, B], [C]]
    assert {refusal["code"] for refusal in played.refusals} == {"Guard.TooManyInstances"}


def test_one_bad_element_does_not_lose_the_others(stage: SetStage) -> None:
    """The others are served, the bad one is a refusal with code InvalidEvent, and the run raises it."""
    played = play(stage, [{"InstanceId": A}, {"InstanceId": "nonsense"}, {"InstanceId": B}])
    assert played.report["summary"] == {"total": 2, "stopped": 2}
    assert [refusal["code"] for refusal in played.refusals] == ["InvalidEvent"]
    assert isinstance(played.answer.error, InvalidEvent)
    assert "nonsense" in str(played.answer.error)


def test_what_is_left_and_what_was_invalid_are_both_named(stage: SetStage) -> None:
    """StopIncomplete says both."""
    pending: dict[str, object] = {"InstanceId": A, "Status": "Pending"}
    played = play(stage, [{"InstanceId": A}, {"InstanceId": "nonsense"}], pending)
    assert isinstance(played.answer.error, StopIncomplete)
    assert A in str(played.answer.error)
    assert "nonsense" in str(played.answer.error)


def test_an_event_taken_apart_by_regions_is_refused_whole(stage: SetStage) -> None:
    """One alert in a region that is not allowed refuses the others of its event, too, in one refusal."""
    alerts = [
        {"status": "firing", "labels": {"instance_id": A, "region_id": "cn-hangzhou"}},
        {"status": "firing", "labels": {"instance_id": B, "region_id": "cn-shanghai"}},
    ]
    played = play(stage, {"alerts": alerts})
    assert (played.calls, played.outcomes) == ((), {})
    (refusal,) = played.refusals
    assert (refusal["code"], refusal["instance_ids"]) == ("Guard.RegionNotAllowed", [A, B])


def test_the_region_taken_from_the_arn_is_explained_where_it_is_refused(stage: SetStage) -> None:
    """The log says once which of two regions counts, all the more where that one is not allowed."""
    event = {
        "specversion": "1.0",
        "id": "e-1",
        "source": "acs.ecs",
        "type": "ecs:Instance:StateChange",
        "time": "2026-01-15T20:00:00Z",
        "subject": f"acs:ecs:cn-shanghai:1234567890123456:instance/{A}",
        "aliyunregionid": "cn-hangzhou",
        "data": {"state": "Running"},
    }
    played = play(stage, event, SYSTEM_EVENTS="*")
    assert {refusal["code"] for refusal in played.refusals} == {"Guard.RegionNotAllowed"}
    noted = [line for line in played.lines if "the ARN says cn-shanghai" in str(line["message"])]
    assert [line["event_id"] for line in noted] == ["e-1"]


def over_http(body: object, token: str = "a-long-random-token") -> dict[str, object]:
    """Wrap a body as FC's HTTP trigger does."""
    return {
        "version": "v1",
        "rawPath": "/",
        "headers": {"X-Alarm-Token": token},
        "queryParameters": {},
        "body": json.dumps(body),
        "isBase64Encoded": False,
        "requestContext": {},
    }


@pytest.mark.parametrize(
    ("body", "token", "status_code", "code"),
    [
        ({"InstanceId": A}, "a-long-random-token", 200, None),
        ({"InstanceId": A}, "another", 401, "Guard.Unauthorized"),
        ({"InstanceId": "nonsense"}, "a-long-random-token", 400, "InvalidEvent"),
        ({"InstanceId": B}, "a-long-random-token", 500, None),
    ],
)
def test_over_http_nothing_raises(
    stage: SetStage, body: object, token: str, status_code: int, code: str | None
) -> None:
    """The answer's status says what happened; its body is the report, or code and message."""
    pending: dict[str, object] = {"InstanceId": B, "Status": "Pending"}
    played = play(stage, over_http(body, token), pending, ALARM_TOKEN="a-long-random-token")
    assert played.answer.error is None
    assert played.answer.returned is not None
    assert played.answer.returned["statusCode"] == status_code
    if code is not None:
        assert played.report["code"] == code
        assert set(played.report) == {"code", "message"}


def test_over_http_what_was_not_understood_is_said_beside_the_rest(stage: SetStage) -> None:
    """With others in the delivery the answer is 400 and their report, its code and message the mistake's."""
    body = [{"InstanceId": A}, {"InstanceId": "nonsense"}]
    played = play(stage, over_http(body, "a-long-random-token"), ALARM_TOKEN="a-long-random-token")
    assert played.answer.returned is not None
    assert played.answer.returned["statusCode"] == 400
    assert played.report["code"] == "InvalidEvent"
    assert "nonsense" in str(played.report["message"])
    assert played.report["summary"] == {"total": 1, "stopped": 1}


def test_the_alarm_token_is_nowhere_to_be_seen(stage: SetStage) -> None:
    """Not even where an event or a tag repeats it does it reach a line or the report."""
    token = "a-long-random-token"
    alarm = {
        "curLevel": token,
        "ruleName": token,
        "time": 1768507200000,
        "resources": json.dumps({"instanceId": A}),
    }
    tagged = {
        "InstanceId": B,
        "Tags": {"Tag": [{"TagKey": "auto-stop", "TagValue": "true"}, {"TagKey": token, "TagValue": token}]},
    }
    played = play(stage, [alarm, {"InstanceId": B}], tagged, ALARM_TOKEN=token)
    assert token not in json.dumps(played.lines) + json.dumps(played.report)
    assert played.outcomes[B]["tags"] == {"auto-stop": "true", "***": "***"}


@pytest.mark.parametrize(
    "event", [{"InstanceIds": [A, B]}, {"Tag": [{"Key": "env"}]}, over_http({"InstanceId": A})]
)
def test_a_mistake_in_the_function_loses_no_target(stage: SetStage, event: object) -> None:
    """Whatever goes wrong before the first stop, each target is accounted for, and a summary ends the run."""
    set_up = stage({"InstanceId": A})
    lines: list[dict[str, object]] = []
    function = set_up.function(
        write=lambda line: lines.append(json.loads(line)), ALARM_TOKEN="a-long-random-token"
    )

    def broken(*_args: object, **_kwargs: object) -> Ecs:
        raise RuntimeError("a mistake, with a secret in its text")

    function.ports = replace(function.ports, connect_ecs=broken)
    answer = function.invoke(json.dumps(event).encode())
    assert "summary" in lines[-1]
    assert {line["code"] for line in lines[:-1]} == {"Client.Unforeseen"}
    assert "secret" not in json.dumps(lines)
    assert isinstance(answer.error, StopIncomplete) or (answer.returned or {})["statusCode"] == 500
    assert isinstance(function.ports, Ports)
