"""StopInstance and StopInstances: the checks in ECS's order, then the effect."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from local.api.error_table import (
    CONFIRM_STOP,
    DRY_RUN,
    IN_ARREARS,
    INCORRECT_STATUS,
    NOT_FOUND,
    SECURITY_LOCK,
    ApiError,
    ErrorRow,
    missing,
)
from local.api.parameters import Parameters, boolean, choice, numbered, region, required
from local.emulator.account import Account
from local.emulator.lifecycle import NOT_APPLICABLE, RUNNING, Aftermath, EmulatedInstance

STOPPED_MODES = ("StopCharging", "KeepCharging")
BATCH_MODES = ("AllTogether", "SuccessFirst")
MAX_INSTANCES = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stop:
    """How a call wants its instances stopped. `confirmed`: ConfirmStop; None: the action doesn't have it."""

    stopped_mode: str | None
    confirmed: bool | None
    now: datetime
    aftermath: Aftermath


def stop_instance(
    account: Account, parameters: Parameters, now: datetime, aftermath: Aftermath
) -> dict[str, Any]:
    """Stop one instance. Raise ApiError, DryRunOperation for a passed dry run.

    Where the call names no region, as today's SDK, it is looked for in all of them; ECS knows the region by
    the endpoint. The legacy SDK and the command line name it, and there it is or isn't.
    """
    instance_id = required(parameters, "InstanceId")
    if parameters.get("RegionId"):
        instance = account.in_region(region(parameters)).get(instance_id)
    else:
        instance = account.find(instance_id)
    dry_run = boolean(parameters, "DryRun")
    boolean(parameters, "ForceStop")
    stop = _Stop(
        stopped_mode=choice(parameters, "StoppedMode", STOPPED_MODES),
        confirmed=boolean(parameters, "ConfirmStop"),
        now=now,
        aftermath=aftermath,
    )
    stopped = _stopped(account, instance, stop)
    if dry_run:
        raise ApiError(*DRY_RUN)
    account.replace(stopped)
    return {}


def stop_instances(
    account: Account, parameters: Parameters, now: datetime, aftermath: Aftermath
) -> dict[str, Any]:
    """Stop up to 100 instances of a region: all or none (AllTogether), or each on its own (SuccessFirst).

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
    boolean(parameters, "ForceStop")
    mode = choice(parameters, "StoppedMode", STOPPED_MODES)
    stop = _Stop(stopped_mode=mode, confirmed=None, now=now, aftermath=aftermath)

    outcomes: list[tuple[str, EmulatedInstance | ApiError]] = []
    for instance_id in instance_ids:
        try:
            outcomes.append((instance_id, _stopped(account, in_region.get(instance_id), stop)))
        except ApiError as error:
            if not each_on_its_own:
                raise
            outcomes.append((instance_id, error))
    if dry_run and not each_on_its_own:
        raise ApiError(*DRY_RUN)
    responses = []
    for instance_id, outcome in outcomes:
        before = in_region.get(instance_id)
        status = before.at(now).status if before is not None else ""
        after = status
        if dry_run:
            code, message = "DRYRUN.SUCCESS", "success"
        elif isinstance(outcome, ApiError):
            code, message = outcome.code, outcome.message
        else:
            code, message, after = "200", "success", outcome.status
            account.replace(outcome)
        responses.append(
            {
                "InstanceId": instance_id,
                "Code": code,
                "Message": message,
                "PreviousStatus": status,
                "CurrentStatus": after,
            }
        )
    return {"InstanceResponses": {"InstanceResponse": responses}}


def _stopped(account: Account, instance: EmulatedInstance | None, stop: _Stop) -> EmulatedInstance:
    """Return the instance as the stop leaves it, or raise the error that stands against it."""
    if instance is None:
        raise ApiError(*NOT_FOUND)
    instance = instance.at(stop.now)
    mode = stop.stopped_mode or account.behaviour.default_stopped_mode
    obstacle = _obstacle(account, instance, stop)
    if obstacle is not None:
        raise ApiError(*obstacle)
    profile = instance.profile
    seconds = profile.emulator.stop_seconds
    return instance.stopping(
        stop.now,
        account.behaviour.stop_seconds if seconds is None else seconds,
        mode if profile.economical_mode else NOT_APPLICABLE,
        stop.aftermath,
    )


def _obstacle(account: Account, instance: EmulatedInstance, stop: _Stop) -> ErrorRow | None:
    """Return the row of the error table that stands against the stop, the first in this order."""
    profile = instance.profile
    if profile.stop_error is not None:
        return profile.stop_error
    if "security" in profile.locks:
        return SECURITY_LOCK
    if "financial" in profile.locks:
        return IN_ARREARS
    if instance.status != RUNNING:
        return INCORRECT_STATUS
    if profile.local_storage is not None and stop.confirmed is False:
        return CONFIRM_STOP
    rule = profile.emulator.stop_charging or account.behaviour.stop_charging
    if stop.stopped_mode == "StopCharging" and rule == "reject":
        return profile.economical_mode_error
    return None
