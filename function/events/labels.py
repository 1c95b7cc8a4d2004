"""Instances and regions as labels name them: those of alerts, dimensions of metrics, rows of a query."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from functools import lru_cache

from function.events.arn import is_region, read_region
from function.events.json_reader import Node, quote
from function.model.request import INSTANCE_ID, InvalidEvent

# A label's name becomes part of an error's path.
MAX_LABEL = 32
_PLACES = frozenset({"instanceid", "instance", "regionid", "region"})


@dataclass(frozen=True, slots=True)
class Target:
    """An instance, and the region where it is, if that is said."""

    instance_id: str
    region_id: str | None


class Lack(Enum):
    """In which way labels mean no instance."""

    NOTHING = auto()
    """They name nothing."""
    UNCLEAR = auto()
    """They name more than one, or can't be read."""
    SOMETHING_ELSE = auto()
    """They name what is no ECS instance."""


@dataclass(frozen=True, slots=True)
class NoTarget:
    """Why labels mean no instance."""

    lack: Lack
    message: str


def find_target(labels: Node) -> Target | NoTarget:
    """Find the instance that labels name: `instanceId` in any spelling, or an `instance` that is an id."""
    try:
        places = _places(labels)
        named = [label for label in places.get("instanceid", ()) if not label.is_blank()]
        ids = {str(label.value) for label in named if is_instance_id(label)}
        others = [label for label in named if not is_instance_id(label)]
        ids |= {str(label.value) for label in places.get("instance", ()) if is_instance_id(label)}
        if len(ids) + len(others) > 1:
            shown = ", ".join(sorted({*ids, *(str(label.value) for label in others)}))
            return NoTarget(
                Lack.UNCLEAR,
                f"{labels} name several instances, {quote(shown)}; it must be clear which one is meant",
            )
        if others:
            return not_an_instance(others[0])
        if not ids:
            return NoTarget(Lack.NOTHING, f"{labels} name no ECS instance (by instanceId or instance_id)")
        return Target(ids.pop(), _find_region(labels, places))
    except InvalidEvent as error:
        return NoTarget(Lack.UNCLEAR, str(error))


def is_instance_id(node: Node) -> bool:
    """Tell whether this is the id of an ECS instance."""
    return isinstance(node.value, str) and INSTANCE_ID.fullmatch(node.value) is not None


def not_an_instance(node: Node) -> NoTarget:
    """Say that this is something else than the id of an ECS instance."""
    return NoTarget(
        Lack.SOMETHING_ELSE,
        f"{node} is {quote(node.value)}, not an ECS instance like i-bp67acfmxazb4ph001; "
        "nothing else is stopped",
    )


def names_a_place(label: str) -> bool:
    """Tell whether a label of this name can say which instance, or which region."""
    return _plain(label) in _PLACES


def _places(labels: Node) -> dict[str, list[Node]]:
    """Give the labels that name a place, by their plain names."""
    places: dict[str, list[Node]] = {}
    for key, value in labels.object().items():
        if value is not None and (plain := _plain(key)) in _PLACES:
            places.setdefault(plain, []).append(Node(value, labels.below(key)))
    return places


def _find_region(labels: Node, places: Mapping[str, Sequence[Node]]) -> str | None:
    """Find the region that labels name: `regionId` however it is spelt, else a `region` that is one."""
    regions = {region for label in places.get("regionid", ()) if (region := read_region(label))}
    if len(regions) > 1:
        labels.fail(
            f"name several regions, {', '.join(sorted(regions))}; it must be clear which one is meant"
        )
    if regions:
        return regions.pop()
    named = (label.value for label in places.get("region", ()))
    return next((value for value in named if isinstance(value, str) and is_region(value)), None)


@lru_cache(maxsize=1_000)
def _plain(label: str) -> str:
    """Give a label's name however it is spelt; nothing for one that is too long."""
    return label.replace("_", "").replace("-", "").lower() if len(label) <= MAX_LABEL else ""
