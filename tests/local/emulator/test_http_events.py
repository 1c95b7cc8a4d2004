"""FC's HTTP trigger: what the function gets of a request, what the sender gets, and what a hang-up ends."""

import base64
import http.client
import json
from collections.abc import Mapping
from threading import Event
from typing import Any

import pytest
from alibabacloud_fc20230330 import models
from alibabacloud_fc20230330.client import Client
from alibabacloud_tea_openapi.models import Config
from darabonba.exceptions import UnretryableException
from darabonba.runtime import RuntimeOptions

from local.emulator.backend import LocalEcs
from local.emulator.clock import VirtualClock
from local.emulator.fault_text import parse_fault
from local.emulator.fleet import Fleet
from local.emulator.functions import LocalFunctions
from local.emulator.invocations import Answer
from local.emulator.server import serve, serve_http_trigger
from tests.stage import NOW, OPTED_IN, SetStage, Stage

IDS = ("i-bp1a", "i-bp1b")
TOKEN = "a-token-of-16-or-more"
HEADERS = {"X-Alarm-Token": TOKEN, "Content-Type": "application/json"}


def connect(url: str) -> http.client.HTTPConnection:
    """Open a connection."""
    return http.client.HTTPConnection(url.removeprefix("http://"), timeout=10)


def post(
    url: str, body: bytes, headers: Mapping[str, str] = HEADERS, path: str = "/"
) -> tuple[http.client.HTTPResponse, bytes]:
    """Send a request on a connection of its own."""
    connection = connect(url)
    try:
        connection.request("POST", path, body, dict(headers))
        response = connection.getresponse()
        return response, response.read()
    finally:
        connection.close()


def test_the_event_of_a_request() -> None:
    """Path, query, headers and body come as FC's documents have them; several values are joined by commas."""
    events: list[dict[str, Any]] = []

    def invoke(event: bytes, _stopped: Event) -> Answer:
        events.append(json.loads(event))
        return Answer(returned={"statusCode": 201, "headers": {"X-Own": "yes"}, "body": "täken"})

    with serve_http_trigger(invoke) as url:
        response, text = post(url, "fünf".encode(), {"X-Two": "1"}, "/a%20b?q=1&q=2&z=")
        post(url, b"\xff\x00")
    assert (response.status, response.headers["X-Own"], text.decode()) == (201, "yes", "täken")
    event, binary = events
    assert event["requestContext"]["requestId"] == response.headers["X-Fc-Request-Id"]
    assert (event["version"], event["rawPath"]) == ("v1", "/a%20b")
    assert event["requestContext"]["http"]["path"] == "/a b"
    assert event["queryParameters"] == {"q": "1,2", "z": ""}
    assert event["headers"]["X-Two"] == "1"
    assert (event["body"], event["isBase64Encoded"]) == ("fünf", False)
    assert (base64.b64decode(binary["body"]), binary["isBase64Encoded"]) == (b"\xff\x00", True)


def test_an_answer_that_is_no_response_is_the_body(stage: SetStage) -> None:
    """A handler's answer without a status is the body of a 200; an exception is a 502 with its record."""
    with serve_http_trigger(lambda _event, _stopped: Answer(returned={"b": 1, "a": 2})) as url:
        response, body = post(url, b"")
    assert (response.status, body.decode()) == (200, '{\n    "a": 2,\n    "b": 1\n}')
    function = stage().function(MAX_INSTANCES="many")
    with serve_http_trigger(function.invoke) as url:
        response, body = post(url, b"")
    assert (response.status, response.headers["X-Fc-Error-Type"]) == (502, "UnhandledInvocationError")
    assert json.loads(body)["errorType"] == "InvalidSettings"


def test_the_function_itself(stage: SetStage) -> None:
    """A request with the right token stops its instance, and its sender gets the report."""
    made = stage({"InstanceId": IDS[0]})
    with serve_http_trigger(made.function(ALARM_TOKEN=TOKEN).invoke) as url:
        response, body = post(url, json.dumps({"InstanceId": IDS[0]}).encode())
        refused, _ = post(url, b"{}", {})
    assert response.status == 200
    assert json.loads(body)["outcomes"][0]["instance_id"] == IDS[0]
    assert refused.status == 401
    assert [call.action for call in made.ecs.calls if call.action.startswith("Stop")] == ["StopInstance"]


class Watched:
    """Two instances, and a function whose first stop lasts until FC has stopped its instance."""

    def __init__(self) -> None:
        self.under_way = Event()
        self.ended = Event()
        self.lines: list[str] = []
        self.instances: list[Event] = []
        self.clock = VirtualClock(NOW)
        fleet = Fleet.from_instances([{"InstanceId": one, "Tags": OPTED_IN} for one in IDS])
        delay = parse_fault("StopInstance:1=delay,seconds=1,when=after")
        self.ecs = LocalEcs(fleet, now=self.clock.now, sleep=self.wait, faults=[delay])
        self.endpoint = ""

    def wait(self, _seconds: float) -> None:
        """Hold the answer to the first stop back."""
        self.under_way.set()
        assert self.instances[0].wait(10)

    def invoke(self, event: bytes, stopped: Event) -> Answer:
        """Invoke the function, one stop after the other."""
        self.instances.append(stopped)
        function = Stage(self.ecs, self.clock, self.endpoint).function(CONCURRENCY="1", ALARM_TOKEN=TOKEN)
        function.log = self.lines.append
        try:
            return function.invoke(event, stopped)
        finally:
            self.ended.set()

    def check(self) -> None:
        """See that the second stop was never sent, and nothing logged of either."""
        assert self.ended.wait(10)
        assert [call.action for call in self.ecs.calls if call.action.startswith("Stop")] == ["StopInstance"]
        assert self.ecs.instance(IDS[1]).status == "Running"
        assert [line.partition(" RequestId")[0] for line in self.lines] == [
            "FC Initialize Start",
            "FC Initialize End",
            "FC Invoke Start",
        ]


def test_a_sender_who_hangs_up_ends_the_instance() -> None:
    """While the first stop is under way an HTTP sender goes: nothing more is sent, or logged."""
    watched = Watched()
    with serve(watched.ecs) as watched.endpoint, serve_http_trigger(watched.invoke) as url:
        connection = connect(url)
        connection.request("POST", "/", json.dumps({"InstanceIds": IDS}), HEADERS)
        assert watched.under_way.wait(10)
        connection.close()
        watched.check()


def test_a_client_that_waits_no_longer_ends_the_instance() -> None:
    """So it is where the SDK's InvokeFunction, synchronous, runs into its own timeout."""
    watched = Watched()
    event = json.dumps({"InstanceIds": IDS}).encode()
    with serve(watched.ecs, LocalFunctions(invoke=watched.invoke)) as watched.endpoint:
        host = watched.endpoint.removeprefix("http://")
        key = Config(access_key_id="emulator", access_key_secret="emulator", endpoint=host, protocol="HTTP")
        with pytest.raises(UnretryableException):
            Client(key).invoke_function_with_options(
                "stop-guard",
                models.InvokeFunctionRequest(body=event),
                models.InvokeFunctionHeaders(),
                RuntimeOptions(read_timeout=500, autoretry=False),
            )
        assert watched.under_way.wait(10)
        watched.check()
