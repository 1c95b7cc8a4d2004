"""The sentence that ends a run, which a notice consists of."""

import pytest

from function.model.outcome import GuardCode, Outcome, Refusal, Status, StoppedModes
from function.model.request import Source, StoppedMode
from function.model.scope import Scope
from function.reporting.report import Report
from function.reporting.summary import summarize


def outcome(status: Status, code: str | None = None) -> Outcome:
    """Make an outcome."""
    return Outcome(
        source=Source.TIMER,
        event_id="e",
        instance_id="i-1",
        scope=Scope(region_id="cn-hangzhou"),
        status=status,
        code=code,
        message="m",
        stopped_mode=StoppedModes(requested=StoppedMode.KEEP_CHARGING),
    )


def said(*outcomes: Outcome, refusals: tuple[Refusal, ...] = ()) -> str:
    """Say what happened in a run."""
    return summarize(
        Report(
            request_id="r", source=None, event_id=None, dry_run=False, outcomes=outcomes, refusals=refusals
        )
    )


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
    """No outcome is left out of the sentence."""
    assert "1 of 1" in said(outcome(status))


@pytest.mark.parametrize("code", GuardCode)
def test_every_code_of_the_guard_has_words(code: GuardCode) -> None:
    """Whoever reads a notice need not know the codes."""
    assert "Guard." not in said(outcome(Status.REFUSED, code))
    assert "Guard." not in said(refusals=(Refusal(source=None, event_id=None, code=code, message="m"),))


def test_a_run_that_found_nothing_says_so() -> None:
    """An empty run is no silence."""
    assert said() == "No instance matched"
