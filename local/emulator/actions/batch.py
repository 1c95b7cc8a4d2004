"""What actions on one instance, or on up to a hundred, have in common: dry runs, and who fails with whom."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from local.api.api_error import ApiError, missing
from local.api.error_table import DRY_RUN, NOT_FOUND
from local.api.parameters import Parameters, boolean, choice, numbered, region, required
from local.emulator.account import Account
from local.emulator.lifecycle import EmulatedInstance

BATCH_MODES = ("AllTogether", "SuccessFirst")
MAX_INSTANCES = 100
"""`InstanceId.N` of StopInstances and StartInstances, as their pages have it."""

Change = Callable[[EmulatedInstance], EmulatedInstance]
"""Gives what an instance becomes, or raises the ApiError that stands against it."""


def change_one(account: Account, parameters: Parameters, now: datetime, change: Change) -> dict[str, Any]:
    """Change the instance that InstanceId names. Raise ApiError, DryRunOperation for a passed dry run.

    Where the call names no region, as today's SDK, it is looked for in all of them; ECS knows the region by
    the endpoint. The legacy SDK and the command line name it, and there it is or isn't.
    """
    instance_id = required(parameters, "InstanceId")
    dry_run = boolean(parameters, "DryRun")
    if parameters.get("RegionId"):
        instance = account.in_region(region(parameters)).get(instance_id)
    else:
        instance = account.find(instance_id)
    changed = _changed(instance, now, change)
    if dry_run:
        raise ApiError(*DRY_RUN)
    account.replace(changed)
    return {}


def change_several(account: Account, parameters: Parameters, now: datetime, change: Change) -> dict[str, Any]:
    """Change up to 100 instances of a region: all or none (AllTogether), or each on its own (SuccessFirst).

    SuccessFirst answers a dry run with DRYRUN.SUCCESS whatever the instances' state, as ECS does.
    """
    in_region = account.in_region(region(parameters))
    instance_ids = numbered(parameters, "InstanceId")
    if not instance_ids:
        raise missing("InstanceId")
    if len(instance_ids) > MAX_INSTANCES:
        raise ApiError(
            400, "InvalidParameter.TooManyInstanceIds", "The maximum number of instance ids is exceeded."
        )
    each_on_its_own = choice(parameters, "BatchOptimization", BATCH_MODES) == "SuccessFirst"
    dry_run = boolean(parameters, "DryRun")

    outcomes: dict[str, EmulatedInstance | ApiError] = {}
    for instance_id in instance_ids:
        try:
            outcomes[instance_id] = _changed(in_region.get(instance_id), now, change)
        except ApiError as error:
            if not each_on_its_own:
                raise
            outcomes[instance_id] = error
    before = {id_: in_region[id_].at(now).status if id_ in in_region else "" for id_ in instance_ids}
    if not dry_run:
        for outcome in outcomes.values():
            if isinstance(outcome, EmulatedInstance):
                account.replace(outcome)
    responses = [_response(id_, before, outcome, dry_run=dry_run) for id_, outcome in outcomes.items()]
    return {"InstanceResponses": {"InstanceResponse": responses}}


def _changed(instance: EmulatedInstance | None, now: datetime, change: Change) -> EmulatedInstance:
    if instance is None:
        raise ApiError(*NOT_FOUND)
    return change(instance.at(now))


def _response(
    instance_id: str, before: Mapping[str, str], outcome: EmulatedInstance | ApiError, *, dry_run: bool
) -> dict[str, str]:
    after = before[instance_id]
    if dry_run:
        code, message = "DRYRUN.SUCCESS", "success"
    elif isinstance(outcome, ApiError):
        code, message = outcome.code, outcome.message
    else:
        code, message, after = "200", "success", outcome.status
    return {
        "InstanceId": instance_id,
        "Code": code,
        "Message": message,
        "PreviousStatus": before[instance_id],
        "CurrentStatus": after,
    }
