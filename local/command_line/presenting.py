"""Presents a run that is over: to a person, a program, and the files that were asked for."""

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from function.model.outcome import INVALID_EVENT
from function.model.request import InvalidEvent
from local.command_line import display
from local.command_line.execution import Interrupted, Run
from local.command_line.report_file import write_out
from local.command_line.rows import Line, Order


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """How to present: as JSON, with every row, to a file, in the order of the event.

    `explained`: says what an error of the function means in the event's own file.
    """

    as_json: bool
    full: bool
    out: Path | None
    order: Order
    explained: Callable[[str], str] = str


@dataclass(frozen=True, slots=True, kw_only=True)
class Presentation:
    """A run with what else is to be said of it, a paragraph each, and the last line."""

    run: Run
    lines: Sequence[Line]
    report: Mapping[str, object]
    remarks: Sequence[str] = ()
    closing: str = ""


def present(what: Presentation, view: View) -> None:
    """Present it. What the lines have shown is not said again.

    Lines that tell of nothing but events not understood are not shown: the complaint says it all.
    """
    told = any(line.get("code", INVALID_EVENT) != INVALID_EVENT for line in what.lines)
    shown = not view.as_json and (told or what.run.answers[0].error is None)
    out = display.console()
    if view.as_json:
        sys.stdout.write(json.dumps(what.report, indent=2) + "\n")
    elif shown:
        display.show(out, what.lines, view.order, full=view.full)
    for remark in what.remarks:
        display.say(display.console(stderr=True) if view.as_json else out, remark, "yellow")
    for answer in what.run.answers:
        if answer.error is not None and not (shown and isinstance(answer.error, InvalidEvent)):
            display.complain(f"{type(answer.error).__name__}: {view.explained(str(answer.error))}")
    if what.closing and shown:
        display.say(out, what.closing, "dim")
    if view.out is not None:
        write_out(view.out, what.report)


def present_interrupted(interrupted: Interrupted, view: View, closing: str, *, dry_run: bool) -> None:
    """Show what is settled, and all that may have been asked for."""
    out = display.console()
    if not view.as_json:
        display.show(out, interrupted.lines, view.order, full=view.full)
        if closing:
            display.say(out, closing, "dim")
    if interrupted.asked:
        ids = ", ".join(interrupted.asked)
        display.complain(f"Interrupted. These may have been asked to stop; run it again to see: {ids}")
    elif dry_run:
        display.complain("Interrupted. Nothing was stopped.")
    else:
        display.complain("Interrupted. No stop call was sent for what is not listed.")
