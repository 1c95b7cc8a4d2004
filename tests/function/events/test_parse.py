"""What every event has: bytes that can be read or not, an id, a time; and the timer."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from function.events.parse import parse
from function.model.request import InvalidEvent, Source, StoppedMode, StopRequest
from tests.function.events.reading import (
    ALARM,
    ID,
    NOW,
    OTHER,
    REQUEST,
    cloud_event,
    error_of,
    request_of,
    timer_event,
    understood,
)

# Bytes


@pytest.mark.parametrize(
    ("event", "message"),
    [
        (b"", "the event is empty, not JSON ("),
        (b" \n", "the event is empty, not JSON ("),
        (b"stop", 'the event is "stop", not JSON (line 1, column 1)'),
        (b'{"InstanceId": ', 'the event is "{\\"InstanceId\\": ", not JSON ('),
        (b"{}{}", 'the event is "{}{}", not JSON (line 1, column 3)'),
        (b"\xff\xfe{", "the event is not UTF-8 (byte 0); it must be JSON in UTF-8"),
        ("{}".encode("utf-16"), "the event is not UTF-8 (byte 0)"),
        ('{"InstanceId": "i-é"}'.encode("latin-1"), "the event is not UTF-8 (byte 18)"),
        (b'{"InstanceId": NaN}', "the event holds NaN, which is not JSON"),
        (b'{"InstanceId": -Infinity}', "the event holds -Infinity, which is not JSON"),
        (b'{"InstanceId": 1e999}', 'the event holds the number "1e999", which is too large'),
        (
            b'{"InstanceId": ' + b"9" * 5_000 + b"}",
            "the event holds a number of 5000 digits; numbers have at most 40",
        ),
        (b'{"InstanceId": "\\ud800"}', "the event holds half of a character (a lone surrogate)"),
        (b'{"\\udfff": 1}', "the event holds half of a character (a lone surrogate)"),
        (b"[" * 40_000, "the event is nested deeper than 32 levels"),
        (b'{"a":' * 20_000, "the event is nested deeper than 32 levels"),
        (b"[" * 33 + b"]" * 33, "the event is nested deeper than 32 levels"),
        (rb'["\ud800", ' + b"[" * 32 + b"]" * 33, "the event is nested deeper than 32 levels"),
        (b"null", "the event is null; it must be an object"),
        (b"7", "the event is 7; it must be an object"),
        (b'"i-1"', 'the event is "i-1"; it must be an object'),
        (
            b"{}",
            'the event is of no kind known here; it has no fields; a bare request is {"InstanceIds": [',
        ),
        (b'{"foo": 1, "bar": 2}', 'the event is of no kind known here; it has the fields "foo, bar"; a bare'),
    ],
)
def test_what_is_no_event_is_refused(event: bytes, message: str) -> None:
    """What can't be read is refused with the reason; neither source nor anything else is guessed."""
    refused = error_of(event)
    assert str(refused).startswith(message)
    assert refused.source is None
    assert refused.event_id


def test_a_byte_order_mark_is_skipped() -> None:
    """Windows tools put a byte order mark before UTF-8; it means nothing."""
    assert request_of(b"\xef\xbb\xbf" + json.dumps(REQUEST).encode()).instance_ids == (ID,)
    assert request_of(timer_event("\ufeff" + json.dumps(REQUEST))).instance_ids == (ID,)


# Timer


def test_a_timer_asks_what_its_payload_says() -> None:
    """The payload of a timer is a request; its id and time are those of the trigger."""
    assert request_of(
        timer_event({"InstanceIds": [ID, OTHER], "StoppedMode": "StopCharging", "ConfirmStop": True})
    ) == (
        StopRequest(
            source=Source.TIMER,
            event_id="evening@2026-01-30T12:00:00Z",
            time=NOW,
            instance_ids=(ID, OTHER),
            stopped_mode=StoppedMode.STOP_CHARGING,
            confirm_stop=True,
        )
    )


@pytest.mark.parametrize(
    ("event", "message"),
    [
        (
            timer_event("awesome-fc"),
            'payload is "awesome-fc"; it must be a text that says what to stop, such as {"InstanceIds',
        ),
        (timer_event(""), 'payload is ""; it must be a text that says what to stop, such as {"'),
        (timer_event("[]"), "payload is an empty list; it must be an object"),
        (timer_event(payload=None) | {"payload": None}, "payload is missing"),
        (timer_event() | {"payload": REQUEST}, "payload is an object; it must be a text"),
        (
            timer_event('{"InstanceId": "i-1"'),
            'payload is "{\\"InstanceId\\": \\"i-1\\"", not JSON (line 1, column ',
        ),
        (timer_event({}), "payload names no instance: "),
        (timer_event({"InstanceIds": [ID, ID, ID, "x"]}), 'payload.InstanceIds[3] is "x"; '),
        (timer_event({"Tag": [{"Key": ""}]}), 'payload.Tag[0].Key is ""; '),
        (
            timer_event({"InstanceIDs": [ID]}),
            'payload has the unknown field "InstanceIDs" (did you mean `InstanceIds`?); a request ',
        ),
        (timer_event('{"DryRun": true, "DryRun": false}'), 'payload names "DryRun" twice in one object; '),
        (
            timer_event('{"InstanceId": ' + "[" * 1_000 + "]" * 1_000 + "}"),
            "payload is nested deeper than 32 levels",
        ),
        (
            timer_event(triggerTime="yesterday"),
            'triggerTime is "yesterday"; it must be a time with an offset such as',
        ),
        (
            timer_event(triggerTime="2026-01-30T12:00:00"),
            'triggerTime is "2026-01-30T12:00:00", which has no offset; ',
        ),
        (timer_event(triggerTime=True), "triggerTime is true; it must be a text"),
        (timer_event(triggerTime=None), "triggerTime is missing"),
        (timer_event(triggerName=None), "triggerName is missing"),
        (timer_event(triggerName=["evening"]), "triggerName is a list of 1; it must be a text"),
        (timer_event(triggerName="x" * 129), "triggerName is "),
    ],
)
def test_a_wrong_timer_is_refused(event: object, message: str) -> None:
    """What is wrong in a timer's event is named with its path from the event's root."""
    refused = error_of(event)
    assert str(refused).startswith(message)
    assert refused.source is Source.TIMER


# Ids


def test_the_id_of_an_event_without_one_is_its_digest() -> None:
    """The same request has the same id, however it is laid out; another has another."""
    one, same, other = (
        b'{"InstanceId":"i-1","DryRun":true}',
        b'{"DryRun": true, "InstanceId": "i-1"}',
        b'{"InstanceId":"i-2"}',
    )
    assert request_of(one).event_id == request_of(same).event_id != request_of(other).event_id
    assert len(request_of(one).event_id) == 16


@pytest.mark.parametrize("own", ["x" * 257, "a\nb", "a\x1b[31mb", 5, None, "", ["x"]])
def test_an_id_that_could_spoil_a_log_line_is_replaced(own: object) -> None:
    """An id that is too long, not printable or no text gives way to a digest."""
    asked = request_of(cloud_event(REQUEST, id=own))
    assert len(asked.event_id) == 16
    assert asked.event_id.isalnum()


def test_a_wrapped_event_has_the_id_of_its_envelope() -> None:
    """The id under which EventBridge delivers is the one that finds the event again."""
    assert request_of(cloud_event(timer_event())).event_id == "e-1"
    assert error_of(cloud_event(timer_event("?"))).event_id == "e-1"


# Times


@pytest.mark.parametrize(
    "written",
    [
        "2026-01-30T12:00:00Z",
        "2026-01-30T20:00:00+08:00",
        "2026-01-30T20:00:00.000+0800",
        "20260130T200000.000+0800",
        "2026-01-30T12:00:00.000000000Z",
        1769774400,
        "1769774400",
        1769774400000,
        "1769774400000",
    ],
)
def test_every_documented_way_to_write_a_time_is_read(written: object) -> None:
    """The sources write one moment in many ways."""
    assert request_of(ALARM | {"time": written}).time == NOW


@pytest.mark.parametrize(
    "written",
    [
        "",
        "now",
        "2026-01-30",
        "2026-13-30T12:00:00Z",
        "2026-01-30T12:00:00",
        "20190409T121826.922",
        True,
        1.5,
        [],
        {},
        0,
        -1,
        99999999999,
        10**19,
        "9" * 16,
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00",
        "٢٠٢٦",
        "x" * 9999,
    ],
)
def test_a_time_that_cannot_be_read_is_refused(written: object) -> None:
    """A time is never guessed: an event whose age is unknown could be any age."""
    refused = error_of(ALARM | {"time": written})
    assert str(refused).startswith("time is ")
    assert refused.source is Source.CMS_ALARM


@given(st.integers(-10_000_000, 10_000_000))
def test_only_an_event_from_the_future_is_refused_here(seconds: int) -> None:
    """Five minutes ahead are a clock's error, more is refused; how old is too old is for others to judge."""
    moment = NOW + timedelta(seconds=seconds)
    for event in (timer_event(triggerTime=moment.isoformat()), cloud_event(REQUEST, time=moment.isoformat())):
        (found,) = understood(event)
        if seconds > 300:
            assert isinstance(found, InvalidEvent)
            assert "more than five minutes ahead of now, 2026-01-30T12:00:00Z" in str(found)
        else:
            assert isinstance(found, StopRequest)
            assert found.time == moment


@pytest.mark.parametrize("now", [datetime.max.replace(tzinfo=UTC), datetime.min.replace(tzinfo=UTC)])
def test_any_clock_will_do(now: datetime) -> None:
    """The comparison with now does not overflow at the ends of the calendar."""
    assert len(parse(json.dumps(timer_event()).encode(), now=now).events) == 1
