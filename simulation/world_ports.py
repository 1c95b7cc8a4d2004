"""What a run of `simulation.explore` takes from outside: the clock, the workers and the ECS of its world."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Generic

from function.model.errors import CloudError
from function.model.instance import LocalDisks
from function.model.ports import Item, Page, Pool, Returned, StopCall, Unfinished
from function.model.request import Selection
from simulation.single import World, instance


class WorldClock:
    """`function.model.ports.Clock` of a world."""

    def __init__(self, world: World) -> None:
        self.now: Callable[[], datetime] = world.time
        self.monotonic, self.sleep = world.monotonic, world.sleep


@dataclass(frozen=True, slots=True)
class WorldWorkers:
    """Does one thing after the other; what ends after its time is given up."""

    world: World

    def pool(self, function: Callable[[Item], Returned], *, limit: int) -> Pool[Item, Returned]:
        """See `function.model.ports.Workers.pool`."""
        del limit
        return WorldPool(self.world, function)


@dataclass(slots=True)
class WorldPool(Generic[Item, Returned]):
    """`function.model.ports.Pool` that does all as soon as somebody waits for it."""

    world: World
    function: Callable[[Item], Returned]
    waiting: list[Item] = field(default_factory=list)
    running: list[tuple[float, Item, Returned]] = field(default_factory=list)

    def submit(self, item: Item) -> None:
        """See `function.model.ports.Pool.submit`."""
        self.waiting.append(item)

    def wait(self, seconds: float) -> Sequence[tuple[Item, Returned]]:
        """See `function.model.ports.Pool.wait`."""
        end = self.world.now + seconds
        while self.waiting:
            began, item = self.world.now, self.waiting.pop()
            result = self.function(item)
            self.running.append((self.world.now, item, result))
            self.world.now = began
        done = [(item, result) for moment, item, result in self.running if moment <= end]
        self.world.now = max((moment for moment, _, _ in self.running if moment <= end), default=end)
        self.running = [one for one in self.running if one[0] > end]
        return done

    def close(self) -> Sequence[tuple[Item, Returned | Unfinished]]:
        """See `function.model.ports.Pool.close`."""
        return [
            *((item, Unfinished.NOT_STARTED) for item in self.waiting),
            *((item, Unfinished.ABANDONED) for _, item, _ in self.running),
        ]


@dataclass(frozen=True, slots=True)
class WorldEcs:
    """`function.model.ports.Ecs` of a world."""

    world: World

    def describe(self, instance_ids: Sequence[str], *, seconds: float) -> Page:
        """See `function.model.ports.Ecs.describe`."""
        del instance_ids, seconds
        status = self.world.describe()
        return Page(instances=() if status == "gone" else (instance(status, restarted=self.world.restarted),))

    def stop(self, call: StopCall, *, seconds: float, fresh_seconds: float) -> str:
        """See `function.model.ports.Ecs.stop`."""
        del seconds, fresh_seconds
        return self.world.stop(call)

    def select(self, selection: Selection, next_token: str | None, *, seconds: float) -> Page:
        """Nothing is listed here."""
        raise NotImplementedError

    def local_disks(self, instance_types: Sequence[str], *, seconds: float) -> Mapping[str, LocalDisks]:
        """No type is asked for here."""
        raise NotImplementedError

    def stop_together(
        self, calls: Sequence[StopCall], *, seconds: float, fresh_seconds: float
    ) -> Mapping[str, str | CloudError]:
        """One instance is never stopped together with others."""
        raise NotImplementedError
