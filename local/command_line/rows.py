"""What is shown of a run, in rows of plain text: an instance each, or a reason where there are very many."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from function.model.charging import CHARGED
from function.model.outcome import Status

MAX_ROWS = 40
"""With more instances than this there is a row for each reason instead."""

NAMED = 4
"""So many instances of a group are named, but all of those that leave something to do."""

Line = Mapping[str, object]
"""A log line of the function, or an outcome of its report, read back."""

Order = Mapping[str, int]
"""The position of each instance id that the event names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """`subject`: an instance, or how many; `whereabouts`: name, account and region where they tell apart.

    `remarks` are the warnings; `instances` names a group's.
    """

    subject: str
    whereabouts: tuple[str, ...] = ()
    status: Status
    why: str
    remarks: tuple[str, ...] = ()
    instances: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """Rows in their order. `headings`: of the whereabouts."""

    rows: tuple[Row, ...]
    headings: tuple[str, ...] = ()
    grouped: bool = False


def in_order(outcomes: Sequence[Line], order: Order) -> list[Line]:
    """Sort outcomes: those that the event names in its order, the others by id; so two plans compare."""

    def key(line: Line) -> tuple[int, str, str, str]:
        instance_id = str(line["instance_id"])
        position = order.get(instance_id, len(order))
        return position, instance_id, str(line["account_id"]), str(line["region_id"])

    return sorted(outcomes, key=key)


def rows(outcomes: Sequence[Line], *, full: bool = False) -> Rows:
    """Make the rows of outcomes that are in their order."""
    if not full and len(outcomes) > MAX_ROWS:
        return Rows(rows=tuple(_groups(outcomes)), grouped=True)
    columns = _whereabouts(outcomes)
    return Rows(
        headings=tuple(columns),
        rows=tuple(
            Row(
                subject=str(line["instance_id"]),
                whereabouts=tuple(printable(text(line)) for text in columns.values()),
                status=status(line),
                why=_why(line),
                remarks=warnings(line),
            )
            for line in outcomes
        ),
    )


def status(line: Line) -> Status:
    """Give an outcome's status."""
    return Status(str(line["status"]))


def mode(line: Line) -> str | None:
    """Say how billing goes on: as ECS shows it, else as the guard foresees it. Not where nothing was done."""
    if status(line) is Status.REFUSED or status(line).left:
        return None
    modes = line["stopped_mode"]
    return (modes.get("actual") or modes.get("expected")) if isinstance(modes, dict) else None


def printable(text: str) -> str:
    """Show what others wrote, a name or a tag, without letting it move the cursor or the line."""
    return text if text.isprintable() else "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def name_of(line: Line) -> str:
    """Give the instance's name, empty where it has none of its own."""
    name = str(line.get("instance_name") or "")
    return "" if name == line["instance_id"] else name


def first(names: Sequence[str], count: int | None = None) -> str:
    """Name the first few of so many."""
    shown = ", ".join(names[:NAMED])
    more = (count or len(names)) - len(names[:NAMED])
    return f"{shown} and {more:,} more" if more > 0 else shown


def _whereabouts(outcomes: Sequence[Line]) -> dict[str, Callable[[Line], str]]:
    """Say what stands beside the ids: names where there are any, account and region where they differ."""
    columns: dict[str, Callable[[Line], str]] = {}
    if any(map(name_of, outcomes)):
        columns["Name"] = name_of
    if len({line["account_id"] for line in outcomes}) > 1:
        columns["Account"] = lambda line: str(line["account_id"])
    if len({line["region_id"] for line in outcomes}) > 1:
        columns["Region"] = lambda line: str(line["region_id"])
    return columns


def _groups(outcomes: Sequence[Line]) -> list[Row]:
    """Make a row per reason, in the order of the statuses, what is left to do last."""
    groups: dict[tuple[str, ...], list[Line]] = {}
    for line in outcomes:
        charged = CHARGED in str(line["message"])
        key = (str(line["status"]), str(line["code"]), str(mode(line)), str(charged), *warnings(line))
        groups.setdefault(key, []).append(line)
    order = list(Status)
    ranked = sorted(groups.values(), key=lambda group: (order.index(status(group[0])), -len(group)))
    columns = {name: text for name, text in _whereabouts(outcomes).items() if name != "Name"}
    return [_group(group, columns) for group in ranked]


def _group(group: Sequence[Line], columns: Mapping[str, Callable[[Line], str]]) -> Row:
    names = []
    for line in group:
        where = ", ".join(
            filter(None, [printable(name_of(line)), *(text(line) for text in columns.values())])
        )
        names.append(f"{line['instance_id']} ({where})" if where else str(line["instance_id"]))
    others = len({line["message"] for line in group}) - 1
    loose_end = status(group[0]).left or status(group[0]) is Status.STOPPING
    return Row(
        subject=f"{len(group):,}",
        status=status(group[0]),
        why=_why(group[0]) + (f" (and {others:,} such messages)" if others else ""),
        remarks=warnings(group[0]),
        instances=", ".join(names) if loose_end else first(names),
    )


def warnings(line: Line) -> tuple[str, ...]:
    """Give an outcome's warnings."""
    found = line["warnings"]
    return tuple(map(str, found)) if isinstance(found, list) else ()


def _why(line: Line) -> str:
    """Give the code, the message, and how billing goes on."""
    code = f"{line['code']}: " if line["code"] else ""
    billing = f" ({mode(line)})" if mode(line) else ""
    return printable(f"{code}{line['message']}{billing}")
