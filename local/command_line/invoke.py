"""`stop-guard invoke`: runs the function on an event, in the real cloud only what its plan has shown."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from function.events.parse import Delivery
from function.guard.event import admit, is_dry_run
from function.model.outcome import GuardCode, Refusal, Status
from function.model.request import StopRequest
from function.model.scope import Scope
from function.settings import InvalidSettings, Settings
from local.command_line import display, question
from local.command_line.event_file import EventFile
from local.command_line.execution import Interrupted, Run, Target, execute
from local.command_line.exit_codes import CommandError, Ended, ExitCode
from local.command_line.near_misses import explain_unmatched, unmatched
from local.command_line.options import RunOptions
from local.command_line.plan_file import as_saved, narrowed, would_stop
from local.command_line.presenting import Presentation, View, present, present_interrupted
from local.command_line.progress import watching
from local.command_line.report_file import check_files, log_file, outcomes_of, whole_report, with_plan
from local.command_line.rows import Line
from local.command_line.targets import Opened, open_target

WriteLine = Callable[[str], object]

ANY_AGE = {"MAX_EVENT_AGE_MINUTES": "0"}


def invoke(
    event: EventFile,
    settings: Mapping[str, str],
    options: RunOptions,
    *,
    plan: bool,
    faults: Sequence[str],
    can_ask: bool,
) -> ExitCode:
    """Run it and present it; `can_ask`: whether standard input is free for an answer. Raise CommandError."""
    if options.yes and not options.live:
        raise CommandError("--yes goes with --live; a rehearsal asks nothing, for it stops nothing real")
    check_files(options.out, options.log, event.path, options.fleet)
    with (
        open_target(settings, live=options.live, fleet=options.fleet, faults=faults) as opened,
        log_file(options.log) as log,
    ):
        delivery = opened.target.read(event.content)
        view = View(
            as_json=options.as_json,
            full=options.full,
            out=options.out,
            order=order_of(delivery),
            explained=lambda message: opened.explained(event.explained(message)),
        )
        if options.live:
            asking = not options.yes
            code = _invoke_live(delivery, opened, view, log, plan=plan, asking=asking, can_ask=can_ask)
        else:
            code = _rehearse(delivery, opened, view, log, plan=plan)
    for complaint in opened.complaints:
        display.complain(complaint)
    return ExitCode.WRONG if opened.complaints else code


def order_of(delivery: Delivery) -> dict[str, int]:
    """Give the position of each instance that the events name."""
    ids = [id_ for one in requests_of(delivery) for id_ in one.instance_ids]
    return {instance_id: index for index, instance_id in enumerate(dict.fromkeys(ids))}


def requests_of(delivery: Delivery) -> list[StopRequest]:
    """Give the events that were understood."""
    return [one for one in delivery.events if isinstance(one, StopRequest)]


def _rehearse(delivery: Delivery, opened: Opened, view: View, log: WriteLine, *, plan: bool) -> ExitCode:
    """Run it at once on the local ECS, where nothing real can happen."""
    target = opened.target
    if plan and view.out is not None:  # a saved plan is one, not a shard's here and another's there
        target = replace(target, environment={**target.environment, "FAN_OUT": "false"})
    run = run_or_show(opened, target, delivery, view, log, dry_run=plan)
    report = whole_report(run, target, view.order)
    if plan:
        report = as_saved(report, requests_of(delivery), opened.target, opened.target.clock.now())
    remarks = _unmatched(run, requests_of(delivery), opened.target)
    present(
        Presentation(run=run, lines=run.lines, report=report, remarks=remarks, closing=opened.closing), view
    )
    return run.exit_code


def _invoke_live(
    delivery: Delivery, opened: Opened, view: View, log: WriteLine, *, plan: bool, asking: bool, can_ask: bool
) -> ExitCode:
    """Plan, ask unless that is not wanted, and stop what the plan has shown, decided anew."""
    target, requests = opened.target, requests_of(delivery)
    settings = _settings(target)
    stale = _stale(requests, settings, target)
    dry = plan or (bool(requests) and all(is_dry_run(one, settings) for one in requests))
    planned_at = target.clock.now()
    looking = replace(target, environment={**target.environment, **ANY_AGE})
    planned = run_or_show(opened, looking, delivery, view, log if dry else _nowhere, dry_run=True)
    report = whole_report(planned, target, view.order)
    real = [one for one in requests if not is_dry_run(one, settings)]
    approved = would_stop(outcomes_of(report), real)
    if dry or stale or not approved:
        if dry or stale:
            report = as_saved(report, requests, target, planned_at)
        else:  # a run would have done no more
            report = {**report, "dry_run": False}
        if not dry:  # nothing follows: what was seen is all that there is to log
            _log_again(planned.lines, log, {} if stale else {"dry_run": False})
        remarks = [*_unmatched(planned, requests, target), *stale]
        present(Presentation(run=planned, lines=planned.lines, report=report, remarks=remarks), view)
        if dry:
            return planned.exit_code
        return ExitCode.REFUSED if stale else _worst([planned.exit_code, _of_plan(planned, settings)])
    display.show(display.console(stderr=True), planned.lines, view.order, full=view.full)
    if asking:
        if not can_ask or opened.identity is None:
            raise CommandError(
                "with the event on standard input nobody can be asked; add --yes, or --plan; nothing was done"
            )
        about = question.about_stopping(approved, report, opened.identity, real)
        question.confirm(about, "Stop these now, and no others?")
    return stop_approved(
        opened, delivery, narrowed(real, approved, planned_at), plan=planned, view=view, log=log
    )


def stop_approved(
    opened: Opened,
    delivery: Delivery,
    requests: tuple[StopRequest, ...],
    *,
    plan: Run | None,
    view: View,
    log: WriteLine,
) -> ExitCode:
    """Stop what a plan has shown; name what has become eligible since.

    `plan`: the run that has just shown it, None for one that was saved.
    """
    target = opened.target
    shown = {instance_id for request in requests for instance_id in request.instance_ids}
    others = [
        line
        for line in (plan.lines if plan else ())
        if "summary" not in line and line.get("instance_id") not in shown
    ]
    _log_again(others, log, {})
    run = run_or_show(
        opened, target, replace(delivery, events=requests, http=False), view, log, dry_run=False
    )
    report, lines, codes = whole_report(run, target, view.order), list(run.lines), [run.exit_code]
    if plan is not None:
        report = with_plan(report, whole_report(plan, target, view.order), shown, view.order)
        lines = [*others, *lines]
        lines = [{**line, "message": report["message"]} if "summary" in line else line for line in lines]
        codes += [plan.exit_code, _of_plan(plan, _settings(target))]
    newly = _newly_eligible(opened, delivery, shown)
    remarks = []
    if newly:
        are = "instance has" if len(newly) == 1 else "instances have"
        remarks.append(
            f"{len(newly):,} {are} become eligible since the plan, and been left: {', '.join(newly)}; "
            "plan again to stop them"
        )
    report["became_eligible"] = newly
    present(
        Presentation(run=run, lines=lines, report=report, remarks=remarks, closing=opened.closing),
        view,
    )
    return _worst(codes)


def _worst(codes: Sequence[ExitCode]) -> ExitCode:
    worst = (ExitCode.WRONG, ExitCode.LEFT, ExitCode.REFUSED)
    return next((code for code in worst if code in codes), ExitCode.COMPLETE)


def _of_plan(plan: Run, settings: Settings) -> ExitCode:
    """Say what a plan leaves: a run would have watched what is `Stopping` until it is `Stopped`."""
    stopping = any(line.get("status") == Status.STOPPING for line in plan.lines)
    return ExitCode.LEFT if stopping and settings.verify_seconds else ExitCode.COMPLETE


def _log_again(lines: Sequence[Line], log: WriteLine, changes: Mapping[str, object]) -> None:
    """Log what a plan saw and no run looks at any more; `changes`: to fields that a line has."""
    for line in lines:
        log(json.dumps({**line, **{name: value for name, value in changes.items() if name in line}}))


def run_or_show(
    opened: Opened, target: Target, delivery: Delivery, view: View, log: WriteLine, *, dry_run: bool
) -> Run:
    """Run it; where Ctrl-C ends that, show what is known, and leave."""
    try:
        return execute(target, delivery, dry_run=dry_run, watching=watching(), log=log)
    except Interrupted as interrupted:
        present_interrupted(interrupted, view, opened.closing, dry_run=dry_run)
        raise Ended from None


def _newly_eligible(opened: Opened, delivery: Delivery, shown: set[str]) -> list[str]:
    """Look once more; what would be stopped now and was not shown."""
    target = replace(opened.target, environment={**opened.target.environment, **ANY_AGE}, deliver=None)
    try:
        run = execute(target, delivery, dry_run=True, watching=watching(), log=_nowhere)
    except Interrupted:
        return []
    ids = [str(line["instance_id"]) for line in run.lines if _would_stop(line)]
    return sorted(instance_id for instance_id in ids if instance_id not in shown)


def _unmatched(run: Run, requests: list[StopRequest], target: Target) -> list[str]:
    """Say of each selection that matched nothing what may have been meant."""
    if not any("summary" in line for line in run.lines):
        return []  # it never came to look
    return [text for one in unmatched(run.lines, requests) for text in explain_unmatched(one, target)]


def _would_stop(line: Line) -> bool:
    return line.get("status") == "would_stop"


def _settings(target: Target) -> Settings:
    try:
        return Settings.from_environment(target.environment)
    except InvalidSettings as error:
        raise CommandError(f"InvalidSettings: {error}") from None


def _stale(requests: list[StopRequest], settings: Settings, target: Target) -> list[str]:
    """Say which events a run would refuse for their age, though a plan looks at them."""
    now: datetime = target.clock.now()
    own = Scope(region_id=target.environment["FC_REGION"], account_id=target.account_id)
    admitted = [admit(one, settings, own, now) for one in requests]
    return [
        f"A run refuses this event ({one.code}): {one.message}"
        for one in admitted
        if isinstance(one, Refusal) and one.code == GuardCode.STALE_EVENT
    ]


def _nowhere(_line: str) -> None:
    """Log nothing: what is only looked at before or after a run is not the run."""
