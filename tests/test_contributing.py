"""What CONTRIBUTING.md says of the code is so."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.fault_text import InvalidFault, parse_fault

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
FUNCTION = {path.stem: path for path in (ROOT / "function").glob("*.py") if path.stem != "__init__"}
SDK = {
    "alibabacloud_ecs20140526",
    "alibabacloud_fc20230330",
    "alibabacloud_sts20150401",
    "alibabacloud_tea_openapi",
    "darabonba",
    "Tea",
    "requests",
    "urllib3",
}


def picture(name: str) -> str:
    """Give the indented block after the mark of this name."""
    after = TEXT.split(f"<!-- {name} -->\n\n", 1)[1]
    return after.split("\n\n<!--", 1)[0].split("\n\nA module", 1)[0]


def rows() -> list[list[str]]:
    """Give the modules of the picture, row by row."""
    _headings, modules = picture("modules").split("\n\n", 1)
    return [line.split() for line in modules.splitlines()]


def imported(path: Path) -> Iterator[tuple[str, str]]:
    """Give what a file imports: top-level package, and the module in it, if any."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (
                (alias.name.split(".")[0], "".join(alias.name.split(".")[1:2])) for alias in node.names
            )
        elif isinstance(node, ast.ImportFrom) and node.module:
            package, _, module = node.module.partition(".")
            yield from ((package, module or alias.name) for alias in node.names)


def test_the_picture_has_every_module_once() -> None:
    """No module of the function is missing in it, and none is made up."""
    assert sorted(module for row in rows() for module in row) == sorted(FUNCTION)


def test_imports_point_down() -> None:
    """A module imports only from rows below its own, so that there is no way back."""
    height = {module: -place for place, row in enumerate(rows()) for module in row}
    upwards = {
        (module, needed)
        for module, path in FUNCTION.items()
        for package, needed in imported(path)
        if package == "function" and height[needed] >= height[module]
    }
    assert upwards == set()


def test_the_function_needs_nothing_that_stays_here() -> None:
    """What is deployed imports neither what stands in for the cloud nor what only that needs."""
    packages = {package for path in FUNCTION.values() for package, _ in imported(path)}
    assert packages & {"local", "simulation", "tests", "bench", "moto", "werkzeug", "rich", "typer"} == set()


def test_the_sdk_stays_in_its_place() -> None:
    """No other module sees the SDK and what it rides on."""
    seeing = {module for module, path in FUNCTION.items() if {package for package, _ in imported(path)} & SDK}
    assert seeing == {"sdk", "failure", "sts", "fc"}


def test_the_flow_is_made_of_modules_and_their_types() -> None:
    """Each step names modules of the function, each stage a class of one of them."""
    steps = [name for step in re.findall(r"--([a-z, ]+)-->", picture("flow")) for name in step.split(", ")]
    assert set(steps) <= set(FUNCTION)
    classes = {
        node.name
        for path in FUNCTION.values()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ClassDef)
    }
    assert set(re.findall(r"--> (\w+)", picture("flow"))) <= classes


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


def test_every_fault_is_in_the_readme() -> None:
    """Whoever rehearses a bad day finds each kind of fault that there is."""
    with pytest.raises(InvalidFault) as raised:
        parse_fault("*=nonsense")
    known = re.search(r"expected (.+), or an error code", str(raised.value))
    assert known is not None
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert {word for word in known[1].split(", ") if not re.search(rf"`{word}[`,]", readme)} == set()
