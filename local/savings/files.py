"""The texts in a file of logs or reports: lines, or one JSON document; plain, or packed by gzip."""

import gzip
import io
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from typing import BinaryIO

MAX_LINE = 4 * 1024 * 1024
"""Bytes of a line that are read at most: room for an answer of SLS's GetLogs, a hundred log lines."""

MAX_DOCUMENT = 256 * 1024 * 1024
"""Bytes of a JSON document that are read at most: the report of a hundred thousand instances."""

_UTF_16 = "is UTF-16, as Windows PowerShell's > writes it; make it UTF-8: iconv -f UTF-16 -t UTF-8 FILE"
GZIP = b"\x1f\x8b"
FOREIGN = {
    b"\xff\xfe": _UTF_16,
    b"\xfe\xff": _UTF_16,
    b"PK\x03\x04": "is a zip archive; unpack it first",
    b"\x28\xb5\x2f\xfd": "is packed by zstd; unpack it first",
    b"BZh": "is packed by bzip2; unpack it first",
    b"\xfd7zXZ": "is packed by xz; unpack it first",
    b"target,instance_id,": "is a report as CSV, which does not say when it was made; have it as .json",
}
"""By what a file begins with: what it is, and what would be right."""
_LONGEST_MARK = max(map(len, FOREIGN))


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
        start = buffered.peek(_LONGEST_MARK)
        for mark, problem in FOREIGN.items():
            if start.startswith(mark):
                yield Unreadable(name, problem)
                return
        packed = start.startswith(GZIP)
        yield from _texts(gzip.GzipFile(fileobj=buffered) if packed else buffered, name)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        yield Unreadable(name, f"is packed by gzip, and broken: {error}")
    finally:
        buffered.detach()  # or it would close the file, which is not ours


def _texts(file: io.BufferedIOBase, name: str) -> Iterator[Text | Unreadable]:
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
