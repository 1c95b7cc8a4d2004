"""Reads ECS's answers in every spelling that its documents show, each instance and type by itself."""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from function.model.errors import ClientCode, CloudError
from function.model.instance import Instance, LocalDisks
from function.model.ports import Page

_LOCAL_STORAGE = ("LocalStorageAmount", "LocalStorageCapacity", "LocalStorageCategory")
_NONE = (None, 0, "", "0")

NAMELESS = ""
"""Stands for the id of an instance that has none."""


def is_about_an_instance(answer: object) -> bool:
    """Whether this is about an instance: its `Code` is text, or a number as in the page's sample."""
    match answer:
        case {"InstanceId": str(), "Code": str() | int() as code}:
            return bool(code)
    return False


def items(answer: Any, name: str) -> list[Any]:  # noqa: ANN401 - what JSON has there
    """Give the list in `{name: […]}`; where there would be none in it, either may be null or empty."""
    found = (answer or {}).get(name) or []
    if not isinstance(found, list):
        raise TypeError(f"{name} is a list")
    return found


def read_page(body: Mapping[str, Any]) -> Page:
    """Read each instance of a page by itself, so that one that can't be read spoils no other.

    One without an id stands in `unreadable` as `NAMELESS`: whoever it is, somebody is missing in this answer.
    """
    instances: list[Instance] = []
    unreadable: dict[str, CloudError] = {}
    for one in items(body["Instances"], "Instance"):
        try:
            instances.append(Instance.model_validate(one))
        except ValidationError as error:
            instance_id = one.get("InstanceId") if isinstance(one, dict) else None
            unreadable[instance_id if isinstance(instance_id, str) else NAMELESS] = _unreadable(error)
    return Page(instances=tuple(instances), next_token=body.get("NextToken") or None, unreadable=unreadable)


def _unreadable(error: ValidationError) -> CloudError:
    wrong = error.errors(include_url=False, include_input=False)
    said = "; ".join(
        f"its {''.join(map(str, one['loc'][:1])) or 'whole'} can't be read: "
        f"{one['ctx']['error'] if one['type'] == 'value_error' else 'is not of the type that ECS documents'}"
        for one in wrong
    )
    return CloudError(ClientCode.UNREADABLE, said, read=True)


def read_types(body: Mapping[str, Any]) -> dict[str, LocalDisks]:
    """Read what is said of each type; one that can't be read stays unknown."""
    return {
        kind["InstanceTypeId"]: LocalDisks.YES
        if any(kind.get(field) not in _NONE for field in _LOCAL_STORAGE)
        else LocalDisks.NO
        for kind in items(body["InstanceTypes"], "InstanceType")
        if isinstance(kind, dict) and isinstance(kind.get("InstanceTypeId"), str)
    }
