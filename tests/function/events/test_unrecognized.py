"""Events that nobody reads: the error says what each looks like, and what to do."""

import json
from datetime import UTC, datetime

import pytest

from function.events.parse import parse
from function.model.request import InvalidEvent

NOW = datetime(2026, 1, 30, 12, tzinfo=UTC)
ID = "i-bp1dev0web1k7s2q9x4f"


def refused(event: object) -> str:
    """Give the error of an event."""
    (found,) = parse(json.dumps(event).encode(), now=NOW).events
    assert isinstance(found, InvalidEvent)
    return str(found)


@pytest.mark.parametrize(
    ("event", "known_as", "advice"),
    [
        (
            {"evalMatches": [], "ruleName": "idle", "state": "alerting"},
            "Grafana's legacy",
            "unified alerting",
        ),
        ({"requestContext": {}, "requestPayload": "{}"}, "to a destination", "a queue"),
        ({"httpMethod": "POST", "path": "/", "headers": {}, "body": "{}"}, "API Gateway", "HTTP trigger"),
        ({"httpMethod": "POST", "path": "/", "queryString": {}}, "EventBridge's HTTP source", "HTTP trigger"),
        ({"events": [{"eventSource": "acs:oss", "oss": {}}]}, "OSS trigger", "take this trigger off"),
        ({"events": [{"eventSource": "cdn", "traceId": "c6"}]}, "CDN", "take this trigger off"),
        ({"parameter": {}, "source": {}, "jobName": "j", "taskId": "t"}, "a log trigger", "an alert"),
        ({"AlertName": "idle", "Project": "dev"}, "old alerting", "new alerting"),
        ({"msgtype": "text", "text": {"content": ID}}, "a chat robot", "a webhook of the general kind"),
        ({"msg_type": "text", "content": {"text": ID}}, "a chat robot", "a webhook of the general kind"),
        ({"Instances": {"Instance": []}, "RegionId": "cn-beijing"}, "DescribeInstances", "--fleet FILE"),
    ],
)
def test_a_form_that_is_known_is_named(event: object, known_as: str, advice: str) -> None:
    """Whoever set it up wrongly reads what came, and what would be right."""
    message = refused(event)
    assert message.startswith("the event looks like ")
    assert known_as in message
    assert advice in message


@pytest.mark.parametrize(
    ("event", "meant"),
    [
        ({"Tags": [{"Key": "env"}]}, "Tag"),
        ({"InstanceIDs": [ID]}, "InstanceIds"),
        ({"Instances": [ID]}, "InstanceIds"),
        ({"Instance": ID}, "InstanceId"),
        ({"instance-ids": [ID]}, "InstanceIds"),
        ({"InstanceId": ID, "Region": "cn-beijing"}, "RegionId"),
        ({"InstanceId": ID, "StopMode": "StopCharging"}, "StoppedMode"),
        ({"InstanceId": ID, "DryRunn": True}, "DryRun"),
        ({"Tag": [{"Key": "env", "Values": "dev"}]}, "Value"),
    ],
)
def test_a_misspelt_field_is_guessed(event: object, meant: str) -> None:
    """A request with one field spelt wrongly says which one was meant."""
    assert f"(did you mean `{meant}`?)" in refused(event)


def test_nothing_is_guessed_where_nothing_is_close() -> None:
    """A wrong guess would be worse than none."""
    assert "did you mean" not in refused({"colour": "red", "size": 5})
