"""The accounts of a fleet: each one's instances by region, and what is done with them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from local.emulator.fleet import Fleet, FleetInstance
from local.emulator.lifecycle import STARTING, STOPPING, EmulatedInstance

DEFAULT_ACCOUNT = "1234567890123456"


@dataclass(frozen=True, slots=True, kw_only=True)
class Behaviour:
    """How the local ECS behaves where ECS leaves it open; an instance's x-emulator may say otherwise.

    `stop_seconds`, `start_seconds`: how long an instance stays Stopping, Starting.
    `stop_charging`: asked for where it can't apply, `reject` it, as StopInstance's error table has it, or be
    `lenient`: stop without an error and charge on, as ECS does today (it does grant it to spot instances).
    `default_stopped_mode`: of a call that names none; StopCharging where the account has enabled "No fees
    for stopped instances".
    """

    stop_seconds: float = 2.0
    start_seconds: float = 2.0
    stop_charging: Literal["reject", "lenient"] = "reject"
    default_stopped_mode: str = "KeepCharging"


class Account:
    """One account's instances over all regions; for its calls there are no others.

    `account_id`: 16 digits.
    """

    def __init__(self, account_id: str, behaviour: Behaviour) -> None:
        self.account_id = account_id
        self.behaviour = behaviour
        self._regions: dict[str, dict[str, EmulatedInstance]] = {}

    def start_seconds(self, instance: EmulatedInstance) -> float:
        """Return how long the instance is Starting."""
        seconds = instance.profile.emulator.start_seconds
        return self.behaviour.start_seconds if seconds is None else seconds

    def find(self, instance_id: str) -> EmulatedInstance | None:
        """Return the instance in whichever region it is; ids are unique and StopInstance names no region."""
        for instances in self._regions.values():
            instance = instances.get(instance_id)
            if instance is not None:
                return instance
        return None

    def replace(self, instance: EmulatedInstance) -> None:
        """Put the changed instance in the place of what it was."""
        self._regions.setdefault(instance.profile.region_id, {})[instance.instance_id] = instance

    def remove(self, instance: EmulatedInstance) -> None:
        """Forget an instance, as if it were released; `reset` brings it back."""
        del self._regions[instance.profile.region_id][instance.instance_id]

    def in_region(self, region_id: str) -> Mapping[str, EmulatedInstance]:
        """Return the region's instances by id, none for a region where there are none."""
        return self._regions.get(region_id, {})

    def instances(self) -> Iterator[EmulatedInstance]:
        """Return all instances, region by region."""
        for instances in self._regions.values():
            yield from instances.values()


class Accounts:
    """The accounts that a fleet names, and the one that has the instances which name none."""

    def __init__(self, fleet: Fleet, behaviour: Behaviour, *, default: str, now: datetime) -> None:
        self._accounts = {default: Account(default, behaviour)}
        for profile in fleet.instances:
            account_id = profile.emulator.account_id or default
            account = self._accounts.setdefault(account_id, Account(account_id, behaviour))
            account.replace(initial(profile, behaviour, now))

    def __getitem__(self, account_id: str) -> Account:
        """Return an account by its id; KeyError if the fleet has none of it."""
        return self._accounts[account_id]

    def __contains__(self, account_id: str) -> bool:
        """Tell whether there is the account."""
        return account_id in self._accounts

    def __iter__(self) -> Iterator[Account]:
        """Return all accounts, the default one first, the others as the fleet names them."""
        return iter(self._accounts.values())


def initial(profile: FleetInstance, behaviour: Behaviour, now: datetime) -> EmulatedInstance:
    """Return the instance as the fleet says it is, on its way if it is Stopping or Starting."""
    document, emulator = profile.document, profile.emulator
    instance = EmulatedInstance(
        profile=profile, status=document["Status"], stopped_mode=document["StoppedMode"]
    )
    if instance.status == STOPPING:
        seconds = behaviour.stop_seconds if emulator.stop_seconds is None else emulator.stop_seconds
        return instance.stopping(now, seconds, instance.stopped_mode)
    if instance.status == STARTING:
        seconds = behaviour.start_seconds if emulator.start_seconds is None else emulator.start_seconds
        return replace(instance, changes_at=now + timedelta(seconds=seconds))
    return instance
