"""How many instances a delivery may concern, over all its tries, and what is said where they are too many."""

import re
from collections.abc import Iterator
from itertools import chain

from simulation.case import Case, Look
from simulation.disks import has_disks
from simulation.owners import owners_of
from simulation.reasons import BY_TIME, reasons
from simulation.recording import JsonObject

_REFUSAL = re.compile(
    r"(\d+) would be stopped, (\d+) are stopped already, the limit is (\d+): "
    r"set MAX_INSTANCES to at least (\d+)"
)
_STOPPED = ("already_stopped", "stopping")
_NOT_SEEN = ("could not be described", "time ran out before it could be looked at")


def too_many(case: Case) -> Iterator[str]:
    """Tell where a run concerns more than is allowed, or its tries have together stopped more."""
    limit = case.limits.max_instances
    handed = {one for _, wish in case.shards for one in wish.ids}
    report = case.invocation.report
    counted = {one["instance_id"] for one in (report["outcomes"] if report else ()) if _counts(case, one)}
    concerned = handed | counted | set(case.stops)
    if len(concerned) > limit:
        yield f"{len(concerned)} instances were concerned, more than {limit}"
    tries = [one for one in case.recording.invocations if one.delivery is case.invocation.delivery]
    if case.invocation is not tries[-1] or case.recording.meddled:
        return
    cases = [Case(case.recording, one) for one in tries]
    if any("region_id" in line and "status" not in line for one in cases for line in one.lines):
        return  # what was stopped where nothing could be listed, could not be counted
    stopped = {
        stop.instance_id
        for one in cases
        for stop in chain.from_iterable(one.stops.values())
        if stop.effective
    }
    if len(stopped) > limit:
        yield f"{len(stopped)} instances were stopped by {len(tries)} tries, more than {limit}"


def _counts(case: Case, outcome: JsonObject) -> bool:
    """Whether an outcome is of an instance that counts; one that only time spares does where that is sure."""
    if outcome["status"] in _STOPPED or outcome["message"].startswith(_NOT_SEEN):
        return True
    looks = case.looks_of(outcome)
    if outcome["code"] not in BY_TIME or not looks:
        return False
    return _would_count(case, looks[-1])


def wrongly_refused(case: Case, refusal: JsonObject) -> Iterator[str]:
    """Tell where a refusal's figures are not those of the instances, or are not too many."""
    found = _REFUSAL.match(refusal["message"])
    if found is None:
        yield f"a refusal without its figures: {refusal['message']}"
        return
    may_stop, stopped, limit, least = map(int, found.groups())
    if not may_stop + stopped == least > limit == case.limits.max_instances:
        yield f"{may_stop} and {stopped} instances were too many for {limit}, and {least} would be enough"
    looks = {(look.call.scope, one): look for one, looks in case.looks.items() for look in looks}
    seen = [look for (scope, one), look in looks.items() if owners_of(case, one, scope)]
    errors = any("region_id" in line and "status" not in line for line in case.lines)
    if case.recording.scenario.calm and not errors and all(not wish.roles for wish in case.accepted):
        counted = sum(_would_count(case, look) for look in seen)
        if counted != least:
            yield f"{least} instances were counted, and there are {counted}"


def _would_count(case: Case, look: Look) -> bool:
    """Whether an instance counts, by what a look showed: it may be stopped, is, or only time spares it.

    Local disks that are known spare it, too; those that are only supposed spare what was not stopped before.
    """
    instance_id, scope = look.attributes["InstanceId"], look.call.scope
    owner = next(iter(owners_of(case, instance_id, scope)), None)
    now = case.wall(look.call.heard_at or 0.0)
    against = list(reasons(case, look.attributes, now, owner))
    others = [reason for reason in against if reason not in BY_TIME]
    if others:
        return others[0] in _STOPPED
    if owner is None or owner.confirm_stop:
        return True
    disks = has_disks(case, look, None)
    return disks is not True if against else disks is False
