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
from simulation.check import judge
from simulation.draw import draw_scenario
from simulation.history import STOPS, History, Stop
from simulation.play import play

RUNS = 12_000
CHUNK = 250

TRACES = """
from simulation.check import simulate
from simulation.trace import trace
for seed in range(300):
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


def _stop_of(history: History) -> Stop:
    """Give the first part of a stop call of a history that stopped its instance."""
    return next(stop for call in history.calls for stop in call.stops if stop.effective)


def _calm_stop(action: str) -> History:
    """Play the first calm day on which such a stop call of the only invocation has its effect."""
    for seed in count():
        scenario = draw_scenario(seed)
        if scenario.calm and not scenario.deliveries[0].http and not scenario.limits.dry_run:
            history = play(scenario)
            effective = {call.action for call in history.calls for stop in call.stops if stop.effective}
            if len(history.invocations) == 1 and history.invocations[0].returned and effective == {action}:
                return history
    raise AssertionError


def _lock(history: History) -> None:
    for call in history.calls:
        for document in call.documents:
            assert isinstance(document, dict)
            document["OperationLocks"] = {"LockReason": [{"LockReason": "security"}]}


def _force(history: History) -> None:
    call = _stop_of(history).call
    call.parameters = {**call.parameters, "ForceStop": "?"}


def _limit(history: History, **limits: object) -> None:
    scenario = history.scenario
    history.scenario = replace(scenario, limits=replace(scenario.limits, **limits))  # type: ignore[arg-type]  # of several types


def _lose_a_line(history: History) -> None:
    written = history.invocations[0].written
    written.remove(next(line for line in written if '"status"' in line[2]))


def _ask_again(history: History) -> None:
    step = history.step()
    history.calls.append(replace(_stop_of(history).call, sent_step=step, heard_step=step))


def _throttle(history: History) -> None:
    first = history.calls[0]
    assert first.heard_at is not None
    history.calls.append(replace(first, sent=first.heard_at + 1, sent_step=history.step()))
    first.heard, first.retry_after_ms = "Throttling.User", 60_000


def _outlive(history: History) -> None:
    history.invocations[0].ended = history.invocations[0].delivery.timeout - 0.5


def _report(history: History, **fields: object) -> None:
    report = history.invocations[0].report
    assert report is not None
    for outcome in report["outcomes"]:
        if outcome["instance_id"] == _stop_of(history).instance_id:
            outcome.update(fields)


@pytest.mark.parametrize("action", STOPS)
@pytest.mark.parametrize(
    ("rule", "tamper"),
    [
        ("rule 1", _lock),
        ("rule 2", _force),
        ("rule 3", lambda history: _limit(history, dry_run=True)),
        ("rule 4", _lose_a_line),
        ("rule 5", _ask_again),
        ("rule 6", lambda history: _limit(history, max_instances=0)),
        ("throttling", _throttle),
        ("deadline", _outlive),
        ("truth", lambda history: _report(history, status="refused")),
        ("calm", lambda history: _report(history, status="refused", code="Guard.Protected")),
    ],
)
def test_each_rule_can_fail(rule: str, tamper: Callable[[History], None], action: str) -> None:
    """A history that breaks a rule is found out by that rule; the same history untouched breaks none."""
    history = _calm_stop(action)
    assert judge(history) == []
    tamper(history)
    assert rule in {violation.rule for violation in judge(history)}


def _calm_hand_on(*, http: bool) -> History:
    """Play the first calm day on which something is handed on: shards, or what came over HTTP."""
    for seed in count():
        scenario = draw_scenario(seed)
        if scenario.calm and scenario.limits.fan_out and scenario.deliveries[0].http == http:
            history = play(scenario)
            if any(call.event for call in history.calls):
                return history
    raise AssertionError


@pytest.mark.parametrize(
    "field", [{"ConfirmStop": "?"}, {"ForceStop": "?"}, {"DryRun": "?"}, {"StoppedMode": "?"}]
)
def test_a_shard_that_asks_for_something_else_is_found_out(field: dict[str, str]) -> None:
    """Consent, force, mode and dry run of what is handed on are those of the event it comes from."""
    history = _calm_hand_on(http=False)
    assert judge(history) == []
    call = next(call for call in history.calls if call.event)
    event = json.loads(call.event)
    event["data"] |= field
    call.event = json.dumps(event).encode()
    assert "shards" in {violation.rule for violation in judge(history)}


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
    history = _calm_hand_on(http=True)
    assert judge(history) == []
    call = next(call for call in history.calls if call.event)
    (event, *others) = json.loads(call.event)
    data = fields.get("data", {})
    assert isinstance(data, dict)
    call.event = json.dumps([event | fields | {"data": event["data"] | data}, *others]).encode()
    assert {violation.rule for violation in judge(history)} == {"deferral"}


def _answer(history: History, **fields: object) -> None:
    assert history.invocations[0].returned is not None
    history.invocations[0].returned = {**history.invocations[0].returned, **fields}


def _look_as_well(history: History) -> None:
    step = history.step()
    call = next(call for call in history.calls if call.event)
    history.calls.append(
        replace(call, action="DescribeInstances", event=b"", sent_step=step, heard_step=step)
    )


def _hear(history: History, what: str) -> None:
    next(call for call in history.calls if call.event).heard = what


@pytest.mark.parametrize(
    ("rule", "tamper"),
    [
        ("rule 4", lambda history: _answer(history, statusCode=200)),
        ("deferral", _look_as_well),
        ("deferral", lambda history: _limit(history, fan_out=False)),
        ("deferral", lambda history: _hear(history, "FunctionNotFound")),
        ("deferral", lambda history: _hear(history, "InternalServerError")),
        (
            "deferral",
            lambda history: history.calls.remove(next(call for call in history.calls if call.event)),
        ),
    ],
)
def test_a_deferral_that_is_told_or_done_otherwise_is_found_out(
    rule: str, tamper: Callable[[History], None]
) -> None:
    """Where FC takes what came over HTTP, the answer is 202, and nothing is done here as well."""
    history = _calm_hand_on(http=True)
    assert judge(history) == []
    tamper(history)
    assert rule in {violation.rule for violation in judge(history)}


def test_deferrals_of_every_end_are_played() -> None:
    """FC takes what came over HTTP, refuses it, and is silent, within the seeds that the suite plays."""
    ends: dict[int, set[str | None]] = {}
    for seed in range(700):
        scenario = draw_scenario(seed)
        if scenario.limits.fan_out and any(delivery.http for delivery in scenario.deliveries):
            history = play(scenario)
            calls = [call for call in history.calls if call.event.startswith(b"[")]
            for call in calls:
                answer = history.invocations[call.invocation].returned or {}
                ends.setdefault(answer.get("statusCode", 0), set()).add(call.heard)
    assert "" in ends[202]
    assert {"(no answer)", "InternalServerError"} <= ends[500]
    assert ends[200]
