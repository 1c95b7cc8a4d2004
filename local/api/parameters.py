"""Reads a call's parameters, all of them text, the way ECS does: bad ones are named in the answer."""

import json
import re
from collections.abc import Mapping

from local.api.api_error import ApiError, invalid, missing

Parameters = Mapping[str, str]

COMMON = frozenset(
    {
        *("Action", "Version", "Format", "AccessKeyId", "SecurityToken", "Timestamp"),
        *("Signature", "SignatureMethod", "SignatureNonce", "SignatureType", "SignatureVersion"),
    }
)
"""Parameters that come with every call under RPC: no action's own, and some of them secret."""

BOOLEANS = {"true": True, "false": False}

_WHOLE = re.compile(r"-?\d{1,9}", re.ASCII)
_DECIMAL = re.compile(r"\d{1,9}(\.\d{1,9})?", re.ASCII)


def excerpt(value: str) -> str:
    """Quote a value for an error message, at most 200 characters of it."""
    return repr(value if len(value) <= 200 else value[:200] + "…")  # noqa: PLR2004 - as the docstring says


def required(parameters: Parameters, name: str) -> str:
    """Return the text of a mandatory parameter, or raise `Missing<name>`."""
    value = parameters.get(name)
    if not value:
        raise missing(name)
    return value


def region(parameters: Parameters) -> str:
    """Return RegionId, which is mandatory."""
    return required(parameters, "RegionId")


def boolean(parameters: Parameters, name: str) -> bool:
    """Return a switch, false where it isn't given. The Python SDK spells it `True`, others `true`."""
    value = parameters.get(name)
    if not value:
        return False
    try:
        return BOOLEANS[value.lower()]
    except KeyError:
        raise invalid(name, f"{excerpt(value)}, expected true or false.") from None


def number(parameters: Parameters, name: str, default: int, largest: int) -> int:
    """Return a whole number from 1 to `largest`."""
    value = parameters.get(name)
    if not value:
        return default
    # int() takes signs, blanks, underscores and other scripts' digits, ECS none of them.
    if not (value.isascii() and value.isdigit() and len(value) <= 9 and 1 <= int(value) <= largest):  # noqa: PLR2004 - enough digits for any limit
        raise invalid(name, f"{excerpt(value)}, expected a whole number from 1 to {largest}.")
    return int(value)


def clamped(parameters: Parameters, name: str, *, default: int, least: int, most: int) -> int:
    """Return a whole number; ECS takes one that is too small for the least, and too large for the most."""
    value = parameters.get(name)
    if not value:
        return default
    if _WHOLE.fullmatch(value) is None:
        raise invalid(name, f"{excerpt(value)}, expected a whole number from {least} to {most}.")
    return min(max(int(value), least), most)


def decimal(parameters: Parameters, name: str) -> float:
    """Return a number that isn't negative, such as 8 or 0.5."""
    value = parameters[name]
    if _DECIMAL.fullmatch(value) is None:
        raise invalid(name, f"{excerpt(value)}, expected a number such as 8 or 0.5.")
    return float(value)


def choice(parameters: Parameters, name: str, allowed: tuple[str, ...]) -> str | None:
    """Return one of the allowed words, None where it isn't given; else raise `Invalid<name>`."""
    value = parameters.get(name)
    if not value:
        return None
    if value not in allowed:
        raise ApiError(
            400,
            f"Invalid{name}",
            f"Specified parameter {name} is not valid: {excerpt(value)}, expected {' or '.join(allowed)}.",
        )
    return value


def numbered(parameters: Parameters, name: str) -> tuple[str, ...]:
    """Return the values of `name.1`, `name.2`, … in their order, without repetitions."""
    values = {}
    for key, value in parameters.items():
        prefix, _, place = key.rpartition(".")
        if prefix == name:
            if not (place.isascii() and place.isdigit()):
                raise invalid(key, f"{name} is given as {name}.1, {name}.2 and so on.")
            values[int(place[:9])] = value
    return tuple(dict.fromkeys(values[place] for place in sorted(values)))


def json_list(parameters: Parameters, name: str, largest: int) -> tuple[str, ...] | None:
    """Return the items of a parameter that is a JSON array of text, without repetitions; None: not given.

    An empty array is one: it asks for nothing, and gets that.
    """
    value = parameters.get(name)
    if not value:
        return None
    try:
        items = json.loads(value)
    except (ValueError, RecursionError):
        items = None
    if not isinstance(items, list) or not all(isinstance(item, str) for item in items):
        raise invalid(name, f'{excerpt(value)}, expected a JSON array such as ["i-bp1…"].')
    if len(items) > largest:
        raise invalid(name, f"{len(items)} items, expected at most {largest}.")
    return tuple(dict.fromkeys(items))


def tags(parameters: Parameters) -> tuple[tuple[str, str | None], ...]:
    """Return key and value of each `Tag.N.Key`, `Tag.N.Value`; without a value, any value does."""
    wanted = []
    for key, value in parameters.items():
        if key.startswith("Tag."):
            match key.split("."):
                case ["Tag", position, "Key"] if position.isdigit():
                    wanted.append((value, parameters.get(f"Tag.{position}.Value")))
                case ["Tag", position, "Value"] if f"Tag.{position}.Key" in parameters:
                    continue
                case _:
                    raise invalid(key, "tags are given as Tag.N.Key and Tag.N.Value.")
    return tuple(wanted)
