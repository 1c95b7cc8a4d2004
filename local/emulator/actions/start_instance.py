"""StartInstance, StartInstances, RebootInstance and RebootInstances."""

from typing import Any

from local.api.api_error import ApiError
from local.api.error_table import IN_ARREARS, INCORRECT_STATUS, SECURITY_LOCK
from local.api.parameters import Parameters, boolean
from local.emulator.account import Account
from local.emulator.actions.action import Action, CallContext
from local.emulator.actions.batch import Change, change_one, change_several
from local.emulator.lifecycle import RUNNING, STOPPED, EmulatedInstance


def _start_instance(account: Account, parameters: Parameters, context: CallContext) -> dict[str, Any]:
    boolean(parameters, "InitLocalDisk")
    return change_one(account, parameters, context.now, _start(account, context))


def _start_instances(account: Account, parameters: Parameters, context: CallContext) -> dict[str, Any]:
    return change_several(account, parameters, context.now, _start(account, context))


def _reboot_instance(account: Account, parameters: Parameters, context: CallContext) -> dict[str, Any]:
    boolean(parameters, "ForceStop")
    return change_one(account, parameters, context.now, _reboot(account, context))


def _reboot_instances(account: Account, parameters: Parameters, context: CallContext) -> dict[str, Any]:
    boolean(parameters, "ForceReboot")
    return change_several(account, parameters, context.now, _reboot(account, context))


def _start(account: Account, context: CallContext) -> Change:
    def start(instance: EmulatedInstance) -> EmulatedInstance:
        if instance.profile.start_error is not None:
            raise ApiError(*instance.profile.start_error)
        _check(instance, STOPPED)
        return instance.starting(context.now, account.start_seconds(instance), context.aftermath)

    return start


def _reboot(account: Account, context: CallContext) -> Change:
    def reboot(instance: EmulatedInstance) -> EmulatedInstance:
        _check(instance, RUNNING)
        return instance.rebooting(context.now, account.start_seconds(instance), context.aftermath)

    return reboot


def _check(instance: EmulatedInstance, status: str) -> None:
    """Raise the ApiError that stands against it: locks before the status, as with a stop."""
    if "security" in instance.profile.locks:
        raise ApiError(*SECURITY_LOCK)
    if "financial" in instance.profile.locks:
        raise ApiError(*IN_ARREARS)
    if instance.status != status:
        raise ApiError(*INCORRECT_STATUS)


_ONE = ("RegionId", "InstanceId", "DryRun")
_SEVERAL = ("RegionId", "InstanceId.", "BatchOptimization", "DryRun")

ACTIONS = (
    Action(
        name="StartInstance",
        perform=_start_instance,
        parameters=frozenset({*_ONE, "InitLocalDisk"}),
        changes_state=True,
    ),
    Action(
        name="StartInstances", perform=_start_instances, parameters=frozenset(_SEVERAL), changes_state=True
    ),
    Action(
        name="RebootInstance",
        perform=_reboot_instance,
        parameters=frozenset({*_ONE, "ForceStop"}),
        changes_state=True,
    ),
    Action(
        name="RebootInstances",
        perform=_reboot_instances,
        parameters=frozenset({*_SEVERAL, "ForceReboot"}),
        changes_state=True,
    ),
)
