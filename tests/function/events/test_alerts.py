"""Alerts of Simple Log Service and Alertmanager: which instances they mean, in which state and region."""

import json

import pytest

from function.model.request import StopRequest, TargetProblem
from tests.function.events.reading import (
    ID,
    LOG_ALERT,
    NOW,
    OTHER,
    SECONDS,
    alert,
    refusal_of,
    request_of,
    understood,
)

# Simple Log Service


def test_the_rows_that_fired_name_what_the_labels_do_not() -> None:
    """An alert that is not grouped by instance has them in its results, and each row is judged by itself."""
    rows = [{"instance_id": ID, "requests": "0"}, {"host": "?"}, {"instance_id": OTHER}]
    asked, refused = understood(LOG_ALERT | {"labels": {"env": "dev"}, "fire_results": rows})
    assert isinstance(asked, StopRequest)
    assert asked.instance_ids == (ID, OTHER)
    assert isinstance(refused, StopRequest)
    assert refused.problem == TargetProblem(
        code="Guard.NotAnInstance",
        message="fire_results[1] name no ECS instance (by instanceId or instance_id)",
    )
    assert request_of(LOG_ALERT | {"fire_results": rows}).instance_ids == (ID,)


def test_a_row_of_something_else_is_said_and_harms_no_other() -> None:
    """A database, or nothing at all, beside an instance; alone they are refused, or invalid."""
    bad = [{"instance_id": "null"}, {"instance_id": "rm-1"}, {"instance_id": ID, "instanceId": OTHER}]
    event = LOG_ALERT | {"labels": {}}
    asked, refused = understood(event | {"fire_results": [{"instance_id": ID}, *bad]})
    assert isinstance(asked, StopRequest)
    assert isinstance(refused, StopRequest)
    assert refused.problem
    assert [part.partition(" ")[0] for part in refused.problem.message.split("; ")[:2]] == [
        "fire_results[1]",
        "fire_results[2].instance_id",
    ]
    assert [_code(event | {"fire_results": [one]}) for one in bad] == [
        "InvalidEvent",
        "Guard.NotAnInstance",
        "InvalidEvent",
    ]


def _code(event: object) -> str:
    (found,) = understood(event)
    assert isinstance(found, StopRequest)
    assert found.problem
    return found.problem.code


def test_a_log_alert_is_dated_by_itself_not_by_the_first_of_its_kind() -> None:
    """`fire_time` is when the trouble began, `alert_time` when this alert was sent."""
    assert request_of(LOG_ALERT).time == NOW
    assert request_of(LOG_ALERT | {"alert_time": SECONDS - 60, "fire_time": SECONDS}).time != NOW
    assert (
        request_of({key: value for key, value in LOG_ALERT.items() if key != "alert_time"}).time is not None
    )


def test_a_label_says_the_region_better_than_the_project() -> None:
    """The logs of an instance may be kept in another region."""
    asked = request_of(LOG_ALERT | {"labels": {"instance_id": ID, "regionId": "cn-beijing"}})
    assert asked.region_ids == ("cn-beijing",)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"labels": {}},
            "the event names no ECS instance by instance_id, neither in labels nor in fire_results",
        ),
        ({"labels": {"instance_id": "c-bp1x"}}, 'labels.instance_id is "c-bp1x", not an ECS instance'),
        ({"labels": {"regionId": "x", "instance_id": ID}}, 'labels.regionId is "x"; it must be a region'),
        ({"labels": [ID]}, "labels is a list of 1; it must be an object"),
        ({"labels": {}, "fire_results": 5}, "fire_results is 5; it must be a list"),
        ({"status": None}, "status is missing"),
        ({"alert_time": None, "fire_time": None}, "alert_time is missing"),
    ],
)
def test_a_wrong_log_alert_is_refused(change: dict[str, object], message: str) -> None:
    """An alert whose instance, state or time is not clear stops nothing, and says why."""
    assert refusal_of(LOG_ALERT | change).startswith(message)


@pytest.mark.parametrize(
    ("change", "asked"),
    [
        ({"labels": {}, "fire_results": {"instance_id": ID}}, ((ID,), ())),
        ({"labels": {}, "fire_results": [json.dumps({"instance_id": ID})]}, ((ID,), ())),
        ({"labels": [ID], "fire_results": [{"instance_id": ID}]}, ((ID,), ())),
        (
            {"labels": {"region_id": "cn-beijing"}, "fire_results": [{"instance_id": ID}]},
            ((ID,), ("cn-beijing",)),
        ),
        (
            {
                "labels": {"region_id": "cn-beijing"},
                "fire_results": [{"instance_id": ID, "region_id": "cn-wuhan"}],
            },
            ((ID,), ("cn-wuhan",)),
        ),
    ],
)
def test_rows_are_read_in_every_form_and_share_the_labels_region(
    change: dict[str, object], asked: object
) -> None:
    """A row may be written as text or stand alone; what it does not say itself its alert's labels say."""
    found = request_of(LOG_ALERT | change)
    assert (found.instance_ids, found.region_ids) == asked


# Alertmanager


@pytest.mark.parametrize(
    "event",
    [
        {"alerts": [alert() | {"annotations": 5}], "groupLabels": ["x"], "commonAnnotations": "x"},
        {"alerts": [json.dumps(alert())]},
        {"alerts": [alert()], "alert_name": "idle", "status": "firing"},
        {"alerts": [alert()], "alert_name": "idle", "project": "dev"},
        *(
            {"alerts": [alert()], key: broken}
            for key in ("commonLabels", "groupLabels", "commonAnnotations")
            for broken in ("x", "{x", 5, [5], [{"instance_id": OTHER}], '["x"]', True)
        ),
    ],
)
def test_what_only_remarks_on_an_alert_harms_none(event: object) -> None:
    """What stands beside an alert may be anything, it may be JSON text, a name beside it no log alert's."""
    asked = request_of(event)
    assert (asked.source, asked.instance_ids) == ("alertmanager", (ID,))


@pytest.mark.parametrize("label", ["instanceId", "instance_id", "InstanceId", "instanceid", "INSTANCE_ID"])
def test_the_label_of_the_instance_may_be_spelt_in_any_way(label: str) -> None:
    """Relabelling rules choose the label's name."""
    assert request_of({"alerts": [{"status": "firing", "labels": {label: ID}}]}).instance_ids == (ID,)


def test_the_label_instance_counts_where_it_is_an_id() -> None:
    """In Prometheus `instance` is an address as a rule."""
    assert request_of({"alerts": [{"status": "firing", "labels": {"instance": ID}}]}).instance_ids == (ID,)
    assert request_of({"alerts": [alert(instance="10.0.0.1:9100")]}).instance_ids == (ID,)
    assert "name no ECS instance" in refusal_of(
        {"alerts": [{"status": "firing", "labels": {"instance": "10.0.0.1"}}]}
    )


def test_common_labels_hold_for_every_alert() -> None:
    """Alertmanager lifts what all alerts share, which is then in both places as a rule."""
    (asked,) = understood(
        {"commonLabels": {"instance_id": ID, "region_id": "cn-beijing"}, "alerts": [{"status": "firing"}]}
    )
    assert isinstance(asked, StopRequest)
    assert (asked.instance_ids, asked.region_ids) == ((ID,), ("cn-beijing",))


def test_alerts_are_grouped_by_state_and_region() -> None:
    """What fires can be stopped, what is resolved can't; each instance has its own region."""
    third = "i-bp1dev0prep4y9h1n7r5"
    found = understood(
        {
            "alerts": [
                alert(ID, region_id="cn-beijing"),
                alert(OTHER, "resolved"),
                alert(third, region="cn-shanghai", alertname="hot"),
                alert(third, region_id="cn-beijing", region="Hangzhou"),
                alert(ID, region_id="cn-beijing"),
            ]
        }
    )
    told = [
        (one.alarm_state, one.region_ids, one.instance_ids) for one in found if isinstance(one, StopRequest)
    ]
    assert told == [
        ("firing", ("cn-beijing",), (ID, third)),
        ("firing", ("cn-shanghai",), (third,)),
        ("resolved", (), (OTHER,)),
    ]
    assert len({one.event_id for one in found}) == 1
    assert isinstance(found[0], StopRequest)
    assert found[0].alarm_name == "idle, hot"


def test_a_bad_alert_does_not_lose_the_others() -> None:
    """Each alert is judged by itself; what is wrong is told, and alerts without a state are invalid."""
    asked, refused, lost = understood(
        {"alerts": [alert("rm-bp1x"), alert(), alert(None), alert(status=5), {"labels": 5}]}
    )
    assert isinstance(asked, StopRequest)
    assert asked.instance_ids == (ID,)
    assert isinstance(refused, StopRequest)
    assert refused.problem
    assert refused.problem.code == "Guard.NotAnInstance"
    assert refused.problem.message.startswith(
        'alerts[0].labels.instance_id is "rm-bp1x", not an ECS instance'
    )
    assert "alerts[2].labels name no ECS instance" in refused.problem.message
    assert str(lost).startswith("alerts[3].status is 5; it must be a text")
    assert str(lost).endswith("(and 1 more alerts)")


def test_only_a_few_problems_are_told() -> None:
    """An event has thousands of alerts, a log line has not."""
    message = refusal_of({"alerts": [alert(f"rm-{number}") for number in range(5_000)]})
    assert message.endswith("(and 4998 more)")
    assert len(message) < 1_000


@pytest.mark.parametrize(
    ("event", "message"),
    [
        ({"alerts": []}, "alerts is empty; it must hold at least one alert"),
        ({"alerts": None}, "alerts is missing"),
        ({"alerts": {}}, "alerts is an empty object; it must be a list"),
        ({"alerts": [{"labels": {"instance_id": ID}}]}, "alerts[0].status is missing"),
        ({"alerts": [alert(OTHER, instanceId=ID)]}, "alerts[0].labels name several instances, "),
        (
            {"alerts": [alert(f"i-{number:05}") for number in range(1_001)]},
            "the event names 1001 instances; ",
        ),
        ({"alerts": [alert("x" * 10_000)]}, 'alerts[0].labels.instance_id is "xxx'),
    ],
)
def test_a_wrong_alertmanager_event_is_refused(event: object, message: str) -> None:
    """Without one alert that is clear there is nothing to do but say so."""
    assert refusal_of(event).startswith(message)
