"""Why an instance may not be stopped: the guard's list, in the contract's order, told anew."""

from collections.abc import Iterator

from local.emulator.lifecycle import STOPPED, STOPPING
from simulation.case import Case
from simulation.documents import Document, carries, locks, start_moment, tags
from simulation.machine import EPOCH
from simulation.scenario import Limits, Wish

BY_TIME = ("Guard.NotSelected", "Guard.StartedSince")
"""What speaks against a stop only because time has gone by since the event."""


def reasons(case: Case, document: Document, now: float, wish: Wish | None) -> Iterator[str]:
    """Give all that speaks against a stop in what a look showed, as the status or code that it leads to.

    `wish`: that which the instance belongs to. Not in here is what the document does not say: that there is
    none, and whose local disks are given up.
    """
    limits = case.limits
    yield from _tagged(limits, document)
    if wish is not None and not all(carries(document, tag) for tag in wish.tags):
        yield "Guard.NotSelected"
    yield from _not_running(document)
    until = tags(document).get(limits.keep_until_key)
    if until is not None and case.history.scenario.keep_until[until] > now:
        yield "Guard.KeepRunningUntil"
    started = start_moment(document)
    if limits.min_uptime_minutes and (started is None or now - started < limits.min_uptime_minutes * 60):
        yield "Guard.MinUptime"
    if wish is not None and started is not None and _started_since(case, document, started, wish):
        yield "Guard.StartedSince"


def _started_since(case: Case, document: Document, started: float, wish: Wish) -> bool:
    """Whether its start is of the event's minute or later; without a time, another than was seen first."""
    if wish.time is not None:
        into_the_minute = (EPOCH.timestamp() + wish.time) % 60
        return started >= wish.time - into_the_minute
    first = case.looks[document["InstanceId"]][0].document
    return started != start_moment(first)


def _tagged(limits: Limits, document: Document) -> Iterator[str]:
    if limits.required_tag and not carries(document, limits.required_tag):
        yield "Guard.NotOptedIn"
    if any(carries(document, tag) for tag in limits.protected_tags):
        yield "Guard.Protected"
    if tags(document).keys() & set(limits.managing):
        yield "Guard.ManagedElsewhere"


def _not_running(document: Document) -> Iterator[str]:
    if document["Status"] == STOPPED:
        yield "already_stopped"
    if document["Status"] == STOPPING:
        yield "stopping"
    if "security" in locks(document):
        yield "InstanceLockedForSecurity"
    elif "financial" in locks(document):
        yield "InstanceExpiredOrInArrears"
    elif locks(document):
        yield "Guard.OperationLocked"
    if document["Status"] not in {"Running", STOPPED, STOPPING}:
        yield "IncorrectInstanceStatus"
