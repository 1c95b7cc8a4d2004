"""Admission: may this event stop anything at all? A pure decision, before any instance is looked at."""

from collections.abc import Sequence
from datetime import datetime
from fnmatch import fnmatchcase

from function.model.outcome import GuardCode, Refusal, utc
from function.model.request import Job, Source, StopRequest
from function.model.scope import Scope, make_scope
from function.settings import Settings


def admit(request: StopRequest, settings: Settings, own: Scope, now: datetime) -> Job | Refusal:
    """Judge the event as a whole, and settle what it leaves open; `own` is where the function itself is.

    What an event is comes before what it is about: a recovered alarm is refused as that, wherever it is.
    """
    region_ids = _regions(request, settings, own.region_id)
    problem = (
        _sender_problem(request)
        or _alarm_problem(request, settings)
        or _foreign_event_problem(request)
        or _system_event_problem(request, settings)
        or _target_problem(request)
        or _region_problem(region_ids, settings, own.region_id)
        or _role_problem(request, settings)
        or _age_problem(request, settings, now)
    )
    if problem is not None:
        return refuse(request, *problem)
    return Job(
        request=request,
        scopes=tuple(
            make_scope(region_id, role_arn, own.account_id)
            for role_arn in request.role_arns or (None,)
            for region_id in region_ids
        ),
        stopped_mode=request.stopped_mode or settings.stopped_mode,
        dry_run=is_dry_run(request, settings),
    )


def is_dry_run(request: StopRequest, settings: Settings) -> bool:
    """Whether nothing may change: the event or the environment says so."""
    return request.dry_run or settings.dry_run


def _regions(request: StopRequest, settings: Settings, own_region: str) -> tuple[str, ...]:
    """Say in which regions an event means its instances.

    A request that names none means the function's own. An alarm can't be asked to name one: its instance is
    looked for in every region that is allowed, for ids are unique.
    """
    if request.region_ids:
        return request.region_ids
    if request.source in {Source.REQUEST, Source.TIMER}:
        return (own_region,)
    return tuple(sorted(settings.regions_allowed(own_region)))


def refuse(request: StopRequest, code: str, message: str, ids: tuple[str, ...] | None = None) -> Refusal:
    """Make the refusal of an event; `ids`: those that it would have stopped, else those it names."""
    return Refusal(
        source=request.source,
        event_id=request.event_id,
        code=code,
        message=message,
        instance_ids=request.instance_ids if ids is None else ids,
    )


def _sender_problem(request: StopRequest) -> tuple[GuardCode, str] | None:
    asked = [
        name
        for name, value in (
            ("ConfirmStop", request.confirm_stop),
            ("ForceStop", request.force_stop),
            ("RoleArn", request.role_arns),
        )
        if value
    ]
    if request.ram_authorized or not asked:
        return None
    return GuardCode.UNAUTHORIZED, (
        f"{' and '.join(asked)} can be asked for only where RAM vouches for the sender, not over HTTP nor in "
        "a message of a queue or topic; use a timer, EventBridge, or an invocation"
    )


def _foreign_event_problem(request: StopRequest) -> tuple[str, str] | None:
    """Refuse what no name in SYSTEM_EVENTS could let in."""
    problem = _target_problem(request)
    return problem if problem and problem[0] == GuardCode.EVENT_NOT_ENABLED else None


def _target_problem(request: StopRequest) -> tuple[str, str] | None:
    return (request.problem.code, request.problem.message) if request.problem else None


def _region_problem(
    region_ids: Sequence[str], settings: Settings, own_region: str
) -> tuple[GuardCode, str] | None:
    allowed = settings.regions_allowed(own_region)
    outside = [region for region in region_ids if region not in allowed]
    if not outside:
        return None
    return GuardCode.REGION_NOT_ALLOWED, (
        f"region {', '.join(outside)} is not among the allowed ones ({', '.join(sorted(allowed))}); "
        "add it to ALLOWED_REGIONS to let events reach it"
    )


def _role_problem(request: StopRequest, settings: Settings) -> tuple[GuardCode, str] | None:
    outside = [role_arn for role_arn in request.role_arns if not settings.role_allowed(role_arn)]
    if not outside:
        return None
    return GuardCode.ROLE_NOT_ALLOWED, (
        f"the role {outside[0]} is not among the allowed ones; "
        "add it to ALLOWED_ROLE_ARNS to let events use it"
    )


def _age_problem(request: StopRequest, settings: Settings, now: datetime) -> tuple[GuardCode, str] | None:
    limit = settings.max_event_age
    if limit is None or request.admitted or request.time is None or now - request.time <= limit:
        return None
    return GuardCode.STALE_EVENT, (
        f"the event is of {utc(request.time)}, more than {settings.max_event_age_minutes} minutes old; "
        "what it saw may no longer be so (MAX_EVENT_AGE_MINUTES)"
    )


def _alarm_problem(request: StopRequest, settings: Settings) -> tuple[GuardCode, str] | None:
    if request.alarm_state is None:
        return None
    if request.alarm_state.casefold() in {state.casefold() for state in settings.alarm_states}:
        return None
    return GuardCode.ALARM_STATE, (
        f"the alarm {request.alarm_name or ''!r} is in state {request.alarm_state!r}, which stops nothing; "
        f"ALARM_STATES is {','.join(settings.alarm_states)}"
    )


def _system_event_problem(request: StopRequest, settings: Settings) -> tuple[GuardCode, str] | None:
    name = request.system_event
    if name is None or any(_matches(pattern, name) for pattern in settings.system_events):
        return None
    return GuardCode.EVENT_NOT_ENABLED, (
        f"the system event {name!r} stops nothing; add its name to SYSTEM_EVENTS if it should"
    )


def _matches(pattern: str, name: str) -> bool:
    """Tell whether a name matches a pattern, in which `*` alone stands for anything: settings hold no `[`."""
    return fnmatchcase(name, pattern.replace("?", "[?]"))
