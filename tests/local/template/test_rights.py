"""What the role must be allowed by the settings, and whether its policies allow that and no more."""

from datetime import UTC, datetime
from typing import Any

import pytest

from function.settings import Settings
from local.template.check import check
from local.template.rights import missing, needed, too_much
from local.template.source import load
from tests.ros_template import Stack
from tests.terminal import ROOT

ACCOUNT = "1234567890123456"
(FUNCTION,) = check(load(ROOT / "template.yml"), datetime(2026, 1, 30, tzinfo=UTC)).functions
ROLE = "acs:ram::2345678901234567:role/stop-guard-there"


def policies(**parameters: str) -> list[dict[str, Any]]:
    """Give the policies that deploy/stack.yml makes."""
    stack = Stack(ROOT / "deploy" / "stack.yml", **parameters)
    return [one["PolicyDocument"] for one in stack.resources("ALIYUN::RAM::ManagedPolicy").values()]


def judged(settings: dict[str, str], documents: list[dict[str, Any]]) -> tuple[list[str], list[str]]:
    """Give the actions that are missing and what is too much."""
    read = Settings.from_environment({**FUNCTION.environment_variables, **settings})
    rights = list(needed(FUNCTION, read, ACCOUNT))
    return [one.action for one in missing(rights, documents)], list(too_much(rights, read, documents))


def test_the_stack_allows_what_the_template_needs_and_no_more() -> None:
    """As they are in the repository, one fits the other; each feature with its parameter, too."""
    assert judged({}, policies()) == ([], [])
    assert judged({"FAN_OUT": "true"}, policies(FanOut="true")) == ([], [])
    assert judged({"ALLOWED_ROLE_ARNS": ROLE}, policies(RoleArns=ROLE)) == ([], [])
    both = {"ALLOWED_REGIONS": "cn-hangzhou,cn-beijing"}
    assert judged(both, policies(OtherRegions="cn-beijing")) == ([], [])


@pytest.mark.parametrize(
    ("settings", "lacks"),
    [
        ({"FAN_OUT": "true"}, {"fc:InvokeFunction"}),
        ({"ALLOWED_ROLE_ARNS": ROLE}, {"sts:AssumeRole"}),
        (
            {"ALLOWED_REGIONS": "cn-hangzhou,cn-beijing"},
            {"ecs:DescribeInstances", "ecs:StopInstance", "ecs:StopInstances"},
        ),
    ],
)
def test_a_setting_without_its_right_is_seen(settings: dict[str, str], lacks: set[str]) -> None:
    """What a setting needs beyond the plain stack is missing there."""
    assert set(judged(settings, policies())[0]) == lacks


def test_a_denial_and_a_detached_policy_are_seen() -> None:
    """Pausing detaches the policy to stop; a denial beats what is allowed."""
    stops = {"ecs:StopInstance", "ecs:StopInstances"}
    paused = [one for one in policies() if "ecs:StopInstance" not in str(one)]
    assert set(judged({}, paused)[0]) == stops
    denial = {"Statement": [{"Effect": "Deny", "Action": "ecs:Stop*", "Resource": "*"}]}
    assert set(judged({}, [*policies(), denial])[0]) == stops


@pytest.mark.parametrize(
    ("settings", "statement", "says"),
    [
        ({}, {"Effect": "Allow", "Action": ["ecs:*"], "Resource": ["*"]}, "also allows ecs:*"),
        (
            {},
            {"Effect": "Allow", "Action": "ecs:StopInstance", "Resource": "*"},
            "without the tag auto-stop=true",
        ),
        ({}, {"Effect": "Allow", "Action": "ecs:DeleteInstance", "Resource": "*"}, "ecs:DeleteInstance"),
        (
            {"REQUIRED_TAG": "night=off"},
            {},
            "only instances with ecs:tag/auto-stop=true, and REQUIRED_TAG is night=off",
        ),
    ],
)
def test_too_much_is_said(settings: dict[str, str], statement: dict[str, Any], says: str) -> None:
    """What is never needed, stops without a tag, and a tag that is not the settings'."""
    documents = [*policies(), *([{"Statement": [statement]}] if statement else [])]
    assert [text for text in judged(settings, documents)[1] if says in text]
