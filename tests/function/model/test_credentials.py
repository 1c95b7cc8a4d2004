"""The redactor: whatever a secret is made of, and however it is written, nothing of it is shown."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import cast
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from function.model.credentials import MIN_SECRET, Credentials, Redactor
from function.model.outcome import Refusal
from function.model.request import Source
from function.reporting.log import MAX_LINE, Log

SECRETS = st.text(min_size=MIN_SECRET, max_size=60).filter(lambda text: set(text) != {"*"})
WAYS: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "in JSON": json.dumps,
    "in JSON, not ASCII": lambda text: json.dumps(text, ensure_ascii=False),
    "in JSON as PHP writes it": lambda text: json.dumps(text).replace("/", "\\/"),
    "by repr": repr,
    "in a URL": lambda text: quote(text, safe=""),
    "in a form": quote_plus,
}
ONE_OR_TWO = st.lists(st.sampled_from(sorted(WAYS)), min_size=1, max_size=3)
unhurried = settings(deadline=None)
NOW = datetime(2026, 1, 31, 20, tzinfo=UTC)


@dataclass(frozen=True)
class ContextKey:
    """`context.credentials` of FC's Python 3.10 runtime."""

    access_key_id: str = "context-id"
    access_key_secret: str = "context-secret"
    security_token: str = "context-token"


ENVIRONMENT = {
    "ALIBABA_CLOUD_ACCESS_KEY_ID": "its-id",
    "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "its-secret",
    "ALIBABA_CLOUD_SECURITY_TOKEN": "its-token",
}


@pytest.mark.parametrize(
    ("context", "found"),
    [
        (None, ["its-id", "its-secret", "its-token"]),
        (ContextKey(access_key_id=""), ["its-id", "its-secret", "its-token"]),
        (ContextKey(), ["context-id", "context-secret", "context-token"]),
        (ContextKey(security_token=""), ["context-id", "context-secret", ""]),
        (ContextKey(security_token=cast(str, None)), ["context-id", "context-secret", ""]),
    ],
)
def test_where_the_keys_come_from(context: ContextKey | None, found: list[str]) -> None:
    """The context's, where it has a key, with a token or none; else those of the environment."""
    keys = Credentials.read(context, ENVIRONMENT)
    assert list(keys.secrets()) == found
    assert repr(keys) == "Credentials()"


def written(text: str, ways: list[str]) -> str:
    """Write a text one way in another."""
    for way in ways:
        text = WAYS[way](text)
    return text


@unhurried
@given(SECRETS, ONE_OR_TWO, st.text(), st.text())
def test_a_secret_is_found_however_it_is_written(
    secret: str, ways: list[str], before: str, after: str
) -> None:
    """A secret is taken out of a text in JSON, as repr, in a URL, and in one of these in another."""
    redact = Redactor([secret])
    shown = redact.text(written(before + secret + after, ways))
    assert "***" in shown
    assert not redact.holds(shown.replace("***", ""))


@unhurried
@given(st.lists(SECRETS, max_size=3), st.text())
def test_a_text_without_secrets_stays(secrets: list[str], text: str) -> None:
    """Where there is none, nothing is changed; a text as short as a word is none."""
    redact = Redactor([*secrets, "short"])
    assume(not redact.holds(text))
    assert redact.text(text) == text
    assert redact.value([text, {"a": text, "b": 1}]) == [text, {"a": text, "b": 1}]
    assert redact.text("a short text") == "a short text" or redact.holds("a short text")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-999, 999) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@unhurried
@given(SECRETS, ONE_OR_TWO, JSON, st.text(max_size=20))
def test_json_stays_json_without_secrets(secret: str, ways: list[str], value: object, beside: str) -> None:
    """Keys and texts of a JSON value lose their secrets, and what is left is still JSON."""
    redact = Redactor([secret])
    # A secret that is itself a piece of JSON's grammar, such as `": null`, is in no text.
    assume(not redact.holds(json.dumps(value)))
    hidden = beside + written(secret, ways) + beside
    cleaned = redact.value({hidden: value, "inside": [hidden, value]})
    assert isinstance(cleaned, dict)
    text = json.dumps(cleaned)
    assert not any(redact.holds(json.dumps(key) + json.dumps(cleaned["inside"][0])) for key in cleaned)
    assert json.loads(text)["inside"][1] == value


def test_a_longer_secret_goes_whole() -> None:
    """Of a secret that begins as another does nothing is left over."""
    assert Redactor(["secret", "secret-and-more"]).text("a secret-and-more, a secret") == "a ***, a ***"


@pytest.mark.parametrize("run", [1, 30_000])
def test_backslashes_take_no_time(run: int) -> None:
    """A row of backslashes of any length is searched at once for a secret that has some."""
    redact = Redactor(['a\\b\\\\c"d'])
    text = 'a\\b\\\\c"' + "\\" * run
    assert redact.text(text) == text


@settings(unhurried, max_examples=60)
@given(
    st.text('SECRT\\"/\u00e9 ', min_size=MIN_SECRET, max_size=40),
    st.lists(st.sampled_from(sorted(WAYS)), min_size=1, max_size=2),
    st.sampled_from(["x", '"', "\u20ac", "\U0001f600"]),
    st.integers(0, 1_100) | st.just(20_000),
)
def test_a_log_line_is_json_within_bounds_and_without_secrets(
    secret: str, ways: list[str], filler: str, length: int
) -> None:
    """Wherever a line has to be cut, no part of a secret is left; it is JSON of less than 32 KB."""
    assume(filler not in secret)
    hidden = filler * length + written(secret, ways) + "x" * 10_000
    lines: list[str] = []
    log = Log("r", lambda: NOW, lines.append, Redactor([secret]))
    log.result(Refusal(source=None, event_id="0", code="0", message=hidden, instance_ids=(hidden,)))
    log.note(Source.TIMER, hidden, hidden)
    for line in lines:
        assert len(line) <= MAX_LINE
        said = json.loads(line)
        assert not set(said["message"] + said["event_id"]) & set("SECRT")
