"""Several events at once, and events inside EventBridge's envelope and MNS messages."""

import base64
import json
from datetime import timedelta

import pytest

from function.model.request import InvalidEvent, Source, StopRequest
from tests.function.events.reading import (
    ALARM,
    ID,
    NOW,
    REQUEST,
    cloud_event,
    error_of,
    request_of,
    timer_event,
    understood,
)


def test_one_bad_element_does_not_lose_the_others() -> None:
    """Each element of an array is an event of its own, in order, understood or not."""
    good, bad, last = cloud_event(REQUEST), cloud_event({"InstanceId": "x"}, id="e-2"), timer_event()
    first, second, third = understood([good, bad, last])
    assert isinstance(first, StopRequest)
    assert isinstance(second, InvalidEvent)
    assert isinstance(third, StopRequest)
    assert (first.event_id, second.event_id, third.source) == ("e-1", "e-2", Source.TIMER)
    assert str(second).startswith('[1].data.InstanceId is "x"; ')


@pytest.mark.parametrize(
    ("event", "message"),
    [
        ([], "the event is an empty list; an array holds 1 to 1000 events"),
        ([REQUEST] * 1001, "the event is a list of 1001; an array holds 1 to 1000 events"),
        ([[REQUEST]], "[0] is a list of 1; it must be an object"),
        ([5], "[0] is 5; it must be an object"),
    ],
)
def test_a_wrong_array_is_refused(event: object, message: str) -> None:
    """An array holds events, not too many, and no arrays."""
    assert str(error_of(event)) == message


def test_a_request_inside_eventbridge_is_dated_by_it() -> None:
    """A request has no time of its own, so the envelope's counts."""
    asked = request_of(cloud_event(REQUEST))
    assert asked.source is Source.REQUEST
    assert asked.time == NOW - timedelta(minutes=1)


def test_what_an_event_says_itself_counts_more_than_its_envelope() -> None:
    """The time of the envelope is only for events that have none."""
    asked = request_of(
        cloud_event(timer_event(REQUEST | {"RegionId": "cn-shanghai"}), aliyunregionid="cn-beijing")
    )
    assert asked.time == NOW
    assert asked.region_ids == ("cn-shanghai",)


@pytest.mark.parametrize("inside", [REQUEST, ALARM])
def test_the_region_of_a_queue_or_bus_is_not_the_instances(inside: object) -> None:
    """Where an event went through says nothing about where its instance is."""
    subject = "acs:mns:cn-hangzhou:1234567890123456:queues/alarms"
    fields = {"subject": subject, "aliyunregionid": "cn-chengdu"}
    for source in ("dev", "acs.mns"):
        assert request_of(cloud_event(inside, **fields, source=source)).region_ids == ()


@pytest.mark.parametrize(
    "encode", [str, lambda text: base64.b64encode(text.encode()).decode()], ids=["as it is", "base64"]
)
def test_an_mns_message_is_opened(encode: type[str]) -> None:
    """The body of a message is an event in JSON, which some senders encode."""
    asked = request_of(cloud_event({"messageId": "m-1", "messageBody": encode(json.dumps(ALARM))}))
    assert (asked.source, asked.instance_ids, asked.event_id) == (Source.CMS_ALARM, (ID,), "e-1")


def test_an_mns_message_may_hold_an_array() -> None:
    """Several events in one message are several events."""
    events = understood(cloud_event({"messageBody": json.dumps([ALARM, REQUEST, 5])}))
    assert [getattr(event, "source", None) for event in events] == [Source.CMS_ALARM, Source.REQUEST, None]
    assert {event.event_id for event in events} == {"e-1"}


@pytest.mark.parametrize(
    ("event", "message"),
    [
        (
            cloud_event({"messageBody": "TEST"}),
            'data.messageBody is "TEST"; it must be the JSON of an event, as it is',
        ),
        (cloud_event({"messageBody": "e3!0="}), 'data.messageBody is "e3!0="; it must be the JSON of an'),
        (cloud_event({"messageBody": ""}), 'data.messageBody is ""; it must be a text'),
        (cloud_event({"messageBody": {}}), "data.messageBody is of no kind known here; it has no fields; "),
        (cloud_event({"messageBody": "{"}), 'data.messageBody is "{", not JSON ('),
        (
            cloud_event({"messageBody": json.dumps(ALARM | {"curLevel": 5})}),
            "data.messageBody.curLevel is 5; ",
        ),
        (cloud_event({"meetingName": "x"}), "data is of no kind known here; it has the fields "),
        (cloud_event(None), "data is missing"),
        (cloud_event("stop"), 'data is "stop"; it must be an object'),
        (cloud_event([]), "data is an empty list; an array holds"),
        (
            cloud_event(REQUEST, time="2026-01-30T11:59:00PRC"),
            'time is "2026-01-30T11:59:00PRC"; it must be a time',
        ),
        (
            cloud_event(cloud_event(cloud_event(cloud_event(REQUEST)))),
            "data.data.data is wrapped more than 3 times",
        ),
        (cloud_event({"rawPath": "/", "headers": {}, "body": "{}"}), "data is of no kind known here; "),
    ],
)
def test_a_wrong_wrapping_is_refused(event: object, message: str) -> None:
    """What is wrong in an envelope, or inside, is named with its path from the event's root."""
    refused = error_of(event)
    assert str(refused).startswith(message)
    assert refused.event_id == "e-1"


TRIGGERED = {
    "id": "1",
    "name": "Instance:StateChange",
    "eventTime": "2026-01-30T12:00:00Z",
    "content": {"resourceId": ID},
}
ALERTS = {"alerts": [{"status": "firing", "labels": {"instance_id": ID}}]}


@pytest.mark.parametrize(
    ("source", "data"),
    [
        *(
            (source, data)
            for source in ("acs.ess", "acs:config", "ACS.OOS")
            for data in (ALARM, TRIGGERED, ALERTS)
        ),
        ("acs.ess", {"messageBody": json.dumps(ALARM)}),
        ("acs.cms", {"messageBody": json.dumps(ALARM)}),
        ("acs.cms", ALERTS),
        ("acs.sls", TRIGGERED),
        ("acs.arms", ALARM),
        ("acs.ecs", {"content": {}} | ALARM),
        ("acs.cms", REQUEST),
    ],
)
def test_a_service_stops_something_only_by_what_it_sends(source: str, data: object) -> None:
    """What looks like another's event, in the name of a service, is that service's own and stops nothing."""
    asked = request_of(cloud_event(data, source=source))
    assert asked.problem
    assert asked.problem.code == "Guard.EventNotEnabled"


@pytest.mark.parametrize(
    ("source", "data"),
    [
        ("acs.cms", ALARM),
        ("ACS.CMS", ALARM),
        ("acs:cms", TRIGGERED),
        ("acs.ecs", TRIGGERED),
        ("acs.arms", ALERTS),
    ],
)
def test_what_a_service_sends_itself_is_read(source: str, data: object) -> None:
    """However its name is spelt."""
    assert request_of(cloud_event(data, source=source)).instance_ids == (ID,)


@pytest.mark.parametrize("change", [{"data": None}, {"data": "x"}, {"data": []}, {"time": "soon"}])
@pytest.mark.parametrize("source", ["acs.ess", "acs.config", "acs.oos"])
def test_what_never_stops_anything_is_not_read(source: str, change: dict[str, object]) -> None:
    """An event that could stop nothing is refused as what it is, whatever else is wrong with it."""
    asked = request_of(cloud_event(ALARM, source=source) | change)
    assert asked.problem
    assert asked.problem.code == "Guard.EventNotEnabled"


@pytest.mark.parametrize(
    ("event", "ram_authorized"),
    [
        (REQUEST, True),
        (timer_event(), True),
        (cloud_event(REQUEST), True),
        (cloud_event(timer_event()), True),
        (cloud_event({"messageBody": json.dumps(REQUEST)}), False),
        (cloud_event({"messageBody": json.dumps(timer_event())}), False),
        (cloud_event({"messageBody": json.dumps(cloud_event(REQUEST))}), False),
        ({"Message": json.dumps(REQUEST), "TopicName": "t", "PublishTime": 1769774400000}, False),
    ],
)
def test_ram_authorizes_who_invokes_not_who_writes_into_a_queue(
    event: object, *, ram_authorized: bool
) -> None:
    """What came in a message's envelope is no more trustworthy for what it holds."""
    assert request_of(event).ram_authorized is ram_authorized
