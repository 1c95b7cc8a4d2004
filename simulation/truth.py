"""What each status of an outcome promises, held against what really happened; and that calm days are used."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from local.emulator.lifecycle import RUNNING, STARTING, STOPPED, STOPPING
from simulation.case import END_SECONDS, Case, Look, by_another, home, scope_of
from simulation.documents import start_moment
from simulation.history import NO_ANSWER, NO_CONNECTION, PERHAPS_DONE, RELEASED, UNLISTED, Stop
from simulation.machine import EPOCH
from simulation.reasons import reasons
from simulation.scenario import OWN_ACCOUNT
from simulation.shards import handing_problems

Outcome = Mapping[str, Any]

CALM_SECONDS = 5.0
"""No call and no decision of a calm day comes later after what it rests on."""

REFUSALS = (
    *("Guard.", "InvalidInstanceId.NotFound", "InvalidInstanceId.NotSupport", "IncorrectInstanceStatus"),
    *("InstanceLockedForSecurity", "InstanceExpiredOrInArrears", "InstanceType.ParameterMismatch"),
    *("InvalidParameter.KMSKeyId.KMSUnauthorized", "OperationDenied", "Hibernation"),
)
"""Beginnings of the codes that say no to one instance; all others are somebody else's trouble, or passing."""

ROUNDING_SECONDS = 1e-5
"""A datetime, which ECS keeps its times in, is rounded to microseconds."""


def statuses_are_true(case: Case) -> Iterator[str]:
    """Truth: each outcome says what became of its instance, and of this run's calls for it."""
    report = case.invocation.report if case.invocation.ended is not None else None
    for outcome in report["outcomes"] if report else ():
        if "handed on" in outcome["message"]:
            problems = handing_problems(case, outcome)
        else:
            problems = _problems(case, outcome, case.stops_of(outcome))
        yield from (f"{outcome['instance_id']} is {outcome['status']}, {problem}" for problem in problems)


def _problems(case: Case, outcome: Outcome, calls: Sequence[Stop]) -> Iterator[str]:
    sent = sum(call.heard != NO_CONNECTION for call in calls)
    if outcome["attempts"] != sent:
        yield f"with {outcome['attempts']} attempts, and {sent} calls were sent"
    if outcome["message"].startswith("the run ended before"):
        yield outcome["message"]
    if outcome["code"] == "InvalidInstanceId.NotFound" and _is_there(case, outcome):
        yield "and not found, and it was there all the time"
    looks = [look for look in case.looks_of(outcome) if not calls or look.call.sent_step > calls[0].sent_step]
    status = outcome["status"]
    if calls and calls[-1].heard == "IncorrectInstanceStatus" and not _looked_again(case, outcome, calls[-1]):
        yield "and was not looked at again, though it was not as it had been seen"
    if status in NOT_OURS or by_another(outcome):
        yield from _not_ours(case, outcome, calls, looks)
    elif calls and status in {"stopped", "stopping", "would_stop"}:
        yield from _mode_problems(outcome, calls, looks)
    if status in _PROOFS:
        yield from _PROOFS[status](case, outcome, calls, looks)


def _not_ours(case: Case, outcome: Outcome, calls: Sequence[Stop], looks: Sequence[Look]) -> Iterator[str]:
    if any(call.heard == NO_ANSWER and call.parameters["DryRun"] == "False" for call in calls):
        yield "and a stop call got no answer"
    for call in calls:
        # After such an error a look decides; where it is old, or too late, nothing can be known.
        told = not _perhaps_done(call, looks) or _is_gone(case, outcome)
        spoilt = str(call.heard).endswith(PERHAPS_DONE) and told and not _settled_early(case, outcome, call)
        if call.effective and not spoilt and not _started_again(looks):
            yield f"and its call at {call.sent:.3f} s stopped it"


def _stopped(case: Case, outcome: Outcome, calls: Sequence[Stop], looks: Sequence[Look]) -> Iterator[str]:
    if STOPPED not in _seen(looks):
        yield "and no look after the call showed that"
    elif not _was(case, outcome["instance_id"], {STOPPED}, since=calls[0].sent):
        yield "and never was after the call"


def _stopping(case: Case, outcome: Outcome, calls: Sequence[Stop], looks: Sequence[Look]) -> Iterator[str]:
    accepted = any(call.heard == "" for call in _heard(case, calls))
    if not accepted and not _seen(looks) & {STOPPED, STOPPING}:
        yield "and ECS neither accepted the call nor showed it done"
    if _started_again(looks):
        runs = {**looks[-1].document, "Status": "Running"}
        owners = case.owners(outcome["instance_id"], scope_of(outcome))
        now = case.wall(looks[-1].call.heard_at or 0.0)
        if owners and all(any(reasons(case, runs, now, owner)) for owner in owners):
            yield "and a look showed that somebody had started it again"


def _already_stopped(case: Case, outcome: Outcome, _: Sequence[Stop], __: Sequence[Look]) -> Iterator[str]:
    if STOPPED not in _seen(case.looks_of(outcome)):
        yield "and no look showed that"
    elif not _was(case, outcome["instance_id"], {STOPPED}, since=case.invocation.started):
        yield "and was not stopped"


def _would_stop(case: Case, _: Outcome, calls: Sequence[Stop], __: Sequence[Look]) -> Iterator[str]:
    if not any(call.heard == "DryRunOperation" for call in _heard(case, calls)):
        yield "and ECS did not say so"


def _refused(_: Case, outcome: Outcome, __: Sequence[Stop], ___: Sequence[Look]) -> Iterator[str]:
    if not str(outcome["code"]).startswith(REFUSALS):
        yield f"and {outcome['code']} is no refusal"


def _failed(case: Case, outcome: Outcome, calls: Sequence[Stop], _: Sequence[Look]) -> Iterator[str]:
    ours = [stop.call for stop in calls]
    disturbed = any(call.retry_after_ms or (call.heard and call not in ours) for call in case.calls)
    passing = str(outcome["code"]).endswith(PERHAPS_DONE) and outcome["code"] != UNLISTED
    if len(calls) == 1 and passing and not disturbed and not case.time_was_up(outcome):
        yield "and was asked only once"


def _unknown(case: Case, outcome: Outcome, calls: Sequence[Stop], looks: Sequence[Look]) -> Iterator[str]:
    # An answer that comes at the very moment in which time is up may be heard too late.
    end = case.invocation.ended or 0.0
    looks = [look for look in looks if (look.call.heard_at or 0.0) < end]
    answered = all(
        call.heard != NO_ANSWER and call.heard_at is not None and call.heard_at < end for call in calls
    )
    open_ = any(_perhaps_done(call, looks) or _settled_early(case, outcome, call) for call in calls)
    if answered and not open_:
        yield "and every stop call was answered"
    elif calls[0].parameters["DryRun"] == "False" and _seen(looks) & {STOPPED, STOPPING}:
        yield "and a look had settled it"
    in_doubt = [call for call in calls if str(call.heard).endswith((NO_ANSWER, *PERHAPS_DONE))]
    if in_doubt and not _looked_again(case, outcome, in_doubt[-1]):
        yield "and was not looked at again"


NOT_OURS = frozenset({"already_stopped", "would_stop", "refused", "failed", "not_attempted"})
"""The statuses which say that none of this run's calls stopped the instance."""

Proof = Callable[[Case, Outcome, Sequence[Stop], Sequence[Look]], Iterator[str]]

_PROOFS: dict[str, Proof] = {
    "stopped": _stopped,
    "stopping": _stopping,
    "already_stopped": _already_stopped,
    "would_stop": _would_stop,
    "refused": _refused,
    "failed": _failed,
    "unknown": _unknown,
}


def _heard(case: Case, calls: Sequence[Stop]) -> Sequence[Stop]:
    """Give the calls of which anything was heard while the run went on."""
    return [call for call in calls if call.heard_step is not None and call.heard_step <= case.last_step]


def _started_again(looks: Sequence[Look]) -> bool:
    """Whether the last look shows a later start than one before it that showed it stopping."""
    starts = [start_moment(look.document) for look in looks]
    before = [start for start, look in zip(starts, looks, strict=True) if look.document["Status"] == STOPPING]
    if not before or looks[-1].document["Status"] not in {RUNNING, STARTING}:
        return False
    return all(start is not None and (starts[-1] or 0.0) > start for start in before)


def _seen(looks: Sequence[Look]) -> set[str]:
    return {look.document["Status"] for look in looks}


def _is_there(case: Case, outcome: Outcome) -> bool:
    """Whether an instance is at a scope where each event of this name that names it looks for it."""
    instance_id = outcome["instance_id"]
    states = case.history.states.get(instance_id)
    scopes = [
        wish.scopes
        for wish in case.accepted
        if wish.event_id == outcome["event_id"] and instance_id in wish.ids
    ]
    if not states or not scopes or _is_gone(case, outcome):
        return False
    return all(home(states[0][1]) in each for each in scopes)


def _settled_early(case: Case, outcome: Outcome, call: Stop) -> bool:
    """Whether looks had less time to show an effect, if it is in doubt, than to show a stop."""
    waited = case.logged_at(outcome) - (call.heard_at or 0.0)
    in_doubt = str(call.heard).endswith(PERHAPS_DONE)
    return in_doubt and waited < case.limits.verify_seconds - ROUNDING_SECONDS


def _is_gone(case: Case, outcome: Outcome) -> bool:
    """Whether somebody has released an instance by now."""
    states = case.history.states.get(outcome["instance_id"], [])
    return bool(states) and states[-1][1].status == RELEASED


def _looked_again(case: Case, outcome: Outcome, stop: Stop) -> bool:
    """Whether a look was sent after a stop call, or could not be: throttled, or settled when time was up."""
    looks = [call for call in case.calls if call.action == "DescribeInstances"]
    return (
        case.time_was_up(outcome)
        or any(str(look.heard).startswith("Throttling") for look in looks)
        or any(
            look.sent_step > stop.sent_step
            and outcome["instance_id"] in look.parameters.get("InstanceIds", "")
            for look in looks
        )
    )


def _perhaps_done(call: Stop, looks: Sequence[Look]) -> bool:
    """Whether an error leaves open what was done, and no look came after it."""
    later = [look for look in looks if look.call.sent_step > (call.heard_step or 0)]
    return not later and str(call.heard).endswith(PERHAPS_DONE)


def _mode_problems(outcome: Outcome, calls: Sequence[Stop], looks: Sequence[Look]) -> Iterator[str]:
    mode = outcome["stopped_mode"]
    if mode["expected"] not in {call.parameters["StoppedMode"] for call in calls}:
        yield f"with {mode['expected']} expected, and that was never sent"
    foreseen = (mode["requested"], mode["expected"]) == ("StopCharging", "KeepCharging")
    if foreseen and not any("InvalidInstanceId.NotSupport" in warning for warning in outcome["warnings"]):
        yield "with KeepCharging expected where StopCharging was asked for, and no warning"
    if outcome["status"] == "stopped" and looks:
        actual = looks[-1].document["StoppedMode"]
        if mode["actual"] != actual:
            yield f"with {mode['actual']} reached, and ECS showed {actual}"
        if {actual, mode["expected"]} == {"KeepCharging", "StopCharging"} and not outcome["warnings"]:
            yield f"with {actual} reached, {mode['expected']} expected, and no warning"


def _was(case: Case, instance_id: str, statuses: set[str], *, since: float) -> bool:
    """Whether an instance really had one of the statuses at some time from then to the end of the run."""
    end = case.invocation.ended or 0.0
    states = case.history.states.get(instance_id, [])
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


def calm_days_are_used(case: Case) -> Iterator[str]:
    """Where nothing comes in the way, everything that may be stopped is, and the rest has its reason."""
    report = case.invocation.report if case.history.scenario.calm else None
    for outcome in report["outcomes"] if report else ():
        expected = _expected(case, outcome)
        if not expected & {outcome["status"], outcome["code"]}:
            found = f"{outcome['status']} ({outcome['code']})"
            yield f"{outcome['instance_id']} is {found}, expected {sorted(expected)}"
        elif (
            outcome["status"] == "stopping"
            and not case.is_dry(outcome)
            and _time_to_verify(case) > _stop_seconds(case, outcome) + CALM_SECONDS
        ):
            yield f"{outcome['instance_id']} is stopping, and there was time to see it stopped"


def _time_to_verify(case: Case) -> float:
    return min(case.limits.verify_seconds, case.invocation.delivery.patience - END_SECONDS)


def _stop_seconds(case: Case, outcome: Outcome) -> float:
    (document,) = (one for one in case.history.scenario.fleet if one["InstanceId"] == outcome["instance_id"])
    seconds: float = document["x-emulator"]["StopSeconds"]
    return seconds


def _expected(case: Case, outcome: Outcome) -> set[str]:
    """Give the statuses and codes that an outcome may have; two, where time ran on while it was decided."""
    stop, looks = next(iter(case.stops_of(outcome)), None), case.looks_of(outcome)
    look = case.last_look(stop) if stop else looks[-1] if looks else None
    if look is None:
        there = {home(states[0][1])[0] for states in case.history.states.values()} | {OWN_ACCOUNT}
        known = outcome["account_id"] in there
        return {"InvalidInstanceId.NotFound"} if known else {"EntityNotExist.Role"}
    decided = (look.call.sent, stop.sent if stop else case.invocation.ended or 0.0)
    reasons = {_reason(case, outcome, look, case.wall(moment) + ROUNDING_SECONDS) for moment in decided}
    found = {reason for reason in reasons if reason}
    if None in reasons:
        found |= {"stopped", "stopping", "would_stop"}
    return found | {"already_stopped"} if _stopped_by_another(case, outcome) else found


def _stopped_by_another(case: Case, outcome: Outcome) -> bool:
    """Whether another run had it stopped: one that was handed the same, or that is the same once more."""
    return any(
        stop.instance_id == outcome["instance_id"] and stop.effective
        for call in case.history.calls
        if call.invocation != case.invocation.number
        for stop in call.stops
    )


def _reason(case: Case, outcome: Outcome, look: Look, now: float) -> str | None:
    """Say why an instance may not be stopped, the first reason in the contract's order; None: it may be."""
    owners = case.owners(outcome["instance_id"], scope_of(outcome))
    for reason in reasons(case, look.document, now, owners[0] if owners else None):
        return reason
    before = next(iter(case.stops_of(outcome)), None)
    if owners and not owners[0].confirm_stop and case.has_disks(look, before) is not False:
        return "InstanceType.ParameterMismatch"
    return None
