"""The summary that ends a run, which a notice consists of."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from function.model.instance import Instance
from function.model.outcome import GuardCode, Outcome, Refusal, RegionError, Status, StoppedModes
from function.model.request import Source, StoppedMode
from function.model.scope import Scope
from function.reporting.report import Report
from function.reporting.summary import summarize

NOW = datetime(2026, 1, 15, 20, 0, tzinfo=UTC)


def outcome(
    status: Status,
    code: str | None = None,
    *,
    expected: StoppedMode | None = None,
    actual: str | None = None,
    charge_type: str = "PostPaid",
) -> Outcome:
    """Make an outcome."""
    return Outcome(
        source=Source.TIMER,
        event_id="e",
        instance_id="i-1",
        scope=Scope(region_id="cn-hangzhou"),
        status=status,
        code=code,
        message="m",
        attempts=int(expected is not None),
        stopped_mode=StoppedModes(requested=StoppedMode.STOP_CHARGING, expected=expected, actual=actual),
        instance=Instance(
            InstanceId="i-1", RegionId="cn-hangzhou", Status="Stopped", InstanceChargeType=charge_type
        ),
    )


def report(*outcomes: Outcome, refusals: tuple[Refusal, ...] = (), dry_run: bool = False) -> Report:
    """Report a run."""
    return Report(
        request_id="r",
        time=NOW,
        source=None,
        event_id=None,
        dry_run=dry_run,
        outcomes=outcomes,
        refusals=refusals,
    )


def said(*outcomes: Outcome, refusals: tuple[Refusal, ...] = (), dry_run: bool = False) -> str:
    """Say what happened in a run."""
    return summarize(report(*outcomes, refusals=refusals, dry_run=dry_run))


def test_a_run_in_a_sentence() -> None:
    """How many of how many were stopped, and why the others were not, the most frequent reason first."""
    text = said(
        *[outcome(Status.STOPPED)] * 12,
        outcome(Status.REFUSED, "InstanceType.ParameterMismatch"),
        *[outcome(Status.REFUSED, "InstanceLockedForSecurity")] * 2,
    )
    assert text == "Stopped 12 of 15; refused 3: 2 locked for security, 1 local disks"


@pytest.mark.parametrize("status", Status)
def test_every_status_is_told(status: Status) -> None:
    """No outcome is left out of the summary."""
    assert "1 of 1" in said(outcome(status))


@pytest.mark.parametrize("code", GuardCode)
def test_every_code_of_the_guard_has_words(code: GuardCode) -> None:
    """Whoever reads a notice need not know the codes."""
    assert "Guard." not in said(outcome(Status.REFUSED, code))
    assert "Guard." not in said(refusals=(Refusal(source=None, event_id=None, code=code, message="m"),))


def test_a_run_that_found_nothing_says_so() -> None:
    """An empty run is no silence."""
    assert said() == "No instance matched"


KEEP, SAVE = StoppedMode.KEEP_CHARGING, StoppedMode.STOP_CHARGING


@pytest.mark.parametrize(
    ("one", "count"),
    [
        (outcome(Status.STOPPED, expected=KEEP, actual="KeepCharging"), 1),
        (outcome(Status.STOPPED, expected=KEEP, actual="Not-applicable"), 1),
        (outcome(Status.STOPPED, expected=SAVE, actual="KeepCharging"), 1),
        (outcome(Status.STOPPED, expected=SAVE, actual="StopCharging"), 0),
        (outcome(Status.STOPPED, expected=KEEP, actual="StopCharging"), 0),
        (outcome(Status.STOPPING, expected=KEEP), 1),
        (outcome(Status.STOPPING, expected=SAVE), 0),
        (outcome(Status.STOPPED, expected=KEEP, actual="KeepCharging", charge_type="PrePaid"), 0),
        (outcome(Status.ALREADY_STOPPED, actual="KeepCharging"), 0),
        (outcome(Status.ALREADY_STOPPED, expected=KEEP, actual="KeepCharging"), 0),
        (outcome(Status.STOPPING), 0),
        (outcome(Status.STOPPED, actual="KeepCharging"), 0),
        (outcome(Status.REFUSED, "Guard.Protected"), 0),
    ],
)
def test_what_goes_on_being_charged_is_counted_and_said(one: Outcome, count: int) -> None:
    """Pay-as-you-go instances that a call of this run stops, by the mode that ECS shows or is expected to."""
    assert report(one, one).still_charged == 2 * count
    assert ("2 go on being charged" in said(one, one)) == bool(count)
    assert ("1 goes on being charged" in said(one)) == bool(count)


def test_a_plan_says_what_would_go_on_being_charged() -> None:
    """Whoever reads a plan learns that the stop saves nothing before it is done."""
    one = outcome(Status.WOULD_STOP, expected=KEEP)
    assert said(one, dry_run=True) == "Would stop 1 of 1; 1 would go on being charged"


def test_what_was_found_stopped_and_is_charged_is_said() -> None:
    """An instance that somebody shut down is no saving: it is told apart from those that are not charged."""
    charged = outcome(Status.ALREADY_STOPPED, actual="KeepCharging")
    saved = outcome(Status.ALREADY_STOPPED, actual="StopCharging")
    assert said(charged, saved, charged) == "Already stopped 3 of 3: 2 charged all the same"


def test_a_sentence_names_the_first_few_places_and_counts_the_rest() -> None:
    """A role that is missing in two hundred accounts makes one notice that can be read."""
    errors = tuple(
        RegionError(
            source=Source.TIMER,
            event_id="e",
            scope=Scope(region_id="cn-hangzhou", account_id=str(account), role_arn="acs:ram::1:role/x"),
            code="NoPermission",
            message="m",
        )
        for account in range(200)
    )
    text = summarize(replace(report(), region_errors=errors))
    assert text.startswith("Could not list cn-hangzhou of account 0 (NoPermission), ")
    assert text.endswith("of account 4 (NoPermission), and 195 more")
