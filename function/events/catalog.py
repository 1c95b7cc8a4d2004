"""Every kind of event that can arrive: how it is recognised, what stands where, who reads it."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from function.events import alarms, envelopes
from function.events.json_reader import Node, quote
from function.events.request_body import EXAMPLE, looks_like, read_request
from function.model.request import InvalidEvent, Source, StopRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of event: `events/<name>.json` is its sample, `recognise` tells it from all kinds below it.

    Its id is `own_id`'s, else a digest of the event. Its time stands in the first of the fields `times` that
    is there.
    """

    name: str
    sent_by: str
    recognise: Callable[[Node], bool]
    own_id: Callable[[Node], str | None] = lambda _: None
    times: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Wrapping(Kind):
    """A kind that only carries another event: it names it, and dates it where its kind has no time."""

    open: Callable[[Node], envelopes.Inside]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender(Kind):
    """A kind that asks for something. `read` completes the draft, which has the event's id and time."""

    source: Source
    read: Callable[[Node, StopRequest], Iterable[StopRequest | InvalidEvent]]


def _text_in(key: str) -> Callable[[Node], str | None]:
    def own_id(event: Node) -> str | None:
        found = event.find(key)
        return found.value if found and isinstance(found.value, str) else None

    return own_id


def _timer_id(event: Node) -> str:
    return f"{event.field('triggerName').word()}@{event.field('triggerTime').word()}"


def _read_timer(event: Node, draft: StopRequest) -> Iterator[StopRequest]:
    """Do what `payload` says, a `StopRequest` in JSON."""
    payload = event.field("payload")
    if not payload.is_json():
        payload.fail(
            f"is {quote(payload.value)}; it must be a text that says what to stop, such as {EXAMPLE}"
        )
    yield read_request(payload.json(), draft)


def _read_request(event: Node, draft: StopRequest) -> Iterator[StopRequest]:
    """Do what it says."""
    yield read_request(event, draft)


# All that can arrive, in the order in which it is recognised. docs/events.md has the same table.
CATALOG: tuple[Wrapping | Sender, ...] = (
    Sender(
        name="eventbridge.ecs",
        source=Source.CMS_EVENT,
        sent_by="EventBridge: an event of ECS itself",
        recognise=envelopes.is_ecs_event,
        own_id=_text_in("id"),
        times=("time",),
        read=alarms.read_ecs_event,
    ),
    Wrapping(
        name="eventbridge",
        sent_by="EventBridge: any other event, one or an array",
        recognise=envelopes.is_cloud_event,
        own_id=_text_in("id"),
        times=("time",),
        open=envelopes.open_cloud_event,
    ),
    Wrapping(
        name="mns",
        sent_by="MNS through EventBridge",
        recognise=lambda event: event.has("messageBody"),
        open=envelopes.open_mns_message,
    ),
    Sender(
        name="timer",
        source=Source.TIMER,
        sent_by="FC timer trigger",
        recognise=lambda event: event.has("triggerTime") or event.has("triggerName"),
        own_id=_timer_id,
        times=("triggerTime",),
        read=_read_timer,
    ),
    Sender(
        name="alertmanager",
        source=Source.ALERTMANAGER,
        sent_by="ARMS or Prometheus Alertmanager",
        recognise=lambda event: event.has("alerts"),
        read=alarms.read_alertmanager,
    ),
    Sender(
        name="cms.callback",
        source=Source.CMS_CALLBACK,
        sent_by="CloudMonitor threshold alarm, URL callback through an HTTP trigger",
        recognise=lambda event: event.has("alertState"),
        times=("timestamp",),
        read=alarms.read_callback,
    ),
    Sender(
        name="cms.alarm",
        source=Source.CMS_ALARM,
        sent_by="CloudMonitor threshold alarm",
        recognise=lambda event: event.has("curLevel") or event.has("ruleName") or event.has("metricData"),
        times=("time",),
        read=alarms.read_metric_alarm,
    ),
    Sender(
        name="cms.event",
        source=Source.CMS_EVENT,
        sent_by="CloudMonitor system event",
        recognise=lambda event: (
            event.has("eventTime") or event.has("resourceId") or event.has("name", "content")
        ),
        own_id=_text_in("id"),
        times=("eventTime",),
        read=alarms.read_system_event,
    ),
    Sender(
        name="sls.alert",
        source=Source.SLS_ALERT,
        sent_by="Simple Log Service alert",
        recognise=lambda event: event.has("alert_id") or event.has("alert_name") or event.has("fire_time"),
        own_id=_text_in("alert_instance_id"),
        times=("alert_time", "fire_time"),
        read=alarms.read_log_alert,
    ),
    Sender(
        name="request",
        source=Source.REQUEST,
        sent_by="you: by hand, or a rule of EventBridge that reshapes its events (TEMPLATE)",
        recognise=looks_like,
        read=_read_request,
    ),
)
