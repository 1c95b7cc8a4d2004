"""Instances and regions as alarms name them: ids, ARNs, labels."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from function.events.json_reader import Node, quote
from function.model.request import INSTANCE_ID, REGION_ID

MAX_REGION = 64
# A label's name becomes part of an error's path.
MAX_LABEL = 32

# acs:SERVICE:REGION:ACCOUNT:TYPE/ID. A subject of EventBridge may begin with `acs.`; its last part is free.
_ARN = re.compile(r"acs[:.](?P<service>[a-z0-9-]+):(?P<region>[^:]*):[^:]*:(?P<rest>.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Arn:
    """What an ARN says; `kind` and `resource_id` are empty where its end is not `TYPE/ID`."""

    service: str
    region_id: str | None
    kind: str
    resource_id: str


def read_arn(node: Node | None) -> Arn | None:
    """Take an ARN apart, None if it is none. A region that can't be one counts as not said."""
    found = _ARN.fullmatch(node.value) if node and isinstance(node.value, str) else None
    if found is None:
        return None
    kind, slash, resource_id = found["rest"].partition("/")
    region_id = found["region"] if _is_region(found["region"]) else None
    return Arn(found["service"], region_id, kind if slash else "", resource_id)


def read_instance_id(node: Node) -> str:
    """Read the id of an ECS instance. Raise `InvalidEvent` for the id of anything else."""
    if not isinstance(node.value, str) or not INSTANCE_ID.fullmatch(node.value):
        node.fail(
            f"is {quote(node.value)}, not an ECS instance like i-bp67acfmxazb4ph001; nothing else is stopped"
        )
    return node.value


def read_region(node: Node) -> str:
    """Read a region. Raise `InvalidEvent`."""
    if not isinstance(node.value, str) or not _is_region(node.value):
        node.fail(f"is {quote(node.value)}; it must be a region such as cn-hangzhou")
    return node.value


def settle_region(arn: Arn | None, told: Node | None) -> tuple[str | None, tuple[str, ...]]:
    """Choose between an ARN's region and the one told beside it: the ARN wins, and a note says so."""
    region_id = read_region(told) if told else None
    if arn is None or arn.region_id is None:
        return region_id, ()
    if told is None or region_id == arn.region_id:
        return arn.region_id, ()
    return arn.region_id, (f"{told} is {region_id}, but the ARN says {arn.region_id}, which is taken",)


def labelled_instance(labels: Node) -> str | None:
    """Find the instance that labels name: `instanceId` however it is spelt, or an `instance` that is an id.

    Raise `InvalidEvent` where the label holds something else, or two labels contradict each other.
    """
    ids = {read_instance_id(label) for label in _labels(labels, "instanceid")}
    ids |= {
        str(label.value)
        for label in _labels(labels, "instance")
        if isinstance(label.value, str) and INSTANCE_ID.fullmatch(label.value)
    }
    if len(ids) > 1:
        labels.fail(
            f"name several instances, {quote(', '.join(sorted(ids)))}; it must be clear which one is meant"
        )
    return next(iter(ids), None)


def labelled_region(labels: Node) -> str | None:
    """Find the region that labels name: `regionId` however it is spelt, else a `region` that is one."""
    for label in _labels(labels, "regionid"):
        return read_region(label)
    for label in _labels(labels, "region"):
        if isinstance(label.value, str) and _is_region(label.value):
            return label.value
    return None


def names_a_place(label: str) -> bool:
    """Tell whether a label of this name can say which instance, or which region."""
    return _plain(label) in {"instanceid", "instance", "regionid", "region"}


def _labels(labels: Node, plain: str) -> Iterator[Node]:
    for key, value in labels.object().items():
        if _plain(key) == plain and value is not None:
            yield Node(value, labels.below(key))


def _plain(label: str) -> str:
    """Give a label's name however it is spelt; nothing for one that is too long."""
    return label.replace("_", "").lower() if len(label) <= MAX_LABEL else ""


def _is_region(text: str) -> bool:
    return len(text) <= MAX_REGION and REGION_ID.fullmatch(text) is not None
