"""What an action of the local ECS is: its name, its parameters, and the function that does it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from local.api.parameters import Parameters
from local.emulator.account import Account
from local.emulator.lifecycle import Aftermath


@dataclass(frozen=True, slots=True, kw_only=True)
class CallContext:
    """When a call is done, and what a fault makes of the change that it asks for."""

    now: datetime
    aftermath: Aftermath


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """An action. `parameters`: those that it takes; a name that ends in a dot is a list's.

    `perform` gives the answer without RequestId, or raises ApiError. `changes_state`: it starts or stops
    instances, so a fault can make of it that they stay as they are, or look so.
    """

    name: str
    perform: Callable[[Account, Parameters, CallContext], dict[str, Any]]
    parameters: frozenset[str]
    changes_state: bool = False
