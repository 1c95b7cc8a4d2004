"""Builds what is deployed: `build/`, which is Function Compute's code directory, and the same as a zip file.

The same input gives the same bytes: locked dependencies with hashes, no times, byte code that does not
depend on them. Only files that the function can use are in it: see `LEFT_OUT` and `PRUNED`.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Container, Iterator
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent

LEFT_OUT = frozenset(
    {
        # Dependencies that function/cloud/lazy_imports.py imports lazily, so that they are never loaded...
        "aiohttp",
        "alibabacloud-credentials",
        "charset-normalizer",
        "cryptography",
        "websocket-client",
        # ... theirs ...
        *("aiofiles", "aiohappyeyeballs", "aiosignal", "alibabacloud-credentials-api", "apscheduler"),
        *("attrs", "cffi", "frozenlist", "multidict", "propcache", "pycparser", "tzdata", "tzlocal", "yarl"),
        # ... and one that the SDK requires and no longer imports.
        "alibabacloud-tea-util",
    }
)
"""Locked distributions that are not installed; the artifact's test runs without them."""

PRUNED = (
    "*.dist-info",  # what pip wants to know
    "bin",
    "**/__main__.py",
    "**/py.typed",
    "**/*.pyi",
    "alibabacloud_ecs20140526/client.py",  # 2 MB; the function uses the generic client
    "annotated_types/test_cases.py",
    "certifi/tests",
    "idna/cli.py",
    "pydantic/mypy.py",
    "pydantic/v1",
    "pydantic_core/_pydantic_core",  # stubs
    "urllib3/contrib/emscripten",  # Python in a browser
)
"""Files of the installed distributions that the function can't reach, as patterns below `python/`.

Of ECS's 1,150 models only those stay that function/cloud/sdk.py names.
"""

_ECS_MODELS = "alibabacloud_ecs20140526/models"
_CODE_DIRECTORY = "/code"
"""Where Function Compute puts the artifact; tracebacks from byte code name it."""

_EPOCH = (1980, 1, 1, 0, 0, 0)
"""The earliest time that a zip file can say."""


@dataclass(frozen=True, slots=True)
class BuildTarget:
    """Whose Python the artifact is for."""

    name: str
    version: str
    platforms: tuple[str, ...] = ()
    """Wheel platform tags; none: those of the interpreter at hand."""

    @property
    def cache_tag(self) -> str:
        """As `sys.implementation.cache_tag` says it."""
        return f"cpython-{self.version.replace('.', '')}"


RUNTIMES = {
    # FC's python3.12 runs on Debian 11, whose glibc is 2.31.
    "python3.12": BuildTarget(
        "python3.12", "3.12", ("manylinux_2_28_x86_64", "manylinux_2_17_x86_64", "manylinux2014_x86_64")
    ),
    "host": BuildTarget("host", f"{sys.version_info.major}.{sys.version_info.minor}"),
}


@dataclass(frozen=True, slots=True)
class Artifact:
    """What was built."""

    directory: Path
    archive: Path
    compiled_by: Path | None
    """The interpreter that made the byte code; None: none of the right version is here."""


def build(runtime: BuildTarget, directory: Path, *, byte_code: bool = True) -> Artifact:
    """Build into `directory`, replacing it, and `directory` + `.zip`.

    Raises `subprocess.CalledProcessError` where pip can't install the locked dependencies.
    """
    with tempfile.TemporaryDirectory(dir=directory.parent, prefix=f".{directory.name}-") as made:
        tree = Path(made) / "code"
        _copy_function(tree)
        install(runtime, tree / "python")
        _prune(tree / "python")
        interpreter = find_interpreter(runtime) if byte_code else None
        if interpreter:
            compile_all(interpreter, tree)
        archive = Path(made) / "code.zip"
        make_zip(tree, archive)
        shutil.rmtree(directory, ignore_errors=True)
        tree.rename(directory)
        target = directory.with_name(f"{directory.name}.zip")
        archive.replace(target)
    return Artifact(directory, target, interpreter)


def _copy_function(tree: Path) -> None:
    """Copy the package; its `index.py` to the root, where FC looks for `index.handler`."""
    for source in sorted((PROJECT / "function").rglob("*.py")):
        target = tree / source.relative_to(PROJECT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
    (tree / "function" / "index.py").rename(tree / "index.py")


def install(runtime: BuildTarget, target: Path, left_out: Container[str] = LEFT_OUT) -> None:
    """Install the locked distributions, but those left out, for the runtime, without compiling anything.

    Sources are built with the setuptools at hand: the locked set is pure Python wherever it has no wheel for
    the target, as pip would build an extension module for this machine instead, without a word.
    """
    with tempfile.TemporaryDirectory() as scratch:
        requirements = Path(scratch) / "requirements.txt"
        requirements.write_text("".join(_requirements(left_out)))
        platform = [option for tag in runtime.platforms for option in ("--platform", tag)]
        if platform:
            platform += ["--implementation", "cp", "--python-version", runtime.version]
        subprocess.run(  # noqa: S603 - no part of it is anybody's input
            [
                *(sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"),
                *("--require-hashes", "--no-deps", "--no-build-isolation", "--use-pep517", "--no-compile"),
                *("--target", str(target), *platform, "--requirement", str(requirements)),
            ],
            check=True,
        )


def _requirements(left_out: Container[str]) -> Iterator[str]:
    """Give the locked requirements, each with its hashes, that are not left out."""
    locked = (PROJECT / "requirements.txt").read_text()
    for requirement in re.split(r"^(?=[A-Za-z0-9])", locked, flags=re.MULTILINE)[1:]:
        if requirement.partition("==")[0] not in left_out:
            yield requirement


def _prune(python: Path) -> None:
    used = re.findall(
        rf"{_ECS_MODELS.replace('/', '[.]')}[.](\w+)", (PROJECT / "function" / "cloud" / "sdk.py").read_text()
    )
    unused = set((python / _ECS_MODELS).glob("_*.py")) - {
        python / _ECS_MODELS / f"{name}.py" for name in used
    }
    for path in (*unused, *(path for pattern in PRUNED for path in list(python.glob(pattern)))):
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def find_interpreter(runtime: BuildTarget) -> Path | None:
    """Find a Python of the runtime's version: this one, on the PATH, or one of pyenv's.

    pyenv's versions are in its root, and where this Python is one of them, next to it.
    """
    name = f"python{runtime.version}"
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    candidates = [
        Path(sys.executable),
        *(Path(place) / name for place in os.environ.get("PATH", "").split(os.pathsep)),
        *(
            path
            for versions in (pyenv, Path(sys.base_prefix).parent)
            for path in sorted(versions.glob(f"{runtime.version}*/bin/{name}"))
        ),
    ]
    return next(
        (path for path in candidates if path.exists() and _cache_tag(path) == runtime.cache_tag), None
    )


def _cache_tag(interpreter: Path) -> str | None:
    """Ask an interpreter; None where it does not run, as pyenv's shims of versions that are not chosen."""
    done = subprocess.run(  # noqa: S603 - a Python of this machine, with a fixed question
        [interpreter, "-I", "-S", "-c", "import sys; print(sys.implementation.cache_tag)"],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.strip() if done.returncode == 0 else None


def compile_all(interpreter: Path, tree: Path) -> None:
    """Add byte code that is valid whatever the files' times: FC's code directory is read-only."""
    subprocess.run(  # noqa: S603 - an interpreter found above, with fixed options
        [
            *(interpreter, "-s", "-S", "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash"),
            *("-s", str(tree), "-p", _CODE_DIRECTORY, str(tree)),
        ],
        env={"PYTHONHASHSEED": "0"},  # the order of a set's constants
        check=True,
    )


def make_zip(tree: Path, archive: Path) -> None:
    """Zip a directory's files so that the same files give the same bytes."""
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as made:
        for path in sorted(path for path in tree.rglob("*") if path.is_file()):
            entry = zipfile.ZipInfo(path.relative_to(tree).as_posix(), _EPOCH)
            entry.external_attr = 0o644 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            made.writestr(entry, path.read_bytes())


def main() -> None:
    """Build what the command line names, and say what came of it."""
    parser = argparse.ArgumentParser(prog="make build", description=__doc__)
    parser.add_argument("runtime", choices=RUNTIMES, help="whose Python it is for")
    runtime = RUNTIMES[parser.parse_args().runtime]
    artifact = build(runtime, PROJECT / "build")
    if artifact.compiled_by:
        byte_code = f"byte code by {artifact.compiled_by}"
    else:
        byte_code = f"without byte code, as no Python {runtime.version} is here: cold starts will be slower"
    megabytes = artifact.archive.stat().st_size / 1e6
    print(f"build/ for {runtime.name}, {byte_code}; build.zip has {megabytes:.1f} MB")


if __name__ == "__main__":
    main()
