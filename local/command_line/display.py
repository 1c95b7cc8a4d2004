"""What a person sees of a run: a table with a line per instance, or per reason where there are very many."""

from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from function.model.outcome import Status
from function.model.request import StoppedMode

PIPE_WIDTH = 200
"""Columns where the output is no terminal, so that no cell is broken over lines too early."""

MAX_ROWS = 40
"""With more instances than this there is a row for each reason instead."""

NAMED = 4
"""So many instances of a group are named."""

ECONOMICAL = StoppedMode.STOP_CHARGING
_RESTART = (
    "to be started again they need free stock of their type, and one without an Elastic IP gets another "
    "public IP; KeepCharging keeps both."
)

_STYLES = {
    Status.STOPPED: "green",
    Status.STOPPING: "green",
    Status.ALREADY_STOPPED: "dim",
    Status.WOULD_STOP: "cyan",
    Status.REFUSED: "yellow",
    Status.FAILED: "bold red",
    Status.UNKNOWN: "bold red",
    Status.NOT_ATTEMPTED: "bold red",
}

Line = Mapping[str, object]
"""A log line of the function, read back."""


def console(*, stderr: bool = False) -> Console:
    """Make a console that is wide, colourless and silent about progress where nobody watches."""
    made = Console(stderr=stderr, highlight=False, emoji=False)  # :ram: in an ARN is no animal
    if made.is_terminal:
        return made
    return Console(stderr=stderr, highlight=False, emoji=False, width=PIPE_WIDTH)


def show(out: Console, lines: Sequence[Line]) -> None:
    """Show a whole run from its log lines: instances, then what was refused or missed, then the summary."""
    outcomes = [line for line in lines if "instance_id" in line]
    if outcomes:
        out.print(_table(outcomes) if len(outcomes) <= MAX_ROWS else _grouped(outcomes))
    economical = [
        line for line in outcomes if line["status"] == Status.WOULD_STOP and _mode(line) == ECONOMICAL
    ]
    if economical:
        out.print(f"[cyan]{len(economical):,} with {ECONOMICAL}[/]: {_RESTART}")
    for line in lines:
        if "instance_id" not in line and "summary" not in line:
            out.print(_remark(line))
    for line in lines:
        if "summary" in line:
            style = {"INFO": "bold", "WARNING": "bold yellow"}.get(str(line["level"]), "bold red")
            out.print(f"[{style}]{escape(str(line['message']))}[/]")


def complain(text: str) -> None:
    """Say on standard error what went wrong."""
    console(stderr=True).print(f"[bold red]{escape(text)}[/]")


def _table(outcomes: Sequence[Line]) -> Table:
    """Make the table; narrow enough for 80 columns, account and region only where there are several."""
    places = _places(outcomes)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("Instance", *places, "Outcome"):
        table.add_column(name, no_wrap=True)
    table.add_column("Why, and what to do", overflow="fold")
    for line in outcomes:
        place = [str(line[key]) for key in ("instance_id", *places.values())]
        table.add_row(*map(escape, place), _styled(line), _why(line))
    return table


def _places(outcomes: Sequence[Line]) -> dict[str, str]:
    """Say which of an instance's whereabouts have to be shown, heading by heading: those that differ."""
    return {
        heading: key
        for heading, key in {"Account": "account_id", "Region": "region_id"}.items()
        if len({line[key] for line in outcomes}) > 1
    }


def _grouped(outcomes: Sequence[Line]) -> Table:
    """Make a table with a row per reason, in the order of the statuses, what is left to do last."""
    places = _places(outcomes).values()
    groups: dict[tuple[str, ...], list[Line]] = {}
    for line in outcomes:
        key = (str(line["status"]), str(line["code"]), str(_mode(line)), *_warnings(line))
        groups.setdefault(key, []).append(line)
    order = list(Status)
    ranked = sorted(groups.values(), key=lambda group: (order.index(_status(group[0])), -len(group)))
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("Instances", justify="right", no_wrap=True)
    table.add_column("Outcome", no_wrap=True)
    table.add_column("Why, and what to do", overflow="fold")
    for group in ranked:
        group.sort(key=lambda line: str(line["instance_id"]))
        names = [str(line["instance_id"]) for line in group]
        if places:
            wheres = [", ".join(str(line[key]) for key in places) for line in group]
            names = [f"{name} ({where})" for name, where in zip(names, wheres, strict=True)]
        others = len({line["message"] for line in group}) - 1
        more = f" [dim](and {others:,} such messages)[/]" if others else ""
        table.add_row(
            f"{len(group):,}", _styled(group[0]), f"{_why(group[0])}{more}\n[dim]{escape(_first(names))}[/]"
        )
    return table


def _first(names: Sequence[str], count: int | None = None) -> str:
    """Name the first few of so many."""
    shown = ", ".join(names[:NAMED])
    more = (count or len(names)) - len(names[:NAMED])
    return f"{shown} and {more:,} more" if more > 0 else shown


def _status(line: Line) -> Status:
    return Status(str(line["status"]))


def _styled(line: Line) -> str:
    status = _status(line)
    return f"[{_STYLES[status]}]{status}[/]"


def _mode(line: Line) -> str | None:
    """Say how billing goes on: as ECS shows it, else as the guard foresees it. Not where nothing was done."""
    if _status(line) is Status.REFUSED or _status(line).left:
        return None
    modes = line["stopped_mode"]
    return (modes.get("actual") or modes.get("expected")) if isinstance(modes, dict) else None


def _warnings(line: Line) -> list[str]:
    warnings = line["warnings"]
    return [str(one) for one in warnings] if isinstance(warnings, list) else []


def _why(line: Line) -> str:
    """Give the code, the message, how billing goes on, and the warnings."""
    code = f"[bold]{escape(str(line['code']))}[/]: " if line["code"] else ""
    mode = f" [dim]({_mode(line)})[/]" if _mode(line) else ""
    remarks = "".join(f"\n[yellow]{escape(one)}[/]" for one in _warnings(line))
    return f"{code}{escape(str(line['message']))}{mode}{remarks}"


def _remark(line: Line) -> str:
    account = f" of account {line['account_id']}" if line.get("account_id") else ""
    place = f"{line['region_id']}{account}: " if "region_id" in line else ""
    code = f"{line['code']}: " if "code" in line else ""
    ids, count = line.get("instance_ids"), line.get("instance_count")
    named = (
        f" ({_first(ids, count if isinstance(count, int) else None)})"
        if isinstance(ids, list) and ids
        else ""
    )
    style = {"ERROR": "red", "WARNING": "yellow"}.get(str(line["level"]), "cyan")
    return f"[{style}]{escape(place + code)}[/]{escape(str(line['message']) + named)}"
