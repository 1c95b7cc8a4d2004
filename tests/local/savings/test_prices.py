"""Price files."""

from fractions import Fraction
from pathlib import Path

import pytest

from local.savings.prices import InvalidPrices, load_prices


def write(path: Path, text: str | bytes) -> Path:
    """Write a price file."""
    file = path / "prices.json"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return file


def test_prices_are_as_exact_as_written(tmp_path: Path) -> None:
    """A tenth is a tenth, in any notation."""
    text = '\ufeff{"currency": "CNY", "ecs.g6.large": 0.1, "ecs.gn5-c4g1.xlarge": 7, "ecs.c6.large": 2.5e-1}'
    prices = load_prices(write(tmp_path, text))
    assert prices.currency == "CNY"
    assert prices.by_type == {
        "ecs.g6.large": Fraction(1, 10),
        "ecs.gn5-c4g1.xlarge": 7,
        "ecs.c6.large": Fraction(1, 4),
    }


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('{"currency": "CNY",\n "ecs.g6.large": }', "prices.json:2, column "),
        ("[1]", "is no object"),
        ('{"ecs.g6.large": 1}', "names no currency"),
        ('{"currency": 7}', "names no currency"),
        ('{"currency": "CNY", "g6.large": 1}', "g6.large is no instance type"),
        ('{"currency": "CNY", "ecs.g6.large": "0.5"}', "the price of ecs.g6.large is str"),
        ('{"currency": "CNY", "ecs.g6.large": true}', "the price of ecs.g6.large is bool"),
        ('{"currency": "CNY", "ecs.g6.large": -1}', "the price of ecs.g6.large is -1"),
        ('{"currency": "CNY", "ecs.g6.large": 1e999999}', "the price of ecs.g6.large is 1E+999999"),
        ('{"currency": "CNY", "ecs.g6.large": NaN}', "NaN is no price"),
        ('{"currency": "CNY", "ecs.g6.large": 1, "ecs.g6.large": 2}', "ecs.g6.large is there twice"),
        (b"\xff\xfe{", "is not UTF-8 (byte 0)"),
        ("[" * 100_000, "prices.json"),
    ],
)
def test_a_wrong_price_is_named(tmp_path: Path, text: str | bytes, says: str) -> None:
    """The message says where, what is wrong and what would be right."""
    with pytest.raises(InvalidPrices) as raised:
        load_prices(write(tmp_path, text))
    assert says in str(raised.value).replace('"', "")
    assert "prices.json" in str(raised.value)
    assert len(str(raised.value)) < 400


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """No trace for a name that is not there."""
    with pytest.raises(InvalidPrices, match=r"nowhere\.json can't be read"):
        load_prices(tmp_path / "nowhere.json")


def test_a_price_beyond_all_digits_stays_cheap(tmp_path: Path) -> None:
    """A price of a billion decimal places takes no billion digits to hold."""
    prices = load_prices(write(tmp_path, '{"currency": "CNY", "ecs.g6.large": 1e-999999999}'))
    assert prices.by_type == {"ecs.g6.large": 0}
