"""One instance's state machine without a run around it: it does what the tables in its `state` module say."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

import pytest

from function.guard.event import admit
from function.guard.instance import Stop, decide
from function.model.errors import ClientCode, CloudError
from function.model.instance import Instance, LocalDisks
from function.model.outcome import Outcome, Settled
from function.model.ports import STOP_INSTANCE, Unfinished
from function.model.request import Job, Source, StoppedMode, StopRequest
from function.model.scope import Scope
from function.settings import Settings
from function.stopping import state
from function.stopping.operation import FRESH_SECONDS, POLL_SECONDS, Operation
from function.stopping.throttle import MAX_TRIES, Throttle
from local.emulator.clock import VirtualClock
from tests.stage import NOW

VERIFY_SECONDS = 20
SCOPE = Scope(region_id="cn-hangzhou", account_id="1234567890123456")
ACCEPTED = "R-1"
TRANSIENT = CloudError("InternalError", "later")
NO_ANSWER = CloudError(ClientCode.NO_ANSWER, "none came")
UNLISTED = CloudError("SomethingNew", "what is it?")
DENIED = CloudError("Forbidden.RAM", "no")
NOT_AS_SEEN = CloudError("IncorrectInstanceStatus", "not now")
NOT_ECONOMICAL = CloudError("InvalidInstanceId.NotSupport", "not so")


def instance(status: str, *tags: tuple[str, str], start: str = "19:00") -> Instance:
    """Make an instance that the guard lets be stopped if it is Running."""
    carried = [{"TagKey": key, "TagValue": value} for key, value in (("auto-stop", "true"), *tags)]
    return Instance.model_validate(
        {
            "InstanceId": "i-1",
            "RegionId": "cn-hangzhou",
            "Status": status,
            "InstanceChargeType": "PostPaid",
            "InstanceNetworkType": "vpc",
            "LocalStorageAmount": 0,
            "StartTime": f"2026-01-15T{start}Z",
            "Tags": {"Tag": carried},
        }
    )


RUNNING, STOPPING, STOPPED = map(instance, ("Running", "Stopping", "Stopped"))
PROTECTED = instance("Running", ("stop-guard", "protected"))
STARTED_SINCE = instance("Running", start="20:01")


@dataclass(frozen=True)
class Bench:
    """An operation and its throttle, driven by hand."""

    clock: VirtualClock
    throttle: Throttle
    operation: Operation

    def answer(self, result: str | CloudError | Unfinished) -> Outcome | None:
        """Let its stop call go out and come to this."""
        if not isinstance(result, Unfinished):
            self.operation.sent(self.clock.monotonic())
        if isinstance(result, CloudError):
            self.throttle.answered(STOP_INSTANCE, SCOPE, result)
        return self.operation.answered(STOP_INSTANCE, result, self.throttle)

    def look(self, seen: Instance | None) -> Outcome | None:
        """Let a look show this."""
        return self.operation.seen(seen, self.clock.monotonic(), self.throttle)

    def fail(self, error: CloudError) -> Outcome | None:
        """Let a look fail."""
        return self.operation.not_seen(error, self.throttle)

    def give_up(self) -> Outcome:
        """Let time be up."""
        return self.operation.given_up(self.clock.monotonic())

    def wait(self) -> None:
        """Let time pass until the next step is due."""
        self.clock.seconds = max(self.clock.seconds, self.operation.due)


def ready(*, dry_run: bool = False, verify_seconds: int = VERIFY_SECONDS) -> Bench:
    """Make an operation whose stop is allowed, with StopCharging."""
    settings = Settings.from_environment({"VERIFY_SECONDS": str(verify_seconds)})
    request = StopRequest(source=Source.TIMER, event_id="e", instance_ids=("i-1",), dry_run=dry_run)
    job = admit(replace(request, stopped_mode=StoppedMode.STOP_CHARGING), settings, SCOPE, NOW)
    assert isinstance(job, Job)

    def judge(seen: Instance, of: Job, at: datetime, first: Instance) -> Stop | Settled:
        return decide(seen, of, settings, at, LocalDisks.NO, seen_first=first)

    stop = judge(RUNNING, job, NOW, RUNNING)
    assert isinstance(stop, Stop)
    clock = VirtualClock(NOW)
    operation = Operation(
        scope=SCOPE,
        job=job,
        instance=RUNNING,
        seen_first=RUNNING,
        seen_at=0.0,
        stop=stop,
        decide=judge,
        verify_seconds=verify_seconds,
        confirms=verify_seconds > 0 and not dry_run,
    )
    return Bench(clock, Throttle(clock, 0.5, deadline=1_000.0), operation)


def refuse_with_others(bench: Bench) -> None:
    """Let it be in a StopInstances that is refused as a whole."""
    bench.operation.sent(0.0)
    bench.operation.split_off(DENIED, 0.0)


ANSWERS: dict[str, tuple[Callable[[], Bench], Callable[[Bench], Outcome | None]]] = {
    "accepted": (ready, lambda bench: bench.answer(ACCEPTED)),
    "accepted, not verified": (lambda: ready(verify_seconds=0), lambda bench: bench.answer(ACCEPTED)),
    "accepted, of a dry run": (lambda: ready(dry_run=True), lambda bench: bench.answer(ACCEPTED)),
    "dry run passed": (
        lambda: ready(dry_run=True),
        lambda bench: bench.answer(CloudError("DryRunOperation", "it would")),
    ),
    "not started": (ready, lambda bench: bench.answer(Unfinished.NOT_STARTED)),
    "throttled": (ready, lambda bench: bench.answer(CloudError("Throttling", "slow down"))),
    "not economical": (ready, lambda bench: bench.answer(NOT_ECONOMICAL)),
    "not as it was seen": (ready, lambda bench: bench.answer(NOT_AS_SEEN)),
    "no connection": (
        ready,
        lambda bench: bench.answer(CloudError(ClientCode.NO_CONNECTION, "refused")),
    ),
    "transient error": (ready, lambda bench: bench.answer(TRANSIENT)),
    "no answer": (ready, lambda bench: bench.answer(NO_ANSWER)),
    "refused": (ready, lambda bench: bench.answer(CloudError("InstanceLockedForSecurity", "no"))),
    "denied": (ready, lambda bench: bench.answer(DENIED)),
    "unlisted code": (ready, lambda bench: bench.answer(UNLISTED)),
    "refused with others": (ready, refuse_with_others),
}
LOOKS: dict[str, Callable[[Bench], Outcome | None]] = {
    "Stopped": lambda bench: bench.look(STOPPED),
    "Stopping": lambda bench: bench.look(STOPPING),
    "Running": lambda bench: bench.look(RUNNING),
    "started since": lambda bench: bench.look(STARTED_SINCE),
    "last try used": lambda bench: bench.look(RUNNING),
    "forbidden": lambda bench: bench.look(PROTECTED),
    "no instance": lambda bench: bench.look(None),
    "not started": lambda bench: bench.operation.not_looked_at(bench.throttle),
    "transient error": lambda bench: bench.fail(TRANSIENT),
    "other error": lambda bench: bench.fail(DENIED),
    "time is up": Bench.give_up,
}
COLUMNS = ("Looking", "Looking in doubt", "Verifying", "Watching", "Settling")


def reach(column: str, row: str = "") -> Bench:
    """Bring an operation into the state of a column, for a row."""
    bench = ready()
    error = TRANSIENT if column == "Looking in doubt" else NOT_AS_SEEN
    match column:
        case "Verifying":
            bench.answer(ACCEPTED)
            if row == "started since":
                bench.look(STOPPING)
        case "Watching":
            bench.operation.watch(bench.throttle)
        case "Settling":
            bench.answer(UNLISTED)
        case _ if row == "last try used":
            for _ in range(MAX_TRIES - 1):
                bench.answer(error)
                bench.wait()
                bench.look(RUNNING)
                bench.wait()
            bench.answer(error)
            bench.wait()
        case "Looking":
            bench.answer(Unfinished.NOT_STARTED)
        case _:
            bench.answer(error)
    return bench


def state_of(bench: Bench, outcome: Outcome | None) -> str:
    """Name the state or the outcome as the tables do."""
    return f'"{outcome.status}"' if outcome else type(bench.operation.state).__name__


def table(title: str) -> dict[str, list[str]]:
    """Read a table of the documentation: the cells of each row by its name."""
    lines = str(state.__doc__).split(f"{title}:\n\n", 1)[1].split("\n\n", 1)[0].splitlines()
    rows = [re.split(r" {2,}", line.strip()) for line in lines]
    return {name: cells for name, *cells in rows}


def test_the_tables_have_these_rows() -> None:
    """What is walked here is all that is documented."""
    assert list(table("What comes of the stop call, in Ready")) == list(ANSWERS)
    (head, *rows) = table("What comes of a look").items()
    assert (head[0], *head[1]) == COLUMNS
    assert [name for name, _ in rows] == list(LOOKS)


@pytest.mark.parametrize("row", ANSWERS)
def test_what_comes_of_the_stop_call(row: str) -> None:
    """Each answer leads where the table says, and leaves a doubt where it says so, else none."""
    (cell,) = table("What comes of the stop call, in Ready")[row]
    expected, *more = cell.split(", ")
    make, answer = ANSWERS[row]
    bench = make()
    outcome = answer(bench)
    found = state_of(bench, outcome)
    assert found == expected.split(" ")[0]
    if outcome is None and found != "Verifying":
        assert (bench.give_up().status == "unknown") == ("in doubt" in more)
        now = bench.clock.monotonic()
        assert (bench.operation.due == now) == (
            found == "Looking" and ("now" in more or row == "not started")
        )


@pytest.mark.parametrize("row", LOOKS)
@pytest.mark.parametrize("column", COLUMNS)
def test_what_comes_of_a_look(column: str, row: str) -> None:
    """Each look, or what keeps from one, leads where the table says from each state."""
    cell = table("What comes of a look")[row][COLUMNS.index(column)]
    bench = reach(column, row)
    assert type(bench.operation.state).__name__ == column.split(" ", maxsplit=1)[0]
    assert state_of(bench, LOOKS[row](bench)) == cell.split(",")[0]


@pytest.mark.parametrize(
    "row", ["Stopping", "Running", "forbidden", "no instance", "not started", "transient error"]
)
@pytest.mark.parametrize("column", ["Verifying", "Watching"])
def test_verification_ends_with_its_time(column: str, row: str) -> None:
    """Whatever is seen but Stopped, or not seen: after VERIFY_SECONDS it is stopping, and not before."""
    bench = reach(column)
    while bench.clock.seconds < VERIFY_SECONDS:
        assert LOOKS[row](bench) is None
        bench.clock.seconds = min(VERIFY_SECONDS, max(bench.operation.due, bench.clock.seconds + 1))
    assert state_of(bench, LOOKS[row](bench)) == '"stopping"'


@pytest.mark.parametrize("status", ["Running", "Starting"])
@pytest.mark.parametrize("column", ["Verifying", "Watching"])
def test_what_somebody_has_started_again_is_not_stopping(column: str, status: str) -> None:
    """Seen Stopping and then running by a new start, it is left alone at once, and why is said."""
    bench = reach(column)
    assert bench.look(STOPPING) is None
    outcome = bench.look(instance(status, start="20:01"))
    assert outcome is not None
    assert (outcome.status, outcome.code) == ("refused", "Guard.StartedSince")
    assert "2026-01-15T20:01:00+00:00" in outcome.message


@pytest.mark.parametrize(("error", "status"), [(TRANSIENT, "refused"), (NO_ANSWER, "unknown")])
def test_what_got_no_answer_may_yet_stop_what_was_started_again(error: CloudError, status: str) -> None:
    """A refusal says that nothing changed, or will: only where each call was answered."""
    bench = ready()
    bench.answer(error)
    bench.wait()
    assert bench.look(STOPPING) is None
    outcome = bench.look(STARTED_SINCE)
    assert outcome is not None
    assert (outcome.status, outcome.attempts) == (status, 1)


@pytest.mark.parametrize(
    "seen",
    [[STARTED_SINCE], [RUNNING, STARTED_SINCE], [STOPPING, RUNNING], [STOPPING, instance("Starting")]],
    ids=["not seen stopping", "nor later", "the start of before", "or still so"],
)
def test_an_old_picture_ends_no_verification(seen: list[Instance]) -> None:
    """What may be an old picture, or another stop than this one, is verified on, to the end of its time."""
    bench = reach("Verifying")
    assert [bench.look(each) for each in seen] == [None] * len(seen)
    assert state_of(bench, bench.look(STOPPED)) == '"stopped"'


@pytest.mark.parametrize("error", [NOT_ECONOMICAL, NOT_AS_SEEN])
def test_a_stop_of_somebody_else_is_not_ours_where_nothing_is_verified(error: CloudError) -> None:
    """Asked in vain, and then seen Stopping: the run expects no mode of a stop that is none of its own."""
    bench = ready(verify_seconds=0)
    bench.answer(error)
    bench.wait()
    outcome = bench.look(STOPPING)
    assert outcome is not None
    assert (outcome.status, outcome.attempts) == ("stopping", 1)
    assert (outcome.stopped_mode.expected, outcome.warnings) == (None, ())


@pytest.mark.parametrize(("error", "status"), [(UNLISTED, "failed"), (NO_ANSWER, "unknown")])
def test_a_doubt_ends_with_its_time(error: CloudError, status: str) -> None:
    """Looks have as long to show what a call did as a stop has; only no answer leaves it unknown then."""
    bench = ready()
    bench.answer(error)
    outcome = None
    while outcome is None:
        bench.wait()
        outcome = bench.look(PROTECTED if error is NO_ANSWER else RUNNING)
    assert (outcome.status, bench.clock.seconds) == (status, VERIFY_SECONDS)


def test_a_doubt_needs_a_look() -> None:
    """Its time alone settles nothing: without a look after the call it stays unknown."""
    bench = reach("Settling")
    bench.clock.seconds = VERIFY_SECONDS + 1
    assert bench.give_up().status == "unknown"
    bench = reach("Settling")
    bench.clock.seconds = VERIFY_SECONDS - 1
    bench.look(RUNNING)
    bench.clock.seconds = VERIFY_SECONDS + 1
    assert bench.give_up().status == "failed"


@pytest.mark.parametrize(("column", "expected"), [("Looking", "failed"), ("Settling", "unknown")])
def test_looks_that_fail_are_not_taken_for_ever(column: str, expected: str) -> None:
    """After as many as may fail it is settled without one; one that shows something starts the count anew."""
    bench = reach(column)
    for _ in range(MAX_TRIES - 1):
        assert bench.fail(TRANSIENT) is None
    if column == "Settling":
        assert bench.look(RUNNING) is None
        assert [bench.fail(TRANSIENT) for _ in range(MAX_TRIES - 1)] == [None] * (MAX_TRIES - 1)
    outcome = bench.fail(TRANSIENT)
    assert outcome is not None
    assert outcome.status == expected


def test_looks_go_on_while_a_call_in_doubt_waits_for_its_window() -> None:
    """What it has done is to be seen within seconds, however long the next call has to wait; else none."""
    throttled = CloudError("Throttling.User", "slow down", retry_after=60)
    bench = reach("Looking in doubt")
    while state_of(bench, None) != "Ready":
        bench.wait()
        assert bench.look(RUNNING) is None
    bench.wait()
    bench.answer(throttled)
    assert bench.operation.due - bench.clock.seconds == POLL_SECONDS[-1]
    bench = ready()
    bench.answer(throttled)
    assert bench.operation.due >= 60


def test_a_stop_of_somebody_else_is_not_told_as_ours() -> None:
    """Seen stopping after a call that did nothing, no mode is expected of it, and it says whose it is."""
    theirs, ours = reach("Watching"), reach("Verifying")
    assert theirs.operation.stop is not None
    for bench, mode, words in ((theirs, None, ", not by this run"), (ours, StoppedMode.STOP_CHARGING, "")):
        outcome = bench.give_up()
        assert (outcome.status, outcome.stopped_mode.expected) == ("stopping", mode)
        assert outcome.message.endswith(f"; stopping since 2026-01-15T20:00:00+00:00{words}")


def test_it_is_asked_again_after_the_wait() -> None:
    """After a transient error looks go on, and the last of them makes it Ready."""
    bench = reach("Looking in doubt")
    assert bench.look(RUNNING) is None
    bench.wait()
    assert bench.clock.seconds > 0
    assert state_of(bench, bench.look(RUNNING)) == "Ready"
    assert bench.operation.due <= bench.clock.seconds


@pytest.mark.parametrize("column", ["Verifying", "Watching"])
def test_what_is_stopping_is_looked_at_often_at_first(column: str) -> None:
    """One second after ECS has accepted, or after it was seen, then 2, 3 and each 5 s, to the very end."""
    bench = reach(column)
    moments = []
    while bench.clock.seconds < VERIFY_SECONDS:
        bench.wait()
        moments.append(bench.clock.seconds)
        bench.look(STOPPING)
    assert moments == [1, 3, 6, 11, 16, VERIFY_SECONDS]


@pytest.mark.parametrize(
    ("seconds", "why"),
    [(VERIFY_SECONDS, "within VERIFY_SECONDS"), (VERIFY_SECONDS - 1, "before the run's time was up")],
)
def test_what_is_not_confirmed_says_whose_time_was_over(seconds: float, why: str) -> None:
    """Its own, or the whole run's: what to change is another thing."""
    bench = reach("Verifying")
    bench.clock.seconds = seconds
    assert bench.give_up().message.startswith(f"not confirmed {why}; ")


def test_a_look_is_good_for_a_while() -> None:
    """Each look counts for so many seconds from its own moment."""
    bench = reach("Looking")
    assert bench.operation.good_until == FRESH_SECONDS == 30
    bench.clock.seconds = 7.0
    bench.look(RUNNING)
    assert bench.operation.good_until == 7.0 + FRESH_SECONDS


def test_keep_charging_takes_the_place_of_stop_charging() -> None:
    """Once ECS has refused StopCharging, KeepCharging is asked for, with a warning; its answer counts."""
    bench = ready()
    bench.answer(NOT_ECONOMICAL)
    bench.look(RUNNING)
    assert bench.operation.call.stopped_mode is StoppedMode.KEEP_CHARGING
    assert bench.operation.stop is not None
    assert "InvalidInstanceId.NotSupport" in bench.operation.stop.warnings[0]
    assert state_of(bench, bench.answer(NOT_ECONOMICAL)) == '"refused"'


def test_what_was_refused_with_others_goes_alone() -> None:
    """From then on it is in no StopInstances any more."""
    bench = ready()
    assert not bench.operation.alone
    refuse_with_others(bench)
    assert bench.operation.alone


@pytest.mark.parametrize(
    ("error", "least", "most"), [("OperationConflict", 150, 260), ("InternalError", 8, 60)]
)
def test_a_conflict_is_waited_out_longer_than_other_trouble(error: str, least: float, most: float) -> None:
    """Another operation on the instance may take minutes, so it is asked again for some 200 s."""
    bench = ready()
    outcome, asked = None, 0
    while outcome is None:
        bench.wait()
        if state_of(bench, None) == "Ready":
            asked = int(bench.clock.seconds)
            outcome = bench.answer(CloudError(error, "another operation is under way"))
        else:
            outcome = bench.look(RUNNING)
    assert (outcome.status, outcome.code) == ("failed", error)
    assert least <= asked <= most
