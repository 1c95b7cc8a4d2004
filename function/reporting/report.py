"""A whole run as one `Report`."""

from collections import Counter
from datetime import datetime

from function.model.charging import goes_on_charging
from function.model.frozen import frozen
from function.model.outcome import INVALID_EVENT, Dispatch, Outcome, Refusal, RegionError, Status
from function.model.request import Source


@frozen(kw_only=True)
class Report:
    """A whole run. `source` and `event_id` are the first event's.

    `time`: when it began, before anything was looked at. `account_id`: the function's own. `region_ids`:
    where instances were looked for.
    """

    request_id: str
    time: datetime
    account_id: str | None = None
    region_ids: tuple[str, ...] = ()
    source: Source | None
    event_id: str | None
    dry_run: bool
    outcomes: tuple[Outcome, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    region_errors: tuple[RegionError, ...] = ()
    handed_on: tuple[Dispatch, ...] = ()

    @property
    def summary(self) -> dict[str, int]:
        """Count the outcomes: the total, then each status that occurs."""
        counts = Counter(outcome.status for outcome in self.outcomes)
        return {"total": len(self.outcomes)} | {str(s): counts[s] for s in Status if counts[s]}

    @property
    def still_charged(self) -> int:
        """Count what goes on being charged of all that this run stopped, is stopping or would stop."""
        return sum(
            outcome.attempts > 0
            and outcome.status is not Status.ALREADY_STOPPED
            and goes_on_charging(outcome)
            for outcome in self.outcomes
        )

    @property
    def left(self) -> tuple[Outcome, ...]:
        """Give the outcomes that leave something to do."""
        return tuple(outcome for outcome in self.outcomes if outcome.left)

    @property
    def invalid(self) -> tuple[Refusal, ...]:
        """Give the events that could not be understood."""
        return tuple(refusal for refusal in self.refusals if refusal.code == INVALID_EVENT)

    @property
    def complete(self) -> bool:
        """Whether nothing is left; refusals are complete too."""
        return not self.left and not self.region_errors
