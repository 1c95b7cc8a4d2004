"""What of a JSON object an answer of ECS can hold, in JSON and in XML."""

import json
import math
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

# What can be the name of an element in an XML answer; ECS's own names are letters and digits.
_NAME = re.compile(r"[A-Za-z_][\w.-]*", re.ASCII)
MAX_DEPTH = 100
"""Levels of a JSON value at most, whatever the interpreter could read: an answer of ECS has a dozen, and no
Python from 3.11 on needs more than its stack for as many."""
_KEY = re.compile('"([^"]*)": ')
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


def told(instance: Mapping[str, Any]) -> Mapping[str, Any]:
    """Skip out nulls at any depth, as they tell no more than a missing field does.

    Raise ValueError for what no answer can hold: lone surrogates, NaN, keys that can't name an element, more
    than `MAX_DEPTH` levels.
    """
    if _is_plain(instance):
        return instance
    if is_deep(instance):
        raise ValueError(f"it is nested deeper than {MAX_DEPTH} levels")
    found: dict[str, Any] = _told(instance)
    return found


def is_deep(value: Any) -> bool:  # noqa: ANN401 - whatever JSON holds
    """Tell whether it has more than `MAX_DEPTH` levels; level by level, so that no depth is too much."""
    level = [value] if isinstance(value, dict | list) else []
    for _ in range(MAX_DEPTH):
        level = [
            inner
            for outer in level
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, dict | list)
        ]
        if not level:
            return False
    return True


def _is_plain(instance: Mapping[str, Any]) -> bool:
    """Tell in a moment, of nearly every instance, that there is nothing of the kind in it."""
    try:
        text = json.dumps(instance, ensure_ascii=False, allow_nan=False)
        text.encode()
    except (TypeError, ValueError, RecursionError):
        return False
    brackets = text.count("[") + text.count("{")  # it is no deeper than that
    odd = "null" in text or "\\" in text or brackets > MAX_DEPTH
    return not odd and all(map(_is_name, _KEY.findall(text)))


@lru_cache(maxsize=1_000)
def _is_name(key: str) -> bool:
    return _NAME.fullmatch(key) is not None


def _told(value: Any, path: str = "") -> Any:  # noqa: ANN401 - whatever JSON holds
    match value:
        case Mapping():
            return {
                name: _told(inner, _below(path, name)) for name, inner in value.items() if inner is not None
            }
        case list():
            return [_told(item, path) for item in value if item is not None]
        case str() if _LONE_SURROGATE.search(value):
            raise ValueError(f"{path} is {shown(value)}: half a surrogate pair is no character")
        case float() if not math.isfinite(value):
            raise ValueError(f"{path} is {value}, expected a number")
    return value


def _below(path: str, name: str) -> str:
    if not _NAME.fullmatch(name):
        raise ValueError(f"{path or 'it'} has the key {shown(name)}; ECS's are letters and digits")
    return f"{path}.{name}" if path else name


def shown(value: object) -> str:
    """Quote a value for an error message, at most 200 characters of it."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    text = text if len(text) <= 200 else text[:200] + "…"  # noqa: PLR2004 - as the docstring says
    return text.encode(errors="backslashreplace").decode()
