"""Questions to the log, answered as Simple Log Service answers them: a search, `|`, and SQL on what it finds.

The search is the part of SLS's syntax that is used here: `field: word`, `and`, `or`, `not`, brackets; a word
is what stands between the index's delimiters. The SQL is run by SQLite, with those of Presto's functions that
it lacks, on the first 2,048 bytes of each field, which is what an index keeps for it by default.
"""

import json
import re
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing

Entry = Mapping[str, str]
"""A log entry: its fields."""

MAX_TEXT = 2_048
_WORDS = re.compile(r'\s*(\(|\)|\w+:|"[^"]*"|[^\s()]+)')


class Index:
    """What may be searched: the fields, and the characters that part their words."""

    def __init__(self, *fields: str, delimiter: str) -> None:
        self.fields = fields
        self.delimiter = delimiter

    def words(self, text: str) -> set[str]:
        """Part a text into words, case-sensitive."""
        return set(re.split(f"[{re.escape(self.delimiter)}]+", text)) - {""}


def ask(query: str, entries: Sequence[Entry], index: Index) -> list[dict[str, object]]:
    """Give the rows that a query finds in these entries."""
    search, bar, sql = query.partition("|")
    assert bar, f"no SQL in {query}"
    found = [entry for entry in entries if _Search(search, index).matches(entry)]
    with closing(sqlite3.connect(":memory:")) as database:
        database.create_function("json_extract_scalar", 2, _json_extract_scalar, deterministic=True)
        database.create_aggregate("max_by", 2, _MaxBy)  # type: ignore[arg-type]  # typeshed wants ints
        database.execute(f"create table log ({', '.join(index.fields)})")
        places = ", ".join("?" for _ in index.fields)
        rows = [[_kept(entry.get(field, "")) for field in index.fields] for entry in found]
        database.executemany(f"insert into log values ({places})", rows)  # noqa: S608 - of this file alone
        answer = database.execute(sql)
        names = [column[0] for column in answer.description]
        return [dict(zip(names, row, strict=True)) for row in answer]


class _Search:
    """A search, read from left to right: `or` of `and` of `not`; two words side by side are an `and`."""

    def __init__(self, text: str, index: Index) -> None:
        self.index = index
        self.words = [match[1] for match in _WORDS.finditer(text.strip())]

    def matches(self, entry: Entry) -> bool:
        """Whether an entry is found."""
        words = iter([*self.words, ""])
        self.next = next(words)
        self.rest = words
        found = self._any(entry)
        assert self.next == "", f"{self.next!r} is left over"
        return found

    def _take(self) -> str:
        word, self.next = self.next, next(self.rest, "")
        return word

    def _any(self, entry: Entry) -> bool:
        found = self._all(entry)
        while self.next == "or":
            self._take()
            found = self._all(entry) or found
        return found

    def _all(self, entry: Entry) -> bool:
        found = self._one(entry)
        while self.next not in {"", "or", ")"}:
            if self.next == "and":
                self._take()
            found = self._one(entry) and found
        return found

    def _one(self, entry: Entry) -> bool:
        word = self._take()
        if word == "not":
            return not self._one(entry)
        if word == "(":
            found = self._any(entry)
            assert self._take() == ")"
            return found
        field = word.removesuffix(":")
        assert field in self.index.fields, f"{field} is not indexed"
        wanted = self.index.words(self._take().strip('"'))
        return wanted <= self.index.words(entry.get(field, ""))


def _kept(text: str) -> str:
    return text.encode()[:MAX_TEXT].decode(errors="ignore")


def _json_extract_scalar(text: str, path: str) -> str | None:
    """As Presto's: what is no JSON, or no scalar, is null; a boolean is its word."""
    try:
        value = json.loads(text)
    except ValueError:
        return None
    for name in path.removeprefix("$.").split("."):
        value = value.get(name) if isinstance(value, dict) else None
    if value is None or isinstance(value, dict | list):
        return None
    return value if isinstance(value, str) else json.dumps(value)


class _MaxBy:
    """Presto's `max_by(value, key)`: the value beside the greatest key."""

    def __init__(self) -> None:
        self.best: tuple[str, str | None] | None = None

    def step(self, value: str | None, key: str) -> None:
        """Take in a row."""
        if self.best is None or key >= self.best[0]:
            self.best = key, value

    def finalize(self) -> str | None:
        """Give the value."""
        return self.best[1] if self.best else None


def queries(page: str) -> Iterator[str]:
    """Give the queries of a Markdown page: its indented blocks that begin with a search."""
    for block in re.findall(r"(?:^    .*\n)+", page, flags=re.MULTILINE):
        text = " ".join(block.split())
        if text.startswith("message:"):
            yield text
