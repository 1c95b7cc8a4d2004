"""Fan-out: the targets of a large run become shards, each an event that FC hands to an invocation of its own.

A shard is an ordinary event, a request for instances of one site, in an envelope with an id and the time of
the event that it comes from. It is never large itself, so it is not cut up again; and the guard looks at each
of its instances anew, so one that arrives twice stops nothing twice.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from function.calls import Call, Caller
from function.effects import Unfinished
from function.errors import EcsError
from function.fc import INVOKE_FUNCTION
from function.find import chunks
from function.guard import is_dry_run
from function.report import HandedOn, Outcome
from function.request import MAX_EVENT_ID, StopRequest
from function.settings import Settings
from function.site import Site
from function.surroundings import Surroundings
from function.target import Target

_SUFFIX = 16
"""Characters kept free for a shard's number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shard:
    """Targets of one event at one site, in the order of their ids."""

    event_id: str
    request: StopRequest
    site: Site
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
            "RegionId": self.site.region_id,
            "StoppedMode": self.targets[0].requested_mode,
            "ConfirmStop": request.confirm_stop,
            "ForceStop": request.force_stop,
            "DryRun": is_dry_run(request, settings),
        }
        if self.site.role_arn is not None:
            data["RoleArn"] = self.site.role_arn
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
    """Whether a run hands its targets on: there are many, or they are at several sites."""
    several = len({target.site for target in targets}) > 1
    return settings.fan_out and (several or len(targets) > settings.shard_size)


def cut(targets: Sequence[Target], size: int) -> list[Shard]:
    """Cut targets into shards of at most `size`; in whichever order they come, the shards are the same."""
    groups: dict[tuple[StopRequest, Site], list[Target]] = {}
    for target in targets:
        groups.setdefault((target.request, target.site), []).append(target)
    pieces = [
        (request, site, piece)
        for (request, site), group in sorted(groups.items(), key=lambda item: min(map(_id, item[1])))
        for piece in chunks(sorted(group, key=_id), size)
    ]
    return [
        Shard(
            event_id=f"{request.event_id[: MAX_EVENT_ID - _SUFFIX]}#{number}of{len(pieces)}",
            request=request,
            site=site,
            targets=piece,
        )
        for number, (request, site, piece) in enumerate(pieces, 1)
    ]


def _id(target: Target) -> str:
    return target.instance.instance_id


def hand_on(targets: Sequence[Target], around: Surroundings, caller: Caller) -> Iterator[HandedOn | Outcome]:
    """Hand FC each shard, once; where it does not take one, or may not have, give its targets' outcomes."""
    calls = [_call(shard, around) for shard in cut(targets, around.settings.shard_size)]
    for call, answer in caller.until_answered(calls, done_once=True):
        shard = call.subject
        if isinstance(answer, EcsError | Unfinished):
            now = caller.pace.clock.monotonic()
            yield from (target.not_handed_on(answer, now) for target in shard.targets)
        else:
            yield HandedOn(
                source=shard.request.source,
                event_id=shard.request.event_id,
                site=shard.site,
                instance_ids=shard.instance_ids,
                shard_event_id=shard.event_id,
                shard_request_id=answer,
            )


def _call(shard: Shard, around: Surroundings) -> Call[Shard, str]:
    def send(seconds: float) -> str:
        return around.effects.invoke_function(
            around.function_name,
            shard.event(around.settings),
            around.credentials,
            region_id=around.own.region_id,
            endpoint=around.settings.fan_out_endpoint,
            seconds=seconds,
        )

    return Call(action=INVOKE_FUNCTION, site=around.own, subject=shard, send=send)
