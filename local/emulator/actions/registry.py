"""The actions that the local ECS has, by name."""

from typing import Any

from local.api.api_error import ApiError
from local.api.documented import refuse_unserved
from local.api.error_table import UNKNOWN_ACTION
from local.api.parameters import Parameters
from local.emulator.account import Account
from local.emulator.actions import (
    describe_instances,
    describe_regions,
    describe_resources,
    instance_types,
    start_instance,
    stop_instance,
    tag_resources,
)
from local.emulator.actions.action import Action, CallContext

ACTIONS: dict[str, Action] = {
    action.name: action
    for action in (
        *stop_instance.ACTIONS,
        *start_instance.ACTIONS,
        *describe_instances.ACTIONS,
        *instance_types.ACTIONS,
        *describe_regions.ACTIONS,
        *describe_resources.ACTIONS,
        *tag_resources.ACTIONS,
    )
}


def perform(action: str, account: Account, parameters: Parameters, context: CallContext) -> dict[str, Any]:
    """Do what the action says and return its answer without RequestId, or raise ApiError."""
    if action not in ACTIONS:
        raise ApiError(*UNKNOWN_ACTION)
    refuse_unserved(action, parameters, ACTIONS[action].parameters)
    return ACTIONS[action].perform(account, parameters, context)
