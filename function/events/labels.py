"""Instances and regions as labels name them: those of alerts, dimensions of metrics, rows of a query."""

from collections.abc import Mapping, Sequence
from functools import lru_cache

from function.events.arn import is_region, read_region
from function.events.json_reader import Node, quote
from function.model.frozen import frozen
from function.model.request import INSTANCE_ID, InvalidEvent

MAX_LABEL = 32
"""Characters of a label that may identify something: its name becomes part of an error's path."""

_IDENTIFYING = frozenset({"instanceid", "instance", "regionid", "region"})


@frozen
class InstanceRef:
    """An instance, and the region where it is, if that is said."""

    instance_id: str
    region_id: str | None


@frozen
class NoInstance:
    """Why labels mean no instance."""

    message: str


class Absent(NoInstance):
    """They name nothing."""

    __slots__ = ()


class Unclear(NoInstance):
    """They name more than one, or can't be read."""

    __slots__ = ()


class OtherResource(NoInstance):
    """They name what is no ECS instance."""

    __slots__ = ()


def find_instance(labels: Node) -> InstanceRef | NoInstance:
    """Find the instance that labels name: `instanceId` in any spelling, or an `instance` that is an id."""
    try:
        identifying = _identifying(labels)
        named = [label for label in identifying.get("instanceid", ()) if not label.is_blank()]
        ids = {str(label.value) for label in named if is_instance_id(label)}
        others = [label for label in named if not is_instance_id(label)]
        ids |= {str(label.value) for label in identifying.get("instance", ()) if is_instance_id(label)}
        if len(ids) + len(others) > 1:
            shown = ", ".join(sorted({*ids, *(str(label.value) for label in others)}))
            return Unclear(
                f"{labels} name several instances, {quote(shown)}; it must be clear which one is meant",
            )
        if others:
            return not_an_instance(others[0])
        if not ids:
            return Absent(f"{labels} name no ECS instance (by instanceId or instance_id)")
        return InstanceRef(ids.pop(), _find_region(labels, identifying))
    except InvalidEvent as error:
        return Unclear(str(error))


def is_instance_id(node: Node) -> bool:
    """Tell whether this is the id of an ECS instance."""
    return isinstance(node.value, str) and INSTANCE_ID.fullmatch(node.value) is not None


def not_an_instance(node: Node) -> NoInstance:
    """Say that this is something else than the id of an ECS instance."""
    return OtherResource(
        f"{node} is {quote(node.value)}, not an ECS instance like i-bp67acfmxazb4ph001; "
        "nothing else is stopped",
    )


def is_identifying(label: str) -> bool:
    """Tell whether a label of this name can say which instance, or which region."""
    return _normalized(label) in _IDENTIFYING


def _identifying(labels: Node) -> dict[str, list[Node]]:
    """Give the labels that can say which instance or which region, by their normalized names."""
    found: dict[str, list[Node]] = {}
    for key, value in labels.object().items():
        if value is not None and (name := _normalized(key)) in _IDENTIFYING:
            found.setdefault(name, []).append(Node(value, labels.below(key)))
    return found


def _find_region(labels: Node, identifying: Mapping[str, Sequence[Node]]) -> str | None:
    """Find the region that labels name: `regionId` however it is spelt, else a `region` that is one."""
    regions = {region for label in identifying.get("regionid", ()) if (region := read_region(label))}
    if len(regions) > 1:
        labels.fail(
            f"name several regions, {', '.join(sorted(regions))}; it must be clear which one is meant"
        )
    if regions:
        return regions.pop()
    named = (label.value for label in identifying.get("region", ()))
    return next((value for value in named if isinstance(value, str) and is_region(value)), None)


@lru_cache(maxsize=1_000)
def _normalized(label: str) -> str:
    """Give a label's name however it is spelt; nothing for one that is too long."""
    return normalize(label) if len(label) <= MAX_LABEL else ""


def normalize(name: str) -> str:
    """Give a name however it is spelt: `instance_id`, `instance-id` and `InstanceId` are one."""
    return name.replace("_", "").replace("-", "").lower()
