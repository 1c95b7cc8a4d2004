"""What CONTRIBUTING.md says of the code is so."""

import re
from pathlib import Path

import pytest

from local.emulator.fault_text import InvalidFault, parse_fault

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")


def test_every_file_and_test_that_is_named_exists() -> None:
    """A recipe leads somewhere."""
    files = set(re.findall(r"`((?:\w+/)+[\w.]+\.\w+|\w+\.(?:py|yml|md))`", TEXT)) - {"events/NAME.json"}
    assert len(files) > 15
    missing = {
        name
        for name in files
        if not any((ROOT / base / name).exists() for base in ("", "simulation", "function"))
    }
    assert missing == set()
    tests = set(re.findall(r"`(test_\w+)`", TEXT))
    assert len(tests) > 10
    code = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py"))
    assert {name for name in tests if f"def {name}(" not in code} == set()


def test_every_source_file_that_is_named_exists() -> None:
    """Where code, the Makefile or a page names a module by its file, it is there."""
    named = re.compile(r"(?<![\w/.-])(?:function|local|tests|simulation|bench)/[a-z0-9_/]+\.py\b")
    pages = [ROOT / "Makefile", ROOT / "pyproject.toml", *ROOT.glob("*.md"), *ROOT.glob("docs/*.md")]
    for package in ("function", "local", "simulation", "bench", "tests"):
        pages += [path for path in (ROOT / package).rglob("*.py") if "node_modules" not in path.parts]
    found = {name: page for page in pages for name in named.findall(page.read_text(encoding="utf-8"))}
    assert len(found) > 20
    assert {name: page.name for name, page in found.items() if not (ROOT / name).exists()} == {}


def test_every_fault_is_in_the_documents() -> None:
    """Whoever rehearses a bad day finds each kind of fault that there is."""
    with pytest.raises(InvalidFault) as raised:
        parse_fault("*=nonsense")
    known = re.search(r"expected (.+), or an error code", str(raised.value))
    assert known is not None
    page = (ROOT / "docs" / "local-ecs.md").read_text(encoding="utf-8")
    assert {word for word in known[1].split(", ") if not re.search(rf"`{word}[`,]", page)} == set()
