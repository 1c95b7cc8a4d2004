"""Alerts that are no alarms: about missing data, a broken source, or tests; a recovery stays one."""

import json
from datetime import UTC, datetime

import pytest

from function.events.parse import parse
from function.model.request import StopRequest

NOW = datetime(2026, 1, 30, 12, tzinfo=UTC)
ID = "i-bp1dev0web1k7s2q9x4f"
SECONDS = int(NOW.timestamp())


def states(event: object) -> list[str | None]:
    """Give the state of each request that an event makes."""
    found = parse(json.dumps(event).encode(), now=NOW).events
    assert all(isinstance(one, StopRequest) for one in found), found
    return [one.alarm_state for one in found if isinstance(one, StopRequest)]


def alertmanager(labels: object = None, status: object = "firing", **fields: object) -> dict[str, object]:
    """Make an event of one alert that names an instance; fields of the alert begin with `alert_`."""
    own = {name.removeprefix("alert_"): value for name, value in fields.items() if name.startswith("alert_")}
    around = {name: value for name, value in fields.items() if not name.startswith("alert_")}
    alert = {"status": status, "labels": {"alertname": "idle", "instance_id": ID} | dict(labels or {}), **own}  # type: ignore[call-overload]  # a mapping
    return {"alerts": [alert], **around}


@pytest.mark.parametrize(
    ("event", "state"),
    [
        (alertmanager(), "firing"),
        (alertmanager({"alertname": "DatasourceNoData"}), "DatasourceNoData"),
        (alertmanager({"alertname": "DatasourceError"}), "DatasourceError"),
        (alertmanager({"_aliyun_arms_alert_name": "DatasourceError"}), "DatasourceError"),
        (alertmanager({"rulename": "datasource_no_data"}), "DatasourceNoData"),
        (alertmanager(commonLabels={"alertname": "DatasourceError"}), "DatasourceError"),
        (alertmanager(groupLabels={"alertname": "DatasourceError"}), "DatasourceError"),
        (alertmanager(title="[FIRING:1] DatasourceError (dev)"), "DatasourceError"),
        (alertmanager(alert_annotations={"grafana_state_reason": "NoData"}), "DatasourceNoData"),
        (alertmanager(alert_annotations={"grafana_state_reason": "Error, timeout"}), "DatasourceError"),
        (alertmanager(commonAnnotations={"grafana_state_reason": "NoData"}), "DatasourceNoData"),
        (alertmanager(commonLabels={"grafana_state_reason": "Error"}), "DatasourceError"),
        (alertmanager({"grafana_state_reason": "KeepLast, NoData"}), "DatasourceNoData"),
        (alertmanager(alert_annotations={"grafana_state_reason": "KeepLast, NoData"}), "DatasourceNoData"),
        (alertmanager(alert_annotations={"grafana_state_reason": "KeepLast"}), "firing"),
        (alertmanager(groupKey='{}:{alertname="DatasourceError"}'), "DatasourceError"),
        (alertmanager({"alertname": None}, message="**Firing** DatasourceNoData"), "DatasourceNoData"),
        (alertmanager(message="**Firing** DatasourceNoData"), "firing"),
        (alertmanager({"alertname": "DatasourceError (dev idle)"}), "DatasourceError"),
        (alertmanager({"alertname": "[DatasourceNoData] idle"}), "DatasourceNoData"),
        (alertmanager({"rulename": "idle", "datasource_uid": "P1", "ref_id": "A"}), "NoData"),
        (alertmanager({"rulename": "idle"}), "firing"),
        (alertmanager({"alertname": "TestAlert", "instance": "Grafana"}), "TestAlert"),
        (alertmanager({"alertname": "DatasourceError"}, "resolved"), "resolved"),
        (alertmanager(status={"state": "suppressed", "silencedBy": ["x"]}), "suppressed"),
        (alertmanager(commonLabels='{"alertname": "DatasourceNoData"}'), "DatasourceNoData"),
    ],
)
def test_an_alert_about_its_data_source_has_a_state_of_its_own(event: object, state: str) -> None:
    """Wherever Grafana, or who passes it on, writes it; a recovery stays one."""
    assert states(event) == [state]


@pytest.mark.parametrize(
    ("fields", "state"),
    [
        ({"fire_results": [{"x": "1"}]}, "firing"),
        ({}, "firing"),
        ({"fire_results": []}, "NoData"),
        ({"fire_results": "[]"}, "NoData"),
        ({"fire_results": [], "status": "resolved"}, "resolved"),
        ({"alert_name": "No Data"}, "NoData"),
        ({"fire_results": "null", "fire_results_count": 0}, "NoData"),
        ({"fire_results_count": "0"}, "NoData"),
        ({"fire_results_count": 2}, "firing"),
        ({"fire_results": [{}, {}]}, "NoData"),
        ({"fire_results": "{}"}, "NoData"),
        ({"fire_results": ["{}", " null ", "", None]}, "NoData"),
        ({"fire_results": ["{}", '{"x": 1}']}, "firing"),
        ({"fire_results": ["{x"]}, "firing"),
        ({"fire_results": 5}, "firing"),
        ({"fire_results": "cpu is at 97"}, "firing"),
        ({"fire_results": [{}, {"x": "1"}]}, "firing"),
        ({"labels": {"instance_id": ID, "alertname": "DatasourceError"}}, "DatasourceError"),
        ({"labels": {"instance_id": ID, "rulename": "idle", "datasource_uid": "P1"}}, "NoData"),
        ({"annotations": {"grafana_state_reason": "NoData"}}, "DatasourceNoData"),
    ],
)
def test_an_alert_of_logs_without_a_row_is_one_for_missing_data(
    fields: dict[str, object], state: str
) -> None:
    """Log Service fires where rows match; its alert for missing data has none to show."""
    alert = {"alert_id": "a", "alert_time": SECONDS, "status": "firing", "labels": {"instance_id": ID}}
    assert states(alert | fields) == [state]
