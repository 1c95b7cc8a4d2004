"""`stop-guard savings` as its users run it: files in, a table, a picture or JSON out, mistakes named."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from typer.testing import CliRunner, Result

from local.command_line.commands import app

DAY = datetime(2026, 1, 30, tzinfo=UTC)


def line(hours: float, instance_id: str, **fields: object) -> str:
    """Make a log line."""
    head = {"level": "INFO", "message": "m", "request_id": "r", "source": "timer", "event_id": "e"}
    time = (DAY + timedelta(hours=hours)).isoformat()
    return json.dumps({"time": time, **head, "instance_id": instance_id, "region_id": "r", **fields})


def stop(hours: float, instance_id: str, **fields: object) -> str:
    """Make the line of a stop with StopCharging; the instance had started at midnight."""
    since = (DAY + timedelta(hours=hours)).isoformat()
    kind = {"instance_type": "ecs.g6.large", "cpu": 2, "tags": {"env": "dev"}, "start_time": DAY.isoformat()}
    return line(hours, instance_id, charging_suspended_since=since, **kind | fields)


LINES = (
    stop(20, "i-1"),
    stop(20, "i-2", instance_type="ecs.c6.xlarge", cpu=4, tags={"env": "[bold]$测\x1b[31m"}),
    line(32, "i-1", start_time=(DAY + timedelta(hours=30)).isoformat()),
    line(32, "i-2", start_time=DAY.isoformat()),
)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Write a log: i-1 saves 10 hours of 2 vCPUs, i-2 12 hours of 4, until it was last seen."""
    path = tmp_path / "a.log"
    path.write_text("\n".join(LINES))
    return path


def savings(*arguments: str | Path, stdin: str | None = None) -> Result:
    """Run the command."""
    return CliRunner().invoke(app, ["savings", *map(str, arguments)], input=stdin)


def as_json(*arguments: str | Path, stdin: str | None = None) -> dict[str, Any]:
    """Run the command for JSON."""
    done = savings(*arguments, "--json", stdin=stdin)
    assert (done.exit_code, done.stderr) == (0, "")
    content: dict[str, Any] = json.loads(done.stdout)
    return content


def test_the_table_has_the_days_and_their_total(log: Path) -> None:
    """A line a day, the total below, and what it rests on; no colour where nobody watches."""
    done = savings(log)
    assert done.exit_code == 0
    assert [row.split() for row in done.stdout.splitlines()[:4]] == [
        ["Day", "(UTC)", "Instance-hours", "vCPU-hours"],
        ["2026-01-30", "8.0", "24.0"],
        ["2026-01-31", "14.0", "44.0"],
        ["Total", "22.0", "68.0"],
    ]
    assert "2 stops of 2 instances; 1 not started again as far as the instance was seen" in done.stdout
    assert "\x1b" not in done.stdout


def test_days_follow_the_zone(log: Path) -> None:
    """Midnight is the zone's."""
    groups = as_json(log, "--zone", "+08:00")["groups"]
    assert [group["group"] for group in groups] == ["2026-01-31"]


def test_a_tag_can_say_anything(log: Path) -> None:
    """Markup and control characters in a tag are shown, not obeyed."""
    done = savings(log, "--by", "tag:env")
    assert r"[bold]$测\x1b[31m" in done.stdout
    assert "\x1b" not in done.stdout


def test_json_says_all_that_the_table_says(log: Path, tmp_path: Path) -> None:
    """Groups, total, money, and what is not in it."""
    prices = tmp_path / "prices.json"
    prices.write_text('{"currency": "CNY", "ecs.g6.large": 0.5}')
    assert as_json(log, "--by", "type", "--prices", prices) == {
        "by": "type",
        "zone": None,
        "until": "2026-01-31T08:00:00+00:00",
        "currency": "CNY",
        "stops": 2,
        "instances": 2,
        "still_stopped": 1,
        "not_seen_again": [],
        "charged_stops": 0,
        "total": {"instance_hours": 22, "vcpu_hours": 68, "money": 5},
        "groups": [
            {"group": "ecs.c6.xlarge", "instance_hours": 12, "vcpu_hours": 48, "money": None},
            {"group": "ecs.g6.large", "instance_hours": 10, "vcpu_hours": 20, "money": 5},
        ],
        "unpriced_types": ["ecs.c6.xlarge"],
        "notes": ["no price for ecs.c6.xlarge: their hours are not in the money"],
    }


def test_several_files_and_standard_input_are_one_log(tmp_path: Path) -> None:
    """However the log is cut into files, and in whatever order they are named."""
    for name, text in zip("abc", (LINES[0], LINES[1], "\n".join(LINES[2:])), strict=True):
        (tmp_path / name).write_text(text)
    whole = as_json("-", stdin="\n".join(LINES))
    assert as_json(tmp_path / "c", tmp_path / "a", tmp_path / "b") == whole
    assert as_json(tmp_path / "c", "-", stdin="\n".join(LINES[:2])) == whole


def test_what_is_not_in_the_figures_is_said(tmp_path: Path) -> None:
    """Lines that can't be read, with the first one's place; stops that lack something, or came to nothing."""
    log = tmp_path / "a.log"
    back = line(21, "i-3", start_time=(DAY + timedelta(hours=19)).isoformat())
    odd = (stop(20, "i-3"), back, stop(20, "i-4", cpu=None), stop(20, "i-5", start_time=None))
    log.write_text("\n".join([LINES[0][:300], *odd, LINES[0][:200], line(22, "i-9")]))
    done = savings(log)
    assert done.exit_code == 0
    assert "1 stop without a number of vCPUs: not in the vCPU-hours" in done.stdout
    assert "1 line of a stop without start_time: any later start is taken for the next one" in done.stdout
    assert "1 stop saved nothing: started again by then, going by the clocks" in done.stdout
    assert f"2 lines can't be read; {log}:1: cut off or garbled" in done.stdout.replace("\n", "")


def test_what_saved_nothing_or_was_not_seen_again_is_said(tmp_path: Path) -> None:
    """Stops that went on being charged, by their mode; and instances that nobody has seen since, by id."""
    charged = {"start_time": DAY.isoformat(), "status": "stopped", "attempts": 1}
    released = line(50, "i-1", code="InvalidInstanceId.NotFound")
    log = tmp_path / "a.log"
    log.write_text(
        "\n".join(
            [
                *(stop(20, f"i-{number}") for number in (1, 2)),
                line(20, "i-3", stopped_mode={"actual": "KeepCharging"}, **charged),
                released,
            ]
        )
    )
    found = as_json(log)
    assert found["total"] == {"instance_hours": 0, "vcpu_hours": 0}
    assert (found["not_seen_again"], found["charged_stops"]) == (["i-1", "i-2"], 1)
    assert found["notes"] == [
        "1 stop saved nothing, by the mode: 1 KeepCharging",
        "2 instances not seen again, 1 of them released by then, and counted no longer than seen: i-1, i-2",
    ]


def test_a_rehearsals_report_is_taken_and_said(tmp_path: Path) -> None:
    """What `invoke --out` and `--log` write of a rehearsal can be added up, and saved nothing real."""
    report, log = tmp_path / "report.json", tmp_path / "run.log"
    event = str(Path(__file__).parents[3] / "events" / "timer.json")
    done = CliRunner().invoke(app, ["invoke", event, "--out", str(report), "--log", str(log)])
    assert done.exit_code == 0, done.stderr
    for source in (report, log):
        found = as_json(source)
        assert found["stops"] == 3
        assert found["charged_stops"] == 1
        assert "of rehearsals on a local ECS: nothing real was saved there" in found["notes"][0]


def test_a_log_without_such_stops_says_so(tmp_path: Path) -> None:
    """Nothing saved is an answer, too."""
    log = tmp_path / "a.log"
    log.write_text(line(1, "i-1"))
    done = savings(log)
    assert done.exit_code == 0
    assert done.stdout == "No confirmed stop with StopCharging until 2026-01-30T01:00:00+00:00.\n"


def test_a_picture_as_svg_has_its_text(log: Path, tmp_path: Path) -> None:
    """Groups and axes can be read in it; a tag's value, whatever it is, neither breaks nor leaves it."""
    picture = tmp_path / "a.SVG"
    assert savings(log, "--by", "tag:env", "--plot", picture).exit_code == 0
    text = "".join(ET.fromstring(picture.read_text()).itertext())  # noqa: S314 - written by this test
    for part in (
        "Saved by StopCharging, by tag:env",
        "instance-hours",
        "vCPU-hours",
        "dev",
        "[bold]$测?[31m",
    ):
        assert part in text
    again = tmp_path / "b.svg"
    savings(log, "--by", "tag:env", "--plot", again)
    assert again.read_bytes() == picture.read_bytes()


def test_a_picture_as_png_has_every_day(log: Path, tmp_path: Path) -> None:
    """Days and money, as PNG; a log that saves nothing has an empty picture, but has one."""
    prices = tmp_path / "prices.json"
    prices.write_text('{"currency": "$", "ecs.g6.large": 0.5}')
    empty = tmp_path / "empty.log"
    empty.write_text(line(1, "i-1"))
    for source in (log, empty):
        picture = tmp_path / f"{source.stem}.png"
        assert savings(source, "--plot", picture, "--prices", prices).exit_code == 0
        assert picture.read_bytes().startswith(b"\x89PNG")


def test_a_picture_of_very_many_groups_stays_one_page(tmp_path: Path) -> None:
    """The least groups are drawn as one."""
    log, picture = tmp_path / "a.log", tmp_path / "a.svg"
    log.write_text(
        "\n".join([*(stop(20, f"i-{n}", tags={"env": f"e{n}"}) for n in range(60)), line(30, "x")])
    )
    assert savings(log, "--by", "tag:env", "--plot", picture).exit_code == 0
    text = "".join(ET.fromstring(picture.read_text()).itertext())  # noqa: S314 - written by this test
    assert "(20 others)" in text


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["nowhere.log"], "cannot read the log 'nowhere.log': No such file"),
        (["{dir}"], "Is a directory"),
        (["{other}"], "no log line of the function in"),
        (["{cut}"], "cut.log:2: cut off or garbled"),
        (["{log}", "--by", "month"], '--by: "month" is none of day, type, tag:KEY'),
        (["{log}", "--by", "tag:"], '--by: "tag:" is none of'),
        (["{log}", "--zone", "../etc/passwd"], "is no time zone known here"),
        (["{log}", "--zone", "Nowhere/City"], '--zone: "Nowhere/City" is no time zone'),
        (["{log}", "--zone", "+24:00"], "is no time zone"),
        (["{log}", "--plot", "a.pdf"], "is neither .svg nor .png"),
        (["{log}", "--plot", "{dir}/no/a.png"], "--plot: cannot write"),
        (["{log}", "--prices", "{other}"], "--prices: "),
        ([], "FILE"),
    ],
)
def test_bad_input_exits_2_and_says_what_is_wrong(
    arguments: list[str], says: str, log: Path, tmp_path: Path
) -> None:
    """One message that names the file, and the line where there is one; nothing on standard output."""
    (tmp_path / "other.log").write_text('nothing of ours\n{"a": 1}\n')
    (tmp_path / "cut.log").write_text("\n" + LINES[0][:300])
    names = {name: str(tmp_path / f"{name}.log") for name in ("other", "cut")}
    places = names | {"dir": str(tmp_path), "log": str(log)}
    done = savings(*(argument.format(**places) for argument in arguments))
    assert (done.exit_code, done.stdout) == (2, "")
    assert says.replace(" ", "") in "".join(done.stderr.replace("│", "").split())
