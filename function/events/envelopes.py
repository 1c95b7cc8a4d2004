"""What wraps an event on its way: EventBridge's envelope and the MNS message."""

import base64
from dataclasses import dataclass

from function.events.arn import read_arn, settle_region
from function.events.json_reader import Node, quote


@dataclass(frozen=True, slots=True)
class Inside:
    """The event that was wrapped, and what the wrapping says of it."""

    event: Node
    region_id: str | None = None
    notes: tuple[str, ...] = ()


def is_cloud_event(event: Node) -> bool:
    """Tell whether this is an envelope of CloudEvents 1.0."""
    return event.has("specversion") or event.has("source", "type", "data")


def is_ecs_event(event: Node) -> bool:
    """Tell whether this is a CloudEvent of ECS itself, whose `data` is only the content of a system event."""
    if not is_cloud_event(event):
        return False
    kind, data = event.find("type"), event.find("data")
    ours = kind is not None and isinstance(kind.value, str) and kind.value.startswith("ecs:")
    return ours and not (data and data.has("content"))


def open_cloud_event(event: Node) -> Inside:
    """Take what is in `data`; the region of `subject` (an ARN) or `aliyunregionid`, where that has none."""
    region_id, notes = settle_region(read_arn(event.find("subject")), event.find("aliyunregionid"))
    return Inside(event.field("data"), region_id, notes)


def open_mns_message(event: Node) -> Inside:
    """Take what is in `messageBody`: JSON, in base64 where the sender encoded it (MNS SDKs do)."""
    message = event.field("messageBody")
    # The alphabet of base64 has neither braces nor brackets, so there is no doubt which of both it is.
    if message.is_json():
        return Inside(message.json())
    text = message.text()
    try:
        decoded = base64.b64decode(text, validate=True).decode()
    except ValueError:
        message.fail(f"is {quote(text)}; it must be the JSON of an event, as it is or in base64")
    return Inside(Node(decoded, message.path).json())
