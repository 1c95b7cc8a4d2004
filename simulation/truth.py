"""What each status of an outcome promises, held against what really happened."""

from collections.abc import Callable, Iterator, Sequence

from local.emulator.lifecycle import STOPPED, STOPPING
from simulation.case import Case, Look, by_another, scope_of
from simulation.instance_states import ROUNDING_SECONDS, is_gone, is_there, started_again, was
from simulation.owners import owners_of
from simulation.reasons import reasons
from simulation.recording import (
    NO_ANSWER,
    NO_CONNECTION,
    PERHAPS_DONE,
    UNLISTED,
    JsonObject,
    RecordedStop,
)
from simulation.shards import handing_problems

REFUSALS = (
    *("Guard.", "InvalidInstanceId.NotFound", "InvalidInstanceId.NotSupport", "IncorrectInstanceStatus"),
    *("InstanceLockedForSecurity", "InstanceExpiredOrInArrears", "InstanceType.ParameterMismatch"),
    *("InvalidParameter.KMSKeyId.KMSUnauthorized", "OperationDenied", "Hibernation"),
)
"""Beginnings of the codes that say no to one instance; all others are somebody else's trouble, or passing."""


def statuses_are_true(case: Case) -> Iterator[str]:
    """Truth: each outcome says what became of its instance, and of this run's calls for it."""
    report = case.invocation.report if case.invocation.ended is not None else None
    for outcome in report["outcomes"] if report else ():
        if "handed on" in outcome["message"]:
            problems = handing_problems(case, outcome)
        else:
            problems = _problems(case, outcome, case.stops_of(outcome))
        yield from (f"{outcome['instance_id']} is {outcome['status']}, {problem}" for problem in problems)


def _problems(case: Case, outcome: JsonObject, calls: Sequence[RecordedStop]) -> Iterator[str]:
    sent = sum(call.heard != NO_CONNECTION for call in calls)
    if outcome["attempts"] != sent:
        yield f"with {outcome['attempts']} attempts, and {sent} calls were sent"
    if outcome["message"].startswith("the run ended before"):
        yield outcome["message"]
    if outcome["code"] == "InvalidInstanceId.NotFound" and is_there(case, outcome):
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


def _not_ours(
    case: Case, outcome: JsonObject, calls: Sequence[RecordedStop], looks: Sequence[Look]
) -> Iterator[str]:
    if any(call.heard == NO_ANSWER and call.parameters["DryRun"] == "False" for call in calls):
        yield "and a stop call got no answer"
    for call in calls:
        # After such an error a look decides; where it is old, or too late, nothing can be known.
        told = not _perhaps_done(call, looks) or is_gone(case, outcome)
        spoilt = str(call.heard).endswith(PERHAPS_DONE) and told and not _settled_early(case, outcome, call)
        if call.effective and not spoilt and not started_again(looks):
            yield f"and its call at {call.sent:.3f} s stopped it"


def _stopped(
    case: Case, outcome: JsonObject, calls: Sequence[RecordedStop], looks: Sequence[Look]
) -> Iterator[str]:
    if STOPPED not in _seen(looks):
        yield "and no look after the call showed that"
    elif not was(case, outcome["instance_id"], {STOPPED}, since=calls[0].sent):
        yield "and never was after the call"


def _stopping(
    case: Case, outcome: JsonObject, calls: Sequence[RecordedStop], looks: Sequence[Look]
) -> Iterator[str]:
    accepted = any(call.heard == "" for call in _heard(case, calls))
    if not accepted and not _seen(looks) & {STOPPED, STOPPING}:
        yield "and ECS neither accepted the call nor showed it done"
    if started_again(looks):
        runs = {**looks[-1].attributes, "Status": "Running"}
        owners = owners_of(case, outcome["instance_id"], scope_of(outcome))
        now = case.wall(looks[-1].call.heard_at or 0.0)
        if owners and all(any(reasons(case, runs, now, owner)) for owner in owners):
            yield "and a look showed that somebody had started it again"


def _already_stopped(
    case: Case, outcome: JsonObject, _: Sequence[RecordedStop], __: Sequence[Look]
) -> Iterator[str]:
    if STOPPED not in _seen(case.looks_of(outcome)):
        yield "and no look showed that"
    elif not was(case, outcome["instance_id"], {STOPPED}, since=case.invocation.started):
        yield "and was not stopped"


def _would_stop(
    case: Case, _: JsonObject, calls: Sequence[RecordedStop], __: Sequence[Look]
) -> Iterator[str]:
    if not any(call.heard == "DryRunOperation" for call in _heard(case, calls)):
        yield "and ECS did not say so"


def _refused(_: Case, outcome: JsonObject, __: Sequence[RecordedStop], ___: Sequence[Look]) -> Iterator[str]:
    if not str(outcome["code"]).startswith(REFUSALS):
        yield f"and {outcome['code']} is no refusal"


def _failed(
    case: Case, outcome: JsonObject, calls: Sequence[RecordedStop], _: Sequence[Look]
) -> Iterator[str]:
    ours = [stop.call for stop in calls]
    disturbed = any(call.retry_after_ms or (call.heard and call not in ours) for call in case.calls)
    passing = str(outcome["code"]).endswith(PERHAPS_DONE) and outcome["code"] != UNLISTED
    if len(calls) == 1 and passing and not disturbed and not case.time_was_up(outcome):
        yield "and was asked only once"


def _unknown(
    case: Case, outcome: JsonObject, calls: Sequence[RecordedStop], looks: Sequence[Look]
) -> Iterator[str]:
    again = started_again(looks)
    # An answer that comes at the very moment in which time is up may be heard too late.
    end = case.invocation.ended or 0.0
    looks = [look for look in looks if (look.call.heard_at or 0.0) < end]
    answered = all(
        call.heard != NO_ANSWER and call.heard_at is not None and call.heard_at < end for call in calls
    )
    open_ = any(_perhaps_done(call, looks) or _settled_early(case, outcome, call) for call in calls)
    if answered and not open_:
        yield "and every stop call was answered"
    elif calls[0].parameters["DryRun"] == "False" and _seen(looks) & {STOPPED, STOPPING} and not again:
        yield "and a look had settled it"
    in_doubt = [call for call in calls if str(call.heard).endswith((NO_ANSWER, *PERHAPS_DONE))]
    if in_doubt and not _looked_again(case, outcome, in_doubt[-1]):
        yield "and was not looked at again"


NOT_OURS = frozenset({"already_stopped", "would_stop", "refused", "failed", "not_attempted"})
"""The statuses which say that none of this run's calls stopped the instance."""

Proof = Callable[[Case, JsonObject, Sequence[RecordedStop], Sequence[Look]], Iterator[str]]

_PROOFS: dict[str, Proof] = {
    "stopped": _stopped,
    "stopping": _stopping,
    "already_stopped": _already_stopped,
    "would_stop": _would_stop,
    "refused": _refused,
    "failed": _failed,
    "unknown": _unknown,
}


def _heard(case: Case, calls: Sequence[RecordedStop]) -> Sequence[RecordedStop]:
    """Give the calls of which anything was heard while the run went on."""
    return [call for call in calls if call.heard_step is not None and call.heard_step <= case.last_step]


def _seen(looks: Sequence[Look]) -> set[str]:
    return {look.attributes["Status"] for look in looks}


def _settled_early(case: Case, outcome: JsonObject, call: RecordedStop) -> bool:
    """Whether looks had less time to show an effect, if it is in doubt, than to show a stop."""
    waited = case.logged_at(outcome) - (call.heard_at or 0.0)
    in_doubt = str(call.heard).endswith(PERHAPS_DONE)
    return in_doubt and waited < case.limits.verify_seconds - ROUNDING_SECONDS


def _looked_again(case: Case, outcome: JsonObject, stop: RecordedStop) -> bool:
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


def _perhaps_done(call: RecordedStop, looks: Sequence[Look]) -> bool:
    """Whether an error leaves open what was done, and no look came after it."""
    later = [look for look in looks if look.call.sent_step > (call.heard_step or 0)]
    return not later and str(call.heard).endswith(PERHAPS_DONE)


def _mode_problems(
    outcome: JsonObject, calls: Sequence[RecordedStop], looks: Sequence[Look]
) -> Iterator[str]:
    mode = outcome["stopped_mode"]
    if mode["expected"] not in {call.parameters["StoppedMode"] for call in calls}:
        yield f"with {mode['expected']} expected, and that was never sent"
    foreseen = (mode["requested"], mode["expected"]) == ("StopCharging", "KeepCharging")
    if foreseen and not any("InvalidInstanceId.NotSupport" in warning for warning in outcome["warnings"]):
        yield "with KeepCharging expected where StopCharging was asked for, and no warning"
    if outcome["status"] == "stopped" and looks:
        actual = looks[-1].attributes["StoppedMode"]
        if mode["actual"] != actual:
            yield f"with {mode['actual']} reached, and ECS showed {actual}"
        if {actual, mode["expected"]} == {"KeepCharging", "StopCharging"} and not outcome["warnings"]:
            yield f"with {actual} reached, {mode['expected']} expected, and no warning"
