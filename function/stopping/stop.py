"""Stop the targets and watch them stop: ask, look, and ask again only after a look, until all are settled."""

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence

from function.model.errors import ClientCode, CloudError, Meaning
from function.model.instance import Instance
from function.model.outcome import Outcome
from function.model.ports import MAX_IDS, MAX_STOPS, STOP_INSTANCE, STOP_INSTANCES, Clock, Unfinished
from function.model.scope import QuotaKey, Scope, quota_key
from function.stopping.calls import Call, Caller
from function.stopping.inventory import CallFailure, EcsOf, chunks, describe
from function.stopping.operation import Step, Target
from function.stopping.throttle import Throttle

MOST_ALONE = 3
"""So many instances that are stopped alike have a call each; more of them go together."""

_UNSAID = CloudError(ClientCode.NO_ANSWER, "StopInstances was answered without a word about this instance")


def stop(targets: Iterable[Target], ecs: EcsOf, caller: Caller) -> Iterator[Outcome]:
    """Yield one outcome for each target, as soon as it is known; in time, before the run's deadline.

    All stop calls that are due go out before anything is looked at, so that verification gives way first.
    """
    throttle = caller.throttle
    pending = {target.key: target for target in targets}
    while pending:
        for step in (_ask, _look):
            for target, outcome in step([*pending.values()], ecs, caller):
                if outcome is not None:
                    del pending[target.key]
                    yield outcome
        if pending and not throttle.wait_until(min(target.due for target in pending.values())):
            break
    yield from (target.given_up(throttle.clock.monotonic()) for target in pending.values())


Settled = Iterator[tuple[Target, Outcome | None]]


def _ask(pending: Sequence[Target], ecs: EcsOf, caller: Caller) -> Settled:
    """Send the stop calls that are due, no more of them than will probably pass in this window."""
    throttle = caller.throttle
    now = throttle.clock.monotonic()
    due = [target for target in pending if target.step is Step.ASK and target.due <= now]
    for target in due:
        if target.good_until < now:
            target.held(now, throttle)
    room: dict[QuotaKey, int | None] = {}
    calls = []
    for action, targets in _together([target for target in due if target.step is Step.ASK]):
        scope = targets[0].scope
        own = quota_key(action, scope)
        left = room[own] if own in room else throttle.room(action, scope)
        if left == 0:
            for target in targets:
                target.held(throttle.window_ends(), throttle)
        else:
            calls.append(_stop_call(action, targets, ecs, throttle.clock))
            left = left if left is None else left - 1
        room[own] = left
    for call, result in caller.once(calls):
        yield from ((target, _answered(target, call, result, throttle)) for target in call.subject)


def _together(targets: Iterable[Target]) -> Iterator[tuple[str, Sequence[Target]]]:
    """Put together what one StopInstances can stop alike; where that would be few, each has its own call."""
    alike: dict[Hashable, list[Target]] = {}
    for target in targets:
        call = target.stop.call
        key = target.key if target.alone else (target.scope, call.stopped_mode, call.force_stop)
        alike.setdefault(key, []).append(target)
    for group in alike.values():
        if len(group) > MOST_ALONE:
            yield from ((STOP_INSTANCES, batch) for batch in chunks(group, MAX_STOPS))
        else:
            yield from ((STOP_INSTANCE, [target]) for target in group)


Answers = Mapping[str, str | CloudError]
"""By instance: the request id of the stop that ECS accepted, or why it did not."""


def _stop_call(
    action: str, targets: Sequence[Target], ecs: EcsOf, clock: Clock
) -> Call[Sequence[Target], Answers]:
    scope, calls = targets[0].scope, [target.stop.call for target in targets]

    def send(seconds: float) -> Answers:
        for target in targets:
            target.sending(clock.monotonic())
        if action == STOP_INSTANCES:
            return ecs(scope).stop_together(calls, seconds=seconds)
        return {calls[0].instance_id: ecs(scope).stop(calls[0], seconds=seconds)}

    return Call(
        action=action,
        scope=scope,
        subject=targets,
        send=send,
        good_until=min(target.good_until for target in targets),
    )


def _answered(
    target: Target,
    call: Call[Sequence[Target], Answers],
    result: Answers | CloudError | Unfinished,
    throttle: Throttle,
) -> Outcome | None:
    """Take in what came of a target's stop call, its own or one together with others.

    A StopInstances that is refused as a whole says nothing about each of its instances, and who may not use
    it may still use StopInstance: they go on alone.
    """
    if isinstance(result, CloudError | Unfinished):
        answer: str | CloudError | Unfinished = result
        alone = isinstance(result, CloudError) and not result.passing
    else:
        answer = result.get(target.instance.instance_id, _UNSAID)
        alone = isinstance(answer, CloudError) and answer.meaning in {Meaning.THROTTLED, Meaning.DENIED}
    if call.action == STOP_INSTANCES and isinstance(answer, CloudError) and alone:
        target.split_off(answer, throttle.clock.monotonic())
        return None
    return target.answered(call.action, answer, throttle)


def _look(pending: Sequence[Target], ecs: EcsOf, caller: Caller) -> Settled:
    """Describe the targets that are due for a look, 100 a call, along with all that are stopping anyway."""
    now = caller.throttle.clock.monotonic()
    waiting: dict[Scope, dict[str, Target]] = {}
    for target in pending:
        if target.step is Step.LOOK and (target.due <= now or target.verifying):
            waiting.setdefault(target.scope, {})[target.instance.instance_id] = target
    calls = [
        describe(ecs, scope, ids)
        for scope, targets in waiting.items()
        if any(target.due <= now for target in targets.values())
        for ids in chunks(tuple(targets), MAX_IDS)
    ]
    for call, result in caller.once(calls):
        targets = [waiting[call.scope][instance_id] for instance_id in call.subject]
        yield from ((target, _looked(target, result, caller.throttle)) for target in targets)


def _looked(target: Target, result: tuple[Instance, ...] | CallFailure, throttle: Throttle) -> Outcome | None:
    if isinstance(result, Unfinished):
        return target.not_looked_at(throttle)
    if isinstance(result, CloudError):
        return target.not_seen(result, throttle)
    found = next((seen for seen in result if seen.instance_id == target.instance.instance_id), None)
    return target.seen(found, throttle)
