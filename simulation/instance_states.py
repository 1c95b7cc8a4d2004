"""What really became of an instance: where it was, in which states, and what somebody else did to it."""

from collections.abc import Sequence

from local.emulator.lifecycle import RUNNING, STARTING, STOPPED, STOPPING
from simulation.attributes import start_moment
from simulation.case import Case, Look, home
from simulation.machine import EPOCH
from simulation.recording import RELEASED, JsonObject

ROUNDING_SECONDS = 1e-5
"""A datetime, which ECS keeps its times in, is rounded to microseconds."""


def started_again(looks: Sequence[Look]) -> bool:
    """Whether the last look shows a later start than one before it that showed it stopping."""
    starts = [start_moment(look.attributes) for look in looks]
    before = [
        start for start, look in zip(starts, looks, strict=True) if look.attributes["Status"] == STOPPING
    ]
    if not before or looks[-1].attributes["Status"] not in {RUNNING, STARTING}:
        return False
    return all(start is not None and (starts[-1] or 0.0) > start for start in before)


def is_there(case: Case, outcome: JsonObject) -> bool:
    """Whether an instance is at a scope where each event of this name that names it looks for it."""
    instance_id = outcome["instance_id"]
    states = case.recording.states.get(instance_id)
    scopes = [
        wish.scopes
        for wish in case.accepted
        if wish.event_id == outcome["event_id"] and instance_id in wish.ids
    ]
    if not states or not scopes or is_gone(case, outcome):
        return False
    return all(home(states[0][1]) in each for each in scopes)


def is_gone(case: Case, outcome: JsonObject) -> bool:
    """Whether somebody has released an instance by now."""
    states = case.recording.states.get(outcome["instance_id"], [])
    return bool(states) and states[-1][1].status == RELEASED


def was(case: Case, instance_id: str, statuses: set[str], *, since: float) -> bool:
    """Whether an instance really had one of the statuses at some time from then to the end of the run."""
    end = case.invocation.ended or 0.0
    states = case.recording.states.get(instance_id, [])
    ends = [moment for moment, _ in states[1:]] + [end]
    for (start, state), next_start in zip(states, ends, strict=True):
        if next_start < since or start > end:
            continue
        if state.status in statuses:
            return True
        if STOPPED in statuses and state.status == STOPPING and state.changes_at is not None:
            done = (state.changes_at - EPOCH).total_seconds()
            if done <= min(next_start, end) + ROUNDING_SECONDS:
                return True
    return False
