"""Frozen data classes are those of `dataclasses` to whoever uses them."""

from collections.abc import Callable
from dataclasses import FrozenInstanceError, dataclass, field, fields, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from function.model.frozen import frozen


@frozen(kw_only=True)
class Ours:
    """Named fields, with defaults of all kinds."""

    key: str
    secret: str = field(default="", repr=False)
    count: int = 0
    seen: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Theirs:
    """The same."""

    key: str
    secret: str = field(default="", repr=False)
    count: int = 0
    seen: list[str] = field(default_factory=list)


@frozen
class Pair:
    """Fields by position."""

    left: int
    right: int = 0


class Child(Pair):
    """The same fields, another class."""

    __slots__ = ()


@frozen
class Empty:
    """No fields."""


VALUES = st.fixed_dictionaries(
    {"key": st.text(max_size=2)},
    optional={
        "secret": st.text(max_size=2),
        "count": st.integers(0, 2),
        "seen": st.lists(st.text(max_size=1), max_size=2),
    },
)


@given(VALUES, VALUES)
def test_objects_look_and_compare_as_those_of_dataclasses(one: dict[str, Any], other: dict[str, Any]) -> None:
    """Whatever is given and left out, they are shown, compared and changed alike."""
    ours, theirs = (Ours(**one), Ours(**other)), (Theirs(**one), Theirs(**other))
    assert repr(ours[0]).removeprefix("Ours") == repr(theirs[0]).removeprefix("Theirs")
    assert (ours[0] == ours[1]) is (theirs[0] == theirs[1])
    assert replace(ours[0], **other) == replace(Ours(**one), **other)
    assert repr(replace(ours[0], **other))[4:] == repr(replace(theirs[0], **other))[6:]
    assert [each.name for each in fields(ours[0])] == [each.name for each in fields(theirs[0])]


@pytest.mark.parametrize(
    "make",
    [
        lambda: Ours(secret="s"),  # type: ignore[call-arg]
        lambda: Ours(key="k", more=1),  # type: ignore[call-arg]
        lambda: Ours("k"),  # type: ignore[call-arg]
        lambda: Pair(1, 2, 3),  # type: ignore[call-arg]
        lambda: Pair(right=1),  # type: ignore[call-arg]
        lambda: Empty(1),  # type: ignore[call-arg]
    ],
)
def test_what_does_not_fit_the_fields_is_refused(make: Callable[[], object]) -> None:
    """A field that is missing, one that there isn't, and one by position that has to be named are errors."""
    with pytest.raises(TypeError, match=r"^(Ours|Pair|Empty) is made "):
        make()


def test_objects_never_change() -> None:
    """No field can be set or taken away, and none be added."""
    pair = Pair(1, 2)
    for name in ("left", "other"):
        with pytest.raises(FrozenInstanceError, match=name):
            setattr(pair, name, 3)
        with pytest.raises(FrozenInstanceError, match=name):
            delattr(pair, name)
    assert pair == Pair(1, 2)
    assert not hasattr(pair, "__dict__")


def test_a_list_made_for_one_object_is_that_object_s_own() -> None:
    """What a field begins with where nothing is given is made anew for each object."""
    assert Ours(key="a").seen is not Ours(key="a").seen


def test_equal_objects_are_one_in_a_set() -> None:
    """Hash and equality go by class and fields."""
    assert {Pair(1), Pair(1, 0), Pair(left=1)} == {Pair(1)}
    assert Pair(1) != Child(1)
    of_any_kind: list[object] = [(1, 0), None]
    assert Pair(1) not in of_any_kind
    assert Empty() == Empty()
    assert len({Pair(1), Child(1), Empty(), Empty()}) == 3


def test_fields_are_matched_by_position_and_by_name() -> None:
    """`match` takes them apart."""
    match Child(1, 2):
        case Pair(left, right=2):
            assert left == 1
        case _:
            pytest.fail("it has another form")
