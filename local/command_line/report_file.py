"""The whole report of a run on a target: for a program as JSON, for a person's sign-off as CSV."""

import csv
import io
import json
import os
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from function.model.outcome import Status
from local.command_line.execution import Run, Target
from local.command_line.exit_codes import CommandError, ExitCode
from local.command_line.rows import Line, Order, in_order

_COLUMNS = (
    *("instance_id", "instance_name", "region_id", "account_id", "status", "code", "message", "warnings"),
    *("previous_status", "instance_type", "cpu", "start_time", "charging_suspended_since", "attempts"),
    *("ecs_request_id", "tags", "source", "event_id"),
)
_MODES = ("requested", "expected", "actual")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet takes for the beginning of a formula, were it in a name that others gave."""

_SUFFIXES = (".json", ".csv")


def whole_report(run: Run, target: Target, order: Order) -> dict[str, object]:
    """Give the report with its target, its outcomes in their order; and those of shards, if there are any."""
    report, *of_shards = ({**each, **_sorted(each, order)} for each in run.reports())
    shards = {"shards": of_shards} if of_shards else {}
    return {"target": target.name, **report, **shards}


def outcomes_of(report: Mapping[str, object]) -> list[Line]:
    """Give a report's outcomes; none where it is the report of an error."""
    outcomes = report.get("outcomes")
    return list(outcomes) if isinstance(outcomes, list) else []


def with_plan(
    report: Mapping[str, object], plan: Mapping[str, object], shown: Collection[str], order: Order
) -> dict[str, object]:
    """Complete the report of a run by what its plan says of all that the run did not ask for."""
    others = [outcome for outcome in outcomes_of(plan) if outcome["instance_id"] not in shown]
    outcomes = in_order([*outcomes_of(report), *others], order)
    counts = Counter(str(outcome["status"]) for outcome in outcomes)
    of_plan: dict[str, object] = {}
    for name in ("refusals", "region_errors"):
        before, after = plan.get(name), report.get(name)
        of_plan[name] = [
            *(before if isinstance(before, list) else []),
            *(after if isinstance(after, list) else []),
        ]
    kept = Counter(str(outcome["status"]) for outcome in others)
    why = ", ".join(f"{kept[one]:,} {one}" for one in Status if kept[one])
    alone = f"; {len(others):,} left alone, as planned: {why}" if others else ""
    return {
        **report,
        **of_plan,
        "message": f"{report.get('message', '')}{alone}",
        "summary": {"total": len(outcomes)} | {str(one): counts[one] for one in Status if counts[one]},
        "outcomes": outcomes,
    }


def check_files(out: Path | None, log: Path | None, *read: Path | None) -> None:
    """Raise CommandError for a report that could not be written, and for one file with two uses."""
    for option, path, others in (("--out", out, (log, *read)), ("--log", log, read)):
        if path is not None and any(one is not None and path.absolute() == one.absolute() for one in others):
            raise CommandError(f"{option} {str(path)!r} has another use, too; take another name for it")
    if out is not None:
        _check_out(out)


def _check_out(path: Path) -> None:
    if path.suffix.lower() not in _SUFFIXES:
        raise CommandError(f"--out {str(path)!r} is neither .json nor .csv; its name says which it becomes")
    if not path.absolute().parent.is_dir():
        raise CommandError(f"--out {str(path)!r}: there is no folder {str(path.absolute().parent)!r}")
    if path.is_dir():
        raise CommandError(f"--out {str(path)!r} is a folder; name a file in it")
    if not os.access(path if path.exists() else path.absolute().parent, os.W_OK):
        raise CommandError(f"--out {str(path)!r}: you may not write there", ExitCode.LEFT)


def write_out(path: Path, report: Mapping[str, object]) -> None:
    """Write the report. Raise CommandError."""
    as_csv = path.suffix.lower() == ".csv"
    text = _csv(report) if as_csv else json.dumps(report, indent=2) + "\n"
    try:
        path.write_text(text, encoding="utf-8-sig" if as_csv else "utf-8")  # Excel knows UTF-8 by its mark
    except OSError as error:
        raise CommandError(f"cannot write {str(path)!r}: {error.strerror}", ExitCode.LEFT) from None


@contextmanager
def log_file(path: Path | None) -> Iterator[Callable[[str], object]]:
    """Give what appends lines to a log: what earlier runs stopped stays known. Raise CommandError."""
    if path is None:
        yield lambda _line: None
        return
    try:
        with path.open("a", encoding="utf-8", buffering=1) as file:
            yield lambda line: file.write(line + "\n")
    except OSError as error:
        raise CommandError(f"cannot write the log {str(path)!r}: {error.strerror}", ExitCode.LEFT) from None


def _sorted(report: Mapping[str, object], order: Order) -> dict[str, object]:
    return {"outcomes": in_order(outcomes_of(report), order)} if "outcomes" in report else {}


def _csv(report: Mapping[str, object]) -> str:
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(["target", *_COLUMNS, *(f"stopped_mode_{mode}" for mode in _MODES)])
    of_shards = report.get("shards")
    for each in (report, *(of_shards if isinstance(of_shards, list) else [])):
        for outcome in outcomes_of(each):
            modes = outcome.get("stopped_mode")
            known = modes if isinstance(modes, dict) else {}
            cells = [outcome.get(column) for column in _COLUMNS] + [known.get(mode) for mode in _MODES]
            writer.writerow([report["target"], *map(_cell, cells)])
    return file.getvalue()


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, list):
        return _cell("; ".join(map(str, value)))
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return f"'{text}" if text.startswith(_FORMULA) else text
