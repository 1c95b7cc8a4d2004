"""The accounts of a fleet: each one's instances by region, in moto's backends, and what is done with them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from moto.core.base_backend import AccountSpecificBackend, BackendDict, BaseBackend

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


class EcsBackend(BaseBackend):
    """The instances of one account in one region, by id, in the fleet's order."""

    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self.instances: dict[str, EmulatedInstance] = {}


class Backends(BackendDict[EcsBackend]):
    """moto's backends by account and region, one set for each local ECS.

    A BackendDict enters itself into a list of moto's that lives as long as the process and is searched at
    each access; with a local ECS per test, or a million of them in a simulation, that list only grows.
    """

    def __getitem__(self, account_id: str) -> AccountSpecificBackend[EcsBackend]:
        """Return the account's backends by region; they are made when first asked for."""
        if account_id not in self:
            self[account_id] = AccountSpecificBackend(
                service_name=self.service_name,
                account_id=account_id,
                backend=self.backend,
                use_boto3_regions=False,
                additional_regions=self._additional_regions,
            )
        return dict.__getitem__(self, account_id)


class Account:
    """One account's instances over all regions; for its calls there are no others."""

    def __init__(self, regions: AccountSpecificBackend[EcsBackend], behaviour: Behaviour) -> None:
        self.behaviour = behaviour
        self._regions = regions

    def start_seconds(self, instance: EmulatedInstance) -> float:
        """Return how long the instance is Starting."""
        seconds = instance.profile.emulator.start_seconds
        return self.behaviour.start_seconds if seconds is None else seconds

    @property
    def account_id(self) -> str:
        """The id, 16 digits."""
        return self._regions.account_id

    def clear(self) -> None:
        """Forget all instances."""
        self._regions.reset()

    def find(self, instance_id: str) -> EmulatedInstance | None:
        """Return the instance in whichever region it is; ids are unique and StopInstance names no region."""
        for backend in self._regions.values():
            instance = backend.instances.get(instance_id)
            if instance is not None:
                return instance
        return None

    def replace(self, instance: EmulatedInstance) -> None:
        """Put the changed instance in the place of what it was."""
        self._regions[instance.profile.region_id].instances[instance.instance_id] = instance

    def remove(self, instance: EmulatedInstance) -> None:
        """Forget an instance, as if it were released; `reset` brings it back."""
        del self._regions[instance.profile.region_id].instances[instance.instance_id]

    def in_region(self, region_id: str) -> Mapping[str, EmulatedInstance]:
        """Return the region's instances by id, none for a region where there are none."""
        return self._regions[region_id].instances if region_id in self._regions else {}

    def instances(self) -> Iterator[EmulatedInstance]:
        """Return all instances, region by region."""
        for backend in self._regions.values():
            yield from backend.instances.values()


class Accounts:
    """The accounts that a fleet names, and the one that has the instances which name none."""

    def __init__(self, fleet: Fleet, behaviour: Behaviour, *, default: str, now: datetime) -> None:
        self._owned = tuple((profile.emulator.account_id or default, profile) for profile in fleet.instances)
        regions = list(dict.fromkeys(profile.region_id for profile in fleet.instances))
        backends = Backends(EcsBackend, "ecs", use_boto3_regions=False, additional_regions=regions)
        account_ids = dict.fromkeys((default, *(account_id for account_id, _ in self._owned)))
        self._accounts = {id_: Account(backends[id_], behaviour) for id_ in account_ids}
        self.reset(now)

    def reset(self, now: datetime) -> None:
        """Make every instance what the fleet says, at that time."""
        for account in self:
            account.clear()
        for account_id, profile in self._owned:
            account = self._accounts[account_id]
            account.replace(initial(profile, account.behaviour, now))

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
