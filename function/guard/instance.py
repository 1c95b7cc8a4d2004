"""The guard: may this instance be stopped, and how? A pure decision, no I/O."""

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime

from function.guard.keep_until import keep_until
from function.guard.stopped_mode import economical_obstacle
from function.model.errors import EcsCode
from function.model.frozen import frozen
from function.model.instance import Instance, LocalDisks
from function.model.managed import MANAGING_SERVICES, ManagingService
from function.model.outcome import GuardCode, Settled, Status, utc
from function.model.ports import StopCall
from function.model.request import Job, StoppedMode
from function.model.scope import Scope
from function.settings import Settings

_MAX_VALUE = 100
"""Characters of a tag's value in a message; ids of groups and clusters have fewer."""


@frozen(kw_only=True)
class Stop:
    """The instance may be stopped, by this call; `warnings` say where the result won't be what was asked."""

    call: StopCall
    warnings: tuple[str, ...] = ()


def not_found(scopes: Collection[Scope]) -> Settled:
    """Decide about an id that DescribeInstances does not know."""
    where = ", ".join(map(str, scopes))
    return Settled(
        status=Status.REFUSED,
        code=EcsCode.NOT_FOUND,
        message=f"no such instance in {where}; check the id, and the event's RegionId and account",
    )


def decide(
    instance: Instance,
    job: Job,
    settings: Settings,
    now: datetime,
    local_disks: LocalDisks,
    *,
    seen_first: Instance | None = None,
) -> Stop | Settled:
    """Decide about one instance as it was just seen. Where several reasons apply, the first one counts.

    `seen_first`: as the run saw it first, where that was before.
    """
    return (
        _opted_out(instance, settings)
        or _managed_elsewhere(instance, settings)
        or _not_selected(instance, job)
        or _already_stopped(instance)
        or _locked(instance)
        or _wrong_status(instance)
        or _kept_running(instance, settings, now)
        or _just_started(instance, settings, now)
        or _started_since(instance, job, seen_first or instance)
        or _local_disks_at_risk(job, local_disks)
        or _stop(instance, job, local_disks)
    )


def _refused(code: str, message: str) -> Settled:
    return Settled(status=Status.REFUSED, code=code, message=message)


def _opted_out(instance: Instance, settings: Settings) -> Settled | None:
    required = settings.required_tag
    if required is not None and not instance.carries(required):
        return _refused(
            GuardCode.NOT_OPTED_IN,
            f"carries no tag {required}; add it to let stop-guard stop it (REQUIRED_TAG)",
        )
    for protected in settings.protected_tags:
        if instance.carries(protected):
            return _refused(
                GuardCode.PROTECTED, f"protected by its tag {protected}; remove it to let stop-guard stop it"
            )
    return None


def _managed_elsewhere(instance: Instance, settings: Settings) -> Settled | None:
    """Leave alone what its owner would replace, repair or release once it is stopped."""
    values = {tag.key: tag.value for tag in instance.tags}
    for key in settings.managed_tags:
        value = values.get(key)
        if value is None:
            continue
        service = MANAGING_SERVICES.get(key, ManagingService(f"its tag {key}", "ask its owner"))
        return _refused(
            GuardCode.MANAGED_ELSEWHERE,
            f"managed by {service.name} {value[:_MAX_VALUE]!r}, which would replace or release a stopped "
            f"member, disks included; {service.instead} (MANAGED_TAGS)",
        )
    return None


def _not_selected(instance: Instance, job: Job) -> Settled | None:
    selection = job.request.selection
    missing = [tag for tag in selection.tags if not instance.carries(tag)] if selection else []
    if not missing:
        return None
    return _refused(
        GuardCode.NOT_SELECTED, f"no longer carries the tag {missing[0]}, by which the event had selected it"
    )


def _already_stopped(instance: Instance) -> Settled | None:
    match instance.status:
        case "Stopped":
            return Settled(status=Status.ALREADY_STOPPED, code=None, message="already Stopped; nothing to do")
        case "Stopping":
            return Settled(status=Status.STOPPING, code=None, message="already Stopping")
        case _:
            return None


def _locked(instance: Instance) -> Settled | None:
    if not instance.lock_reasons:
        return None
    if "security" in instance.lock_reasons:
        return _refused(
            EcsCode.LOCKED_FOR_SECURITY,
            "locked for security reasons; resolve what Security Center or the account's messages say",
        )
    if "financial" in instance.lock_reasons:
        return _refused(
            EcsCode.EXPIRED_OR_IN_ARREARS, "locked because it expired or payment is due; renew or pay first"
        )
    return _refused(
        GuardCode.OPERATION_LOCKED,
        f"locked ({', '.join(instance.lock_reasons)}); it can be stopped when that lock is gone",
    )


def _wrong_status(instance: Instance) -> Settled | None:
    if instance.status == "Running":
        return None
    if instance.status in {"Starting", "Pending"}:
        return Settled(
            status=Status.FAILED,
            code=EcsCode.INCORRECT_STATUS,
            message=f"{instance.status}; only a Running instance can be stopped, try again in a minute",
        )
    return _refused(EcsCode.INCORRECT_STATUS, f"{instance.status}; only a Running instance can be stopped")


def _kept_running(instance: Instance, settings: Settings, now: datetime) -> Settled | None:
    key = settings.keep_until_tag
    value = instance.tag_value(key)
    if value is None:
        return None
    until = keep_until(value)
    if until is not None and until <= now:
        return None
    what = (
        f"kept running until {utc(until)}"
        if until is not None
        else f"kept running: {value!r} is not a date-time such as 2026-01-31T20:00+08:00"
    )
    return _refused(
        GuardCode.KEEP_RUNNING_UNTIL, f"{what}; remove or change its tag {key} to stop it earlier"
    )


def _just_started(instance: Instance, settings: Settings, now: datetime) -> Settled | None:
    if not settings.min_uptime:
        return None
    if instance.start_time is not None and now - instance.start_time >= settings.min_uptime:
        return None
    since = "at a time that ECS does not tell" if instance.start_time is None else utc(instance.start_time)
    return _refused(
        GuardCode.MIN_UPTIME,
        f"started {since}, and left alone for its first {settings.min_uptime_minutes} minutes "
        "(MIN_UPTIME_MINUTES)",
    )


def _started_since(instance: Instance, job: Job, seen_first: Instance) -> Settled | None:
    """Leave alone what somebody has started since the event, or since the run began where that has no time.

    ECS tells the start to the minute (`StartTime` of DescribeInstances); where it is the event's own minute,
    the instance is left alone, too, unless the event itself tells of the start, and so comes after it.
    """
    start, time = instance.start_time, job.request.time
    if start is None:
        return None
    if time is None:
        since, what = start != seen_first.start_time, "while this run went on"
    else:
        since = start > time if job.request.tells_of_start else start >= time.replace(second=0, microsecond=0)
        what = f"and the event is of {utc(time)}"
    if not since:
        return None
    return _refused(GuardCode.STARTED_SINCE, f"somebody started it {utc(start)}, {what}; it is left alone")


def _local_disks_at_risk(job: Job, local_disks: LocalDisks) -> Settled | None:
    if local_disks is LocalDisks.NO or job.request.confirm_stop:
        return None
    has = "has" if local_disks is LocalDisks.YES else "may have (it could not be established)"
    return _refused(
        EcsCode.LOCAL_DISKS,
        f'{has} local disks, whose data a stop puts at risk; "ConfirmStop": true in the event consents',
    )


def _stop(instance: Instance, job: Job, local_disks: LocalDisks) -> Stop:
    economical = job.stopped_mode is StoppedMode.STOP_CHARGING
    obstacle = economical_obstacle(instance, local_disks) if economical else None
    return Stop(
        call=StopCall(
            instance_id=instance.instance_id,
            stopped_mode=StoppedMode.KEEP_CHARGING if obstacle else job.stopped_mode,
            confirm_stop=local_disks is not LocalDisks.NO,
            force_stop=job.request.force_stop,
            dry_run=job.dry_run,
        ),
        warnings=(f"{EcsCode.NOT_ECONOMICAL}: {obstacle}; it is stopped with KeepCharging",)
        if obstacle
        else (),
    )


def without_economical_mode(stop: Stop) -> Stop:
    """Decide the same again after ECS has refused StopCharging, as it may for any instance."""
    if stop.call.stopped_mode is not StoppedMode.STOP_CHARGING:
        return stop
    warning = f"{EcsCode.NOT_ECONOMICAL}: ECS refused StopCharging for it; it is stopped with KeepCharging"
    return Stop(
        call=replace(stop.call, stopped_mode=StoppedMode.KEEP_CHARGING), warnings=(*stop.warnings, warning)
    )
