"""A whole run as one `Report`, and everything that happened as JSON has it."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from function.model.outcome import INVALID_EVENT, Dispatch, Outcome, Refusal, RegionError, Status, utc
from function.model.request import Source


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A whole run. `source` and `event_id` are the first event's."""

    request_id: str
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
    def left(self) -> tuple[Outcome, ...]:
        """Give the outcomes that leave something to do."""
        return tuple(outcome for outcome in self.outcomes if outcome.status.left)

    @property
    def invalid(self) -> tuple[Refusal, ...]:
        """Give the events that could not be understood."""
        return tuple(refusal for refusal in self.refusals if refusal.code == INVALID_EVENT)

    @property
    def complete(self) -> bool:
        """Whether nothing is left; refusals are complete too."""
        return not self.left and not self.region_errors

    def as_dict(self) -> dict[str, object]:
        """Give the report as JSON has it."""
        return {
            "request_id": self.request_id,
            "source": self.source,
            "event_id": self.event_id,
            "dry_run": self.dry_run,
            "summary": self.summary,
            "outcomes": [outcome_fields(outcome) for outcome in self.outcomes],
            "refusals": [refusal_fields(refusal) for refusal in self.refusals],
            "region_errors": [region_error_fields(error) for error in self.region_errors],
            "handed_on": [handed_on_fields(shard) for shard in self.handed_on],
        }


def _time(moment: datetime | None) -> str | None:
    return utc(moment) if moment else None


def outcome_fields(outcome: Outcome) -> dict[str, object]:
    """Give an outcome as JSON has it, in the report and in its log line."""
    instance = outcome.instance
    return {
        "instance_id": outcome.instance_id,
        "region_id": outcome.scope.region_id,
        "account_id": outcome.scope.account_id,
        "status": outcome.status,
        "code": outcome.code,
        "message": outcome.message,
        "ecs_request_id": outcome.ecs_request_id,
        "stopped_mode": {
            "requested": outcome.stopped_mode.requested,
            "expected": outcome.stopped_mode.expected,
            "actual": outcome.stopped_mode.actual,
        },
        "previous_status": outcome.previous_status,
        "attempts": outcome.attempts,
        "duration_ms": outcome.duration_ms,
        "warnings": list(outcome.warnings),
        "instance_type": instance.instance_type if instance else None,
        "cpu": instance.cpu if instance else None,
        "start_time": _time(instance.start_time) if instance else None,
        "charging_suspended_since": _time(outcome.charging_suspended_since),
        "tags": {tag.key: tag.value for tag in instance.tags} if instance else {},
        "source": outcome.source,
        "event_id": outcome.event_id,
    }


def refusal_fields(refusal: Refusal) -> dict[str, object]:
    """Give a refusal as JSON has it."""
    return {
        "event_id": refusal.event_id,
        "code": refusal.code,
        "message": refusal.message,
        "instance_ids": list(refusal.instance_ids),
        "source": refusal.source,
    }


def region_error_fields(error: RegionError) -> dict[str, object]:
    """Give a region error as JSON has it."""
    return {
        "region_id": error.scope.region_id,
        "account_id": error.scope.account_id,
        "code": error.code,
        "message": error.message,
        "source": error.source,
        "event_id": error.event_id,
    }


def handed_on_fields(shard: Dispatch) -> dict[str, object]:
    """Give what was handed on as JSON has it."""
    return {
        "region_id": shard.scope.region_id,
        "account_id": shard.scope.account_id,
        "message": "handed on to another invocation, which reports on them",
        "instance_ids": list(shard.instance_ids),
        "shard_event_id": shard.shard_event_id,
        "shard_request_id": shard.shard_request_id,
        "source": shard.source,
        "event_id": shard.event_id,
    }
