"""The artifact, run as Function Compute runs it: nothing else on the path, against the local ECS."""

import fcntl
import importlib.util
import json
import marshal
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, MappingProxyType
from typing import Any

import pytest

from local.artifact import LEFT_OUT, PROJECT, RUNTIMES, Artifact, BuildTarget, build, find_interpreter
from local.emulator.backend import LocalEcs, utc_now
from local.emulator.fleet import Fleet
from local.emulator.fleet_file import load_fleet, sample_fleet
from local.emulator.functions import LocalFunctions
from local.emulator.server import serve

MEGABYTE = 1_000_000
SMALLEST_INSTANCE = 128 << 20
"""Bytes of memory in FC's smallest instance."""

# Function Compute's part: the code directory first on the path, one initializer, then the handler. The limit
# is on address space, of which glibc and Python reserve much more than they use for every thread (a heap of
# 64 MB, a stack of 8 MB), so these are kept small; what is limited is all the rest.
FUNCTION_COMPUTE = """
import json, resource, sys, threading
from types import SimpleNamespace
resource.setrlimit(resource.RLIMIT_AS, ({memory}, {memory}))
threading.stack_size(1 << 20)
sys.path.insert(0, {code!r})
context = SimpleNamespace(
    request_id="1-r", region="cn-hangzhou", account_id="1234567890123456",
    function=SimpleNamespace(name="stop-guard", handler="index.handler", memory=128, timeout=60),
)
if {credentials!r}:
    context.credentials = SimpleNamespace(
        access_key_id="emulator", access_key_secret="emulator", security_token=""
    )
import index
index.initialize(context)
answers = []
for event in {events!r}:
    try:
        answers.append(index.handler(event, context))
    except Exception as error:
        answers.append({{"errorType": type(error).__name__, "errorMessage": str(error)}})
with open("/proc/self/status") as lines:
    status = dict(line.split(":", 1) for line in lines)
print(json.dumps({{
    "answers": answers,
    "modules": sorted(sys.modules),
    "outside": [module.__file__ for name, module in sys.modules.items() if getattr(module, "__file__", None)
        and "site-packages" in module.__file__],
    "peak": int(status["VmHWM"].split()[0]) << 10,
}}))
"""

OPTED_IN = {"Tag": [{"TagKey": "auto-stop", "TagValue": "true"}]}
TIMER = (PROJECT / "events" / "timer.json").read_bytes()
REQUEST = (PROJECT / "events" / "request.json").read_bytes()


@pytest.fixture(scope="session", params=sorted(RUNTIMES))
def runtime(request: pytest.FixtureRequest) -> BuildTarget:
    """Give each runtime that there is an artifact for."""
    return RUNTIMES[request.param]


@pytest.fixture(scope="session")
def artifact(runtime: BuildTarget, tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Artifact:
    """Build once for all of pytest's workers."""
    own = tmp_path_factory.getbasetemp()
    place = own if worker_id == "master" else own.parent
    directory = place / f"artifact-{runtime.name}"
    with (place / f"{directory.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if directory.exists():
            archive = directory.with_name(f"{directory.name}.zip")
            return Artifact(directory, archive, find_interpreter(runtime))
        return build(runtime, directory)


@pytest.fixture(scope="session")
def python(runtime: BuildTarget) -> Path:
    """Give an interpreter of the runtime's version."""
    found = find_interpreter(runtime)
    if found is None:
        pytest.skip(f"no Python {runtime.version} on this machine: neither on the PATH nor in pyenv")
    return found


def test_interpreters_next_to_this_one_are_found(tmp_path: Path) -> None:
    """Where neither PATH nor HOME leads to pyenv, its versions are found beside this Python."""
    versions = tmp_path / "versions"
    other = versions / "3.99.1" / "bin" / "python3.99"
    other.parent.mkdir(parents=True)
    other.write_text("#!/bin/sh\necho cpython-399\n")
    other.chmod(0o755)
    ask = (
        f"import sys; sys.base_prefix = {str(versions / '3.11.7')!r}\n"
        "from local.artifact import BuildTarget, find_interpreter\n"
        "print(find_interpreter(BuildTarget('python3.99', '3.99')))"
    )
    done = subprocess.run(
        [sys.executable, "-c", ask],
        env={"PATH": "", "HOME": str(tmp_path)},
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == str(other)


@dataclass(frozen=True, slots=True)
class Ran:
    """What a process of Function Compute's printed, and the calls that came of it."""

    answers: Sequence[dict[str, Any]]
    log: Sequence[dict[str, Any]]
    modules: Sequence[str]
    outside: Sequence[str]
    peak: int
    calls: Sequence[str]
    handed_on: int


def run(
    python: Path,
    directory: Path,
    *events: bytes,
    fleet: Fleet | None = None,
    credentials: bool = False,
    settings: Mapping[str, str] = MappingProxyType({}),
) -> Ran:
    """Run the artifact in a fresh process, with Function Compute's environment, settings, and no other.

    On its ECS a minute passes in a second. `credentials`: as up to Python 3.10, in the context only.
    """
    began = utc_now()
    ecs = LocalEcs(fleet or sample_fleet(), now=lambda: began + (utc_now() - began) * 60)
    key = "none" if credentials else "emulator"
    code = FUNCTION_COMPUTE.format(
        code=str(directory), credentials=credentials, events=events, memory=SMALLEST_INSTANCE
    )
    functions = LocalFunctions()
    with serve(ecs, functions) as endpoint:
        done = subprocess.run(
            [python, "-s", "-S", "-c", code],
            cwd="/",
            env={
                "PYTHONPATH": str(directory / "python"),
                "PYTHONDONTWRITEBYTECODE": "1",  # FC's code directory is read-only
                "MALLOC_ARENA_MAX": "1",
                "ALIBABA_CLOUD_ACCESS_KEY_ID": key,
                "ALIBABA_CLOUD_ACCESS_KEY_SECRET": key,
                "ALIBABA_CLOUD_SECURITY_TOKEN": "",
                "FC_REGION": "cn-hangzhou",
                "FC_ACCOUNT_ID": "1234567890123456",
                "FC_FUNCTION_NAME": "stop-guard",
                "FC_FUNCTION_MEMORY_SIZE": "128",
                "FC_FUNC_CODE_PATH": str(directory),
                "FC_INSTANCE_ID": "c-1",
                "ECS_ENDPOINT": endpoint,
                "STS_ENDPOINT": endpoint,
                "FAN_OUT_ENDPOINT": endpoint,
                "MAX_EVENT_AGE_MINUTES": "0",
                **settings,
            },
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
    assert (done.returncode, done.stderr) == (0, "")
    *log, said = map(json.loads, done.stdout.splitlines())
    calls = [call.action for call in ecs.calls]
    return Ran(log=log, calls=calls, handed_on=len(functions.waiting), **said)


@pytest.mark.parametrize("credentials", [False, True], ids=["context-3.12", "context-3.10"])
def test_it_runs_in_the_smallest_instance(artifact: Artifact, python: Path, credentials: bool) -> None:  # noqa: FBT001 - which of the two contexts
    """The sample evening runs to its end from nothing but the artifact, in 128 MB, with both contexts."""
    ran = run(python, artifact.directory, TIMER, credentials=credentials)

    (report,) = ran.answers
    wanted = json.loads(json.loads(TIMER)["payload"])["InstanceIds"]
    assert sorted(outcome["instance_id"] for outcome in report["outcomes"]) == sorted(wanted)
    assert report["summary"]["total"] == len(wanted)
    assert report["summary"]["stopped"] > 0
    assert set(report["summary"]) == {"total", "stopped", "already_stopped", "refused"}
    assert ran.calls.count("StopInstance") == report["summary"]["stopped"]
    assert len(ran.log) == len(wanted) + 1
    assert ran.outside == []
    assert ran.peak <= 64 * MEGABYTE


def test_a_hundred_instances_fit_too(artifact: Artifact, python: Path, tmp_path: Path) -> None:
    """A hundred stops, sixteen at a time, need little more memory than the first."""
    instances = [{"InstanceId": f"i-bp1hundred{number:03}", "Tags": OPTED_IN} for number in range(100)]
    saved = tmp_path / "fleet.json"
    saved.write_text(json.dumps(instances))
    event = json.dumps({"Tag": [{"Key": "auto-stop", "Value": "true"}]}).encode()

    ran = run(python, artifact.directory, event, fleet=load_fleet(saved))

    assert ran.answers[0]["summary"] == {"total": 100, "stopped": 100}
    assert ran.peak <= 64 * MEGABYTE


def test_it_runs_without_byte_code(artifact: Artifact, python: Path, tmp_path: Path) -> None:
    """Built where no interpreter of the target's version is, the artifact runs all the same."""
    bare = tmp_path / "code"
    shutil.copytree(artifact.directory, bare, ignore=shutil.ignore_patterns("__pycache__"))

    ran = run(python, bare, REQUEST)

    assert ran.answers[0]["summary"]["total"] > 0
    assert ran.peak <= 64 * MEGABYTE


def test_nothing_is_in_it_that_is_never_used(artifact: Artifact, python: Path) -> None:
    """Every package is imported once an evening, two other accounts and an error are through; it all fits."""
    roles = [f"acs:ram::{account}:role/stop-guard" for account in ("2345678901234567", "3456789012345678")]
    fleet = Fleet.from_instances(
        [
            {"InstanceId": f"i-bp1of{role[9]}", "Tags": OPTED_IN, "x-emulator": {"AccountId": role[9:25]}}
            for role in roles
        ]
    )
    event = json.dumps({"Tag": [{"Key": "auto-stop"}], "RoleArns": roles}).encode()
    settings = {"ALLOWED_ROLE_ARNS": ",".join(roles), "FAN_OUT": "true"}

    ran = run(python, artifact.directory, REQUEST, event, b"{}", fleet=fleet, settings=settings)

    assert ran.answers[2]["errorType"] == "InvalidEvent"
    assert (ran.calls.count("AssumeRole"), ran.handed_on) == (2, 2)
    assert ran.peak <= SMALLEST_INSTANCE
    deployed = {path.name.removesuffix(".py") for path in (artifact.directory / "python").iterdir()}
    only_for_hosts_not_in_ascii = "idna"
    assert deployed - {"__pycache__", only_for_hosts_not_in_ascii} <= {
        name.partition(".")[0] for name in ran.modules
    }
    own = {
        ".".join(path.relative_to(artifact.directory).with_suffix("").parts)
        for path in (artifact.directory / "function").rglob("*.py")
    }
    assert {name.removesuffix(".__init__") for name in own} <= set(ran.modules)


def test_it_holds_the_function_and_its_dependencies_only(artifact: Artifact) -> None:
    """At its root are index.py, `function` and `python`; no tests, no metadata, no stubs, no empty places."""
    names = {path.name for path in artifact.directory.iterdir()}
    assert names - {"__pycache__"} == {"index.py", "function", "python"}
    assert not (artifact.directory / "function" / "index.py").exists()
    unwanted = {".pyi", ".dist-info", ".txt", ".c", ".pyx", ".exe"}
    assert [path for path in artifact.directory.rglob("*") if path.suffix in unwanted] == []
    unused = re.compile(r"tests?|test_.*|cli|__main__")
    assert [path for path in artifact.directory.rglob("*") if unused.fullmatch(path.stem)] == []
    directories = [path for path in artifact.directory.rglob("*") if path.is_dir()]
    assert [path for path in directories if not any(path.iterdir())] == []
    models = artifact.directory / "python" / "alibabacloud_ecs20140526" / "models"
    assert {path.stem for path in models.glob("*.py")} == {
        "_describe_instance_types_request",
        "_describe_instances_request",
        "_stop_instance_request",
        "_stop_instances_request",
    }


def test_it_is_small(artifact: Artifact) -> None:
    """The zip file, byte code included, has at most 8 MB."""
    assert artifact.archive.stat().st_size <= 8 * MEGABYTE


def test_binaries_are_for_the_target(artifact: Artifact, runtime: BuildTarget) -> None:
    """Extension modules are the target version's; for FC, those of x86-64."""
    binaries = list(artifact.directory.rglob("*.so"))
    assert binaries
    for binary in binaries:
        assert f".{runtime.cache_tag}-" in binary.name
        if runtime.platforms:
            assert binary.name.endswith("-x86_64-linux-gnu.so")


def test_byte_code_is_complete_and_always_valid(
    artifact: Artifact, runtime: BuildTarget, python: Path
) -> None:
    """Each module has byte code that is not checked against its source: FC sets files' times as it likes."""
    assert artifact.compiled_by == python
    sources = list(artifact.directory.rglob("*.py"))
    assert sources
    for source in sources:
        byte_code = source.parent / "__pycache__" / f"{source.stem}.{runtime.cache_tag}.pyc"
        # Bytes 4 to 8: bit 0 says "by hash", bit 1 "check the source" (PEP 552).
        assert byte_code.read_bytes()[4:8] == b"\x01\x00\x00\x00"
    if runtime is RUNTIMES["host"]:
        byte_code = Path(importlib.util.cache_from_source(str(artifact.directory / "index.py")))
        code = marshal.loads(byte_code.read_bytes()[16:])  # noqa: S302 - this very build's
        assert isinstance(code, CodeType)
        assert code.co_filename == "/code/index.py"


@pytest.mark.parametrize(
    "runtime", [RUNTIMES["python3.12"]], indirect=False, scope="session", ids=["python3.12"]
)
def test_a_second_build_gives_the_same_bytes(
    runtime: BuildTarget, artifact: Artifact, tmp_path: Path
) -> None:
    """Built once more, over an older tree, the artifact is the same to the byte and nothing else is left."""
    directory = tmp_path / "elsewhere"
    directory.mkdir()
    (directory / "old.py").touch()

    again = build(runtime, directory)

    assert again.archive.read_bytes() == artifact.archive.read_bytes()
    assert {path.name for path in directory.iterdir()} == {path.name for path in artifact.directory.iterdir()}
    assert {path.name for path in tmp_path.iterdir()} == {"elsewhere", "elsewhere.zip"}


def test_the_lists_fit_the_locked_requirements() -> None:
    """What is left out is locked, and no marker depends on the version of the Python that runs pip."""
    locked = (PROJECT / "requirements.txt").read_text()
    assert set(re.findall(r"^([a-z0-9-]+)==", locked, re.MULTILINE)) >= LEFT_OUT
    assert "python_version" not in locked
    assert "python_full_version" not in locked
