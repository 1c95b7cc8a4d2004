"""Reading the function's log lines back, whatever stands around them."""

import bz2
import codecs
import csv
import gzip
import io
import json
import lzma
import zipfile
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from function.model.instance import Instance
from function.model.outcome import Outcome, Refusal, Status, StoppedModes
from function.model.request import Source, StoppedMode
from function.model.scope import Scope
from function.reporting.log import Log
from function.reporting.report import Report
from local.savings.files import FOREIGN, GZIP, MAX_LINE, Unreadable
from local.savings.log_lines import LogLine, read_log
from tests.stage import SetStage

SINCE = datetime(2026, 1, 30, 12, 4, 9, tzinfo=UTC)
INSTANCE = Instance.model_validate(
    {
        "InstanceId": "i-bp1a",
        "RegionId": "cn-hangzhou",
        "Status": "Stopped",
        "InstanceType": "ecs.g6.large",
        "Cpu": 2,
        "StartTime": "2026-01-30T01:00Z",
        "Tags": {"Tag": [{"TagKey": "env", "TagValue": '"{测'}]},
    }
)
OUTCOME = Outcome(
    source=Source.TIMER,
    event_id="e",
    instance_id="i-bp1a",
    scope=Scope(region_id="cn-hangzhou"),
    status=Status.STOPPED,
    code=None,
    message="stopped",
    stopped_mode=StoppedModes(requested=StoppedMode.STOP_CHARGING),
    instance=INSTANCE,
    charging_suspended_since=SINCE,
)


def log() -> tuple[Log, list[str]]:
    """Make the function's own log, and the list that it writes to."""
    lines: list[str] = []
    return Log("r", lambda: SINCE, lines.append), lines


def outcome_line() -> str:
    """Give a line as the function writes it."""
    own, lines = log()
    own.result(OUTCOME)
    return lines[0]


LINE = outcome_line()
READ = LogLine.model_validate(json.loads(LINE))


def read(text: str | bytes) -> list[LogLine | Unreadable]:
    """Read a file of this content."""
    return list(read_log(io.BytesIO(text if isinstance(text, bytes) else text.encode()), "a.log"))


def zip_of(text: str) -> bytes:
    """Pack a text as file managers do."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("a.log", text)
    return out.getvalue()


def in_csv(line: str) -> str:
    """Put a line into a table, as a spreadsheet does."""
    out = io.StringIO()
    csv.writer(out).writerows([["__time__", "message", "host"], ["1", line, "h"]])
    return out.getvalue()


def test_an_outcome_is_read_as_the_function_wrote_it() -> None:
    """All that tells of the instance's life comes through, with times to the second."""
    assert read(LINE) == [READ]
    expected = LogLine(
        time="2026-01-30T12:04:09Z",
        region_id="cn-hangzhou",
        instance_id="i-bp1a",
        instance_type="ecs.g6.large",
        cpu=2,
        start_time="2026-01-30T01:00:00Z",
        charging_suspended_since="2026-01-30T20:04:09+08:00",
        tags={"env": '"{测'},
        status="stopped",
    )
    assert read(LINE) == [READ] == [expected]


@pytest.mark.parametrize(
    "text",
    [
        LINE + "\r\n",
        f"\ufeff{LINE}\n",
        f"2026-01-30 12:04:09 1-6536 [INFO] {LINE} (end)",
        f"{{code}} {{}} {LINE}",
        f'{{"other": "JSON"}} {LINE}',
        json.dumps({"__time__": "1769774649", "__topic__": "FCLogs:stop-guard", "message": LINE}),
        json.dumps({"logs": [{"message": LINE}]}, indent=4),
        json.dumps({"content": json.dumps({"message": LINE})}),
        in_csv(LINE),
        in_csv(json.dumps({"message": LINE})),
    ],
)
def test_a_line_is_found_in_what_surrounds_it(text: str) -> None:
    """Text around it, an export of SLS, or a table around that: the line is the same."""
    assert read(text) == [READ]


def test_several_lines_on_one_are_all_read() -> None:
    """An answer of GetLogs has many log lines in one."""
    assert (
        read(json.dumps([{"message": LINE}, {"message": "FC Invoke End"}, {"message": LINE}])) == [READ] * 2
    )


def test_other_text_is_passed_over() -> None:
    """What the function did not write is nobody's mistake."""
    text = 'FC Invoke Start RequestId: 1\n\n{"a": 1}\n[{"instance_id": "i-1"}]\n{"cut": "o\n\x00\xff{{{"\n'
    assert read(text) == []


def test_the_lines_about_a_whole_run_tell_the_time() -> None:
    """Summary and refusals name no instance, but they are lines of the log."""
    own, lines = log()
    own.result(Refusal(source=Source.TIMER, event_id="e", code="InvalidEvent", message="x"))
    own.summary(Report(request_id="r", time=SINCE, source=Source.TIMER, event_id="e", dry_run=False))
    time = "2026-01-30T12:04:09Z"
    assert read("\n".join(lines)) == [LogLine(time=time, code="InvalidEvent"), LogLine(time=time)]


def test_what_a_line_quotes_is_no_line() -> None:
    """An event or a tag that looks like a log line makes no hours out of nothing, cut off or not."""
    own, lines = log()
    own.result(Refusal(source=Source.TIMER, event_id="e", code="InvalidEvent", message=LINE))
    (found,) = read(lines[0])
    assert isinstance(found, LogLine)
    assert found.instance_id is None
    assert all(isinstance(one, Unreadable) for one in read(lines[0][:-2]))


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"time": None}, "time is null: expected a time such as 2026-01-30T12:04:09+00:00"),
        ({"time": "2026-01-30T12:04:09"}, 'time is "2026-01-30T12:04:09": expected a time'),
        ({"start_time": 1769774649}, "start_time is 1769774649: expected a time"),
        ({"start_time": "9999-12-31T23:59:59-12:00"}, "start_time is "),
        ({"charging_suspended_since": "yesterday"}, 'charging_suspended_since is "yesterday": expected'),
        ({"cpu": 0}, "cpu is 0: "),
        ({"cpu": "2"}, 'cpu is "2": '),
        ({"tags": ["env"]}, "tags is a list of 1: "),
        ({"instance_id": 7}, "instance_id is 7: "),
    ],
)
def test_a_wrong_field_is_named_with_its_place(changed: dict[str, Any], problem: str) -> None:
    """A line with a field that can't be right is left out, and it is said which."""
    (found,) = read("\n" + json.dumps(json.loads(LINE) | changed))
    assert isinstance(found, Unreadable)
    assert found.place == "a.log:2"
    assert found.problem.startswith(problem)


def test_a_line_without_a_time_is_named() -> None:
    """The one field that every line has."""
    content = json.loads(LINE)
    del content["time"]
    assert read(json.dumps(content)) == [Unreadable("a.log:1", "has no time")]


@pytest.mark.parametrize("name", ["region_id", "instance_type", "cpu", "start_time", "tags", "status"])
def test_a_missing_field_is_not_known(name: str) -> None:
    """Lines of other versions lack some fields; what they have still counts."""
    content = json.loads(LINE)
    del content[name]
    (found,) = read(json.dumps(content))
    assert found == READ.model_copy(update={name: None})


def test_a_cut_off_line_is_told_from_other_text() -> None:
    """A line that was cut in half is said to be so; those around it are read."""
    first, cut, last = read(f"{LINE}\n{LINE[:200]}\n{LINE}\n")
    assert (first, last) == (READ, READ)
    assert isinstance(cut, Unreadable)
    assert cut.place == "a.log:2"
    assert cut.problem == "cut off or garbled"


def test_an_endless_line_is_not_held() -> None:
    """A line beyond all measure is passed over whole, and the next one read."""
    found = read("x" * (2 * MAX_LINE + 9) + LINE + "\n" + LINE)
    assert found == [Unreadable("a.log:1", f"longer than {MAX_LINE} bytes"), READ]


@given(st.binary(max_size=200) | st.integers(0, len(LINE)).map(lambda end: LINE[:end].encode()))
@example(b'{"a":' * 5_000)
@example(b'{"a":' + b"[" * 100_000)
@example(b'{"instance_id":' + b"9" * 10_000 + b"}")
@example(b'"{\\"' * 2_000)
def test_no_text_breaks_the_reader(noise: bytes) -> None:
    """Whatever stands in a file that is one of texts, the line after it is read."""
    assume(not noise.startswith((GZIP, *FOREIGN, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)))
    assert read(noise + b"\n" + LINE.encode())[-1] == READ


REPORT = {
    "request_id": "r",
    "time": "2026-01-30T12:00:00+00:00",
    "summary": {"total": 2},
    "outcomes": [json.loads(LINE) | {"time": None}, {"instance_id": "i-bp1b", "status": "refused"}],
    "refusals": [],
}
for field in ("time", "level", "request_id"):
    REPORT["outcomes"][0].pop(field)  # type: ignore[index]


@pytest.mark.parametrize("indent", [None, 2])
def test_a_report_is_read_as_the_lines_of_its_time(indent: int | None) -> None:
    """`--json`, `--out` or a queue's message: each outcome, those of shards too, and whose it is."""
    report = REPORT | {"target": "local", "shards": [REPORT]}
    first, one, other, *shard = read(json.dumps(report, indent=indent))
    assert isinstance(one, LogLine)
    at = one.time
    assert one == READ.model_copy(update={"time": at, "target": "local"})
    assert datetime.fromtimestamp(at, UTC).isoformat() == REPORT["time"]
    assert first == LogLine(time=REPORT["time"], target="local")
    assert other == LogLine(time=REPORT["time"], target="local", instance_id="i-bp1b", status="refused")
    assert [each.target for each in shard if isinstance(each, LogLine)] == [None] * 3


def test_a_report_of_the_function_is_read(stage: SetStage) -> None:
    """As it is, and as it leaves the function in a queue's message."""
    event = {"InstanceId": "i-bp1a", "StoppedMode": "StopCharging"}
    played = stage({"InstanceId": "i-bp1a"}).invoke(event)
    of_report = read(json.dumps({"responsePayload": played.report}))[-1]
    of_log = read(json.dumps(played.lines[0]))[-1]
    assert isinstance(of_report, LogLine)
    assert isinstance(of_log, LogLine)
    assert of_report.charging_suspended_since
    assert of_report == of_log.model_copy(update={"time": of_report.time})


def test_a_report_without_a_time_is_named() -> None:
    """One of a version that did not tell it can't say when its instances were seen."""
    report = {name: value for name, value in REPORT.items() if name != "time"}
    assert set(read(json.dumps(report))) == {Unreadable("a.log:1", "has no time")}


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_a_log_as_windows_writes_it_is_read(encoding: str) -> None:
    """PowerShell's `>` writes UTF-16, other tools a mark; lines, and a report of many lines; packed too."""
    lines = f"{LINE}\r\n{LINE}\r\n".encode(encoding)
    assert read(lines) == [READ] * 2
    assert read(gzip.compress(lines)) == [READ] * 2
    plain = read(json.dumps(REPORT, indent=2))
    assert read(json.dumps(REPORT, indent=2).encode(encoding)) == plain
    assert not any(isinstance(one, Unreadable) for one in plain)


def test_a_packed_log_is_read() -> None:
    """As rotation and exports leave it; a broken one gives what it has, and is named."""
    packed = gzip.compress((LINE + "\n").encode() * 3)
    assert read(packed) == [READ] * 3
    broken = read(packed[: len(packed) // 2])[-1]
    assert isinstance(broken, Unreadable)
    assert broken.problem == "is packed by gzip, and broken or cut off"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (zip_of(LINE), "is a zip archive"),
        (bz2.compress(LINE.encode()), "is packed by bzip2"),
        (lzma.compress(LINE.encode()), "is packed by xz"),
        (b"target,instance_id,instance_name\nlive,i-1,web\n", "is a report as CSV"),
        (codecs.BOM_UTF8 + b"target,instance_id,instance_name\nlive,i-1,web\n", "is a report as CSV"),
    ],
)
def test_a_file_that_cannot_be_read_is_told_apart(content: bytes, says: str) -> None:
    """Better than to find nothing in it: what it is, and what would be right."""
    (found,) = read(content)
    assert isinstance(found, Unreadable)
    assert found.place == "a.log"
    assert found.problem.startswith(says)
