"""What a person sees of a run, at the width of a small terminal and in a pipe."""

import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from rich.console import Console

from function.model.outcome import Status
from local.command_line.display import show
from local.command_line.rows import MAX_ROWS
from tests.stage import OPTED_IN, SetStage
from tests.terminal import on_terminal, words

Instances = Sequence[Mapping[str, object]]


def named(number: int, **fields: object) -> dict[str, object]:
    """Make an instance."""
    return {"InstanceId": f"i-bp1fleet{number:09}", **fields}


def shown(stage: SetStage, instances: Instances, *, width: int = 80) -> str:
    """Rehearse the stop of all of them with StopCharging, and give what is shown."""
    event = {"ZoneId": "cn-hangzhou-h", "StoppedMode": "StopCharging"}
    played = stage(*instances).invoke(event, DRY_RUN="true", MAX_INSTANCES="5000")
    return drawn(played.lines, width=width)


def drawn(lines: Sequence[Mapping[str, object]], *, width: int = 80) -> str:
    """Give what is shown of these log lines."""
    out = io.StringIO()
    show(Console(file=out, width=width, highlight=False, force_terminal=True, color_system=None), lines, {})
    return out.getvalue()


def row(text: str, word: str) -> str:
    """Give the line with this word in it, its blanks made one."""
    return next(" ".join(each.split()) for each in text.splitlines() if word in each)


def test_a_few_instances_have_a_line_each(stage: SetStage) -> None:
    """Id, outcome and reason stand side by side, within 80 columns."""
    text = shown(stage, [named(1), named(2, Tags={"Tag": []})])
    assert "i-bp1fleet000000001 would_stop would be stopped (StopCharging)" in " ".join(text.split())
    assert "i-bp1fleet000000002 refused Guard.NotOptedIn" in row(text, "NotOptedIn")
    assert max(map(len, text.splitlines())) <= 80


def test_very_many_instances_have_a_line_for_each_reason(stage: SetStage) -> None:
    """Counts and the first ids, what is left to do last; the same reason in other words is one reason."""
    until = [{"TagKey": "keep-running-until", "TagValue": f"2099-01-0{day}"} for day in range(1, 10)]
    instances = [
        *(named(n) for n in range(50)),
        *(named(n, Tags={"Tag": [*OPTED_IN["Tag"], until[n % 9]]}) for n in range(50, 60)),
        named(60, Status="Starting"),
        *(named(n, InstanceChargeType="PrePaid") for n in range(61, 64)),
    ]
    text = shown(stage, instances, width=200)
    assert row(text, "(StopCharging)") == "50 would_stop would be stopped (StopCharging)"
    assert (
        "i-bp1fleet000000000, i-bp1fleet000000001, i-bp1fleet000000002, i-bp1fleet000000003 and 46 more"
        in text
    )
    assert row(text, "(KeepCharging)") == "3 would_stop would be stopped (KeepCharging)"
    assert row(text, "Guard.KeepRunningUntil").startswith(
        "10 refused Guard.KeepRunningUntil: kept running until"
    )
    assert row(text, "Guard.KeepRunningUntil").endswith("(and 8 such messages)")
    counts = [line.split()[:2] for line in text.splitlines() if line[:9].strip().isdigit()]
    assert counts == [["50", "would_stop"], ["3", "would_stop"], ["10", "refused"], ["1", "failed"]]
    assert max(map(len, shown(stage, instances).splitlines())) <= 80


def test_a_refusal_is_one_reason_however_billing_goes_on(stage: SetStage) -> None:
    """Instances that carry no tag are one group, whether they run or were stopped by somebody else."""
    states = ({"Status": "Running"}, {"Status": "Stopped", "StoppedMode": "KeepCharging"})
    text = shown(stage, [named(n, Tags={"Tag": []}, **states[n % 2]) for n in range(60)], width=200)
    assert row(text, "Guard.NotOptedIn").startswith("60 refused Guard.NotOptedIn: ")
    assert "(KeepCharging)" not in text


def test_the_limit_between_lines_and_groups(stage: SetStage) -> None:
    """Up to the limit each instance is shown."""
    at_most = [named(n) for n in range(MAX_ROWS)]
    assert shown(stage, at_most).count("i-bp1fleet") == MAX_ROWS
    assert shown(stage, [*at_most, named(MAX_ROWS)]).count("i-bp1fleet") < MAX_ROWS


def test_what_a_plan_costs_is_said_once(stage: SetStage) -> None:
    """A sentence for each mode that occurs, not one per line."""
    text = shown(stage, [named(1), named(2), named(3, InstanceChargeType="PrePaid")], width=200)
    assert text.count("2 with StopCharging: ") == 1
    assert text.count("1 with KeepCharging: ") == 1


def test_a_region_is_shown_where_there_are_several(stage: SetStage) -> None:
    """With the instances, in lines and in groups."""
    instances = [named(n, RegionId=("cn-hangzhou", "cn-beijing")[n % 2]) for n in range(60)]
    event = {
        "InstanceIds": [each["InstanceId"] for each in instances],
        "RegionIds": ["cn-hangzhou", "cn-beijing"],
    }
    lines = stage(*instances).invoke(event, DRY_RUN="true", ALLOWED_REGIONS="cn-hangzhou,cn-beijing").lines
    assert "i-bp1fleet000000001 (cn-beijing)" in drawn(lines, width=200)
    few = [
        line for line in lines if line.get("instance_id") in {"i-bp1fleet000000000", "i-bp1fleet000000001"}
    ]
    assert "Region" in drawn(few, width=200)
    assert "Region" not in drawn(few[:1], width=200)
    assert "\ncn-beijing" in drawn(few)  # beneath the id, where the table is not wide


def test_an_event_refused_for_its_size_names_the_first(stage: SetStage) -> None:
    """A refusal of 150 instances is a sentence, not a page."""
    event = {"ZoneId": "cn-hangzhou-h"}
    text = drawn(stage(*(named(n) for n in range(150))).invoke(event).lines)
    assert "and 146 more" in " ".join(text.split())
    assert text.count("i-bp1fleet") == 4


def test_every_status_has_its_look() -> None:
    """No status is left without a style; what a log line says is no markup."""
    line: dict[str, object] = {
        "level": "INFO",
        "region_id": "r",
        "account_id": "1",
        "code": None,
        "message": "[red]m",
        "stopped_mode": {},
        "warnings": [],
    }
    lines = [{**line, "instance_id": f"i-{status}", "status": str(status)} for status in Status]
    text = drawn(lines, width=200)
    assert text.count("[red]m") == len(Status)


def test_a_terminal_sees_how_far_it_is(tmp_path: Path) -> None:
    """A bar on standard error counts what is settled of what was found; the table in a pipe stays plain."""
    fleet, event = tmp_path / "fleet.json", tmp_path / "event.json"
    fleet.write_text(json.dumps([named(n, Tags=OPTED_IN) for n in range(7)]))
    event.write_text(json.dumps({"ZoneId": "cn-hangzhou-h"}))
    with (tmp_path / "out").open("w") as out:
        seen = on_terminal("invoke", event, "--fleet", fleet, "--plan", stdout=out.fileno())
    assert seen.returncode == 0, seen
    assert "Looking for instances" in seen.text
    assert "7/7" in seen.text
    written = (tmp_path / "out").read_text()
    assert "would_stop" in written
    assert "\x1b" not in written


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--plan"], "Interrupted. Nothing was stopped"),
        ([], "These may have been asked to stop; run it again to see: i-bp1fleet000000001"),
    ],
)
def test_an_interrupted_run_says_what_may_have_happened(
    options: list[str], says: str, tmp_path: Path
) -> None:
    """What is settled is shown; what a call was sent for is named; and only a run has sent any."""
    fleet, event = tmp_path / "fleet.json", tmp_path / "event.json"
    fleet.write_text(json.dumps([named(1, Tags=OPTED_IN), named(2)]))
    event.write_text(json.dumps({"ZoneId": "cn-hangzhou-h"}))
    hanging = ("--fault", "StopInstance=delay,seconds=50")
    seen = on_terminal("invoke", event, "--fleet", fleet, *hanging, *options, interrupt_at="1/2")
    assert seen.returncode == 130
    text = words(seen.text.splitlines())
    assert "i-bp1fleet000000002 refused" in text
    assert says in text
    assert ("Stopping" in text) != ("--plan" in options)
