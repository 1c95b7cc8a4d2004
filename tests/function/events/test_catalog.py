"""The kinds of events: each sample, each documented body and each case from the wild is of exactly one."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from function.events.catalog import CATALOG, Wrapping
from function.events.envelopes import open_text
from function.events.http_trigger import is_http, open_body
from function.events.json_reader import Node
from function.model.request import InvalidEvent

ROOT = Path(__file__).parents[3]
SAMPLES = sorted(ROOT.glob("events/*.json"))
CASES = sorted(Path(__file__).parent.glob("wild/*.json"))
DOCUMENTED = sorted((ROOT / "tests" / "function" / "documented").glob("*.json"))

# Of no kind: what a destination gets, Grafana's legacy form, and what services tell of other things than ECS.
UNREAD = {
    "fc05_destination",
    "gr04_legacy",
    "eb13_ess",
    "eb14_agent",
    "eb20_cms_without_data",
    "eventbridge-envelope",
    "eventbridge-streaming-array",
}


def nested(event: Node) -> Iterator[tuple[Node, list[str]]]:
    """Give each event of a delivery, those inside others too, and the kinds that recognise it."""
    event = (open_text(event) if isinstance(event.value, str) else None) or event
    if isinstance(event.value, list):
        for element in event.items():
            yield from nested(element)
        return
    kinds = [kind for kind in CATALOG if kind.recognise(event)]
    yield event, [kind.name for kind in kinds]
    for kind in kinds:
        if isinstance(kind, Wrapping):
            yield from nested(kind.open(event).event)


@pytest.mark.parametrize("path", [*SAMPLES, *CASES, *DOCUMENTED], ids=lambda path: path.stem)
def test_exactly_one_kind_reads_an_event(path: Path) -> None:
    """No field that several kinds carry makes an event of two kinds, or the order of kinds decide."""
    root = Node(json.loads(path.read_bytes()))
    try:
        *wrappings, (_, innermost) = nested(open_body(root) if is_http(root) else root)
    except InvalidEvent:
        assert "TEST" in path.read_text(encoding="utf-8")  # a documented message that holds no event
        return
    assert [len(kinds) for _, kinds in wrappings] == [1] * len(wrappings)
    assert len(innermost) == (0 if path.stem in UNREAD - {"eb13_ess"} else 1)


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_a_sample_is_recognised_by_the_kind_whose_name_it_bears(path: Path) -> None:
    """What is in a sample is what its name says, be it in an envelope."""
    root = Node(json.loads(path.read_bytes()))
    found = [kinds for _, kinds in nested(open_body(root) if is_http(root) else root)]
    assert [path.stem] in found


def test_there_are_cases_to_hold_against_the_kinds() -> None:
    """The files are found."""
    assert len(SAMPLES) == len(CATALOG)
    assert len(CASES) >= 33
    assert len(DOCUMENTED) >= 7
