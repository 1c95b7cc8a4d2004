"""Stop instances and watch them stop: ask, look, and ask again only after a look, until all are settled."""

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from math import inf

from function.model.errors import ClientCode, CloudError, Meaning
from function.model.instance import Instance
from function.model.outcome import Acceptance, Outcome
from function.model.ports import (
    DESCRIBE_INSTANCES,
    MAX_IDS,
    MAX_STOPS,
    STOP_INSTANCE,
    STOP_INSTANCES,
    Ecs,
    Unfinished,
)
from function.model.scope import InstanceKey, QuotaKey, Scope, quota_key
from function.stopping.calls import Answered, Call, Caller, CallFailure, CallQueue
from function.stopping.clients import Clients
from function.stopping.inventory import chunks
from function.stopping.operation import Operation
from function.stopping.state import Ready, Verifying, Watching
from function.stopping.throttle import Throttle

MAX_SINGLE_CALLS = 3
"""So many instances that are stopped alike have a call each, whose answer says more; more of them go
together, since ECS counts calls (its page about API throttling)."""

_UNSAID = CloudError(ClientCode.NO_ANSWER, "StopInstances was answered without a word about this instance")

BATCH_SECONDS = 0.05
"""What is due within this goes together: a call's answer reaches its instances one after the other."""


def stop(operations: Iterable[Operation], clients: Clients, caller: Caller) -> Iterator[Outcome | Acceptance]:
    """Yield one outcome for each operation, as soon as it is known; in time, before the run's deadline.

    All stop calls that are due go out before anything is looked at, so that verification gives way first. No
    operation waits for another one's call. What ECS has accepted is told before it is waited for.
    """
    throttle = caller.throttle
    pending = {operation.key: operation for operation in operations}
    busy: set[InstanceKey] = set()
    with caller.queue() as queue:
        answers: Sequence[Answered[Sequence[Operation], AnswerById]] | None = ()
        while pending and answers is not None:
            # With all workers busy there is nothing to begin, and so nothing to look for among many.
            if queue.has_room() and queue.has_time():
                idle = [one for key, one in pending.items() if key not in busy]
                for call in _due_calls(idle, clients, queue, throttle):
                    busy.update(operation.key for operation in call.subject)
                    queue.send(call)
            due = (one.due for key, one in pending.items() if key not in busy) if queue.has_room() else ()
            answers = queue.answers(min(due, default=inf) + BATCH_SECONDS)
            for answered in queue.close() if answers is None else answers:
                for operation in answered.call.subject:
                    busy.discard(operation.key)
                    outcome = _take(operation, answered, throttle)
                    if outcome is not None:
                        del pending[operation.key]
                        yield outcome
                    elif answered.call.action != DESCRIBE_INSTANCES and isinstance(
                        operation.state, Verifying
                    ):
                        yield _acceptance(operation)
    yield from (operation.given_up(throttle.clock.monotonic()) for operation in pending.values())


def _acceptance(operation: Operation) -> Acceptance:
    """Tell that ECS has accepted the stop."""
    return Acceptance(
        source=operation.job.request.source,
        event_id=operation.job.request.event_id,
        scope=operation.scope,
        instance_id=operation.instance.instance_id,
        ecs_request_id=operation.request_id,
    )


AnswerById = Mapping[str, str | Instance | CloudError]
"""By instance, the request id of a stop that ECS accepted, how a look shows it, or why there is neither."""

Calls = Iterator[Call[Sequence[Operation], AnswerById]]
OperationQueue = CallQueue[Sequence[Operation], AnswerById]


def _due_calls(
    idle: Sequence[Operation], clients: Clients, queue: OperationQueue, throttle: Throttle
) -> Sequence[Call[Sequence[Operation], AnswerById]]:
    """Make the stop calls that are due or, where none is, the looks."""
    return [*_stop_calls(idle, clients, queue, throttle)] or [*_looks(idle, clients, throttle)]


def _stop_calls(
    idle: Sequence[Operation], clients: Clients, queue: OperationQueue, throttle: Throttle
) -> Calls:
    """Make the stop calls that are due, no more of them than will probably pass in this window."""
    now = throttle.clock.monotonic()
    due = []
    for operation in idle:
        if isinstance(operation.state, Ready) and operation.due <= now:
            if operation.good_until < now:
                operation.postpone(now, throttle)
            else:
                due.append(operation)
    rooms: dict[QuotaKey, int | None] = {}
    for action, operations in _batches(due):
        scope = operations[0].scope
        own = quota_key(action, scope)
        if own not in rooms:
            room = throttle.room(action, scope)
            rooms[own] = room if room is None else max(0, room - queue.in_flight(action, scope))
        room = rooms[own]
        if room == 0:
            for operation in operations:
                operation.postpone(throttle.window_ends(), throttle)
        else:
            rooms[own] = room if room is None else room - 1
            yield _stop_call(action, operations, clients.ecs[scope], throttle)


def _batches(operations: Iterable[Operation]) -> Iterator[tuple[str, Sequence[Operation]]]:
    """Put together what one StopInstances can stop alike; where that would be few, each has its own call."""
    alike: dict[Hashable, list[Operation]] = {}
    for operation in operations:
        call = operation.call
        key = operation.key if operation.alone else (operation.scope, call.stopped_mode, call.force_stop)
        alike.setdefault(key, []).append(operation)
    for group in alike.values():
        if len(group) > MAX_SINGLE_CALLS:
            yield from ((STOP_INSTANCES, batch) for batch in chunks(group, MAX_STOPS))
        else:
            yield from ((STOP_INSTANCE, [operation]) for operation in group)


def _stop_call(
    action: str, operations: Sequence[Operation], ecs: Ecs, throttle: Throttle
) -> Call[Sequence[Operation], AnswerById]:
    calls = [operation.call for operation in operations]

    good_until = min(operation.good_until for operation in operations)

    def send(seconds: float) -> AnswerById:
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


def _looks(idle: Sequence[Operation], clients: Clients, throttle: Throttle) -> Calls:
    """Describe those that are due for a look, 100 a call, along with all that are stopping anyway."""
    now = throttle.clock.monotonic()
    waiting: dict[Scope, list[Operation]] = {}
    for operation in idle:
        due = not isinstance(operation.state, Ready) and operation.due <= now
        if due or isinstance(operation.state, Watching):
            waiting.setdefault(operation.scope, []).append(operation)
    for scope, operations in waiting.items():
        if any(operation.due <= now for operation in operations):
            yield from (_look(scope, some, clients.ecs[scope]) for some in chunks(operations, MAX_IDS))


def _look(scope: Scope, operations: Sequence[Operation], ecs: Ecs) -> Call[Sequence[Operation], AnswerById]:
    ids = [operation.instance.instance_id for operation in operations]

    def send(seconds: float) -> AnswerById:
        page = ecs.describe(ids, seconds=seconds)
        return {**{one.instance_id: one for one in page.instances}, **page.unreadable}

    return Call(
        action=DESCRIBE_INSTANCES,
        scope=scope,
        subject=operations,
        send=send,
    )


def _take(
    operation: Operation, answered: Answered[Sequence[Operation], AnswerById], throttle: Throttle
) -> Outcome | None:
    """Take in what came of a call, its own or one together with others.

    A StopInstances that is refused as a whole says nothing about each of its instances, and who may not use
    it may still use StopInstance: they go on alone.
    """
    action, result = answered.call.action, answered.result
    whole = isinstance(result, CallFailure)
    answer = result if isinstance(result, CallFailure) else result.get(operation.instance.instance_id)
    if action == DESCRIBE_INSTANCES:
        if isinstance(answer, Unfinished):
            return operation.not_looked_at(throttle)
        if isinstance(answer, CloudError):
            return operation.not_seen(answer, throttle)
        seen = answer if isinstance(answer, Instance) else None
        return operation.seen(seen, answered.sent_at, throttle)
    if answer is None or isinstance(answer, Instance):
        answer = _UNSAID
    if action == STOP_INSTANCES and isinstance(answer, CloudError):
        goes_on_alone = not answer.transient if whole else answer.meaning in _OF_THE_CALL
        if goes_on_alone:
            operation.split_off(answer, throttle.clock.monotonic())
            return None
    return operation.answered(action, answer, throttle)


_OF_THE_CALL = frozenset({Meaning.THROTTLED, Meaning.DENIED})
"""What StopInstances may say of an instance that is about the call, and not about it."""
