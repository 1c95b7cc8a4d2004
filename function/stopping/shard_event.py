"""The event by which the function hands work on to itself: a request in an envelope of its own.

It says all, so that it means the same whatever asked for it. What it comes from was admitted, so its age is
not asked again.
"""

from collections.abc import Mapping
from datetime import datetime

from function.model.outcome import Dispatch
from function.model.ports import INVOKE_FUNCTION, Fc
from function.model.request import SHARD, Job, Selection
from function.model.scope import Scope
from function.stopping.calls import Call, Subject
from function.stopping.context import InvocationContext


def shard_event(
    job: Job, event_id: str, time: datetime | None, data: Mapping[str, object], **more: object
) -> dict[str, object]:
    """Write the event. `data`: which instances, where and how; `more`: further fields of the envelope.

    `time` is that of the event it comes from: what somebody has started since is left alone.
    """
    event: dict[str, object] = {
        "specversion": "1.0",
        "id": event_id,
        "source": "stop-guard",
        "type": SHARD,
        "admitted": True,
        "tells_of_start": job.request.tells_of_start,
        "data": {"StoppedMode": job.stopped_mode, "DryRun": job.dry_run, **data},
        **more,
    }
    return event if time is None else event | {"time": time.isoformat()}


def filters(selection: Selection) -> dict[str, object]:
    """Write a selection, as a request has it."""
    tags = [{"Key": tag.key} | ({} if tag.value is None else {"Value": tag.value}) for tag in selection.tags]
    fields = {
        "Tag": tags,
        "ResourceGroupId": selection.resource_group_id,
        "VpcId": selection.vpc_id,
        "ZoneId": selection.zone_id,
        "InstanceName": selection.instance_name,
    }
    return {name: value for name, value in fields.items() if value}


def connect(context: InvocationContext) -> Fc:
    """Make the client of the FC that runs the function itself."""
    return context.ports.connect_fc(
        context.own.region_id, context.credentials, endpoint=context.settings.fan_out_endpoint
    )


def invocation(
    subject: Subject, event: bytes, fc: Fc, context: InvocationContext, *, seconds: float
) -> Call[Subject, str]:
    """Make the call that hands an event on; FC has at most so many seconds to answer."""

    def send(left: float) -> str:
        return fc.invoke(context.function_name, event, seconds=min(left, seconds))

    return Call(action=INVOKE_FUNCTION, scope=context.own, subject=subject, send=send)


def dispatched(
    job: Job, scope: Scope, instance_ids: tuple[str, ...], event_id: str, request_id: str
) -> Dispatch:
    """Say that FC has taken it over."""
    return Dispatch(
        source=job.request.source,
        event_id=job.request.event_id,
        scope=scope,
        instance_ids=instance_ids,
        shard_event_id=event_id,
        shard_request_id=request_id,
    )
