"""The page about the local ECS says what it serves: every action, parameter and key, and no other."""

import re
from dataclasses import fields
from pathlib import Path

import pytest
from pydantic.alias_generators import to_pascal

from local.api.documented import OWNER_PARAMETERS, documented_parameters
from local.emulator.actions.registry import ACTIONS
from local.emulator.behaviour import Behaviour
from local.emulator.fleet_format import Emulator

PAGE = (Path(__file__).parents[3] / "docs" / "local-ecs.md").read_text(encoding="utf-8")


def rows(first_cell: str) -> dict[str, list[str]]:
    """Give the rows of the table that begins so: what is marked as code in the first cell, and the others."""
    table = PAGE.split(f"| {first_cell} |", 1)[1].split("\n\n", 1)[0].splitlines()[2:]
    cells = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in table]
    return {row[0]: row[1:] for row in cells}


def marked(cell: str) -> set[str]:
    """Give what is marked as code."""
    return set(re.findall(r"`([^`]+)`", cell))


def test_every_action_has_its_row() -> None:
    """The table has the actions that there are, in their order."""
    assert [name.strip("`") for name in rows("action")] == sorted(ACTIONS)


@pytest.mark.parametrize("action", ACTIONS)
def test_every_parameter_is_there(action: str) -> None:
    """A row has the parameters that are served, and all the others that are documented."""
    served, left = rows("action")[f"`{action}`"]
    names = ACTIONS[action].parameters
    assert marked(served) == {f"{name}N" if name.endswith(".") else name for name in names}
    plain = {name.rstrip(".") for name in names}
    assert marked(left) == documented_parameters(action) - plain - OWNER_PARAMETERS


def test_every_key_of_a_fleet_file_is_there() -> None:
    """What `x-emulator` takes, of an instance and of the fleet, stands in the two tables."""
    of_one = set().union(*(marked(first) for first in rows("key of an instance")))
    assert of_one == {to_pascal(name) for name in Emulator.model_fields}
    of_all = set().union(*(marked(first) for first in rows("key of a fleet")))
    assert of_all == {to_pascal(field.name) for field in fields(Behaviour)}
