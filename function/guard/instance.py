"""The guard: may this instance be stopped, and how? A pure decision, no I/O."""

import re
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta, timezone

from function.model.errors import EcsCode
from function.model.instance import FAMILIES_WITH_PERSISTENT_MEMORY, Instance, LocalDisks
from function.model.managed import MANAGING_SERVICES, ManagingService
from function.model.outcome import GuardCode, Status, utc
from function.model.ports import StopCall
from function.model.request import Job, StoppedMode
from function.model.scope import Scope
from function.settings import Settings

_LATEST_OFFSET = timezone(timedelta(hours=-12))
"""Where a local time comes last on Earth: a time without an offset is taken to mean it."""
_DATE_TIME = re.compile(
    r"(\d{4}-\d{2}-\d{2}|\d{8})([T ]\d{2}(:?\d{2}(:?\d{2}([.,]\d+)?)?)?(Z|[+-]\d{2}(:?\d{2})?)?)?", re.ASCII
)
"""Python reads much more as a date-time: weeks, any separator, an offset as a time of day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """The instance may be stopped, by this call; `warnings` say where the result won't be what was asked."""

    call: StopCall
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Skip:
    """The instance is not to be stopped: the outcome's status, code and message."""

    status: Status
    code: str | None
    message: str


def not_found(scopes: Collection[Scope]) -> Skip:
    """Decide about an id that DescribeInstances does not know."""
    where = ", ".join(map(str, scopes))
    return Skip(
        status=Status.REFUSED,
        code=EcsCode.NOT_FOUND,
        message=f"no such instance in {where}; check the id, and the event's RegionId and account",
    )


def decide(
    instance: Instance, job: Job, settings: Settings, now: datetime, local_disks: LocalDisks
) -> Stop | Skip:
    """Decide about one instance as it was just seen. Where several reasons apply, the first one counts."""
    return (
        _opted_out(instance, settings)
        or _managed_elsewhere(instance, settings)
        or _already_stopped(instance)
        or _locked(instance)
        or _wrong_status(instance)
        or _kept_running(instance, settings, now)
        or _just_started(instance, settings, now)
        or _local_disks_at_risk(job, local_disks)
        or _stop(instance, job, local_disks)
    )


def _refused(code: str, message: str) -> Skip:
    return Skip(status=Status.REFUSED, code=code, message=message)


def _opted_out(instance: Instance, settings: Settings) -> Skip | None:
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


def _managed_elsewhere(instance: Instance, settings: Settings) -> Skip | None:
    """Leave alone what its owner would replace, repair or release once it is stopped."""
    for key in settings.managed_tags:
        value = instance.tag_value(key)
        if value is None:
            continue
        service = MANAGING_SERVICES.get(key, ManagingService(f"its tag {key}", "ask its owner"))
        return _refused(
            GuardCode.MANAGED_ELSEWHERE,
            f"managed by {service.name} {value[:100]!r}, which would replace or release a stopped member, "
            f"disks included; {service.instead} (MANAGED_TAGS)",
        )
    return None


def _already_stopped(instance: Instance) -> Skip | None:
    if instance.status not in {"Stopping", "Stopped"}:
        return None
    return Skip(status=Status.ALREADY_STOPPED, code=None, message=f"already {instance.status}; nothing to do")


def _locked(instance: Instance) -> Skip | None:
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


def _wrong_status(instance: Instance) -> Skip | None:
    if instance.status == "Running":
        return None
    if instance.status in {"Starting", "Pending"}:
        return Skip(
            status=Status.FAILED,
            code=EcsCode.INCORRECT_STATUS,
            message=f"{instance.status}; only a Running instance can be stopped, try again in a minute",
        )
    return _refused(EcsCode.INCORRECT_STATUS, f"{instance.status}; only a Running instance can be stopped")


def _kept_running(instance: Instance, settings: Settings, now: datetime) -> Skip | None:
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


def keep_until(value: str) -> datetime | None:
    """Read the time that a keep-running-until tag names; None: it can't be read.

    ISO 8601 calendar dates and times. Without an offset it is taken as late as it can mean (UTC-12), a date
    alone to the end of that day. A time beyond what a datetime holds can't be read.
    """
    text = value.strip()
    if not _DATE_TIME.fullmatch(text):
        return None
    try:
        if len(text) <= len("2026-01-31"):
            day = datetime.combine(date.fromisoformat(text), time.min, _LATEST_OFFSET)
            return (day + timedelta(days=1)).astimezone(UTC)
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=_LATEST_OFFSET)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _just_started(instance: Instance, settings: Settings, now: datetime) -> Skip | None:
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


def _local_disks_at_risk(job: Job, local_disks: LocalDisks) -> Skip | None:
    if local_disks is LocalDisks.NO or job.request.confirm_stop:
        return None
    has = "has" if local_disks is LocalDisks.YES else "may have (it could not be established)"
    return _refused(
        EcsCode.LOCAL_DISKS,
        f'{has} local disks, whose data a stop puts at risk; "ConfirmStop": true in the event consents',
    )


def _stop(instance: Instance, job: Job, local_disks: LocalDisks) -> Stop:
    economical = job.stopped_mode is StoppedMode.STOP_CHARGING
    obstacle = _economical_obstacle(instance, local_disks) if economical else None
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


def _economical_obstacle(instance: Instance, local_disks: LocalDisks) -> str | None:
    """Say why StopCharging can't apply. Preemptible instances are not foreseen here: the sources disagree."""
    if instance.instance_charge_type != "PostPaid":
        return "StopCharging can't apply to a subscription instance"
    if instance.instance_network_type != "vpc":
        return "StopCharging can't apply to an instance in the classic network"
    if local_disks is not LocalDisks.NO:
        return "StopCharging can't apply to an instance that has local disks, or may have"
    if instance.family in FAMILIES_WITH_PERSISTENT_MEMORY:
        return "StopCharging can't apply to an instance with persistent memory"
    return None


def without_economical_mode(stop: Stop) -> Stop:
    """Decide the same again after ECS has refused StopCharging, as it may for any instance."""
    if stop.call.stopped_mode is not StoppedMode.STOP_CHARGING:
        return stop
    warning = f"{EcsCode.NOT_ECONOMICAL}: ECS refused StopCharging for it; it is stopped with KeepCharging"
    return Stop(
        call=replace(stop.call, stopped_mode=StoppedMode.KEEP_CHARGING), warnings=(*stop.warnings, warning)
    )
