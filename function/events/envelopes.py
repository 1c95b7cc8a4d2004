"""What wraps an event on its way: EventBridge's envelope, and messages of queues and topics."""

import base64

from function.events.arn import read_region
from function.events.json_reader import Json, Node, quote
from function.events.request_body import read_selection
from function.model.frozen import frozen
from function.model.request import SHARD, Selection, Source

_SERVICES = ("acs.", "acs:")
_ECS = "ecs"
_OF_QUEUES = frozenset({"acs.mns", "acs:mns", "acs.smq", "acs:smq"})


@frozen
class Service:
    """A service of Alibaba Cloud that tells of itself: the source and the type of its event."""

    source: str
    event_type: Json

    @property
    def name(self) -> str:
        """What the service is called, such as `cms`."""
        return self.source[len(_SERVICES[0]) :]

    def __str__(self) -> str:
        """Show both."""
        return f"{quote(self.event_type)} of {quote(self.source)}"


@frozen(kw_only=True)
class HandedOn:
    """What the function itself says of an event that it has taken in before, and hands on.

    `origin`: whence it came. `admitted`: it was found new enough. `selection`: by which its instances were
    found. `tells_of_start`: the event itself told of it.
    """

    origin: Source | None = None
    admitted: bool = False
    selection: Selection | None = None
    tells_of_start: bool = False


NOT_HANDED_ON = HandedOn()
"""Any other event."""


@frozen(kw_only=True)
class Content:
    """The event that was wrapped, and what the wrapping says of it.

    `region_id`: ECS's own word for its event's region. `ram_authorized`: RAM vouches for who wrote it.
    """

    event: Node
    region_id: str | None = None
    ram_authorized: bool = True
    handed_on: HandedOn = NOT_HANDED_ON


def is_cloud_event(event: Node) -> bool:
    """Tell an envelope of CloudEvents 1.0, whose `data` holds the event."""
    return _is_enveloped(event) and not is_ecs_event(event)


def is_ecs_event(event: Node) -> bool:
    """Tell a CloudEvent of ECS itself, whose `data` is only the content of a system event."""
    if not _is_enveloped(event):
        return False
    kind, service = event.object().get("type"), service_of(event)
    told = service.name == _ECS if service else isinstance(kind, str) and kind.startswith("ecs:")
    if not told:
        return False
    data = event.find_structure("data")
    if data is None or not data.has("content"):
        return True
    # A whole system event, as CloudMonitor has it, says itself when and what; other content is only that.
    return isinstance(kind, str) and kind.startswith("ecs:") and not data.has("name", "eventTime")


def service_of(event: Node) -> Service | None:
    """Say which service of Alibaba Cloud tells of itself here; None: somebody else, or by way of a queue."""
    source = _source(event)
    if source in _OF_QUEUES or not source.startswith(_SERVICES):
        return None
    return Service(source, event.object().get("type"))


def _is_enveloped(event: Node) -> bool:
    return event.has("specversion") or event.has("source", "type", "data")


def open_cloud_event(event: Node) -> Content:
    """Take what is in `data`."""
    service = service_of(event)
    data = event.find("data") if service else event.field("data")
    return Content(
        event=data or Node(None, event.below("data")),
        region_id=read_region(event.find("aliyunregionid")) if service and service.name == _ECS else None,
        handed_on=_handed_on(event) if event.object().get("type") == SHARD else NOT_HANDED_ON,
    )


def _handed_on(event: Node) -> HandedOn:
    fields, selection = event.object(), event.find_structure("selection")
    origin = fields.get("origin")
    return HandedOn(
        origin=Source(origin) if origin in set(Source) else None,
        admitted=fields.get("admitted") is True,
        selection=read_selection(selection) if selection else None,
        tells_of_start=fields.get("tells_of_start") is True,
    )


def _source(event: Node) -> str:
    source = event.object().get("source")
    return source.casefold() if isinstance(source, str) else ""


def is_queue_message(event: Node) -> bool:
    """Tell a message of a queue, as EventBridge has it in `data`."""
    return event.has("messageBody")


def is_topic_message(event: Node) -> bool:
    """Tell a message of a topic in its JSON form."""
    return event.has("Message") and event.has_any(
        "TopicName", "TopicOwner", "PublishTime", "SubscriptionName"
    )


def open_queue_message(event: Node) -> Content:
    """Take what is in `messageBody`. Who may write into a queue need not be one who may stop instances."""
    return Content(event=_opened(event.field("messageBody")), ram_authorized=False)


def open_topic_message(event: Node) -> Content:
    """Take what is in `Message`, likewise."""
    return Content(event=_opened(event.field("Message")), ram_authorized=False)


def _opened(message: Node) -> Node:
    if not isinstance(message.value, str):
        return message
    opened = open_text(message)
    if opened is None:
        message.fail(f"is {quote(message.text())}; it must be the JSON of an event, as it is or in base64")
    return opened


def open_text(text: Node) -> Node | None:
    """Read a text that holds an event: JSON, as it is, or in base64 (SDKs of MNS encode). None: neither."""
    written = str(text.value)
    if text.is_json():
        return text.json()
    if written.lstrip().startswith('"'):
        return open_text(text.json())  # encoded twice
    try:
        decoded = Node(base64.b64decode("".join(written.split()), validate=True).decode(), text.path)
    except ValueError:
        return None
    # The alphabet of base64 has neither braces nor brackets, so there is no doubt which of both it is.
    return decoded.json() if decoded.is_json() else None
