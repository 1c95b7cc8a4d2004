"""A simulation as a person reads it: what it started from, and then, line by line, what happened."""

import json
from collections.abc import Iterator, Mapping

from simulation.recording import RecordedCall, RecordedInvocation, Recording

Entry = tuple[int, float, str]
"""A step, its moment, and what it was."""


def trace(recording: Recording) -> str:
    """Write it all down. The same seed gives the same text, byte for byte."""
    return "\n".join([*_start(recording), *_happened(recording)]) + "\n"


def _start(recording: Recording) -> Iterator[str]:
    scenario = recording.scenario
    yield f"seed {scenario.seed}{', a calm day' if scenario.calm else ''}"
    yield f"settings    {json.dumps(scenario.limits.environment())}"
    for instance in scenario.fleet:
        yield f"instance    {json.dumps(instance)}"
    yield f"behaviour   {scenario.behaviour}"
    for number, delivery in enumerate(scenario.deliveries, 1):
        when = f"at {delivery.start:.3f} s, timeout {delivery.timeout} s, kills {delivery.kills}"
        yield f"event {number}     {when}: {delivery.body.decode()}"
    yield from (f"fault       {fault}" for fault in scenario.faults)
    yield f"weather     {scenario.weather}"
    yield f"clock       {scenario.wall}"


def _happened(recording: Recording) -> Iterator[str]:
    entries: list[Entry] = [
        (step, moment, f"somebody    {one} {deed}") for step, moment, one, deed in recording.meddled
    ]
    for invocation in recording.invocations:
        entries += _of_invocation(invocation)
    for call in recording.calls:
        entries += _of_call(call)
    yield from (f"{moment:10.3f}  {what}" for _, moment, what in sorted(entries))


def _of_invocation(invocation: RecordedInvocation) -> Iterator[Entry]:
    name = f"run {invocation.number}"
    yield invocation.started_step, invocation.started, f"{name}       starts on host {invocation.host}"
    yield from ((step, moment, f"{name}       log {line}") for step, moment, line in invocation.written)
    end = f"raises {invocation.raised!r}" if invocation.raised is not None else "returns"
    if invocation.killed is not None:
        yield invocation.ended_step or 0, invocation.killed, f"{name}       is killed"
    elif invocation.ended is not None:
        yield invocation.ended_step or 0, invocation.ended, f"{name}       {end}"


def _of_call(call: RecordedCall) -> Iterator[Entry]:
    name = f"run {call.invocation}"
    what = f"{call.action} {_text(call.parameters)}"
    yield call.sent_step, call.sent, f"{name}       sends {what} to {call.region_id} of {call.account_id}"
    if call.arrived_step is not None and call.arrived is not None:
        effects = {one: f"{state.status}->{call.after[one].status}" for one, state in call.before.items()}
        effect = f" ({_text(effects)})" if effects else ""
        result = f"{call.code or 'OK'}{effect}"
        yield call.arrived_step, call.arrived, f"ECS         makes of {what}: {result}"
    if call.heard_step is not None and call.heard_at is not None:
        seen = {one["InstanceId"]: one["Status"] for one in call.instances}
        yield (
            call.heard_step,
            call.heard_at,
            f"{name}       hears {call.heard or 'OK'}{_text(seen) if seen else ''} of {what}",
        )


def _text(fields: Mapping[str, str]) -> str:
    return " ".join(f"{key}={value}" for key, value in fields.items())
