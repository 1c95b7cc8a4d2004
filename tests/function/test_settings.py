"""The environment becomes Settings, or an error that names what is wrong."""

import re
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from function.model.request import StoppedMode, Tag
from function.settings import InvalidSettings, Settings
from tests.stage import SetStage


def test_defaults() -> None:
    """With nothing set, the defaults of the contract hold."""
    settings = Settings.from_environment({})
    assert settings.regions_allowed("cn-hangzhou") == {"cn-hangzhou"}
    assert settings.required_tag == Tag(key="auto-stop", value="true")
    assert settings.protected_tags == (Tag(key="stop-guard", value="protected"),)
    assert settings.keep_until_tag == "keep-running-until"
    assert settings.stopped_mode is StoppedMode.KEEP_CHARGING
    assert settings.max_event_age == timedelta(minutes=60)
    assert settings.alarm_states == ("ALERT", "ALARM", "firing", "CRITICAL", "WARN", "INFO")
    assert settings.model_dump(
        include={"min_uptime_minutes", "max_instances", "verify_seconds", "concurrency"}
    ) == {
        "min_uptime_minutes": 0,
        "max_instances": 100,
        "verify_seconds": 120,
        "concurrency": 16,
    }
    assert (settings.dry_run, settings.alarm_token, settings.ecs_endpoint) == (False, None, None)
    assert settings.system_events == ()


def test_an_empty_variable_means_its_default_except_required_tag() -> None:
    """A template can list every variable; only REQUIRED_TAG has a meaning of its own when empty."""
    settings = Settings.from_environment(dict.fromkeys(Settings.variables(), " "))
    assert settings.required_tag is None
    assert settings == Settings.from_environment({"REQUIRED_TAG": ""})


WRONG = [
    ("ECS_ENDPOINT", "ecs.aliyuncs.com"),
    ("ECS_ENDPOINT", "ftp://ecs.aliyuncs.com"),
    ("ECS_ENDPOINT", "http://ecs.aliyuncs.com"),
    ("ECS_ENDPOINT", "http://10.0.0.1"),
    ("ECS_ENDPOINT", "http://localhost.example.com"),
    ("ECS_ENDPOINT", "https://ecs.aliyuncs.com/path"),
    ("ECS_ENDPOINT", "https://user:hunter2@ecs.aliyuncs.com"),
    ("ECS_ENDPOINT", "https://ecs.aliyuncs.com:99999"),
    ("ECS_ENDPOINT", "https://ecs.aliyuncs.com:https"),
    ("ECS_ENDPOINT", "https://ecs.aliyuncs.com:0"),
    ("ECS_ENDPOINT", "https://[::1"),
    ("ECS_ENDPOINT", "https://ecs\u2100.com"),
    ("ECS_ENDPOINT", "https://ecs.aliyuncs.com?token=hunter2"),
    ("ECS_ENDPOINT", "https://ecs.aliyuncs .com"),
    ("ALLOWED_REGIONS", "cn-hangzhou,everywhere!"),
    ("ALLOWED_REGIONS", ","),
    ("KEEP_UNTIL_TAG", "keep=true"),
    ("FC_REGION", "hangzhou"),
    ("REQUIRED_TAG", "=true"),
    ("REQUIRED_TAG", "auto-stop=true,env=dev"),
    ("PROTECTED_TAG", "="),
    ("PROTECTED_TAG", "stop-guard=protected,=prod"),
    ("PROTECTED_TAG", ","),
    ("PROTECTED_TAG", "env=prod，tier=db"),  # noqa: RUF001 - a keyboard in Chinese mode writes this comma
    ("PROTECTED_TAG", "env=prod;tier=db"),
    ("PROTECTED_TAG", '"env=prod"'),
    ("PROTECTED_TAG", '["env=prod"]'),
    ("MANAGED_TAGS", "ack.aliyun.com；k8s.io/cluster-autoscaler"),  # noqa: RUF001 - likewise
    ("MANAGED_TAGS", ","),
    ("MANAGED_TAGS", "ack.aliyun.com,acs:emr:clusterId=c-1"),
    ("ALLOWED_ROLE_ARNS", "acs:ram::*:role/*"),
    ("ALLOWED_ROLE_ARNS", "acs:ram::*:user/stop-guard"),
    ("MIN_UPTIME_MINUTES", "-1"),
    ("MIN_UPTIME_MINUTES", "1e400"),
    ("MAX_INSTANCES", "many"),
    ("MAX_INSTANCES", "1.5"),
    ("STOPPED_MODE", "Stopcharging"),
    ("ALARM_STATES", ","),
    ("MAX_EVENT_AGE_MINUTES", "99999999999999999999"),
    ("VERIFY_SECONDS", "2 minutes"),
    ("VERIFY_SECONDS", "\u201c120\u201d"),
    ("CONCURRENCY", "0"),
    ("CONCURRENCY", "101"),
    ("DRY_RUN", "ture"),
]


@pytest.mark.parametrize(("name", "value"), WRONG)
def test_a_wrong_value_is_named_with_a_right_example(name: str, value: str) -> None:
    """The error names the variable, the value (but no password) and an example that is itself right."""
    with pytest.raises(InvalidSettings) as raised:
        Settings.from_environment({name: value})
    message = str(raised.value)
    assert message.startswith(f"{name}: ")
    assert "hunter2" not in message
    assert value in message or "hunter2" in value
    example = message.rsplit(f"{name}=", 1)[1]
    Settings.from_environment({name: example})


def test_what_is_wrong_is_said_in_words_of_our_own() -> None:
    """Kind by kind: what the value is, with what would be wanted where that is not plain."""
    problems = {
        "MAX_INSTANCES=many": "is not a whole number, got 'many'",
        "MAX_INSTANCES=-1": "is less than 0, got '-1'",
        "CONCURRENCY=101": "is more than 100, got '101'",
        "STOPPED_MODE=stop": "is neither StopCharging nor KeepCharging, got 'stop'",
        "DRY_RUN=ture": "is neither true nor false, got 'ture'",
        "FC_REGION=hangzhou": "'hangzhou' is not a region id, got 'hangzhou'",
        "KEEP_UNTIL_TAG=keep=true": "holds '='; it takes the key alone, whatever its value, got 'keep=true'",
        "STS_ENDPOINT=https://sts:x": "is not http(s)://host[:port], the port from 1 to 65535, got 'https://sts:x'",
    }
    for wrong, problem in problems.items():
        name, _, value = wrong.partition("=")
        assert problem_with({name: value}).startswith(f"{name}: {problem}; right would be {name}="), wrong


LIBRARY_WORDS = re.compile(r"(?i)input should|string should|unable to|validation|pydantic|integer|url|can't")
UNUSUAL = [
    "",
    "9" * 5_000,
    "\udcff",
    "1\udcff",
    "\0",
    "0x10",
    "1_000",
    "1.0",
    "٣",
    "http://[::1",
    "https://h:x",
]


@given(st.sampled_from(sorted(Settings.variables())), st.sampled_from(UNUSUAL) | st.text())
def test_no_error_is_in_a_librarys_words(name: str, value: str) -> None:
    """Whatever a variable holds, also what is no text at all, its error is one that people can act on."""
    problem = problem_with({name: value}).partition(", got ")[0]
    assert not LIBRARY_WORDS.search(problem.replace(repr(value), ""))


def test_all_wrong_values_are_named_at_once() -> None:
    """One deployment is enough to learn of every mistake."""
    with pytest.raises(InvalidSettings, match=r"MAX_INSTANCES: .*; DRY_RUN: "):
        Settings.from_environment({"MAX_INSTANCES": "x", "DRY_RUN": "x"})


@pytest.mark.parametrize(
    "endpoint",
    [
        "https://ecs.cn-hangzhou.aliyuncs.com",
        "http://127.0.0.1:8014/",
        "http://[::1]:1",
        "http://localhost:80",
    ],
)
def test_endpoints(endpoint: str) -> None:
    """Plain http goes to a loopback address only; a closing slash does no harm."""
    assert Settings.from_environment({"ECS_ENDPOINT": endpoint}).ecs_endpoint == endpoint.rstrip("/")


def problem_with(environment: dict[str, str]) -> str:
    """Give the text of the error, empty where there is none."""
    try:
        Settings.from_environment(environment)
    except InvalidSettings as error:
        return str(error)
    return ""


@given(st.dictionaries(st.sampled_from(sorted(Settings.variables())), st.text()))
def test_any_environment_is_read_or_refused(environment: dict[str, str]) -> None:
    """Whatever the variables hold, there are Settings or InvalidSettings, and no secret in its message."""
    assert "do-not-show-me" not in problem_with(environment | {"ALARM_TOKEN": "do-not-show-me"})


def test_the_alarm_token_is_not_shown() -> None:
    """Settings that end up in a log do not give the token away."""
    token = "s3cret-s3cret-s3cret"
    assert "s3cret" not in repr(Settings.from_environment({"ALARM_TOKEN": token}))


def test_a_token_too_short_to_be_a_secret_is_refused() -> None:
    """Whoever has it may ask for stops from anywhere, so it can't be a word; the error does not show it."""
    assert problem_with({"ALARM_TOKEN": "s3cret-of-15-ch"}) == (
        "ALARM_TOKEN: has 15 characters; a secret has at least 16, got (not shown); "
        "right would be ALARM_TOKEN=what openssl rand -hex 16 prints"
    )
    assert problem_with({"ALARM_TOKEN": "s3cret-of-16-chr"}) == ""


def test_wrong_settings_stop_the_function_before_any_call(stage: SetStage) -> None:
    """Nothing is called with settings that can't be what was meant."""
    played = stage({"InstanceId": "i-bp1a"}).invoke({"InstanceId": "i-bp1a"}, MAX_INSTANCES="ten")
    assert isinstance(played.answer.error, InvalidSettings)
    assert played.calls == ()
