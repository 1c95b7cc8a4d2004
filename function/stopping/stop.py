"""Stop instances and watch them stop: ask, look, and ask again only after a look, until all are settled."""

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence

from function.model.errors import ClientCode, CloudError, Meaning
from function.model.outcome import Acceptance, Outcome
from function.model.ports import MAX_IDS, MAX_STOPS, STOP_INSTANCE, STOP_INSTANCES, Ecs, Page, Unfinished
from function.model.scope import QuotaKey, Scope, quota_key
from function.stopping.calls import Call, Caller, CallFailure
from function.stopping.clients import Clients
from function.stopping.inventory import chunks, describe
from function.stopping.operation import Operation
from function.stopping.state import Ready, Verifying, Watching
from function.stopping.throttle import Throttle

MOST_ALONE = 3
"""So many instances that are stopped alike have a call each, whose answer says more; more of them go
together, since ECS counts calls (its page about API throttling)."""

_UNSAID = CloudError(ClientCode.NO_ANSWER, "StopInstances was answered without a word about this instance")

TOGETHER_SECONDS = 0.05
"""What is due within this goes together: a call's answer reaches its instances one after the other."""


def stop(operations: Iterable[Operation], clients: Clients, caller: Caller) -> Iterator[Outcome | Acceptance]:
    """Yield one outcome for each operation, as soon as it is known; in time, before the run's deadline.

    All stop calls that are due go out before anything is looked at, so that verification gives way first.
    What ECS has accepted is told before it is waited for.
    """
    throttle = caller.throttle
    pending = {operation.key: operation for operation in operations}
    while pending:
        for step in (_ask, _look):
            for operation, outcome in step([*pending.values()], clients, caller):
                if outcome is not None:
                    del pending[operation.key]
                    yield outcome
                elif step is _ask and isinstance(operation.state, Verifying):
                    yield operation.acceptance()
        if pending and not throttle.wait_until(min(one.due for one in pending.values()) + TOGETHER_SECONDS):
            break
    yield from (operation.given_up(throttle.clock.monotonic()) for operation in pending.values())


Steps = Iterator[tuple[Operation, Outcome | None]]


def _ask(pending: Sequence[Operation], clients: Clients, caller: Caller) -> Steps:
    """Send the stop calls that are due, no more of them than will probably pass in this window."""
    throttle = caller.throttle
    now = throttle.clock.monotonic()
    due = []
    for operation in pending:
        if isinstance(operation.state, Ready) and operation.due <= now:
            if operation.good_until < now:
                operation.postpone(now, throttle)
            else:
                due.append(operation)
    rooms: dict[QuotaKey, int | None] = {}
    calls = []
    for action, operations in _together(due):
        scope = operations[0].scope
        own = quota_key(action, scope)
        room = rooms[own] if own in rooms else throttle.room(action, scope)
        if room == 0:
            for operation in operations:
                operation.postpone(throttle.window_ends(), throttle)
        else:
            calls.append(_stop_call(action, operations, clients.ecs[scope], throttle))
            room = room if room is None else room - 1
        rooms[own] = room
    for call, result in caller.once(calls):
        yield from ((operation, _answered(operation, call, result, throttle)) for operation in call.subject)


def _together(operations: Iterable[Operation]) -> Iterator[tuple[str, Sequence[Operation]]]:
    """Put together what one StopInstances can stop alike; where that would be few, each has its own call."""
    alike: dict[Hashable, list[Operation]] = {}
    for operation in operations:
        call = operation.call
        key = operation.key if operation.alone else (operation.scope, call.stopped_mode, call.force_stop)
        alike.setdefault(key, []).append(operation)
    for group in alike.values():
        if len(group) > MOST_ALONE:
            yield from ((STOP_INSTANCES, batch) for batch in chunks(group, MAX_STOPS))
        else:
            yield from ((STOP_INSTANCE, [operation]) for operation in group)


Answers = Mapping[str, str | CloudError]
"""By instance: the request id of the stop that ECS accepted, or why it did not."""


def _stop_call(
    action: str, operations: Sequence[Operation], ecs: Ecs, throttle: Throttle
) -> Call[Sequence[Operation], Answers]:
    calls = [operation.call for operation in operations]

    good_until = min(operation.good_until for operation in operations)

    def send(seconds: float) -> Answers:
        fresh = good_until - throttle.clock.monotonic()
        for operation in operations:
            operation.sent(throttle.clock.monotonic())
        if action == STOP_INSTANCES:
            return ecs.stop_together(calls, seconds=seconds, fresh_seconds=fresh)
        return {calls[0].instance_id: ecs.stop(calls[0], seconds=seconds, fresh_seconds=fresh)}

    return Call(
        action=action,
        scope=operations[0].scope,
        subject=operations,
        send=send,
        good_until=good_until,
    )


def _answered(
    operation: Operation,
    call: Call[Sequence[Operation], Answers],
    result: Answers | CallFailure,
    throttle: Throttle,
) -> Outcome | None:
    """Take in what came of a stop call, its own or one together with others.

    A StopInstances that is refused as a whole says nothing about each of its instances, and who may not use
    it may still use StopInstance: they go on alone.
    """
    if isinstance(result, CallFailure):
        answer: str | CallFailure = result
        alone = isinstance(result, CloudError) and not result.passing
    else:
        answer = result.get(operation.instance.instance_id, _UNSAID)
        alone = isinstance(answer, CloudError) and answer.meaning in {Meaning.THROTTLED, Meaning.DENIED}
    if call.action == STOP_INSTANCES and isinstance(answer, CloudError) and alone:
        operation.split_off(answer, throttle.clock.monotonic())
        return None
    return operation.answered(call.action, answer, throttle)


def _look(pending: Sequence[Operation], clients: Clients, caller: Caller) -> Steps:
    """Describe those that are due for a look, 100 a call, along with all that are stopping anyway."""
    now = caller.throttle.clock.monotonic()
    waiting: dict[Scope, dict[str, Operation]] = {}
    for operation in pending:
        due = not isinstance(operation.state, Ready) and operation.due <= now
        if due or isinstance(operation.state, Watching):
            waiting.setdefault(operation.scope, {})[operation.instance.instance_id] = operation
    calls = [
        describe(clients.ecs[scope], scope, ids)
        for scope, operations in waiting.items()
        if any(operation.due <= now for operation in operations.values())
        for ids in chunks(tuple(operations), MAX_IDS)
    ]
    for call, result in caller.once(calls):
        operations = [waiting[call.scope][instance_id] for instance_id in call.subject]
        yield from ((one, _looked(one, result, caller.throttle)) for one in operations)


def _looked(operation: Operation, result: Page | CallFailure, throttle: Throttle) -> Outcome | None:
    if isinstance(result, Unfinished):
        return operation.not_looked_at(throttle)
    if isinstance(result, CloudError):
        return operation.not_seen(result, throttle)
    instance_id = operation.instance.instance_id
    if instance_id in result.unreadable:
        return operation.not_seen(result.unreadable[instance_id], throttle)
    seen = {instance.instance_id: instance for instance in result.instances}
    return operation.seen(seen.get(instance_id), throttle)
