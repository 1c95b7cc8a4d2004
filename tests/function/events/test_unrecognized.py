"""Events that nobody reads: the error says what each looks like, and what to do."""

import json
import re
from datetime import UTC, datetime

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from function.events.labels import normalize
from function.events.parse import parse
from function.events.request_body import FIELDS
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


def misspelt(field: str, *, edits: int) -> st.SearchStrategy[str]:
    """Draw ways to spell a field wrongly, a letter more, less, other, or in another's place each time."""
    if not edits:
        return st.just(field)

    def once_more(text: str) -> st.SearchStrategy[str]:
        at = st.integers(0, len(text) - 1)
        letter = st.sampled_from("aeiknrst")
        return (
            st.builds(lambda at, letter: text[:at] + letter + text[at:], at, letter)
            | at.map(lambda at: text[:at] + text[at + 1 :])
            | st.builds(lambda at, letter: text[:at] + letter + text[at + 1 :], at, letter)
            | at.map(lambda at: text[:at] + text[at + 1 : at + 2] + text[at] + text[at + 2 :])
        )

    return misspelt(field, edits=edits - 1).flatmap(once_more)


def told_as(field: str) -> set[str]:
    """Give what a misspelt field may be taken for: it, or its singular or plural."""
    return {field, f"{field}s", field.removesuffix("s")}


@given(st.data())
def test_each_field_is_guessed_by_a_letter_or_two(data: st.DataObject) -> None:
    """Alone in an event or beside others; `Tag` by one: with two of its three it could be anything."""
    field = data.draw(st.sampled_from(FIELDS))
    edits = data.draw(st.integers(1, 1 if field == "Tag" else 2))
    wrong = data.draw(misspelt(field, edits=edits))
    assume(normalize(wrong) not in map(normalize, FIELDS))
    for event in ({wrong: "x"}, {wrong: "x", "InstanceId": ID}):
        guessed = re.search(r"\(did you mean `(\w+)`\?\)", refused(event))
        assert guessed
        # With two letters wrong it may be nearer to another.
        assert edits > 1 or guessed[1] in told_as(field)


@pytest.mark.parametrize("field", FIELDS)
def test_each_field_is_known_or_guessed_however_it_is_written(field: str) -> None:
    """In other capitals, in the plural, in snake_case with capitals, with hyphens, or an underscore more."""
    snake = re.sub(r"(?<!^)(?=[A-Z])", "_", field).lower()
    ways = {
        field.lower(),
        field.upper(),
        field.swapcase(),
        f"{field}s",
        f"{field}es",
        field.removesuffix("s"),
    }
    ways |= {f"{snake}s", snake.upper(), snake.replace("_", "-"), f"_{snake}", snake.removesuffix("s")}
    spelt = {field, snake}
    others = {way for other in FIELDS for way in (other, re.sub(r"(?<!^)(?=[A-Z])", "_", other).lower())}
    for way in ways - spelt - others:
        assert any(f"(did you mean `{told}`?)" in refused({way: "x"}) for told in told_as(field)), way


def test_nothing_is_guessed_where_nothing_is_close() -> None:
    """A wrong guess would be worse than none."""
    assert "did you mean" not in refused({"colour": "red", "size": 5})
