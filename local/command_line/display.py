"""Shows a run: a table in a terminal, blocks in a narrow one, and lines of tab-separated cells in a pipe."""

from collections.abc import Sequence
from errno import EPIPE

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from function.model.outcome import Status
from local.command_line.rows import Line, Order, Row, Rows, first, in_order, printable, rows
from local.command_line.stop_modes import modes_explained

PIPE_WIDTH = 200
"""Columns of a table where the output is no terminal, so that no cell is broken over lines too early."""

NARROW, WIDE = 72, 120
"""Columns: below the one, an instance is a block of lines; from the other on, its name has its own column."""

_WHY = "Why, and what to do"

_STYLES = {
    Status.STOPPED: "green",
    Status.STOPPING: "yellow",
    Status.ALREADY_STOPPED: "dim",
    Status.WOULD_STOP: "cyan",
    Status.REFUSED: "yellow",
    Status.FAILED: "bold red",
    Status.UNKNOWN: "bold red",
    Status.NOT_ATTEMPTED: "bold red",
}


class _Console(Console):
    def on_broken_pipe(self) -> None:
        """Leave it to who ends the process; rich would end it here, with the code of something else."""
        raise BrokenPipeError(EPIPE, "closed")


def console(*, stderr: bool = False) -> Console:
    """Make a console that takes text as it is: `:ram:` in an ARN is no animal, a number no highlight."""
    made = _Console(stderr=stderr, highlight=False, emoji=False)
    return (
        made if made.is_terminal else _Console(stderr=stderr, highlight=False, emoji=False, width=PIPE_WIDTH)
    )


def show(out: Console, lines: Sequence[Line], order: Order, *, full: bool = False) -> None:
    """Show a whole run from its log lines: instances, then what was refused or missed, then the summary."""
    outcomes = in_order([line for line in lines if "instance_id" in line], order)
    if outcomes:
        _show_rows(out, rows(outcomes, full=full))
    for explained in modes_explained(lines):
        say(out, explained, "cyan")
    for line in lines:
        if "instance_id" not in line and "summary" not in line:
            say(out, *_remark(line))
    for line in lines:
        if "summary" in line:
            style = {"INFO": "bold", "WARNING": "bold yellow"}.get(str(line["level"]), "bold red")
            say(out, str(line["message"]), style)


def say(out: Console, text: str, style: str = "") -> None:
    """Print a paragraph: wrapped in a terminal, one line in a pipe."""
    if out.is_terminal:
        out.print(text, style=style or None, markup=False)
    else:
        out.print(text, markup=False, soft_wrap=True)


def row(out: Console, cells: Sequence[str], style: str = "") -> None:
    """Print a row that stands alone, as it becomes known; in a pipe the cells are parted by tabs."""
    if out.is_terminal:
        say(out, "  ".join(cells), style)
    else:
        out.file.write("\t".join(cells) + "\n")


def advise(out: Console, text: str, command: str, style: str = "") -> None:
    """Print a paragraph and the command that it leads to, unbroken, so that it can be copied."""
    if not command or not out.is_terminal:
        say(out, f"{text}: {command}" if command else text, style)
        return
    say(out, f"{text}:", style)
    out.print(f"  {command}", markup=False, highlight=False, soft_wrap=True)


def table(out: Console, headings: Sequence[str], lines: Sequence[Sequence[str]]) -> None:
    """Print a plain table; in a pipe the cells are parted by tabs."""
    if not lines:
        return
    if not out.is_terminal:
        for cells in (headings, *lines):
            out.file.write("\t".join(cells) + "\n")
        return
    made = Table(box=None, pad_edge=False, header_style="bold")
    for name in headings:
        made.add_column(name, overflow="fold")
    for cells in lines:
        made.add_row(*map(escape, cells))
    out.print(made)


def complain(text: str) -> None:
    """Say on standard error what went wrong."""
    say(console(stderr=True), text, "bold red")


def _show_rows(out: Console, shown: Rows) -> None:
    if not out.is_terminal:
        _show_cells(out, shown)
    elif out.width < NARROW:
        _show_blocks(out, shown)
    else:
        out.print(_table(shown, own_columns=out.width >= WIDE))


def _show_cells(out: Console, shown: Rows) -> None:
    """For `grep`, `cut` and `diff`: a line each, cells parted by tabs, nothing cut, wrapped or coloured."""
    head = ("Instances",) if shown.grouped else ("Instance", *shown.headings)
    lines = [(*head, "Outcome", _WHY)]
    for row in shown.rows:
        why = "; ".join((row.why, *map(printable, row.remarks), *filter(None, [row.instances])))
        lines.append((row.subject, *row.whereabouts, row.status, why))
    for cells in lines:
        out.file.write("\t".join(cells) + "\n")


def _show_blocks(out: Console, shown: Rows) -> None:
    for row in shown.rows:
        style = _STYLES[row.status]
        head = " ".join((row.subject, *filter(None, row.whereabouts)))
        out.print(f"{escape(head)} [{style}]{row.status}[/]")
        block = Table.grid(padding=(0, 0, 0, 2))
        block.add_column(overflow="fold")
        block.add_row(_reason(row))
        out.print(block)


def _table(shown: Rows, *, own_columns: bool) -> Table:
    """Make the table; where it is not wide, what tells instances apart stands under their ids."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    if shown.grouped:
        table.add_column("Instances", justify="right", no_wrap=True)
    else:
        table.add_column("Instance", no_wrap=not shown.headings or own_columns, overflow="fold", min_width=22)
    headings = shown.headings if own_columns else ()
    for name in headings:
        table.add_column(name, no_wrap=name != "Name", overflow="fold", max_width=32)
    table.add_column("Outcome", no_wrap=True)
    table.add_column(_WHY, overflow="fold")
    for row in shown.rows:
        beneath = "" if own_columns else "".join(f"\n[dim]{escape(one)}[/]" for one in row.whereabouts if one)
        cells = [escape(one) for one in row.whereabouts] if headings else []
        outcome = f"[{_STYLES[row.status]}]{row.status}[/]"
        table.add_row(escape(row.subject) + beneath, *cells, outcome, _reason(row))
    return table


def _reason(row: Row) -> str:
    """Give the code in bold, the rest of the reason, the warnings, and whom a group's row is about."""
    code, colon, rest = row.why.partition(": ")
    plain = escape(row.why) if not colon or " " in code else f"[bold]{escape(code)}[/]: {escape(rest)}"
    remarks = "".join(f"\n[yellow]{escape(printable(one))}[/]" for one in row.remarks)
    return plain + remarks + (f"\n[dim]{escape(row.instances)}[/]" if row.instances else "")


def _remark(line: Line) -> tuple[str, str]:
    """Say what a line that is about no instance tells, and in which style."""
    account = f" of account {line['account_id']}" if line.get("account_id") else ""
    scope = f"{line['region_id']}{account}: " if "region_id" in line else ""
    code = f"{line['code']}: " if "code" in line else ""
    ids, count = line.get("instance_ids"), line.get("instance_count")
    named = (
        f" ({first(ids, count if isinstance(count, int) else None)})" if isinstance(ids, list) and ids else ""
    )
    style = {"ERROR": "red", "WARNING": "yellow"}.get(str(line["level"]), "cyan")
    return printable(f"{scope}{code}{line['message']}{named}"), style
