"""Why an instance may not be stopped: the guard's list, in the contract's order, told anew."""

from collections.abc import Iterator

from local.emulator.lifecycle import STOPPED, STOPPING
from simulation.attributes import Attributes, carries, locks, start_moment, tags
from simulation.case import Case
from simulation.machine import EPOCH
from simulation.scenario import Limits, Wish

BY_TIME = ("Guard.NotSelected", "Guard.StartedSince")
"""What speaks against a stop only because time has gone by since the event."""


def reasons(case: Case, attributes: Attributes, now: float, wish: Wish | None) -> Iterator[str]:
    """Give all that speaks against a stop in what a look showed, as the status or code that it leads to.

    `wish`: that which the instance belongs to. Not in here is what the attributes does not say: that there is
    none, and whose local disks are given up.
    """
    limits = case.limits
    yield from _tagged(limits, attributes)
    if wish is not None and not all(carries(attributes, tag) for tag in wish.tags):
        yield "Guard.NotSelected"
    yield from _not_running(attributes)
    until = tags(attributes).get(limits.keep_until_key)
    if until is not None and case.recording.scenario.keep_until[until] > now:
        yield "Guard.KeepRunningUntil"
    started = start_moment(attributes)
    if limits.min_uptime_minutes and (started is None or now - started < limits.min_uptime_minutes * 60):
        yield "Guard.MinUptime"
    if wish is not None and started is not None and _started_since(case, attributes, started, wish):
        yield "Guard.StartedSince"


def _started_since(case: Case, attributes: Attributes, started: float, wish: Wish) -> bool:
    """Whether its start is of the event's minute or later; without a time, another than was seen first."""
    if wish.time is not None:
        into_the_minute = (EPOCH.timestamp() + wish.time) % 60
        return started >= wish.time - into_the_minute
    first = case.looks[attributes["InstanceId"]][0].attributes
    return started != start_moment(first)


def _tagged(limits: Limits, attributes: Attributes) -> Iterator[str]:
    if limits.required_tag and not carries(attributes, limits.required_tag):
        yield "Guard.NotOptedIn"
    if any(carries(attributes, tag) for tag in limits.protected_tags):
        yield "Guard.Protected"
    if tags(attributes).keys() & set(limits.managing):
        yield "Guard.ManagedElsewhere"


def _not_running(attributes: Attributes) -> Iterator[str]:
    if attributes["Status"] == STOPPED:
        yield "already_stopped"
    if attributes["Status"] == STOPPING:
        yield "stopping"
    if "security" in locks(attributes):
        yield "InstanceLockedForSecurity"
    elif "financial" in locks(attributes):
        yield "InstanceExpiredOrInArrears"
    elif locks(attributes):
        yield "Guard.OperationLocked"
    if attributes["Status"] not in {"Running", STOPPED, STOPPING}:
        yield "IncorrectInstanceStatus"
