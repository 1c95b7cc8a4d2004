"""Which parameters an action documents: those of its request model in the official SDK.

They are in a file, since whoever uses the local ECS may have the SDK of another language. It is made from the
SDK's models, never by hand: `python -m local.api.documented [ACTION…]` adds actions, and follows a new SDK.
"""

import ast
import json
import re
import sys
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

_FILE = Path(__file__).with_suffix(".json")
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
def _documented() -> dict[str, frozenset[str]]:
    names = json.loads(_FILE.read_text(encoding="utf-8"))
    return {action: frozenset(parameters) for action, parameters in names.items()}


def documented_parameters(action: str) -> frozenset[str]:
    """Return the names of an action's parameters, of lists without what follows the dot; empty: none."""
    return _documented().get(action, frozenset())


def in_the_sdk(action: str) -> list[str]:
    """Read the names in the request model of the installed SDK. Raise ModuleNotFoundError without it.

    The model is read, not imported: importing one loads the SDK's 1,150 others.
    """
    package = "alibabacloud_sts20150401" if action in STS_ACTIONS else "alibabacloud_ecs20140526"
    found = find_spec(package)
    if found is None or not found.submodule_search_locations:
        raise ModuleNotFoundError(f"{package} is not installed")
    name = f"_{_WORD_START.sub('_', action).lower()}_request.py"
    model = Path(found.submodule_search_locations[0], "models", name)
    if not model.exists():  # an action without parameters, such as GetCallerIdentity, has no model
        return []
    return sorted(set(_names(ast.parse(model.read_text(encoding="utf-8")), f"{action}Request")))


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


def main() -> None:
    """Write the file anew from the SDK that is installed, with the actions named as well."""
    actions = sorted({*_documented(), *sys.argv[1:]})
    text = json.dumps({action: in_the_sdk(action) for action in actions}, indent=1)
    _FILE.write_text(f"{text}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
