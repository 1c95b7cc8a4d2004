"""StopInstance and StopInstances: the checks in ECS's order, then the effect."""

from typing import Any

from local.api.api_error import ApiError
from local.api.error_table import CONFIRM_STOP, IN_ARREARS, INCORRECT_STATUS, SECURITY_LOCK, ErrorRow
from local.api.parameters import Parameters, boolean, choice
from local.emulator.account import Account
from local.emulator.actions.action import Action, CallContext
from local.emulator.actions.batch import Change, change_one, change_several
from local.emulator.lifecycle import NOT_APPLICABLE, RUNNING, EmulatedInstance

STOPPED_MODES = ("StopCharging", "KeepCharging")


def _stop_instance(account: Account, parameters: Parameters, context: CallContext) -> dict[str, Any]:
    confirmed = boolean(parameters, "ConfirmStop")
    return change_one(account, parameters, context.now, _stop(account, parameters, context, confirmed))


def _stop_instances(account: Account, parameters: Parameters, context: CallContext) -> dict[str, Any]:
    return change_several(account, parameters, context.now, _stop(account, parameters, context, None))


def _stop(account: Account, parameters: Parameters, context: CallContext, confirmed: bool | None) -> Change:  # noqa: FBT001 - private, and the one argument of its kind
    """Return what the call does to an instance. `confirmed`: None where the action has no ConfirmStop."""
    boolean(parameters, "ForceStop")
    asked = choice(parameters, "StoppedMode", STOPPED_MODES)
    mode = asked or account.behaviour.default_stopped_mode

    def stop(instance: EmulatedInstance) -> EmulatedInstance:
        obstacle = _obstacle(account, instance, asked, confirmed)
        if obstacle is not None:
            raise ApiError(*obstacle)
        return instance.stopping(
            context.now,
            account.stop_seconds(instance),
            mode if instance.profile.economical_mode else NOT_APPLICABLE,
            context.aftermath,
        )

    return stop


def _obstacle(
    account: Account,
    instance: EmulatedInstance,
    asked: str | None,
    confirmed: bool | None,  # noqa: FBT001 - as above
) -> ErrorRow | None:
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
    if profile.local_storage is not None and confirmed is False:
        return CONFIRM_STOP
    rule = profile.emulator.stop_charging or account.behaviour.stop_charging
    if asked == "StopCharging" and rule == "reject":
        return profile.economical_mode_error
    return None


_PARAMETERS = ("RegionId", "StoppedMode", "ForceStop", "DryRun")

ACTIONS = (
    Action(
        name="StopInstance",
        perform=_stop_instance,
        parameters=frozenset({*_PARAMETERS, "InstanceId", "ConfirmStop"}),
        changes_state=True,
    ),
    Action(
        name="StopInstances",
        perform=_stop_instances,
        parameters=frozenset({*_PARAMETERS, "InstanceId.", "BatchOptimization"}),
        changes_state=True,
    ),
)
