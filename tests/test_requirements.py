"""What is locked: one version of each, and for the demo all that the demo imports."""

import ast
import re
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def locked(name: str) -> dict[str, str]:
    """Give the versions in a locked list, by package; one may have several, by platform."""
    text = (ROOT / name).read_text(encoding="utf-8")
    return {
        f"{one}=={version}": one for one, version in re.findall(r"^([\w.-]+)==([\w.]+)", text, re.MULTILINE)
    }


def test_each_list_holds_the_one_before() -> None:
    """What is deployed is what the demo runs, and what the demo runs is what is tested."""
    deployed, demo, everything = (
        set(locked(name)) for name in ("requirements.txt", "requirements-local.txt", "requirements-dev.txt")
    )
    assert deployed < demo < everything


def test_the_demo_has_all_that_it_imports() -> None:
    """Whatever function/ and local/ import is in the demo's list, but for what only a plot needs."""
    installed = packages_distributions()
    names = {
        name.split(".")[0]
        for folder in ("function", "local")
        for path in (ROOT / folder).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        for name in (
            [one.name for one in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    others = names - set(sys.stdlib_module_names) - {"function", "local", "simulation"}
    others -= {"matplotlib", "pytest", "_typeshed"}  # for a plot, for the fixture, for mypy alone
    assert len(others) > 5
    demo = set(locked("requirements-local.txt").values())
    packages = {re.sub(r"[-_.]+", "-", installed[name][0]).lower(): name for name in others}
    assert {package for package in packages if package not in demo} == set()
