"""The actions that the local ECS has, by name."""

from typing import Any

from local.api.api_error import ApiError
from local.api.documented import ignored, refuse_unserved
from local.api.error_table import UNKNOWN_ACTION
from local.api.parameters import Parameters
from local.emulator.account import Account
from local.emulator.actions import describe_instances, instance_types, regions, resources, start, stop, tags
from local.emulator.actions.action import Action, CallContext

ACTIONS: dict[str, Action] = {
    action.name: action
    for action in (
        *stop.ACTIONS,
        *start.ACTIONS,
        *describe_instances.ACTIONS,
        *instance_types.ACTIONS,
        *regions.ACTIONS,
        *resources.ACTIONS,
        *tags.ACTIONS,
    )
}


def perform(action: str, account: Account, parameters: Parameters, context: CallContext) -> dict[str, Any]:
    """Do what the action says and return its answer without RequestId, or raise ApiError."""
    if action not in ACTIONS:
        raise ApiError(*UNKNOWN_ACTION)
    refuse_unserved(action, parameters, ACTIONS[action].parameters)
    return ACTIONS[action].perform(account, parameters, context)


def ignored_parameters(action: str, parameters: Parameters) -> tuple[str, ...]:
    """Return the parameters that the action doesn't document and that change nothing, as with ECS."""
    return ignored(action, parameters, ACTIONS[action].parameters) if action in ACTIONS else ()
