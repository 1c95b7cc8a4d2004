"""A day on which nothing comes in the way: all that may be stopped is, and what is left has its reason."""

from collections.abc import Iterator

from simulation.case import END_SECONDS, Case, Look, home, scope_of
from simulation.disks import has_disks
from simulation.instance_states import ROUNDING_SECONDS
from simulation.owners import is_dry, owners_of
from simulation.reasons import reasons
from simulation.recording import JsonObject
from simulation.scenario import OWN_ACCOUNT

CALM_SECONDS = 5.0
"""No call and no decision of a calm day comes later after what it rests on."""


def calm_days_are_used(case: Case) -> Iterator[str]:
    """Where nothing comes in the way, everything that may be stopped is, and the rest has its reason."""
    report = case.invocation.report if case.recording.scenario.calm else None
    for outcome in report["outcomes"] if report else ():
        expected = _expected(case, outcome)
        if not expected & {outcome["status"], outcome["code"]}:
            found = f"{outcome['status']} ({outcome['code']})"
            yield f"{outcome['instance_id']} is {found}, expected {sorted(expected)}"
        elif (
            outcome["status"] == "stopping"
            and not is_dry(case, outcome)
            and _time_to_verify(case) > _stop_seconds(case, outcome) + CALM_SECONDS
        ):
            yield f"{outcome['instance_id']} is stopping, and there was time to see it stopped"


def _time_to_verify(case: Case) -> float:
    return min(case.limits.verify_seconds, case.invocation.delivery.patience - END_SECONDS)


def _stop_seconds(case: Case, outcome: JsonObject) -> float:
    (attributes,) = (
        one for one in case.recording.scenario.fleet if one["InstanceId"] == outcome["instance_id"]
    )
    seconds: float = attributes["x-emulator"]["StopSeconds"]
    return seconds


def _expected(case: Case, outcome: JsonObject) -> set[str]:
    """Give the statuses and codes that an outcome may have; two, where time ran on while it was decided."""
    stop, looks = next(iter(case.stops_of(outcome)), None), case.looks_of(outcome)
    look = case.last_look(stop) if stop else looks[-1] if looks else None
    if look is None:
        there = {home(states[0][1])[0] for states in case.recording.states.values()} | {OWN_ACCOUNT}
        known = outcome["account_id"] in there
        return {"InvalidInstanceId.NotFound"} if known else {"EntityNotExist.Role"}
    decided = (look.call.sent, stop.sent if stop else case.invocation.ended or 0.0)
    reasons = {_reason(case, outcome, look, case.wall(moment) + ROUNDING_SECONDS) for moment in decided}
    found = {reason for reason in reasons if reason}
    if None in reasons:
        found |= {"stopped", "stopping", "would_stop"}
    return found | {"already_stopped"} if _stopped_by_another(case, outcome) else found


def _stopped_by_another(case: Case, outcome: JsonObject) -> bool:
    """Whether another run had it stopped: one that was handed the same, or that is the same once more."""
    return any(
        stop.instance_id == outcome["instance_id"] and stop.effective
        for call in case.recording.calls
        if call.invocation != case.invocation.number
        for stop in call.stops
    )


def _reason(case: Case, outcome: JsonObject, look: Look, now: float) -> str | None:
    """Say why an instance may not be stopped, the first reason in the contract's order; None: it may be."""
    owners = owners_of(case, outcome["instance_id"], scope_of(outcome))
    for reason in reasons(case, look.attributes, now, owners[0] if owners else None):
        return reason
    before = next(iter(case.stops_of(outcome)), None)
    if owners and not owners[0].confirm_stop and has_disks(case, look, before) is not False:
        return "InstanceType.ParameterMismatch"
    return None
