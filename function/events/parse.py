"""What arrived: bytes become `StopRequest`s, whoever sent them and however they are wrapped."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import islice

from function.events import http_trigger
from function.events.catalog import CATALOG, Kind, Sender, Wrapping, sent_by
from function.events.envelopes import NOT_HANDED_ON, HandedOn, Service, open_text
from function.events.event_id import digest, digest_of
from function.events.event_id import event_id as find_id
from function.events.event_time import read_time
from function.events.json_reader import MAX_WORD, Node, name, quote, read, shorten
from function.events.request_body import EXAMPLE, FIELDS
from function.events.unrecognized import describe, suggest
from function.model.credentials import Redactor
from function.model.frozen import frozen
from function.model.outcome import GuardCode
from function.model.request import InvalidEvent, Source, StopRequest, TargetProblem

MAX_AHEAD = timedelta(minutes=5)
"""Clocks differ by seconds; a time of later has a wrong zone or unit, and would not grow stale."""

MAX_EVENTS = 1_000
"""An asynchronous invocation has 128 KB (FC's page about limits), room for some hundred alarms."""

MAX_WRAPPINGS = 3
"""HTTP, EventBridge and a queue around an alarm are three; HTTP counts with the first."""


@frozen(kw_only=True)
class Delivery:
    """What one invocation brought, in order; what could not be understood stands among it as `InvalidEvent`.

    `http`: it came over an HTTP trigger, so the answer is an HTTP answer and nothing raises.
    `rejection`: why it was not even read. `events` is empty then, and never otherwise.
    """

    events: tuple[StopRequest | InvalidEvent, ...]
    http: bool = False
    rejection: http_trigger.Rejection | None = None


@frozen(kw_only=True)
class _Envelope:
    """What the wrappings so far say of the event inside."""

    event_id: str | None = None
    time: datetime | None = None
    region_id: str | None = None
    service: Service | None = None
    ram_authorized: bool = True
    handed_on: HandedOn = NOT_HANDED_ON
    depth: int = 0


def parse(
    event: bytes, *, now: datetime, alarm_token: str | None = None, redact: Redactor | None = None
) -> Delivery:
    """Understand what arrived; never raise. An event dated more than `MAX_AHEAD` after `now` is invalid.

    What its errors and alarms' names repeat of it is without secrets: those of `redact`, else the token.
    """
    with _no_collection():
        delivery = _delivery(event, now, alarm_token)
    known = redact or Redactor([alarm_token or ""])
    return replace(delivery, events=tuple(_redacted(one, known) for one in delivery.events))


@contextmanager
def _no_collection() -> Iterator[None]:
    """Look for no cyclic garbage: reading makes none, and each look would go through all that was read."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _redacted(one: StopRequest | InvalidEvent, redact: Redactor) -> StopRequest | InvalidEvent:
    """Take secrets out of what is repeated of the event, and only then cut it."""

    def clean(message: str) -> str:
        return shorten(redact.text(message))

    if isinstance(one, InvalidEvent):
        return InvalidEvent(clean(str(one)), source=one.source, event_id=one.event_id)
    problem = one.problem and replace(one.problem, message=clean(one.problem.message))
    name = one.alarm_name and redact.text(one.alarm_name)[:MAX_WORD]
    return replace(
        one,
        problem=problem,
        alarm_name=name and "".join(char if char.isprintable() else " " for char in name),
        notes=tuple(map(clean, one.notes)),
    )


def _delivery(event: bytes, now: datetime, alarm_token: str | None) -> Delivery:
    http = False
    try:
        head = http_trigger.read_head(event)
        root = head.fields if head else _root(event)
        http = http_trigger.is_http(root)
        if http and (rejection := http_trigger.reject(root, alarm_token, head.problem if head else None)):
            return Delivery(events=(), http=True, rejection=rejection)
        if head:
            root = _root(event)
        body = http_trigger.open_body(root) if http else root
    except UnicodeDecodeError as error:
        problem = f"the event is not UTF-8 (byte {error.start}); it must be JSON in UTF-8"
        return Delivery(events=(InvalidEvent(problem, event_id=digest(event)),))
    except InvalidEvent as error:
        return Delivery(events=(InvalidEvent(str(error), event_id=digest(event)),), http=http)
    events = tuple(islice(_each(body, _Envelope(ram_authorized=not http), now), MAX_EVENTS + 1))
    if len(events) > MAX_EVENTS:
        problem = f"the event holds more than {MAX_EVENTS} events; send fewer at once"
        events = (InvalidEvent(problem, event_id=digest_of(body)),)
    return Delivery(events=events, http=http)


def _root(event: bytes) -> Node:
    """Read the event: JSON, or JSON in base64, as a topic's message comes that a publisher encoded."""
    text = event.decode()
    return open_text(Node(text)) or read(text)


def _each(body: Node, envelope: _Envelope, now: datetime) -> Iterator[StopRequest | InvalidEvent]:
    """Understand one event, or each of an array."""
    if not isinstance(body.value, list):
        yield from _understand(body, envelope, now)
    elif 0 < len(body.value) <= MAX_EVENTS:
        for element in body.items():
            yield from _understand(element, envelope, now)
    elif envelope.service and not body.value:
        yield _of_a_service(body, envelope)
    else:
        problem = f"{body} is {quote(body.value)}; an array holds 1 to {MAX_EVENTS} events"
        yield InvalidEvent(problem, event_id=envelope.event_id or digest_of(body))


def _understand(event: Node, envelope: _Envelope, now: datetime) -> Iterator[StopRequest | InvalidEvent]:
    source: Source | None = None
    event_id = envelope.event_id
    try:
        if isinstance(event.value, str) and (opened := open_text(event)):
            if isinstance(opened.value, list):
                yield from _each(opened, envelope, now)
                return
            event = opened
        kind = _kind(event, envelope)
        if kind is None:
            yield _of_a_service(event, envelope)
            return
        source = kind.source if isinstance(kind, Sender) else None
        event_id = event_id or find_id(kind.own_id(event), event)
        if isinstance(kind, Wrapping):
            envelope = replace(envelope, event_id=event_id, service=kind.service(event))
            if envelope.service and not sent_by(envelope.service.name):
                yield _of_a_service(event, envelope)
                return
        time = _time(kind, event, now) or envelope.time
        if isinstance(kind, Wrapping):
            yield from _open(kind, event, replace(envelope, time=time), now)
            return
        base = StopRequest(
            source=envelope.handed_on.origin or kind.source,
            event_id=event_id,
            time=time,
            region_ids=(envelope.region_id,) if envelope.region_id else (),
            ram_authorized=envelope.ram_authorized,
            selection=envelope.handed_on.selection,
            admitted=envelope.handed_on.admitted,
            tells_of_start=envelope.handed_on.tells_of_start,
        )
        for found in kind.read(event, base):
            if isinstance(found, StopRequest):
                yield found
            else:
                yield InvalidEvent(str(found), source=source, event_id=event_id)
    except InvalidEvent as error:
        yield InvalidEvent(str(error), source=source, event_id=event_id or digest_of(event))


def _open(
    kind: Wrapping, event: Node, envelope: _Envelope, now: datetime
) -> Iterator[StopRequest | InvalidEvent]:
    """Go on with what is inside. Raise `InvalidEvent` where the wrapping itself is wrong."""
    if envelope.depth == MAX_WRAPPINGS:
        event.fail(f"is wrapped more than {MAX_WRAPPINGS} times")
    content = kind.open(event)
    inside = replace(
        envelope,
        region_id=content.region_id or envelope.region_id,
        ram_authorized=envelope.ram_authorized and content.ram_authorized,
        handed_on=content.handed_on if envelope.ram_authorized else NOT_HANDED_ON,
        depth=envelope.depth + 1,
    )
    yield from _each(content.event, inside, now)


def _kind(event: Node, envelope: _Envelope) -> Wrapping | Sender | None:
    """Recognise the kind of an event; None: it is a service's own, and none that is read."""
    if envelope.service:
        return next((kind for kind in sent_by(envelope.service.name) if kind.recognise(event)), None)
    fields = list(event.object())
    *kinds, request = CATALOG
    for kind in kinds:
        if kind.recognise(event):
            return kind
    if form := describe(event):
        event.fail(form)
    if request.recognise(event):
        return request
    shown = f"the fields {name(', '.join(fields))}" if fields else "no fields"
    return event.fail(
        f"is of no kind known here; it has {shown}{suggest(fields, FIELDS)}; a bare request is {EXAMPLE}"
    )


def _of_a_service(event: Node, envelope: _Envelope) -> StopRequest:
    """Refuse what a service of Alibaba Cloud tells of something else than ECS's instances."""
    text = f"{envelope.service} is none of the events that are read here; it stops nothing, whatever it names"
    return StopRequest(
        source=Source.CMS_EVENT,
        event_id=envelope.event_id or digest_of(event),
        time=envelope.time,
        problem=TargetProblem(code=GuardCode.EVENT_NOT_ENABLED, message=text),
    )


def _time(kind: Kind, event: Node, now: datetime) -> datetime | None:
    """Give the event's own time, None where its kind has none. A wrapping may have none, a sender must."""
    written = kind.time(event) if kind.time else None
    if written is None or (written.value is None and isinstance(kind, Wrapping)):
        return None
    if written.value is None:
        written.fail("is missing")
    time = read_time(written)
    if time - now > MAX_AHEAD:
        written.fail(
            f"is {quote(written.value)}, more than five minutes ahead of now, {now:%Y-%m-%dT%H:%M:%SZ}"
        )
    return time
