"""Fleet files as people have them are read; what is none says line, column, and what JSON wants."""

import gzip
import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic.alias_generators import to_pascal

from local.emulator.fleet import InvalidFleet
from local.emulator.fleet_file import load_fleet
from local.emulator.fleet_format import FIELDS, Emulator

ANSWER = {"TotalCount": 1, "Instances": {"Instance": [{"InstanceId": "i-1", "InstanceName": "müller"}]}}
TEXT = json.dumps(ANSWER, ensure_ascii=False, indent=1)
OTHER = {"TotalCount": 2, "Instances": {"Instance": [{"InstanceId": "i-2"}]}}


@pytest.mark.parametrize(
    ("content", "ids"),
    [
        (TEXT.encode(), ["i-1"]),
        (TEXT.encode("utf-8-sig"), ["i-1"]),
        (TEXT.encode("utf-16"), ["i-1"]),
        (TEXT.encode("utf-16-le"), ["i-1"]),
        (TEXT.encode("utf-16-be"), ["i-1"]),
        (TEXT.encode("utf-32"), ["i-1"]),
        (TEXT.replace("\n", "\r\n").encode(), ["i-1"]),
        (gzip.compress(TEXT.encode("utf-16"), mtime=0), ["i-1"]),
        (f"{json.dumps(ANSWER)}\n{json.dumps(OTHER, indent=1)}\n".encode(), ["i-1", "i-2"]),
        (json.dumps([ANSWER, OTHER]).encode(), ["i-1", "i-2"]),
        (json.dumps({"code": "200", "data": ANSWER, "successResponse": True}).encode(), ["i-1"]),
        (json.dumps({"headers": {}, "statusCode": 200, "body": ANSWER}).encode(), ["i-1"]),
        (b'{"Instances": {"Instance": null}}', []),
        (b'{"Instances": null}', []),
        (b'{"InstanceId": "i-1"}', ["i-1"]),
        (b'{"InstanceId": "i-1"}\n{"InstanceId": "i-2"}\n', ["i-1", "i-2"]),
        (b'[{"InstanceId": "i-1"}]\n[{"InstanceId": "i-2"}]\n', ["i-1", "i-2"]),
    ],
)
def test_what_tools_save_is_read(tmp_path: Path, content: bytes, ids: list[str]) -> None:
    """Any Unicode, gzip, Windows' line ends, pages one after another, the console's and SDKs' frames."""
    path = tmp_path / "fleet.json"
    path.write_bytes(content)
    fleet = load_fleet(path)
    assert [one.instance_id for one in fleet.instances] == ids
    assert all(one.attributes["InstanceName"] in {"müller", "i-1", "i-2"} for one in fleet.instances)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            '[\n {"InstanceId": \u201ci-1\u201d}]',
            'line 2, column 17: \u201c is a typographic quote; JSON wants "',
        ),
        ("[{'InstanceId': 'i-1'}]", "line 1, column 3: ' is a single quote"),
        ('[{"InstanceId": "i-1",}]', "line 1, column 23: there is a comma before }; JSON wants none"),
        ('[{"InstanceId": "i-1"},\n]', "line 2, column 1: there is a comma before ]"),
        ("Instances:\n  Instance:\n", "line 1, column 1: this looks like YAML"),
        ("- InstanceId: i-1\n", "this looks like YAML"),
        ("<html>", "this is HTML or XML"),
        ("ERROR: SDK.ServerError\nErrorCode: Forbidden", "this is an error that a command printed"),
        ('[{"InstanceId": None}]', "None is no JSON; it is null there"),
        (
            '[{InstanceId: "i-1"}]',
            'line 1, column 3: InstanceId stands without quotes; JSON wants "InstanceId"',
        ),
        ('[{"InstanceId": "i-1"} {}]', "a comma is missing before '{}]'"),
        ('[{"InstanceId" "i-1"}]', "a colon is missing"),
        ('[{"InstanceId": "i-1', "a text begins here and never ends"),
        ('[{"InstanceId": "i-1"}', "it ends in the midst of a value; is it cut off?"),
        ('[ // mine\n{"InstanceId": "i-1"}]', "JSON has no comments"),
        ("", "it is empty"),
        ('[{"InstanceId": "i-1",\n "Satus": "Stopped"}]', 'line 2, column 2: the field "Satus"'),
        ('[{"InstanceId": "i-1", "Satus": "Stopped"}]', "did you mean Status?"),
        ('[{"instance_id": "i-1"}]', "did you mean InstanceId?"),
        ('[{"InstanceId": "i-1", "Tag": {}}]', "did you mean Tags?"),
    ],
)
def test_what_is_none_says_where_and_what_json_wants(tmp_path: Path, text: str, says: str) -> None:
    """Line and column as an editor counts them, the file once, no word of a library's."""
    path = tmp_path / "fleet.json"
    path.write_text(text)
    with pytest.raises(InvalidFleet) as raised:
        load_fleet(path)
    message = str(raised.value)
    assert says in message
    assert message.count("fleet.json") == 1
    assert "Expecting" not in message
    assert "delimiter" not in message


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"Cpu": "many"}, 'Cpu is "many": it must be a whole number'),
        ({"VpcAttributes": "x"}, 'VpcAttributes is "x": it must be an object'),
        ({"Tags": {"Tag": {}}}, "Tags.Tag is {}: it must be a list"),
        ({"InstanceName": 5}, "InstanceName is 5: it must be a text in double quotes"),
        ({"InstanceId": "ecs-1"}, 'InstanceId is "ecs-1": it must look like i-bp67acfmxazb4ph001'),
        ({"RegionId": "Hangzhou"}, "it must look like cn-hangzhou"),
        ({"Status": "running"}, "it is spelt 'Running'"),
        ({"x-emulator": {"StopSeconds": -1}}, "x-emulator.StopSeconds is -1: it must be at least 0"),
        ({"x-emulator": {"Stuck": "x"}}, "it must be 'Running' or 'Stopping'"),
        ({"x-emulator": {"UnknownType": "yes"}}, "it must be true or false"),
        ({"x-emulator": {"StopInstance": "Nope"}}, "the code Nope is unknown here"),
        ({"x-emulator": {"AccountId": "1"}}, "it must look like 1234567890123456"),
    ],
)
def test_a_value_that_is_wrong_is_said_with_what_it_must_be(fields: dict[str, object], says: str) -> None:
    """Which instance, which field, which value, and what would be right."""
    with pytest.raises(InvalidFleet) as raised:
        load_fleet(json.dumps([{"InstanceId": "i-1", **fields}]))
    assert says in str(raised.value)


@given(
    st.sampled_from([*FIELDS, *(f"x-emulator.{to_pascal(name)}" for name in Emulator.model_fields)]),
    st.sampled_from(
        [None, True, -1, 1.5, 10**400, "", "x", [], ["x"], {}, {"Tag": [5]}, {"LockReason": "x"}]
    ),
)
def test_no_value_brings_out_a_librarys_words(name: str, value: object) -> None:
    """Whatever stands in a field, there is a fleet, or an error in the project's words."""
    place, _, key = name.partition(".")
    problem = ""
    try:
        load_fleet(json.dumps([{"InstanceId": "i-1", place: {key: value} if key else value}]))
    except InvalidFleet as error:
        problem = str(error)
    assert not re.search(r"Input|Value error|valid |should|can't be read", problem)


def test_a_binary_file_is_said_to_be_one(tmp_path: Path) -> None:
    """An image or an archive is no text in a wrong encoding."""
    path = tmp_path / "fleet.json"
    path.write_bytes(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\1\0")
    with pytest.raises(InvalidFleet, match="this is no text but a binary file"):
        load_fleet(path)


@pytest.mark.parametrize("content", [gzip.compress(b"[]" * 100, mtime=0)[:-12], b"\x1f\x8bnonsense"])
def test_a_broken_package_is_said(tmp_path: Path, content: bytes) -> None:
    """What is cut off is no empty fleet."""
    path = tmp_path / "fleet.json.gz"
    path.write_bytes(content)
    with pytest.raises(InvalidFleet, match="packed by gzip, and broken or cut off"):
        load_fleet(path)


def test_a_field_that_is_new_to_us_passes(tmp_path: Path) -> None:
    """ECS adds fields; what resembles none of the known ones is kept as it is."""
    path = tmp_path / "fleet.json"
    path.write_text('[{"InstanceId": "i-1", "QuantumLinks": 3}]')
    (one,) = load_fleet(path).instances
    assert one.attributes["QuantumLinks"] == 3
