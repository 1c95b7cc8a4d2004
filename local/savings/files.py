"""The texts in a file of logs or reports: lines, or one JSON document; plain, or packed by gzip."""

import codecs
import gzip
import io
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from typing import BinaryIO, Protocol

MAX_LINE = 4 * 1024 * 1024
"""Bytes of a line that are read at most: room for an answer of SLS's GetLogs, a hundred log lines."""

MAX_DOCUMENT = 256 * 1024 * 1024
"""Bytes of a JSON document that are read at most: the report of a hundred thousand instances."""

GZIP = b"\x1f\x8b"
FOREIGN = {
    b"PK\x03\x04": "is a zip archive; unpack it first",
    b"\x28\xb5\x2f\xfd": "is packed by zstd; unpack it first",
    b"BZh": "is packed by bzip2; unpack it first",
    b"\xfd7zXZ": "is packed by xz; unpack it first",
    b"target,instance_id,": "is a report as CSV, which does not say when it was made; have it as .json",
}
"""By what a file begins with: what it is, and what would be right."""
_LETTERS = 16
"""Bytes by which UTF-16 without a mark is known: what these files begin with is ASCII."""
_LONGEST_MARK = max(map(len, FOREIGN))


class _Lines(Protocol):
    """What lines are read from."""

    def readline(self, size: int, /) -> bytes:
        """Give a line, of so many bytes at most."""

    def read(self, size: int, /) -> bytes:
        """Give so many bytes at most."""


class _Peekable(_Lines, Protocol):
    """A file whose beginning can be looked at."""

    def peek(self, size: int, /) -> bytes:
        """Give the next bytes, and leave them there."""


@dataclass(frozen=True, slots=True)
class Text:
    """A text, and the number of the line with which it begins."""

    line: int
    text: str


@dataclass(frozen=True, slots=True)
class Unreadable:
    """What is, or was, the function's, but can't be read: where it stands, and why."""

    place: str
    problem: str


def read_texts(file: BinaryIO, name: str) -> Iterator[Text | Unreadable]:
    """Give the lines one at a time, never holding more; a JSON document of many lines as one text."""
    buffered = io.BufferedReader(file)  # type: ignore[type-var]  # it asks for no more than a file has
    try:
        start = buffered.peek(_LONGEST_MARK + len(codecs.BOM_UTF8)).removeprefix(codecs.BOM_UTF8)
        for mark, problem in FOREIGN.items():
            if start.startswith(mark):
                yield Unreadable(name, problem)
                return
        plain: _Peekable = gzip.GzipFile(fileobj=buffered) if start.startswith(GZIP) else buffered
        yield from _texts(_as_utf_8(plain), name)
    except (EOFError, gzip.BadGzipFile, zlib.error):
        yield Unreadable(name, "is packed by gzip, and broken or cut off")
    finally:
        buffered.detach()  # or it would close the file, which is not ours


def _as_utf_8(file: _Peekable) -> _Lines:
    """Read what Windows writes as UTF-8: UTF-16 has a mark, or zeros in its first letters; UTF-8 a mark."""
    start = file.peek(_LETTERS)[:_LETTERS]
    if start.startswith(codecs.BOM_UTF8):
        file.read(len(codecs.BOM_UTF8))
    elif start[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        return codecs.EncodedFile(file, "utf-8", "utf-16", errors="replace")  # type: ignore[arg-type]  # reads alone
    elif {any(start[::2]), any(start[1::2])} == {True, False}:
        encoding = "utf-16-le" if any(start[::2]) else "utf-16-be"
        return codecs.EncodedFile(file, "utf-8", encoding, errors="replace")  # type: ignore[arg-type]  # the same
    return file


def _texts(file: _Lines, name: str) -> Iterator[Text | Unreadable]:
    begun = False
    for number in count(1):
        line = file.readline(MAX_LINE)
        if not line:
            return
        if not begun and line.strip() in {b"{", b"["}:
            yield from _document(line + file.read(MAX_DOCUMENT), number, name)
            return
        begun = begun or bool(line.strip())
        rest = line
        while len(rest) == MAX_LINE and not rest.endswith(b"\n"):
            rest = file.readline(MAX_LINE)
        if rest is line:
            yield Text(number, line.decode(errors="replace"))
        else:
            yield Unreadable(f"{name}:{number}", f"longer than {MAX_LINE} bytes")


def _document(content: bytes, number: int, name: str) -> Iterator[Text | Unreadable]:
    """Give a file that begins like a JSON document of many lines whole."""
    if len(content) > MAX_DOCUMENT:
        yield Unreadable(f"{name}:{number}", f"longer than {MAX_DOCUMENT} bytes")
    else:
        yield Text(number, content.decode(errors="replace"))
