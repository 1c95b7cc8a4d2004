"""The summary of a run in one sentence, for the people who get it as a notice, and what is left of it."""

from collections import Counter
from collections.abc import Iterable, Sequence

from function.model.charging import CHARGED, goes_on_charging
from function.model.errors import EcsCode
from function.model.outcome import INVALID_EVENT, GuardCode, Outcome, Status, utc
from function.reporting.report import Report

MAX_NAMED = 5
"""Instances, regions or messages by name in a notice, which is read on a phone."""


def summarize(report: Report) -> str:
    """Sum up what happened: how many of how many, and why the others were not stopped."""
    total = len(report.outcomes)
    parts: list[str] = []
    for status, words in _STATUS_WORDS.items():
        outcomes = [outcome for outcome in report.outcomes if outcome.status is status]
        if outcomes:
            of_total = "" if parts else f" of {total}"
            parts.append(f"{words} {len(outcomes)}{of_total}{_reasons(map(_reason, outcomes))}")
    charged = report.still_charged
    if charged:
        verb = "would go" if report.dry_run else "goes" if charged == 1 else "go"
        parts.append(f"{charged} {verb} {CHARGED}")
    if report.handed_on:
        count = sum(len(shard.instance_ids) for shard in report.handed_on)
        shards = "shard" if len(report.handed_on) == 1 else "shards"
        parts.append(f"handed on {count:,} in {len(report.handed_on):,} {shards}")
    if report.refusals:
        codes = [_CODE_WORDS.get(refusal.code, refusal.code) for refusal in report.refusals]
        parts.append(f"refused {len(codes)} {'event' if len(codes) == 1 else 'events'}{_reasons(codes)}")
    if report.region_errors:
        parts.append(_not_listed(report))
    text = "; ".join(parts) or "no instance matched"
    return text[0].upper() + text[1:]


_STATUS_WORDS: dict[str, str] = {
    Status.STOPPED: "stopped",
    Status.STOPPING: "still stopping",
    Status.WOULD_STOP: "would stop",
    Status.ALREADY_STOPPED: "already stopped",
    Status.REFUSED: "refused",
    Status.FAILED: "failed",
    Status.UNKNOWN: "unknown",
    Status.NOT_ATTEMPTED: "not attempted",
}

_CODE_WORDS: dict[str, str] = {
    **{code: code.words for code in GuardCode},
    INVALID_EVENT: "invalid",
    EcsCode.LOCKED_FOR_SECURITY: "locked for security",
    EcsCode.EXPIRED_OR_IN_ARREARS: "expired or in arrears",
    EcsCode.LOCAL_DISKS: "local disks",
    EcsCode.NOT_FOUND: "not found",
}
"""A code in a word or two; the others speak for themselves."""


def what_is_left(report: Report) -> str:
    """Name the instances that are left, and the regions that could not be listed."""
    parts = []
    if report.left:
        named = [f"{_name(one)} {one.status}{_more(one)}" for one in report.left]
        instances = "instance" if len(report.outcomes) == 1 else "instances"
        are = "is" if len(report.left) == 1 else "are"
        parts.append(
            f"{len(report.left)} of {len(report.outcomes)} {instances} {are} left: {first_few(named, ', ')}"
        )
    if report.region_errors:
        parts.append(_not_listed(report))
    return "; ".join(parts)


def _name(outcome: Outcome) -> str:
    """Give the instance's id, with its name where it has one of its own."""
    name = outcome.instance.instance_name if outcome.instance else ""
    return f"{outcome.instance_id} {name!r}" if name not in {"", outcome.instance_id} else outcome.instance_id


def _more(outcome: Outcome) -> str:
    """Say why an instance is left, or since when."""
    since = f" since {utc(outcome.unconfirmed_since)}" if outcome.unconfirmed_since else ""
    return since + (f" ({outcome.code})" if outcome.code else "")


def _not_listed(report: Report) -> str:
    regions = [f"{error.scope} ({error.code})" for error in report.region_errors]
    return f"could not list {first_few(regions, ', ')}"


def first_few(texts: Sequence[str], separator: str) -> str:
    """Join the first few texts, and say how many more there are: a notice is one sentence."""
    more = [f"and {len(texts) - MAX_NAMED} more"] if len(texts) > MAX_NAMED else []
    return separator.join([*texts[:MAX_NAMED], *more])


def _reason(outcome: Outcome) -> str | None:
    if outcome.code is not None:
        return _CODE_WORDS.get(outcome.code, outcome.code)
    found_charged = outcome.status is Status.ALREADY_STOPPED and goes_on_charging(outcome)
    return "charged all the same" if found_charged else None


def _reasons(reasons: Iterable[str | None]) -> str:
    """Write `: 2 locked for security, 1 local disks`, the most frequent first."""
    counts = Counter(reason for reason in reasons if reason is not None).most_common()
    return ": " + ", ".join(f"{count} {reason}" for reason, count in counts) if counts else ""
