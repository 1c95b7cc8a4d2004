"""A region's list, however it is kept, shows what each instance by itself would show."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial

from hypothesis import given
from hypothesis import strategies as st

from local.emulator.fleet import Fleet
from local.emulator.lifecycle import Aftermath, EmulatedInstance
from local.emulator.region import MOST_SEARCHES, Region

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
IDS = [f"i-{number}" for number in range(6)]

steps = st.lists(
    st.tuples(
        st.sampled_from(["stop", "start", "tag", "tag late", "wait", "remove", "put"]),
        st.sampled_from(IDS),
        st.sampled_from(["dev", "prod"]),
    ),
    max_size=25,
)


def fresh(instance_id: str) -> EmulatedInstance:
    """Make an instance as a fleet has it."""
    (profile,) = Fleet.from_instances([{"InstanceId": instance_id}]).instances
    return EmulatedInstance(profile=profile, status="Running", stopped_mode="Not-applicable")


def changed(instance: EmulatedInstance, step: str, word: str, now: datetime) -> EmulatedInstance:
    """Do one thing to an instance, some of it so that reads lag behind."""
    match step:
        case "stop":
            return instance.at(now).stopping(now, 4, "KeepCharging", Aftermath(stale_seconds=3))
        case "start":
            return instance.at(now).starting(now, 2)
        case "tag late":
            late = instance.at(now).tagged({"env": word})
            return replace(late, former=instance.at(now), former_until=now + timedelta(seconds=5))
    return instance.tagged({"env": word})


def tagged(word: str, instances: list[EmulatedInstance]) -> list[EmulatedInstance]:
    """Give those that have the tag."""
    return [each for each in instances if each.profile.tags.get("env") == word]


@given(steps)
def test_listed_and_found_as_each_by_itself(steps: list[tuple[str, str, str]]) -> None:
    """After any changes, in any order, lists and searches agree with looking at one after the other."""
    region, now = Region(), NOON
    each_one = {instance_id: fresh(instance_id) for instance_id in IDS}
    for instance in each_one.values():
        region.put(instance)
    for step, instance_id, word in steps:
        now += timedelta(seconds=1)
        if step == "remove" and instance_id in each_one:
            del each_one[instance_id]
            region.remove(instance_id)
        elif step == "put" and instance_id not in each_one:
            each_one[instance_id] = fresh(instance_id)
            region.put(each_one[instance_id])
        elif step not in ("wait", "remove", "put") and instance_id in each_one:
            each_one[instance_id] = changed(each_one[instance_id], step, word, now)
            region.put(each_one[instance_id])
        one_by_one = [instance.described(now) for instance in each_one.values()]
        assert list(region) == list(each_one)
        assert region.shown(now) == one_by_one
        for wanted in ("dev", "prod"):
            found = region.search(wanted, now, partial(tagged, wanted))
            assert found == tagged(wanted, one_by_one)


def test_a_search_is_done_once() -> None:
    """What was found is kept while no profile changes, and no more searches than so many are."""
    region, looked = Region(), []
    region.put(fresh("i-0"))

    def narrow(instances: list[EmulatedInstance]) -> list[EmulatedInstance]:
        looked.append(1)
        return instances

    for _ in range(3):
        region.search("a", NOON, narrow)
    region.put(region["i-0"].stopping(NOON, 5, "KeepCharging"))
    region.search("a", NOON, narrow)
    assert len(looked) == 1
    region.put(region["i-0"].tagged({"env": "dev"}))
    region.search("a", NOON, narrow)
    assert len(looked) == 2
    for number in range(MOST_SEARCHES):
        region.search(number, NOON, narrow)
    region.search("a", NOON, narrow)
    assert len(looked) == 2 + MOST_SEARCHES + 1
