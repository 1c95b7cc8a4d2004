"""What the log tells of each instance: its stops that save, each with the time for which it did."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from local.savings.log_lines import LogLine

Key = tuple[str, str, str]
"""Account, region and instance id."""

_LOCAL = "local"
_SAVING = "StopCharging"
_PERHAPS_OURS = frozenset({"stopped", "stopping", "unknown"})
"""Of a run that sent a stop call, the statuses after which the instance may be stopped by it."""
_ANOTHER_RUN = 3600
"""Seconds: lines that come so much later than a stop are not those of its own run."""
_NOT_FOUND = "InvalidInstanceId.NotFound"


@dataclass(frozen=True, slots=True)
class StoppedInstance:
    """What an instance was when it was stopped."""

    instance_type: str | None
    cpu: int | None
    tags: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspension:
    """A time, in seconds since the epoch, in which an instance was not charged for its vCPUs and memory.

    `ended`: a start ended it; else it lasts as long as the instance was seen. `unseen`: the log goes on, and
    the instance was not seen again. `gone`: it was looked for after that, and was no longer there.
    """

    key: Key
    kind: StoppedInstance
    since: int
    until: int
    ended: bool
    unseen: bool = False
    gone: bool = False


@dataclass(slots=True)
class _Life:
    """One instance's life, each thing under the start that it belongs to; where that is not known, its time.

    `seen`: when it was last seen. `stops`: of ours, those confirmed as StopCharging: when, and what it was.
    `unconfirmed`: of ours, those that no line of their own run confirms; `accepted`: when ECS accepted one,
    for runs that were ended before they could say more. `found_saving`: when it was first found stopped with
    StopCharging, by whichever run, and what it was; `found_charging`: the mode, where it was another.
    """

    seen: dict[int, int] = field(default_factory=dict)
    stops: dict[int, tuple[int, StoppedInstance]] = field(default_factory=dict)
    unconfirmed: dict[int, StoppedInstance] = field(default_factory=dict)
    accepted: set[int] = field(default_factory=set)
    found_saving: dict[int, tuple[int, StoppedInstance]] = field(default_factory=dict)
    found_charging: dict[int, str] = field(default_factory=dict)
    missed: int = 0

    def saving_stops(self) -> dict[int, tuple[int, StoppedInstance]]:
        """Give our stops that save, also those that only a later run has seen confirmed."""
        later = {
            started: (found, self.unconfirmed.get(started, kind))
            for started, (found, kind) in self.found_saving.items()
            if self._stopped_by_us(started)
        }
        return later | self.stops

    def charged_stops(self) -> list[str]:
        """Give the modes of our stops that go on being charged."""
        return [
            mode
            for started, mode in self.found_charging.items()
            if self._stopped_by_us(started) and started not in self.saving_stops()
        ]

    def _stopped_by_us(self, started: int) -> bool:
        """Tell whether a stop of ours may have ended a start: no other start came in between."""
        if started in self.unconfirmed:
            return True
        next_start = min((other for other in self.seen if other > started), default=None)
        return any(
            started <= moment and (next_start is None or moment < next_start) for moment in self.accepted
        )


@dataclass(slots=True)
class Logbook:
    """Takes in the log, in any order and with any repetition. Keeps stops and starts, not lines.

    `until`: the time of the last line, the log's end. `stop_lines`: how many lines tell of a stop, and
    `without_start`: of those, how many don't say which start it ended. `local_lines`: those of rehearsals.
    """

    until: int = 0
    stop_lines: int = 0
    without_start: int = 0
    local_lines: int = 0
    _lives: dict[Key, _Life] = field(default_factory=dict)
    _kinds: dict[StoppedInstance, StoppedInstance] = field(default_factory=dict)

    def note(self, line: LogLine) -> None:
        """Take in a line."""
        self.until = max(self.until, line.time)
        self.local_lines += line.target == _LOCAL
        instance_id = line.instance_id or line.accepted
        if instance_id is None:
            return
        key = (line.account_id or "", line.region_id or "", instance_id)
        life = self._lives.setdefault(key, _Life())
        if line.accepted is not None:
            life.accepted.add(line.time)
        if line.code == _NOT_FOUND:
            life.missed = max(life.missed, line.time)
        since, started = line.charging_suspended_since, line.start_time
        if since is not None:
            self._note_stop(life, line, since)
        elif started is not None:
            life.seen[started] = max(line.time, life.seen.get(started, 0))
        if started is not None:
            life.seen.setdefault(started, 0)
            self._note_mode(life, line, started)

    def _note_stop(self, life: _Life, line: LogLine, since: int) -> None:
        """Remember a stop by the start that it ended, which all lines that tell of it have in common."""
        started = since if line.start_time is None else line.start_time
        told = (since, self._kind(line))
        life.stops[started] = min(told, life.stops.get(started, told), key=_earliest_and_fullest)
        self.stop_lines += 1
        self.without_start += line.start_time is None

    def _note_mode(self, life: _Life, line: LogLine, started: int) -> None:
        """Remember what became of a stop of ours, and in which mode an instance was found stopped."""
        if line.attempts and line.status in _PERHAPS_OURS:
            kind = self._kind(line)
            known = life.unconfirmed.get(started, kind)
            life.unconfirmed[started] = min(kind, known, key=lambda kind: _earliest_and_fullest((0, kind)))
        mode = line.stopped_mode.actual
        if mode == _SAVING:
            told = (line.time, self._kind(line))
            before = life.found_saving.get(started, told)
            life.found_saving[started] = min(told, before, key=_earliest_and_fullest)
        elif mode is not None:
            life.found_charging[started] = min(mode, life.found_charging.get(started, mode))

    def _kind(self, line: LogLine) -> StoppedInstance:
        kind = StoppedInstance(line.instance_type, line.cpu, tuple(sorted((line.tags or {}).items())))
        return self._kinds.setdefault(kind, kind)

    @property
    def stops(self) -> int:
        """Count the stops that save, each once however many lines tell of it."""
        return sum(len(life.saving_stops()) for life in self._lives.values())

    @property
    def charged_stops(self) -> Mapping[str, int]:
        """Count our stops after which an instance went on being charged, by the mode that ECS showed."""
        return Counter(mode for life in self._lives.values() for mode in life.charged_stops())

    def suspensions(self) -> Iterator[Suspension]:
        """Pair each stop with the next start after the one that it ended; none overlaps another.

        What was not seen to start again counts until it was last seen.
        """
        for key, life in self._lives.items():
            starts = sorted(life.seen)
            free_from = 0
            position = 0
            for started, (since, kind) in sorted(life.saving_stops().items()):
                while position < len(starts) and starts[position] <= started:
                    position += 1
                ended = position < len(starts)
                begin = max(since, free_from)
                last_seen = max(life.seen.values(), default=0)
                end = min(starts[position], self.until) if ended else max(begin, last_seen)
                if begin < end or not ended:
                    free_from = end
                    yield Suspension(
                        key=key,
                        kind=kind,
                        since=begin,
                        until=end,
                        ended=ended,
                        unseen=not ended and begin == end and self.until - end > _ANOTHER_RUN,
                        gone=not ended and life.missed > end,
                    )


def _earliest_and_fullest(
    told: tuple[int, StoppedInstance],
) -> tuple[int, int, str, int, tuple[tuple[str, str], ...]]:
    """Order what several lines tell of one stop: the earliest, then the one that knows most, then any."""
    since, kind = told
    known = (kind.instance_type is not None) + (kind.cpu is not None) + bool(kind.tags)
    return since, -known, kind.instance_type or "", kind.cpu or 0, kind.tags
