"""The first thing one wants after a mistaken stop: exactly what it stopped, and how it comes back."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.local.command_line.test_live import ACCOUNT, FIRST, SECOND, status_of
from tests.stage import OPTED_IN
from tests.terminal import emulator, endpoints, on_terminal, rows, stop_guard, words

EVENT = json.dumps({"InstanceIds": [FIRST, SECOND]})


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[Mapping[str, str]]:
    """Serve two instances, for one of which there is no stock when it is to start again."""
    quick = {"StopSeconds": 0.1, "StartSeconds": 0.1}
    fleet = tmp_path / "fleet.json"
    fleet.write_text(
        json.dumps(
            [
                {"InstanceId": FIRST, "InstanceName": "dev-web", "Tags": OPTED_IN, "x-emulator": quick},
                {"InstanceId": SECOND, "Tags": OPTED_IN, "x-emulator": quick},
            ]
        )
    )
    no_stock = (
        f"StartInstance:{SECOND}=OperationDenied.NoStock,status=403,message=The resource is out of stock"
    )
    with emulator("--fleet", fleet, "--fault", no_stock) as address:
        yield endpoints(address)


@pytest.fixture
def log(cloud: Mapping[str, str], tmp_path: Path) -> Path:
    """Stop both and keep the log."""
    path = tmp_path / "run.log"
    done = stop_guard("invoke", "-", "--live", "--yes", "--log", path, environment=cloud, stdin=EVENT)
    assert done.returncode == 0, done.stderr
    return path


def test_a_log_becomes_the_commands_that_start_it_again(log: Path) -> None:
    """Without the cloud: a row and an `aliyun` line for each, and how many."""
    done = stop_guard("undo", log)
    assert done.returncode == 0, done.stderr
    assert [row[:3] for row in rows(done.stdout)[1:]] == [
        [FIRST, "dev-web", "cn-hangzhou"],
        [SECOND, "", "cn-hangzhou"],
    ]
    commands = [line for line in done.stdout.splitlines() if line.startswith("aliyun ")]
    assert commands == [
        f"aliyun ecs StartInstance --RegionId cn-hangzhou --InstanceId {one}" for one in (FIRST, SECOND)
    ]
    assert "2 instances to start again" in done.stdout


def test_one_without_stock_keeps_no_other_stopped(cloud: Mapping[str, str], log: Path) -> None:
    """Each starts by a call of its own and has an outcome of its own; exit code 1 where one is left."""
    seen = on_terminal("undo", log, "--live", environment=cloud, answers={"[y/N] ": "y\n"})
    text = words(seen.text.splitlines())
    assert seen.returncode == 1, text
    assert "Start 2 instances in the real cloud?" in text
    assert f"account {ACCOUNT}" in text
    assert f"{FIRST} running" in text
    assert f"{SECOND} refused OperationDenied.NoStock" in text
    assert "Started 1 of 2" in text
    assert (status_of(cloud, FIRST), status_of(cloud, SECOND)) == ("Running", "Stopped")

    again = stop_guard("undo", log, "--live", "--yes", environment=cloud)
    assert again.returncode == 1
    assert [row[:2] for row in rows(again.stdout)] == [[SECOND, "refused"]]
    assert f"{FIRST} is left: is Running" in again.stdout + again.stderr
    assert "Started 0 of 1" in again.stdout


def test_an_interrupted_start_says_what_may_come_back(cloud: Mapping[str, str], log: Path) -> None:
    """Ctrl-C while it is watched: what has no outcome yet is named, for it may have been asked to start."""
    seen = on_terminal("undo", log, "--live", "--yes", environment=cloud, interrupt_at="OperationDenied")
    assert seen.returncode == 130, seen.text
    text = words(seen.text.splitlines())
    assert f"Interrupted. These may have been asked to start; run it again to see: {FIRST}" in text
    assert "Traceback" not in text


def test_a_no_starts_nothing(cloud: Mapping[str, str], log: Path) -> None:
    """Exit code 4, as with a stop."""
    seen = on_terminal("undo", log, "--live", environment=cloud, answers={"[y/N] ": "n\n"})
    assert (seen.returncode, status_of(cloud, FIRST)) == (4, "Stopped")


def test_what_somebody_started_since_is_left(log: Path, tmp_path: Path) -> None:
    """A later run's log shows another start: it is said, and not started by the commands."""
    later = tmp_path / "later.log"
    line = {
        **next(
            one for one in map(json.loads, log.read_text().splitlines()) if one.get("instance_id") == FIRST
        ),
        "time": "2099-01-01T00:00:00+00:00",
        "status": "refused",
        "start_time": "2098-12-31T00:00:00+00:00",
    }
    later.write_text(json.dumps(line))
    done = stop_guard("undo", later, log)
    assert FIRST not in done.stdout
    assert "1 instance to start again; 1 that runs stopped have been started since" in done.stdout


@pytest.mark.parametrize("form", ["report.json", "message.json"])
def test_a_report_is_as_good_as_a_log(cloud: Mapping[str, str], tmp_path: Path, form: str) -> None:
    """What `--out` wrote, or what a queue got, holds the same."""
    path = tmp_path / form
    done = stop_guard("invoke", "-", "--live", "--yes", "--out", path, environment=cloud, stdin=EVENT)
    assert done.returncode == 0, done.stderr
    if form == "message.json":
        path.write_text(json.dumps({"requestPayload": "{}", "responsePayload": path.read_text()}))
    assert "2 instances to start again" in stop_guard("undo", path).stdout


def test_rehearsals_and_other_files_are_refused(tmp_path: Path) -> None:
    """Nothing real was stopped by a rehearsal; a file without a run names nothing."""
    log, report = tmp_path / "run.log", tmp_path / "run.json"
    stop_guard("invoke", "events/request.json", "--log", log, "--out", report)
    for path in (log, report):
        done = stop_guard("undo", path)
        assert (done.returncode, "is of a rehearsal" in done.stderr) == (2, True)
    for name, says in (("LICENSE", "no log line and no report"), ("nowhere", "cannot read 'nowhere'")):
        done = stop_guard("undo", name)
        assert (done.returncode, says in done.stderr) == (2, True)
