"""What StopCharging saved: the hours between stops and starts, added up by day, type or tag, and priced."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta, tzinfo
from fractions import Fraction

from local.savings.logbook import Key, Suspension

NO_TAG = "(no such tag)"
NO_TYPE = "(type unknown)"

Group = Callable[[Suspension], Iterable[tuple[str, int]]]
"""Shares the seconds of a suspension out to the groups that they belong to."""


def by_type(suspension: Suspension) -> Iterator[tuple[str, int]]:
    """Group by instance type."""
    yield suspension.kind.instance_type or NO_TYPE, suspension.until - suspension.since


def by_tag(key: str) -> Group:
    """Group by the value of a tag."""

    def group(suspension: Suspension) -> Iterator[tuple[str, int]]:
        yield dict(suspension.kind.tags).get(key, NO_TAG), suspension.until - suspension.since

    return group


def by_day(zone: tzinfo) -> Group:
    """Group by the day of a time zone, `2026-01-30`."""

    def group(suspension: Suspension) -> Iterator[tuple[str, int]]:
        moment = suspension.since
        while moment < suspension.until:
            day = datetime.fromtimestamp(moment, zone).date()
            midnight = datetime.combine(day + timedelta(days=1), time.min, zone)
            end = min(int(midnight.timestamp()), suspension.until)
            yield day.isoformat(), end - moment
            moment = end

    return group


@dataclass(slots=True)
class Sum:
    """Seconds of instances, those of vCPUs, and of those with a price price times seconds: sums are exact."""

    seconds: int = 0
    vcpu_seconds: int = 0
    unpriced_seconds: int = 0
    cost_seconds: Fraction = Fraction(0)

    def add(self, seconds: int, cpu: int | None, price: Fraction | None) -> None:
        """Add some seconds of an instance; what is not known adds nothing."""
        self.seconds += seconds
        self.vcpu_seconds += seconds * (cpu or 0)
        if price is None:
            self.unpriced_seconds += seconds
        else:
            self.cost_seconds += seconds * price

    @property
    def hours(self) -> float:
        """Give the instance-hours."""
        return self.seconds / 3600

    @property
    def vcpu_hours(self) -> float:
        """Give the vCPU-hours."""
        return self.vcpu_seconds / 3600

    @property
    def money(self) -> float | None:
        """Give the money, at the prices per hour; None where nothing in it has a price."""
        return float(self.cost_seconds / 3600) if self.unpriced_seconds < self.seconds else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Savings:
    """What was saved, in all and by group, and what is not in it.

    `open`: suspensions that last as long as the instance was seen. `unseen`: of those, the ids of instances
    that were not seen again, or are `gone`. `unpriced`: types without a price. `without_cpu`: suspensions of
    instances whose vCPUs are not known.
    """

    groups: Mapping[str, Sum]
    total: Sum
    suspensions: int
    instances: int
    open: int
    unseen: tuple[str, ...]
    gone: int
    without_cpu: int
    unpriced: tuple[str, ...]


def add_up(suspensions: Iterable[Suspension], group: Group, prices: Mapping[str, Fraction]) -> Savings:
    """Add up the suspensions by group. `prices`: of an hour, by instance type."""
    groups: dict[str, Sum] = {}
    total = Sum()
    instances: set[Key] = set()
    unpriced: set[str] = set()
    unseen: set[str] = set()
    gone: set[str] = set()
    count = still_open = without_cpu = 0
    for suspension in suspensions:
        kind = suspension.kind
        price = prices.get(kind.instance_type or NO_TYPE)
        if price is None:
            unpriced.add(kind.instance_type or NO_TYPE)
        for name, seconds in group(suspension):
            groups.setdefault(name, Sum()).add(seconds, kind.cpu, price)
            total.add(seconds, kind.cpu, price)
        instances.add(suspension.key)
        count += 1
        still_open += not suspension.ended
        if suspension.gone:
            gone.add(suspension.key[-1])
        if suspension.gone or suspension.unseen:
            unseen.add(suspension.key[-1])
        without_cpu += kind.cpu is None
    return Savings(
        groups=dict(sorted(groups.items())),
        total=total,
        suspensions=count,
        instances=len(instances),
        open=still_open,
        unseen=tuple(sorted(unseen)),
        gone=len(gone),
        without_cpu=without_cpu,
        unpriced=tuple(sorted(unpriced)),
    )
