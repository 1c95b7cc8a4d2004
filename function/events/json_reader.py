"""Reads JSON that others wrote: strictly, within bounds, every value knowing its path in the event."""

import json
import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import NamedTuple, NoReturn, TypeAlias

from function.model.credentials import may_hold_credential
from function.model.request import InvalidEvent

Json: TypeAlias = "dict[str, Json] | list[Json] | str | int | float | bool | None"

MAX_ECHO = 200
"""Characters of a value in an error: enough to know it again, and to keep the error a line."""

MAX_WORD = 128
"""Characters of an id or a source in EventBridge (its page about limits), and of an instance's name."""

MAX_DEPTH = 32
"""Levels of an event; those in documents and as they came have at most five."""

MAX_ELEMENTS = 10_000
"""Alerts, rows or other things in one list; a body over HTTP, of 1 MiB, has room for a third of so many."""

MAX_STRUCTURES, MAX_MEMBERS = 50_000, 200_000
"""Objects and lists, and what stands in them, with those of the texts within: five and twenty for each of so
many alerts. It is they that cost time and memory, not the bytes."""

MAX_DIGITS = 40
"""64 bits have 19; behind a point JavaScript and Go write up to 23, a decimal of Java's some 34."""

_LONG = re.compile(rf'"(?:[^"\\]|\\.){{{MAX_ECHO - 1},}}+"')
_TO_ZEROS, _ZEROS = bytes.maketrans(b"123456789", b"000000000"), b"0" * (MAX_DIGITS + 1)
# Over texts and shorter numbers to one that is too long; possessive, so that it never goes back.
_LONG_NUMBER = re.compile(
    rf'(?:[^"0-9]++|"(?:[^"\\]++|\\.)*+"|[0-9]{{1,{MAX_DIGITS}}}+(?![0-9]))*+([0-9]{{{MAX_DIGITS + 1},}}+)',
    re.DOTALL,
)
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
_STRUCTURES = (dict, list)
_PLAIN_KEY = re.compile(r"[A-Za-z0-9_-]{1,64}")

# How CloudMonitor, Java, Python, JavaScript and Go's templates write that there is no value.
_NO_VALUE = frozenset({"", "-", "null", "none", "nil", "undefined", "n/a", "<nil>", "<none>", "<no value>"})


def name(text: str) -> str:
    """Show a field's name in an error: JSON in ASCII. Only `shorten` cuts it, when no secret is in it."""
    return json.dumps(text)


def shorten(message: str) -> str:
    """Cut each text that a message quotes to `MAX_ECHO` characters."""
    return _LONG.sub(lambda quoted: quoted[0][: MAX_ECHO - 3] + "...", message)


def quote(value: Json) -> str:
    """Show a value in an error: as a name, never a credential, never what an object holds."""
    match value:
        case dict():
            return "an object" if value else "an empty object"
        case list():
            return f"a list of {len(value)}" if value else "an empty list"
        case str() if may_hold_credential(value):
            return f"a text of {len(value)} characters that may hold a credential"
        case str():
            return name(value)
    return json.dumps(value)


class Node(NamedTuple):
    """A value of the event, and its path from the event's root for those who must find it."""

    value: Json
    path: str = ""

    def __str__(self) -> str:
        return self.path or "the event"

    def fail(self, problem: str) -> NoReturn:
        """Raise `InvalidEvent` that names the path; `problem` says what is wrong and what would be right."""
        raise InvalidEvent(f"{self} {problem}")

    def below(self, key: str) -> str:
        """Give the path of a field of this object; a key that others made up is shown as a name."""
        step = key if _PLAIN_KEY.fullmatch(key) else name(key)
        return f"{self.path}.{step}" if self.path else step

    def has(self, *keys: str) -> bool:
        """Tell whether this is an object that has all these fields."""
        return isinstance(self.value, dict) and all(key in self.value for key in keys)

    def has_any(self, *keys: str) -> bool:
        """Tell whether this is an object that has one of these fields."""
        return isinstance(self.value, dict) and any(key in self.value for key in keys)

    def object(self) -> Mapping[str, Json]:
        """Give the object. Raise `InvalidEvent` if this is none."""
        if not isinstance(self.value, dict):
            self.fail(f"is {quote(self.value)}; it must be an object")
        return self.value

    def find(self, key: str) -> "Node | None":
        """Give the field, None where it is absent or null. Raise `InvalidEvent` if this is no object."""
        value = self.object().get(key)
        return None if value is None else Node(value, self.below(key))

    def find_value(self, key: str) -> "Node | None":
        """Give the field, None also where it is a text that stands for no value, such as `null` or `-`."""
        found = self.find(key)
        return None if found is None or found.is_blank() else found

    def find_structure(self, key: str) -> "Node | None":
        """Give the object or list in the field, which may be JSON text. Raise `InvalidEvent`."""
        found = self.find_value(key)
        return found.opened() if found else None

    def opened(self) -> "Node":
        """Give the object or list that a JSON text holds, else this. Raise `InvalidEvent`."""
        return self.json() if self.is_json() else self

    def is_blank(self) -> bool:
        """Tell whether this is null, or a text that stands for no value."""
        return self.value is None or (
            isinstance(self.value, str)
            and len(self.value) < MAX_WORD
            and self.value.strip().casefold() in _NO_VALUE
        )

    def field(self, key: str) -> "Node":
        """Give the field. Raise `InvalidEvent` where it is absent or null."""
        return self.find(key) or Node(None, self.below(key)).fail("is missing")

    def items(self) -> "Iterator[Node]":
        """Give the elements. Raise `InvalidEvent` if this is no list, or too long a one."""
        if not isinstance(self.value, list):
            self.fail(f"is {quote(self.value)}; it must be a list")
        if len(self.value) > MAX_ELEMENTS:
            self.fail(f"is {quote(self.value)}; it may have at most {MAX_ELEMENTS:,} elements")
        return (Node(value, f"{self.path}[{index}]") for index, value in enumerate(self.value))

    def text(self) -> str:
        """Give the text, which must not be empty. Raise `InvalidEvent`."""
        if not isinstance(self.value, str) or not self.value:
            self.fail(f"is {quote(self.value)}; it must be a text that is not empty")
        return self.value

    def word(self) -> str:
        """Give a name, state or id: printable, at most `MAX_WORD` characters. Raise `InvalidEvent`."""
        text = self.text()
        if len(text) > MAX_WORD or not text.isprintable():
            self.fail(f"is {quote(text)}; it must be printable and have at most {MAX_WORD} characters")
        return text

    def is_json(self) -> bool:
        """Tell whether this is a text that begins as a JSON object or array does."""
        return isinstance(self.value, str) and self.value.lstrip("\ufeff \t\r\n").startswith(("{", "["))

    def json(self) -> "Node":
        """Read this text as JSON of its own. Raise `InvalidEvent` where it isn't any."""
        return read(self.text(), self.path)


def read(text: str, path: str = "") -> Node:
    """Read JSON, refusing what two readers could understand differently.

    Raise `InvalidEvent` for anything that is not JSON (RFC 8259; a byte order mark is skipped), for a key
    twice in one object, NaN and infinities, numbers of more than `MAX_DIGITS` digits, half characters
    (lone surrogates), more than `MAX_DEPTH` levels, `MAX_STRUCTURES` or
    `MAX_MEMBERS`.
    """
    here = Node(text, path)
    # What has no digits in a row, in one pass or two of machine speed, need not be gone through.
    if _ZEROS in text.encode(errors="replace").translate(_TO_ZEROS) and (long := _LONG_NUMBER.match(text)):
        here.fail(f"holds a number of {len(long[1])} digits; numbers have at most {MAX_DIGITS}")
    if (structures := text.count("{") + text.count("[")) > MAX_STRUCTURES:
        here.fail(f"holds {structures:,} objects and lists; it may hold at most {MAX_STRUCTURES:,}")
    if (members := text.count(",")) > MAX_MEMBERS:
        here.fail(f"holds {members:,} fields and elements; it may hold at most {MAX_MEMBERS:,}")
    try:
        value: Json = json.loads(
            text.removeprefix("\ufeff"),
            object_pairs_hook=_object,
            parse_float=_fraction,
            parse_constant=_constant,
        )
    except json.JSONDecodeError as error:
        shown = quote(text) if text.strip() else "empty"
        here.fail(f"is {shown}, not JSON (line {error.lineno}, column {error.colno})")
    except RecursionError:
        here.fail(f"is nested deeper than {MAX_DEPTH} levels")
    except ValueError as error:
        here.fail(str(error))
    if structures > MAX_DEPTH and _is_deep(value):
        here.fail(f"is nested deeper than {MAX_DEPTH} levels")
    if _SURROGATE.search(text) and not _can_be_sent(value):
        here.fail("holds half of a character (a lone surrogate)")
    return Node(value, path)


def _object(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        (twice, _), *_ = Counter(key for key, _ in pairs).most_common(1)
        raise ValueError(f"names {name(twice)} twice in one object; name each field once")
    return fields


def _fraction(digits: str) -> float:
    if math.isinf(found := float(digits)):
        raise ValueError(f"holds the number {name(digits)}, which is too large")
    return found


def _constant(word: str) -> NoReturn:
    raise ValueError(f"holds {word}, which is not JSON")


def _can_be_sent(value: Json) -> bool:
    """Tell whether every text in it can be written as UTF-8."""
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


def _is_deep(value: Json) -> bool:
    """Go through it level by level, without recursion."""
    level: list[dict[str, Json] | list[Json]] = [value] if isinstance(value, _STRUCTURES) else []
    for _ in range(MAX_DEPTH):
        level = [
            each
            for current in level
            for each in (current.values() if isinstance(current, dict) else current)
            if isinstance(each, _STRUCTURES)
        ]
        if not level:
            return False
    return True
