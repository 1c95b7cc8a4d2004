"""A delivery over HTTP that is handed on whole, where FAN_OUT allows it: what the contract wants, told anew.

The sender waits for seconds, so FC is asked once to have an invocation of its own do it all. That one is
judged like any other, by the wishes that were handed on: so it is enough that these are the event's own, and
that the first invocation leaves alone what the second may do.
"""

from collections.abc import Iterator, Sequence

from simulation.case import END_SECONDS, Case
from simulation.instance_states import ROUNDING_SECONDS
from simulation.recording import NO_ANSWER, NO_CONNECTION, PERHAPS_DONE, JsonObject, RecordedCall
from simulation.scenario import Wish

OPEN_ENDS = (NO_ANSWER, "InternalServerError", *PERHAPS_DONE)
"""Ends of what is heard where FC may have taken an event and did not say so."""

ANSWER_SECONDS = 1.0
"""For longer FC's answer is not waited for, so that there is time to stop here where it refuses."""


def deferred_or_done_here(case: Case) -> Iterator[str]:
    """Deferral: FC is asked once to take all; where it has, or may have, nothing is done here."""
    due = case.invocation.delivery.http and case.limits.fan_out and bool(case.accepted)
    asked = len(case.deferrals)
    if asked > due:
        yield f"FC was asked {asked} times to take all, and {int(due)} times was due"
    in_time = case.invocation.delivery.patience >= END_SECONDS
    if due and not asked and in_time and case.invocation.ended is not None:
        yield "FC was not asked to take what came over HTTP"
    for call, wishes in case.deferrals:
        yield from _other_wishes(case, call, wishes)
        yield from _done_twice(case, call)
        if case.invocation.report is not None and case.invocation.ended is not None:
            yield from _told_otherwise(case.invocation.report, call, wishes)
            yield from _left_though_refused(case, case.invocation.report, call)


def _other_wishes(case: Case, call: RecordedCall, wishes: Sequence[Wish]) -> Iterator[str]:
    """Hold what is handed on against the event: all of it, as it was meant, and no more."""
    for wish in wishes:
        if not any(_same(case, owner, call, wish) for owner in case.accepted):
            yield f"{wish} was handed on, and no accepted event says so"
    for owner in case.accepted:
        if not any(_same(case, owner, call, wish) for wish in wishes):
            yield f"{owner} was not handed on"


def _same(case: Case, owner: Wish, call: RecordedCall, wish: Wish) -> bool:
    # What names no time of its own has the time at which it came; what was started since is to be left alone.
    time = case.wall(call.sent) if owner.time is None else owner.time
    asked = (owner.event_id, owner.source, owner.ids, owner.filters, set(owner.regions), owner.tags)
    how = (owner.stopped_mode or case.limits.stopped_mode, owner.dry_run or case.limits.dry_run)
    return (
        wish.admitted
        and wish.time is not None
        and abs(wish.time - time) < ROUNDING_SECONDS
        and asked == (wish.event_id, wish.source, wish.ids, wish.filters, set(wish.regions), wish.tags)
        and how == (wish.stopped_mode, wish.dry_run)
        and not (wish.confirm_stop or wish.force_stop or wish.roles)
    )


def _done_twice(case: Case, call: RecordedCall) -> Iterator[str]:
    """Tell where it is done here, and FC has taken it or may have; and where FC was waited for too long."""
    heard_at = case.invocation.ended if call.heard_at is None else call.heard_at
    if heard_at is not None and heard_at - call.sent > ANSWER_SECONDS + ROUNDING_SECONDS:
        yield f"FC's answer was waited for {heard_at - call.sent:.3f} s"
    later = [other for other in case.calls if other is not call]
    if later and (call.taken or not refused(call)):
        yield f"FC may have taken all ({call.heard}), and {later[0].action} was sent here"


def refused(call: RecordedCall) -> bool:
    """Whether it was heard for sure that FC does not take an event."""
    return call.heard == NO_CONNECTION or bool(call.heard and not call.heard.endswith(OPEN_ENDS))


def _told_otherwise(report: JsonObject, call: RecordedCall, wishes: Sequence[Wish]) -> Iterator[str]:
    """Hold the report against FC's answer: all handed on, nothing known of it, or all of it done here."""
    whole = [part for part in report["handed_on"] if part["shard_event_id"] == part["event_id"]]
    told = [(part["event_id"], tuple(part["instance_ids"])) for part in whole]
    if call.heard == "":
        if told != [(wish.event_id, wish.ids) for wish in wishes]:
            yield f"FC has taken all, and the report says that of {told}"
        if report["outcomes"] or report["region_errors"]:
            yield "FC has taken all, and the report has outcomes all the same"
        return
    if whole:
        yield f"the report says that FC has taken {told}, and it answered {call.heard}"
    if not refused(call) and any(outcome["status"] != "unknown" for outcome in report["outcomes"]):
        yield f"FC answered {call.heard}, and something else than unknown is told of what it may have taken"


def _left_though_refused(case: Case, report: JsonObject, call: RecordedCall) -> Iterator[str]:
    """Tell where FC's refusal came in time, and what it refused was left all the same."""
    # One that comes in the moment in which time is up may be heard too late.
    in_time = (call.heard_at or 0.0) - call.sent < ANSWER_SECONDS - ROUNDING_SECONDS
    if not (refused(call) and in_time) or case.shards:
        return
    for one in (*report["outcomes"], *report["region_errors"]):
        if "may have been handed on" in one["message"]:
            yield f"FC answered {call.heard}, and it is told of {one.get('instance_id')}: {one['message']}"
