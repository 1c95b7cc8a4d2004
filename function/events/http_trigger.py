"""What an HTTP trigger delivers: the token that must be right, and the event in the body or in the query."""

import base64
import hmac
import json
import re
from collections.abc import Iterator
from itertools import islice
from urllib.parse import parse_qsl

from function.events.envelopes import open_text
from function.events.json_reader import Json, Node, quote, read
from function.model.frozen import frozen
from function.model.outcome import INVALID_EVENT, GuardCode

MAX_FORM_FIELDS = 100
"""CloudMonitor's callback, the longest form of any sender, comes with 23."""

MAX_FORM = 2**17
"""Characters of a form; decoding its percents takes eighty times as much memory."""

MAX_BODY = 2**20
"""Bytes of a body. An event of EventBridge has up to 256 KB (its page about limits), an alarm some KB."""

MAX_HEAD = 100
"""Fields of an HTTP event; FC writes eight."""

_LONGEST_ESCAPE = 6
"""JSON writes one byte as `\\u0026` at the longest."""

_STRING = rb'"(?:[^"\\]++|\\.)*+"'
_SPACE = rb"[ \t\r\n]*+"
_KEY = re.compile(_SPACE + rb"(" + _STRING + rb")" + _SPACE + rb":" + _SPACE, re.DOTALL)
_VALUE = re.compile(_STRING + rb"|[^,{}\[\]\" \t\r\n]++", re.DOTALL)
_NESTED = re.compile(_STRING + rb"|[{}\[\]]", re.DOTALL)
_NEXT = re.compile(_SPACE + rb"([,}])")


@frozen
class Head:
    """All but the body of an HTTP event, whose body was only measured; `problem`: it is too large."""

    fields: Node
    problem: str | None


@frozen
class Rejection:
    """Why an HTTP event is not even read: its answer's status code, code and message."""

    status_code: int
    code: str
    message: str


def is_http(event: Node) -> bool:
    """Tell by the fields that only FC's HTTP trigger writes; a destination's envelope has a context, too."""
    context = event.object().get("requestContext") if isinstance(event.value, dict) else None
    return event.has("rawPath") or (isinstance(context, dict) and "http" in context)


def read_head(event: bytes) -> Head | None:
    """Read the head of an HTTP event. None: it is none.

    Nothing of the body is decoded, so whoever has no token costs no memory. Raise `InvalidEvent` where the
    rest can't be read.
    """
    own = (b'"rawPath"', b'"requestContext"')
    fields = dict(islice(_members(event), MAX_HEAD)) if any(key in event for key in own) else {}
    if not any(key in fields for key in own):
        return None
    start, end = fields.pop(b'"body"', (0, 0))
    head = {key: event[slice(*where)] for key, where in fields.items()}
    written = b",".join(key + b":" + value for key, value in head.items())
    node = read(f"{{{written.decode()}}}")
    if not is_http(node):
        return None
    return Head(node, _measure(event, start, end, encoded=node.object().get("isBase64Encoded") is True))


def _members(event: bytes) -> Iterator[tuple[bytes, tuple[int, int]]]:
    """Say where each field of an object begins and ends; end where this is no JSON object."""
    opening = re.compile(_SPACE + rb"\{").match(event)
    here = opening.end() if opening else len(event)
    while key := _KEY.match(event, here):
        end = _end_of_value(event, key.end())
        following = _NEXT.match(event, end) if end else None
        if not end or not following:
            return
        yield key[1], (key.end(), end)
        here = following.end()


def _end_of_value(event: bytes, start: int) -> int | None:
    if event[start : start + 1] not in {b"{", b"["}:
        value = _VALUE.match(event, start)
        return value.end() if value else None
    depth = 0
    for found in _NESTED.finditer(event, start, start + MAX_BODY):  # only a body has as much
        depth += {b"{": 1, b"[": 1, b"}": -1, b"]": -1}.get(found[0], 0)
        if not depth:
            return found.end()
    return None


def _measure(event: bytes, start: int, end: int, *, encoded: bool) -> str | None:
    size = end - start - 2  # without its quotes
    if MAX_BODY < size <= MAX_BODY * _LONGEST_ESCAPE:
        try:
            text = json.loads(event[start:end])
        except (ValueError, RecursionError):
            return None  # no JSON, which whoever reads the event will say
        size = len(text) * 3 // 4 if encoded else len(str(text).encode(errors="surrogatepass"))
    return (
        f"the body has about {size:,} bytes; an event over HTTP has at most {MAX_BODY:,}"
        if size > MAX_BODY
        else None
    )


def reject(event: Node, alarm_token: str | None, body_problem: str | None) -> Rejection | None:
    """Say why the event is not let in, None if it is."""
    if problem := _token_problem(event, alarm_token):
        return Rejection(401, GuardCode.UNAUTHORIZED, problem)
    if body_problem:
        return Rejection(413, INVALID_EVENT, body_problem)
    return None


def _token_problem(event: Node, alarm_token: str | None) -> str | None:
    """Say what is wrong with the tokens. Look at nothing else, and repeat none."""
    if not alarm_token:
        return "ALARM_TOKEN is not set, so no event is taken over HTTP; set it, and let the sender send it"
    given = list(_tokens(event))
    if not given:
        return "no token; send Authorization: Bearer TOKEN, X-Alarm-Token: TOKEN, or ?token=TOKEN in the URL"
    # Every token is compared, in constant time, whatever the others were.
    wrong = [place for place, token in given if not _same(token, alarm_token)]
    return (
        f"wrong token in {' and '.join(dict.fromkeys(wrong))}; it must be the function's ALARM_TOKEN"
        if wrong
        else None
    )


def _tokens(event: Node) -> Iterator[tuple[str, Json]]:
    """Give every token, with the place where it stands: two headers, and a parameter of the URL."""
    for key, value in _members_of(event, "headers").items():
        match key.lower():
            case "authorization":
                # Other schemes are not meant for us: the trigger itself may ask for one.
                scheme, _, token = value.partition(" ") if isinstance(value, str) else ("bearer", "", value)
                if scheme.lower() == "bearer":
                    yield "Authorization", token.strip() if isinstance(token, str) else token
            case "x-alarm-token":
                yield "X-Alarm-Token", value
    for key, value in _members_of(event, "queryParameters").items():
        if key == "token":
            yield "?token=", value


def _members_of(event: Node, key: str) -> dict[str, Json]:
    members = event.object().get(key)
    return members if isinstance(members, dict) else {}


def _same(given: Json, right: str) -> bool:
    return isinstance(given, str) and hmac.compare_digest(
        given.encode(), right.encode(errors="surrogateescape")
    )


def open_body(event: Node) -> Node:
    """Give the event in the body, JSON (in base64, too) or form-encoded, or in the query of a GET.

    Raise `InvalidEvent` where it is none of them.
    """
    body = event.find("body") or Node("", event.below("body"))
    if body.value == "":
        return _query(event)
    text = body.text()
    if event.object().get("isBase64Encoded") is True:
        try:
            body = Node(base64.b64decode(text, validate=True).decode(), body.path)
        except ValueError:
            body.fail(f"is {quote(text)}, not UTF-8 in base64 as isBase64Encoded says")
    return open_text(body) or _event_in(_form(body))


def _query(event: Node) -> Node:
    """Take the parameters of a GET for the event, but for the token."""
    fields = {key: value for key, value in _members_of(event, "queryParameters").items() if key != "token"}
    if not fields:
        event.field("body").text()
    return _event_in(Node(fields, event.below("queryParameters")))


def _event_in(form: Node) -> Node:
    """Open a form that holds the whole event as JSON: by GET it is the parameter `data`."""
    for key in ("data", "body"):
        whole = form.find(key)
        if whole and whole.is_json():
            return whole.json()
    return form


def _form(body: Node) -> Node:
    text = body.text().strip("& \t\r\n")
    if text.startswith("$"):
        body.fail(f"is {quote(text)}, a placeholder that its sender did not replace, as in a test by ARMS")
    if len(text) > MAX_FORM:
        body.fail(f"is no JSON, and a form of {len(text):,} characters; a form has at most {MAX_FORM:,}")
    try:
        pairs = parse_qsl(
            text, keep_blank_values=True, strict_parsing=True, errors="strict", max_num_fields=MAX_FORM_FIELDS
        )
    except ValueError:
        body.fail(f"is {quote(text)}, neither JSON nor a form (application/x-www-form-urlencoded)")
    fields: dict[str, Json] = dict(pairs)
    if len(fields) < len(pairs):
        body.fail("names a field twice; name each field once")
    return Node(fields, body.path)
