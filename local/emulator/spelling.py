"""Answers spelt as ECS's documents also show them, or as none does; what the call did is left alone."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

PAST_THE_END = base64.urlsafe_b64encode(b"from 999999999").decode()
"""The token of a page after every instance that a fleet can have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbers:
    """`Code` of each instance is a number, as StopInstances' sample has it; its type table says text."""

    def respell(self, answer: dict[str, Any]) -> dict[str, Any]:
        """Write the codes that are digits as numbers."""
        return {
            **answer,
            **_each(
                answer,
                ("InstanceResponses", "InstanceResponse"),
                lambda one: {**one, "Code": int(one["Code"])} if str(one.get("Code")).isdigit() else one,
            ),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """Each page that holds something has a `NextToken`, as in DescribeInstances' sample with one instance."""

    def respell(self, answer: dict[str, Any]) -> dict[str, Any]:
        """Add the token of a page that will be empty."""
        full = answer.get("Instances", {}).get("Instance")
        return answer | {"NextToken": answer.get("NextToken") or PAST_THE_END} if full else answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """DescribeInstances shows a field of an instance with another value, of whatever type."""

    instance_id: str
    name: str
    value: object

    def respell(self, answer: dict[str, Any]) -> dict[str, Any]:
        """Put the value there."""
        return {
            **answer,
            **_each(
                answer,
                ("Instances", "Instance"),
                lambda one: {**one, self.name: self.value} if one["InstanceId"] == self.instance_id else one,
            ),
        }


Spelling = Numbers | Tokens | Shown


def _each(answer: Mapping[str, Any], path: tuple[str, str], change: Any) -> dict[str, Any]:  # noqa: ANN401 - of JSON
    outer, inner = path
    if outer not in answer:
        return {}
    return {outer: {**answer[outer], inner: [change(one) for one in answer[outer][inner]]}}
