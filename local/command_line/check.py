"""`stop-guard check`: says whether a template is what it seems, and what its timers will do."""

from datetime import UTC, datetime
from pathlib import Path

from local.command_line import display
from local.command_line.exit_codes import CommandError, ExitCode
from local.template.check import Findings, check
from local.template.source import InvalidTemplate, load


def check_template(path: Path) -> ExitCode:
    """Check it and say what was found. Raise CommandError."""
    try:
        findings = check(load(path), datetime.now(UTC))
    except InvalidTemplate as error:
        raise CommandError(str(error)) from None
    show(findings, path)
    return ExitCode.WRONG if findings.problems else ExitCode.COMPLETE


def show(findings: Findings, path: Path) -> None:
    """Print the problems, each with its place, and then the timers."""
    out = display.console()
    for place, message in findings.problems:
        display.say(out, f"{place}: {message}", "red")
    for timer in findings.forecasts:
        switch = "" if timer.enabled else " (disabled)"
        display.say(out, f"Timer {timer.name}{switch}: {timer.expression}", "bold")
        display.say(out, f"  {timer.asks_for}")
        for moment in timer.times:
            display.say(out, f"  {moment}")
    count = len(findings.problems)
    if count:
        display.say(out, f"{path}: {count} problem{'' if count == 1 else 's'}", "bold red")
    else:
        display.say(out, f"{path}: nothing is wrong with it", "bold green")
