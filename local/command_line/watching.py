"""A way to ECS that passes every call on; those who watch calls on their way change the ones they watch."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from function.model.errors import CloudError
from function.model.instance import LocalDisks
from function.model.ports import Ecs, Page, StopCall
from function.model.request import Selection


@dataclass(frozen=True, slots=True)
class PassedOn:
    """`Ecs`, passed on."""

    ecs: Ecs

    def describe(self, instance_ids: Sequence[str], *, seconds: float) -> Page:
        """See `Ecs.describe`."""
        return self.ecs.describe(instance_ids, seconds=seconds)

    def select(self, selection: Selection, next_token: str | None, *, seconds: float) -> Page:
        """See `Ecs.select`."""
        return self.ecs.select(selection, next_token, seconds=seconds)

    def local_disks(self, instance_types: Sequence[str], *, seconds: float) -> Mapping[str, LocalDisks]:
        """See `Ecs.local_disks`."""
        return self.ecs.local_disks(instance_types, seconds=seconds)

    def stop(self, call: StopCall, *, seconds: float, fresh_seconds: float) -> str:
        """See `Ecs.stop`."""
        return self.ecs.stop(call, seconds=seconds, fresh_seconds=fresh_seconds)

    def stop_together(
        self, calls: Sequence[StopCall], *, seconds: float, fresh_seconds: float
    ) -> Mapping[str, str | CloudError]:
        """See `Ecs.stop_together`."""
        return self.ecs.stop_together(calls, seconds=seconds, fresh_seconds=fresh_seconds)
