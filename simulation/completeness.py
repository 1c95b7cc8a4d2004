"""The contract's fourth rule: no target is lost, and report, log and exception say the same."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence

from simulation.case import Case, by_another, scope_of
from simulation.max_instances import wrongly_refused
from simulation.owners import always_matching, is_dry, may_be_dry
from simulation.recording import JsonObject

MAX_LINE_BYTES = 32_000
"""FC cuts a line of its log at 32 KB."""
LINE_ONLY = ("time", "level", "request_id")
KEYS = ("time", "level", "message", "request_id", "source", "event_id")


def nothing_is_lost(case: Case) -> Iterator[str]:
    """Rule 4: one outcome for each target, in the report and in the log alike; every line fit for FC."""
    yield from _unfit_lines(case)
    if case.invocation.ended is None:
        return
    raised, report = case.invocation.raised, case.invocation.report
    if raised is not None and type(raised).__name__ not in {"StopIncomplete", "InvalidEvent"}:
        yield f"{type(raised).__name__} left the handler: {raised}"
    if [index for index, line in enumerate(case.lines) if "summary" in line] != [len(case.lines) - 1]:
        yield "the summary is not the one line that ends the log"
    logged = [line for line in case.lines if "instance_id" in line]
    if report is not None:
        yield from _wrong_totals(case, report, logged)
        yield from _each_target_has_its_outcome(case, report)
    elif logged or not case.invocation.delivery.http:
        yield "there is no report"


def _unfit_lines(case: Case) -> Iterator[str]:
    for _, _, text in case.invocation.written:
        if len(text.encode()) > MAX_LINE_BYTES or "\n" in text:
            yield f"a line of {len(text.encode())} bytes: {text[:200]}"
    for line in case.lines:
        missing = [key for key in KEYS if key not in line]
        if missing or line["request_id"] != case.invocation.request_id:
            yield f"a line without {missing or 'its own request_id'}: {line}"


def _wrong_totals(case: Case, report: JsonObject, logged: Sequence[JsonObject]) -> Iterator[str]:
    outcomes = [{key: line[key] for key in line if key not in LINE_ONLY} for line in logged]
    if _sorted(report["outcomes"]) != _sorted(outcomes):
        yield "the outcomes of the report are not those of the log"
    parts = [
        (line["shard_event_id"], line["instance_count"]) for line in case.lines if "shard_event_id" in line
    ]
    if parts != [(part["shard_event_id"], len(part["instance_ids"])) for part in report["handed_on"]]:
        yield "what was handed on by the report is not what was by the log"
    counts = Counter(outcome["status"] for outcome in report["outcomes"])
    if report["summary"] != {"total": len(report["outcomes"])} | counts:
        yield f"the summary says {report['summary']}, and there are {counts}"
    yield from _wrong_charges(case, report)
    left = counts["failed"] + counts["unknown"] + counts["not_attempted"] + len(report["region_errors"])
    waited = case.limits.verify_seconds and not case.invocation.delivery.http
    stopping = [
        one
        for one in logged
        if one["status"] == "stopping"
        and waited
        and not is_dry(case, one)
        and not (one["level"] == "INFO" and may_be_dry(case, one))
    ]
    left += len(stopping)
    yield from (
        f"{one['instance_id']} is still stopping, at level {one['level']} and without saying since when"
        for one in stopping
        if one["level"] != "WARNING" or "since" not in one["message"]
    )
    raised = case.invocation.raised
    if case.invocation.delivery.http:
        yield from _wrong_status_code(case, report, left=left)
    elif (type(raised).__name__ == "StopIncomplete") is not bool(left):
        yield f"{left} are left, and the handler raised {raised!r}"


def _wrong_status_code(case: Case, report: JsonObject, *, left: int) -> Iterator[str]:
    """Hold the HTTP answer against the report: what is left, was not understood, is handed on, or is done."""
    invalid = any(refusal["code"] == "InvalidEvent" for refusal in report["refusals"])
    expected = 500 if left else 400 if invalid else 202 if report["handed_on"] else 200
    answered = (case.invocation.returned or {}).get("statusCode")
    if answered != expected:
        yield f"the answer is {answered}, expected {expected}"


def _wrong_charges(case: Case, report: JsonObject) -> Iterator[str]:
    """Hold the count to what was seen: paid for by use, and not seen or foreseen to be saved."""
    charged = 0
    for outcome in report["outcomes"]:
        mode = outcome["stopped_mode"]["actual"] or outcome["stopped_mode"]["expected"]
        down = outcome["status"] in {"stopped", "stopping", "would_stop", "already_stopped"}
        goes_on = down and mode not in {None, "StopCharging"} and _paid_by_use(case, outcome["instance_id"])
        if ("on being charged" in outcome["message"]) is not goes_on:
            yield f"{outcome['instance_id']} is stopped with {mode}: {outcome['message']}"
        ours = outcome["attempts"] and outcome["status"] != "already_stopped" and not by_another(outcome)
        charged += bool(ours and goes_on)
    if {report["still_charged"], case.lines[-1]["still_charged"]} != {charged}:
        yield f"{charged} go on being charged, and the report says {report['still_charged']}"
    summary = case.lines[-1]["message"]  # over HTTP an error's text takes its place in the answer
    if ("on being charged" in summary) is not bool(charged):
        yield f"{charged} go on being charged, and the summary is {summary!r}"


def _paid_by_use(case: Case, instance_id: str) -> bool:
    (_, first), *_ = case.recording.states[instance_id]
    attributes: JsonObject = first.profile.attributes
    return str(attributes["InstanceChargeType"]) == "PostPaid"


def _sorted(outcomes: Sequence[JsonObject]) -> list[str]:
    return sorted(json.dumps(outcome, sort_keys=True) for outcome in outcomes)


def _each_target_has_its_outcome(case: Case, report: JsonObject) -> Iterator[str]:
    if any(call.heard == "" for call, _ in case.deferrals):
        return  # all of it was handed on, and its outcomes are those of another invocation
    scopes = Counter((scope_of(outcome), outcome["instance_id"]) for outcome in report["outcomes"])
    scopes += Counter((scope_of(part), one) for part in report["handed_on"] for one in part["instance_ids"])
    yield from (f"{scope} has {count} outcomes" for scope, count in scopes.items() if count > 1)
    too_many = [refusal for refusal in report["refusals"] if refusal["code"] == "Guard.TooManyInstances"]
    yield from (problem for refusal in too_many for problem in wrongly_refused(case, refusal))
    refused = {refusal["event_id"] for refusal in too_many}
    for wish in case.accepted:
        lost = [one for one in wish.ids if not any((scope, one) in scopes for scope in wish.scopes)]
        if wish.filters is not None:
            lost += [
                one
                for scope, one in always_matching(case, wish)
                if (scope, one) not in scopes and not case.region_errors(wish.event_id, scope)
            ]
        if lost and wish.event_id not in refused:
            yield f"{lost}, meant by {wish.event_id}, have no outcomes"
    named = {(wish.source, wish.event_id) for wish in case.accepted}
    yield from (
        f"{outcome['instance_id']} has an outcome under {outcome['source']} {outcome['event_id']}"
        for outcome in report["outcomes"]
        if (outcome["source"], outcome["event_id"]) not in named
    )
    for scope, one in scopes:
        if not any(
            scope in wish.scopes and (one in wish.ids or (wish.filters is not None and one in case.looks))
            for wish in case.accepted
        ):
            yield f"{one} has an outcome, and no event means it"
