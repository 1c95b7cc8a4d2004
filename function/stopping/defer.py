"""Hand a delivery on to an asynchronous invocation: an HTTP sender waits for seconds, a stop takes longer.

What is handed on are events as shards are, admitted, with the source, the id and the time of those that they
come from. The invocation that gets them finds, decides and stops; FC tries it again where something is left.
"""

import json
from collections.abc import Sequence
from datetime import datetime

from function.model.errors import CloudError
from function.model.outcome import Dispatch, Outcome, RegionError, Status
from function.model.ports import Unfinished
from function.model.request import Job
from function.stopping.calls import Caller
from function.stopping.candidates import settle_all
from function.stopping.context import InvocationContext
from function.stopping.shard_event import connect, dispatched, filters, invocation, shard_event

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
    call = invocation(None, event, connect(context), context, seconds=ANSWER_SECONDS)
    answer = caller.once(call)
    if isinstance(answer, str):
        return [
            dispatched(job, job.scopes[0], job.request.instance_ids, job.request.event_id, answer)
            for job in jobs
        ]
    if isinstance(answer, Unfinished) or not answer.in_doubt:
        return None
    return may_be_deferred(jobs, answer)


def _event(job: Job, now: datetime) -> dict[str, object]:
    request = job.request
    data: dict[str, object] = {"RegionIds": list(dict.fromkeys(scope.region_id for scope in job.scopes))}
    if request.instance_ids:
        data["InstanceIds"] = request.instance_ids
    elif request.selection:
        data |= filters(request.selection)
    # A request has no time of its own; what was started since it came is to be left alone.
    return shard_event(job, request.event_id, request.time or now, data, origin=request.source)


def may_be_deferred(jobs: Sequence[Job], error: CloudError) -> Sequence[Outcome | RegionError]:
    """Account for all where nobody knows whether FC has taken it."""
    text = f"may have been handed on to another invocation, which would stop it: {error.message}"
    outcomes, region_errors = settle_all(jobs, Status.UNKNOWN, error.code, text)
    return [*outcomes, *region_errors]
