"""Fan-out: a large run is cut into shards, each an event that FC hands to an invocation of its own.

A shard is an ordinary event, a request for instances of one scope, with the time and selection of the event
that it comes from. It is never large itself, so it is not cut up again. The guard looks at each of its
instances anew, so one that arrives twice stops nothing twice.
"""

import json
from collections.abc import Iterator, Sequence
from math import inf

from function.model.frozen import frozen
from function.model.outcome import Dispatch, Outcome, Status
from function.model.ports import Unfinished
from function.model.request import MAX_EVENT_ID, Job, Selection
from function.model.scope import Scope
from function.settings import Settings
from function.stopping.calls import Caller, CallFailure
from function.stopping.context import InvocationContext
from function.stopping.inventory import chunks
from function.stopping.operation import Operation
from function.stopping.shard_event import connect, dispatched, filters, invocation, shard_event

_SUFFIX = 16
"""Characters kept free for a shard's number."""


@frozen(kw_only=True)
class Shard:
    """What one job stops at one scope, in the order of the instances' ids."""

    event_id: str
    job: Job
    scope: Scope
    operations: Sequence[Operation]

    @property
    def instance_ids(self) -> tuple[str, ...]:
        """The ids of the instances."""
        return tuple(map(_id, self.operations))

    def event(self) -> bytes:
        """Write the event. The selection goes along by its tags, which looks show again."""
        request = self.job.request
        data: dict[str, object] = {
            "InstanceIds": self.instance_ids,
            "RegionId": self.scope.region_id,
            "ConfirmStop": request.confirm_stop,
            "ForceStop": request.force_stop,
        }
        if self.scope.role_arn is not None:
            data["RoleArn"] = self.scope.role_arn
        tags = filters(Selection(tags=request.selection.tags)) if request.selection else {}
        more = {"selection": tags} if tags else {}
        return json.dumps(shard_event(self.job, self.event_id, request.time, data, **more)).encode()


def is_large(operations: Sequence[Operation], settings: Settings) -> bool:
    """Whether a run hands its work on: there is much, or it is at several scopes."""
    several = len({operation.scope for operation in operations}) > 1
    return settings.fan_out and (several or len(operations) > settings.shard_size)


def cut(operations: Sequence[Operation], size: int) -> list[Shard]:
    """Cut into shards of at most `size`; in whichever order the operations come, the shards are the same."""
    groups: dict[tuple[Job, Scope], list[Operation]] = {}
    for operation in operations:
        groups.setdefault((operation.job, operation.scope), []).append(operation)
    pieces = [
        (job, scope, piece)
        for (job, scope), group in sorted(groups.items(), key=lambda item: min(map(_id, item[1])))
        for piece in chunks(sorted(group, key=_id), size)
    ]
    return [
        Shard(
            event_id=f"{job.request.event_id[: MAX_EVENT_ID - _SUFFIX]}#{number}of{len(pieces)}",
            job=job,
            scope=scope,
            operations=piece,
        )
        for number, (job, scope, piece) in enumerate(pieces, 1)
    ]


def _id(operation: Operation) -> str:
    return operation.instance.instance_id


def dispatch(
    operations: Sequence[Operation], context: InvocationContext, caller: Caller
) -> Iterator[Dispatch | Outcome]:
    """Hand FC each shard, once; where it does not take one, or may not have, give its outcomes."""
    fc = connect(context)
    calls = [
        invocation(shard, shard.event(), fc, context, seconds=inf)
        for shard in cut(operations, context.settings.shard_size)
    ]
    for call, answer in caller.until_answered(calls, done_once=True):
        shard = call.subject
        if isinstance(answer, CallFailure):
            now = caller.throttle.clock.monotonic()
            yield from (_not_handed_on(operation, answer, now) for operation in shard.operations)
        else:
            yield dispatched(shard.job, shard.scope, shard.instance_ids, shard.event_id, answer)


def _not_handed_on(operation: Operation, failure: CallFailure, now: float) -> Outcome:
    """Settle that no other invocation took it over, or that nobody knows; it got no stop call here."""
    if isinstance(failure, Unfinished):
        message = "time ran out before it could be handed on to another invocation"
        return operation.outcome(Status.NOT_ATTEMPTED, None, message, now)
    if failure.in_doubt:
        message = f"may have been handed on to another invocation, which would stop it: {failure.message}"
        return operation.outcome(Status.UNKNOWN, failure.code, message, now)
    message = f"could not be handed on to another invocation: {failure.message}"
    return operation.outcome(Status.FAILED, failure.code, message, now)
