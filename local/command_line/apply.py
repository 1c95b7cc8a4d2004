"""`stop-guard apply`: stops what a saved plan would stop, decided anew, and nothing else."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from function.events.parse import Delivery
from local.command_line import display, question
from local.command_line.exit_codes import CommandError, ExitCode
from local.command_line.invoke import ANY_AGE, stop_approved
from local.command_line.options import RunOptions
from local.command_line.plan_file import SavedPlan, load_plan, narrowed
from local.command_line.presenting import View
from local.command_line.report_file import check_files, log_file
from local.command_line.rows import Order
from local.command_line.targets import Opened, open_target


def apply(path: Path, settings: Mapping[str, str], options: RunOptions) -> ExitCode:
    """Carry a plan out. Raise CommandError."""
    if options.yes and not options.live:
        raise CommandError("--yes goes with --live; a rehearsal asks nothing, for it stops nothing real")
    check_files(options.out, options.log, path, options.fleet)
    with (
        open_target(settings, live=options.live, fleet=options.fleet, faults=()) as opened,
        log_file(options.log) as log,
    ):
        plan = load_plan(path, opened.target, opened.target.clock.now())
        if not plan.approved:
            display.say(display.console(), f"The plan {path} stops nothing.", "yellow")
            return ExitCode.COMPLETE
        order = _order(plan)
        if options.live and not options.yes:
            _ask(plan, opened, order, full=options.full)
        # The plan's day stands for the event's age.
        target = replace(opened.target, environment={**opened.target.environment, **ANY_AGE})
        return stop_approved(
            replace(opened, target=target),
            Delivery(events=plan.requests),
            narrowed(plan.requests, plan.approved, plan.time),
            plan=None,
            view=View(as_json=options.as_json, full=options.full, out=options.out, order=order),
            log=log,
        )


def _ask(plan: SavedPlan, opened: Opened, order: Order, *, full: bool) -> None:
    err = display.console(stderr=True)
    display.show(err, plan.approved, order, full=full)
    display.say(err, f"Planned {plan.report['time']}")
    if opened.identity is None:
        raise CommandError("nobody can be asked")
    about = question.about_stopping(plan.approved, plan.report, opened.identity, plan.requests)
    question.confirm(about, "Stop these now, and no others?")


def _order(plan: SavedPlan) -> Order:
    ids = [str(line["instance_id"]) for line in plan.approved]
    return {instance_id: index for index, instance_id in enumerate(ids)}
