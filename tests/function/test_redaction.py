"""Whole runs with a secret where it does not belong: no part of it is in a log line or an answer."""

import json

import pytest

from function.settings import InvalidSettings, Settings
from tests.stage import SetStage

GOOD = "i-bp1good0000000000001"
LETTERS = "Zq7Wm2Xc9Vb4Nh6Jk1Lp3Rt8Yu5Ds0Fg"
TOKENS = [LETTERS, f"{LETTERS[:16]}\\{LETTERS[16:]}", f"{LETTERS[:16]}\"'/é {LETTERS[16:]}"]


def over_http(body: str, token: str) -> dict[str, object]:
    """Write what FC's HTTP trigger delivers."""
    return {
        "rawPath": "/",
        "headers": {"X-Alarm-Token": token},
        "queryParameters": {},
        "requestContext": {},
        "isBase64Encoded": False,
        "body": body,
    }


def shown(text: str) -> int:
    """Count how much of the token's beginning is there."""
    return max(count for count in range(len(LETTERS)) if LETTERS[:count] in text)


@pytest.mark.parametrize("token", TOKENS)
def test_no_part_of_the_token_is_repeated(stage: SetStage, token: str) -> None:
    """Wherever an error cuts what it quotes, nothing of the token is left, however it is written there."""
    for body in (
        "alert=" + "x" * 166 + token,
        json.dumps({"InstanceId": "i" * 170 + token}),
        json.dumps({"InstanceId": "i" * 170 + json.dumps(token)}),
        json.dumps({"x" * 168 + token: 1}),
    ):
        played = stage().invoke(over_http(body, token), ALARM_TOKEN=token)
        assert played.answer.returned is not None
        assert played.answer.returned["statusCode"] == 400
        assert shown(json.dumps([played.lines, played.answer.returned])) <= 1


@pytest.mark.parametrize("token", TOKENS)
@pytest.mark.parametrize("key", ["keep-running-until", "owner"])
def test_no_part_of_the_token_in_a_tag_is_repeated(stage: SetStage, token: str, key: str) -> None:
    """A tag may hold the token: neither its line, nor the message about it, nor the report shows it."""
    tags = [{"TagKey": "auto-stop", "TagValue": "true"}, {"TagKey": key, "TagValue": "'" + token}]
    played = stage({"InstanceId": GOOD, "Tags": {"Tag": tags}}).invoke(
        {"InstanceId": GOOD}, ALARM_TOKEN=token
    )
    assert played.outcome["instance_id"] == GOOD
    assert shown(json.dumps([played.lines, played.answer.returned])) <= 1


@pytest.mark.parametrize("variable", ["REQUIRED_TAG", "ALLOWED_REGIONS", "STOPPED_MODE", "ALLOWED_ROLE_ARNS"])
def test_a_wrong_setting_repeats_no_token(variable: str) -> None:
    """A token put into another variable is not in the error about that one, cut or not."""
    for token in TOKENS:
        for wrong in (f"={token}", "=" + "x" * 180 + token):
            with pytest.raises(InvalidSettings) as raised:
                Settings.from_environment({"ALARM_TOKEN": token, variable: wrong})
            assert shown(str(raised.value)) <= 1
