"""Saved plans: what `invoke --plan --out` writes for a second pair of eyes, and `apply` does, no more."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import NoReturn

from function.model.outcome import Status
from function.model.request import Selection, Source, StoppedMode, StopRequest, Tag
from function.model.scope import ROLE_ARN
from local.command_line.execution import Target
from local.command_line.exit_codes import CommandError
from local.command_line.report_file import outcomes_of
from local.command_line.rows import Line
from local.emulator.json_files import InvalidJson, decode, documents

MAX_AGE = timedelta(days=1)
"""An older plan is refused: what it saw may no longer be so."""

_DIGEST = "digest"
_FILTERS = {
    "ResourceGroupId": "resource_group_id",
    "VpcId": "vpc_id",
    "ZoneId": "zone_id",
    "InstanceName": "instance_name",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedPlan:
    """A plan read back: the requests as they were understood, the outcomes shown, and its report."""

    requests: tuple[StopRequest, ...]
    approved: tuple[Line, ...]
    report: Mapping[str, object]
    time: datetime


def as_saved(
    report: Mapping[str, object], requests: Sequence[StopRequest], target: Target, now: datetime
) -> dict[str, object]:
    """Add to a plan's report what `apply` needs: the event as it was read, and where and when that was."""
    written = [_written(request) for request in requests]
    return sealed(
        {
            **report,
            "time": report.get("time") or now.isoformat(timespec="seconds"),
            "account_id": target.account_id,
            "region_id": target.environment["FC_REGION"],
            "request": written[0] if len(written) == 1 else written,
        }
    )


def sealed(plan: Mapping[str, object]) -> dict[str, object]:
    """Add a plan's digest, by which a later change to it shows: what is carried out is what was looked at.

    It is there for slips, not for forgers: whoever may stop instances can as well write an event.
    """
    own = {name: value for name, value in plan.items() if name != _DIGEST}
    text = json.dumps(own, sort_keys=True)
    return {**own, _DIGEST: hashlib.sha256(text.encode()).hexdigest()}


def would_stop(outcomes: Sequence[Line], requests: Sequence[StopRequest]) -> tuple[Line, ...]:
    """Give the outcomes of the instances that a run of these requests would stop."""
    return tuple(
        line
        for line in outcomes
        if line["status"] == Status.WOULD_STOP and any(_is_of(line, request) for request in requests)
    )


def narrowed(
    requests: Sequence[StopRequest], approved: Sequence[Line], time: datetime
) -> tuple[StopRequest, ...]:
    """Ask for the instances that a plan showed, and no others: in their regions and accounts, by id.

    The selection stays, so that one that no longer matches it is left (`Guard.NotSelected`). `time`: of the
    plan; what somebody started since is not what it showed (`Guard.StartedSince`).
    """
    groups: dict[tuple[int, str, str, StoppedMode], list[str]] = {}
    for line in approved:
        which = next(index for index, request in enumerate(requests) if _is_of(line, request))
        mode = StoppedMode(line["stopped_mode"]["requested"])  # type: ignore[index]  # else TypeError says so
        key = (which, str(line["region_id"]), str(line["account_id"]), mode)
        groups.setdefault(key, []).append(str(line["instance_id"]))
    return tuple(
        replace(
            requests[which],
            time=time,
            instance_ids=tuple(ids),
            region_ids=(region_id,),
            role_arns=tuple(arn for arn in requests[which].role_arns if _leads_to(arn, account_id)),
            stopped_mode=mode,
            dry_run=False,
        )
        for (which, region_id, account_id, mode), ids in groups.items()
    )


def load_plan(path: Path, target: Target, now: datetime) -> SavedPlan:
    """Read a saved plan for this target. Raise CommandError."""
    try:
        report, *more = documents(decode(path.read_bytes()))
    except OSError as error:
        raise CommandError(f"cannot read the plan {str(path)!r}: {error.strerror}") from None
    except InvalidJson as error:
        raise CommandError(f"the plan {str(path)!r} is not JSON: {error}. Nothing was done") from None
    if (
        more
        or not isinstance(report, dict)
        or "request" not in report
        or not isinstance(report.get("outcomes"), list)
    ):
        _refuse(path, "is no plan; `stop-guard invoke EVENT --plan --out plan.json` makes one")
    if report.get("target") != target.name:
        _refuse(path, f"is of the target {report.get('target')!r}, this is {target.name!r}; " + _way(target))
    if report.get("account_id") != target.account_id:
        _refuse(
            path, f"is of account {report.get('account_id')}, these credentials are of {target.account_id}"
        )
    region_id = target.environment["FC_REGION"]
    if report.get("region_id") != region_id:
        _refuse(path, f"is of region {report.get('region_id')}, FC_REGION is {region_id}")
    try:
        time = datetime.fromisoformat(report["time"])
        written = report["request"]
        requests = tuple(map(_read, written if isinstance(written, list) else [written]))
        approved = would_stop(outcomes_of(report), requests)
        narrowed(requests, approved, time)
        stale = now - time > MAX_AGE
    except (ValueError, TypeError, KeyError, StopIteration, AttributeError):
        _refuse(path, "is no plan that this version wrote; make it anew")
    if stale or time - now > timedelta(minutes=5):
        _refuse(path, f"is of {report['time']}; a plan holds for {MAX_AGE.days} day: make it anew")
    if sealed(report) != report:
        _refuse(path, "was changed since it was made: make it anew, from an event that means what you want")
    return SavedPlan(requests=requests, approved=approved, report=report, time=time)


def _way(target: Target) -> str:
    return "leave --live away" if target.live else "add --live"


def _refuse(path: Path, problem: str) -> NoReturn:
    raise CommandError(f"the plan {str(path)!r} {problem}. Nothing was done")


def _leads_to(role_arn: str, account_id: str) -> bool:
    role = ROLE_ARN.fullmatch(role_arn)
    return role is not None and role["account_id"] == account_id


def _is_of(line: Line, request: StopRequest) -> bool:
    """Whether an outcome is of this request: one event may be several, each about other instances."""
    meant = request.selection is not None or line["instance_id"] in request.instance_ids
    here = not request.region_ids or line["region_id"] in request.region_ids
    return (line["source"], line["event_id"]) == (request.source, request.event_id) and meant and here


def _written(request: StopRequest) -> dict[str, object]:
    """Write a request in the API's terms, without what is as ever."""
    selection = request.selection or Selection()
    fields: dict[str, object] = {
        "Source": request.source,
        "EventId": request.event_id,
        "Time": request.time.isoformat() if request.time else None,
        "InstanceIds": request.instance_ids,
        "Tag": [
            {"Key": tag.key} | ({} if tag.value is None else {"Value": tag.value}) for tag in selection.tags
        ],
        **{name: getattr(selection, field) for name, field in _FILTERS.items()},
        "RegionIds": request.region_ids,
        "RoleArns": request.role_arns,
        "StoppedMode": request.stopped_mode,
        "ConfirmStop": request.confirm_stop,
        "ForceStop": request.force_stop,
        "DryRun": request.dry_run,
    }
    return {name: value for name, value in fields.items() if value}


def _read(written: Mapping[str, object]) -> StopRequest:
    """Read it back. Raise ValueError, TypeError or KeyError."""
    given = dict(written)
    tags = given.pop("Tag", [])
    filters = {field: str(given.pop(name)) for name, field in _FILTERS.items() if name in given}
    selection = Selection(tags=tuple(Tag(key=tag["Key"], value=tag.get("Value")) for tag in tags), **filters)  # type: ignore[attr-defined]  # whatever it is, TypeError says so
    time, mode = given.pop("Time", None), given.pop("StoppedMode", None)
    request = StopRequest(
        source=Source(str(given.pop("Source"))),
        event_id=str(given.pop("EventId")),
        time=None if time is None else datetime.fromisoformat(str(time)),
        instance_ids=_texts(given.pop("InstanceIds", [])),
        selection=None if selection == Selection() else selection,
        region_ids=_texts(given.pop("RegionIds", [])),
        role_arns=_texts(given.pop("RoleArns", [])),
        stopped_mode=None if mode is None else StoppedMode(str(mode)),
        confirm_stop=given.pop("ConfirmStop", False) is True,
        force_stop=given.pop("ForceStop", False) is True,
        dry_run=given.pop("DryRun", False) is True,
    )
    if given:
        raise ValueError
    return request


def _texts(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise TypeError
    return tuple(value)
