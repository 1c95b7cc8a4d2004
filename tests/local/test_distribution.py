"""The local ECS as a distribution of its own, in somebody else's project: `tests/example`, run as theirs."""

import ast
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.emulator.for_tests import EcsForTests, serving

ROOT = Path(__file__).parents[2]
LOCAL = ROOT / "local"
EXAMPLE = ROOT / "tests" / "example"
PROJECT = tomllib.loads((LOCAL / "pyproject.toml").read_text())
PACKAGES = PROJECT["tool"]["setuptools"]["package-dir"]

ELSEWHERE = """
import sys
site, installed, here, *arguments = sys.argv[1:]

class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"function", "matplotlib", "rich", "simulation", "typer"}:
            raise ImportError(name + " is not there")

sys.meta_path.insert(0, Blocked())
sys.path[:0] = [here, installed, site]
import pytest
code = pytest.main(["-p", "no:cacheprovider", "-p", "no:xdist", "-q", *arguments, here])
assert "local.emulator.for_tests" in sys.modules
assert sys.modules["local.emulator.for_tests"].__file__.startswith(installed)
sys.exit(code)
"""
"""Without the editable install of this project (`-S`), and with what it would not have out of reach."""

OVER_TLS = """
import ssl, urllib.error, urllib.request

def test_it(local_ecs):
    assert local_ecs.protocol == "HTTPS"
    trusting = ssl.create_default_context(cafile=local_ecs.ca_file)
    try:
        urllib.request.urlopen(local_ecs.endpoint + "/?Action=DescribeRegions", context=trusting)
    except urllib.error.HTTPError as error:
        assert b"MissingAccessKeyId" in error.read()
    assert [call.code for call in local_ecs.calls] == ["MissingAccessKeyId"]
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the distribution from a copy, as pip does, and install it beside nothing."""
    copy = tmp_path_factory.mktemp("source") / "local"
    shutil.copytree(LOCAL, copy, ignore=shutil.ignore_patterns("__pycache__", "build", "*.egg-info"))
    target = tmp_path_factory.mktemp("site")
    pip = (sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-index")
    subprocess.run([*pip, "--no-deps", "--no-build-isolation", "--target", target, copy], check=True)
    return target


def run_tests(project: Path, installed: Path) -> str:
    """Run somebody's tests where nothing else of this project is; they pass."""
    site = next(path for path in sys.path if path.endswith("site-packages"))
    command = [sys.executable, "-I", "-S", "-c", ELSEWHERE, site, str(installed), str(project)]
    ran = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


def test_it_is_used_by_others(installed: Path) -> None:
    """The fixture comes by itself, and the example's tests pass with it."""
    assert "3 passed" in run_tests(EXAMPLE, installed)


def test_it_is_used_over_tls(installed: Path, tmp_path: Path) -> None:
    """With a line in the ini file it speaks TLS, and says whom to trust."""
    (tmp_path / "pytest.ini").write_text("[pytest]\nlocal_ecs_tls = true\n")
    (tmp_path / "test_it.py").write_text(OVER_TLS)
    assert "1 passed" in run_tests(tmp_path, installed)


def _files(folder: Path, root: Path) -> Iterator[str]:
    for path in folder.rglob("*"):
        if path.is_file() and "__pycache__" not in path.parts:
            yield str(path.relative_to(root))


def test_it_holds_what_it_needs_and_no_more(installed: Path) -> None:
    """The packages with their data are there; neither the command line nor anything of the function is."""
    files = set(_files(installed, installed))
    assert {path.partition("/")[0] for path in files if ".dist-info" not in path} == {"local", "bin"}
    ours = {path for name in PACKAGES.values() for path in _files(LOCAL / name, ROOT)}
    assert {path for path in files if path.startswith("local/")} == ours


def test_its_dependencies_are_what_it_imports() -> None:
    """Each package that the code imports is a dependency, or the extra's, and no other is."""
    imported: set[str] = set()
    for name in PACKAGES.values():
        for path in (LOCAL / name).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Import):
                    imported |= {alias.name.partition(".")[0] for alias in node.names}
                elif isinstance(node, ast.ImportFrom):
                    imported.add(str(node.module).partition(".")[0])
    outside = imported - sys.stdlib_module_names - {"local", "_typeshed"}
    given = [*PROJECT["project"]["dependencies"], *PROJECT["project"]["optional-dependencies"]["tls"]]
    assert outside == {requirement.partition(">")[0] for requirement in given} | {"pytest"}


def test_its_version_and_dependencies_are_the_projects() -> None:
    """What is tested here is what is asked for there."""
    own = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    here = [*own["dependencies"], *own["optional-dependencies"]["local"]]
    given = [*PROJECT["project"]["dependencies"], *PROJECT["project"]["optional-dependencies"]["tls"]]
    assert set(given) <= set(here)
    assert (PROJECT["project"]["version"], PROJECT["project"]["requires-python"]) == (
        own["version"],
        own["requires-python"],
    )


def test_the_documents_say_what_the_fixture_offers() -> None:
    """Everything that a test may use of it is in the table."""
    with serving() as ecs:
        offered = {name for name in (*vars(EcsForTests), *vars(ecs)) if not name.startswith("_")}
    text = (
        (ROOT / "docs" / "local-ecs.md").read_text(encoding="utf-8").partition("| `local_ecs.…` | is |\n")[2]
    )
    cells = " ".join(line.split("|")[1] for line in text.partition("\n\n")[0].splitlines()[1:])
    assert offered == set(re.findall(r"`(\w+)", cells))
