"""The local FC: what stands in its log, what an exception becomes, what the answer looks like."""

import json
import re
from threading import Event

import pytest

from local.emulator.invocations import InstanceStopped, error_record, serialize
from local.function_compute import FunctionCompute
from tests.stage import SetStage, Stage

ID = "i-bp67acfmxazb4ph001"
EVENT = json.dumps({"InstanceId": ID}).encode()


def function_and_log(stage: Stage, max_instances: str = "100") -> tuple[FunctionCompute, list[str]]:
    """Make an instance of the function, and the list that its log becomes."""
    lines: list[str] = []
    function = stage.function(MAX_INSTANCES=max_instances)
    function.log = lines.append
    return function, lines


def test_fcs_own_lines_stand_around_the_functions(stage: SetStage) -> None:
    """FC says when it initializes an instance and when each invocation begins and ends, with its id."""
    function, lines = function_and_log(stage({"InstanceId": ID}))
    assert function.invoke(EVENT).error is None
    outcome, summary = map(json.loads, lines[3:5])
    assert (outcome["status"], summary["summary"]) == ("stopped", {"total": 1, "stopped": 1})
    request_id = summary["request_id"]
    assert lines[:3] + lines[5:] == [
        f"FC Initialize Start RequestId: {request_id}",
        f"FC Initialize End RequestId: {request_id}",
        f"FC Invoke Start RequestId: {request_id}",
        f"FC Invoke End RequestId: {request_id}",
    ]
    lines.clear()
    function.invoke(EVENT)
    assert [line.partition(" RequestId")[0] for line in lines if not line.startswith("{")] == [
        "FC Invoke Start",
        "FC Invoke End",
    ]


def test_an_exception_is_in_the_log_and_the_answer(stage: SetStage) -> None:
    """The record of what left the handler is logged as an error, and the end says so; no frame is FC's."""
    function, lines = function_and_log(stage())
    answer = function.invoke(b"[]")
    record = json.loads(answer.text)
    assert record["errorType"] == "InvalidEvent"
    assert record["errorMessage"] == str(answer.error)
    file, line, place, source = record["stackTrace"][0]
    assert re.fullmatch(r'File ".*/function/invocation\.py"', file)
    assert re.fullmatch(r"line \d+", line)
    assert place.startswith("in ")
    assert source
    assert not [frame for frame in record["stackTrace"] if "function_compute.py" in frame[0]]
    request_id = lines[0].rpartition(" ")[2]
    logged = lines[-2].partition(" [ERROR] ")
    assert re.fullmatch(rf"2026-01-15T20:00:00\.000Z {request_id}", logged[0])
    assert logged[2] == answer.text
    assert lines[-1] == f"FC Invoke End RequestId: {request_id}, Error: Unhandled function error"


def test_an_instance_that_cant_be_initialized_is_not_invoked(stage: SetStage) -> None:
    """Where `initialize` raises, FC ends there, and the next request has it tried again."""
    function, lines = function_and_log(stage(), max_instances="many")
    for _ in range(2):
        lines.clear()
        assert json.loads(function.invoke(EVENT).text)["errorType"] == "InvalidSettings"
        assert [line.partition(" RequestId")[0] for line in lines if line.startswith("FC ")] == [
            "FC Initialize Start",
            "FC Initialize End",
        ]
        assert lines[-1].endswith(", Error: Unhandled function error")


def test_what_a_handler_returns_is_indented_and_sorted() -> None:
    """The runtime writes JSON with four blanks and in the keys' order; a text goes out as it is."""
    assert serialize({"b": [1], "a": "ü"}) == '{\n    "a": "\\u00fc",\n    "b": [\n        1\n    ]\n}'
    assert serialize('{"b":1}') == '{"b":1}'


def test_an_exception_without_frames_has_no_stack() -> None:
    """As FC's record has it."""
    assert error_record(ValueError("no")) == {"errorMessage": "no", "errorType": "ValueError"}


def test_a_stopped_instance_does_nothing_more(stage: SetStage) -> None:
    """Once FC has stopped the instance no call goes out and no line is written; a new one starts afresh."""
    made = stage({"InstanceId": ID})
    function, lines = function_and_log(made)
    function.invoke(b"[]")
    stopped = Event()
    stopped.set()
    lines.clear()
    with pytest.raises(InstanceStopped):
        function.invoke(EVENT, stopped)
    assert made.ecs.calls == ()
    assert [line.partition(" RequestId")[0] for line in lines] == ["FC Invoke Start"]
    assert function.invoke(EVENT).error is None
    assert "FC Initialize Start" in lines[1]
