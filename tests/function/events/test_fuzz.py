"""Whatever arrives, `parse` answers: samples changed at every place, and bytes of any kind.

Each of five properties runs some hundred inputs here; `make soak` sets FUZZ_EXAMPLES and runs 50,000.
"""

import base64
import json
import os
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import unquote_plus, urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from function.events.json_reader import Json
from function.events.parse import parse
from function.model.request import (
    INSTANCE_ID,
    MAX_INSTANCE_IDS,
    REGION_ID,
    InvalidEvent,
    Selection,
    Source,
    StopRequest,
)

NOW = datetime(2026, 1, 30, 12, tzinfo=UTC)
TOKEN = "emulator-alarm-token"
SAMPLES: dict[str, Json] = {
    path.stem: json.loads(path.read_bytes())
    for path in [
        *Path(__file__).parents[3].glob("events/*.json"),
        *Path(__file__).parent.glob("wild/*.json"),
    ]
}
# FC takes no larger asynchronous event.
PAYLOAD = 128 * 1024
LONGEST_MESSAGE = 1_000

fuzz = settings(
    max_examples=int(os.environ.get("FUZZ_EXAMPLES", "200")),
    deadline=None,
    suppress_health_check=list(HealthCheck),
)

JsonPath = tuple[str | int, ...]


def check(event: bytes) -> None:
    """Hold what must be true of every delivery."""
    delivery = parse(event, now=NOW, alarm_token=TOKEN)
    assert bool(delivery.events) == (delivery.rejection is None)
    text = plain = event.decode(errors="replace")
    for _ in range(WRAPPED):  # a form says some of it in percents, a message in base64, one in the other
        one_line = re.sub(r"\\[nrt]|\s", "", plain)  # base64 may be in several
        found = [each for way in (plain, one_line) for each in re.findall(r"[A-Za-z0-9+/]{20,}=*", way)]
        plain = unquote_plus(plain) + "".join(map(decoded, found))
        text += plain
    for one in delivery.events:
        assert one.event_id is not None
        assert one.event_id.isprintable()
        assert 0 < len(one.event_id) <= 256
        if isinstance(one, InvalidEvent):
            check_message(str(one))
        else:
            check_request(one, text)


def decoded(text: str) -> str:
    """Give what a text holds if it is base64, else nothing."""
    with suppress(ValueError):
        return base64.b64decode(text, validate=True).decode()
    return ""


def check_message(message: str) -> None:
    """Hold what must be true of every error and refusal."""
    assert 0 < len(message) <= LONGEST_MESSAGE
    assert message.isprintable()
    assert TOKEN not in message


def check_request(asked: StopRequest, text: str) -> None:
    """Hold what must be true of every request: it asks for nothing that the event didn't say."""
    assert bool(asked.instance_ids) + (asked.selection is not None) + (asked.problem is not None) == 1
    if asked.problem:
        check_message(asked.problem.message)
    assert asked.selection != Selection()
    assert len(set(asked.instance_ids)) == len(asked.instance_ids) <= MAX_INSTANCE_IDS
    assert all(INSTANCE_ID.fullmatch(one) and one in text for one in asked.instance_ids)
    assert all(REGION_ID.fullmatch(one) and one in text.lower() for one in asked.region_ids)
    assert asked.time is None or asked.time <= NOW + timedelta(minutes=5)
    assert not asked.confirm_stop or "onfirm" in text
    assert not asked.force_stop or "orce" in text
    if asked.source not in {Source.TIMER, Source.REQUEST}:
        assert (asked.confirm_stop, asked.force_stop, asked.dry_run) == (False, False, False)
        assert asked.stopped_mode is None
        assert asked.selection is None
        assert asked.alarm_state or asked.system_event or asked.problem
    for told in (asked.alarm_state, asked.alarm_name, asked.system_event):
        assert told is None or (told.isprintable() and len(told) <= 300)
    for note in asked.notes:  # the path of a field, and at most 200 characters of its value
        assert note.isprintable()
        assert len(note) <= 400


def places(value: Json, here: JsonPath = ()) -> Iterator[JsonPath]:
    """Give the path of every value, those within a text that is JSON too."""
    yield here
    match opened(value):
        case dict(fields):
            for key, inner in fields.items():
                yield from places(inner, (*here, key))
        case list(elements):
            for index, inner in enumerate(elements):
                yield from places(inner, (*here, index))


def opened(value: Json) -> Json:
    """Give what a text holds if it is JSON, else the value."""
    if isinstance(value, str) and value.startswith(("{", "[")):
        with suppress(ValueError):
            inner: Json = json.loads(value)
            return inner
    return value


def within(value: Json, step: str | int) -> Json:
    """Give what stands in a field or at an index."""
    inner = opened(value)
    if isinstance(inner, dict) and isinstance(step, str):
        return inner[step]
    assert isinstance(inner, list)
    assert isinstance(step, int)
    return inner[step]


def changed(value: Json, place: JsonPath, change: Callable[[Json], Json]) -> Json:
    """Give a copy that has another value at the place."""
    if not place:
        return change(value)
    if isinstance(value, str):
        return json.dumps(changed(opened(value), place, change))
    step, rest = place[0], place[1:]
    if isinstance(value, dict):
        return {key: changed(inner, rest, change) if key == step else inner for key, inner in value.items()}
    assert isinstance(value, list)
    return [changed(inner, rest, change) if at == step else inner for at, inner in enumerate(value)]


def without(value: Json, place: JsonPath) -> Json:
    """Give a copy that lacks the value at the place."""

    def drop(holder: Json) -> Json:
        inner = opened(holder)
        if isinstance(inner, dict):
            left: Json = {key: each for key, each in inner.items() if key != place[-1]}
        else:
            assert isinstance(inner, list)
            left = [each for at, each in enumerate(inner) if at != place[-1]]
        return json.dumps(left) if isinstance(holder, str) else left

    return changed(value, place[:-1], drop) if place else None


def deep(levels: int) -> Json:
    """Nest an object in arrays."""
    value: Json = {"InstanceId": "i-bp67acfmxazb4ph001"}
    for _ in range(levels):
        value = [value]
    return value


def http(body: str, **fields: Json) -> Json:
    """Wrap as FC's HTTP trigger does."""
    return {"rawPath": "/", "headers": {"x-alarm-token": TOKEN}, "body": body, **fields}


def in_base64(text: str) -> str:
    """Encode in base64."""
    return base64.b64encode(text.encode(errors="surrogatepass")).decode()


def in_form(event: Json) -> str:
    """Write as a form has it: what is no text as JSON."""
    fields = event if isinstance(event, dict) else {"data": event}
    texts = {key: value if isinstance(value, str) else json.dumps(value) for key, value in fields.items()}
    return urlencode(texts, errors="replace")


def cloud_event(event: Json, source: str) -> Json:
    """Wrap as EventBridge does."""
    return {"specversion": "1.0", "id": "e", "source": source, "type": "x", "data": event}


WRAPPED = 4
"""Levels that a test wraps an event in, the sample's own included."""
WRAPPINGS: list[Callable[[Json], Json]] = [
    lambda event: [event, event],
    lambda event: [5, event, None, {"InstanceId": "i-x"}],
    json.dumps,
    lambda event: in_base64(json.dumps(event)),
    lambda event: {"messageBody": event},
    lambda event: {"messageBody": json.dumps(event)},
    lambda event: {"Message": in_base64(json.dumps(event)), "PublishTime": 1769774100000, "TopicName": "t"},
    lambda event: http(json.dumps(event)),
    lambda event: http(in_base64(json.dumps(event)), isBase64Encoded=True),
    lambda event: http(in_form(event)),
    lambda event: http("", queryParameters={"data": json.dumps(event)}),
    *(
        lambda event, source=source: cloud_event(event, source)
        for source in ("dev", "acs.cms", "acs.ecs", "acs.sls", "acs.arms", "acs.mns", "acs.ess")
    ),
]
HOSTILE: list[Json] = [
    None,
    True,
    False,
    0,
    -1,
    1.5,
    10**19,
    1769774400,
    1769774400000,
    "",
    " ",
    "null",
    "-",
    "<no value>",
    "\x00",
    "\ud800",
    "\x1b[2J",
    "٣",
    "İ",
    "i-",
    "i-x",
    "i-bp67acfmxazb4ph****",
    "i-../../etc/passwd",
    "i-bp1\n",
    "i-bp1,i-bp2",
    "I-BP1",
    "i-" + "x" * 70,
    "rm-bp67acfmxazb4ph001",
    "i-bp67acfmxazb4ph001' OR '1'='1",
    "$(reboot)",
    "{{ instanceId }}",
    "x" * 5_000,
    "ü" * 300,
    "acs:ecs:cn-hangzhou:1:instance/i-bp67acfmxazb4ph001",
    "acs:ecs:::instance/",
    "acs:ecs:cn-hangzhou:1:disk/d-1",
    "cn-hangzhou",
    "cn-" + "a-" * 100,
    "http://203.0.113.7",
    "2026-01-30T12:00:00Z",
    "2999-01-01T00:00:00Z",
    "OK",
    "{",
    "[]",
    "{}",
    '{"InstanceId": "i-x"}',
    "[" * 500,
    "{instanceId=i-x, instanceId=i-y}",
    "a=b&a=c",
    "TEST",
    "e30=",
    [],
    {},
    [[]],
    [None],
    {"": None},
    {"InstanceId": "i-x"},
    {"instanceId": ["i-x"]},
    [{"instanceId": "i-x"}],
    {"ConfirmStop": True, "ForceStop": True},
    {"AccessKeySecret": "x"},
    {"specversion": "1.0"},
    deep(40),
]
JSON = st.recursive(
    st.sampled_from(HOSTILE) | st.text(max_size=20) | st.integers(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=12), inner, max_size=3),
    max_leaves=5,
)
PLACES = [(name, place) for name, sample in sorted(SAMPLES.items()) for place in places(sample)]
CHANGES: list[Callable[[Json], Json]] = [
    lambda value: [value],
    lambda value: [value, value],
    lambda value: {"InstanceId": value},
    json.dumps,
    str,
    lambda value: [5, *value, None, {}, "{}", "{", value] if isinstance(value, list) else value,
    lambda value: value * 3 if isinstance(value, str | list) else value,
    lambda value: value[:-1] if isinstance(value, str | list) else value,
    lambda value: value[::-1] if isinstance(value, str) else value,
    lambda value: {key.lower(): each for key, each in value.items()} if isinstance(value, dict) else value,
]


def test_every_sample_is_fuzzed() -> None:
    """The samples are found, and their texts in JSON are gone into."""
    assert len(SAMPLES) >= 12 + 33
    assert ("timer", ("payload", "InstanceIds", 3)) in PLACES
    assert ("cms.subscription", ("body", "alert", "meta", "sysEventMeta", "regionId")) in PLACES
    assert ("mns", ("data", "messageBody", "resources", "instanceId")) in PLACES


@fuzz
@given(st.sampled_from(PLACES), st.sampled_from(HOSTILE) | JSON)
def test_any_value_at_any_place_is_answered(at: tuple[str, JsonPath], value: Json) -> None:
    """A wrong type, an odd text or deep nesting anywhere in a sample stops nothing from nowhere."""
    name, place = at
    check(json.dumps(changed(SAMPLES[name], place, lambda _: value)).encode())


@fuzz
@given(st.lists(st.sampled_from(PLACES), min_size=1, max_size=4), st.data())
def test_any_change_at_any_place_is_answered(at: list[tuple[str, JsonPath]], data: st.DataObject) -> None:
    """So do fields that lack, are doubled or written differently, several at once, whoever sends them."""
    name = at[0][0]
    event = SAMPLES[name]
    for other, place in at:
        if other == name and place in set(places(event)):
            change = data.draw(st.sampled_from([None, *CHANGES]))
            event = without(event, place) if change is None else changed(event, place, change)
    for wrap in data.draw(st.lists(st.sampled_from(WRAPPINGS), max_size=WRAPPED - 2)):
        event = wrap(event)
    check(json.dumps(event).encode())


@fuzz
@given(st.sampled_from(PLACES), st.sampled_from(PLACES))
def test_samples_mixed_with_each_other_are_answered(
    into: tuple[str, JsonPath], part: tuple[str, JsonPath]
) -> None:
    """A piece of one event within another is taken for what it is, or refused."""
    piece = SAMPLES[part[0]]
    for step in part[1]:
        piece = within(piece, step)
    check(json.dumps(changed(SAMPLES[into[0]], into[1], lambda _: piece)).encode())


@fuzz
@given(
    st.sampled_from(sorted(SAMPLES)),
    st.lists(st.tuples(st.integers(0, 3_000), st.binary(max_size=3)), min_size=1, max_size=3),
)
def test_any_bytes_in_a_sample_are_answered(name: str, edits: list[tuple[int, bytes]]) -> None:
    """Broken encodings, cut texts and stray bytes give an answer."""
    event = json.dumps(SAMPLES[name]).encode()
    for at, new in edits:
        cut = at % (len(event) + 1)
        event = event[:cut] + new + event[cut + len(new) // 2 :]
    check(event)


@fuzz
@given(
    st.binary(max_size=300)
    | st.text(max_size=200).map(lambda text: json.dumps(text).encode())
    | JSON.map(json.dumps).map(str.encode)
)
def test_any_bytes_are_answered(event: bytes) -> None:
    """What is no event at all gives an answer."""
    check(event)


@pytest.mark.parametrize("wrap", ["bare", "timer", "mns", "http"])
@pytest.mark.parametrize(
    "filling",
    [
        "[" * PAYLOAD,
        '{"a":' * (PAYLOAD // 5),
        "9" * PAYLOAD,
        "\x00" * PAYLOAD,
        "é" * (PAYLOAD // 2),
        json.dumps({"InstanceIds": ["i-bp67acfmxazb4ph001"] * (PAYLOAD // 24)}),
        json.dumps({"InstanceIds": [f"i-{number:09}" for number in range(PAYLOAD // 15)]}),
        json.dumps({f"field{number}": number for number in range(PAYLOAD // 16)}),
        json.dumps([{}] * (PAYLOAD // 4)),
        json.dumps([{"InstanceId": "i-x"}] * 1_000),
        json.dumps({"InstanceId": "x" * PAYLOAD}),
        json.dumps({"InstanceId": "\ud800" * (PAYLOAD // 6)}),
        json.dumps({"dimensions": "," * PAYLOAD, "alertState": "ALERT", "timestamp": "1769774400"}),
        json.dumps({"RegionId": "a" + "-a" * (PAYLOAD // 2), "InstanceId": "i-x"}),
        json.dumps({"alerts": [{"labels": {"instanceId": "x"}}] * (PAYLOAD // 50)}),
        "&".join(f"a{number}=1" for number in range(PAYLOAD // 10)),
    ],
    ids=range(16),
)
def test_a_payload_of_the_largest_size_is_answered(wrap: str, filling: str) -> None:
    """128 KB of anything give a short answer in a short time."""
    event: dict[str, Json] = {
        "bare": {},
        "timer": {"triggerName": "t", "triggerTime": "2026-01-30T12:00:00Z", "payload": filling},
        "mns": {
            "specversion": "1.0",
            "id": "e",
            "type": "mns:Queue:SendMessage",
            "data": {"messageBody": filling},
        },
        "http": {"rawPath": "/", "headers": {"x-alarm-token": TOKEN}, "body": filling},
    }
    check(filling.encode() if wrap == "bare" else json.dumps(event[wrap]).encode())
