"""What README.md says of the code is so."""

import re
from pathlib import Path

from function.events.catalog import CATALOG
from function.model.outcome import GuardCode, Status
from function.settings import Settings

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")


def rows(heading: str) -> list[list[str]]:
    """Give the cells of the table rows under a heading, without the table's own head."""
    section = README.split(f"{heading}\n", 1)[1].split("\n#", 1)[0]
    lines = [line for line in section.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def test_the_table_of_sources_is_that_of_the_code() -> None:
    """Each kind of event has its row, under its sample's name and its sender; there are no others."""
    listed = {row[0].strip("`"): row[1] for row in rows("### What can send one")}
    assert listed == {kind.name: kind.sent_by for kind in CATALOG}


def test_every_setting_is_listed_with_its_default() -> None:
    """The table of settings names every variable, and the default that it has."""
    table = {
        name: row[2].strip("`") for row in rows("## Settings") for name in re.findall(r"[A-Z][A-Z_]+", row[0])
    }
    assert set(table) >= Settings.variables()
    defaults = Settings.from_environment({})
    shown = {
        str(field.alias): getattr(defaults, name)
        for name, field in Settings.model_fields.items()
        if isinstance(getattr(defaults, name), int | str) and not isinstance(getattr(defaults, name), bool)
    }
    assert {name: table[name] for name in shown} == {name: str(value) for name, value in shown.items()}


def test_every_status_and_every_code_of_the_guard_is_explained() -> None:
    """Whoever finds a status or a code in the log finds it in the README."""
    assert {row[0].strip("`") for row in rows("## Outcomes")} == {str(status) for status in Status}
    assert {code for code in GuardCode if f"`{code}`" not in README} == set()


def test_calls_that_the_aliyun_command_line_does_not_know_are_forced() -> None:
    """Its metadata (of 2026-04, in 3.4.11) has no call of Mns-open: it takes one with `--force` only."""
    commands = re.findall(r"^    aliyun mns-open .*", README, re.MULTILINE)
    assert len(commands) == 6
    assert [command for command in commands if " --force " not in command] == []


def test_a_saved_query_searches_for_every_status_that_it_asks_for() -> None:
    """What comes before the bar narrows down what the SQL gets to see, so it must let all of that through."""
    section = README.split("### Questions to the log\n", 1)[1].split("\n#", 1)[0]
    queries = re.findall(r"^    (message: .+?)\|(.+?)^$", section, re.MULTILINE | re.DOTALL)
    assert len(queries) == 6
    for search, sql in queries:
        searched = set(re.findall(r"message: (\w+)", search)) & {*Status}
        asked = set(re.findall(r"'(\w+)'", sql)) & {*Status}
        assert searched in (set(), asked)
