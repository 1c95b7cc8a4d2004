"""Quoted text reads back as what it was, and shows nothing invisible."""

import ast
import json
import os
import shutil
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.samples.quoting import literal, shell_word, utf16_literal

# What can be in a call: any text that UTF-8 can carry.
TEXT = st.text(st.characters(exclude_categories=["Cs"]))
HOSTILE = (
    "",
    "plain",
    "it's $HOME `id` $(id)",
    'a"b\\',
    "line\nline\r\t",
    "\x1b[31m",
    "\u202etxt.exe",
    "\U0001f600\U000e0041",
)


@given(TEXT)
def test_a_literal_is_python_and_go(text: str) -> None:
    """Python reads the text back, and the literal is one visible line."""
    written = literal(text)
    assert ast.literal_eval(written) == text
    assert written.isprintable()


@given(TEXT)
def test_a_utf16_literal_is_javascript_and_java(text: str) -> None:
    """JSON, whose strings are JavaScript's and Java's too, reads the text back; all of it is visible."""
    written = utf16_literal(text)
    assert json.loads(written) == text
    assert written.isprintable()


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash here")
def test_a_shell_word_is_one_word() -> None:
    """Bash takes each word as the text it was, expanding nothing."""
    words = [shell_word(text) for text in HOSTILE]
    assert all(map(str.isprintable, words))
    done = subprocess.run(
        ["bash", "-c", f"printf '%s\\0' {' '.join(words)}"],  # noqa: S607 - whichever bash there is
        env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"},
        capture_output=True,
        check=True,
    )
    assert done.stdout.decode().split("\0")[:-1] == list(HOSTILE)
