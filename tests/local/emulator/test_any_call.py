"""Whatever a call names, it gets an answer or an error of the API, which JSON and XML can hold."""

import json
from contextlib import suppress
from xml.etree import ElementTree as ET

from hypothesis import given
from hypothesis import strategies as st

from local.api.answers import to_json, to_xml
from local.api.api_error import ApiError
from local.api.documented import documented_parameters
from local.emulator.actions.registry import ACTIONS
from local.emulator.backend import LocalEcs
from local.emulator.fleet_file import sample_fleet

IDS = [instance.instance_id for instance in sample_fleet().instances]
NAMES = sorted({name for action in ACTIONS for name in documented_parameters(action)})
WORDS = st.sampled_from(
    [
        *("true", "false", "0", "1", "10", "-1", "1e9", "Running", "instance", "en-US", "StopCharging", "*"),
        *("2026-03-01T09:00Z", "CreationStartTime", "cn-hangzhou", "SuccessFirst", "[]", "{", "ecs.g6.large"),
        *(json.dumps(IDS[:2]), json.dumps([1]), *IDS[:3]),
    ]
)
SUFFIXES = st.sampled_from(["", ".1", ".2", ".1.Key", ".1.Value", ".x", ".1.Key.2", ".", ".99999999999"])
PARAMETERS = st.dictionaries(
    st.builds(str.__add__, st.sampled_from(NAMES), SUFFIXES) | st.text(max_size=8),
    WORDS | st.text(max_size=8),
    max_size=6,
)


@given(st.sampled_from(sorted(ACTIONS)), PARAMETERS, st.booleans())
def test_an_answer_or_an_error(action: str, parameters: dict[str, str], in_region: bool) -> None:  # noqa: FBT001 - drawn
    """Nothing else than an ApiError ever leaves a call, and what it answers can be written."""
    ecs = LocalEcs(sample_fleet())
    with suppress(ApiError):
        ecs.call(action, {"RegionId": "cn-hangzhou", **parameters} if in_region else parameters)
    (call,) = ecs.calls
    assert json.loads(to_json(call.answer)) == call.answer
    ET.fromstring(to_xml(action, call.answer))  # noqa: S314 - just written
