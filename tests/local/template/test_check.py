"""`stop-guard check`: each mistake by its line, with what is right; what people may change passes."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from local.template.check import Findings, check
from local.template.source import InvalidTemplate, load
from tests.terminal import ROOT, stop_guard

TEMPLATE = (ROOT / "template.yml").read_text()
NOW = datetime(2026, 1, 30, 12, tzinfo=UTC)
OF_THE_SETTINGS = '        MAX_INSTANCES: "100"\n'
MERGED = ('        DRY_RUN: "false"\n', "        <<: *common\n")
SOMEBODY_ELSES = """\
  report:
    component: fc3
    props:
      region: cn-hangzhou
      functionName: report
      runtime: nodejs20
      handler: main.handler
      code: ./report
      timeout: 10
"""


def changed(tmp_path: Path, *changes: tuple[str, str]) -> Findings:
    """Check the template with texts in it replaced."""
    text = TEMPLATE
    for right, other in changes:
        assert right in text
        text = text.replace(right, other, 1)
    file = tmp_path / "template.yml"
    file.write_text(text)
    return check(load(file), NOW)


def line_of(text: str) -> int:
    """Give the line of the template that holds a text."""
    return TEMPLATE[: TEMPLATE.index(text)].count("\n") + 1


@pytest.mark.parametrize(
    ("right", "wrong", "says"),
    [
        ("memorySize: 128", "memorysize: 128", "did you mean memorySize?"),
        ("asyncInvokeConfig:", "asyncInvokeConfigs:", "did you mean asyncInvokeConfig?"),
        ("maxAsyncRetryAttempts: 3", "timeout: 3", "it belongs into props"),
        ("enable: ${vars.every_evening}", "enabled: ${vars.every_evening}", "did you mean enable?"),
        ("every_evening: false", "every_evning: false", "did you mean vars.every_evning?"),
        ("memorySize: 128", "memorySize: 512", "with memorySize 512 FC takes cpu 0.15 to 0.50"),
        ("memorySize: 128", "memorySize: 100", "memorySize is 100"),
        ("cpu: 0.1", "cpu: 0.07", "cpu is 0.07"),
        ("timeout: 300", "timeout: 90000", "FC takes 1 to 86400"),
        ("timeout: 300", "timeout: 60", "too short to verify for VERIFY_SECONDS (120)"),
        ("runtime: python3.12", "runtime: python3.11", "did you mean python3.1"),
        ("logBeginRule: None", "logBeginRule: DefaultRegex", "logBeginRule must be None"),
        ("0 0 20 * * *", "0 20 * * *", "seconds come first"),
        ("0 0 20 * * *", "0 0 24 * * *", "the hours is '24'; it takes 0 to 23"),
        ("0 0 20 * * *", "0 0 20 31 2 *", "never comes"),
        ("CRON_TZ=Asia/Shanghai", "CRON_TZ=Asia/Shanghia", "did you mean Asia/Shanghai?"),
        ("CRON_TZ=Asia/Shanghai", "TZ=Asia/Shanghai", "FC takes only CRON_TZ="),
        ("every_evening: false", "every_evening: 'false'", "enable is 'false'; it must be true or false"),
        ("triggerType: timer", "triggerType: eventbridge", "eventSourceConfig is missing"),
        ("eventSourceType: MNS", "eventSourceType: Default", "sources of type Default have no parameters"),
        ("triggerName: cloudmonitor-alarms", "triggerName: ecs-system-events", "replaces the first"),
        ('MIN_UPTIME_MINUTES: "0"', "MIN_UPTIME_MINUTES: 0", 'write "0"'),
        ("MAX_INSTANCES:", "MAX_INSTANCE:", "did you mean MAX_INSTANCES?"),
        ('MAX_INSTANCES: "100"', 'MAX_INSTANCES: "many"', "right would be MAX_INSTANCES=100"),
        ('ALLOWED_REGIONS: ""', "ALLOWED_REGIONS: cn-beijing", "Guard.RegionNotAllowed"),
        ("maxAsyncEventAgeInSeconds: 1800", "maxAsyncEventAgeInSeconds: 3600", "at most 1800 is right"),
        ("PROTECTED_TAG: stop-guard=protected", "PROTECTED_TAG: auto-stop", "nothing is ever stopped"),
        ("ecs_system_events: false", "ecs_system_events: true", "SYSTEM_EVENTS is empty"),
        ('"Tag": [{"Key"', '"Tags": [{"Key"', "its payload is refused"),
        ("PYTHONPATH: /code/python", "PYTHONPATH: /code", "PYTHONPATH must hold /code/python"),
        ("handler: index.handler", "handler: index.handle", "index.handler is right"),
        ("handler: index.initialize", "handler: index.init", "index.initialize is right"),
        ("-failures/messages", "-failures", "it must be acs:mns:REGION:ACCOUNT:/queues/NAME/messages"),
        ("internetAccess: true", "internetAccess: false", "the function can't reach ECS"),
        ('["acs.ecs"], "type"', '["acs.ecs"], type', "eventRuleFilterPattern is not JSON"),
        ("PushRetryStrategy: BACKOFF_RETRY", "PushRetryStrategy: BACKOFF", "it must be BACKOFF_RETRY or"),
        ("errorsTolerance: ALL", "errorsTolerance: all", "it must be ALL or NONE"),
        ('ALLOWED_REGIONS: ""', "ALLOWED_REGIONS: cn-hangzhou,cn-shangai", "did you mean cn-shanghai?"),
        ("validation: true", "validation: false", "validation must be true"),
        ("runtime: python3.12", "runtime: python3.10", "`make build` makes python3.12"),
        (OF_THE_SETTINGS, OF_THE_SETTINGS + f"        NOTES: {'x' * 4000}\n", "FC takes 4,096"),
        (OF_THE_SETTINGS, OF_THE_SETTINGS + OF_THE_SETTINGS, "MAX_INSTANCES is there twice"),
        (OF_THE_SETTINGS, OF_THE_SETTINGS + '        MAX_INSTANCE: "9"\n', "did you mean MAX_INSTANCES?"),
        (OF_THE_SETTINGS, OF_THE_SETTINGS + "        FC_REGION: cn-hangzhou\n", "set by FC itself"),
    ],
)
def test_each_mistake_is_found_and_says_what_is_right(
    tmp_path: Path, right: str, wrong: str, says: str
) -> None:
    """What Serverless Devs deploys without a word, what FC refuses, and what contradicts."""
    found = changed(tmp_path, (right, wrong)).problems
    assert [message for _, message in found if says in message], found


def test_a_mistake_has_its_line(tmp_path: Path) -> None:
    """The place is the file and the line where it stands."""
    ((place, message),) = changed(tmp_path, ("diskSize: 512", "disksize: 512")).problems
    assert place == f"{tmp_path / 'template.yml'}:{line_of('diskSize: 512')}"
    assert "did you mean diskSize?" in message


@pytest.mark.parametrize(
    "changes",
    [
        [("memorySize: 128", "memorySize: 512"), ("cpu: 0.1", "cpu: 0.5")],
        [("0 0 20 * * *", "0 30 19 ? * MON-FRI")],
        [("CRON_TZ=Asia/Shanghai 0 0 20 * * *", "'@every 4m'")],
        [(OF_THE_SETTINGS, OF_THE_SETTINGS + "        TZ: Asia/Shanghai\n")],
        [("role: ${vars.name}", "role: acs:ram::1234567890123456:role/Stopper")],
        [("region: cn-hangzhou", "region: eu-central-1"), ("name: stop-guard #", "name: night #")],
        [('MAX_EVENT_AGE_MINUTES: "60"', 'MAX_EVENT_AGE_MINUTES: "0"')],
        [('SYSTEM_EVENTS: ""', "SYSTEM_EVENTS: ${env('EVENTS_THAT_ONLY_THE_PIPELINE_HAS')}")],
        [('MAX_INSTANCES: "100"', "MAX_INSTANCES: ${env('LIMIT_THAT_ONLY_THE_PIPELINE_HAS')}")],
        [("cpu: 0.1", "cpu: ${config('cpu')}"), ("timeout: 300", "timeout: ${config('timeout')}")],
        [("vars:\n", "vars: ${file('./vars.yml')}\nx-vars:\n")],
        [("vars:\n", "x-common: &common\n  DRY_RUN: 'true'\nvars:\n"), MERGED],
        [("resources:\n", f"resources:\n{SOMEBODY_ELSES}")],
        [("internetAccess: true", "internetAccess: false\n      vpcConfig: auto")],
        [("      tags:\n", "      vpcConfig: auto\n      nasConfig: auto\n      tags:\n")],
        [
            (
                "      tags:\n",
                "      customDomain:\n        domainName: auto\n        protocol: HTTP\n      tags:\n",
            )
        ],
    ],
)
def test_what_people_may_change_passes(tmp_path: Path, changes: list[tuple[str, str]]) -> None:
    """Size, times, variables of one's own, roles, regions: none of it is a mistake."""
    assert changed(tmp_path, *changes).problems == ()


def test_a_file_that_extends_another_names_its_own_lines(tmp_path: Path) -> None:
    """Of two files each mistake has the one where it stands."""
    (tmp_path / "template.yml").write_text(TEMPLATE.replace("cpu: 0.1", "cpu: 0.07"))
    own = tmp_path / "own.yml"
    own.write_text("extend: ./template.yml\nresources:\n  stop_guard:\n    props:\n      timout: 600\n")
    places = [place for place, _ in check(load(own), NOW).problems]
    assert places == [f"{own}:5", f"{tmp_path / 'template.yml'}:{line_of('cpu: 0.1')}"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("edition: 3.0.0\n\tname: x", "2, column 1 is not YAML; indent with spaces"),
        ("- a", "holds no template"),
    ],
)
def test_what_is_no_template_is_said(tmp_path: Path, text: str, says: str) -> None:
    """A file that can't be read names the place, in words of its own."""
    file = tmp_path / "template.yml"
    file.write_text(text)
    with pytest.raises(InvalidTemplate, match=says):
        load(file)


def test_a_timer_without_a_zone_is_in_utc_and_says_what_that_is_at_home(tmp_path: Path) -> None:
    """Twenty o'clock in UTC is four in the morning in Hangzhou."""
    (timer,) = changed(tmp_path, ("CRON_TZ=Asia/Shanghai ", "")).forecasts
    assert timer.times[0] == "Fri 2026-01-30 20:00:00 UTC (Sat 04:00 in Asia/Shanghai)"
    assert len(timer.times) == 5


def test_the_command_shows_the_timers_and_fails_with_what_it_found(tmp_path: Path) -> None:
    """Exit code 0 and the next times, or 2 with a line for each problem."""
    good = stop_guard("check")
    assert (good.returncode, good.stderr) == (0, "")
    assert "Timer every-evening (disabled): CRON_TZ=Asia/Shanghai 0 0 20 * * *" in good.stdout
    assert "stops every instance with the tag auto-stop=true in cn-hangzhou, KeepCharging" in good.stdout
    assert good.stdout.count("20:00:00 Asia/Shanghai (12:00 UTC)") == 5
    (tmp_path / "own.yml").write_text(TEMPLATE.replace("cpu: 0.1", "cpus: 0.1"))
    bad = stop_guard("check", tmp_path / "own.yml")
    assert bad.returncode == 2
    assert f"own.yml:{line_of('cpu: 0.1')}: cpus is no property of a function" in bad.stdout
    assert "2 problems" in bad.stdout
    missing = stop_guard("check", "nowhere.yml")
    assert (missing.returncode, "cannot read nowhere.yml" in missing.stderr) == (2, True)
