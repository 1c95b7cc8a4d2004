"""Fan-out: the targets of a large run become shards, each an event that FC hands to an invocation of its own.

A shard is an ordinary event, a request for instances of one scope, in an envelope with an id and the time of
the event that it comes from. It is never large itself, so it is not cut up again; and the guard looks at each
of its instances anew, so one that arrives twice stops nothing twice.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from function.guard.instance import is_dry_run
from function.model.errors import CloudError
from function.model.outcome import Dispatch, Outcome
from function.model.ports import INVOKE_FUNCTION, Fc, Unfinished
from function.model.request import MAX_EVENT_ID, StopRequest
from function.model.scope import Scope
from function.settings import Settings
from function.stopping.calls import Call, Caller
from function.stopping.context import InvocationContext
from function.stopping.inventory import chunks
from function.stopping.operation import Target

_SUFFIX = 16
"""Characters kept free for a shard's number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shard:
    """Targets of one event at one scope, in the order of their ids."""

    event_id: str
    request: StopRequest
    scope: Scope
    targets: Sequence[Target]

    @property
    def instance_ids(self) -> tuple[str, ...]:
        """The ids of the targets."""
        return tuple(map(_id, self.targets))

    def event(self, settings: Settings) -> bytes:
        """Write the event: a request that says all, so that it means the same whatever asked for it."""
        request = self.request
        data: dict[str, object] = {
            "InstanceIds": self.instance_ids,
            "RegionId": self.scope.region_id,
            "StoppedMode": self.targets[0].requested_mode,
            "ConfirmStop": request.confirm_stop,
            "ForceStop": request.force_stop,
            "DryRun": is_dry_run(request, settings),
        }
        if self.scope.role_arn is not None:
            data["RoleArn"] = self.scope.role_arn
        envelope: dict[str, object] = {
            "specversion": "1.0",
            "id": self.event_id,
            "source": "stop-guard",
            "type": "stop-guard:Shard",
            "data": data,
        }
        if request.time is not None:
            envelope["time"] = request.time.isoformat()
        return json.dumps(envelope).encode()


def is_large(targets: Sequence[Target], settings: Settings) -> bool:
    """Whether a run hands its targets on: there are many, or they are at several scopes."""
    several = len({target.scope for target in targets}) > 1
    return settings.fan_out and (several or len(targets) > settings.shard_size)


def cut(targets: Sequence[Target], size: int) -> list[Shard]:
    """Cut targets into shards of at most `size`; in whichever order they come, the shards are the same."""
    groups: dict[tuple[StopRequest, Scope], list[Target]] = {}
    for target in targets:
        groups.setdefault((target.request, target.scope), []).append(target)
    pieces = [
        (request, scope, piece)
        for (request, scope), group in sorted(groups.items(), key=lambda item: min(map(_id, item[1])))
        for piece in chunks(sorted(group, key=_id), size)
    ]
    return [
        Shard(
            event_id=f"{request.event_id[: MAX_EVENT_ID - _SUFFIX]}#{number}of{len(pieces)}",
            request=request,
            scope=scope,
            targets=piece,
        )
        for number, (request, scope, piece) in enumerate(pieces, 1)
    ]


def _id(target: Target) -> str:
    return target.instance.instance_id


def dispatch(
    targets: Sequence[Target], context: InvocationContext, caller: Caller
) -> Iterator[Dispatch | Outcome]:
    """Hand FC each shard, once; where it does not take one, or may not have, give its targets' outcomes."""
    fc = context.ports.connect_fc(
        context.own.region_id, context.credentials, endpoint=context.settings.fan_out_endpoint
    )
    calls = [_call(shard, fc, context) for shard in cut(targets, context.settings.shard_size)]
    for call, answer in caller.until_answered(calls, done_once=True):
        shard = call.subject
        if isinstance(answer, CloudError | Unfinished):
            now = caller.throttle.clock.monotonic()
            yield from (target.not_handed_on(answer, now) for target in shard.targets)
        else:
            yield Dispatch(
                source=shard.request.source,
                event_id=shard.request.event_id,
                scope=shard.scope,
                instance_ids=shard.instance_ids,
                shard_event_id=shard.event_id,
                shard_request_id=answer,
            )


def _call(shard: Shard, fc: Fc, context: InvocationContext) -> Call[Shard, str]:
    def send(seconds: float) -> str:
        return fc.invoke(context.function_name, shard.event(context.settings), seconds=seconds)

    return Call(action=INVOKE_FUNCTION, scope=context.own, subject=shard, send=send)
