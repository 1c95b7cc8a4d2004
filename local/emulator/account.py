"""The accounts of a fleet: each one's instances by region, and what is done with them."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from local.api.api_error import ApiError
from local.api.error_table import UNKNOWN_REGION
from local.api.regions import REGIONS
from local.emulator.behaviour import Behaviour
from local.emulator.fleet import Fleet, FleetInstance
from local.emulator.lifecycle import STARTING, STOPPING, EmulatedInstance
from local.emulator.region import Region

DEFAULT_ACCOUNT = "1234567890123456"


class Account:
    """One account's instances over all regions; for its calls there are no others.

    `regions`: those that there are beside Alibaba Cloud's own, since the fleet has instances there.
    """

    def __init__(self, account_id: str, behaviour: Behaviour, regions: Collection[str]) -> None:
        self.account_id = account_id
        self.behaviour = behaviour
        self.region_ids = tuple(dict.fromkeys((*REGIONS, *regions)))
        self._regions: dict[str, Region] = {}
        self._of_each_type: dict[str, EmulatedInstance] | None = None

    def find(self, instance_id: str) -> EmulatedInstance | None:
        """Return the instance in whichever region it is; ids are unique and StopInstance names no region."""
        for instances in self._regions.values():
            if instance_id in instances:
                return instances[instance_id]
        return None

    def replace(self, instance: EmulatedInstance) -> None:
        """Put the changed instance in the place of what it was."""
        region = self.in_region(instance.profile.region_id)
        if instance.instance_id not in region:
            self._of_each_type = None
        region.put(instance)

    def remove(self, instance: EmulatedInstance) -> None:
        """Forget an instance, as if it were released; `reset` brings it back."""
        self._regions[instance.profile.region_id].remove(instance.instance_id)
        self._of_each_type = None

    def in_region(self, region_id: str) -> Region:
        """Return a region's instances. Raise ApiError for what is no region."""
        if region_id not in self.region_ids:
            raise ApiError(*UNKNOWN_REGION)
        return self._regions.setdefault(region_id, Region())

    def instances(self) -> Iterator[EmulatedInstance]:
        """Return all instances, region by region."""
        for instances in self._regions.values():
            yield from instances.values()

    def of_each_type(self) -> Iterable[EmulatedInstance]:
        """Return an instance of each type that is known: one that tells its local disks speaks for it."""
        if self._of_each_type is None:
            self._of_each_type = {}
            for instance in self.instances():
                name, profile = instance.profile.attributes["InstanceType"], instance.profile
                known = name not in self._of_each_type or profile.local_storage
                if known and not profile.emulator.unknown_type:
                    self._of_each_type[name] = instance
        return self._of_each_type.values()

    def start_seconds(self, instance: EmulatedInstance) -> float:
        """Return how long the instance is Starting."""
        seconds = instance.profile.emulator.start_seconds
        return self.behaviour.start_seconds if seconds is None else seconds

    def stop_seconds(self, instance: EmulatedInstance) -> float:
        """Return how long the instance is Stopping."""
        seconds = instance.profile.emulator.stop_seconds
        return self.behaviour.stop_seconds if seconds is None else seconds

    def give(self, profile: FleetInstance, now: datetime) -> None:
        """Take in an instance as the fleet says it is, on its way if it is Stopping or Starting."""
        attributes = profile.attributes
        instance = EmulatedInstance(
            profile=profile, status=attributes["Status"], stopped_mode=attributes["StoppedMode"]
        )
        if instance.status == STOPPING:
            instance = instance.stopping(now, self.stop_seconds(instance), instance.stopped_mode)
        elif instance.status == STARTING:
            instance = replace(instance, changes_at=now + timedelta(seconds=self.start_seconds(instance)))
        self.replace(instance)


class Accounts:
    """The accounts that a fleet names, and the one that has the instances which name none."""

    def __init__(self, fleet: Fleet, behaviour: Behaviour, *, default: str, now: datetime) -> None:
        regions = frozenset(profile.region_id for profile in fleet.instances)
        self._accounts = {default: Account(default, behaviour, regions)}
        for profile in fleet.instances:
            account_id = profile.emulator.account_id or default
            if account_id not in self._accounts:
                self._accounts[account_id] = Account(account_id, behaviour, regions)
            self._accounts[account_id].give(profile, now)

    def __getitem__(self, account_id: str) -> Account:
        """Return an account by its id; KeyError if the fleet has none of it."""
        return self._accounts[account_id]

    def __contains__(self, account_id: str) -> bool:
        """Tell whether there is the account."""
        return account_id in self._accounts

    def __iter__(self) -> Iterator[Account]:
        """Return all accounts, the default one first, the others as the fleet names them."""
        return iter(self._accounts.values())
