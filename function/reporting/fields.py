"""What a run came to, as JSON has it: in the report, and in the log lines."""

from datetime import datetime

from function.model.outcome import Acceptance, Dispatch, Outcome, Refusal, RegionError, Result, utc
from function.reporting.report import Report
from function.reporting.summary import summarize


def report_fields(report: Report) -> dict[str, object]:
    """Give the whole report."""
    return {
        "request_id": report.request_id,
        "time": utc(report.time),
        "account_id": report.account_id,
        "region_ids": list(report.region_ids),
        "source": report.source,
        "event_id": report.event_id,
        "dry_run": report.dry_run,
        "message": summarize(report),
        "summary": report.summary,
        "still_charged": report.still_charged,
        "outcomes": list(map(result_fields, report.outcomes)),
        "handed_on": list(map(result_fields, report.handed_on)),
        "refusals": list(map(result_fields, report.refusals)),
        "region_errors": list(map(result_fields, report.region_errors)),
    }


def result_fields(result: Result) -> dict[str, object]:
    """Give one result."""
    return _own(result) | {"source": result.source, "event_id": result.event_id}


def _own(result: Result) -> dict[str, object]:
    match result:
        case Outcome():
            return _outcome(result)
        case Refusal():
            return {
                "event_id": result.event_id,
                "code": result.code,
                "message": result.message,
                "instance_ids": list(result.instance_ids),
            }
        case RegionError():
            return _scope_fields(result) | {"code": result.code, "message": result.message}
        case Dispatch():
            return _scope_fields(result) | {
                "message": "handed on to another invocation, which reports on them",
                "instance_ids": list(result.instance_ids),
                "shard_event_id": result.shard_event_id,
                "shard_request_id": result.shard_request_id,
            }
        case Acceptance():
            return _scope_fields(result) | {
                "message": "ECS accepted the stop; what becomes of it is told when it is known",
                "accepted": result.instance_id,
                "ecs_request_id": result.ecs_request_id,
            }


def _scope_fields(result: Outcome | RegionError | Dispatch | Acceptance) -> dict[str, object]:
    return {"region_id": result.scope.region_id, "account_id": result.scope.account_id}


def _outcome(outcome: Outcome) -> dict[str, object]:
    instance, mode = outcome.instance, outcome.stopped_mode
    return {
        "instance_id": outcome.instance_id,
        "instance_name": instance.instance_name if instance else None,
        **_scope_fields(outcome),
        "status": outcome.status,
        "code": outcome.code,
        "message": outcome.message,
        "ecs_request_id": outcome.ecs_request_id,
        "stopped_mode": {"requested": mode.requested, "expected": mode.expected, "actual": mode.actual},
        "previous_status": outcome.previous_status,
        "attempts": outcome.attempts,
        "duration_ms": outcome.duration_ms,
        "warnings": list(outcome.warnings),
        "instance_type": instance.instance_type if instance else None,
        "cpu": instance.cpu if instance else None,
        "start_time": _time(instance.start_time) if instance else None,
        "charging_suspended_since": _time(outcome.charging_suspended_since),
        "tags": {tag.key: tag.value for tag in instance.tags} if instance else {},
    }


def _time(moment: datetime | None) -> str | None:
    return utc(moment) if moment else None
