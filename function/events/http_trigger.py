"""What an HTTP trigger delivers: the token that must be right, and the event in the body."""

import base64
import hmac
from collections.abc import Iterator
from urllib.parse import parse_qsl

from function.events.json_reader import Json, Node, quote

# FC writes all of them into every HTTP event (version v1); what has one of them is none of the other kinds.
_MARKS = ("rawPath", "requestContext", "queryParameters", "isBase64Encoded")
MAX_FORM_FIELDS = 100


def is_http(event: Node) -> bool:
    """Tell whether FC's HTTP trigger made this event."""
    return any(event.has(mark) for mark in _MARKS)


def refusal(event: Node, alarm_token: str | None) -> str | None:
    """Say why the event is not let in, None if it is. Looks at nothing but the tokens, and repeats none."""
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
    for key, value in _members(event, "headers"):
        match key.lower():
            case "authorization":
                # Other schemes are not meant for us: the trigger itself may ask for one.
                scheme, _, token = value.partition(" ") if isinstance(value, str) else ("bearer", "", value)
                if scheme.lower() == "bearer":
                    yield "Authorization", token.strip() if isinstance(token, str) else token
            case "x-alarm-token":
                yield "X-Alarm-Token", value
    for key, value in _members(event, "queryParameters"):
        if key == "token":
            yield "?token=", value


def _members(event: Node, key: str) -> list[tuple[str, Json]]:
    members = event.object().get(key)
    return list(members.items()) if isinstance(members, dict) else []


def _same(given: Json, right: str) -> bool:
    return isinstance(given, str) and hmac.compare_digest(
        given.encode(), right.encode(errors="surrogateescape")
    )


def open_body(event: Node) -> Node:
    """Give the event in the body, JSON or form-encoded. Raise `InvalidEvent`."""
    body = event.field("body")
    text = body.text()
    if event.object().get("isBase64Encoded") is True:
        try:
            body = Node(base64.b64decode(text, validate=True).decode(), body.path)
        except ValueError:
            body.fail(f"is {quote(text)}, not UTF-8 in base64 as isBase64Encoded says")
    return body.json() if body.is_json() else _form(body)


def _form(body: Node) -> Node:
    text = body.text()
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
