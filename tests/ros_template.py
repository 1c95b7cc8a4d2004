"""A ROS template as ROS reads it: parameters checked, conditions decided, functions replaced by their values.

Source: the ROS documents on template structure, functions and pseudo parameters.
"""

import re
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

import yaml

Json: TypeAlias = Any

ACCOUNT_ID = "1234567890123456"
REGION = "cn-hangzhou"
NO_VALUE = object()
"""What `ALIYUN::NoValue` becomes: the property is left out."""

PSEUDO: Mapping[str, object] = {
    "ALIYUN::Region": REGION,
    "ALIYUN::TenantId": ACCOUNT_ID,
    "ALIYUN::NoValue": NO_VALUE,
}


class Stack:
    """A template with parameters given; unknown functions, names and values are errors, as in ROS."""

    def __init__(self, path: Path, **given: str | int) -> None:
        """Read the file, check the parameters, decide the conditions."""
        template = _read(path)
        assert set(template) <= {
            "ROSTemplateFormatVersion",
            "Description",
            "Parameters",
            "Conditions",
            "Mappings",
            "Resources",
            "Outputs",
        }
        assert template["ROSTemplateFormatVersion"] == "2015-09-01"
        self._mappings: dict[str, Any] = template.get("Mappings", {})
        self._raw: dict[str, Any] = template["Resources"]
        self.parameters = {
            name: _checked(name, rule, given.get(name, rule.get("Default")))
            for name, rule in template["Parameters"].items()
        }
        assert set(given) <= set(self.parameters)
        self._conditions = {
            name: self._decided(rule) for name, rule in template.get("Conditions", {}).items()
        }
        self.outputs = {name: self.value(one["Value"]) for name, one in template.get("Outputs", {}).items()}

    def resources(self, kind: str = "") -> dict[str, dict[str, Any]]:
        """Give each resource's properties that would be made, of one type or of all, by its id."""
        return {
            name: self.value(one["Properties"])
            for name, one in self._made().items()
            if kind in ("", one["Type"])
        }

    def types(self) -> dict[str, str]:
        """Give the type of each resource that would be made."""
        return {name: one["Type"] for name, one in self._made().items()}

    def before(self, name: str) -> set[str]:
        """Give the resources that are made before one: by `DependsOn`, or because it refers to them."""
        depends = self._raw[name].get("DependsOn", [])
        named = {depends} if isinstance(depends, str) else set(depends)
        return named | (_references(self._raw[name]["Properties"]) & set(self._raw))

    def _made(self) -> dict[str, Any]:
        for one in self._raw.values():
            assert set(one) <= {"Type", "Properties", "Condition", "DependsOn"}
        return {
            name: one
            for name, one in self._raw.items()
            if "Condition" not in one or self._conditions[one["Condition"]]
        }

    def _decided(self, rule: Mapping[str, Any]) -> bool:
        match rule:
            case {"Fn::Equals": [left, right]}:
                return bool(self.value(left) == self.value(right))
            case {"Fn::Not": inner}:
                return not self._decided(inner)
        raise AssertionError(rule)

    def value(self, node: Json) -> Json:
        """Replace every function in a value."""
        functions: Mapping[str, Callable[[Json], Json]] = {
            "Ref": self._name,
            "Fn::Sub": lambda text: re.sub(r"\$\{([\w:]+)\}", lambda name: str(self._name(name[1])), text),
            "Fn::If": lambda of: self.value(of[1] if self._conditions[of[0]] else of[2]),
            "Fn::Join": lambda of: of[0].join(str(part) for part in self.value(of[1])),
            "Fn::Split": lambda of: [part.strip() for part in self.value(of[1]).split(of[0])],
            "Fn::Replace": lambda of: _replaced(of[0], self.value(of[1])),
            "Fn::FindInMap": lambda of: self._mappings[of[0]][self.value(of[1])][of[2]],
            "Fn::GetAtt": self._attribute,
        }
        if isinstance(node, list):
            return [self.value(inner) for inner in node]
        if not isinstance(node, dict):
            return node
        if any(key.startswith("Fn::") or key == "Ref" for key in node):
            ((function, of),) = node.items()
            return functions[function](of)
        values = {key: self.value(inner) for key, inner in node.items()}
        return {key: inner for key, inner in values.items() if inner is not NO_VALUE}

    def _attribute(self, of: tuple[str, str]) -> str:
        name = str(self.value(self._raw["Role"]["Properties"]["RoleName"]))
        return {("Role", "RoleName"): name, ("Role", "Arn"): f"acs:ram::{ACCOUNT_ID}:role/{name}"}[*of]

    def _name(self, name: str) -> Json:
        return PSEUDO[name] if name in PSEUDO else self.parameters[name]


@cache
def _read(path: Path) -> Json:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def _replaced(pairs: Mapping[str, str], text: str) -> str:
    for old, new in pairs.items():
        text = text.replace(old, new)
    return text


def _references(node: Json) -> set[str]:
    match node:
        case {"Fn::GetAtt": [name, _]} | {"Ref": name}:
            return {name}
        case dict():
            return {name for inner in node.values() for name in _references(inner)}
        case list():
            return {name for inner in node for name in _references(inner)}
    return set()


def _checked(name: str, rule: Mapping[str, Json], value: Json) -> Json:
    assert set(rule) <= {
        "Type",
        "Default",
        "AllowedPattern",
        "AllowedValues",
        "Description",
        "MinValue",
        "MaxValue",
        "NoEcho",
    }
    if rule["Type"] == "Number":
        assert isinstance(value, int), name
        assert rule["MinValue"] <= value <= rule["MaxValue"], name
        return value
    assert rule["Type"] == "String"
    assert isinstance(value, str), name
    assert value in rule.get("AllowedValues", [value]), name
    assert re.search(rule.get("AllowedPattern", ""), value), name
    return value
