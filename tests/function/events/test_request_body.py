"""The body of a `StopRequest`: what it may say, and how an error names what it must not."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from function.events.parse import parse
from function.model.request import InvalidEvent, Selection, Source, StoppedMode, StopRequest, Tag

NOW = datetime(2026, 1, 30, 12, tzinfo=UTC)
ID, OTHER = "i-bp1dev0web1k7s2q9x4f", "i-bp1dev0api8w3m5t6j2c"


def _asked(event: object) -> StopRequest:
    (found,) = parse(json.dumps(event).encode(), now=NOW).events
    assert isinstance(found, StopRequest), found
    return found


def _refused(event: object) -> str:
    (found,) = parse(event if isinstance(event, bytes) else json.dumps(event).encode(), now=NOW).events
    assert isinstance(found, InvalidEvent), found
    assert found.source is Source.REQUEST
    return str(found)


def test_every_field_arrives() -> None:
    """Each field of the API's call becomes the request's field of that name."""
    asked = _asked(
        {
            "Tag": [{"Key": "env", "Value": "dev"}, {"Key": "idle"}, {"Key": "team", "Value": ""}],
            "ResourceGroupId": "rg-bp67acfmxazb4p",
            "VpcId": "vpc-bp67acfmxazb4p",
            "ZoneId": "cn-hangzhou-h",
            "InstanceName": "dev-*",
            "RegionIds": ["cn-hangzhou", "cn-beijing", "cn-hangzhou"],
            "StoppedMode": "StopCharging",
            "ConfirmStop": True,
            "ForceStop": True,
            "DryRun": True,
        }
    )
    tags = (Tag(key="env", value="dev"), Tag(key="idle"), Tag(key="team", value=""))
    assert asked == StopRequest(
        source=Source.REQUEST,
        event_id=asked.event_id,
        selection=Selection(
            tags=tags,
            resource_group_id="rg-bp67acfmxazb4p",
            vpc_id="vpc-bp67acfmxazb4p",
            zone_id="cn-hangzhou-h",
            instance_name="dev-*",
        ),
        region_ids=("cn-hangzhou", "cn-beijing"),
        stopped_mode=StoppedMode.STOP_CHARGING,
        confirm_stop=True,
        force_stop=True,
        dry_run=True,
    )


def test_nothing_is_filled_in() -> None:
    """An event that only names an instance consents to nothing; mode and region are the settings'."""
    asked = _asked({"InstanceId": ID})
    assert asked == StopRequest(source=Source.REQUEST, event_id=asked.event_id, instance_ids=(ID,))


@pytest.mark.parametrize(
    ("written", "plain"),
    [
        (
            {"instance_ids": [ID], "stopped_mode": "KeepCharging"},
            {"InstanceIds": [ID], "StoppedMode": "KeepCharging"},
        ),
        ({"instance_id": ID, "confirm_stop": True}, {"InstanceId": ID, "ConfirmStop": True}),
        ({"tag": [{"key": "a", "value": "b"}]}, {"Tag": [{"Key": "a", "Value": "b"}]}),
        (
            {"Tag": [{"key": "a", "Value": "b"}], "region_id": "cn-beijing"},
            {"Tag": [{"Key": "a", "Value": "b"}], "RegionId": "cn-beijing"},
        ),
    ],
)
def test_snake_case_means_the_same(written: object, plain: object) -> None:
    """Both spellings of a field ask the same."""
    assert replace(_asked(written), event_id="") == replace(_asked(plain), event_id="")


def test_ids_named_twice_count_once() -> None:
    """Repeated ids are dropped, the order of their first mention stays."""
    assert _asked({"InstanceIds": [OTHER, ID, OTHER, ID]}).instance_ids == (OTHER, ID)


@given(st.integers(1, 1_100), st.integers(0, 3))
@example(1_000, 3)
@example(1_001, 0)
def test_a_thousand_ids_are_the_limit(count: int, repeated: int) -> None:
    """An event names at most 1,000 different ids."""
    ids = [f"i-{number:08}" for number in range(count)] + ["i-00000000"] * repeated
    if count <= 1_000:
        assert len(_asked({"InstanceIds": ids}).instance_ids) == count
    else:
        assert (
            _refused({"InstanceIds": ids})
            == f"the event names {count} instances; an event names at most 1000"
        )


REFUSED = [
    # The message begins with the path and the value, and ends with what would be right.
    ({"InstanceIds": []}, "InstanceIds is an empty list; InstanceIds must be a list of instance ids such as"),
    ({"InstanceIds": ID}, f'InstanceIds is "{ID}"; InstanceIds must be a list'),
    ({"InstanceIds": [ID, "web-1"]}, 'InstanceIds[1] is "web-1"; InstanceIds must be a list'),
    ({"InstanceIds": [ID, 7]}, "InstanceIds[1] is 7; "),
    ({"InstanceIds": [ID, None]}, "InstanceIds[1] is null; "),
    ({"InstanceIds": [[ID]]}, "InstanceIds[0] is a list of 1; "),
    ({"InstanceIds": {ID: True}}, "InstanceIds is an object; "),
    (
        {"InstanceId": "i-bp67acfmxazb4ph****"},
        'InstanceId is "i-bp67acfmxazb4ph****"; InstanceId must be one',
    ),
    ({"InstanceId": "i-"}, 'InstanceId is "i-"; '),
    ({"InstanceId": f"{ID}\n"}, f'InstanceId is "{ID}\\n"; '),
    ({"InstanceId": f"{ID},{OTHER}"}, f'InstanceId is "{ID},{OTHER}"; '),
    ({"InstanceId": "i-../../etc"}, 'InstanceId is "i-../../etc"; '),
    ({"InstanceId": "i-\uff42\uff5067"}, 'InstanceId is "i-\\uff42\\uff5067"; '),
    ({"InstanceId": f"i-{'x' * 64}"}, "InstanceId is "),
    ({"InstanceId": [ID]}, "InstanceId is a list of 1; InstanceId must be one instance id"),
    ({"InstanceId": None}, "InstanceId is null; leave out"),
    ({"InstanceId": ID, "InstanceIds": [ID]}, "the event has both InstanceId and InstanceIds; "),
    ({"InstanceId": ID, "instance_id": ID}, "the event has InstanceId in both spellings; keep one"),
    ({"InstanceId": ID, "Tag": [{"Key": "env"}]}, "the event has both instance ids and a selection "),
    ({"InstanceId": ID, "InstanceName": "dev"}, "the event has both instance ids and a selection "),
    (
        {"RegionId": "cn-hangzhou"},
        'the event names no instance: it needs InstanceIds or a selection by Tag, such as {"',
    ),
    ({"DryRun": True}, "the event names no instance: "),
    (
        {"InstanceId": ID, "RegionId": "cn-hangzhou", "RegionIds": ["cn-beijing"]},
        "the event has both RegionId and",
    ),
    (
        {"InstanceId": ID, "RegionIds": []},
        "RegionIds is an empty list; RegionIds must be a list of 1 to 100 regions",
    ),
    ({"InstanceId": ID, "RegionIds": ["cn-hangzhou"] * 101}, "RegionIds is a list of 101; "),
    (
        {"InstanceId": ID, "RegionId": "http://203.0.113.7/"},
        'RegionId is "http://203.0.113.7/"; RegionId must be a re',
    ),
    ({"InstanceId": ID, "RegionId": ""}, 'RegionId is ""; '),
    ({"InstanceId": ID, "RegionId": "cn" + "-x" * 64}, "RegionId is "),
    (
        {"InstanceId": ID, "StoppedMode": "Stop"},
        'StoppedMode is "Stop"; StoppedMode must be "StopCharging" or "Keep',
    ),
    ({"InstanceId": ID, "StoppedMode": "stopcharging"}, 'StoppedMode is "stopcharging"; '),
    ({"InstanceId": ID, "StoppedMode": "Not-applicable"}, 'StoppedMode is "Not-applicable"; '),
    ({"InstanceId": ID, "StoppedMode": ["StopCharging"]}, "StoppedMode is a list of 1; "),
    (
        {"InstanceId": ID, "ConfirmStop": "true"},
        'ConfirmStop is "true"; ConfirmStop must be true or false, without',
    ),
    ({"InstanceId": ID, "ForceStop": 1}, "ForceStop is 1; ForceStop must be true or false"),
    ({"InstanceId": ID, "DryRun": "false"}, 'DryRun is "false"; DryRun must be true or false'),
    ({"InstanceId": ID, "ConfirmStop": None}, "ConfirmStop is null; leave out what you don't want to say"),
    ({"Tag": []}, "Tag is an empty list; Tag must be a list of 1 to 20 tags such as [{"),
    ({"Tag": {"env": "dev"}}, "Tag is an object; Tag must be a list of 1 to 20 tags"),
    ({"Tag": ["env=dev"]}, 'Tag[0] is "env=dev"; it must be an object'),
    ({"Tag": [{"Key": "", "Value": "dev"}]}, 'Tag[0].Key is ""; Tag must be a list'),
    ({"Tag": [{"Value": "dev"}]}, "Tag[0].Key is missing; Tag must be a list"),
    ({"Tag": [{"Key": "env", "Value": 1}]}, "Tag[0].Value is 1; "),
    ({"Tag": [{"Key": "env", "Value": None}]}, "Tag[0].Value is null; leave out"),
    ({"Tag": [{"Key": "env", "key": "env"}]}, "Tag[0] has Key in both spellings"),
    ({"Tag": [{"Key": "env", "Name": "x"}]}, "Tag[0].Name is an unknown field; "),
    ({"Tag": [{"Key": "k" * 129}]}, "Tag[0].Key is "),
    (
        {"Tag": [{"Key": "env", "Value": "a"}, {"Key": "env", "Value": "b"}]},
        "the event names the same key twice in Tag",
    ),
    ({"Tag": [{"Key": f"k{number}"} for number in range(21)]}, "Tag is a list of 21; "),
    ({"VpcId": ""}, 'VpcId is ""; VpcId must be a text such as "vpc-'),
    ({"InstanceName": "a\nb"}, 'InstanceName is "a\\nb"; '),
    ({"InstanceName": "a\u202eb"}, 'InstanceName is "a\\u202eb"; '),
    ({"InstanceName": 5}, "InstanceName is 5; "),
    (
        {"InstanceIDs": [ID]},
        'the event has the unknown field "InstanceIDs" (did you mean `InstanceIds`?); a request has only ',
    ),
    ({"InstanceId": ID, "Hibernate": True}, 'the event has the unknown field "Hibernate"; '),
    ({"InstanceId": ID, "AccessKeyId": "LTAI5tExample"}, 'the event has the unknown field "AccessKeyId"; '),
    ({"InstanceId": ID, "SecurityToken": "STS.x"}, 'the event has the unknown field "SecurityToken"; '),
    ({"InstanceId": ID, "Endpoint": "ecs.example.com"}, 'the event has the unknown field "Endpoint"; '),
    (
        {"InstanceId": ID, "ECS_ENDPOINT": "http://203.0.113.7"},
        'the event has the unknown field "ECS_ENDPOINT"; ',
    ),
    (
        {"InstanceId": ID, "ALLOWED_REGIONS": "cn-beijing"},
        'the event has the unknown field "ALLOWED_REGIONS"; ',
    ),
    ({"InstanceId": ID, "source": "timer"}, 'the event has the unknown field "source"; '),
    ({"InstanceId": ID, "event_id": "x"}, 'the event has the unknown field "event_id"; '),
]


@pytest.mark.parametrize(("event", "message"), REFUSED, ids=[json.dumps(event)[:60] for event, _ in REFUSED])
def test_what_is_wrong_is_refused_by_name(event: object, message: str) -> None:
    """Each wrong field is refused with its path, its value and what would be right."""
    assert _refused(event).startswith(message)


@pytest.mark.parametrize(
    "field", ["InstanceId", "RegionId", "StoppedMode", "VpcId", "InstanceName", "ConfirmStop"]
)
def test_a_long_value_is_cut(field: str) -> None:
    """An error repeats at most 200 characters of a value."""
    message = _refused({"InstanceId": ID} | {field: "<" * 100_000})
    assert "<" * 150 in message
    assert message.count("<") <= 200
    assert len(_refused({"InstanceId": ID} | {field: "\x00" * 100_000})) < 400


@pytest.mark.parametrize("value", [None, 1])
@pytest.mark.parametrize("field", ["<" * 100_000, "\x7fValue", "\x1b[2J\n" * 100])
def test_the_name_of_a_field_is_cut_and_cleaned(field: str, value: object) -> None:
    """An error repeats at most 200 characters of a field's name too, and none that could steer a terminal."""
    for event in ({"InstanceId": ID, field: value}, {"Tag": [{"Key": "env", field: value}]}):
        message = _refused(event)
        assert len(message) < 500
        assert message.isprintable()


@pytest.mark.parametrize(
    "value", ["AccessKeySecret=abc", "Bearer abc", "LTAI5tabc", "STS.abc", "my password abc", "?token=abc"]
)
def test_what_may_be_a_credential_is_not_repeated(value: str) -> None:
    """An error repeats no text that looks like a credential, and nothing from within an object."""
    assert "abc" not in _refused({"InstanceId": value})
    assert "abc" not in _refused({"InstanceId": {"AccessKeySecret": "abc"}})
    assert "abc" not in _refused({"InstanceId": ID, "AccessKeySecret": "abc"})


def test_a_field_twice_is_refused() -> None:
    """Two values for one key contradict each other, whichever a reader would take."""
    (found,) = parse(f'{{"InstanceId": "{ID}", "InstanceId": "{OTHER}"}}'.encode(), now=NOW).events
    assert str(found) == 'the event names "InstanceId" twice in one object; name each field once'
