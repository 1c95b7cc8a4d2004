"""The contract's six rules, throttling, and the end in time, each told anew in its simplest form."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import accumulate, pairwise

from simulation.attributes import locks
from simulation.calm import calm_days_are_used
from simulation.case import Case, Look
from simulation.completeness import nothing_is_lost
from simulation.deferral import deferred_or_done_here
from simulation.disks import has_disks
from simulation.instance_states import ROUNDING_SECONDS
from simulation.machine import true_time
from simulation.max_instances import too_many
from simulation.owners import owners_of
from simulation.reasons import reasons
from simulation.recording import PERHAPS_DONE, RecordedCall, RecordedStop
from simulation.scenario import OWN_ACCOUNT, OWN_REGION, Scope, Wish, account_of
from simulation.shards import shards_ask_for_the_same
from simulation.truth import statuses_are_true

MAX_ATTEMPTS, MAX_ATTEMPTS_WHILE_BUSY = 5, 22
BUSY = ("Conflict", "Initializing")
"""Another operation on the instance has to end first, which may take minutes."""
UNCOUNTED = ("Throttling", "InvalidInstanceId.NotSupport")
"""Calls that ECS did not look at, and the one for StopCharging after which KeepCharging is asked for."""

LOOK_AGE_SECONDS = 30.1
"""What was seen longer ago is no reason for a stop."""

PERSISTENT_MEMORY = ("ecs.re6p.", "ecs.re7p.")

Rule = Callable[[Case], Iterator[str]]


def safe_instances_only(case: Case) -> Iterator[str]:
    """Rule 1: no stop call to an instance locked for security, or with local disks that no one gave up."""
    for call, look in _judged(case):
        if look is None:
            yield f"{call.instance_id} got a stop call before it was looked at"
            continue
        age = call.sent - look.call.sent
        if age > LOOK_AGE_SECONDS:
            yield f"{call.instance_id} got a stop call {age:.1f} s after its look was sent"
        if "security" in locks(look.attributes):
            yield f"{call.instance_id} got a stop call, though its security lock was seen"
        consents = [owner.confirm_stop for owner in owners_of(case, call.instance_id, call.scope)]
        disks = has_disks(case, look, call)
        if disks is not False and not any(consents):
            has = "has" if disks else "may have"
            yield f"{call.instance_id} {has} local disks, and got a stop call without the event's consent"


def parameters_as_decided(case: Case) -> Iterator[str]:
    """Rule 2: what is sent is what the event and the settings ask for, and nothing else."""
    for call, look in _judged(case):
        if look is None:
            continue
        owners = owners_of(case, call.instance_id, call.scope)
        expected = [_parameters(case, owner, call, look) for owner in owners]
        if expected and call.parameters not in expected:
            yield f"{call.instance_id} got a stop call with {dict(call.parameters)}, expected {expected[0]}"
    for whole in case.calls:
        if whole.action == "StopInstances" and whole.parameters["BatchOptimization"] != "SuccessFirst":
            yield f"{whole.instance_ids} got a StopInstances in which one can spoil the others"


def _parameters(case: Case, wish: Wish, call: RecordedStop, look: Look) -> dict[str, str]:
    attributes = look.attributes
    disks = has_disks(case, look, call)
    mode = wish.stopped_mode or case.limits.stopped_mode
    economical = (
        attributes["InstanceChargeType"] == "PostPaid"
        and attributes["InstanceNetworkType"] == "vpc"
        and disks is False
        and not attributes["InstanceType"].startswith(PERSISTENT_MEMORY)
    )
    rejected = any(
        earlier.heard == "InvalidInstanceId.NotSupport"
        and not earlier.refused_whole
        and earlier.parameters["StoppedMode"] == "StopCharging"
        for earlier in case.stops[call.instance_id]
        if earlier.sent_step < call.sent_step
    )
    parameters = {
        "InstanceId": call.instance_id,
        "StoppedMode": mode if economical and not rejected else "KeepCharging",
        "ForceStop": str(wish.force_stop),
        "DryRun": str(wish.dry_run or case.limits.dry_run),
    }
    return parameters if disks is False else parameters | {"ConfirmStop": "True"}


def dry_runs_change_nothing(case: Case) -> Iterator[str]:
    """Rule 3: a dry run has no effect."""
    for call, _ in _judged(case):
        owners = owners_of(case, call.instance_id, call.scope)
        dry = case.limits.dry_run or (bool(owners) and all(owner.dry_run for owner in owners))
        if dry and call.effective:
            yield f"{call.instance_id} was stopped by a dry run"


def once_is_enough(case: Case) -> Iterator[str]:
    """Rule 5: a stop is asked for again only after a look shows it wasn't done, and never once it was."""
    for instance_id, calls in case.stops.items():
        counted = [
            call
            for call in calls
            if not str(call.heard).startswith(UNCOUNTED)
            and not (call.refused_whole and not str(call.heard).endswith(PERHAPS_DONE))
        ]
        busy = any(str(call.heard).endswith(BUSY) for call in counted)
        if len(counted) > (MAX_ATTEMPTS_WHILE_BUSY if busy else MAX_ATTEMPTS):
            yield f"{instance_id} got {len(counted)} stop calls, throttled ones not counted"
        looks = case.looks.get(instance_id, ())
        for earlier, later in pairwise(calls):
            between = [
                look.attributes["Status"]
                for look in looks
                if earlier.heard_step is not None
                and earlier.heard_step < look.call.sent_step
                and (look.call.heard_step or 0) < later.sent_step
            ]
            alike = (earlier.together, earlier.parameters) == (later.together, later.parameters)
            if earlier.heard and earlier.heard == earlier.call.code and alike:
                wait = (earlier.call.retry_after_ms or 0) / 1000
                if later.sent < (earlier.heard_at or 0.0) + wait - ROUNDING_SECONDS:
                    yield f"{instance_id} got a stop call again less than {wait} s after ECS asked for that"
            if earlier.heard == "":
                yield f"{instance_id} got a stop call after ECS had accepted one"
            elif not between or between[-1] != "Running":
                yield f"{instance_id} got a stop call again without a look that showed it Running: {between}"
            elif {"Stopping", "Stopped"} & set(between):
                yield f"{instance_id} got a stop call after it was seen stopping"
    if case.invocation.number == 0:
        yield from _stopped_once(case)


def _stopped_once(case: Case) -> Iterator[str]:
    """Count over all invocations: one stop, and one more for each time that somebody started it again."""
    effects = Counter(
        stop.instance_id for call in case.recording.calls for stop in call.stops if stop.effective
    )
    starts = Counter(one for _, _, one, deed in case.recording.meddled if deed == "start")
    for instance_id, count in effects.items():
        if count > 1 + starts[instance_id]:
            yield f"{instance_id} was stopped {count} times, and started {starts[instance_id]} times"


def throttling_is_heeded(case: Case) -> Iterator[str]:
    """Throttled once, no call of that action goes to that scope before ECS takes calls again."""
    sent: dict[tuple[str, Scope], list[float]] = {}
    for call in case.calls:  # in the order in which they were sent
        sent.setdefault((call.action, call.scope), []).append(call.sent)
    for one in case.calls:
        if not str(one.heard).startswith("Throttling") or one.heard_at is None:
            continue
        opens = _opens(case, one, one.heard_at)
        moments = sent[one.action, one.scope]
        # What is sent at the very moment may have been on its way.
        for moment in moments[bisect_right(moments, one.heard_at) :]:
            if moment < opens - ROUNDING_SECONDS:
                yield f"{one.action} was throttled until {opens:.3f} s, and sent again at {moment:.3f} s"
            break


def _opens(case: Case, call: RecordedCall, heard_at: float) -> float:
    """Say when to call again: as ECS says, not within a second, else when the machine's minute ends."""
    if call.retry_after_ms is not None:
        return heard_at + max(1.0, call.retry_after_ms / 1000)
    if case.recording.scenario.wall.jumps:
        return heard_at
    return heard_at + 60 - true_time(case.wall(heard_at)).timestamp() % 60


def within_what_is_allowed(case: Case) -> Iterator[str]:
    """Rule 6: only where, what, when and how many the environment allows, and only as an event asks."""
    limits = case.limits
    accounts = {OWN_ACCOUNT, *map(account_of, limits.allowed_roles)}
    for (account, region), endpoint in case.invocation.connected:
        if region not in (limits.allowed_regions or (OWN_REGION,)) or account not in accounts:
            yield f"{region} of {account} is not allowed, and was connected to"
        if endpoint != limits.endpoint:
            yield f"the endpoint is {endpoint}, and should be {limits.endpoint}"
    yield from too_many(case)
    sent = [(call.sent_step, 1) for call in case.calls]
    heard = [(call.heard_step, -1) for call in case.calls if call.heard_step is not None]
    in_flight = max(accumulate(change for _, change in sorted(sent + heard)), default=0)
    if in_flight > limits.concurrency:
        yield f"{in_flight} calls were in flight at once, more than {limits.concurrency}"
    for call, look in _judged(case):
        owners = owners_of(case, call.instance_id, call.scope)
        if not owners:
            yield f"{call.instance_id} got a stop call, and no accepted event means it"
        if look is not None:
            # The decision was made some time between the look and the call.
            now = case.recording.scenario.wall.latest(look.call.heard_at or 0.0, call.sent)
            against = [list(reasons(case, look.attributes, now, owner)) for owner in owners]
            if against and all(against):
                yield f"{call.instance_id} got a stop call, though a look showed {against[0]}"


def ends_in_time(case: Case) -> Iterator[str]:
    """End a second before FC's timeout, or before an HTTP sender's patience ends, and start no call later."""
    invocation = case.invocation
    took = (invocation.killed if invocation.ended is None else invocation.ended) - invocation.started  # type: ignore[operator]  # one of both is there
    if invocation.outlived or (invocation.ended is not None and took > invocation.delivery.patience - 1):
        yield f"it took {took:.3f} s of {invocation.delivery.patience}"
    for call in case.calls:
        if call.sent - invocation.started > invocation.delivery.patience - 2:
            yield f"{call.action} was sent {call.sent - invocation.started:.3f} s after the start"


def _judged(case: Case) -> Iterator[tuple[RecordedStop, Look | None]]:
    """Give each stop call with what was last seen of its instance."""
    for calls in case.stops.values():
        for call in calls:
            yield call, case.last_look(call)


RULES: dict[str, Rule] = {
    "rule 1": safe_instances_only,
    "rule 2": parameters_as_decided,
    "rule 3": dry_runs_change_nothing,
    "rule 4": nothing_is_lost,
    "rule 5": once_is_enough,
    "rule 6": within_what_is_allowed,
    "deferral": deferred_or_done_here,
    "shards": shards_ask_for_the_same,
    "throttling": throttling_is_heeded,
    "deadline": ends_in_time,
    "truth": statuses_are_true,
    "calm": calm_days_are_used,
}
