"""The real cloud, played by a local ECS: a plan, a question, and no more than what was agreed to."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from function.cloud.ecs import connect_ecs
from function.model.credentials import Credentials
from tests.stage import OPTED_IN
from tests.terminal import emulator, endpoints, on_terminal, stop_guard, words

FIRST, SECOND, OTHER = "i-bp1first", "i-bp1second", "i-bp1other"
EVENT = {"Tag": [{"Key": "auto-stop", "Value": "true"}], "StoppedMode": "StopCharging"}
ACCOUNT = "1234567890123456"


@pytest.fixture
def event(tmp_path: Path) -> Path:
    """Save a request for all that opted in."""
    path = tmp_path / "event.json"
    path.write_text(json.dumps(EVENT))
    return path


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[Mapping[str, str]]:
    """Serve a fleet, two of which opted in, and give the environment that leads to it."""
    quick = {"x-emulator": {"StopSeconds": 0.1}}
    fleet = tmp_path / "fleet.json"
    fleet.write_text(
        json.dumps(
            [
                {"InstanceId": SECOND, "InstanceName": "dev-api", "Tags": OPTED_IN, **quick},
                {"InstanceId": FIRST, "InstanceName": "dev-web", "Tags": OPTED_IN, **quick},
                {"InstanceId": OTHER},
            ]
        )
    )
    with emulator("--fleet", fleet) as address:
        yield endpoints(address)


def status_of(cloud: Mapping[str, str], instance_id: str) -> str:
    """Ask the local ECS itself."""
    key = Credentials(access_key_id="emulator", access_key_secret="emulator")
    ecs = connect_ecs("cn-hangzhou", key, endpoint=cloud["ECS_ENDPOINT"], connections=1)
    (instance,) = ecs.describe([instance_id], seconds=5)
    return instance.status


@pytest.mark.parametrize("answer", ["y", "YES"])
def test_the_question_says_what_counts_and_a_yes_stops_it(
    cloud: Mapping[str, str], event: Path, answer: str
) -> None:
    """How many, where, whose account, who asks, with which key, in which mode; then what became of each."""
    seen = on_terminal("invoke", event, "--live", environment=cloud, answers={"[y/N] ": f"{answer}\n"})
    assert seen.returncode == 0, seen.text
    text = words(seen.text.splitlines())
    question = text.partition("[y/N]")[0]
    assert "Stop 2 instances in the real cloud?" in question
    for part in ("where cn-hangzhou", f"account {ACCOUNT}", "as acs:ram::", "ALIBABA_CLOUD_ACCESS_KEY_ID"):
        assert part in question
    assert "mode StopCharging" in question
    assert "Stopped 2 of 2" in text
    assert {status_of(cloud, FIRST), status_of(cloud, SECOND)} == {"Stopped"}


@pytest.mark.parametrize("answer", ["\n", "n\n", "no\n", "yep\n", "\x04"])
def test_any_other_answer_stops_nothing(cloud: Mapping[str, str], event: Path, answer: str) -> None:
    """Only y and yes go on; everything else is exit code 4."""
    seen = on_terminal("invoke", event, "--live", environment=cloud, answers={"[y/N] ": answer})
    assert (seen.returncode, "Not confirmed; nothing was done" in seen.text) == (4, True)
    assert status_of(cloud, FIRST) == "Running"


def test_control_c_at_the_question_stops_nothing(cloud: Mapping[str, str], event: Path) -> None:
    """It ends with 130, as everywhere."""
    seen = on_terminal("invoke", event, "--live", environment=cloud, interrupt_at="[y/N] ")
    assert seen.returncode == 130
    assert "Traceback" not in seen.text
    assert status_of(cloud, FIRST) == "Running"


def test_where_nobody_can_be_asked_nothing_is_stopped(cloud: Mapping[str, str], event: Path) -> None:
    """Without a terminal, or with the event on standard input, it is exit code 2 after the plan."""
    for done in (
        stop_guard("invoke", event, "--live", environment=cloud),
        stop_guard("invoke", "-", "--live", environment=cloud, stdin=json.dumps(EVENT)),
    ):
        assert done.returncode == 2
        assert "nobody can be asked" in done.stderr
        assert "would_stop" in done.stderr
        assert done.stdout == ""
    assert status_of(cloud, FIRST) == "Running"
