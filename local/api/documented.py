"""Which parameters an action documents: those of its request model in the official SDK that is installed."""

import ast
import re
from collections.abc import Collection
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from local.api.api_error import invalid
from local.api.names import STS_ACTIONS
from local.api.parameters import COMMON, Parameters

OWNER_PARAMETERS = frozenset({"OwnerId", "OwnerAccount", "ResourceOwnerId", "ResourceOwnerAccount"})
"""Whose resources a call is about, from the days before RAM: every SDK has them and sends them on request."""

OTHER_PARAMETERS = COMMON | OWNER_PARAMETERS
"""Those that come with any call, and change nothing here."""

_WORD_START = re.compile(r"(?<!^)(?=[A-Z])")


def ignored(action: str, parameters: Parameters, served: Collection[str]) -> tuple[str, ...]:
    """Return the parameters that the action doesn't document: ECS ignores them, and so is done here."""
    unserved = _unserved(parameters, served)
    return tuple(name for name in unserved if name.partition(".")[0] not in documented_parameters(action))


def refuse_unserved(action: str, parameters: Parameters, served: Collection[str]) -> None:
    """Raise ApiError for one that it documents and isn't served: a filter ignored would widen an answer.

    `InstanceId.` among the served stands for InstanceId.1, InstanceId.2 and so on. A parameter without a
    value is as good as none.
    """
    for name in _unserved(parameters, served):
        if name.partition(".")[0] in documented_parameters(action):
            raise invalid(name[:200], f"ECS has it; the local ECS serves {', '.join(sorted(served))} here.")


def _unserved(parameters: Parameters, served: Collection[str]) -> list[str]:
    return [
        name
        for name, value in parameters.items()
        if value and name not in OTHER_PARAMETERS and "".join(name.partition(".")[:2]) not in served
    ]


@cache
def documented_parameters(action: str) -> frozenset[str]:
    """Return the names of an action's parameters, of lists without what follows the dot; empty: none.

    The model is read, not imported: importing one loads the SDK's 1,150 others. Raise RuntimeError where the
    SDK isn't installed.
    """
    package = "alibabacloud_sts20150401" if action in STS_ACTIONS else "alibabacloud_ecs20140526"
    found = find_spec(package)
    if found is None or not found.submodule_search_locations:
        raise RuntimeError(f"{package} is not installed, where the parameters of {action} are looked up")
    name = f"_{_WORD_START.sub('_', action).lower()}_request.py"
    model = Path(found.submodule_search_locations[0], "models", name)
    if not model.exists():  # an action without parameters, such as GetCallerIdentity, has no model
        return frozenset()
    return frozenset(_names(ast.parse(model.read_text(encoding="utf-8")), f"{action}Request"))


def _names(module: ast.Module, model: str) -> list[str]:
    """Return what the model's `from_map` reads: `m.get('InstanceId')`."""
    names = []
    for definition in module.body:
        if isinstance(definition, ast.ClassDef) and definition.name == model:
            for node in ast.walk(definition):
                match node:
                    case ast.Call(
                        func=ast.Attribute(value=ast.Name(id="m"), attr="get"),
                        args=[ast.Constant(value=str(name))],
                    ):
                        names.append(name)
    return names
