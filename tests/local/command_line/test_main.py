"""The command line as its users run it: a process with arguments, a terminal or a pipe, and an exit code."""

import csv
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from local.command_line.commands import app
from tests.terminal import ROOT, emulator, endpoints, stop_guard

EVENT = str(ROOT / "events" / "timer.json")
GOOD = "i-bp1good0000000000001"
TAGS = {"Tag": [{"TagKey": "auto-stop", "TagValue": "true"}]}


@pytest.fixture
def fleet(tmp_path: Path) -> Path:
    """Save a fleet of one instance as DescribeInstances answers it."""
    path = tmp_path / "fleet.json"
    quick = {"StopSeconds": 0.1}
    instance = {"InstanceId": GOOD, "Tags": TAGS, "x-emulator": quick}
    path.write_text(json.dumps({"Instances": {"Instance": [instance]}}))
    return path


def test_the_sample_timer_shows_a_spread() -> None:
    """The demo's event ends in a table with each kind of result, and exit code 0."""
    done = stop_guard("invoke", "events/timer.json", "--plan")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == (
        "Rehearsal on a local ECS (sample fleet): nothing real was stopped"
    )
    for word in (
        "would_stop",
        "already_stopped",
        "InstanceLockedForSecurity",
        "InstanceType.ParameterMismatch",
        "Guard.NotOptedIn",
        "InvalidInstanceId.NotFound",
    ):
        assert word in done.stdout
    assert "\x1b" not in done.stdout + done.stderr
    assert done.stderr == ""


def test_json_is_the_report_alone(fleet: Path) -> None:
    """With --json, standard output is one JSON object, the report of a real run."""
    done = stop_guard("invoke", "-", "--fleet", fleet, "--json", stdin=json.dumps({"InstanceId": GOOD}))
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["summary"] == {"total": 1, "stopped": 1}
    assert report["target"] == "local"


def test_an_incomplete_run_exits_1_with_its_report(fleet: Path) -> None:
    """What is left is said on standard error; the report is printed all the same."""
    fleet.write_text(json.dumps([{"InstanceId": GOOD, "Tags": TAGS, "Status": "Pending"}]))
    done = stop_guard("invoke", "-", "--fleet", fleet, "--json", stdin=json.dumps({"InstanceId": GOOD}))
    assert done.returncode == 1
    assert json.loads(done.stdout)["summary"] == {"total": 1, "failed": 1}
    assert f"StopIncomplete: 1 of 1 instance is left: {GOOD} failed (IncorrectInstanceStatus)" in done.stderr


ONE = '{"InstanceId": "i-bp1a"}'


@pytest.mark.parametrize(
    ("arguments", "stdin", "environment", "says"),
    [
        (["invoke", "-"], "not json", {}, "InvalidEvent: "),
        (["invoke", "-"], ONE, {"MAX_INSTANCES": "x"}, "MAX_INSTANCES: "),
        (["invoke", "-", "--fleet", "LICENSE"], ONE, {}, "is not JSON"),
        (["invoke", "-", "--no-such-option"], "", {}, "--no-such-option"),
        (["emulator", "--reset", "--port", "1"], "", {}, "at 127.0.0.1:1: Connection refused"),
    ],
)
def test_bad_input_exits_2_and_says_what_is_wrong(
    arguments: list[str], stdin: str, environment: dict[str, str], says: str
) -> None:
    """A mistake is one clear message on standard error, no trace, and nothing on standard output."""
    done = stop_guard(*arguments, stdin=stdin, environment=environment)
    assert done.returncode == 2
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout.strip() == ""


@pytest.mark.parametrize(
    ("arguments", "stdin", "says"),
    [
        (["invoke", "-"], "{}", "InvalidEvent: "),
        (["invoke", "-"], '{"target": "live", "outcomes": []}', "`stop-guard apply PLAN` carries a plan out"),
        (["invoke", "nowhere.json"], "", "cannot read the event 'nowhere.json'"),
        (["invoke", "-", "--fleet", "nowhere.json"], ONE, "nowhere.json can't be read"),
        (["invoke", "-", "--fleet", "x", "--live"], "{}", "--live"),
        (["invoke", EVENT, "--yes"], "", "--yes goes with --live"),
        (["invoke", EVENT, "--out", "x.txt"], "", "neither .json nor .csv"),
        (["invoke", EVENT, "--out", "{folder}"], "", "is a folder; name a file in it"),
        (["invoke", EVENT, "--out", "nowhere/x.csv"], "", "there is no folder"),
        (["invoke", EVENT, "--out", EVENT], "", "has another use, too"),
        (["invoke", "-", "--fleet", "f.json", "--out", "f.json"], "{}", "has another use, too"),
        (["invoke", "-", "--log", "x.json", "--out", "x.json"], "{}", "has another use, too"),
        (["invoke", EVENT, "--log", EVENT], "", "json' has another use, too"),
        (["apply", "plan.json", "--out", "plan.json"], "", "has another use, too"),
        (["invoke"], "", "EVENT"),
        (["emulator", "--port", "99999"], "", "'99999' is no port; it goes to 65535"),
        (["emulator", "--port", "http"], "", "'http' is no port"),
        (["emulator", "--reset", "--fleet", "x"], "", "--reset starts anew what runs there"),
        (["emulator", "--host", "no.such.invalid"], "", "no.such.invalid:8014: no such host is known"),
        (["savings", "nowhere"], "", "cannot read the log 'nowhere': No such file or directory"),
    ],
)
def test_what_can_not_be_meant_is_said_in_words_of_our_own(
    arguments: list[str], stdin: str, says: str, tmp_path: Path
) -> None:
    """The same within this process, which is quicker: what is missing, misspelt, or has two uses."""
    folder = tmp_path / "folder.csv"
    folder.mkdir()
    done = CliRunner().invoke(
        app, [argument.replace("{folder}", str(folder)) for argument in arguments], input=stdin
    )
    assert (done.exit_code, done.stdout.strip()) == (2, "")
    assert says in done.stderr
    assert "Input should" not in done.stderr
    assert "Errno" not in done.stderr


def test_a_time_that_cannot_be_moved_to_now_is_said() -> None:
    """A rehearsal takes events as sent now; a time that can't be read, in a text too, stays out."""
    wish = json.dumps({"InstanceId": GOOD})
    timer = {"triggerTime": "yesterday", "triggerName": "evening", "payload": wish}
    topic = json.loads((ROOT / "events" / "mns.topic.json").read_text())
    topic["Message"] = topic["Message"].replace('"time":1769774100000', '"time":"later"')
    for event, where in ((timer, "triggerTime is"), (topic, "Message.time is")):
        done = CliRunner().invoke(app, ["invoke", "-", "--plan"], input=json.dumps(event))
        assert done.exit_code == 2
        assert where in done.stderr
        assert "A rehearsal takes an event as sent now; this time can't be moved" in done.stderr
    several = json.dumps([timer, json.loads(wish)])
    others = CliRunner().invoke(app, ["invoke", "-", "--plan", "--json"], input=several)
    assert json.loads(others.stdout)["summary"]["total"] == 1
    assert (others.exit_code, "this time can't be moved" in others.stderr) == (2, True)


def test_a_machines_proxy_and_credentials_stay_out_of_local_runs(fleet: Path) -> None:
    """A local run takes neither the proxy nor the keys nor the endpoint of the machine's environment."""
    environment = {
        "HTTP_PROXY": "http://127.0.0.1:9",
        "http_proxy": "http://127.0.0.1:9",
        "ALIBABA_CLOUD_ACCESS_KEY_ID": "real",
        "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "real",
        "ECS_ENDPOINT": "https://ecs.cn-hangzhou.aliyuncs.com",
    }
    done = stop_guard(
        "invoke", "-", "--fleet", fleet, stdin=json.dumps({"InstanceId": GOOD}), environment=environment
    )
    assert done.returncode == 0, done.stderr


def test_live_does_not_ask_about_a_dry_run(fleet: Path, tmp_path: Path) -> None:
    """Where the event itself says that nothing may change, there is nothing to be agreed to."""
    event = tmp_path / "event.json"
    event.write_text(json.dumps({"InstanceId": GOOD, "DryRun": True}))
    with emulator("--fleet", fleet) as endpoint:
        done = stop_guard("invoke", event, "--live", environment=endpoints(endpoint))
    assert (done.returncode, "would_stop" in done.stdout) == (0, True)
    assert "now?" not in done.stderr


def test_live_without_credentials_says_so() -> None:
    """The real cloud needs credentials; where the machine has none, that is said, and nothing is called."""
    environment = {"FC_REGION": "cn-hangzhou", "ALIBABA_CLOUD_ECS_METADATA_DISABLED": "true"}
    done = stop_guard("invoke", "events/request.json", "--live", "--yes", environment=environment)
    assert done.returncode == 2
    assert "credentials" in done.stderr
    assert "Traceback" not in done.stderr


def test_live_shows_its_plan_and_asks(fleet: Path, tmp_path: Path) -> None:
    """With --live the plan comes first, also with --yes; only a yes, or that, stops for real."""
    event = tmp_path / "event.json"
    event.write_text(json.dumps({"InstanceId": GOOD}))
    with emulator("--fleet", fleet) as endpoint:
        live = endpoints(endpoint)
        unanswered = stop_guard("invoke", event, "--live", environment=live)
        assert (unanswered.returncode, unanswered.stdout.strip()) == (2, "")
        assert "would_stop" in unanswered.stderr
        assert "nobody can be asked" in unanswered.stderr
        agreed = stop_guard("invoke", event, "--live", "--yes", environment=live)
        assert agreed.returncode == 0, agreed.stderr
        assert "would_stop" in agreed.stderr
        assert "Stopped 1 of 1" in agreed.stdout
        assert "Rehearsal" not in agreed.stdout
        again = stop_guard("invoke", event, "--live", "--yes", "--json", environment=live)
        report = json.loads(again.stdout)
        assert report["summary"] == {"total": 1, "already_stopped": 1}
        assert report["target"] == "live"
        assert report["outcomes"][0]["account_id"] == "1234567890123456"  # as STS says of these credentials


def test_the_emulator_can_have_a_bad_day(fleet: Path, tmp_path: Path) -> None:
    """Faults given on the command line meet the calls they name; the run copes, and counts its attempts.

    The plan's dry run is the first call.
    """
    event = tmp_path / "event.json"
    event.write_text(json.dumps({"InstanceId": GOOD}))
    with emulator("--fleet", fleet, "--fault", "StopInstance:2=reset,when=before") as endpoint:
        live = endpoints(endpoint)
        done = stop_guard("invoke", event, "--live", "--yes", "--json", environment=live)
    assert done.returncode == 0, done.stderr
    (outcome,) = json.loads(done.stdout)["outcomes"]
    assert (outcome["status"], outcome["attempts"]) == ("stopped", 2)


def test_invoke_takes_faults_too(fleet: Path) -> None:
    """A bad day can be rehearsed in one command."""
    event = json.dumps({"InstanceId": GOOD})
    done = stop_guard("invoke", "-", "--fleet", fleet, "--fault", "StopInstance=DiskError", stdin=event)
    assert done.returncode == 1
    assert "DiskError" in done.stdout


def test_what_came_without_outcomes_is_shown_with_its_reason() -> None:
    """A region that can't be listed, and an event refused beside one not understood, say what to do."""
    event = {"Tag": [{"Key": "env", "Value": "dev"}]}
    denied = "DescribeInstances=Forbidden.RAM"
    unlisted = stop_guard("invoke", "-", "--fault", denied, stdin=json.dumps(event))
    assert (unlisted.returncode, "ecs:DescribeInstances was denied" in unlisted.stdout) == (1, True)
    elsewhere = [{**event, "RegionId": "cn-beijing"}, {"InstanceId": "nonsense"}]
    refused = stop_guard("invoke", "-", stdin=json.dumps(elsewhere))
    assert (refused.returncode, "add it to ALLOWED_REGIONS" in refused.stdout) == (2, True)
    assert "nonsense" in refused.stdout


def test_a_character_that_cant_be_written_costs_no_report(fleet: Path) -> None:
    """Whatever a tag says and wherever the output goes, the table is shown."""
    tags = [*TAGS["Tag"], {"TagKey": "keep-running-until", "TagValue": "\u660e\u5929"}]
    fleet.write_text(json.dumps([{"InstanceId": GOOD, "Tags": {"Tag": tags}}]))
    event = json.dumps({"InstanceId": GOOD})
    environment = {"PYTHONIOENCODING": "ascii"}
    done = stop_guard("invoke", "-", "--fleet", fleet, stdin=event, environment=environment)
    assert done.returncode == 0, done.stderr
    assert r"kept running: '\u660e\u5929' is not a date-time" in done.stdout


SAMPLES = sorted(path.name for path in (ROOT / "events").iterdir())


@pytest.mark.parametrize("name", SAMPLES)
def test_every_sample_can_be_run(name: str) -> None:
    """Each event in events/ runs as it is: complete, without a complaint."""
    done = stop_guard("invoke", f"events/{name}", "--plan")
    assert (done.returncode, done.stderr) in [(0, ""), (3, "")]
    assert (done.returncode == 3) == ("Refused 1 event" in done.stdout)
    assert "1 of" in done.stdout or "Would stop" in done.stdout or "Refused 1 event" in done.stdout


@pytest.mark.parametrize(
    ("token", "status", "code"),
    [("not-the-token", "Guard.Unauthorized", 3), ("emulator-alarm-token", "InvalidEvent", 2)],
)
def test_an_event_refused_over_http(tmp_path: Path, token: str, status: str, code: int) -> None:
    """An answer of 401 is a refusal of the whole, 400 a bad event; each with its code and message."""
    event = tmp_path / "event.json"
    envelope = json.loads((ROOT / "events" / "cms.callback.json").read_bytes())
    envelope["headers"] = {"Content-Type": "application/json", "X-Alarm-Token": token}
    envelope["queryParameters"] = {}
    envelope["body"] = json.dumps({"InstanceId": "nope"})
    event.write_text(json.dumps(envelope))
    done = stop_guard("invoke", event)
    assert done.returncode == code
    assert status in done.stdout
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("event", "says"),
    [
        ("Tag:\n  - env\n", "the event is not JSON: line 1, column 1: this looks like YAML"),
        ('{"Tag": [\u201cenv\u201d]}', "line 1, column 10: \u201c is a typographic quote"),
        ('{"InstanceId": "i-1"}\n{"InstanceId": "i-2"}', "it holds 2 documents; several events are an array"),
        ('{"InstanceId": "i-1",\n "RegionID": "x"}', "line 2, column 3: "),
        ('{"InstanceId": "i-1",\n "RegionID": "x"}', "did you mean `RegionId`?"),
        ('{"Tags": [{"Key": "env"}], "DryRun": true}', "did you mean `Tag`?"),
    ],
)
def test_a_mistaken_event_says_where_and_what_is_right(event: str, says: str) -> None:
    """Line, column, what JSON or a request wants; exit code 2."""
    done = stop_guard("invoke", "-", stdin=event)
    assert done.returncode == 2
    assert says in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le"])
def test_an_event_may_come_in_any_unicode(fleet: Path, encoding: str) -> None:
    """Windows' tools write UTF-16, and marks of their own."""
    event = json.dumps({"InstanceId": GOOD}).encode(encoding)
    done = stop_guard("invoke", "-", "--fleet", fleet, "--plan", stdin=event)
    assert (done.returncode, "would_stop" in done.stdout) == (0, True)


def test_a_selection_that_matches_nothing_says_what_comes_close() -> None:
    """The selection, where, how many are there, and what may have been meant."""
    event = json.dumps({"Tag": [{"Key": "Env", "Value": "DEV"}]})
    done = stop_guard("invoke", "-", stdin=event)
    assert done.returncode == 0, done.stderr
    assert "No instance in cn-hangzhou has the tag Env=DEV; 12 instances are there." in done.stdout
    assert "Close to it: the tag env=dev (4)." in done.stdout


def test_a_drill_that_met_no_call_proves_nothing(fleet: Path) -> None:
    """The fault is named with what was called how often instead, and which would have met; exit code 2."""
    event = json.dumps({"InstanceId": GOOD})
    fault = ("--fault", "StopInstances=InternalError")
    done = stop_guard("invoke", "-", "--fleet", fleet, *fault, stdin=event)
    assert done.returncode == 2
    assert "no call met the fault StopInstances=InternalError" in done.stderr
    assert "StopInstance 1 times" in done.stderr
    assert "try StopInstance=InternalError" in done.stderr
    met = stop_guard(
        "invoke", "-", "--fleet", fleet, "--fault", "StopInstance=InternalError,when=after", stdin=event
    )
    assert "no call met" not in met.stderr


def test_the_fault_of_the_documents_fires() -> None:
    """What docs/local-ecs.md shows, on the event that it shows, meets a call.

    The quota beside it does, too, but lasts until ECS's minute is over.
    """
    fault = "StopInstance:2=InternalError"
    assert f"`{fault}`" in (ROOT / "docs" / "local-ecs.md").read_text()
    done = stop_guard("invoke", "events/timer.json", "--plan", "--fault", fault)
    assert "no call met" not in done.stderr


def test_settings_and_payload_can_be_those_that_are_deployed(tmp_path: Path) -> None:
    """With --template its variables count, not the machine's; --trigger sends what its timer does."""
    own = tmp_path / "own.yml"
    own.write_text((ROOT / "template.yml").read_text().replace('MAX_INSTANCES: "100"', 'MAX_INSTANCES: "2"'))
    deployed = ("--template", own, "--trigger", "every-evening", "--plan", "--json")
    done = stop_guard("invoke", *deployed, environment={"MAX_INSTANCES": "50"})
    assert done.returncode == 3, done.stderr
    report = json.loads(done.stdout)
    assert report["source"] == "timer"
    assert [one["code"] for one in report["refusals"]] == ["Guard.TooManyInstances"]


def test_a_setting_that_only_the_pipeline_knows_is_asked_for(tmp_path: Path) -> None:
    """A rehearsal with a limit that is not known would be of something else than what is deployed."""
    own = tmp_path / "own.yml"
    own.write_text((ROOT / "template.yml").read_text().replace('"100"', "${env('LIMIT')}"))
    command = ["invoke", "--template", str(own), "--trigger", "every-evening", "--plan"]
    unset = CliRunner().invoke(app, command)
    assert (unset.exit_code, unset.stdout) == (2, "")
    assert "MAX_INSTANCES is ${env('LIMIT')}, which is not known here" in unset.stderr
    assert CliRunner().invoke(app, command, env={"LIMIT": "50"}).exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--template", "template.yml", "--trigger", "evening"], "its timers: every-evening"),
        (
            ["events/timer.json", "--template", "template.yml", "--trigger", "every-evening"],
            "give one of them",
        ),
        (["--trigger", "every-evening"], "--trigger goes with --template"),
        (["--template", "template.yml"], "EVENT is missing"),
        (["events/timer.json", "--template", "nowhere.yml"], "cannot read nowhere.yml"),
    ],
)
def test_a_trigger_is_one_of_a_template(arguments: list[str], says: str) -> None:
    """What does not go together is said; exit code 2."""
    done = stop_guard("invoke", *arguments)
    assert (done.returncode, says in done.stderr) == (2, True), done.stderr


def test_a_variable_that_is_nearly_a_setting_is_said() -> None:
    """MAX_INSTANCE counts for nothing; whoever set it hears of it."""
    done = stop_guard("invoke", "events/request.json", "--plan", environment={"MAX_INSTANCE": "1"})
    assert done.returncode == 0
    assert "MAX_INSTANCE is no setting, and counts for nothing; did you mean MAX_INSTANCES?" in done.stderr


def test_a_report_for_sign_off_holds_every_row(tmp_path: Path) -> None:
    """As CSV: a line for each instance, in the event's order, no formula in a name; two plans compare."""
    fleet = tmp_path / "fleet.json"
    names = ["=HYPERLINK(1)", "dev-web"]
    fleet.write_text(
        json.dumps(
            [
                {"InstanceId": f"i-{n}", "InstanceName": name, "Tags": TAGS, "x-emulator": {"StopSeconds": 0}}
                for n, name in enumerate(names)
            ]
        )
    )
    event = json.dumps({"InstanceIds": ["i-1", "i-0", "i-9"]})
    out = tmp_path / "plan.csv"
    done = stop_guard("invoke", "-", "--fleet", fleet, "--plan", "--out", out, stdin=event)
    assert done.returncode == 0, done.stderr
    with out.open(newline="", encoding="utf-8-sig") as file:
        rows = list(csv.DictReader(file))
    assert [(row["target"], row["instance_id"], row["status"]) for row in rows] == [
        ("local", "i-1", "would_stop"),
        ("local", "i-0", "would_stop"),
        ("local", "i-9", "refused"),
    ]
    assert [row["instance_name"] for row in rows] == ["dev-web", "'=HYPERLINK(1)", ""]
    again = stop_guard("invoke", "-", "--fleet", fleet, "--plan", stdin=event)
    assert again.stdout == done.stdout


def test_a_rehearsals_log_says_that_it_is_one(fleet: Path, tmp_path: Path) -> None:
    """Each line names the target, a second run is appended, and savings can be tried with it."""
    log = tmp_path / "run.log"
    event = json.dumps({"InstanceId": GOOD, "StoppedMode": "StopCharging"})
    for _ in range(2):
        stop_guard("invoke", "-", "--fleet", fleet, "--log", log, stdin=event)
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert len(lines) == 4
    assert {line["target"] for line in lines} == {"local"}
    assert stop_guard("savings", log).returncode == 0


def test_many_rows_are_shown_by_reason_unless_all_are_wanted(tmp_path: Path) -> None:
    """With --full each instance has its line; without it what is left is never cut."""
    fleet = tmp_path / "fleet.json"
    starting = {"Status": "Starting", "x-emulator": {"StartSeconds": 900}}
    fleet.write_text(
        json.dumps(
            [{"InstanceId": f"i-{n:03}", "Tags": TAGS, **(starting if n < 9 else {})} for n in range(60)]
        )
    )
    event = json.dumps({"ZoneId": "cn-hangzhou-h"})
    grouped = stop_guard("invoke", "-", "--fleet", fleet, "--plan", stdin=event)
    full = stop_guard("invoke", "-", "--fleet", fleet, "--plan", "--full", stdin=event)
    assert all(f"i-{n:03}" in grouped.stdout for n in range(9))
    assert "i-059" not in grouped.stdout
    assert all(f"i-{n:03}\t" in full.stdout for n in range(60))
