"""How the local ECS behaves where ECS's documents leave it open, disagree, or name a limit."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.alias_generators import to_pascal

from local.api.validation import in_words

Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Behaviour:
    """How the local ECS behaves; an instance's x-emulator may say otherwise.

    `stop_seconds`, `start_seconds`: how long an instance stays Stopping, Starting.
    `stop_charging`: asked for where it can't apply, `reject` it, as StopInstance's error table has it, or be
    `lenient`: stop without an error and charge on, as ECS does today (it does grant it to spot instances).
    `default_stopped_mode`: of a call that names none; StopCharging where the account has enabled "No fees
    for stopped instances".
    `filter_limit`: DescribeInstances' filters by tags and resource group hold for at most 1,000 matching
    instances (the request model of its SDK); beyond, `refuse` the call or `cut` the answer off there; which
    of the two is not published. None: no limit.
    """

    __pydantic_config__ = ConfigDict(strict=True)

    stop_seconds: Seconds = 2.0
    start_seconds: Seconds = 2.0
    stop_charging: Literal["reject", "lenient"] = "reject"
    default_stopped_mode: Literal["KeepCharging", "StopCharging"] = "KeepCharging"
    filter_limit: Literal["refuse", "cut"] | None = None


_BY_KEY = {to_pascal(field.name): field.name for field in fields(Behaviour)}
_ADAPTER = TypeAdapter(Behaviour)


def read_behaviour(given: object) -> Behaviour:
    """Read the x-emulator of a whole fleet: the fields of Behaviour in CamelCase, such as FilterLimit.

    Raise ValueError, which names the key, its value and what would be right.
    """
    if not isinstance(given, Mapping):
        raise ValueError(f"it is {str(given)[:200]!r}, expected an object")  # noqa: TRY004 - one kind of error
    unknown = given.keys() - _BY_KEY
    if unknown:
        raise ValueError(f"{min(unknown)[:200]} is unknown; a fleet's takes {', '.join(_BY_KEY)}")
    try:
        return _ADAPTER.validate_json(json.dumps({_BY_KEY[key]: value for key, value in given.items()}))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        key = to_pascal(str(first["loc"][0]))
        raise ValueError(f"{key} is {str(first['input'])[:200]!r}: {in_words(first)}") from None
