"""Admission: which events may stop something, by region, role, age, alarm state and name."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from time import process_time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from function.guard.event import admit
from function.model.outcome import Refusal
from function.model.request import Job, Source, StoppedMode, StopRequest, TargetProblem
from function.model.scope import Scope
from function.settings import Settings

NOW = datetime(2026, 1, 15, 20, 0, tzinfo=UTC)
OWN = Scope(region_id="cn-hangzhou", account_id="1234567890123456")
REQUEST = StopRequest(source=Source.REQUEST, event_id="e", instance_ids=("i-1",))
ROLE, OTHER_ROLE = (f"acs:ram::234567890123456{n}:role/stop-guard" for n in (7, 8))


def refusal(request: StopRequest, **env: str) -> str | None:
    """Give the code under which the event is refused as a whole."""
    admitted = admit(request, Settings.from_environment(env), OWN, NOW)
    return admitted.code if isinstance(admitted, Refusal) else None


@pytest.mark.parametrize(
    ("regions", "allowed", "refused"),
    [
        ((), "", False),
        (("cn-hangzhou",), "", False),
        (("cn-shanghai",), "", True),
        (("cn-shanghai",), "cn-shanghai", False),
        ((), "cn-shanghai", True),
        (("cn-shanghai", "cn-beijing"), "cn-shanghai, cn-hangzhou", True),
    ],
)
def test_regions(regions: tuple[str, ...], allowed: str, *, refused: bool) -> None:
    """One region outside the list refuses the event, the function's own too where the list leaves it out."""
    expected = "Guard.RegionNotAllowed" if refused else None
    assert refusal(replace(REQUEST, region_ids=regions), ALLOWED_REGIONS=allowed) == expected


@pytest.mark.parametrize(
    ("age", "limit", "refused"),
    [(60, "60", False), (61, "60", True), (10_000, "0", False), (-4, "60", False)],
)
def test_stale_events(age: int, limit: str, *, refused: bool) -> None:
    """An event older than the limit is refused; 0 means no limit."""
    request = replace(REQUEST, time=NOW - timedelta(minutes=age))
    assert refusal(request, MAX_EVENT_AGE_MINUTES=limit) == ("Guard.StaleEvent" if refused else None)


@pytest.mark.parametrize(
    ("state", "refused"),
    [
        ("ALERT", False),
        ("alert", False),
        ("FIRING", False),
        ("OK", True),
        ("resolved", True),
        ("INSUFFICIENT_DATA", True),
        ("", True),
    ],
)
def test_alarm_states(state: str, *, refused: bool) -> None:
    """Only the named states stop something, in whichever case they are written; a recovery never does."""
    assert refusal(replace(REQUEST, alarm_state=state)) == ("Guard.AlarmState" if refused else None)


@pytest.mark.parametrize(
    ("enabled", "refused"),
    [
        ("", True),
        ("Instance:SystemMaintenance.Reboot:Scheduled", False),
        ("Instance:SystemMaintenance.*:Scheduled", False),
        ("Instance:SystemMaintenance.Reboot", True),
        ("instance:systemmaintenance.reboot:scheduled", True),
        ("Disk:*, Instance:*", False),
        ("Instance:SystemMaintenance.Reboot:Schedule.", True),
        ("*:Scheduled", False),
    ],
)
def test_system_events(enabled: str, *, refused: bool) -> None:
    """A system event stops only where SYSTEM_EVENTS names it whole; `*` alone stands for any part."""
    request = replace(REQUEST, system_event="Instance:SystemMaintenance.Reboot:Scheduled")
    assert refusal(request, SYSTEM_EVENTS=enabled) == ("Guard.EventNotEnabled" if refused else None)


@pytest.mark.parametrize(
    ("roles", "allowed", "refused"),
    [
        ((), "", False),
        ((ROLE,), "", True),
        ((ROLE,), ROLE, False),
        ((ROLE, OTHER_ROLE), ROLE, True),
        ((OTHER_ROLE, ROLE), f"{ROLE},{OTHER_ROLE}", False),
        ((ROLE, OTHER_ROLE), "acs:ram::*:role/stop-guard", False),
        ((ROLE,), "acs:ram::*:role/stop-guard-2,acs:ram::*:role/Stop-Guard", True),
    ],
)
def test_roles(roles: tuple[str, ...], allowed: str, *, refused: bool) -> None:
    """One role that is not allowed refuses the whole event. By default none is; `*` is any account."""
    expected = "Guard.RoleNotAllowed" if refused else None
    assert refusal(replace(REQUEST, role_arns=roles), ALLOWED_ROLE_ARNS=allowed) == expected


def test_what_the_event_leaves_open_is_settled() -> None:
    """Mode, dry run and places are the event's where it names them, else the settings' and the function's."""
    environment = {
        "STOPPED_MODE": "StopCharging",
        "DRY_RUN": "true",
        "ALLOWED_REGIONS": "cn-hangzhou,cn-beijing",
    }
    settings = Settings.from_environment({**environment, "ALLOWED_ROLE_ARNS": ROLE})
    left_open = admit(REQUEST, settings, OWN, NOW)
    assert left_open == Job(
        request=REQUEST, scopes=(OWN,), stopped_mode=StoppedMode.STOP_CHARGING, dry_run=True
    )
    said = replace(
        REQUEST,
        region_ids=("cn-beijing", "cn-hangzhou"),
        role_arns=(ROLE,),
        stopped_mode=StoppedMode.KEEP_CHARGING,
    )
    named = admit(said, settings, OWN, NOW)
    assert isinstance(named, Job)
    assert [(one.region_id, one.account_id, one.role_arn) for one in named.scopes] == [
        ("cn-beijing", "2345678901234567", ROLE),
        ("cn-hangzhou", "2345678901234567", ROLE),
    ]
    assert named.stopped_mode is StoppedMode.KEEP_CHARGING


@pytest.mark.parametrize("source", sorted(set(Source) - {Source.REQUEST, Source.TIMER}))
def test_an_alarm_that_names_no_region_means_every_allowed_one(source: Source) -> None:
    """Ids are unique, and most alarms can't say where theirs is; a request means the function's region."""
    settings = Settings.from_environment({"ALLOWED_REGIONS": "cn-shanghai,cn-hangzhou"})
    alarm = admit(replace(REQUEST, source=source), settings, OWN, NOW)
    assert isinstance(alarm, Job)
    assert [scope.region_id for scope in alarm.scopes] == ["cn-hangzhou", "cn-shanghai"]
    asked = admit(REQUEST, settings, OWN, NOW)
    assert isinstance(asked, Job)
    assert [scope.region_id for scope in asked.scopes] == ["cn-hangzhou"]


@pytest.mark.parametrize(
    "asks",
    [{"confirm_stop": True}, {"force_stop": True}, {"role_arns": (ROLE,)}],
    ids=lambda asks: next(iter(asks)),
)
def test_only_whom_ram_vouches_for_may_ask_for_much(asks: dict[str, object]) -> None:
    """A shared token, or a place in a queue, is no leave to lose data, force or another account's role."""
    request = replace(REQUEST, **asks)  # type: ignore[arg-type]  # one of the three, each of its own type
    assert refusal(request, ALLOWED_ROLE_ARNS=ROLE) is None
    assert refusal(replace(request, ram_authorized=False), ALLOWED_ROLE_ARNS=ROLE) == "Guard.Unauthorized"
    assert refusal(replace(request, ram_authorized=False)) == "Guard.Unauthorized"
    assert refusal(replace(REQUEST, ram_authorized=False)) is None


def _problem(code: str) -> TargetProblem:
    return TargetProblem(code=code, message="m")


REASONS: list[tuple[str, dict[str, object]]] = [
    ("Guard.Unauthorized", {"ram_authorized": False, "force_stop": True}),
    ("Guard.AlarmState", {"alarm_state": "OK"}),
    ("Guard.EventNotEnabled", {"system_event": "Disk:Stalled"}),
    ("Guard.NotAnInstance", {"problem": _problem("Guard.NotAnInstance"), "instance_ids": ()}),
    ("Guard.RegionNotAllowed", {"region_ids": ("cn-beijing",)}),
    ("Guard.RoleNotAllowed", {"role_arns": (ROLE,)}),
    ("Guard.StaleEvent", {"time": NOW - timedelta(days=1)}),
]


@pytest.mark.parametrize("first", range(len(REASONS)))
def test_what_an_event_is_comes_before_what_it_is_about(first: int) -> None:
    """Where several reasons apply, the earlier one is reported, whichever the others are."""
    code, fields = REASONS[first]
    for _, others in REASONS[first + 1 :]:
        assert refusal(replace(REQUEST, **(others | fields))) == code  # type: ignore[arg-type]  # as above


def test_a_source_that_is_not_read_is_refused_whatever_the_settings_name() -> None:
    """What is none of ECS's own events can't be let in by a pattern."""
    foreign = replace(REQUEST, instance_ids=(), problem=_problem("Guard.EventNotEnabled"), system_event="x")
    assert refusal(foreign, SYSTEM_EVENTS="*") == "Guard.EventNotEnabled"
    resolved = replace(foreign, alarm_state="RESOLVED")
    assert refusal(resolved, SYSTEM_EVENTS="*") == "Guard.AlarmState"


@given(
    st.text("ab:?!", max_size=8),
    st.lists(st.text("ab:?!", max_size=3), min_size=1, max_size=5).map("*".join),
)
@example("a", "?")
def test_a_star_alone_stands_for_anything(name: str, pattern: str) -> None:
    """`*` stands for any part, also for none; whatever else has a meaning in a shell stands for itself."""
    any_part = re.compile(".*".join(map(re.escape, pattern.split("*"))))
    admitted = refusal(replace(REQUEST, system_event=name), SYSTEM_EVENTS=pattern) is None
    assert admitted == (pattern != "" and any_part.fullmatch(name) is not None)


def test_a_pattern_takes_no_time_whatever_the_name() -> None:
    """A name of others never makes the match slow."""
    begun = process_time()
    for pattern in ("*:*:*:*:x", "*:" * 60 + "x", "*a*b*c*d*e*f*", "*" * 500):
        refusal(replace(REQUEST, system_event=":" * 128), SYSTEM_EVENTS=pattern)
    assert process_time() - begun < 0.5
