"""The real cloud, played by a local ECS: a plan, a question, and no more than what was agreed to."""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from function.cloud.ecs import connect_ecs
from function.cloud.runtime import SystemClock
from function.events.parse import Delivery
from function.model.credentials import Credentials
from local.command_line.execution import Target
from local.command_line.exit_codes import CommandError
from local.command_line.plan_file import load_plan, sealed
from local.emulator.backend import LocalEcs
from local.emulator.fleet import Fleet
from local.emulator.server import serve
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
    (instance,) = ecs.describe([instance_id], seconds=5).instances
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


def test_without_a_question_it_stops_what_the_plan_showed_too(event: Path, tmp_path: Path) -> None:
    """With --yes the plan comes first, by the selection; what is stopped is asked for by the ids it showed.

    The log has what the plan saw and the run left, as the report does.
    """
    quick = {"Tags": OPTED_IN, "x-emulator": {"StopSeconds": 0.1}}
    locked = {"LockReason": [{"LockReason": "security"}]}
    instances = [
        {"InstanceId": FIRST, **quick},
        {"InstanceId": SECOND, **quick, "OperationLocks": locked},
    ]
    ecs = LocalEcs(Fleet.from_instances(instances))
    log = tmp_path / "run.log"
    with serve(ecs) as address:
        command = ("invoke", event, "--live", "--yes", "--json", "--log", log)
        done = stop_guard(*command, environment=endpoints(address))
        calls = [call for call in ecs.calls if call.action != "GetCallerIdentity"]
        again = stop_guard(*command, environment=endpoints(address))
    assert done.returncode == 0, done.stderr
    assert "would_stop" in done.stderr
    report = json.loads(done.stdout)
    assert report["became_eligible"] == []
    assert [(one["instance_id"], one["status"]) for one in report["outcomes"]] == [
        (FIRST, "stopped"),
        (SECOND, "refused"),
    ]
    stops = [call for call in calls if call.action == "StopInstance"]
    real = [call for call in stops if call.parameters.get("DryRun", "").lower() != "true"]
    assert [call.parameters["InstanceId"] for call in real] == [FIRST]
    assert "Tag.1.Key" in calls[0].parameters
    looks = [call for call in calls[: calls.index(real[0])] if call.action == "DescribeInstances"]
    assert looks[-1].parameters["InstanceIds"] == json.dumps([FIRST])
    nothing_left = json.loads(again.stdout)
    assert nothing_left["summary"] == {"total": 2, "already_stopped": 1, "refused": 1}
    logged = [json.loads(line) for line in log.read_text().splitlines()]
    assert not [one for one in (report, nothing_left, *logged) if one.get("dry_run")]
    assert sorted((one["instance_id"], one["status"]) for one in logged if "instance_id" in one) == [
        (FIRST, "already_stopped"),
        (FIRST, "stopped"),
        (SECOND, "refused"),
        (SECOND, "refused"),
    ]


def test_what_is_stopping_already_is_no_complete_run(event: Path) -> None:
    """A plan can't watch it come to its end, so the command ends with 1, unless nobody wants it watched."""
    slow = {"StopSeconds": 600}
    instance = {"InstanceId": FIRST, "Tags": OPTED_IN, "Status": "Stopping", "x-emulator": slow}
    with serve(LocalEcs(Fleet.from_instances([instance]))) as address:
        cloud = endpoints(address)
        done = stop_guard("invoke", event, "--live", "--yes", environment=cloud)
        unwatched = stop_guard(
            "invoke", event, "--live", "--yes", environment={**cloud, "VERIFY_SECONDS": "0"}
        )
    assert (done.returncode, unwatched.returncode) == (1, 0)
    assert "stopping" in done.stdout


def test_what_became_eligible_since_is_named_and_left(
    cloud: Mapping[str, str], event: Path, tmp_path: Path
) -> None:
    """A plan of yesterday evening's two is carried out; the third that opted in meanwhile is only named."""
    plan = tmp_path / "plan.json"
    only = {"InstanceId": FIRST}
    event.write_text(json.dumps(only))
    made = stop_guard("invoke", event, "--live", "--plan", "--out", plan, environment=cloud)
    assert made.returncode == 0, made.stderr
    saved = json.loads(plan.read_text())
    assert saved["request"] == {
        "Source": "request",
        "EventId": saved["event_id"],
        "InstanceIds": [FIRST],
    }
    saved["request"] = {**saved["request"], "Tag": EVENT["Tag"]}  # as if only one had carried the tag then
    del saved["request"]["InstanceIds"]
    plan.write_text(json.dumps(sealed(saved)))

    seen = on_terminal("apply", plan, "--live", environment=cloud, answers={"[y/N] ": "y\n"})
    text = words(seen.text.splitlines())
    assert seen.returncode == 0, text
    assert "Stop 1 instance in the real cloud?" in text
    assert f"1 instance has become eligible since the plan, and been left: {SECOND}" in text
    assert (status_of(cloud, FIRST), status_of(cloud, SECOND)) == ("Stopped", "Running")


def test_a_plan_is_carried_out_as_it_was_shown(cloud: Mapping[str, str], event: Path, tmp_path: Path) -> None:
    """The second step stops what the first one showed, in its mode, and its report says so."""
    plan = tmp_path / "plan.json"
    stop_guard("invoke", event, "--live", "--plan", "--out", plan, environment=cloud)
    other_mode = {**cloud, "STOPPED_MODE": "KeepCharging"}
    done = stop_guard("apply", plan, "--live", "--yes", "--json", environment=other_mode)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert [one["instance_id"] for one in report["outcomes"]] == [FIRST, SECOND]
    assert {one["stopped_mode"]["requested"] for one in report["outcomes"]} == {"StopCharging"}
    assert (report["target"], report["became_eligible"]) == ("live", [])


ELSEWHERE: list[tuple[dict[str, object], str]] = [
    ({"target": "local"}, "is of the target 'local'"),
    ({"account_id": "2345678901234567"}, "is of account 2345678901234567"),
    ({"region_id": "cn-beijing"}, "is of region cn-beijing"),
    ({"time": "2020-01-01T00:00:00+00:00"}, "a plan holds for 1 day"),
    ({"request": {"Source": "timer"}}, "is no plan that this version wrote"),
    ({"request": None}, "is no plan that this version wrote"),
    ({"outcomes": None}, "is no plan; `stop-guard invoke EVENT --plan --out plan.json` makes one"),
]


def live_target(cloud: Mapping[str, str]) -> Target:
    """Make the target of a plan for the cloud, whose account is `ACCOUNT`."""
    return Target(
        live=True,
        environment=cloud,
        clock=SystemClock(),
        account_id=ACCOUNT,
        timeout=300,
        read=lambda _event: Delivery(events=()),
    )


def test_a_plan_of_elsewhere_or_of_old_is_refused(
    cloud: Mapping[str, str], event: Path, tmp_path: Path
) -> None:
    """Another target, account or region, or older than a day: exit code 2, and nothing is stopped."""
    plan = tmp_path / "plan.json"
    stop_guard("invoke", event, "--live", "--plan", "--out", plan, environment=cloud)
    rehearsed = stop_guard("apply", plan, environment=cloud)
    assert (rehearsed.returncode, rehearsed.stdout) == (2, "")
    assert "is of the target 'live'" in rehearsed.stderr
    here = live_target(cloud)
    saved = json.loads(plan.read_text())
    assert len(load_plan(plan, here, datetime.now(UTC)).approved) == 2
    for change, says in ELSEWHERE:
        plan.write_text(json.dumps(saved | change))
        with pytest.raises(CommandError) as raised:
            load_plan(plan, here, datetime.now(UTC))
        assert says in str(raised.value)
        assert raised.value.code == 2
    assert status_of(cloud, FIRST) == "Running"


def test_a_plan_that_was_changed_is_refused(cloud: Mapping[str, str], event: Path, tmp_path: Path) -> None:
    """An id more or less, another mode, consent: what is carried out is what was looked at."""
    plan = tmp_path / "plan.json"
    stop_guard("invoke", event, "--live", "--plan", "--out", plan, environment=cloud)
    here = live_target(cloud)
    saved = json.loads(plan.read_text())
    plan.write_text(json.dumps(saved), encoding="utf-16")
    assert len(load_plan(plan, here, datetime.now(UTC)).approved) == 2
    added = {**saved["outcomes"][0], "instance_id": OTHER}
    mode = {**saved["outcomes"][0], "stopped_mode": {"requested": "KeepCharging"}}
    for change in (
        {"outcomes": [*saved["outcomes"], added]},
        {"outcomes": saved["outcomes"][:1]},
        {"outcomes": [mode, *saved["outcomes"][1:]]},
        {"request": {**saved["request"], "ConfirmStop": True}},
        {"digest": ""},
    ):
        plan.write_text(json.dumps({**saved, **change}))
        with pytest.raises(CommandError, match="was changed since it was made: make it anew"):
            load_plan(plan, here, datetime.now(UTC))
    plan.write_text(plan.read_text()[:-1] + ",}")
    with pytest.raises(CommandError, match=r"is not JSON: line 1, column \d+: there is a comma before }"):
        load_plan(plan, here, datetime.now(UTC))


def test_a_stale_event_is_planned_and_not_run(cloud: Mapping[str, str], event: Path) -> None:
    """The plan is shown, and that a run would refuse it; the run itself is exit code 3 without a question."""
    old = {"triggerTime": "2026-01-01T00:00:00Z", "triggerName": "evening", "payload": json.dumps(EVENT)}
    event.write_text(json.dumps(old))
    plan = stop_guard("invoke", event, "--live", "--plan", environment=cloud)
    assert (plan.returncode, plan.stderr) == (0, "")
    assert "Would stop 2 of 2" in plan.stdout
    assert "A run refuses this event (Guard.StaleEvent)" in plan.stdout
    seen = on_terminal("invoke", event, "--live", environment=cloud)
    assert (seen.returncode, "[y/N]" in seen.text) == (3, False)
    assert status_of(cloud, FIRST) == "Running"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"request": {"Tag": [{"Key": "env", "Value": "prod"}]}}, "Guard.NotSelected"),
        ({"time": (datetime.now(UTC) - timedelta(hours=3)).isoformat()}, "Guard.StartedSince"),
    ],
)
def test_a_plan_is_decided_anew(tmp_path: Path, event: Path, change: dict[str, object], code: str) -> None:
    """What its selection no longer means, and what somebody has started since, is left and said."""
    fleet, plan = tmp_path / "fleet.json", tmp_path / "plan.json"
    started = f"{datetime.now(UTC) - timedelta(hours=2):%Y-%m-%dT%H:%MZ}"
    fleet.write_text(json.dumps([{"InstanceId": FIRST, "Tags": OPTED_IN, "StartTime": started}]))
    with emulator("--fleet", fleet) as address:
        cloud = endpoints(address)
        stop_guard("invoke", event, "--live", "--plan", "--out", plan, environment=cloud)
        saved = json.loads(plan.read_text())
        request = {**saved["request"], **change.pop("request", {})}  # type: ignore[dict-item]
        plan.write_text(json.dumps(sealed({**saved, **change, "request": request})))
        done = stop_guard("apply", plan, "--live", "--yes", "--json", environment=cloud)
        assert status_of(cloud, FIRST) == "Running"
    assert done.returncode == 0, done.stderr
    (outcome,) = json.loads(done.stdout)["outcomes"]
    assert (outcome["status"], outcome["code"]) == ("refused", code)
