"""What StopCharging saved: known histories, and the rules that every history keeps."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from fractions import Fraction
from itertools import pairwise
from random import Random
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.savings.hours import NO_TAG, NO_TYPE, Group, Savings, add_up, by_day, by_tag, by_type
from local.savings.log_lines import LogLine
from local.savings.logbook import Logbook

DAY = datetime(2026, 1, 30, tzinfo=UTC)
HOUR = 3600
SHANGHAI = timezone(timedelta(hours=8))


def at(hours: float) -> str:
    """Give a time of the log: hours after the day's beginning."""
    return (DAY + timedelta(hours=hours)).isoformat()


def line(
    time: float,
    instance_id: str | None = "i-1",
    *,
    start: float | None = None,
    since: float | None = None,
    **fields: object,
) -> LogLine:
    """Make a line; its times in hours."""
    moments = {"time": time, "start_time": start, "charging_suspended_since": since}
    told = {name: at(moment) for name, moment in moments.items() if moment is not None}
    return LogLine.model_validate(told | {"instance_id": instance_id} | fields)


def stop(
    since: float,
    instance_id: str = "i-1",
    *,
    start: float | None,
    time: float | None = None,
    **fields: object,
) -> LogLine:
    """Make the line of a confirmed stop of a 2-vCPU instance, unless `fields` say otherwise."""
    kind = {"instance_type": "ecs.g6.large", "cpu": 2, "tags": {"env": "dev"}}
    return line(since if time is None else time, instance_id, start=start, since=since, **kind | fields)


def book(lines: Iterable[LogLine]) -> Logbook:
    """Read these lines."""
    read = Logbook()
    for each in lines:
        read.note(each)
    return read


def saved(
    lines: Iterable[LogLine], group: Group = by_type, prices: Mapping[str, Fraction] | None = None
) -> Savings:
    """Add up what these lines tell."""
    return add_up(book(lines).suspensions(), group, prices or {})


def hours(savings: Savings) -> dict[str, float]:
    """Give the instance-hours by group."""
    return {name: one.hours for name, one in savings.groups.items()}


def test_a_stop_saves_until_the_next_start() -> None:
    """The hours between, and the vCPU-hours; the log's end plays no part once it was started again."""
    found = saved([stop(20, start=8), line(45, start=32), line(90, instance_id=None)])
    assert (found.total.hours, found.total.vcpu_hours, found.open) == (12, 24, 0)


def test_what_is_still_stopped_saves_until_it_was_last_seen() -> None:
    """A line of any run that saw it with the same start; the log's end, and other instances, play no part."""
    lines = [stop(20, start=8), line(23, start=8), line(40, "i-2", start=1), line(90, instance_id=None)]
    found = saved(lines)
    assert (found.total.hours, found.open, found.unseen) == (3, 1, ())


def test_what_was_not_seen_again_is_named_and_saves_nothing() -> None:
    """Nobody knows whether it was started, or released, right after its stop."""
    found = saved([stop(20, start=8), line(90, instance_id=None)])
    assert (found.total.seconds, found.suspensions, found.open) == (0, 1, 1)
    assert (found.unseen, found.gone) == (("i-1",), 0)


def test_what_was_released_is_named_and_counts_until_it_was_seen() -> None:
    """The run that asked for it after that was told that there is no such instance."""
    missed = line(40, code="InvalidInstanceId.NotFound")
    found = saved([stop(20, start=8), line(23, start=8), missed])
    assert (found.total.hours, found.unseen, found.gone) == (3, ("i-1",), 1)
    assert (
        saved([stop(20, start=8), line(23, start=8), line(22, code="InvalidInstanceId.NotFound")]).gone == 0
    )


def test_thirty_nightly_stops_of_released_machines_save_nothing() -> None:
    """Twelve new machines a night, which their pipelines release by morning, are no 10,000 hours saved."""
    nights = [
        stop(24 * night + 20, f"i-{night}-{number}", start=24 * night + 8)
        for night in range(30)
        for number in range(12)
    ]
    found = saved(nights)
    assert (found.total.seconds, found.suspensions) == (0, 360)
    assert len(found.unseen) == 348  # those of the last night may yet be seen


def ours(time: float, status: str, *, start: float, mode: str | None = None) -> LogLine:
    """Make the line of a run whose stop call was not seen to its end, or not to one that saves."""
    return line(time, start=start, status=status, attempts=1, cpu=2, stopped_mode={"actual": mode})


def found_stopped(time: float, mode: str, *, start: float) -> LogLine:
    """Make the line of a run that found it stopped."""
    return line(time, start=start, status="already_stopped", stopped_mode={"actual": mode})


@pytest.mark.parametrize("status", ["stopping", "unknown"])
def test_a_stop_that_only_a_retry_confirms_is_ours(status: str) -> None:
    """It saves from when it was found stopped; without a stop call of ours it would be somebody else's."""
    retry, start = found_stopped(21, "StopCharging", start=8), line(45, start=32)
    found = saved([ours(20, status, start=8), retry, start])
    assert (found.total.hours, found.total.vcpu_hours, found.open) == (11, 22, 0)
    assert saved([retry, start]).suspensions == 0
    assert saved([ours(20, "refused", start=8), retry, start]).suspensions == 0
    assert saved([line(20, start=8, status=status, attempts=0), retry, start]).suspensions == 0
    assert saved([ours(20, status, start=7), retry, start]).suspensions == 0


def test_a_stop_of_which_only_its_acceptance_was_told_is_ours() -> None:
    """The run was ended in the midst: a later one finds it stopped, by the start that ECS's answer ended."""
    accepted = line(20, None, accepted="i-1")
    seen, later, start = line(9, start=8), found_stopped(21, "StopCharging", start=8), line(45, start=32)
    found = saved([accepted, seen, later, start])
    assert (found.total.hours, found.suspensions) == (11, 1)
    assert saved([line(20, None, accepted="i-2"), later, start]).suspensions == 0
    assert saved([line(7, None, accepted="i-1"), later, start]).suspensions == 0
    # It was started again after that, and somebody else stopped it.
    assert (
        saved(
            [accepted, seen, line(22, start=21.5), found_stopped(23, "StopCharging", start=21.5)]
        ).suspensions
        == 0
    )
    assert book([accepted, found_stopped(21, "KeepCharging", start=8)]).charged_stops == {"KeepCharging": 1}


@pytest.mark.parametrize("mode", ["KeepCharging", "Not-applicable"])
def test_stops_that_go_on_being_charged_are_counted(mode: str) -> None:
    """By the mode, once each, whether their own run saw it or a later one; those of others are not ours."""
    confirmed = ours(20, "stopped", start=8, mode=mode)
    later = [ours(44, "stopping", start=32), found_stopped(45, mode, start=32)]
    found = book([confirmed, confirmed, *later, found_stopped(70, mode, start=60)])
    assert found.charged_stops == {mode: 2}
    assert found.stops == 0
    saving = ours(20, "stopped", start=8, mode="StopCharging")
    assert book([saving, stop(20, start=8)]).charged_stops == {}


def test_starts_before_the_stop_end_nothing() -> None:
    """Lines of the time before, and retried runs, tell of starts that were over by then."""
    found = saved([line(2, start=1), stop(20, start=8), line(21, start=8), line(24, start=1)])
    assert (found.total.hours, found.open) == (4, 1)


def test_a_stop_told_twice_counts_once() -> None:
    """Two runs at once both confirm it, a few seconds apart: it was stopped since the first look."""
    found = saved([stop(20.01, start=8), stop(20, start=8), stop(20, start=8, time=20.5), line(22, start=8)])
    assert (found.total.hours, found.suspensions) == (2, 1)


def test_the_same_id_elsewhere_is_another_instance() -> None:
    """Account, region and id make an instance."""
    lines = [stop(20, start=8, region_id=region, account_id=account) for region in "ab" for account in "cd"]
    seen = [line(22, start=8, region_id=region, account_id="d") for region in "ab"]
    found = saved([*lines, line(21, region_id="a", account_id="c", start=20.5), *seen])
    assert (found.total.hours, found.instances, found.open, found.unseen) == (4.5, 4, 3, ("i-1",))


def test_a_start_in_the_minute_of_the_stop_is_seen() -> None:
    """ECS tells starts to the minute, rounded down: one later than the start that was ended is the next."""
    found = saved([stop(20 + 50 / HOUR, start=8), line(24, start=20)])
    assert (found.total.hours, found.suspensions) == (0, 0)


def test_clocks_that_disagree_save_nothing_negative() -> None:
    """A stop after the log's end, a start from the future: at least nothing, at most to the log's end."""
    assert saved([stop(30, start=8, time=20)]).total.seconds == 0
    assert saved([stop(20, start=8), line(21, start=99)]).total.hours == 1


def test_a_stop_without_its_start_is_paired_by_time() -> None:
    """Where the line does not say which start the stop ended, the next one after the stop counts."""
    found = book([stop(20, start=None), line(30, start=8), line(30, start=26)])
    assert (add_up(found.suspensions(), by_type, {}).total.hours, found.without_start) == (6, 1)


def test_times_never_overlap() -> None:
    """The same stop told with and without its start counts once."""
    assert saved([stop(20, start=8), stop(20.5, start=None), line(30, start=26)]).total.hours == 6


def test_what_is_not_known_is_counted_apart() -> None:
    """Without type and vCPUs there are instance-hours, and it is said what is missing."""
    found = saved(
        [stop(20, start=8, instance_type=None, cpu=None, tags=None), line(23, start=8)],
        prices={"x": Fraction(1)},
    )
    assert hours(found) == {NO_TYPE: 3}
    assert (found.total.vcpu_hours, found.without_cpu, found.unpriced) == (0, 1, (NO_TYPE,))
    assert found.total.money is None


def test_the_fuller_of_two_lines_counts() -> None:
    """A line whose tags were left out for its length does not hide those of its double."""
    lines = [stop(20, start=8, tags=None), stop(20, start=8), line(21, start=8)]
    assert hours(saved(lines, by_tag("env"))) == hours(saved(lines[::-1], by_tag("env"))) == {"dev": 1}


def test_tags_and_types_group() -> None:
    """By the tag's value, and those without; by type."""
    lines = [
        stop(20, start=8),
        stop(20, start=8, instance_id="i-2", tags={"env": "test", "a": "b"}, instance_type="ecs.c6.large"),
        stop(20, start=8, instance_id="i-3", tags={}),
        *(line(21, f"i-{number}", start=8) for number in (1, 2, 3)),
    ]
    assert hours(saved(lines, by_tag("env"))) == {NO_TAG: 1, "dev": 1, "test": 1}
    assert hours(saved(lines)) == {"ecs.c6.large": 1, "ecs.g6.large": 2}


def test_days_are_those_of_the_zone() -> None:
    """Split at midnight, by UTC or another clock."""
    lines = [stop(14, start=8), line(50, start=8)]
    assert hours(saved(lines, by_day(UTC))) == {"2026-01-30": 10, "2026-01-31": 24, "2026-02-01": 2}
    assert hours(saved(lines, by_day(SHANGHAI))) == {"2026-01-30": 2, "2026-01-31": 24, "2026-02-01": 10}


@pytest.mark.skipif("Europe/Berlin" not in available_timezones(), reason="no time zones on this machine")
def test_a_day_can_have_25_hours() -> None:
    """The clocks of a zone go back: that day is longer."""
    autumn = datetime(2026, 10, 24, 12, tzinfo=UTC)
    first = LogLine.model_validate(
        {"time": autumn.isoformat(), "instance_id": "i-1", "charging_suspended_since": autumn.isoformat()}
    )
    seen = {"instance_id": "i-1", "start_time": (autumn - timedelta(days=2)).isoformat()}
    last = LogLine.model_validate({"time": (autumn + timedelta(days=2)).isoformat(), **seen})
    days = hours(saved([first, last], by_day(ZoneInfo("Europe/Berlin"))))
    assert days == {"2026-10-24": 10, "2026-10-25": 25, "2026-10-26": 13}


def test_money_is_price_times_hours() -> None:
    """Of the types that have a price; the others are named and add nothing."""
    lines = [
        stop(20, start=8),
        stop(20, start=8, instance_id="i-2", instance_type="ecs.x1.large"),
        *(line(30, f"i-{number}", start=8) for number in (1, 2)),
    ]
    found = saved(lines, prices={"ecs.g6.large": Fraction("0.1"), "ecs.c6.large": Fraction(9)})
    assert found.unpriced == ("ecs.x1.large",)
    assert {name: one.money for name, one in found.groups.items()} == {
        "ecs.g6.large": 1,
        "ecs.x1.large": None,
    }
    assert found.total.money == 1


@dataclass(frozen=True)
class History:
    """An instance's true life: starts and stops in turns, and when runs saw it stopped, in seconds."""

    instance_id: str
    starts: tuple[int, ...]
    stops: tuple[int, ...]
    looks: tuple[int, ...]

    def lines(self) -> Iterable[LogLine]:
        """Tell of each stop, of each start that was seen by some run, and what the others saw."""
        for started, stopped in zip(self.starts, self.stops, strict=False):
            yield stop(stopped / HOUR, start=started / HOUR, instance_id=self.instance_id)
        for started in self.starts:
            yield line((started + 1) / HOUR, instance_id=self.instance_id, start=started / HOUR)
        for look in self.looks:
            if seen := self.already_stopped(look):
                yield seen

    def already_stopped(self, look: int) -> LogLine | None:
        """Tell what a run sees at some moment, if the instance is stopped then."""
        ended = [start for start, end in zip(self.starts, self.stops, strict=False) if end <= look]
        if not ended or (len(self.starts) > len(ended) and self.starts[len(ended)] <= look):
            return None
        return line(look / HOUR, instance_id=self.instance_id, start=ended[-1] / HOUR)

    def seconds(self) -> int:
        """Add up the time between each stop and the next start or last look, otherwise than the code."""
        last_seen = max(self.looks, default=0)
        ends = (*self.starts[1:], last_seen)[: len(self.stops)]
        return sum(max(0, end - begin) for begin, end in zip(self.stops, ends, strict=True))


END = 10 * 24 * HOUR


@st.composite
def histories(draw: st.DrawFn) -> list[History]:
    """Draw a few instances' lives, all before the log's end."""
    found = []
    for number in range(draw(st.integers(1, 3))):
        moments = sorted(draw(st.sets(st.integers(0, END - 2), min_size=1, max_size=9)))
        looks = draw(st.lists(st.integers(0, END), max_size=3))
        found.append(History(f"i-{number}", tuple(moments[::2]), tuple(moments[1::2]), tuple(looks)))
    return found


def told(lives: Sequence[History]) -> list[LogLine]:
    """Give the whole log of these lives."""
    return [*(each for life in lives for each in life.lines()), line(END / HOUR, instance_id=None)]


@given(histories())
def test_exactly_the_time_that_is_known_is_saved(lives: list[History]) -> None:
    """Whatever the instances did, the sum is what their lives say, as far as they were seen."""
    found = saved(told(lives))
    assert found.total.seconds == sum(life.seconds() for life in lives)
    assert found.total.vcpu_seconds == 2 * found.total.seconds


@given(histories(), st.sampled_from([UTC, SHANGHAI, timezone(timedelta(hours=-9, minutes=-30))]))
def test_the_days_add_up_to_the_total(lives: list[History], zone: timezone) -> None:
    """No second is lost at midnight, or counted on both of its sides."""
    whole, days = saved(told(lives)), saved(told(lives), by_day(zone))
    assert sum(day.seconds for day in days.groups.values()) == days.total.seconds == whole.total.seconds
    for name in days.groups:
        assert days.groups[name].seconds <= len(lives) * 24 * HOUR


@given(histories(), st.randoms(use_true_random=False), st.data())
def test_order_repetition_and_retries_change_nothing(
    lives: list[History], chance: Random, data: st.DataObject
) -> None:
    """Shuffled, cut into files, told twice, and with runs that found all stopped before: the same hours."""
    lines = told(lives)
    again = []
    for life in lives:
        looks = data.draw(st.lists(st.integers(0, max(life.looks, default=0)), max_size=5))
        again += [seen for look in looks if (seen := life.already_stopped(look))]
    more = [*lines, *again, *chance.sample(lines, len(lines) // 2)]
    chance.shuffle(more)
    assert saved(more, by_day(UTC)) == saved(lines, by_day(UTC))


@given(histories())
def test_no_moment_of_an_instance_counts_twice(lives: list[History]) -> None:
    """The times of one instance follow one another."""
    spans: dict[str, list[tuple[int, int]]] = {}
    for each in book(told(lives)).suspensions():
        spans.setdefault(each.key[2], []).append((each.since, each.until))
    for mine in spans.values():
        assert all(before[1] <= after[0] for before, after in pairwise(mine))
