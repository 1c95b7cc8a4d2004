"""Events made to cost much: reading takes time in proportion to their size, and little memory beside it."""

import json
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from time import process_time

import pytest

from bench.hostile_events import ATTACKS
from function.events.json_reader import Json
from function.events.parse import MAX_EVENTS, parse
from function.model.request import InvalidEvent, StopRequest

NOW = datetime(2026, 1, 30, 12, tzinfo=UTC)
TOKEN = "emulator-alarm-token"
MIB = 2**20
SIZE = 10_000
SECONDS = 10.0
"""CPU time for 128 KB: beyond what any machine needs, far below the minute that quadratic growth takes."""


def alerts(count: int, labels: Callable[[int], Json], **fields: Json) -> bytes:
    """Make an event of Alertmanager's form."""
    listed: list[Json] = [{"labels": labels(number)} for number in range(count)]
    return json.dumps({"status": "firing", "alerts": listed, **fields}).encode()


def calls_of(event: bytes) -> int:
    """Count the calls of functions, Python's and C's, that understanding an event takes."""
    count = 0

    def called(_frame: object, what: str, _argument: object) -> None:
        nonlocal count
        count += what in {"call", "c_call"}

    before = sys.getprofile()
    sys.setprofile(called)
    try:
        parse(event, now=NOW, alarm_token=TOKEN)
    finally:
        sys.setprofile(before)
    return count


@pytest.mark.parametrize("name", ATTACKS)
def test_twice_the_size_is_twice_the_work(name: str) -> None:
    """The calls that it takes to read an event grow as the event does, and no faster."""
    small, large = ATTACKS[name](SIZE), ATTACKS[name](2 * SIZE)
    for event in (small, large):
        calls_of(event)  # what is remembered from the first time costs nothing later
    assert calls_of(large) <= 2.5 * calls_of(small) + 100


@pytest.mark.parametrize("name", ATTACKS)
def test_reading_takes_time_in_proportion(name: str) -> None:
    """128 KB of anything take no time that grows as the square, within C either."""
    event = ATTACKS[name](MIB // 8)
    begun = process_time()
    delivery = parse(event, now=NOW, alarm_token=TOKEN)
    assert process_time() - begun < SECONDS
    assert len(delivery.events) <= MAX_EVENTS


def test_a_delivery_holds_so_many_events_and_no_more() -> None:
    """Arrays in arrays of messages multiply; nothing of such a delivery is served."""
    inside = json.dumps([{"InstanceId": "i-1"}] * 500)
    assert [
        type(one) for one in parse(json.dumps([{"messageBody": inside}] * 2).encode(), now=NOW).events
    ] == [StopRequest] * 1_000
    (refused,) = parse(json.dumps([{"messageBody": inside}] * 3).encode(), now=NOW).events
    assert isinstance(refused, InvalidEvent)
    assert str(refused) == "the event holds more than 1000 events; send fewer at once"


LARGE = """
import sys
from dataclasses import replace
from types import SimpleNamespace
from function.cloud.runtime import system_ports
from function.invocation import FunctionInstance

event = open(sys.argv[1], "rb").read()
function = FunctionInstance.prepare({"ALARM_TOKEN": "emulator-alarm-token", "FC_REGION": "cn-hangzhou"})
context = SimpleNamespace(
    request_id="r", region="cn-hangzhou", account_id="1", function=SimpleNamespace(name="f", timeout=60)
)
answer = function.invoke(event, context, {}, replace(system_ports(), write=lambda line: None))
# getrusage would count what the parent had when it forked.
peak = next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(answer["statusCode"], peak)
"""


@pytest.mark.parametrize(
    ("filling", "token", "status"),
    [(b"x", "guess", 401), (b'\\"', TOKEN, 413), (b"\\u0026", TOKEN, 413)],
    ids=["plain", "quotes", "escapes"],
)
def test_a_body_that_is_too_large_is_not_even_decoded(
    tmp_path: Path, filling: bytes, token: str, status: int
) -> None:
    """The largest event that FC delivers, 32 MB, leaves the whole process below 128 MB, token or not."""
    path = tmp_path / "event.json"
    with path.open("wb") as file:
        file.write(b'{"version": "v1", "rawPath": "/", "body": "')
        for _ in range(32):
            file.write(filling * (MIB // len(filling)))
        file.write(
            b'", "isBase64Encoded": false, "queryParameters": {}, "requestContext": {"http": {}}, "headers":'
        )
        file.write(json.dumps({"X-Alarm-Token": token}).encode() + b"}")
    ended = subprocess.run(
        [sys.executable, "-c", LARGE, path],
        check=True,
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[3],
    )
    status_code, kilobytes = map(int, ended.stdout.split())
    assert status_code == status
    assert kilobytes < 128_000


def _http(body: object, *, encoded: bool = False) -> bytes:
    event = {
        "version": "v1",
        "rawPath": "/",
        "headers": {"X-Alarm-Token": TOKEN},
        "body": body,
        "isBase64Encoded": encoded,
        "requestContext": {"http": {"method": "POST"}},
    }
    return json.dumps(event).encode()


@pytest.mark.parametrize(
    ("body", "encoded", "large"),
    [
        ("x" * MIB, False, False),
        ("x" * (MIB + 1), False, True),
        ("&" * MIB, False, False),
        ("é" * (MIB // 8), False, False),
        ("é" * (MIB // 2 + 1), False, True),
        ("QUJD" * (MIB // 3), True, False),
        ("QUJD" * (MIB // 3 + 2), True, True),
    ],
)
def test_a_body_is_measured_as_it_was_sent(body: str, *, encoded: bool, large: bool) -> None:
    """It is the sender's bytes that count, not those of their form in the event."""
    delivery = parse(_http(body, encoded=encoded).replace(b"&", b"\\u0026"), now=NOW, alarm_token=TOKEN)
    assert (delivery.rejection is not None) == large
    assert delivery.http
    assert bool(delivery.events) != large


def test_a_large_event_that_came_otherwise_is_read() -> None:
    """Who may invoke the function may send it what FC delivers."""
    (asked,) = parse(json.dumps({"InstanceId": "i-1"}).encode() + b" " * (2 * MIB), now=NOW).events
    assert isinstance(asked, StopRequest)
    event = {"triggerTime": "2026-01-30T12:00:00Z", "triggerName": "x", "payload": " " * (2 * MIB) + "{}"}
    (invalid,) = parse(json.dumps(event).encode(), now=NOW).events
    assert isinstance(invalid, InvalidEvent)


@pytest.mark.parametrize("count", [10_000, 10_001])
def test_a_list_of_alerts_has_its_limit(count: int) -> None:
    """Each is judged up to the limit; with more than any sender has, none is."""
    (one,) = parse(alerts(count, lambda n: {"instance_id": "rm-1" if n else "i-1"}), now=NOW).events[:1]
    if count > 10_000:
        assert isinstance(one, InvalidEvent)
        assert str(one) == "alerts is a list of 10001; it may have at most 10,000 elements"
    else:
        assert isinstance(one, StopRequest)
        assert one.instance_ids == ("i-1",)


def test_dimensions_have_their_limit() -> None:
    """A thousand instances have room in them; more text is not gone through."""
    for count, right in ((1_000, True), (20_000, False)):
        written = ",".join(f"{{userId=1234567890123456, instanceId=i-{n:04}}}" for n in range(count))
        event = {"alertState": "ALERT", "timestamp": 1769774100, "dimensions": f"[{written}]"}
        (one,) = parse(json.dumps(event).encode(), now=NOW).events
        assert isinstance(one, StopRequest)
        assert len(one.instance_ids) == (count if right else 0)
        assert (one.problem is None) == right


@pytest.mark.parametrize(
    ("event", "message"),
    [
        (b"[" + b"{}," * 49_998 + b"{}]", "the event is a list of 49999; an array holds 1 to 1000 events"),
        (
            b"[" + b"{}," * 49_999 + b"{}]",
            "the event holds 50,001 objects and lists; it may hold at most 50,000",
        ),
        (
            b"[" + b"1," * 200_001 + b"1]",
            "the event holds 200,001 fields and elements; it may hold at most 200,000",
        ),
        (
            json.dumps({"InstanceIds": [1] * 10_001}).encode(),
            "InstanceIds is a list of 10001; it may have at most 10,000 elements",
        ),
        (
            json.dumps({"InstanceId": "i-1"} | {f"x{n}": 1 for n in range(100)}).encode(),
            "the event has 101 fields; it has only InstanceIds, InstanceId, Tag, ",
        ),
    ],
)
def test_what_no_event_has_so_many_of_is_not_gone_through(event: bytes, message: str) -> None:
    """Objects, ids and fields have limits far beyond any event's, and the error says which was exceeded."""
    (invalid,) = parse(event, now=NOW).events
    assert isinstance(invalid, InvalidEvent)
    assert str(invalid).startswith(message)


@pytest.mark.parametrize("body", ["[" * 60_000, "{" * MIB, "," * 300_000, "\x00\ud800", 5, {"a": ["["]}])
@pytest.mark.parametrize("token", [TOKEN, "guess"])
def test_whatever_is_in_a_body_came_over_http(token: str, body: object) -> None:
    """The token counts before what the body holds, and nothing of it makes the function fail."""
    delivery = parse(_http(body).replace(TOKEN.encode(), token.encode()), now=NOW, alarm_token=TOKEN)
    assert delivery.http
    assert (delivery.rejection is None) == (token == TOKEN)
    assert [type(one) for one in delivery.events] == [InvalidEvent] * (token == TOKEN)


@pytest.mark.parametrize(
    "body", [b'"\\q' + b"x" * MIB + b'"', b"[" * 3 + b"x" * 2 * MIB + b"]" * 3, b"1" + b"x" * 2 * MIB]
)
def test_a_large_body_that_is_no_json_is_said(body: bytes) -> None:
    """It is measured as it is, and read by whoever reads the event."""
    event = _http("BODY").replace(b'"BODY"', body)
    delivery = parse(event, now=NOW, alarm_token=TOKEN)
    assert [type(one) for one in delivery.events] == [InvalidEvent] * (delivery.rejection is None)


@pytest.mark.parametrize(
    ("size", "message"),
    [
        (2**17, "body is of no kind known here; it has the fields"),
        (2**17 + 1, "body is no JSON, and a form of 131,073 characters; a form has at most 131,072"),
    ],
)
def test_a_form_has_its_limit(size: int, message: str) -> None:
    """A form as large as a body may be would take more memory than the function has."""
    (invalid,) = parse(_http("a=" + "x" * (size - 2)), now=NOW, alarm_token=TOKEN).events
    assert str(invalid).startswith(message)
