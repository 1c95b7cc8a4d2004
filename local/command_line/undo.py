"""`stop-guard undo`: what runs stopped and nobody has started since, and how it comes back."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from function.model.instance import Instance
from function.settings import Settings
from local.command_line import display, question
from local.command_line.exit_codes import CommandError, Ended, ExitCode
from local.command_line.identity import Identity
from local.command_line.interrupts import Interruptible
from local.command_line.rows import printable
from local.command_line.targets import Opened, open_target
from local.savings.files import Unreadable
from local.undo.history import History, Stopped, follow
from local.undo.records import InvalidRecord, Record, read_records

if TYPE_CHECKING:
    from local.command_line.starting import Starter


@dataclass(frozen=True, slots=True)
class _Verdict:
    """What is to be done about what a run stopped: start it, or why not."""

    record: Record
    reason: str = ""


def undo(names: Sequence[str], settings: Mapping[str, str], *, live: bool, yes: bool) -> ExitCode:
    """Show what could be undone, or undo it. Raise CommandError."""
    if yes and not live:
        raise CommandError("--yes goes with --live; without it nothing is started")
    records, notes = _read(names)
    history = follow(records)
    if not live:
        verdicts = [_by_records(one) for one in history.stopped]
        _show(verdicts, history, notes)
        return ExitCode.COMPLETE
    with open_target(settings, live=True, fleet=None, faults=()) as opened:
        return _undo_live(history, notes, opened, yes=yes, can_ask="-" not in names)


def _undo_live(
    history: History, notes: Sequence[str], opened: Opened, *, yes: bool, can_ask: bool
) -> ExitCode:
    """Look at each, ask, and start those that are still as the runs left them."""
    from local.command_line.starting import Starter  # noqa: PLC0415 - the SDK, only where it is used

    assert opened.identity is not None  # noqa: S101 - the real cloud has one
    endpoint = Settings.from_environment(opened.target.environment).ecs_endpoint
    starter = Starter(opened.target, endpoint)
    own = [one for one in history.stopped if one.record.account_id in {None, opened.identity.account_id}]
    seen = starter.describe([(one.record.region_id, one.record.instance_id) for one in own])
    verdicts = [
        _by_look(one, seen.get(one.record.instance_id)) if one in own else _foreign(one, opened.identity)
        for one in history.stopped
    ]
    to_start = [one.record for one in verdicts if not one.reason]
    _show(verdicts, history, notes, stderr=bool(to_start))
    if not to_start:
        return ExitCode.COMPLETE
    if not yes:
        if not can_ask:
            raise CommandError(
                "with a log on standard input nobody can be asked; add --yes; nothing was done"
            )
        question.confirm(_about(to_start, opened.identity), "Start these now, and no others?")
    left = _start(to_start, starter)
    out = display.console()
    started = len(to_start) - left
    display.say(out, f"Started {started:,} of {len(to_start):,}", "bold red" if left else "bold")
    return ExitCode.LEFT if left else ExitCode.COMPLETE


def _start(records: Sequence[Record], starter: "Starter") -> int:
    """Start them and say what became of each; count what is left. Raise Ended after Ctrl-C."""
    out, left, settled = display.console(), 0, set()
    try:
        with Interruptible():
            for result in starter.start([(one.region_id, one.instance_id) for one in records]):
                left += result.left
                settled.add(result.instance_id)
                style = "yellow" if result.left else "green"
                cells = (result.instance_id, result.status, printable(result.message))
                display.row(out, cells, style)
    except KeyboardInterrupt:
        ids = ", ".join(one.instance_id for one in records if one.instance_id not in settled)
        display.complain(f"Interrupted. These may have been asked to start; run it again to see: {ids}")
        raise Ended from None
    return left


def _read(names: Sequence[str]) -> tuple[list[Record], list[str]]:
    records: list[Record] = []
    unreadable: list[Unreadable] = []
    empty: list[str] = []
    for name in names:
        try:
            content = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
            found = list(read_records(content, "standard input" if name == "-" else name))
        except OSError as error:
            raise CommandError(f"cannot read {name!r}: {error.strerror}") from None
        except InvalidRecord as error:
            raise CommandError(str(error)) from None
        if not any(isinstance(one, Record) for one in found):
            empty.append(f"{name} says nothing of an instance")
        records += [one for one in found if isinstance(one, Record)]
        unreadable += [one for one in found if isinstance(one, Unreadable)]
    if not records:
        first = f"; {unreadable[0].place}: {unreadable[0].problem}" if unreadable else ""
        raise CommandError(f"no log line and no report of the function in {', '.join(names)}{first}")
    skipped = (
        f"{len(unreadable):,} lines can't be read; {unreadable[0].place}: {unreadable[0].problem}"
        if unreadable
        else ""
    )
    return records, [*empty, *([skipped] if skipped else [])]


def _by_records(stopped: Stopped) -> _Verdict:
    if stopped.confirmed:
        return _Verdict(stopped.record)
    doubt = f"{stopped.record.status}, and no later record shows it Stopped; --live asks ECS"
    return _Verdict(stopped.record, doubt)


def _by_look(stopped: Stopped, seen: object) -> _Verdict:
    """Decide by what ECS shows now: only what is still as the run left it comes back."""
    record = stopped.record
    if seen is None:
        return _Verdict(record, "does not exist any more")
    if not isinstance(seen, Instance):
        return _Verdict(record, f"could not be described ({getattr(seen, 'code', 'time ran out')})")
    known, now = record.start_time, seen.start_time
    if seen.status in {"Running", "Starting", "Pending"}:
        return _Verdict(record, f"is {seen.status}")
    if seen.status != "Stopped":
        return _Verdict(record, f"is {seen.status}; try again when it is Stopped")
    if now is not None and now > (known or record.time):
        return _Verdict(record, "somebody has started it since, and it was stopped again")
    return _Verdict(record)


def _foreign(stopped: Stopped, identity: Identity) -> _Verdict:
    account = stopped.record.account_id
    return _Verdict(stopped.record, f"is of account {account}, this key of {identity.account_id}")


def _show(
    verdicts: Sequence[_Verdict], history: History, notes: Sequence[str], *, stderr: bool = False
) -> None:
    """Print what comes back, how, and what does not."""
    out = display.console(stderr=stderr)
    to_start = [one.record for one in verdicts if not one.reason]
    display.table(
        out,
        ("Instance", "Name", "Region", "Stopped at"),
        [
            (
                one.instance_id,
                printable(one.instance_name),
                one.region_id,
                one.time.isoformat(timespec="seconds"),
            )
            for one in to_start
        ],
    )
    for record in to_start:
        print(
            f"aliyun ecs StartInstance --RegionId {record.region_id} --InstanceId {record.instance_id}",
            file=out.file,
        )
    for verdict in verdicts:
        if verdict.reason:
            display.say(out, f"{verdict.record.instance_id} is left: {verdict.reason}", "yellow")
    for note in notes:
        display.say(out, note, "yellow")
    started = len(history.started_since)
    rest = f"; {started:,} that runs stopped have been started since" if started else ""
    display.say(out, f"{question.instances(len(to_start))} to start again{rest}", "bold")


def _about(to_start: Sequence[Record], identity: Identity) -> Iterator[str]:
    yield f"Start {question.instances(len(to_start))} in the real cloud? They are charged from then on."
    yield f"  where    {question.counts(one.region_id for one in to_start)}"
    yield f"  account  {identity.account_id}"
    yield f"  as       {identity.arn}"
    yield f"  key      {identity.source}"
