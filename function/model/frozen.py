"""Frozen data classes that cost little to define.

`dataclasses` writes the methods of each class as source and compiles that: for the function's own classes a
sixth of a cold start's instructions (callgrind, with byte code). Here all classes have the same methods. For
everybody else it is `@dataclass(frozen=True, slots=True)`: `replace`, `fields` and `match` take it as one.
"""

from collections.abc import Callable
from dataclasses import MISSING, Field, FrozenInstanceError, dataclass, field, fields
from operator import attrgetter
from typing import Any, NoReturn, TypeVar, dataclass_transform, overload

Class = TypeVar("Class", bound=type)


@overload
def frozen(cls: Class, /) -> Class: ...


@overload
def frozen(*, kw_only: bool) -> Callable[[Class], Class]: ...


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def frozen(cls: Class | None = None, /, *, kw_only: bool = False) -> Class | Callable[[Class], Class]:
    """Make a data class, with slots, whose objects never change."""

    def make(cls: Class) -> Class:
        made: Class = dataclass(init=False, repr=False, eq=False, slots=True, kw_only=kw_only)(cls)  # type: ignore[assignment]  # it gives a class for a class
        own = fields(made)
        methods = {
            "__init__": _init(made, own),
            "__repr__": _repr([one.name for one in own if one.repr]),
            **_comparing(attrgetter("__class__", *(one.name for one in own))),
            "__setattr__": _refuse,
            "__delattr__": _refuse,
        }
        for name, method in methods.items():
            setattr(made, name, method)
        return made

    return make if cls is None else make(cls)


def _init(cls: type, own: tuple[Field[Any], ...]) -> Callable[..., None]:
    names = [one.name for one in own]
    positional = [one.name for one in own if not one.kw_only]
    defaults = {one.name: one.default for one in own if one.default is not MISSING}
    factories = [(one.name, one.default_factory) for one in own if one.default_factory is not MISSING]
    # A slot's own setter, which `__setattr__` does not concern.
    setters = [(name, getattr(cls, name).__set__) for name in names]
    count = len(setters)
    misfit = f"{cls.__qualname__} is made of {', '.join(names)}"

    def init(self: object, *args: object, **given: object) -> None:
        if args:
            if len(args) > len(positional):
                raise TypeError(f"{misfit}, not of {len(args)} values without a name")
            given |= zip(positional, args, strict=False)
        if len(given) != count:
            given = {**defaults, **given}
            for name, make in factories:
                given.setdefault(name, make())
        try:
            for name, put in setters:
                put(self, given[name])
        except KeyError as missing:
            raise TypeError(f"{misfit}; there is no {missing}") from None
        if len(given) != count:
            raise TypeError(f"{misfit}, not of {', '.join(given.keys() - set(names))}")

    return init


def _repr(names: list[str]) -> Callable[[object], str]:
    def represent(self: object) -> str:
        said = (f"{name}={getattr(self, name)!r}" for name in names)
        return f"{type(self).__qualname__}({', '.join(said)})"

    return represent


def _comparing(values: Callable[[object], Any]) -> dict[str, Callable[..., Any]]:
    def equal(self: object, other: object) -> bool:
        return values(self) == values(other) if other.__class__ is self.__class__ else NotImplemented

    def digest(self: object) -> int:
        return hash(values(self))

    return {"__eq__": equal, "__hash__": digest}


def _refuse(_self: object, name: str, *_value: object) -> NoReturn:
    raise FrozenInstanceError(f"{name} can't be changed")
