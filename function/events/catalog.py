"""Every kind of event that can arrive: how it is recognised, what stands where, who reads it."""

from collections.abc import Callable, Iterable, Iterator

from function.events import alarms, alerts, envelopes, system_events
from function.events.json_reader import Node, quote
from function.events.request_body import EXAMPLE, looks_like, read_request
from function.model.frozen import frozen
from function.model.request import InvalidEvent, Source, StopRequest

Find = Callable[[Node], Node | None]


@frozen(kw_only=True)
class Kind:
    """One kind of event: `events/<name>.json` is its sample.

    `recognise` tells it by what makes it what it is, so that no event is of two kinds. Its id is `own_id`'s,
    else a digest of the event. `time` finds its time; None: its kind has none.
    """

    name: str
    sent_by: str
    recognise: Callable[[Node], bool]
    own_id: Callable[[Node], str | None] = lambda _: None
    time: Find | None = None


@frozen(kw_only=True)
class Wrapping(Kind):
    """A kind that only carries another event: it names it, and dates it where its kind has no time.

    `service` says which service of Alibaba Cloud tells of itself in it.
    """

    open: Callable[[Node], envelopes.Content]
    service: Callable[[Node], envelopes.Service | None] = lambda _: None


@frozen(kw_only=True)
class Sender(Kind):
    """A kind that asks for something. `read` completes the request that has the event's id and time.

    `services`: those of Alibaba Cloud that send it in EventBridge's envelope, in their own name.
    """

    source: Source
    services: frozenset[str] = frozenset()
    read: Callable[[Node, StopRequest], Iterable[StopRequest | InvalidEvent]]


def _text_in(*keys: str) -> Callable[[Node], str | None]:
    def own_id(event: Node) -> str | None:
        values = (event.object().get(key) for key in keys)
        return next((value for value in values if isinstance(value, str) and value), None)

    return own_id


def _first_of(*keys: str) -> Find:
    """Find the first of these fields that is there; the first is the one that is missed."""

    def find(event: Node) -> Node | None:
        return next((found for key in keys if (found := event.find(key))), None) or Node(
            None, event.below(keys[0])
        )

    return find


def _timer_id(event: Node) -> str:
    return f"{event.field('triggerName').word()}@{event.field('triggerTime').word()}"


def _subscription_id(event: Node) -> str | None:
    return _text_in("traceId", "dedupId")(system_events.alert_of(event))


def _subscription_time(event: Node) -> Node | None:
    """Find the time of an alert, but of one that stops nothing whenever it was."""
    alert = system_events.alert_of(event)
    return None if system_events.alert_problem(alert) else _first_of("timestamp")(alert)


def _read_timer(event: Node, base: StopRequest) -> Iterator[StopRequest]:
    """Do what `payload` says, a `StopRequest` in JSON."""
    payload = event.field("payload")
    if not payload.is_json():
        payload.fail(
            f"is {quote(payload.value)}; it must be a text that says what to stop, such as {EXAMPLE}"
        )
    yield read_request(payload.json(), base)


def _read_request(event: Node, base: StopRequest) -> Iterator[StopRequest]:
    """Do what it says."""
    yield read_request(event, base)


def _is_timer(event: Node) -> bool:
    return sum(event.has(key) for key in ("triggerTime", "triggerName", "payload")) > 1


# All that can arrive. The documents' table is checked against this one.
CATALOG: tuple[Wrapping | Sender, ...] = (
    Sender(
        name="timer",
        source=Source.TIMER,
        sent_by="FC timer trigger",
        recognise=_is_timer,
        own_id=_timer_id,
        time=_first_of("triggerTime"),
        read=_read_timer,
    ),
    Sender(
        name="cms.event",
        source=Source.CMS_EVENT,
        sent_by="CloudMonitor system event",
        recognise=system_events.is_system_event,
        own_id=_text_in("id"),
        time=_first_of("eventTime"),
        services=frozenset({"cms", "ecs"}),
        read=system_events.read_system_event,
    ),
    Sender(
        name="cms.subscription",
        source=Source.CMS_EVENT,
        sent_by="CloudMonitor event subscription, webhook through an HTTP trigger",
        recognise=system_events.is_subscription,
        own_id=_subscription_id,
        time=_subscription_time,
        services=frozenset({"cms"}),
        read=system_events.read_subscription,
    ),
    Sender(
        name="cms.alarm",
        source=Source.CMS_ALARM,
        sent_by="CloudMonitor threshold alarm",
        recognise=alarms.is_metric_alarm,
        time=_first_of("time"),
        services=frozenset({"cms"}),
        read=alarms.read_metric_alarm,
    ),
    Sender(
        name="cms.callback",
        source=Source.CMS_CALLBACK,
        sent_by="CloudMonitor threshold alarm, URL callback through an HTTP trigger",
        recognise=alarms.is_callback,
        time=_first_of("timestamp"),
        services=frozenset({"cms"}),
        read=alarms.read_callback,
    ),
    Sender(
        name="sls.alert",
        source=Source.SLS_ALERT,
        sent_by="Simple Log Service alert",
        recognise=alerts.is_log_alert,
        own_id=_text_in("alert_instance_id"),
        time=_first_of("alert_time", "fire_time"),
        services=frozenset({"sls"}),
        read=alerts.read_log_alert,
    ),
    Sender(
        name="alertmanager",
        source=Source.ALERTMANAGER,
        sent_by="ARMS, Grafana or Prometheus Alertmanager",
        recognise=alerts.is_alertmanager,
        services=frozenset({"arms"}),
        read=alerts.read_alertmanager,
    ),
    Sender(
        name="eventbridge.ecs",
        source=Source.CMS_EVENT,
        sent_by="EventBridge: an event of ECS itself",
        recognise=envelopes.is_ecs_event,
        own_id=_text_in("id"),
        time=_first_of("time"),
        read=system_events.read_ecs_event,
    ),
    Wrapping(
        name="eventbridge",
        sent_by="EventBridge: any other event, one or an array",
        recognise=envelopes.is_cloud_event,
        own_id=_text_in("id"),
        time=_first_of("time"),
        open=envelopes.open_cloud_event,
        service=envelopes.service_of,
    ),
    Wrapping(
        name="mns",
        sent_by="SMQ (formerly MNS) queue, through EventBridge",
        recognise=envelopes.is_queue_message,
        open=envelopes.open_queue_message,
    ),
    Wrapping(
        name="mns.topic",
        sent_by="SMQ (formerly MNS) topic, in its JSON form",
        recognise=envelopes.is_topic_message,
        own_id=_text_in("MessageId"),
        time=_first_of("PublishTime"),
        open=envelopes.open_topic_message,
    ),
    Sender(
        name="request",
        source=Source.REQUEST,
        sent_by="you: by hand, or a rule of EventBridge that reshapes its events (TEMPLATE)",
        recognise=lambda event: looks_like(event) and not any(kind.recognise(event) for kind in CATALOG[:-1]),
        read=_read_request,
    ),
)


def sent_by(service: str) -> list[Sender]:
    """Give the kinds of event that a service of Alibaba Cloud sends in its own name."""
    return [kind for kind in CATALOG if isinstance(kind, Sender) and service in kind.services]
