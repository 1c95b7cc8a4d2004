"""What is handed on to FC: held against the wishes that it comes from, and against what FC made of it."""

from collections.abc import Iterator

from simulation.case import Case, scope_of
from simulation.deferral import OPEN_ENDS
from simulation.owners import owners_of
from simulation.recording import JsonObject
from simulation.scenario import Wish


def shards_ask_for_the_same(case: Case) -> Iterator[str]:
    """Shards: hand on the targets' own wish, no more than is allowed, and do not do it here as well."""
    limits = case.limits
    handed = {(one, scope) for _, wish in case.shards for one in wish.ids for scope in wish.scopes}
    if handed and not limits.fan_out:
        yield f"{len(handed)} were handed on without FAN_OUT"
    if len(handed) > limits.max_instances:
        yield f"{len(handed)} were handed on, more than {limits.max_instances}"
    for call, wish in case.shards:
        if len(wish.ids) > limits.shard_size or len(wish.scopes) > 1:
            yield f"a shard has {len(wish.ids)} instances at {len(wish.scopes)} scopes"
        for one in wish.ids:
            owners = owners_of(case, one, *wish.scopes)
            if not any(_same_wish(case, owner, wish) for owner in owners):
                yield f"{one} was handed on as {wish}, and is meant by {owners}"
            if one in case.stops:
                yield f"{one} was handed on, and got a stop call"
            seen = [look for look in case.looks.get(one, ()) if (look.call.heard_step or 0) < call.sent_step]
            if not seen:
                yield f"{one} was handed on, and never looked at"


def _same_wish(case: Case, owner: Wish, shard: Wish) -> bool:
    return shard.admitted and (
        owner.time,
        owner.tags,
        owner.stopped_mode or case.limits.stopped_mode,
        owner.confirm_stop,
        owner.force_stop,
        owner.dry_run or case.limits.dry_run,
    ) == (shard.time, shard.tags, shard.stopped_mode, shard.confirm_stop, shard.force_stop, shard.dry_run)


def handing_problems(case: Case, outcome: JsonObject) -> Iterator[str]:
    """Tell where FC has taken what is said not to be handed on, or where that could be known and is not."""
    handed = [*((call, [wish]) for call, wish in case.shards), *case.deferrals]
    ours = [
        call
        for call, wishes in handed
        if any(outcome["instance_id"] in wish.ids and scope_of(outcome) in wish.scopes for wish in wishes)
    ]
    if outcome["attempts"] or case.stops_of(outcome):
        yield "and got a stop call all the same"
    if outcome["status"] == "unknown":
        # An answer that comes at the very moment in which time is up may be heard too late.
        end = case.invocation.ended or 0.0
        late = [call for call in ours if call.heard_at is None or call.heard_at >= end]
        if not late and not any(str(call.heard).endswith(OPEN_ENDS) for call in ours):
            yield "and every try to hand it on had a clear answer"
    elif any(call.code == "" for call in ours):
        yield "and FC has taken its shard"
