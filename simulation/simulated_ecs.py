"""The local ECS in virtual time, with other people at work on its instances, and each change noted."""

from dataclasses import replace
from datetime import timedelta
from functools import partial
from itertools import count

from local.emulator.backend import LocalEcs
from local.emulator.fleet import Fleet, FleetInstance
from local.emulator.lifecycle import RUNNING, STARTING, STOPPED, STOPPING, EmulatedInstance
from simulation.machine import EPOCH, true_time
from simulation.recording import RELEASED, Recording
from simulation.scenario import Meddling
from simulation.scheduler import Scheduler

IMPATIENCE_SECONDS = 0.1
"""After which somebody starts what has just stopped."""


class SimulatedEcs(LocalEcs):
    """The local ECS of one simulation."""

    def __init__(self, recording: Recording, scheduler: Scheduler) -> None:
        scenario = recording.scenario
        numbers = count(1)
        super().__init__(
            Fleet.from_instances(scenario.fleet),
            now=lambda: true_time(scheduler.time),
            request_ids=lambda: f"R-{next(numbers)}",
            faults=scenario.faults,
            behaviour=scenario.behaviour,
            remember=0,
        )
        self._recording = recording
        self._scheduler = scheduler
        for instance in self.instances():
            self.note(instance)

    def note(self, instance: EmulatedInstance) -> None:
        """Note what an instance has become."""
        states = self._recording.states.setdefault(instance.instance_id, [])
        if not states or states[-1][1] != instance:
            states.append((self._scheduler.time, instance))

    def meddle(self, meddling: Meddling) -> None:
        """Let somebody else do this; nothing, where it can't be done to the instance as it is."""
        if self._accounts[self.account_id].find(meddling.instance_id) is None:
            return
        before = self.instance(meddling.instance_id)
        if meddling.deed == "start" and before.status == STOPPING and before.changes_at is not None:
            # Whoever wants it back starts it as soon as it can be started.
            stopped = (before.changes_at - EPOCH).total_seconds() + IMPATIENCE_SECONDS
            self._scheduler.at(stopped, partial(self.meddle, meddling))
            return
        after = self._meddled(before, meddling)
        if after is None:
            return
        account = self._accounts[before.profile.emulator.account_id or self.account_id]
        if after.status == RELEASED:
            account.remove(after)
        else:
            if meddling.stale:
                until = true_time(self._scheduler.time + meddling.stale)
                after = replace(after, former=before, former_until=until)
            account.replace(after)
        self.note(after)
        self._recording.meddled.append(
            (
                self._recording.step(),
                self._scheduler.time,
                meddling.instance_id,
                f"{meddling.deed} {meddling.word}".strip(),
            )
        )

    def _meddled(self, instance: EmulatedInstance, meddling: Meddling) -> EmulatedInstance | None:
        profile, now = instance.profile, self.now()
        key, _, value = meddling.word.partition("=")
        match meddling.deed:
            case "start" if instance.status == STOPPED:
                start_seconds = profile.emulator.start_seconds
                seconds = (
                    self._recording.scenario.behaviour.start_seconds
                    if start_seconds is None
                    else start_seconds
                )
                attributes = {**profile.attributes, "StartTime": now.strftime("%Y-%m-%dT%H:%MZ")}
                return EmulatedInstance(
                    profile=replace(profile, attributes=attributes),
                    status=STARTING,
                    stopped_mode="Not-applicable",
                    changes_at=now + timedelta(seconds=seconds),
                )
            case "stop" if instance.status == RUNNING:
                return instance.stopping(now, profile.emulator.stop_seconds or 0.0, "KeepCharging")
            case "release":
                return replace(instance, status=RELEASED, changes_at=None)
            case "lock":
                return replace(instance, profile=_locked(profile, profile.locks | {meddling.word}))
            case "unlock" if meddling.word in profile.locks:
                return replace(instance, profile=_locked(profile, profile.locks - {meddling.word}))
            case "tag":
                return replace(instance, profile=_tagged(profile, {**profile.tags, key: value}))
            case "untag" if key in profile.tags:
                tags = {name: text for name, text in profile.tags.items() if name != key}
                return replace(instance, profile=_tagged(profile, tags))
        return None


def _locked(profile: FleetInstance, locks: frozenset[str]) -> FleetInstance:
    reasons = [{"LockReason": lock} for lock in sorted(locks)]
    return replace(
        profile, locks=locks, attributes={**profile.attributes, "OperationLocks": {"LockReason": reasons}}
    )


def _tagged(profile: FleetInstance, tags: dict[str, str]) -> FleetInstance:
    listed = [{"TagKey": key, "TagValue": value} for key, value in tags.items()]
    return replace(profile, tags=tags, attributes={**profile.attributes, "Tags": {"Tag": listed}})
