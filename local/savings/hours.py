"""What StopCharging saved: each stop paired with the instance's next start, the hours between added up."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta, tzinfo
from fractions import Fraction

from local.savings.log_lines import LogLine

Key = tuple[str, str, str]
"""Account, region and instance id."""

NO_TAG = "(no such tag)"
NO_TYPE = "(type unknown)"


@dataclass(frozen=True, slots=True)
class StoppedInstance:
    """What an instance was when it was stopped."""

    instance_type: str | None
    cpu: int | None
    tags: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspension:
    """A time, in seconds since the epoch, in which an instance was not charged for its vCPUs and memory.

    `ended`: a start ended it; else it lasts to the log's end, and maybe beyond.
    """

    key: Key
    kind: StoppedInstance
    since: int
    until: int
    ended: bool


@dataclass(slots=True)
class _Life:
    """One instance's starts, and its stops, each under the start that it ended: the time and the kind."""

    starts: set[int] = field(default_factory=set)
    stops: dict[int, tuple[int, StoppedInstance]] = field(default_factory=dict)


@dataclass(slots=True)
class Logbook:
    """Takes in the log, in any order and with any repetition. Keeps stops and starts, not lines.

    `until`: the time of the last line, the log's end. `stop_lines`: how many lines tell of a stop, and
    `without_start`: of those, how many don't say which start it ended.
    """

    until: int = 0
    stop_lines: int = 0
    without_start: int = 0
    _lives: dict[Key, _Life] = field(default_factory=dict)
    _kinds: dict[StoppedInstance, StoppedInstance] = field(default_factory=dict)

    def note(self, line: LogLine) -> None:
        """Take in a line."""
        self.until = max(self.until, line.time)
        if line.instance_id is None:
            return
        key = (line.account_id or "", line.region_id or "", line.instance_id)
        life = self._lives.setdefault(key, _Life())
        if line.start_time is not None:
            life.starts.add(line.start_time)
        if line.charging_suspended_since is not None:
            self._note_stop(life, line, line.charging_suspended_since)

    def _note_stop(self, life: _Life, line: LogLine, since: int) -> None:
        """Remember a stop by the start that it ended, which all lines that tell of it have in common."""
        kind = StoppedInstance(line.instance_type, line.cpu, tuple(sorted((line.tags or {}).items())))
        kind = self._kinds.setdefault(kind, kind)
        started = since if line.start_time is None else line.start_time
        told = (since, kind)
        life.stops[started] = min(told, life.stops.get(started, told), key=_earliest_and_fullest)
        self.stop_lines += 1
        self.without_start += line.start_time is None

    @property
    def stops(self) -> int:
        """Count the stops, each once however many lines tell of it."""
        return sum(len(life.stops) for life in self._lives.values())

    def suspensions(self) -> Iterator[Suspension]:
        """Pair each stop with the next start after the one that it ended; none overlaps another."""
        for key, life in self._lives.items():
            starts = sorted(life.starts)
            free_from = 0
            position = 0
            for started, (since, kind) in sorted(life.stops.items()):
                while position < len(starts) and starts[position] <= started:
                    position += 1
                ended = position < len(starts)
                begin = max(since, free_from)
                end = min(starts[position], self.until) if ended else self.until
                if begin < end or (not ended and since == end):  # a log may well end with a stop
                    free_from = end
                    yield Suspension(key=key, kind=kind, since=begin, until=end, ended=ended)


def _earliest_and_fullest(
    told: tuple[int, StoppedInstance],
) -> tuple[int, int, str, int, tuple[tuple[str, str], ...]]:
    """Order what several lines tell of one stop: the earliest, then the one that knows most, then any."""
    since, kind = told
    known = (kind.instance_type is not None) + (kind.cpu is not None) + bool(kind.tags)
    return since, -known, kind.instance_type or "", kind.cpu or 0, kind.tags


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

    `open`: suspensions that last to the log's end. `unpriced`: types without a price. `without_cpu`:
    suspensions of instances whose vCPUs are not known.
    """

    groups: Mapping[str, Sum]
    total: Sum
    suspensions: int
    instances: int
    open: int
    without_cpu: int
    unpriced: tuple[str, ...]


def add_up(suspensions: Iterable[Suspension], group: Group, prices: Mapping[str, Fraction]) -> Savings:
    """Add up the suspensions by group. `prices`: of an hour, by instance type."""
    groups: dict[str, Sum] = {}
    total = Sum()
    instances: set[Key] = set()
    unpriced: set[str] = set()
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
        without_cpu += kind.cpu is None
    return Savings(
        groups=dict(sorted(groups.items())),
        total=total,
        suspensions=count,
        instances=len(instances),
        open=still_open,
        without_cpu=without_cpu,
        unpriced=tuple(sorted(unpriced)),
    )
