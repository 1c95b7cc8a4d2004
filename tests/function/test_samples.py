"""The samples in `events/`, and the documented ones: what the function makes of each."""

import json
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qsl

import pytest

from function.events.catalog import CATALOG
from function.events.parse import parse
from function.model.request import INSTANCE_ID, InvalidEvent, Source, StopRequest

ROOT = Path(__file__).parents[2]
EVENTS = ROOT / "events"
DOCUMENTED = Path(__file__).parent / "documented"
"""Bodies in the forms that Alibaba Cloud's documents show, ids masked as there."""

NOON = datetime(2026, 1, 30, 12, tzinfo=UTC)
FLEET = {
    instance["InstanceId"]
    for instance in json.loads((ROOT / "local" / "emulator" / "fleet.json").read_bytes())["Instances"][
        "Instance"
    ]
}
WEB, API = "i-bp1dev0web1k7s2q9x4f", "i-bp1dev0api8w3m5t6j2c"

# The source, the state or the event's name, and the first instance of each event of a sample.
MADE_OF = {
    "timer": [(Source.TIMER, None, WEB)],
    "request": [(Source.REQUEST, None, None)],
    "cms.event": [(Source.CMS_EVENT, "Instance:SystemMaintenance.Stop:Scheduled", WEB)],
    "cms.alarm": [(Source.CMS_ALARM, "INFO", API)],
    "cms.callback": [(Source.CMS_CALLBACK, "ALERT", API)],
    "cms.subscription": [(Source.CMS_EVENT, "Instance:SystemMaintenance.Stop:Scheduled", WEB)],
    "sls.alert": [(Source.SLS_ALERT, "firing", WEB)],
    "alertmanager": [
        (Source.ALERTMANAGER, "firing", WEB),
        (Source.ALERTMANAGER, "resolved", "i-bp1dev0spot6u2b8v3k1"),
    ],
    "eventbridge.ecs": [(Source.CMS_EVENT, "Instance:SystemMaintenance.Stop:Scheduled", WEB)],
    "eventbridge": [(Source.REQUEST, None, WEB), (Source.CMS_ALARM, "INFO", API)],
    "mns": [(Source.CMS_ALARM, "INFO", API)],
    "mns.topic": [(Source.CMS_ALARM, "INFO", API)],
}


def _requests(name: str) -> list[StopRequest]:
    delivery = parse((EVENTS / f"{name}.json").read_bytes(), now=NOON, alarm_token="emulator-alarm-token")
    assert delivery.rejection is None
    found = [one for one in delivery.events if isinstance(one, StopRequest)]
    assert len(found) == len(delivery.events)
    return found


def test_each_kind_of_event_has_its_sample() -> None:
    """What the table of kinds names is in `events/`, and nothing else is."""
    assert {kind.name for kind in CATALOG} == {path.name.removesuffix(".json") for path in EVENTS.iterdir()}


def test_each_source_has_its_sample() -> None:
    """Every source is shown by the sample that bears its name."""
    for source in Source:
        assert {asked.source for asked in _requests(source.value)} == {source}


@pytest.mark.parametrize("name", sorted(kind.name for kind in CATALOG))
def test_a_sample_is_understood(name: str) -> None:
    """Each sample becomes the requests that its source would make."""
    made = [
        (asked.source, asked.alarm_state or asked.system_event, next(iter(asked.instance_ids), None))
        for asked in _requests(name)
    ]
    assert made == MADE_OF[name]


def test_the_samples_mean_the_sample_fleet() -> None:
    """What a sample names is in the sample fleet, but for one of the timer's that shows what is not found."""
    strangers = {one for name in MADE_OF for asked in _requests(name) for one in asked.instance_ids} - FLEET
    assert strangers == {"i-bp1gone0xx7d5f3a9e1w"}
    (timer,) = _requests("timer")
    assert set(timer.instance_ids) - FLEET == strangers
    assert timer.stopped_mode == "StopCharging"


def test_the_samples_of_one_delivery_are_fresh_together() -> None:
    """Run locally, a sample counts as delivered at its latest time, so its events lie within an hour."""
    times = [asked.time for name in MADE_OF for asked in _requests(name) if asked.time]
    assert max(times) == NOON
    assert (max(times) - min(times)).total_seconds() < 3600


def _documented(name: str) -> bytes:
    return (DOCUMENTED / name).read_bytes()


def _refused(event: bytes) -> list[str]:
    delivery = parse(event, now=NOON, alarm_token="emulator-alarm-token")
    return [
        str(one) if isinstance(one, InvalidEvent) else one.problem.message if one.problem else ""
        for one in delivery.events
    ]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("timer.json", 'payload is "hello"; it must be a text that says what to stop'),
        ("cms-system-event-scheduled.json", 'resourceId is "acs:ecs:cn-hangzhou:'),
        ("cms-system-event-statechange.json", 'resourceId is "acs:ecs:cn-hangzhou:'),
        ("cms-threshold-mns.json", 'resources.instanceId is "i-uf6abcdefgh1234567****", not an ECS instance'),
        ("eventbridge-envelope.json", '"aliyuncvc:MeetingEvent:MemberOperate" of "acs:aliyuncvc" is none of'),
        ("eventbridge-single-mns.json", 'data.messageBody is "TEST"; it must be the JSON of an event'),
        ("eventbridge-streaming-array.json", '"alikafka:Topic:Message" of "acs:alikafka" is none of the'),
        ("cms-threshold-callback.form.txt", "the event is a text of "),
    ],
)
def test_a_documented_sample_is_refused_as_it_stands(name: str, message: str) -> None:
    """Masked ids are no ids, and what the other samples carry stops nothing; each says so."""
    (refused,) = _refused(_documented(name))
    assert refused.startswith(message)


@pytest.mark.parametrize(
    ("name", "source", "told"),
    [
        ("cms-system-event-scheduled.json", Source.CMS_EVENT, "Instance:SystemMaintenance.Reboot:Scheduled"),
        ("cms-system-event-statechange.json", Source.CMS_EVENT, "Instance:StateChange"),
        ("cms-threshold-mns.json", Source.CMS_ALARM, "WARN"),
    ],
)
def test_a_documented_sample_is_understood_unmasked(name: str, source: Source, told: str) -> None:
    """With its asterisks filled in, a documented sample names its instance."""
    (asked,) = parse(_documented(name).replace(b"*", b"0"), now=NOON).events
    assert isinstance(asked, StopRequest), asked
    assert (asked.source, asked.alarm_state or asked.system_event) == (source, told)
    assert len(asked.instance_ids) == 1
    assert INSTANCE_ID.fullmatch(asked.instance_ids[0])


def test_the_documented_callback_is_understood_over_http() -> None:
    """The documented form comes in the body of an HTTP event, masked or not."""
    form = _documented("cms-threshold-callback.form.txt").decode().strip()
    assert dict(parse_qsl(form))["alertState"] == "ALERT"
    event = {
        "rawPath": "/",
        "headers": {},
        "queryParameters": {"token": "emulator-alarm-token"},
        "body": form,
    }
    (refused,) = _refused(json.dumps(event).encode())
    assert refused == (
        'body.dimensions.instanceId is "i-12****", not an ECS instance like i-bp67acfmxazb4ph001; '
        "nothing else is stopped"
    )
    (asked,) = parse(
        json.dumps(event).replace("*", "0").encode(), now=NOON, alarm_token="emulator-alarm-token"
    ).events
    assert isinstance(asked, StopRequest)
    assert (asked.source, asked.instance_ids, asked.alarm_state) == (
        Source.CMS_CALLBACK,
        ("i-120000",),
        "ALERT",
    )
    assert asked.alarm_name == "CPU of the web servers"
