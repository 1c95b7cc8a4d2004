"""Events as they really look: each case in `wild/` goes through the whole function, against the local ECS.

The cases are written after public documents, captured bodies and bug reports, with made-up ids.
"""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from function.model.request import InvalidEvent
from tests.stage import SetStage

CASES = Path(__file__).parent / "wild"
NOON = datetime(2026, 1, 30, 12, tzinfo=UTC)
WEB, API, SHANGHAI = "i-bp1dev0web1k7s2q9x4f", "i-bp1dev0api8w3m5t6j2c", "i-uf6dev0web1k7s2q9x4f"
FLEET = (
    {"InstanceId": WEB, "RegionId": "cn-hangzhou"},
    {"InstanceId": API, "RegionId": "cn-hangzhou"},
    {"InstanceId": SHANGHAI, "RegionId": "cn-shanghai"},
)
BOTH = "cn-hangzhou,cn-shanghai"

# What becomes of each: its source, what is stopped, and the codes of its refusals.
RIGHT: dict[str, tuple[str | None, list[str], list[str]]] = {
    "am06_arms_involved_only": ("alertmanager", [], ["InvalidEvent"]),
    "cb02_regionId_top_shanghai": ("cms.callback", [], ["Guard.RegionNotAllowed"]),
    "cb02b_shanghai_instance": ("cms.callback", [], ["Guard.RegionNotAllowed"]),
    "cb03_region_null": ("cms.callback", [WEB], []),
    "cb10_rds": ("cms.callback", [], ["Guard.NotAnInstance"]),
    "cb16_eb_alertwebhook_shanghai": ("cms.callback", [], ["Guard.RegionNotAllowed"]),
    "eb05_disk": ("cms.event", [], ["Guard.NotAnInstance"]),
    "eb10_data_text": ("cms.event", [WEB], []),
    "eb13_ess": ("cms.event", [], ["Guard.EventNotEnabled"]),
    "eb14_agent": ("cms.event", [], ["Guard.EventNotEnabled"]),
    "fc05_destination": (None, [], ["InvalidEvent"]),
    "gr03b_nodata_with_label": ("alertmanager", [], ["Guard.AlarmState"]),
    "gr04_legacy": (None, [], ["InvalidEvent"]),
    "gr07_datasource_error": ("alertmanager", [], ["Guard.AlarmState"]),
    "ma02_dimensions_instead": ("cms.alarm", [], ["InvalidEvent"]),
    "mns01_topic_json": ("cms.alarm", [API], []),
    "mns02_topic_json_b64": ("cms.alarm", [API], []),
    "mns09_eb_array_of_strings": ("cms.alarm", [API], []),
    "mns10_queue_sysevent": ("cms.event", [WEB], []),
    "se01_fc_2023_curLevel_ruleName": ("cms.event", [WEB], []),
    "se02_ruleName_only": ("cms.event", [WEB], []),
    "se05_content_text": ("cms.event", [WEB], []),
    "se08_disk": ("cms.event", [], ["Guard.NotAnInstance"]),
    "se15_curLevel_only": ("cms.event", [WEB], []),
    "sls06_rows_null_labels_text": ("sls.alert", [WEB], []),
    "sls07_row_mixed_ids": ("sls.alert", [WEB], ["Guard.NotAnInstance"]),
    "sls12_fire_results_text": ("sls.alert", [WEB], []),
    "sub01_post_json": ("cms.event", [WEB], []),
    "sub02_post_form": ("cms.event", [WEB], []),
    "sub03_resolved": ("cms.event", [], ["Guard.AlarmState"]),
    "sub04_direct_fc": ("cms.event", [WEB], []),
    "sub05_get_json": ("cms.event", [WEB], []),
    "sysevent_callback_rulename": ("cms.event", [WEB], []),
    "am20_arms_template_alert_state": ("alertmanager", [WEB], []),
    "cb20_alerts_beside": ("cms.callback", [WEB], []),
    "cb21_form_with_ampersand_at_its_end": ("cms.callback", [WEB], []),
    "se20_dimensions_beside": ("cms.event", [WEB], []),
    "am21_alert_id_beside": ("alertmanager", [WEB], []),
    "sls20_array_as_text": ("sls.alert", [API, WEB], []),
    "gr20_long_decimals": ("alertmanager", [WEB], []),
    "eb20_cms_without_data": ("cms.event", [], ["Guard.EventNotEnabled"]),
    "eb21_subject_ends_in_number": ("cms.event", [WEB], []),
    "ma20_resources_as_java_map": ("cms.alarm", [API], []),
    "ma21_name_and_time_beside": ("cms.alarm", [API], []),
    "mns20_base64_in_lines": ("cms.alarm", [API], []),
    "mns21_encoded_twice": ("cms.alarm", [API], []),
    "sub20_alert_in_list": ("cms.event", [WEB], []),
}
# With both regions allowed: where a region is named the instance is looked for there, else in both.
RIGHT_IN_BOTH: dict[str, tuple[str, str | None]] = {
    "cb02_regionId_top_shanghai": (WEB, "InvalidInstanceId.NotFound"),
    "cb02b_shanghai_instance": (SHANGHAI, None),
    "cb03_region_null": (WEB, None),
    "gr08_no_region": (SHANGHAI, None),
}


def test_every_case_has_its_right_value() -> None:
    """No file is forgotten."""
    assert {path.stem for path in CASES.glob("*.json")} == {*RIGHT, *RIGHT_IN_BOTH}


@pytest.mark.parametrize("name", sorted(RIGHT))
def test_a_case_from_the_wild(stage: SetStage, name: str) -> None:
    """It stops what it means, or is refused as what it is; an error is raised but over HTTP."""
    made = stage(*FLEET)
    made.clock.start = NOON
    event = json.loads((CASES / f"{name}.json").read_bytes())
    played = made.invoke(event, SYSTEM_EVENTS="*", ALARM_TOKEN="emulator-alarm-token")
    source, stopped, refused = RIGHT[name]
    over_http = isinstance(event, dict) and "rawPath" in event
    assert isinstance(played.answer.error, InvalidEvent) == (refused == ["InvalidEvent"] and not over_http)
    assert [line["code"] for line in played.lines if line.get("code")] == refused
    assert {line["source"] for line in played.lines} == {source}
    assert sorted(stop["InstanceId"] for stop in played.stops) == stopped


@pytest.mark.parametrize("name", sorted(RIGHT_IN_BOTH))
def test_a_case_where_two_regions_are_allowed(stage: SetStage, name: str) -> None:
    """The region that an alarm names is believed; one that names none is looked for in each."""
    made = stage(*FLEET)
    made.clock.start = NOON
    event = json.loads((CASES / f"{name}.json").read_bytes())
    played = made.invoke(event, ALLOWED_REGIONS=BOTH, ALARM_TOKEN="emulator-alarm-token")
    instance_id, code = RIGHT_IN_BOTH[name]
    assert [(outcome["instance_id"], outcome["code"]) for outcome in played.outcomes.values()] == [
        (instance_id, code)
    ]
    assert sorted(stop["InstanceId"] for stop in played.stops) == ([] if code else [instance_id])
