"""The simulation: no rule is broken in any run, the same seed gives the same run, and each rule can fail."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from itertools import count

import pytest

from simulation.__main__ import failures, main, replay
from simulation.draw_scenario import draw_scenario
from simulation.play import play
from simulation.recording import STOPS, RecordedStop, Recording
from simulation.verdict import judge

RUNS = 8_000  # a million in `make soak`
CHUNK = 250

TRACES = """
from simulation.verdict import simulate
from simulation.trace import trace
for seed in range(120):
    print(trace(simulate(seed)[0]))
"""


@pytest.mark.parametrize("first", range(0, RUNS, CHUNK))
def test_every_rule_holds(first: int) -> None:
    """Whatever fleet, event, faults and clocks a seed stands for, the function keeps to its contract."""
    found = failures(range(first, first + CHUNK))
    assert not found, "\n".join(f"{replay(seed)}: {'; '.join(what)}" for seed, what in found)


def test_same_seed_same_run() -> None:
    """A seed gives the same trace to the byte in every process, however that orders its sets."""
    traces = [
        subprocess.run(
            [sys.executable, "-c", TRACES],
            env=os.environ | {"PYTHONHASHSEED": hash_seed},
            capture_output=True,
            check=True,
        ).stdout
        for hash_seed in ("1", "2")
    ]
    assert traces[0] == traces[1]
    assert traces[0].count(b"\n") > 1000


def test_replay_shows_all(capsys: pytest.CaptureFixture[str]) -> None:
    """Replaying a seed shows what it started from, each call and log line, and the verdict."""
    assert main(["--seed", "18"]) == 0
    shown = capsys.readouterr().out
    for part in (
        "seed 18",
        "settings",
        "instance",
        "event 1",
        "sends DescribeInstances",
        "log {",
        "0 violations",
    ):
        assert part in shown


def test_many_in_processes(capsys: pytest.CaptureFixture[str]) -> None:
    """Many seeds run in processes of their own, and are counted."""
    assert main(["--runs", "20", "--first-seed", "7", "--workers", "1"]) == 0
    assert "20 of 20 runs" in capsys.readouterr().out


def _stop_of(recording: Recording) -> RecordedStop:
    """Give the first part of a stop call of a recording that stopped its instance."""
    return next(stop for call in recording.calls for stop in call.stops if stop.effective)


def _calm_stop(action: str) -> Recording:
    """Play the first calm day on which such a stop call of the only invocation has its effect."""
    for seed in count():
        scenario = draw_scenario(seed)
        if scenario.calm and not scenario.deliveries[0].http and not scenario.limits.dry_run:
            recording = play(scenario)
            effective = {call.action for call in recording.calls for stop in call.stops if stop.effective}
            if (
                len(recording.invocations) == 1
                and recording.invocations[0].returned
                and effective == {action}
            ):
                return recording
    raise AssertionError


def _lock(recording: Recording) -> None:
    for call in recording.calls:
        for attributes in call.instances:
            assert isinstance(attributes, dict)
            attributes["OperationLocks"] = {"LockReason": [{"LockReason": "security"}]}


def _force(recording: Recording) -> None:
    call = _stop_of(recording).call
    call.parameters = {**call.parameters, "ForceStop": "?"}


def _limit(recording: Recording, **limits: object) -> None:
    scenario = recording.scenario
    recording.scenario = replace(scenario, limits=replace(scenario.limits, **limits))  # type: ignore[arg-type]  # of several types


def _lose_a_line(recording: Recording) -> None:
    written = recording.invocations[0].written
    written.remove(next(line for line in written if '"status"' in line[2]))


def _ask_again(recording: Recording) -> None:
    step = recording.step()
    recording.calls.append(replace(_stop_of(recording).call, sent_step=step, heard_step=step))


def _throttle(recording: Recording) -> None:
    first = recording.calls[0]
    assert first.heard_at is not None
    recording.calls.append(replace(first, sent=first.heard_at + 1, sent_step=recording.step()))
    first.heard, first.retry_after_ms = "Throttling.User", 60_000


def _outlive(recording: Recording) -> None:
    recording.invocations[0].ended = recording.invocations[0].delivery.timeout - 0.5


def _report(recording: Recording, **fields: object) -> None:
    report = recording.invocations[0].report
    assert report is not None
    for outcome in report["outcomes"]:
        if outcome["instance_id"] == _stop_of(recording).instance_id:
            outcome.update(fields)


@pytest.mark.parametrize("action", STOPS)
@pytest.mark.parametrize(
    ("rule", "tamper"),
    [
        ("rule 1", _lock),
        ("rule 2", _force),
        ("rule 3", lambda recording: _limit(recording, dry_run=True)),
        ("rule 4", _lose_a_line),
        ("rule 5", _ask_again),
        ("rule 6", lambda recording: _limit(recording, max_instances=0)),
        ("throttling", _throttle),
        ("deadline", _outlive),
        ("truth", lambda recording: _report(recording, status="refused")),
        ("calm", lambda recording: _report(recording, status="refused", code="Guard.Protected")),
    ],
)
def test_each_rule_can_fail(rule: str, tamper: Callable[[Recording], None], action: str) -> None:
    """A recording that breaks a rule is found out by that rule; the same recording untouched breaks none."""
    recording = _calm_stop(action)
    assert judge(recording) == []
    tamper(recording)
    assert rule in {violation.rule for violation in judge(recording)}


def _calm_hand_on(*, http: bool) -> Recording:
    """Play the first calm day on which something is handed on: shards, or what came over HTTP."""
    for seed in count():
        scenario = draw_scenario(seed)
        if scenario.calm and scenario.limits.fan_out and scenario.deliveries[0].http == http:
            recording = play(scenario)
            if any(call.event for call in recording.calls):
                return recording
    raise AssertionError


@pytest.mark.parametrize(
    "field", [{"ConfirmStop": "?"}, {"ForceStop": "?"}, {"DryRun": "?"}, {"StoppedMode": "?"}]
)
def test_a_shard_that_asks_for_something_else_is_found_out(field: dict[str, str]) -> None:
    """Consent, force, mode and dry run of what is handed on are those of the event it comes from."""
    recording = _calm_hand_on(http=False)
    assert judge(recording) == []
    call = next(call for call in recording.calls if call.event)
    event = json.loads(call.event)
    event["data"] |= field
    call.event = json.dumps(event).encode()
    assert "shards" in {violation.rule for violation in judge(recording)}


@pytest.mark.parametrize(
    "fields",
    [
        {"id": "?"},
        {"origin": "request"},
        {"admitted": False},
        {"time": "2026-01-15T19:00:00+00:00"},
        {"data": {"RegionIds": ["cn-nowhere"]}},
        {"data": {"InstanceIds": ["i-000"]}},
        {"data": {"StoppedMode": "?"}},
        {"data": {"DryRun": "?"}},
        {"data": {"ConfirmStop": True}},
    ],
)
def test_a_deferral_that_asks_for_something_else_is_found_out(fields: dict[str, object]) -> None:
    """What came over HTTP is handed on as it is, with its id, source and time, and that it was admitted."""
    recording = _calm_hand_on(http=True)
    assert judge(recording) == []
    call = next(call for call in recording.calls if call.event)
    (event, *others) = json.loads(call.event)
    data = fields.get("data", {})
    assert isinstance(data, dict)
    call.event = json.dumps([event | fields | {"data": event["data"] | data}, *others]).encode()
    assert {violation.rule for violation in judge(recording)} == {"deferral"}


def _answer(recording: Recording, **fields: object) -> None:
    assert recording.invocations[0].returned is not None
    recording.invocations[0].returned = {**recording.invocations[0].returned, **fields}


def _look_as_well(recording: Recording) -> None:
    step = recording.step()
    call = next(call for call in recording.calls if call.event)
    recording.calls.append(
        replace(call, action="DescribeInstances", event=b"", sent_step=step, heard_step=step)
    )


def _hear(recording: Recording, what: str) -> None:
    next(call for call in recording.calls if call.event).heard = what


@pytest.mark.parametrize(
    ("rule", "tamper"),
    [
        ("rule 4", lambda recording: _answer(recording, statusCode=200)),
        ("deferral", _look_as_well),
        ("deferral", lambda recording: _limit(recording, fan_out=False)),
        ("deferral", lambda recording: _hear(recording, "FunctionNotFound")),
        ("deferral", lambda recording: _hear(recording, "InternalServerError")),
        (
            "deferral",
            lambda recording: recording.calls.remove(next(call for call in recording.calls if call.event)),
        ),
    ],
)
def test_a_deferral_that_is_told_or_done_otherwise_is_found_out(
    rule: str, tamper: Callable[[Recording], None]
) -> None:
    """Where FC takes what came over HTTP, the answer is 202, and nothing is done here as well."""
    recording = _calm_hand_on(http=True)
    assert judge(recording) == []
    tamper(recording)
    assert rule in {violation.rule for violation in judge(recording)}


def test_deferrals_of_every_end_are_played() -> None:
    """FC takes what came over HTTP, refuses it, and is silent, within the seeds that the suite plays."""
    ends: dict[int, set[str | None]] = {}
    for seed in range(700):
        scenario = draw_scenario(seed)
        if scenario.limits.fan_out and any(delivery.http for delivery in scenario.deliveries):
            recording = play(scenario)
            calls = [call for call in recording.calls if call.event.startswith(b"[")]
            for call in calls:
                answer = recording.invocations[call.invocation].returned or {}
                ends.setdefault(answer.get("statusCode", 0), set()).add(call.heard)
    assert "" in ends[202]
    assert {"(no answer)", "InternalServerError"} <= ends[500]
    assert ends[200]
