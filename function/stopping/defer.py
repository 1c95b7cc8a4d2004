"""Hand a delivery on to an asynchronous invocation: an HTTP sender waits for seconds, a stop takes longer.

What is handed on are events as shards are, admitted, with the source, the id and the time of those that they
come from. The invocation that gets them finds, decides and stops; FC tries it again where something is left.
"""

import json
from collections.abc import Iterator, Sequence
from datetime import datetime

from function.model.errors import CloudError
from function.model.outcome import Dispatch, Outcome, RegionError, Settled, Status
from function.model.ports import INVOKE_FUNCTION, Unfinished
from function.model.request import SHARD, Job, Selection
from function.stopping.calls import Call, Caller
from function.stopping.candidates import all_named, region_error
from function.stopping.context import InvocationContext

ANSWER_SECONDS = 1.0
"""What FC is given to answer, so that there is time to do it here where FC refuses."""

MAX_EVENT_BYTES = 128 * 1024
"""What FC takes for an asynchronous invocation (its page about limits)."""


def defer(
    jobs: Sequence[Job], context: InvocationContext, caller: Caller
) -> Sequence[Dispatch | Outcome | RegionError] | None:
    """Hand everything on, and say so; None: FC does not take it, so it is to be done here.

    Where FC gives no clear answer it may have been taken, so it is not done here as well.
    """
    event = json.dumps([_event(job, caller.throttle.clock.now()) for job in jobs]).encode()
    if len(event) > MAX_EVENT_BYTES:
        return None
    fc = context.ports.connect_fc(
        context.own.region_id, context.credentials, endpoint=context.settings.fan_out_endpoint
    )

    def send(seconds: float) -> str:
        return fc.invoke(context.function_name, event, seconds=min(seconds, ANSWER_SECONDS))

    call: Call[None, str] = Call(action=INVOKE_FUNCTION, scope=context.own, subject=None, send=send)
    answer = caller.once(call)
    if isinstance(answer, str):
        return [_dispatch(job, answer) for job in jobs]
    if isinstance(answer, Unfinished) or not answer.in_doubt:
        return None
    return list(_in_doubt(jobs, answer))


def _event(job: Job, now: datetime) -> dict[str, object]:
    request = job.request
    data: dict[str, object] = {
        "RegionIds": list(dict.fromkeys(scope.region_id for scope in job.scopes)),
        "StoppedMode": job.stopped_mode,
        "DryRun": job.dry_run,
    }
    if request.instance_ids:
        data["InstanceIds"] = request.instance_ids
    elif request.selection:
        data |= _filters(request.selection)
    return {
        "specversion": "1.0",
        "id": request.event_id,
        "source": "stop-guard",
        "type": SHARD,
        "admitted": True,
        "origin": request.source,
        "tells_of_start": request.tells_of_start,
        # A request has no time of its own; what was started since it came is to be left alone.
        "time": (request.time or now).isoformat(),
        "data": data,
    }


def _filters(selection: Selection) -> dict[str, object]:
    tags = [{"Key": tag.key} | ({} if tag.value is None else {"Value": tag.value}) for tag in selection.tags]
    filters = {
        "Tag": tags,
        "ResourceGroupId": selection.resource_group_id,
        "VpcId": selection.vpc_id,
        "ZoneId": selection.zone_id,
        "InstanceName": selection.instance_name,
    }
    return {name: value for name, value in filters.items() if value}


def _dispatch(job: Job, request_id: str) -> Dispatch:
    return Dispatch(
        source=job.request.source,
        event_id=job.request.event_id,
        scope=job.scopes[0],
        instance_ids=job.request.instance_ids,
        shard_event_id=job.request.event_id,
        shard_request_id=request_id,
    )


def _in_doubt(jobs: Sequence[Job], error: CloudError) -> Iterator[Outcome | RegionError]:
    text = f"may have been handed on to another invocation, which would stop it: {error.message}"
    unknown = Settled(status=Status.UNKNOWN, code=error.code, message=text)
    yield from (candidate.outcome(unknown) for candidate in all_named(jobs, unknown))
    for job in jobs:
        if not job.request.instance_ids:
            yield from (region_error(job, scope, error.code, text) for scope in job.scopes)
