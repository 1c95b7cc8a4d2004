"""`stop-guard savings`: reads logs, and shows what StopCharging saved as a table, a picture, or JSON."""

import json
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo

from rich.markup import escape
from rich.table import Table

from function.events.json_reader import quote
from local.command_line import display
from local.command_line.exit_codes import CommandError, ExitCode
from local.savings.files import Unreadable
from local.savings.hours import Group, Savings, Sum, add_up, by_day, by_tag, by_type
from local.savings.log_lines import LogLine, read_log
from local.savings.logbook import Logbook
from local.savings.prices import InvalidPrices, Prices, load_prices

_DAY, _TYPE, _TAG = "day", "type", "tag:"
_OFFSET = re.compile(r"([+-])([01]\d|2[0-3]):([0-5]\d)")
_NAMED = 10
"""Instances that are named at most; how many more there are is said."""
_PLOTS = (".svg", ".png")


def add_up_savings(
    logs: Sequence[str], *, by: str, zone: str, plot: Path | None, prices: Path | None, as_json: bool
) -> ExitCode:
    """Read the logs and show what they come to. Raise CommandError."""
    group = _group(by, zone)
    tariff = _tariff(prices)
    if plot is not None and plot.suffix.lower() not in _PLOTS:
        raise CommandError(f"--plot: {quote(str(plot))} is neither .svg nor .png")
    book, skipped = _read(logs)
    saved = add_up(book.suspensions(), group, tariff.by_type if tariff else {})
    result = _Result(
        saved=saved,
        by=by,
        zone=zone if by == _DAY else None,
        until=datetime.fromtimestamp(book.until, UTC),
        currency=tariff.currency if tariff else None,
        charged_stops=sum(book.charged_stops.values()),
        notes=(*_doubts(saved, book, priced=tariff is not None), *([skipped] if skipped else [])),
    )
    if plot is not None:
        _draw(result, plot)
    if as_json:
        print(json.dumps(result.as_dict(), indent=2, ensure_ascii=False))
    else:
        _show(result)
    return ExitCode.COMPLETE


@dataclass(frozen=True, slots=True, kw_only=True)
class _Result:
    """What was found, and how it was asked for; `zone` where it is days, `notes` on what is not in it."""

    saved: Savings
    by: str
    zone: str | None
    until: datetime
    currency: str | None
    charged_stops: int
    notes: tuple[str, ...]

    def as_dict(self) -> dict[str, object]:
        """Give it as JSON has it; hours and money rounded to a millionth."""
        return {
            "by": self.by,
            "zone": self.zone,
            "until": self.until.isoformat(),
            "currency": self.currency,
            "stops": self.saved.suspensions,
            "instances": self.saved.instances,
            "still_stopped": self.saved.open,
            "not_seen_again": self.saved.unseen,
            "charged_stops": self.charged_stops,
            "total": self._amounts(self.saved.total),
            "groups": [{"group": name, **self._amounts(its)} for name, its in self.saved.groups.items()],
            "unpriced_types": self.saved.unpriced if self.currency else [],
            "notes": self.notes,
        }

    def _amounts(self, one: Sum) -> dict[str, float | None]:
        money = None if one.money is None else round(one.money, 6)
        hours = {"instance_hours": round(one.hours, 6), "vcpu_hours": round(one.vcpu_hours, 6)}
        return hours | ({"money": money} if self.currency else {})

    def sentence(self) -> str:
        """Say what the figures rest on."""
        saved = self.saved
        if not saved.suspensions:
            return f"No confirmed stop with StopCharging until {self.until.isoformat()}."
        text = f"{_many(saved.suspensions, 'stop')} of {_many(saved.instances, 'instance')}"
        if saved.open:
            text += f"; {saved.open} not started again as far as the instance was seen"
        return f"{text}."


def _many(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def _group(by: str, zone: str) -> Group:
    if by == _DAY:
        return by_day(_zone(zone))
    if by == _TYPE:
        return by_type
    if by.startswith(_TAG) and by != _TAG:
        return by_tag(by.removeprefix(_TAG))
    raise CommandError(f"--by: {quote(by)} is none of day, type, tag:KEY (such as tag:env)")


def _zone(name: str) -> tzinfo:
    offset = _OFFSET.fullmatch(name)
    if offset:
        sign, hours, minutes = offset.groups()
        return timezone(int(f"{sign}1") * timedelta(hours=int(hours), minutes=int(minutes)))
    try:
        return UTC if name == "UTC" else ZoneInfo(name)
    except (LookupError, ValueError, OSError):  # what ZoneInfo raises depends on how the name is wrong
        raise CommandError(
            f"--zone: {quote(name)} is no time zone known here; expected such as Asia/Shanghai or +08:00"
        ) from None


def _tariff(path: Path | None) -> Prices | None:
    try:
        return load_prices(path) if path else None
    except InvalidPrices as error:
        raise CommandError(f"--prices: {error}") from None


def _read(names: Sequence[str]) -> tuple[Logbook, str]:
    """Read all logs, and say which lines could not be read, if there are any."""
    book = Logbook()
    first: Unreadable | None = None
    count = 0
    for line in _lines(names):
        if isinstance(line, LogLine):
            book.note(line)
        else:
            first = first or line
            count += 1
    skipped = f"{_many(count, 'line')} can't be read; {first.place}: {first.problem}" if first else ""
    if not book.until:
        nothing = f"no log line of the function in {', '.join(names)}"
        raise CommandError(f"{nothing}; {skipped}" if skipped else nothing)
    return book, skipped


def _lines(names: Sequence[str]) -> Iterator[LogLine | Unreadable]:
    for name in names:
        try:
            with nullcontext(sys.stdin.buffer) if name == "-" else Path(name).open("rb") as file:
                yield from read_log(file, "standard input" if name == "-" else name)
        except OSError as error:
            raise CommandError(f"cannot read the log {name!r}: {error.strerror}") from None


def _doubts(saved: Savings, book: Logbook, *, priced: bool) -> Iterator[str]:
    """Say what is not in the figures, though it could be."""
    if book.local_lines:
        yield f"{_many(book.local_lines, 'line')} of rehearsals on a local ECS: nothing real was saved there"
    if book.charged_stops:
        modes = ", ".join(f"{count:,} {mode}" for mode, count in sorted(book.charged_stops.items()))
        yield f"{_many(sum(book.charged_stops.values()), 'stop')} saved nothing, by the mode: {modes}"
    if saved.unseen:
        named = ", ".join(saved.unseen[:_NAMED])
        more = f" and {len(saved.unseen) - _NAMED:,} more" if len(saved.unseen) > _NAMED else ""
        gone = f", {saved.gone:,} of them released by then" if saved.gone else ""
        what = _many(len(saved.unseen), "instance")
        yield f"{what} not seen again{gone}, and counted no longer than seen: {named}{more}"
    if priced and saved.unpriced:
        yield f"no price for {', '.join(saved.unpriced)}: their hours are not in the money"
    if saved.without_cpu:
        yield f"{_many(saved.without_cpu, 'stop')} without a number of vCPUs: not in the vCPU-hours"
    if book.without_start:
        lines = _many(book.without_start, "line")
        yield f"{lines} of a stop without start_time: any later start is taken for the next one"
    without_time = book.stops - saved.suspensions
    if without_time:
        yield f"{_many(without_time, 'stop')} saved nothing: started again by then, going by the clocks"


def _show(result: _Result) -> None:
    out = display.console()
    if result.saved.groups:
        out.print(_table(result))
    out.print(escape(result.sentence()))
    for note in result.notes:
        out.print(f"[yellow]{escape(note)}[/]")


def _table(result: _Result) -> Table:
    columns: list[tuple[str, Callable[[Sum], str]]] = [
        ("Instance-hours", lambda one: f"{one.hours:,.1f}"),
        ("vCPU-hours", lambda one: f"{one.vcpu_hours:,.1f}"),
    ]
    if result.currency:
        columns.append((result.currency, lambda one: "?" if one.money is None else f"{one.money:,.2f}"))
    head = f"Day ({result.zone})" if result.zone else result.by.removeprefix(_TAG)
    table = Table(box=None, pad_edge=False, header_style="bold", show_footer=True, footer_style="bold")
    table.add_column(escape(head), footer="Total", overflow="fold")
    for name, value in columns:
        table.add_column(escape(name), footer=value(result.saved.total), justify="right", no_wrap=True)
    for name, its in result.saved.groups.items():
        table.add_row(
            escape(name if name.isprintable() else repr(name)), *(value(its) for _, value in columns)
        )
    return table


def _draw(result: _Result, path: Path) -> None:
    try:
        from local.savings.plot import draw  # noqa: PLC0415 - loading matplotlib takes longer than all the rest
    except ModuleNotFoundError:
        raise CommandError("--plot needs matplotlib, which the demo does not: make setup") from None
    title = f"Saved by StopCharging, by {result.by}" + (f" ({result.zone})" if result.zone else "")
    try:
        draw(result.saved, path, days=result.zone is not None, title=title, currency=result.currency)
    except OSError as error:
        raise CommandError(f"--plot: cannot write {quote(str(path))}: {error.strerror}") from None
