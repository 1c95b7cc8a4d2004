"""The cap: how many instances may a delivery concern? A pure decision, over those about each instance.

It counts what is stopped already, too, and so the tries of an event together stay below it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime

from function.guard.instance import Stop, decide
from function.model.frozen import frozen
from function.model.instance import Instance, LocalDisks
from function.model.outcome import GuardCode, Settled, Status
from function.model.request import Job
from function.settings import Settings

WARNING_SHARE = 0.8
"""From this share of the limit on a plan says so: early enough to raise it before a night is lost."""

_BY_TIME = frozenset({GuardCode.NOT_SELECTED, GuardCode.STARTED_SINCE})
"""What spares an instance that an earlier try of the same event may have stopped."""


@frozen
class InstanceCount:
    """How many instances a delivery concerns: those that it may stop, now or later, and those stopped."""

    may_stop: int
    stopped: int

    @property
    def total(self) -> int:
        """Count them all."""
        return self.may_stop + self.stopped

    def problem(self, limit: int) -> str | None:
        """Say why nothing may be stopped, where they are too many."""
        if self.total <= limit:
            return None
        return (
            f"{self.may_stop} would be stopped, {self.stopped} are stopped already, the limit is {limit}: "
            f"set MAX_INSTANCES to at least {self.total}, or let the event mean fewer; nothing was stopped"
        )

    def warning(self, limit: int) -> str | None:
        """Say that they are nearly too many."""
        if not self.total or not WARNING_SHARE * limit <= self.total <= limit:
            return None
        return (
            f"{self.may_stop} would be stopped, {self.stopped} are stopped already, the limit is {limit}: "
            "with more than that nothing is stopped, so set MAX_INSTANCES higher where more are to come"
        )


def count_instances(
    decisions: Iterable[tuple[Job, Instance | None, Stop | Settled]],
    settings: Settings,
    now: datetime,
    types: Mapping[str, LocalDisks],
) -> InstanceCount:
    """Count what is decided about the instances of a delivery; None is one that was not seen.

    `types`: what is known of instance types.
    """
    may_stop = stopped = 0
    for job, instance, decision in decisions:
        if instance is None:
            may_stop += isinstance(decision, Settled) and decision.status is not Status.REFUSED
            continue
        if isinstance(decision, Settled) and decision.code in _BY_TIME:
            disks = instance.local_disks(types)
            decision = _decided_before(job, instance, settings, now, disks)  # noqa: PLW2901 - of the same
        if isinstance(decision, Stop):
            may_stop += 1
        else:
            stopped += decision.status in {Status.ALREADY_STOPPED, Status.STOPPING}
    return InstanceCount(may_stop, stopped)


def _decided_before(
    job: Job, instance: Instance, settings: Settings, now: datetime, disks: LocalDisks
) -> Stop | Settled:
    """Decide as if nothing had happened since the event, nor had it disks that are only supposed."""
    before = replace(job, request=replace(job.request, selection=None, time=None))
    return decide(instance, before, settings, now, disks if disks is LocalDisks.YES else LocalDisks.NO)
