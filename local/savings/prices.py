"""Price files: what an hour of each instance type costs, `{"currency": "CNY", "ecs.g6.large": 0.5}`."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Never

from function.events.json_reader import quote

CURRENCY = "currency"
_EXAMPLE = '{"currency": "CNY", "ecs.g6.large": 0.5}'
_TYPE = re.compile(r"ecs\.[a-z0-9.-]+")
MOST = 1_000_000
"""An hour costs less in any currency: a slip, such as a price of all instances, is found."""


class InvalidPrices(ValueError):  # noqa: N818 - what is wrong is the file, and the message says how
    """A price file can't be used. The message names the place, the problem and what would be right."""


@dataclass(frozen=True, slots=True)
class Prices:
    """Prices of an hour of vCPUs and memory by instance type, exactly as written, in one currency."""

    currency: str
    by_type: Mapping[str, Fraction]


def load_prices(path: Path) -> Prices:
    """Read a price file, or raise InvalidPrices."""
    try:
        text = path.read_text(encoding="utf-8-sig")
        content = json.loads(
            text, parse_float=Decimal, parse_int=Decimal, parse_constant=_refuse, object_pairs_hook=_once
        )
    except OSError as error:
        raise InvalidPrices(f"{path} can't be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise InvalidPrices(f"{path} is not UTF-8 (byte {error.start})") from None
    except json.JSONDecodeError as error:
        place = f"{path}:{error.lineno}, column {error.colno}"
        raise InvalidPrices(f"{place}: no JSON; expected {_EXAMPLE}") from None
    except (InvalidPrices, RecursionError) as error:
        raise InvalidPrices(f"{path}: {error}; expected {_EXAMPLE}") from None
    if not isinstance(content, dict):
        raise InvalidPrices(f"{path} is no object; expected {_EXAMPLE}")
    currency = content.pop(CURRENCY, None)
    if not isinstance(currency, str) or not currency.isprintable() or not 0 < len(currency) <= 10:  # noqa: PLR2004 - CNY, USD, €
        raise InvalidPrices(f'{path} names no currency; expected "currency": "CNY" or the like')
    return Prices(currency, {name: _price(path, name, value) for name, value in content.items()})


def _price(path: Path, instance_type: str, value: object) -> Fraction:
    if not _TYPE.fullmatch(instance_type):
        raise InvalidPrices(
            f"{path}: {quote(instance_type)} is no instance type; expected such as ecs.g6.large"
        )
    if not isinstance(value, Decimal) or not 0 <= value <= MOST:
        shown = str(value)[:20] if isinstance(value, Decimal) else type(value).__name__
        raise InvalidPrices(
            f"{path}: the price of {quote(instance_type)} is {shown}; expected a number from 0 to {MOST}"
        )
    # A Decimal such as 1E-999999999 would be a fraction of a billion digits.
    return Fraction(round(value, 12))


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    content = dict(pairs)
    if len(content) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise InvalidPrices(f"{quote(twice)} is there twice")
    return content


def _refuse(constant: str) -> Never:
    raise InvalidPrices(f"{constant} is no price")
