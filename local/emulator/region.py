"""One account's instances in one region: found by id, listed as reads show them, and by filters, fast.

A listing of ten thousand has to cost next to nothing, since every first page is one. So the list is kept in
order, with the few that are on their way beside it, and what a filter found is kept until an instance that
it looked at could have changed.
"""

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from datetime import datetime

from local.emulator.lifecycle import EmulatedInstance

Instances = list[EmulatedInstance]

MOST_SEARCHES = 64
"""Searches whose result is kept: a listing's pages ask the same again and again."""


class Region(Mapping[str, EmulatedInstance]):
    """The instances by id, in the fleet's order; not for several threads at once."""

    def __init__(self) -> None:
        self._listed: list[EmulatedInstance] = []
        self._positions: dict[str, int] = {}
        self._moving: set[str] = set()
        self._searches: dict[Hashable, Sequence[int]] = {}

    def __getitem__(self, instance_id: str) -> EmulatedInstance:
        """Return an instance as it was last changed; KeyError where there is none."""
        return self._listed[self._positions[instance_id]]

    def __contains__(self, instance_id: object) -> bool:
        return instance_id in self._positions

    def __iter__(self) -> Iterator[str]:
        return iter(self._positions)

    def __len__(self) -> int:
        return len(self._listed)

    def put(self, instance: EmulatedInstance) -> None:
        """Put an instance in the place of what it was, a new one behind all others."""
        position = self._positions.setdefault(instance.instance_id, len(self._listed))
        if position == len(self._listed):
            self._listed.append(instance)
            self._searches.clear()
        else:
            if self._listed[position].profile is not instance.profile:
                self._searches.clear()
            self._listed[position] = instance
        if instance.changes_at is not None or instance.former is not None:
            self._moving.add(instance.instance_id)
        else:
            self._moving.discard(instance.instance_id)

    def remove(self, instance_id: str) -> None:
        """Forget an instance."""
        del self._listed[self._positions[instance_id]]
        self._positions = {each.instance_id: position for position, each in enumerate(self._listed)}
        self._moving.discard(instance_id)
        self._searches.clear()

    def shown(self, now: datetime) -> list[EmulatedInstance]:
        """Return all instances as reads show them at that time."""
        shown = self._listed.copy()
        for instance_id in tuple(self._moving):
            position = self._positions[instance_id]
            instance = self._listed[position]
            shown[position] = instance.described(now)
            if instance.settled(now):
                self._listed[position] = shown[position]
                self._moving.discard(instance_id)
        return shown

    def search(
        self,
        asked: Hashable,
        now: datetime,
        narrow: Callable[[list[EmulatedInstance]], list[EmulatedInstance]],
    ) -> list[EmulatedInstance]:
        """Return those, as reads show them, that `narrow` leaves; it looks at nothing but profiles.

        `asked`: what tells one search from another.
        """
        shown = self.shown(now)
        if any(self[each].profile is not shown[self._positions[each]].profile for each in self._moving):
            return narrow(shown)  # reads lag behind here: what is kept is about profiles as they are
        if asked not in self._searches:
            if len(self._searches) >= MOST_SEARCHES:
                self._searches.pop(next(iter(self._searches)))
            self._searches[asked] = [self._positions[each.instance_id] for each in narrow(shown)]
        return [shown[position] for position in self._searches[asked]]
