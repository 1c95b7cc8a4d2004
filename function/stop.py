"""Stop the targets and watch them stop: ask, look, and ask again only after a look, until all are settled."""

from collections.abc import Iterable, Iterator, Sequence

from function.calls import Call, Caller
from function.ecs import MAX_IDS, STOP_INSTANCE
from function.effects import Clock, Unfinished
from function.errors import EcsError
from function.find import EcsOf, Trouble, chunks, describe
from function.instance import Instance
from function.pace import Pace
from function.report import Outcome
from function.target import Step, Target


def stop(targets: Iterable[Target], ecs: EcsOf, caller: Caller) -> Iterator[Outcome]:
    """Yield one outcome for each target, as soon as it is known; in time, before the run's deadline.

    All stop calls that are due go out before anything is looked at, so that verification gives way first.
    """
    pace = caller.pace
    pending = {target.place: target for target in targets}
    while pending:
        for step in (_ask, _look):
            for target, outcome in step([*pending.values()], ecs, caller):
                if outcome is not None:
                    del pending[target.place]
                    yield outcome
        if pending and not pace.wait_until(min(target.due for target in pending.values())):
            break
    yield from (target.given_up(pace.clock.monotonic()) for target in pending.values())


Settled = Iterator[tuple[Target, Outcome | None]]


def _ask(pending: Sequence[Target], ecs: EcsOf, caller: Caller) -> Settled:
    """Send the stop calls that are due, no more of them than will probably pass in this window."""
    pace = caller.pace
    now = pace.clock.monotonic()
    due = [target for target in pending if target.step is Step.ASK and target.due <= now]
    # In their order, not a set's: what is drawn by chance comes out the same each time.
    regions = dict.fromkeys(target.region_id for target in due)
    room = {region_id: pace.room(STOP_INSTANCE, region_id) for region_id in regions}
    calls = []
    for target in due:
        left = room[target.region_id]
        if left == 0:
            target.held(pace.window_ends())
            continue
        if target.good_until < now:
            target.held(now)
            continue
        if left is not None:
            room[target.region_id] = left - 1
        calls.append(_stop_call(target, ecs, pace.clock))
    for call, result in caller.once(calls):
        yield call.subject, call.subject.answered(result, pace)


def _stop_call(target: Target, ecs: EcsOf, clock: Clock) -> Call[Target, str]:
    region_id, call = target.region_id, target.stop.call

    def send(seconds: float) -> str:
        target.sending(clock.monotonic())
        return ecs(region_id).stop(call, seconds=seconds)

    return Call(
        action=STOP_INSTANCE,
        region_id=region_id,
        subject=target,
        send=send,
        good_until=target.good_until,
    )


def _look(pending: Sequence[Target], ecs: EcsOf, caller: Caller) -> Settled:
    """Describe the targets that are due for a look, 100 a call, along with all that are stopping anyway."""
    now = caller.pace.clock.monotonic()
    waiting: dict[str, dict[str, Target]] = {}
    for target in pending:
        if target.step is Step.LOOK and (target.due <= now or target.verifying):
            waiting.setdefault(target.region_id, {})[target.instance.instance_id] = target
    calls = [
        describe(ecs, region_id, ids)
        for region_id, targets in waiting.items()
        if any(target.due <= now for target in targets.values())
        for ids in chunks(tuple(targets), MAX_IDS)
    ]
    for call, result in caller.once(calls):
        targets = [waiting[call.region_id][instance_id] for instance_id in call.subject]
        yield from ((target, _looked(target, result, caller.pace)) for target in targets)


def _looked(target: Target, result: tuple[Instance, ...] | Trouble, pace: Pace) -> Outcome | None:
    if isinstance(result, Unfinished):
        return target.not_looked_at(pace)
    if isinstance(result, EcsError):
        return target.not_seen(result, pace)
    found = next((seen for seen in result if seen.instance_id == target.instance.instance_id), None)
    return target.seen(found, pace)
