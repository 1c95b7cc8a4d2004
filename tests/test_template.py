"""template.yml: what Serverless Devs and Function Compute take, and what the function needs."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path

import fastjsonschema
import pytest

from function import index
from function.events.parse import parse
from function.model.request import Source, StopRequest
from function.settings import Settings
from local.artifact import RUNTIMES
from local.template.check import Findings, check
from local.template.model import Function
from local.template.properties import schema
from local.template.source import load
from local.template.timers import event_of

PROJECT = Path(__file__).resolve().parent.parent
FILE = PROJECT / "template.yml"
TEMPLATE = FILE.read_text()
NOW = datetime(2026, 1, 30, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def findings() -> Findings:
    """Give what `stop-guard check` finds in the template."""
    return check(load(FILE), NOW)


@pytest.fixture(scope="module")
def function(findings: Findings) -> Function:
    """Give the one function."""
    (only,) = findings.functions
    return only


def resource() -> dict[str, object]:
    """Give the template's one resource as it is written."""
    template = load(FILE).value
    assert isinstance(template, dict)
    assert "${" not in json.dumps(template)
    (only,) = template["resources"].values()
    assert isinstance(only, dict)
    return only


def changed(tmp_path: Path, right: str, wrong: str) -> Findings:
    """Check the template with one text in it replaced."""
    assert right in TEMPLATE
    file = tmp_path / "template.yml"
    file.write_text(TEMPLATE.replace(right, wrong, 1))
    return check(load(file), NOW)


def test_nothing_is_wrong_with_it(findings: Findings) -> None:
    """The template as it is passes its own check."""
    assert findings.problems == ()


def test_the_published_schema_agrees() -> None:
    """The function's properties are valid by the schema of Serverless Devs' fc3 component."""
    validate = fastjsonschema.compile(dict(schema()))
    props = resource()["props"]
    assert isinstance(props, dict)

    validate(props)
    for wrong in ({"memorySize": 100}, {"logConfig": "none"}, {"runtime": "python3.11"}):
        with pytest.raises(fastjsonschema.JsonSchemaValueException):
            validate(props | wrong)


def test_nothing_fires_at_deployment(function: Function) -> None:
    """Every trigger starts disabled, and both kinds are there."""
    assert [trigger.enabled for trigger in function.triggers] == [False, False, False]
    assert {trigger.type for trigger in function.triggers} == {"timer", "eventbridge"}


def test_every_eventbridge_trigger_is_deployed_by_itself(function: Function) -> None:
    """Serverless Devs leaves those behind an unchanged one as they were, also one to be switched off."""
    names = [one.name for one in function.triggers if one.type == "eventbridge"]
    actions = resource()["actions"]
    assert isinstance(actions, dict)
    assert actions["success-deploy"] == [{"component": f"fc3 deploy --trigger {name} -y"} for name in names]


@pytest.mark.parametrize("switch", ["every_evening", "ecs_system_events", "cloudmonitor_alarms"])
def test_each_switch_switches_one_trigger(tmp_path: Path, switch: str) -> None:
    """A variable of the template switches the trigger of its name, and no other."""
    (only,) = changed(tmp_path, f"{switch}: false", f"{switch}: true").functions
    on = [one.name for one in only.triggers if one.enabled]
    assert on == [switch.replace("_", "-")]


def test_each_file_of_ones_own_in_the_documents_is_valid(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What docs/deploy.md shows, laid over template.yml as Serverless Devs does, is a valid template."""
    page = (PROJECT / "docs" / "deploy.md").read_text(encoding="utf-8")
    (tmp_path / "template.yml").write_text(TEMPLATE)
    monkeypatch.setenv("ALARM_TOKEN", "of-the-environment")
    shown: list[Function] = []
    for text in re.findall(r"```yaml\n(.*?)```", page, re.DOTALL):
        assert "extend: ./template.yml\n" in text
        (tmp_path / "my.yml").write_text(text)
        found = check(load(tmp_path / "my.yml"), NOW)
        assert found.problems == ()
        shown += found.functions
    timer, http = shown
    assert Settings.from_environment(timer.environment_variables).max_instances == 200
    assert [one.name for one in timer.triggers if one.enabled] == ["every-evening"]
    assert Settings.from_environment(http.environment_variables).fan_out
    assert [one.name for one in http.triggers] == ["alarms"]


def test_the_code_is_what_make_build_makes(function: Function) -> None:
    """Build and check run before every deployment, for the template's runtime and file, and make the code."""
    its = resource()
    actions, props = its["actions"], its["props"]
    assert isinstance(actions, dict)
    assert isinstance(props, dict)
    assert {"run": "make build", "path": "./"} in actions["pre-deploy"]
    assert props["code"] == "./build"
    assert function.runtime in RUNTIMES
    assert f"$(or $(RUNTIME),{function.runtime})" in (PROJECT / "Makefile").read_text()
    for entry in (props["handler"], props["instanceLifecycleConfig"]["initializer"]["handler"]):
        file, _, name = entry.partition(".")
        assert file == "index"
        assert callable(getattr(index, name))
    assert function.environment_variables["PYTHONPATH"] == "/code/python"


def test_every_setting_is_in_the_template_and_nothing_else(function: Function) -> None:
    """The variables are those of Settings, without what FC itself sets, and PYTHONPATH."""
    settings = {str(field.alias) for field in Settings.model_fields.values()}
    own = {name for name in settings if not name.startswith(("FC_", "ALIBABA_CLOUD_"))}
    assert set(function.environment_variables) - {"PYTHONPATH"} == own


def test_the_settings_are_the_defaults(function: Function) -> None:
    """A function deployed without a change behaves as the settings' defaults say."""
    assert Settings.from_environment(function.environment_variables) == Settings.from_environment({})


def test_times_fit_together(function: Function) -> None:
    """There is time to verify within the timeout, and no event goes stale while FC tries it again."""
    settings = Settings.from_environment(function.environment_variables)
    assert isinstance(function.timeout, int)
    assert function.timeout >= settings.verify_seconds + 120
    assert settings.max_event_age is not None
    age = function.async_invoke_config.max_async_event_age_in_seconds
    assert isinstance(age, int)
    assert age <= settings.max_event_age.total_seconds() / 2


def test_the_timer_asks_for_what_opted_in(function: Function) -> None:
    """The timer's payload is a valid request: every instance with the tag that the settings require."""
    (timer,) = function.timers
    (request,) = parse(event_of(timer, NOW), now=NOW).events

    assert isinstance(request, StopRequest)
    assert request.source is Source.TIMER
    assert request.selection is not None
    required = Settings.from_environment(function.environment_variables).required_tag
    assert request.selection.tags == (required,)
    assert not request.confirm_stop
    assert not request.force_stop


@pytest.mark.parametrize(
    ("trigger_name", "sample"),
    [("ecs-system-events", "eventbridge.ecs.json"), ("cloudmonitor-alarms", "mns.json")],
)
def test_the_patterns_let_the_samples_through(function: Function, trigger_name: str, sample: str) -> None:
    """Each EventBridge trigger passes on the event that its sample shows."""
    (config,) = (one.config for one in function.triggers if one.name == trigger_name)
    event = json.loads((PROJECT / "events" / sample).read_text())
    pattern = json.loads(config["eventRuleFilterPattern"])

    for name, allowed in pattern.items():
        assert any(
            event[name] == one if isinstance(one, str) else event[name].startswith(one["prefix"])
            for one in allowed
        )
    from_queue = config["eventSourceConfig"]["eventSourceType"] == "MNS"
    assert from_queue == event["type"].startswith("mns:")


def test_the_page_about_events_says_how_long_an_answer_takes_with_this_size() -> None:
    """Its row of the template's share of a vCPU is marked, so that nobody reads another."""
    props = resource()["props"]
    assert isinstance(props, dict)
    page = (FILE.parent / "docs" / "events.md").read_text()
    assert re.findall(r"\| ([0-9.]+) \(the template's\) \|", page) == [str(props["cpu"])]
