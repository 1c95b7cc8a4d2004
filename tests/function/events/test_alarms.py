"""Alarms and system events: which instance they mean, in which state, and that they say nothing else."""

import json
from dataclasses import replace

import pytest

from function.model.request import Source, StopRequest
from tests.function.events.reading import (
    ID,
    LOG_ALERT,
    NOW,
    OTHER,
    SECONDS,
    alert,
    refusal_of,
    request_of,
    understood,
)

ACCOUNT = "1234567890123456"
ARN = f"acs:ecs:cn-hangzhou:{ACCOUNT}:instance/{ID}"
NOWHERE: dict[str, object] = {"resourceId": f"acs:ecs::{ACCOUNT}:instance/{ID}"}
"""The ARN without its region."""

SYSTEM_EVENT: dict[str, object] = {
    "id": "7E2B61F0",
    "product": "ECS",
    "resourceId": ARN,
    "level": "CRITICAL",
    "name": "Instance:SystemMaintenance.Reboot:Scheduled",
    "eventTime": "20260130T200000.000+0800",
    "regionId": "cn-hangzhou",
    "content": {"instanceId": ID, "eventStatus": "Scheduled"},
}
ECS_EVENT: dict[str, object] = {
    "specversion": "1.0",
    "id": "b1d0",
    "source": "acs.ecs",
    "type": "ecs:Instance:SystemMaintenance.Reboot",
    "subject": ARN,
    "time": "2026-01-30T12:00:00Z",
    "aliyunregionid": "cn-hangzhou",
    "data": {"instanceId": ID, "eventStatus": "Scheduled"},
}
METRIC_ALARM: dict[str, object] = {
    "ruleName": "idle",
    "curLevel": "WARN",
    "preLevel": "OK",
    "resources": json.dumps({"instanceId": ID}),
    "metricData": {"instanceId": ID, "Average": 0.47477070236336133},
    "time": SECONDS * 1000,
    "eventName": "AlertOk",
}
CALLBACK: dict[str, object] = {
    "alertName": "idle",
    "alertState": "ALERT",
    "dimensions": f"{{userId={ACCOUNT}, instanceId={ID}}}",
    "timestamp": str(SECONDS),
}


ALERTMANAGER: dict[str, object] = {"status": "firing", "alerts": [alert()]}


def _code(event: object) -> str:
    (found,) = understood(event)
    assert isinstance(found, StopRequest), found
    assert found.problem, found
    assert not found.instance_ids
    return found.problem.code


# What each says


@pytest.mark.parametrize(
    ("event", "asked"),
    [
        (
            SYSTEM_EVENT,
            StopRequest(
                source=Source.CMS_EVENT,
                event_id="7E2B61F0",
                time=NOW,
                instance_ids=(ID,),
                region_ids=("cn-hangzhou",),
                system_event="Instance:SystemMaintenance.Reboot:Scheduled",
            ),
        ),
        (
            ECS_EVENT,
            StopRequest(
                source=Source.CMS_EVENT,
                event_id="b1d0",
                time=NOW,
                instance_ids=(ID,),
                region_ids=("cn-hangzhou",),
                system_event="Instance:SystemMaintenance.Reboot:Scheduled",
            ),
        ),
        (
            METRIC_ALARM,
            StopRequest(
                source=Source.CMS_ALARM,
                event_id="",
                time=NOW,
                instance_ids=(ID,),
                alarm_state="WARN",
                alarm_name="idle",
            ),
        ),
        (
            CALLBACK,
            StopRequest(
                source=Source.CMS_CALLBACK,
                event_id="",
                time=NOW,
                instance_ids=(ID,),
                alarm_state="ALERT",
                alarm_name="idle",
            ),
        ),
        (
            LOG_ALERT,
            StopRequest(
                source=Source.SLS_ALERT,
                event_id="5a0d-64f1",
                time=NOW,
                instance_ids=(ID,),
                alarm_state="firing",
                alarm_name="idle",
            ),
        ),
        (
            ALERTMANAGER,
            StopRequest(
                source=Source.ALERTMANAGER,
                event_id="",
                instance_ids=(ID,),
                alarm_state="firing",
                alarm_name="idle",
            ),
        ),
    ],
    ids=lambda value: str(value.source) if isinstance(value, StopRequest) else "",
)
def test_an_alarm_names_its_instance_and_state(event: object, asked: StopRequest) -> None:
    """Instance, time, state and name come from the event; consent, force and mode never do."""
    found = request_of(event)
    assert found == (asked if asked.event_id else replace(asked, event_id=found.event_id))


def test_stop_options_in_an_alarm_are_ignored() -> None:
    """How to stop is not an alarm's to say, however it spells it."""
    options = {"ConfirmStop": True, "force_stop": True, "StoppedMode": "StopCharging", "InstanceIds": [OTHER]}
    for event in (SYSTEM_EVENT, ECS_EVENT, METRIC_ALARM, CALLBACK, LOG_ALERT, ALERTMANAGER):
        assert replace(request_of(event | options), event_id="") == replace(request_of(event), event_id="")


@pytest.mark.parametrize(
    ("event", "state"),
    [
        (METRIC_ALARM | {"curLevel": "OK"}, "OK"),
        (CALLBACK | {"alertState": "INSUFFICIENT_DATA"}, "INSUFFICIENT_DATA"),
        (LOG_ALERT | {"status": "resolved"}, "resolved"),
        ({"alerts": [alert(status="resolved")]}, "resolved"),
        ({"status": "resolved", "alerts": [alert(status=None)]}, "resolved"),
    ],
)
def test_a_recovery_is_understood_as_such(event: object, state: str) -> None:
    """The state is handed on as it is; whether it may stop anything is not decided here."""
    assert request_of(event).alarm_state == state


# System events


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        (
            "Instance:SystemMaintenance.Reboot:Scheduled",
            {"eventStatus": "Avoided"},
            "Instance:SystemMaintenance.Reboot:Avoided",
        ),
        (
            "Instance:SystemMaintenance.Reboot",
            {"eventStatus": "Executed"},
            "Instance:SystemMaintenance.Reboot:Executed",
        ),
        ("Instance:StateChange", {"resourceId": ID, "state": "Stopping"}, "Instance:StateChange"),
        ("Instance:StateChange", None, "Instance:StateChange"),
    ],
)
def test_the_status_of_a_system_event_is_its_last_part(name: str, content: object, told: str) -> None:
    """The status in the content is newer than the one in the name."""
    assert request_of(SYSTEM_EVENT | {"name": name, "content": content}).system_event == told


@pytest.mark.parametrize("key", ["instanceId", "resourceId"])
def test_without_an_arn_the_content_names_the_instance(key: str) -> None:
    """The id stands in different places of the content."""
    event = SYSTEM_EVENT | {"content": {key: ID}, "resourceId": None}
    assert request_of(event).instance_ids == (ID,)
    assert request_of(event | {"regionId": "cn-beijing"}).region_ids == ("cn-beijing",)


def test_without_a_region_of_its_own_a_system_event_is_in_its_envelopes() -> None:
    """An ARN may leave its region out."""
    event = SYSTEM_EVENT | {"resourceId": f"acs:ecs::{ACCOUNT}:instance/{ID}", "regionId": None}
    assert request_of(event).region_ids == ()
    assert request_of(ECS_EVENT | {"data": event}).region_ids == ("cn-hangzhou",)


@pytest.mark.parametrize("content", ["x", [], 5, [{"eventStatus": "Scheduled", "instanceId": ID}]])
def test_a_content_that_says_nothing_harms_nothing(content: object) -> None:
    """The ARN says what the event is about; a list of one is what it holds."""
    for event in (SYSTEM_EVENT | {"content": content}, ECS_EVENT | {"data": content}):
        assert request_of(event).instance_ids == (ID,)


@pytest.mark.parametrize(
    "written",
    [
        ARN.replace("instance", "Instance"),
        ARN.replace("acs:ecs:cn-hangzhou", "ACS:Ecs:CN-Hangzhou"),
        f" {ARN}\n",
        f"{ARN} ",
    ],
)
def test_capitals_and_blanks_of_an_arn_mean_nothing(written: str) -> None:
    """But for the instance's id, in which they may; a blank beside a bare id means nothing either."""
    asked = request_of(SYSTEM_EVENT | {"resourceId": written})
    assert (asked.instance_ids, asked.region_ids) == ((ID,), ("cn-hangzhou",))
    assert request_of(SYSTEM_EVENT | {"resourceId": f"{ID} "}).instance_ids == (ID,)
    assert _code(SYSTEM_EVENT | {"resourceId": ARN.replace(ID, ID.upper())}) == "Guard.NotAnInstance"


@pytest.mark.parametrize("own", ["text", {"a": 1}, {"instanceId": ID}, None])
def test_content_inside_an_event_of_ecs_is_a_field_like_any_other(own: object) -> None:
    """Only what says itself when and what it is, as CloudMonitor's events do, is an event inside an event."""
    event = ECS_EVENT | {"data": {"content": own, "resourceId": ID, "eventStatus": "Executed"}}
    asked = request_of(event)
    assert (asked.instance_ids, asked.region_ids) == ((ID,), ("cn-hangzhou",))
    assert asked.system_event == "Instance:SystemMaintenance.Reboot:Executed"
    inside = request_of(ECS_EVENT | {"data": SYSTEM_EVENT | {"content": own}})
    assert inside.system_event == SYSTEM_EVENT["name"]


@pytest.mark.parametrize(
    "event",
    [
        ECS_EVENT | {"type": "ecs:ActionTrail:ApiCall", "data": {"eventName": "StartInstances"}},
        ECS_EVENT | {"type": "ecs:Config:ResourceChanged"},
        SYSTEM_EVENT | {"product": None, "name": "Agent_Status_Stopped", "content": {}},
    ],
)
def test_what_tells_of_no_state_of_an_instance_is_not_enabled_by_a_star(event: object) -> None:
    """A call of the API, or CloudMonitor's own agent, is about an instance and no event of ECS."""
    assert _code(event) == "Guard.EventNotEnabled"


def test_the_arn_wins_over_the_region_beside_it() -> None:
    """ARN and regionId disagree in documented samples; the ARN is believed and a note says so."""
    asked = request_of(SYSTEM_EVENT | {"regionId": "cn-beijing"})
    assert asked.region_ids == ("cn-hangzhou",)
    assert asked.notes == ('regionId is "cn-beijing", but the ARN says cn-hangzhou, which is taken',)
    assert request_of(ECS_EVENT | {"aliyunregionid": "cn-beijing"}).notes == (
        'aliyunregionid is "cn-beijing", but the ARN says cn-hangzhou, which is taken',
    )


def test_a_system_event_is_the_same_wrapped_or_not() -> None:
    """EventBridge may carry the whole notification, or only its content under a type of its own."""
    wrapped = request_of(ECS_EVENT | {"data": SYSTEM_EVENT})
    assert wrapped == replace(request_of(SYSTEM_EVENT), event_id="b1d0")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"resourceId": f"acs:ecs:cn-hangzhou:{ACCOUNT}:disk/d-bp1x"},
            'resourceId is "acs:ecs:cn-hangzhou:1234567890123456:disk/d-bp1x", not an ECS instance',
        ),
        ({"resourceId": f"acs:ehpc:cn-hangzhou:{ACCOUNT}:instance/{ID}"}, 'resourceId is "acs:ehpc:'),
        (
            {"resourceId": f"acs:ecs:cn-hangzhou:{ACCOUNT}:instance/i-bp1ecr****"},
            'resourceId is "acs:ecs:cn-hangzhou:1234567890123456:instance/i-bp1ecr****", not an ECS instance',
        ),
        (
            {"resourceId": None, "content": {}},
            "the event names no ECS instance, neither by an ARN nor by instanceId",
        ),
        ({"resourceId": "?", "content": None}, 'resourceId is "?", not an ECS instance'),
        ({"resourceId": "null", "content": None}, "the event names no ECS instance, "),
        ({"content": {"instanceId": OTHER}}, "resourceId and content.instanceId name different instances: "),
        ({"resourceId": None, "content": {"instanceId": 5}}, "content.instanceId is 5, not an ECS instance"),
        ({"content": {"eventStatus": ["x"]}}, "content.eventStatus is a list of 1; it must be a text"),
        ({"name": None}, "name is missing"),
        ({"name": "x" * 129}, 'name is "xxx'),
        ({"name": "a\nb"}, 'name is "a\\nb"; it must be printable'),
        (NOWHERE | {"regionId": "../"}, 'regionId is "../"; it must be a region'),
        (NOWHERE | {"regionId": "cn-hangzhou\n"}, 'regionId is "cn-hangzhou\\n"; it must be a region'),
        (NOWHERE | {"regionId": "cn" + "-x" * 64}, 'regionId is "cn-x-x'),
        ({"eventTime": None}, "eventTime is missing"),
        ({"eventTime": "20260130T200000.000"}, 'eventTime is "20260130T200000.000", which has no offset'),
    ],
)
def test_a_wrong_system_event_is_refused(change: dict[str, object], message: str) -> None:
    """An event on anything but one ECS instance stops nothing, and says why."""
    assert refusal_of(SYSTEM_EVENT | change).startswith(message)


def test_an_ecs_event_without_time_or_instance_is_refused() -> None:
    """What EventBridge always sends is missed where it is not there."""
    assert refusal_of(ECS_EVENT | {"time": None}) == "time is missing"
    assert refusal_of(ECS_EVENT | {"data": {}, "subject": None}).startswith("the event names no ECS instance")


# Metric alarms


@pytest.mark.parametrize(
    "change",
    [
        {"resources": None},
        {"metricData": None},
        {"resources": {"instanceId": ID}},
        {"resources": json.dumps({"userId": ACCOUNT}), "metricData": {"instance_id": ID}},
    ],
)
def test_either_place_names_the_instance_of_a_metric_alarm(change: dict[str, object]) -> None:
    """The id stands in resources and in metricData; one is enough."""
    assert request_of(METRIC_ALARM | change).instance_ids == (ID,)


def test_either_place_gives_the_region_of_a_metric_alarm() -> None:
    """Where one place says the region, the other one's silence does not mean the function's own as well."""
    placed = {"instanceId": ID, "regionId": "cn-beijing"}
    for change in ({"resources": json.dumps(placed)}, {"metricData": placed}):
        assert request_of(METRIC_ALARM | change).region_ids == ("cn-beijing",)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"resources": json.dumps({"instanceId": OTHER})},
            "the event names one instance in resources and another in",
        ),
        (
            {"resources": json.dumps({"instanceId": "rm-bp1x"})},
            'resources.instanceId is "rm-bp1x", not an ECS instance',
        ),
        ({"resources": "instanceId"}, 'resources is "instanceId"; it must be an object'),
        (
            {"resources": "[]", "metricData": None},
            "the event names no ECS instance: a threshold alarm has it ",
        ),
        (
            {"resources": "{}", "metricData": {"bucketName": "logs"}},
            "the event names no ECS instance: a threshold alarm has it in resources or metricData",
        ),
        ({"resources": None, "metricData": None}, "the event names no ECS instance: a threshold alarm "),
        (
            {"resources": None, "metricData": None, "metricName": "cpu_total", "dimensions": "{}"},
            (
                "the event names no ECS instance: a threshold alarm has it in resources or metricData, "
                'as {"instanceId": "i-…"}; dimensions are the callback\'s, with alertState'
            ),
        ),
        ({"metricData": {"instanceId": ID, "InstanceId": OTHER}}, "metricData name several instances, "),
        ({"curLevel": None}, "curLevel is missing"),
        ({"curLevel": 4}, "curLevel is 4; it must be a text"),
        ({"curLevel": "\x1b[2J"}, 'curLevel is "\\u001b[2J"; it must be printable'),
        ({"time": None}, "time is missing"),
    ],
)
def test_a_wrong_metric_alarm_is_refused(change: dict[str, object], message: str) -> None:
    """An alarm whose instance or state is not clear stops nothing, and says why."""
    assert refusal_of(METRIC_ALARM | change).startswith(message)


# Callbacks


@pytest.mark.parametrize(
    "dimensions",
    [
        f"{{userId={ACCOUNT}, instanceId={ID}}}",
        f"{{instanceId={ID},userId={ACCOUNT}}}",
        f"{{userId={ACCOUNT}), instanceId={ID}}}",
        f"instanceId={ID}",
        json.dumps([{"userId": ACCOUNT, "instanceId": ID}]),
        f'{{userId="1", instanceId = "{ID}"}}',
        f'{{"name"="a, b}}", "instanceId"="{ID}"}}',
        f"{{userId=1, instanceId={ID}, tags={{instanceId={OTHER}}}}}",
        f"{{userId=1, tags=[x, instanceId={OTHER}], instanceId={ID}}}",
        f"{{instanceId={ID}, processName=java ${{x}}}}",
        f"[{{instanceId={ID}}}, {{instanceId={ID}, tags={{a=b, c=d}}}}]",
        json.dumps({"instanceId": ID}),
        json.dumps({"instanceId": ID}, indent=2),
        [{"userId": ACCOUNT, "instanceId": ID}],
        {"instanceId": ID},
    ],
)
def test_dimensions_are_read_in_every_form(dimensions: object) -> None:
    """The form of today's callback is not JSON, the one of older callbacks is, at times within a text."""
    assert request_of(CALLBACK | {"dimensions": dimensions}).instance_ids == (ID,)


def test_a_callback_may_name_several_instances() -> None:
    """Older callbacks have a list."""
    dimensions = [{"instanceId": ID}, {"instanceId": OTHER}, {"instanceId": ID}]
    assert request_of(CALLBACK | {"dimensions": dimensions}).instance_ids == (ID, OTHER)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"dimensions": f"{{instanceId={ID}, instanceId={OTHER}}}"}, "dimensions is "),
        (
            {"dimensions": "{userId=1, instanceId=i-12****}"},
            'dimensions.instanceId is "i-12****", not an ECS instance',
        ),
        ({"dimensions": f"{{userId=1, tags={{instanceId={ID}}}}}"}, "dimensions names no ECS instance (by "),
        ({"dimensions": f"{{instanceId={{a={ID}}}}}"}, "dimensions is "),
        ({"dimensions": f"{{instanceId={ID}, processName=a}}b}}"}, "dimensions is "),
        ({"dimensions": f"{{instanceId={ID}, processName={{a}}"}, "dimensions is "),
        ({"dimensions": f"{{instanceId={ID}}}, instanceId={OTHER}"}, "dimensions is "),
        ({"dimensions": "{userId=1}"}, "dimensions names no ECS instance (by instanceId)"),
        ({"dimensions": "[" * 500 + "]" * 500}, "dimensions is nested deeper than 32 levels"),
        ({"dimensions": []}, "dimensions names no ECS instance "),
        ({"dimensions": [ID]}, f'dimensions[0] is "{ID}"; it must be an object'),
        ({"dimensions": 5}, "dimensions is 5; it must be an object"),
        ({"dimensions": None}, "dimensions is missing"),
        (
            {"dimensions": [{"instanceId": f"i-{number:05}"} for number in range(1_001)]},
            "the event names 1001 instances; ",
        ),
        ({"alertState": ""}, 'alertState is ""; it must be a text'),
        ({"timestamp": "soon"}, 'timestamp is "soon"; it must be a time'),
        ({"timestamp": None}, "timestamp is missing"),
    ],
)
def test_a_wrong_callback_is_refused(change: dict[str, object], message: str) -> None:
    """A callback whose instance, state or time is not clear stops nothing, and says why."""
    assert refusal_of(CALLBACK | change).startswith(message)


@pytest.mark.parametrize(
    "event",
    [
        CALLBACK | {"dimensions": "{userId=1}", "namespace": "acs_rds_dashboard"},
        CALLBACK | {"dimensions": "{device=/dev/vdb}", "metricProject": "acs_slb_dashboard"},
        CALLBACK
        | {"dimensions": "{instanceId=rm-1}", "namespace": "acs_rds_dashboard", "regionId": "global"},
        METRIC_ALARM
        | {"resources": "{}", "metricData": {"bucketName": "x"}, "namespace": "acs_oss_dashboard"},
        SYSTEM_EVENT | {"resourceId": f"acs:ecs:global:{ACCOUNT}:disk/d-1", "regionId": "华东1"},
    ],
)
def test_what_another_product_measures_is_no_set_up_gone_wrong(event: object) -> None:
    """It will never be about an instance, so trying again helps nobody; nor is its region asked for."""
    assert _code(event) == "Guard.NotAnInstance"
    assert _code(CALLBACK | {"dimensions": "{userId=1}", "namespace": "acs_ecs_dashboard"}) == "InvalidEvent"


def test_the_place_that_names_two_things_stops_the_instance_alone() -> None:
    """One resource of a list is judged by itself, as alerts and rows are."""
    both = [{"instanceId": ID}, {"instanceId": "rm-1"}]
    asked, refused = understood(METRIC_ALARM | {"resources": both})
    assert isinstance(asked, StopRequest)
    assert asked.instance_ids == (ID,)
    assert isinstance(refused, StopRequest)
    assert refused.problem
    assert refused.problem.code == "Guard.NotAnInstance"
    assert _code(METRIC_ALARM | {"metricData": {"instanceId": "rm-1"}}) == "Guard.NotAnInstance"


# What reaches the log


def test_what_an_alarm_calls_itself_is_cut_and_cleaned() -> None:
    """The name of an alarm is text of others: it may not steer a terminal nor fill a log."""
    name = request_of(METRIC_ALARM | {"ruleName": "\x1b[31mred\n" + "x" * 10_000}).alarm_name
    assert name is not None
    assert name.isprintable()
    assert len(name) == 128
    for nameless in (None, "", 5, ["x"]):
        assert request_of(METRIC_ALARM | {"ruleName": nameless}).alarm_name is None


def test_a_long_label_does_not_lengthen_an_error() -> None:
    """A label's name stands in an error's path, so only a short one is looked at."""
    event = {"alerts": [{"status": "firing", "labels": {"_" * 50_000 + "instance_id": "x"}}]}
    assert len(refusal_of(event)) < 200
