"""The actions that the local ECS has, by name."""

from typing import Any

from local.api.error_table import UNKNOWN_ACTION, ApiError
from local.api.parameters import Parameters, check_known
from local.emulator.account import Account
from local.emulator.actions import describe_instances, start, stop
from local.emulator.actions.action import Action, CallContext

ACTIONS: dict[str, Action] = {
    action.name: action for action in (*stop.ACTIONS, *start.ACTIONS, *describe_instances.ACTIONS)
}


def perform(action: str, account: Account, parameters: Parameters, context: CallContext) -> dict[str, Any]:
    """Do what the action says and return its answer without RequestId, or raise ApiError."""
    if action not in ACTIONS:
        raise ApiError(*UNKNOWN_ACTION)
    check_known(parameters, ACTIONS[action].parameters)
    return ACTIONS[action].perform(account, parameters, context)
