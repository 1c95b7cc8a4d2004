"""JSON files as people have them, in whichever encoding, packed, page after page; and errors for people."""

import codecs
import gzip
import json
import re
import zlib
from typing import Any

from local.emulator.json_values import MAX_DEPTH, is_deep

MAX_UNPACKED = 512 << 20
"""Bytes that a packed file may unpack to."""

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_GZIP = b"\x1f\x8b"
_DECODER = json.JSONDecoder()
_BINARY = re.compile(rb"[\x01-\x08\x0e-\x1a\x1c-\x1f]")
"""Control characters that no text has, in any encoding but UTF-16, where two may look so."""
_BLANK = re.compile(r"[ \t\r\n]*")
_TYPOGRAPHIC = "\u201c\u201d\u201e\u2018\u2019\u00ab\u00bb"
_YAML = re.compile(r"(---|- |[A-Za-z_][\w-]*:(\s|$))")
_OTHER_WORDS = {"None": "null", "nil": "null", "undefined": "null", "True": "true", "False": "false"}
_WORD = re.compile(r"[A-Za-z_]\w*")
_ECHO = 20
"""Characters of what stands where it goes wrong: enough to find it."""
_DEEP = f"it is nested deeper than {MAX_DEPTH} levels"


class InvalidJson(ValueError):  # noqa: N818 - what is wrong is the text, and the message says how
    """The text is no JSON. The message has line and column, what is there, and what JSON wants."""


def decode(content: bytes) -> str:
    """Give a file's text: UTF-8, UTF-16 or UTF-32, with a byte order mark or without; packed by gzip or not.

    Raise InvalidJson.
    """
    if content.startswith(_GZIP):
        content = _unpacked(content)
    encoding = next((name for mark, name in _MARKS if content.startswith(mark)), None) or _guessed(content)
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        if _BINARY.search(content):
            raise InvalidJson("this is no text but a binary file") from None
        raise InvalidJson(
            f"byte {error.start + 1:,} is not {encoding.upper().removesuffix('-SIG')}; save the file as UTF-8"
        ) from None


def documents(text: str) -> list[Any]:
    """Give the JSON documents in a text, one after another, as `aliyun … --pager` and loops write them.

    Raise InvalidJson, where there is none at all, too.
    """
    found: list[Any] = []
    position = _end_of_blank(text, 0)
    if position == len(text):
        raise InvalidJson("it is empty")
    while position < len(text):
        try:
            value, position = _DECODER.raw_decode(text, position)
        except json.JSONDecodeError as error:
            raise InvalidJson(_explained(text, error, first=not found)) from None
        except RecursionError:
            raise InvalidJson(_DEEP) from None
        except ValueError:  # a number of more digits than Python reads
            raise InvalidJson("it holds a number of thousands of digits") from None
        if is_deep(value):
            raise InvalidJson(_DEEP)
        found.append(value)
        position = _end_of_blank(text, position)
    return found


def line_and_column(text: str, position: int) -> str:
    """Say where a position is, as editors do."""
    line = text.count("\n", 0, position) + 1
    return f"line {line}, column {position - text.rfind(chr(10), 0, position)}"


def _unpacked(content: bytes) -> bytes:
    try:
        unpacking = zlib.decompressobj(wbits=31)
        found = unpacking.decompress(content, MAX_UNPACKED)
        if unpacking.unconsumed_tail:
            raise InvalidJson(f"it unpacks to more than {MAX_UNPACKED >> 20} MB")
        return found if unpacking.eof and not unpacking.unused_data else gzip.decompress(content)
    except (zlib.error, EOFError, gzip.BadGzipFile):
        raise InvalidJson("it is packed by gzip, and broken or cut off") from None


def _guessed(content: bytes) -> str:
    """Tell UTF-16 without a mark by its zeros: every text of JSON begins with two characters of ASCII."""
    start = content[:4]
    if len(start) >= 2 and start[1:2] == b"\0" and start[:1] != b"\0":  # noqa: PLR2004 - one character
        return "utf-16-le"
    if len(start) >= 2 and start[:1] == b"\0" and start[1:2] != b"\0":  # noqa: PLR2004
        return "utf-16-be"
    return "utf-8"


def _end_of_blank(text: str, position: int) -> int:
    match = _BLANK.match(text, position)
    return match.end() if match else position


def _explained(text: str, error: json.JSONDecodeError, *, first: bool) -> str:
    """Say what is wrong with which character, and what JSON wants."""
    position = error.pos
    if position < len(text) and text[position] == ",":
        position = _end_of_blank(
            text, position + 1
        )  # newer Pythons point at a comma too many, older behind it
    here = text[position : position + _ECHO].split("\n", maxsplit=1)[0]
    before = text[:position].rstrip()
    problem = (_of_the_whole(text.lstrip()) if first else None) or _of_a_slip(here, before)
    return f"{line_and_column(text, position)}: {problem or _of_the_grammar(here, error.msg)}"


def _of_the_whole(start: str) -> str | None:
    """Tell what is something else than JSON from its beginning on."""
    if start[:1] == "<":
        return "this is HTML or XML; JSON begins with { or ["
    if start.startswith("ERROR"):
        return "this is an error that a command printed, not its answer; run it again"
    if _YAML.match(start):
        return 'this looks like YAML; JSON wants { and ": have it converted, as by yq -o json'
    return None


def _of_a_slip(here: str, before: str) -> str | None:
    """Tell what people write, and other languages have, where JSON is stricter."""
    word = _WORD.match(here)
    if not here:
        return "it ends in the midst of a value; is it cut off?"
    if here[0] in _TYPOGRAPHIC:
        return f'{here[0]} is a typographic quote; JSON wants "'
    if here[0] == "'":
        return "' is a single quote; JSON wants \""
    if here.startswith(("//", "/*", "#")):
        return "JSON has no comments; remove it"
    if here[0] in "]}" and before.endswith(","):
        return f"there is a comma before {here[0]}; JSON wants none after the last"
    if word and word[0] in _OTHER_WORDS:
        return f"{word[0]} is no JSON; it is {_OTHER_WORDS[word[0]]} there"
    if word and before.endswith(("{", ",")):
        return f'{word[0]} stands without quotes; JSON wants "{word[0]}"'
    return None


def _of_the_grammar(here: str, message: str) -> str:
    """Say in other words what Python says."""
    for start, problem in (
        ("Expecting ',' delimiter", f"a comma is missing before {here!r}"),
        ("Expecting ':' delimiter", f"a colon is missing before {here!r}"),
        ("Unterminated string", "a text begins here and never ends; a quote is missing"),
        ("Invalid control character", "a text holds the end of a line or a tab; JSON wants \\n or \\t"),
        ("Invalid \\", f"{here[:2]} is unknown after a backslash; JSON wants \\\\ for a backslash itself"),
    ):
        if message.startswith(start):
            return problem
    return (
        f"{here!r} can't stand here; JSON wants {{, [, a text in double quotes, a number, true, false or null"
    )
