"""The guard's decisions: pure, so tested as such."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from function.guard.event import admit
from function.guard.instance import Stop, decide
from function.guard.keep_until import keep_until
from function.model.instance import Instance, LocalDisks
from function.model.outcome import Settled, Status
from function.model.request import Job, Selection, Source, StoppedMode, StopRequest, Tag
from function.model.scope import Scope
from function.settings import Settings

NOW = datetime(2026, 1, 15, 20, 0, tzinfo=UTC)
REQUEST = StopRequest(source=Source.REQUEST, event_id="e", instance_ids=("i-1",))
SETTINGS = Settings.from_environment({})


def instance(**fields: Any) -> Instance:  # noqa: ANN401 - fields as ECS gives them
    """Make a stoppable instance with these fields instead of its own."""
    return Instance.model_validate(
        {
            "InstanceId": "i-1",
            "RegionId": "cn-hangzhou",
            "Status": "Running",
            "InstanceType": "ecs.g6.large",
            "InstanceChargeType": "PostPaid",
            "InstanceNetworkType": "vpc",
            "StartTime": "2026-01-15T08:00Z",
            "Tags": tags(("auto-stop", "true")),
        }
        | fields
    )


def tags(*pairs: tuple[str, str]) -> dict[str, object]:
    """Write tags as DescribeInstances does."""
    return {"Tag": [{"TagKey": key, "TagValue": value} for key, value in pairs]}


def locks(*reasons: str) -> dict[str, object]:
    """Write locks as DescribeInstances does."""
    return {"LockReason": [{"LockReason": reason} for reason in reasons]}


def decided(seen: Instance, request: StopRequest, settings: Settings, disks: LocalDisks) -> Stop | Settled:
    """Decide about an instance, for a request that is admitted."""
    job = admit(request, settings, Scope(region_id="cn-hangzhou"), NOW)
    assert isinstance(job, Job)
    return decide(seen, job, settings, NOW, disks)


def code(
    seen: Instance, request: StopRequest = REQUEST, disks: LocalDisks = LocalDisks.NO, **env: str
) -> object:
    """Give the code of the decision, or `Stop` where it is to be stopped."""
    decision = decided(seen, request, Settings.from_environment(env), disks)
    return Stop if isinstance(decision, Stop) else decision.code


SELECTED = Selection(tags=(Tag(key="env", value="dev"), Tag(key="team")))

OBSTACLES: list[tuple[dict[str, object], str | None]] = [
    ({"Tags": tags()}, "Guard.NotOptedIn"),
    ({"Tags": tags(("auto-stop", "true"), ("stop-guard", "protected"))}, "Guard.Protected"),
    (
        {"Tags": tags(("auto-stop", "true"), ("acs:autoscaling:scalingGroupId", "asg-1"))},
        "Guard.ManagedElsewhere",
    ),
    ({"Status": "Stopped"}, None),
    ({"OperationLocks": locks("security")}, "InstanceLockedForSecurity"),
    ({"OperationLocks": locks("financial")}, "InstanceExpiredOrInArrears"),
    ({"OperationLocks": locks("Recycling")}, "Guard.OperationLocked"),
    ({"Status": "Pending"}, "IncorrectInstanceStatus"),
    (
        {"Tags": tags(("auto-stop", "true"), ("keep-running-until", "2026-02-01"))},
        "Guard.KeepRunningUntil",
    ),
    ({"StartTime": "2026-01-15T19:59Z"}, "Guard.MinUptime"),
    ({"LocalStorageAmount": 1}, "InstanceType.ParameterMismatch"),
]
"""In the contract's order; where several apply, the first counts."""


@pytest.mark.parametrize(("fields", "expected"), OBSTACLES)
def test_each_obstacle_has_its_code(fields: dict[str, object], expected: str | None) -> None:
    """Each reason not to stop an instance is reported under the code that the contract gives it."""
    seen = instance(**fields)
    assert (
        code(seen, disks=seen.local_disks({"ecs.g6.large": LocalDisks.NO}), MIN_UPTIME_MINUTES="5")
        == expected
    )


@given(st.lists(st.sampled_from(range(len(OBSTACLES))), min_size=2, max_size=2, unique=True).map(sorted))
def test_the_first_obstacle_counts(pair: list[int]) -> None:
    """Of two reasons that can hold at once, the one that stands first in the contract is reported."""
    (first, expected), (second, _) = OBSTACLES[pair[0]], OBSTACLES[pair[1]]
    if set(first) & set(second):
        return
    seen = instance(**second, **first)
    assert (
        code(seen, disks=seen.local_disks({"ecs.g6.large": LocalDisks.NO}), MIN_UPTIME_MINUTES="5")
        == expected
    )


OPT_OUTS = [
    (("stop-guard", "protected"), "Guard.Protected"),
    (("env", "prod"), "Guard.Protected"),
    (("ack.aliyun.com", "c-1"), "Guard.ManagedElsewhere"),
    (("keep-running-until", "2026-02-01"), "Guard.KeepRunningUntil"),
]


@pytest.mark.parametrize("first", range(len(OPT_OUTS)))
@pytest.mark.parametrize("second", range(len(OPT_OUTS)))
def test_the_first_tag_that_speaks_against_it_counts(first: int, second: int) -> None:
    """Whichever of a list of protecting tags it is, and in whichever order they come; all are looked at."""
    carried = [("auto-stop", "true"), OPT_OUTS[second][0], OPT_OUTS[first][0]]
    seen = instance(Tags=tags(*carried))
    assert code(seen, PROTECTED_TAG="stop-guard=protected, env=prod") == OPT_OUTS[min(first, second)][1]


@pytest.mark.parametrize(
    ("carried", "words"),
    [
        ({"acs:autoscaling:scalingGroupId": "asg-1"}, "Auto Scaling, scaling group 'asg-1'"),
        (
            {"acs:autoscaling:scalingGroupId": "asg-1", "ack.alibabacloud.com/nodepool-id": "np1"},
            "ACK, node pool 'np1'",
        ),
        ({"ack.aliyun.com": "c1"}, "ACK, cluster 'c1'"),
        ({"acs:emr:clusterId": "c-1"}, "E-MapReduce, cluster 'c-1'"),
        ({"k8s.io/cluster-autoscaler": "true"}, "a cluster autoscaler 'true'"),
        ({"karpenter.sh/nodepool": "np\n" + "x" * 500}, "Karpenter, node pool 'np\\nx"),
    ],
)
def test_who_manages_it_is_named(carried: dict[str, str], words: str) -> None:
    """The message names the service and the group or cluster, cut and on one line, and what to do instead."""
    seen = instance(Tags=tags(("auto-stop", "true"), *carried.items()))
    decision = decided(seen, REQUEST, SETTINGS, LocalDisks.NO)
    assert isinstance(decision, Settled)
    assert words in decision.message
    assert len(decision.message) < 400
    assert "; " in decision.message


@pytest.mark.parametrize(
    ("variable", "stopped"),
    [
        ("", {"team"}),
        ("none", {"team", "acs:emr:clusterId"}),
        ("team", {"acs:emr:clusterId"}),
        ("team, acs:emr:clusterId", set()),
    ],
)
def test_managed_tags(variable: str, stopped: set[str]) -> None:
    """A list replaces the default, `none` takes it away, and an empty variable does not."""
    keys = ("team", "acs:emr:clusterId")
    seen = {key: instance(Tags=tags(("auto-stop", "true"), (key, "1"))) for key in keys}
    assert {key for key in keys if code(seen[key], MANAGED_TAGS=variable) is Stop} == stopped


def test_security_comes_first_among_locks() -> None:
    """Whatever other locks there are, and in whichever order, the security lock is named."""
    assert (
        code(instance(OperationLocks=locks("financial", "Recycling", "security")))
        == "InstanceLockedForSecurity"
    )


@pytest.mark.parametrize(
    ("status", "outcome"), [("Stopping", Status.STOPPING), ("Stopped", Status.ALREADY_STOPPED)]
)
def test_stopping_and_stopped_need_no_call(status: str, outcome: Status) -> None:
    """An instance that is stopping or stopped is no error and nothing to refuse; stopping is not stopped."""
    decision = decided(instance(Status=status), REQUEST, SETTINGS, LocalDisks.NO)
    assert isinstance(decision, Settled)
    assert (decision.status, decision.code) == (outcome, None)


@pytest.mark.parametrize(
    ("status", "outcome"),
    [("Starting", Status.FAILED), ("Pending", Status.FAILED), ("Deleted", Status.REFUSED)],
)
def test_other_statuses_are_never_stopped(status: str, outcome: Status) -> None:
    """A passing status fails, so that it is tried again; one that nobody foresaw is refused."""
    decision = decided(instance(Status=status), REQUEST, SETTINGS, LocalDisks.NO)
    assert isinstance(decision, Settled)
    assert (decision.status, decision.code) == (outcome, "IncorrectInstanceStatus")


@pytest.mark.parametrize(
    ("required", "carried", "stopped"),
    [
        ("auto-stop=true", ("auto-stop", "true"), True),
        ("auto-stop=true", ("auto-stop", "True"), False),
        ("auto-stop", ("auto-stop", "whatever"), True),
        ("auto-stop", ("auto-stop-not", "true"), False),
        ("auto-stop=", ("auto-stop", ""), True),
        ("auto-stop=", ("auto-stop", "true"), False),
        ("", ("env", "dev"), True),
    ],
)
def test_required_tag(required: str, carried: tuple[str, str], *, stopped: bool) -> None:
    """REQUIRED_TAG matches a key, or a key and its value exactly; empty, there is no such rule."""
    assert (code(instance(Tags=tags(carried)), REQUIRED_TAG=required) is Stop) == stopped


@pytest.mark.parametrize(
    ("value", "until"),
    [
        ("2026-01-15T20:00:00+08:00", datetime(2026, 1, 15, 12, tzinfo=UTC)),
        ("2026-01-15T20:00Z", datetime(2026, 1, 15, 20, tzinfo=UTC)),
        (" 2026-01-15 20:00 ", datetime(2026, 1, 16, 8, tzinfo=UTC)),
        ("2026-01-15", datetime(2026, 1, 16, 12, tzinfo=UTC)),
        ("20260115", datetime(2026, 1, 16, 12, tzinfo=UTC)),
        ("2026-W03", None),
        ("2026-02-30", None),
        ("9999-12-31", None),
        ("tomorrow", None),
        ("2026-01-31-05:00", None),
        ("20260131-0500", None),
        ("2026-01-31/02", None),
        ("2026-01-31x20:00", None),
        ("", None),
    ],
)
def test_keep_until(value: str, until: datetime | None) -> None:
    """Without an offset a time is taken at UTC-12, a date to its end there; the unreadable gives no time."""
    assert keep_until(value) == until


@given(st.text())
def test_an_unreadable_keep_until_keeps_running(value: str) -> None:
    """Whatever somebody writes into the tag, it is read as a time or keeps the instance running."""
    seen = instance(Tags=tags(("auto-stop", "true"), ("keep-running-until", value)))
    until = keep_until(value)
    assert (code(seen) is Stop) == (until is not None and until <= NOW)


def test_a_message_names_the_tag_as_the_settings_do() -> None:
    """By key and value, or by its key where any value does."""
    seen = instance(Tags=tags(("auto-stop", "no"), ("mine", "yes")))
    for settings, tag in (
        ({}, "auto-stop=true"),
        ({"REQUIRED_TAG": "team"}, "team"),
        ({"REQUIRED_TAG": "", "PROTECTED_TAG": "mine"}, "mine"),
        ({"REQUIRED_TAG": "", "PROTECTED_TAG": "mine=yes"}, "mine=yes"),
    ):
        found = decided(seen, REQUEST, Settings.from_environment(settings), LocalDisks.NO)
        assert isinstance(found, Settled)
        assert f" tag {tag}; " in found.message


def test_it_is_kept_until_that_very_moment() -> None:
    """Then its time is over; a second before it is not."""
    for seconds, expected in ((0, Stop), (1, "Guard.KeepRunningUntil")):
        until = (NOW + timedelta(seconds=seconds)).isoformat()
        seen = instance(Tags=tags(("auto-stop", "true"), ("keep-running-until", until)))
        assert code(seen) == expected


@given(st.datetimes(datetime(2025, 1, 1), datetime(2027, 1, 1)), st.integers(-12 * 60, 14 * 60))  # noqa: DTZ001 - the zone is the next argument
def test_without_an_offset_it_is_never_earlier(moment: datetime, offset_minutes: int) -> None:
    """Leaving the offset out never lets an instance be stopped earlier than any offset would."""
    sign, (hours, minutes) = "-" if offset_minutes < 0 else "+", divmod(abs(offset_minutes), 60)
    bare = keep_until(moment.isoformat())
    with_offset = keep_until(f"{moment.isoformat()}{sign}{hours:02}:{minutes:02}")
    assert bare is not None
    assert with_offset is not None
    assert bare >= with_offset


def test_uptime_that_ecs_does_not_tell_is_too_short() -> None:
    """With MIN_UPTIME_MINUTES, an instance whose start is unknown is left alone; without, it is stopped."""
    assert code(instance(StartTime="soon"), MIN_UPTIME_MINUTES="5") == "Guard.MinUptime"
    assert code(instance(StartTime="soon")) is Stop
    assert instance(StartTime="0001-01-01T00:00+08:00").start_time is None  # no time of UTC's calendar
    assert code(instance(StartTime="2026-01-15T19:55Z"), MIN_UPTIME_MINUTES="5") is Stop


@pytest.mark.parametrize("disks", list(LocalDisks))
@pytest.mark.parametrize("consent", [True, False])
def test_local_disks_need_consent(disks: LocalDisks, *, consent: bool) -> None:
    """With local disks, or perhaps some, only the event's ConfirmStop stops; it is sent only then."""
    decision = decided(instance(), replace(REQUEST, confirm_stop=consent), SETTINGS, disks)
    if disks is LocalDisks.NO or consent:
        assert isinstance(decision, Stop)
        assert decision.call.confirm_stop == (disks is not LocalDisks.NO)
    else:
        assert isinstance(decision, Settled)
        assert decision.code == "InstanceType.ParameterMismatch"


@pytest.mark.parametrize(
    ("fields", "disks"),
    [
        ({"InstanceChargeType": "PrePaid"}, LocalDisks.NO),
        ({"InstanceNetworkType": "classic"}, LocalDisks.NO),
        ({"InstanceType": "ecs.re6p-redis.large"}, LocalDisks.NO),
        ({}, LocalDisks.YES),
        ({}, LocalDisks.UNKNOWN),
    ],
)
def test_stop_charging_is_not_sent_where_it_cannot_apply(
    fields: dict[str, object], disks: LocalDisks
) -> None:
    """What ECS would reject is foreseen: KeepCharging is sent, and a warning carries ECS's code."""
    request = replace(REQUEST, stopped_mode=StoppedMode.STOP_CHARGING, confirm_stop=True)
    decision = decided(instance(**fields), request, SETTINGS, disks)
    assert isinstance(decision, Stop)
    assert decision.call.stopped_mode is StoppedMode.KEEP_CHARGING
    assert decision.warnings[0].startswith("InvalidInstanceId.NotSupport: ")


@pytest.mark.parametrize("fields", [{}, {"SpotStrategy": "SpotAsPriceGo"}])
def test_stop_charging_is_sent_where_it_can_apply(fields: dict[str, object]) -> None:
    """A pay-as-you-go instance in a VPC, preemptible or not, is asked to stop charging."""
    settings = Settings.from_environment({"STOPPED_MODE": "StopCharging"})
    decision = decided(instance(**fields), REQUEST, settings, LocalDisks.NO)
    assert isinstance(decision, Stop)
    assert (decision.call.stopped_mode, decision.warnings) == (StoppedMode.STOP_CHARGING, ())


REQUESTS = st.builds(
    replace,
    st.just(REQUEST),
    stopped_mode=st.sampled_from([None, *StoppedMode]),
    confirm_stop=st.booleans(),
    force_stop=st.booleans(),
    dry_run=st.booleans(),
)


@given(REQUESTS, st.sampled_from(LocalDisks), st.sampled_from(["true", "false"]))
def test_the_call_is_what_was_asked(request: StopRequest, disks: LocalDisks, dry_run: str) -> None:
    """Nothing but the event turns on ConfirmStop and ForceStop; a dry run is one if either side says so."""
    decision = decided(instance(), request, Settings.from_environment({"DRY_RUN": dry_run}), disks)
    if isinstance(decision, Stop):
        call, may_have_disks = decision.call, disks is not LocalDisks.NO
        assert call.instance_id == "i-1"
        assert call.force_stop == request.force_stop
        assert call.dry_run == (request.dry_run or dry_run == "true")
        assert call.confirm_stop == (request.confirm_stop and may_have_disks)
        wanted = request.stopped_mode or StoppedMode.KEEP_CHARGING
        assert call.stopped_mode is (StoppedMode.KEEP_CHARGING if may_have_disks else wanted)


@pytest.mark.parametrize(
    ("carried", "expected"),
    [
        ((("env", "dev"), ("team", "a")), Stop),
        ((("env", "prod"), ("team", "a")), "Guard.NotSelected"),
        ((("env", "dev"),), "Guard.NotSelected"),
    ],
)
def test_the_selection_is_part_of_every_decision(
    carried: tuple[tuple[str, str], ...], expected: object
) -> None:
    """All tags by which the event selects have to be there, whenever it is looked at."""
    request = replace(REQUEST, instance_ids=(), selection=SELECTED)
    assert code(instance(Tags=tags(("auto-stop", "true"), *carried)), request) == expected
    assert code(instance(Tags=tags(("auto-stop", "true"), *carried)), REQUEST) == Stop


EVENING = NOW.replace(second=42)


@pytest.mark.parametrize(
    ("start", "expected"),
    [
        ("2026-01-15T19:59Z", Stop),
        ("2026-01-15T20:00Z", "Guard.StartedSince"),
        ("2026-01-15T20:02Z", "Guard.StartedSince"),
        ("soon", Stop),
    ],
)
def test_what_somebody_started_since_the_event_is_left_alone(start: str, expected: object) -> None:
    """ECS tells the start to the minute; in the event's own minute the machine keeps running."""
    assert code(instance(StartTime=start), replace(REQUEST, time=EVENING)) == expected


def test_a_start_at_the_very_moment_of_its_event_is_not_since() -> None:
    """An event that tells of a start is of that moment or later: who wants such machines stopped has it."""
    request = replace(REQUEST, time=NOW, system_event="Instance:StateChange", tells_of_start=True)
    for start, expected in (("2026-01-15T20:00Z", Stop), ("2026-01-15T20:01Z", "Guard.StartedSince")):
        assert code(instance(StartTime=start), request, SYSTEM_EVENTS="*") == expected


@pytest.mark.parametrize("network", ["classic", "zone", "", None])
def test_stop_charging_is_for_a_vpc(network: str | None) -> None:
    """Of a network that is none, or not told, it is not promised."""
    request = replace(REQUEST, stopped_mode=StoppedMode.STOP_CHARGING)
    found = decided(instance(InstanceNetworkType=network), request, SETTINGS, LocalDisks.NO)
    assert isinstance(found, Stop)
    assert found.call.stopped_mode is StoppedMode.KEEP_CHARGING
    assert "classic network" in found.warnings[0]


def test_an_event_that_tells_of_the_start_comes_after_it() -> None:
    """So machines can be stopped that are started at night, even within the minute."""
    request = replace(REQUEST, time=EVENING, system_event="Instance:StateChange", tells_of_start=True)
    name = "Instance:StateChange"
    assert code(instance(StartTime="2026-01-15T20:00Z"), request, SYSTEM_EVENTS=name) == Stop
    assert code(instance(StartTime="2026-01-15T20:01Z"), request, SYSTEM_EVENTS=name) == "Guard.StartedSince"


@pytest.mark.parametrize(("start", "expected"), [("2026-01-15T08:00Z", None), ("2026-01-15T20:00Z", True)])
def test_without_a_time_another_start_is_one_since(start: str, *, expected: bool | None) -> None:
    """An event without a time can be held against what its run saw first, and against nothing else."""
    job = admit(REQUEST, SETTINGS, Scope(region_id="cn-hangzhou"), NOW)
    assert isinstance(job, Job)
    decision = decide(instance(StartTime=start), job, SETTINGS, NOW, LocalDisks.NO, seen_first=instance())
    refused = isinstance(decision, Settled) and decision.code == "Guard.StartedSince"
    assert refused == bool(expected)
    assert code(instance(StartTime=start)) == Stop
