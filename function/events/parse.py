"""What arrived: bytes become `StopRequest`s, whoever sent them and however they are wrapped."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from function.events import http_trigger as webhook
from function.events.catalog import CATALOG, Kind, Sender, Wrapping
from function.events.json_reader import Node, name, quote, read, shorten
from function.events.request_body import EXAMPLE
from function.model.credentials import Redactor
from function.model.request import MAX_EVENT_ID, InvalidEvent, Source, StopRequest

MAX_AHEAD = timedelta(minutes=5)
MAX_EVENTS = 1_000
MAX_ALARM_NAME = 128
# HTTP, EventBridge and MNS around an alarm are three; HTTP counts with the first.
MAX_WRAPPINGS = 3
_DIGEST_LENGTH = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """What one invocation brought, in order; what could not be understood stands among it as `InvalidEvent`.

    `http`: it came over an HTTP trigger, so the answer is an HTTP answer and nothing raises.
    `unauthorized`: why its token was refused; `events` is empty then, and never otherwise.
    """

    events: tuple[StopRequest | InvalidEvent, ...]
    http: bool = False
    unauthorized: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Envelope:
    """What the wrappings so far say of the event inside."""

    event_id: str | None = None
    time: datetime | None = None
    region_id: str | None = None
    notes: tuple[str, ...] = ()
    depth: int = 0


def parse(
    event: bytes, *, now: datetime, alarm_token: str | None = None, redact: Redactor | None = None
) -> Delivery:
    """Understand what arrived; never raise. An event dated more than `MAX_AHEAD` after `now` is invalid.

    What its errors and alarms' names repeat of it is without secrets: those of `redact`, else the token.
    """
    delivery = _delivery(event, now, alarm_token)
    known = redact or Redactor([alarm_token or ""])
    return replace(delivery, events=tuple(_redacted(one, known) for one in delivery.events))


def _redacted(one: StopRequest | InvalidEvent, redact: Redactor) -> StopRequest | InvalidEvent:
    """Take secrets out of what is repeated of the event, and only then cut it."""
    if isinstance(one, InvalidEvent):
        return InvalidEvent(shorten(redact.text(str(one))), source=one.source, event_id=one.event_id)
    if one.alarm_name is None:
        return one
    shown = redact.text(one.alarm_name)[:MAX_ALARM_NAME]
    return replace(one, alarm_name="".join(char if char.isprintable() else " " for char in shown))


def _delivery(event: bytes, now: datetime, alarm_token: str | None) -> Delivery:
    http = False
    try:
        root = read(event.decode())
        http = webhook.is_http(root)
        if http and (refusal := webhook.refusal(root, alarm_token)):
            return Delivery(events=(), http=True, unauthorized=refusal)
        body = webhook.open_body(root) if http else root
    except UnicodeDecodeError as error:
        problem = f"the event is not UTF-8 (byte {error.start}); it must be JSON in UTF-8"
        return Delivery(events=(InvalidEvent(problem, event_id=_digest(event)),))
    except InvalidEvent as error:
        return Delivery(events=(InvalidEvent(str(error), event_id=_digest(event)),), http=http)
    return Delivery(events=tuple(_each(body, _Envelope(), now)), http=http)


def _each(body: Node, envelope: _Envelope, now: datetime) -> Iterator[StopRequest | InvalidEvent]:
    """Understand one event, or each of an array."""
    if not isinstance(body.value, list):
        yield from _understand(body, envelope, now)
    elif 0 < len(body.value) <= MAX_EVENTS:
        for element in body.items():
            yield from _understand(element, envelope, now)
    else:
        problem = f"{body} is {quote(body.value)}; an array holds 1 to {MAX_EVENTS} events"
        yield InvalidEvent(problem, event_id=envelope.event_id or _digest_of(body))


def _understand(event: Node, envelope: _Envelope, now: datetime) -> Iterator[StopRequest | InvalidEvent]:
    source: Source | None = None
    event_id = envelope.event_id
    try:
        kind = _kind(event)
        source = kind.source if isinstance(kind, Sender) else None
        event_id = event_id or _event_id(kind, event)
        time = _time(kind, event, now) or envelope.time
        if isinstance(kind, Wrapping):
            yield from _open(kind, event, replace(envelope, event_id=event_id, time=time), now)
            return
        draft = StopRequest(
            source=kind.source,
            event_id=event_id,
            time=time,
            region_ids=(envelope.region_id,) if envelope.region_id else (),
        )
        for found in kind.read(event, draft):
            if isinstance(found, StopRequest):
                # What is noted of the envelope's region means nothing to an event that has its own.
                noted = envelope.notes if found.region_ids == draft.region_ids else ()
                yield replace(found, notes=noted + found.notes)
            else:
                yield InvalidEvent(str(found), source=source, event_id=event_id)
    except InvalidEvent as error:
        yield InvalidEvent(str(error), source=source, event_id=event_id or _digest_of(event))


def _open(
    kind: Wrapping, event: Node, envelope: _Envelope, now: datetime
) -> Iterator[StopRequest | InvalidEvent]:
    """Go on with what is inside. Raise `InvalidEvent` where the wrapping itself is wrong."""
    if envelope.depth == MAX_WRAPPINGS:
        event.fail(f"is wrapped more than {MAX_WRAPPINGS} times")
    inside = kind.open(event)
    yield from _each(
        inside.event,
        replace(
            envelope,
            region_id=inside.region_id or envelope.region_id,
            notes=inside.notes if inside.region_id else envelope.notes,
            depth=envelope.depth + 1,
        ),
        now,
    )


def _kind(event: Node) -> Wrapping | Sender:
    keys = ", ".join(event.object())
    for kind in CATALOG:
        if kind.recognise(event):
            return kind
    return event.fail(
        f"is of no kind known here; it has {f'the fields {name(keys)}' if keys else 'no fields'}, "
        f"a bare request is {EXAMPLE}"
    )


def _time(kind: Kind, event: Node, now: datetime) -> datetime | None:
    """Give the event's own time, None where its kind has none. A wrapping may have none, a sender must."""
    written = next((found for key in kind.times if (found := event.find(key))), None)
    if written is None and (isinstance(kind, Wrapping) or not kind.times):
        return None
    written = written or event.field(kind.times[0])
    time = written.time()
    if time - now > MAX_AHEAD:
        written.fail(
            f"is {quote(written.value)}, more than five minutes ahead of now, {now:%Y-%m-%dT%H:%M:%SZ}"
        )
    return time


def _event_id(kind: Kind, event: Node) -> str:
    own = kind.own_id(event)
    if not own:
        return _digest_of(event)
    return own if len(own) <= MAX_EVENT_ID and own.isprintable() else _digest(own.encode())


def _digest_of(event: Node) -> str:
    return _digest(json.dumps(event.value, sort_keys=True, separators=(",", ":")).encode())


def _digest(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()[:_DIGEST_LENGTH]
