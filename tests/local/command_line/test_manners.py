"""How the command line behaves away from home: without a net, in pipes, on full disks, in small windows."""

import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.stage import OPTED_IN
from tests.terminal import COMMAND, LIVE, ROOT, emulator, endpoints, environment_of, on_terminal, stop_guard

NO_KEY = {"FC_REGION": "cn-hangzhou", "ALIBABA_CLOUD_ECS_METADATA_DISABLED": "true"}


def closed_port() -> str:
    """Give an endpoint where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return f"http://127.0.0.1:{server.getsockname()[1]}"


@pytest.mark.parametrize(
    ("environment", "says"),
    [
        (NO_KEY, ["found no credentials", "~/.aliyun/config.json", "run `aliyun configure`"]),
        ({**LIVE, "FC_REGION": ""}, ["no region is set", "FC_REGION=cn-hangzhou"]),
        (
            endpoints(closed_port()),
            ["can't reach 127.0.0.1", "the environment (ALIBABA_CLOUD_ACCESS_KEY_ID)", "HTTPS_PROXY"],
        ),
    ],
)
def test_away_from_the_net_it_says_what_is_missing(environment: Mapping[str, str], says: list[str]) -> None:
    """Which credentials, which region, which host, and what to do; at once, exit code 2."""
    begun = time.monotonic()
    done = stop_guard("invoke", "events/request.json", "--live", environment=environment)
    assert done.returncode == 2
    assert time.monotonic() - begun < 15  # five seconds on a machine that does nothing else
    for part in says:
        assert part in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_a_host_that_never_answers_is_given_up() -> None:
    """A server that takes the connection and says nothing holds nobody for minutes."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        silent = endpoints(f"http://127.0.0.1:{server.getsockname()[1]}")
        done = stop_guard("invoke", "events/request.json", "--live", environment=silent)
    assert (done.returncode, "no answer" in done.stderr or "no connection" in done.stderr) == (2, True)


def test_a_key_that_is_unknown_is_said_with_its_source(tmp_path: Path) -> None:
    """STS does not take it: where it came from, and what to do."""
    home = tmp_path / ".aliyun"
    home.mkdir()
    profile = {
        "name": "night",
        "mode": "AK",
        "access_key_id": "LTAInobodysKey",
        "access_key_secret": "nobodysSecret",
        "region_id": "cn-hangzhou",
    }
    (home / "config.json").write_text(json.dumps({"current": "night", "profiles": [profile]}))
    with emulator() as address:
        found = {"ECS_ENDPOINT": address, "STS_ENDPOINT": address, "HOME": str(tmp_path)}
        done = stop_guard("invoke", "events/request.json", "--live", environment=found)
    assert done.returncode == 2
    assert "does not accept the key from ~/.aliyun/config.json" in done.stderr
    assert "aliyun configure" in done.stderr
    assert "nobodysSecret" not in done.stderr


def test_a_missing_right_is_a_persons_not_a_roles() -> None:
    """What is denied to a person's key names the right and the person."""
    with emulator("--fault", "DescribeInstances=Forbidden.RAM") as address:
        done = stop_guard("invoke", "events/request.json", "--live", "--plan", environment=endpoints(address))
        report = stop_guard(
            "invoke", "events/request.json", "--live", "--plan", "--json", environment=endpoints(address)
        )
    assert done.returncode == 1
    for text in (done.stdout, report.stdout):
        assert "ecs:DescribeInstances was denied" in text
        assert "acs:ram::1234567890123456:user/" in text
        assert "function's role" not in text


def test_a_full_disk_is_one_line_and_exit_1(tmp_path: Path) -> None:
    """For the report and the log alike."""
    log = stop_guard("invoke", "events/request.json", "--plan", "--log", "/dev/full")
    assert (log.returncode, log.stderr) == (1, "cannot write the log '/dev/full': No space left on device\n")
    out = tmp_path / "full.csv"
    out.symlink_to("/dev/full")
    report = stop_guard("invoke", "events/request.json", "--plan", "--out", out)
    assert (report.returncode, report.stderr) == (1, f"cannot write '{out}': No space left on device\n")


@pytest.mark.parametrize(
    "command", [["invoke", "events/request.json", "--plan"], ["--version"], ["savings", "-h"], ["check"]]
)
def test_a_full_disk_is_said_of_any_output(command: list[str]) -> None:
    """Also of what the command line's own framework prints."""
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [COMMAND, *command],
            stdout=full,
            stderr=subprocess.PIPE,
            env=environment_of(None),
            cwd=ROOT,
            text=True,
            timeout=60,
            check=False,
        )
    assert (done.returncode, done.stderr) == (1, "cannot write: No space left on device\n")


def test_streams_that_the_shell_has_closed_are_empty_ones() -> None:
    """`<&-`, `>&-` and `2>&-` are no reason for a trace."""
    invoke = f"{COMMAND} invoke - --plan"
    for closing, code in (("<&-", 2), (">&-", 0), ("<&- >&- 2>&-", 2)):
        done = subprocess.run(
            ["/bin/sh", "-c", f"{invoke} {closing}"],
            input='{"InstanceId": "i-bp1dev0web1k7s2q9x4f"}',
            capture_output=True,
            env=environment_of(None),
            cwd=ROOT,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == code, done.stderr
        assert done.stderr.count("\n") == (1 if closing == "<&-" else 0)


@pytest.mark.parametrize(
    "command", [["invoke", "events/timer.json", "--plan"], ["explain", "events/timer.json"]]
)
def test_a_closed_pipe_is_silence(command: list[str]) -> None:
    """`stop-guard … | head -1` prints a line and nothing else."""
    reading, writing = os.pipe()
    process = subprocess.Popen(
        [COMMAND, *command], stdout=writing, stderr=subprocess.PIPE, env=environment_of(None), cwd=ROOT
    )
    os.close(writing)
    os.close(reading)
    _, errors = process.communicate(timeout=60)
    assert errors == b""
    assert process.returncode in {1, 141}


def test_in_a_pipe_there_is_neither_colour_nor_padding() -> None:
    """Cells are parted by tabs, and each row is one line, however long its reason."""
    done = stop_guard("invoke", "events/timer.json", "--plan", environment={"COLUMNS": "60", "TERM": "xterm"})
    assert "\x1b" not in done.stdout
    assert not [line for line in done.stdout.splitlines() if line != line.strip() or "  " in line]
    header, *rows = [line.split("\t") for line in done.stdout.splitlines() if "\t" in line]
    assert header == ["Instance", "Name", "Outcome", "Why, and what to do"]
    assert {len(row) for row in rows} == {4}


@pytest.mark.parametrize("columns", [60, 80, 200])
def test_a_window_of_any_width_is_kept(columns: int) -> None:
    """No line is longer than the terminal, and no id or code is broken."""
    seen = on_terminal("invoke", "events/timer.json", "--plan", columns=columns)
    text = seen.text[seen.text.rindex("Looking") :] if "Looking" in seen.text else seen.text
    lines = [line for line in text.splitlines() if "Looking" not in line and "Checking" not in line]
    assert max(map(len, lines)) <= columns
    for whole in ("i-bp1test0sec3x8q1w6p9", "InstanceLockedForSecurity", "already_stopped", "dev-prepaid"):
        assert whole in text


def test_a_locale_without_letters_costs_nothing(tmp_path: Path) -> None:
    """With LC_ALL=C a name of any script is escaped, not lost."""
    fleet = tmp_path / "fleet.json"
    fleet.write_text(json.dumps([{"InstanceId": "i-1", "InstanceName": "\u524d\u7aef", "Tags": OPTED_IN}]))
    environment = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    event = json.dumps({"InstanceId": "i-1"})
    done = stop_guard("invoke", "-", "--fleet", fleet, "--plan", stdin=event, environment=environment)
    assert done.returncode == 0, done.stderr
    assert r"\u524d\u7aef" in done.stdout


def test_the_usual_options_are_there() -> None:
    """A version, help by either name, completion for the shell."""
    version = stop_guard("--version")
    assert (version.returncode, version.stdout.startswith("stop-guard 0.")) == (0, True)
    assert stop_guard("-h").stdout == stop_guard("--help").stdout
    words = {"_STOP_GUARD_COMPLETE": "complete_bash", "COMP_WORDS": "stop-guard in", "COMP_CWORD": "1"}
    assert "invoke" in stop_guard(environment=words).stdout.split()


def test_a_command_starts_without_what_it_does_not_use() -> None:
    """Help loads neither the SDK nor the local ECS, nor what only tables and settings need."""
    code = (
        "import sys; sys.argv = ['stop-guard', 'invoke', '--help']\n"
        "from local.command_line.main import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "print(sorted({'requests', 'Tea', 'werkzeug', 'jinja2', 'rich', 'function'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [COMMAND.with_name("python"), "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize("module", ["typer", "pydantic", "werkzeug"])
def test_control_c_ends_it_quietly_while_it_loads(module: str) -> None:
    """From the command's first line on, whatever is being loaded: 130, a word, and no trace."""
    with subprocess.Popen(
        [COMMAND.with_name("python"), "-X", "importtime", COMMAND, "invoke", "events/timer.json"],
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environment_of(None),
        cwd=ROOT,
        text=True,
    ) as process:
        assert process.stderr is not None
        seen = ""
        while f" {module}." not in seen:
            seen = process.stderr.readline()
            assert seen, f"{module} was never loaded"
        process.send_signal(signal.SIGINT)
        printed, errors = process.communicate(timeout=60)
    said = [line for line in errors.splitlines() if not line.startswith("import time:")]
    assert (process.returncode, printed, said) == (130, "", ["Interrupted."])
