"""ARNs and regions as events name them."""

import re

from function.events.json_reader import Node, quote
from function.model.frozen import frozen
from function.model.request import REGION_ID

MAX_REGION = 64
"""Characters: twice as many as the longest region that the SDK knows has, cn-hangzhou-internal-prod-1."""

# acs:SERVICE:REGION:ACCOUNT:TYPE/ID. A subject of EventBridge may begin with `acs.`; its last part is free.
_ARN = re.compile(
    r"acs[:.](?P<service>[a-z0-9-]+):(?P<region>[^:]*):[^:]*:(?P<rest>.*)", re.DOTALL | re.IGNORECASE
)


@frozen
class Arn:
    """What an ARN says; `kind` and `resource_id` are empty where its end is not `TYPE/ID`."""

    service: str
    region_id: str | None
    kind: str
    resource_id: str

    @property
    def is_instance(self) -> bool:
        """Whether it is the ARN of an ECS instance."""
        return (self.service, self.kind) == ("ecs", "instance")


def read_arn(node: Node | None) -> Arn | None:
    """Take an ARN apart, None if it is none. A region that can't be one counts as not said.

    Blanks around it, and capitals but for the resource's own id, mean nothing.
    """
    found = _ARN.fullmatch(node.value.strip()) if node and isinstance(node.value, str) else None
    if found is None:
        return None
    kind, slash, resource_id = found["rest"].partition("/")
    region_id = found["region"].lower()
    region_id = region_id if is_region(region_id) else None
    return Arn(found["service"].lower(), region_id, kind.casefold() if slash else "", resource_id)


def read_region(node: Node | None) -> str | None:
    """Read a region, None where none is said. Raise `InvalidEvent` for a text that can't be one."""
    if node is None or node.is_blank():
        return None
    if not isinstance(node.value, str) or not is_region(node.value):
        node.fail(f"is {quote(node.value)}; it must be a region such as cn-hangzhou")
    return node.value


def is_region(text: str) -> bool:
    """Tell whether a text has the form of a region's id."""
    return len(text) <= MAX_REGION and REGION_ID.fullmatch(text) is not None


def settle_region(arn: Arn | None, beside: Node | None) -> tuple[str | None, tuple[str, ...]]:
    """Choose between an ARN's region and the one beside it: the ARN wins, and a note says so.

    Raise `InvalidEvent` for a region beside that can't be one, where it would be needed.
    """
    if arn is None or arn.region_id is None:
        return read_region(beside), ()
    if beside is None or beside.is_blank() or beside.value == arn.region_id:
        return arn.region_id, ()
    return arn.region_id, (
        f"{beside} is {quote(beside.value)}, but the ARN says {arn.region_id}, which is taken",
    )
