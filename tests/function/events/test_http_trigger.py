"""Events over an HTTP trigger: who is let in, and how the body is read."""

import base64
import json
from datetime import UTC, datetime
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from function.events.parse import Delivery, parse
from function.model.request import InvalidEvent, Source, StopRequest

NOW = datetime(2026, 1, 30, 12, tzinfo=UTC)
ID = "i-bp1dev0web1k7s2q9x4f"
TOKEN = "a-long-random-text"
REQUEST = json.dumps({"InstanceId": ID, "ConfirmStop": True})
CALLBACK = {
    "alertName": "idle",
    "alertState": "ALERT",
    "dimensions": f"{{userId=1, instanceId={ID}}}",
    "expression": "$Average>=95",
    "timestamp": "1769774400",
}


def _http(
    body: object = REQUEST,
    headers: object = None,
    query: object = None,
    token: str | None = TOKEN,
    **fields: object,
) -> Delivery:
    event = {
        "version": "v1",
        "rawPath": "/",
        "body": body,
        "isBase64Encoded": False,
        "headers": {"X-Alarm-Token": TOKEN} if headers is None else headers,
        "queryParameters": {} if query is None else query,
        "requestContext": {"requestId": "1-697c9c5c", "http": {"method": "POST"}},
    } | fields
    return parse(json.dumps(event).encode(), now=NOW, alarm_token=token)


def _asked(delivery: Delivery) -> StopRequest:
    (found,) = delivery.events
    assert isinstance(found, StopRequest), found
    assert delivery.http
    assert delivery.rejection is None
    return found


def _refused(delivery: Delivery) -> str:
    (found,) = delivery.events
    assert isinstance(found, InvalidEvent), found
    assert delivery.http
    assert delivery.rejection is None
    return str(found)


# Who is let in


@pytest.mark.parametrize(
    ("headers", "query"),
    [
        ({"Authorization": f"Bearer {TOKEN}"}, {}),
        ({"authorization": f"bearer  {TOKEN} "}, {}),
        ({"X-Alarm-Token": TOKEN}, {}),
        ({"x-ALARM-token": TOKEN}, {}),
        ({}, {"token": TOKEN}),
        ({"Authorization": f"Bearer {TOKEN}", "X-Alarm-Token": TOKEN}, {"token": TOKEN}),
        ({"Authorization": "acs other:signature", "X-Alarm-Token": TOKEN}, {"Token": "x", "page": "2"}),
    ],
)
def test_the_right_token_lets_in(headers: object, query: object) -> None:
    """The token is taken from any of three places; schemes and parameters of others don't matter."""
    assert _asked(_http(headers=headers, query=query)).instance_ids == (ID,)


@pytest.mark.parametrize(
    ("headers", "query", "reason"),
    [
        (
            {},
            {},
            "no token; send Authorization: Bearer TOKEN, X-Alarm-Token: TOKEN, or ?token=TOKEN in the URL",
        ),
        ({"Authorization": f"Basic {TOKEN}"}, {}, "no token; "),
        ({"Token": TOKEN}, {"Token": TOKEN, "X-Alarm-Token": TOKEN}, "no token; "),
        ([TOKEN], [TOKEN], "no token; "),
        (
            {"X-Alarm-Token": "guess"},
            {},
            "wrong token in X-Alarm-Token; it must be the function's ALARM_TOKEN",
        ),
        ({"X-Alarm-Token": TOKEN[:-1]}, {}, "wrong token in X-Alarm-Token; "),
        ({"X-Alarm-Token": f"{TOKEN},{TOKEN}"}, {}, "wrong token in X-Alarm-Token; "),
        ({"X-Alarm-Token": [TOKEN]}, {}, "wrong token in X-Alarm-Token; "),
        ({"X-Alarm-Token": None}, {}, "wrong token in X-Alarm-Token; "),
        ({"X-Alarm-Token": TOKEN, "x-alarm-token": "guess"}, {}, "wrong token in X-Alarm-Token; "),
        ({"X-Alarm-Token": TOKEN.upper()}, {}, "wrong token in X-Alarm-Token; "),
        ({"X-Alarm-Token": "\uff54oken"}, {}, "wrong token in X-Alarm-Token; "),
        ({"Authorization": "Bearer"}, {}, "wrong token in Authorization; "),
        ({"Authorization": ["Bearer", TOKEN]}, {}, "wrong token in Authorization; "),
        ({}, {"token": ""}, "wrong token in ?token=; "),
        ({"X-Alarm-Token": TOKEN}, {"token": "guess"}, "wrong token in ?token=; "),
        (
            {"Authorization": "Bearer guess", "X-Alarm-Token": TOKEN},
            {"token": "guess"},
            "wrong token in Authorization and ?token=; ",
        ),
    ],
)
def test_a_missing_or_wrong_token_does_not(headers: object, query: object, reason: str) -> None:
    """Every token that is given must be right; the reason names the places and repeats no token."""
    delivery = _http(body="{ not even JSON", headers=headers, query=query)
    assert (delivery.events, delivery.http) == ((), True)
    assert delivery.rejection is not None
    assert delivery.rejection.message.startswith(reason)
    assert "guess" not in delivery.rejection.message
    assert TOKEN not in delivery.rejection.message


@pytest.mark.parametrize("token", [None, ""])
def test_without_alarm_token_nobody_is_let_in(token: str | None) -> None:
    """An unset secret is not a secret that is empty."""
    for given_token in ("", TOKEN):
        delivery = _http(headers={"X-Alarm-Token": given_token}, token=token)
        assert delivery.events == ()
        assert delivery.rejection is not None
        assert delivery.rejection.message == (
            "ALARM_TOKEN is not set, so no event is taken over HTTP; set it, and let the sender send it"
        )


@given(
    st.text(min_size=1, alphabet=st.characters(exclude_categories=["Cs"])),
    st.text(alphabet=st.characters(exclude_categories=["Cs"])),
)
def test_only_the_very_token_is_right(right: str, sent: str) -> None:
    """Whatever the token is, it and nothing else lets in."""
    assert (_http(headers={"X-Alarm-Token": sent}, token=right).rejection is None) == (sent == right)


@pytest.mark.parametrize("mark", [{"rawPath": None}, {"requestContext": {"http": {"method": "POST"}}}])
def test_what_looks_like_http_needs_a_token(mark: dict[str, object]) -> None:
    """One trace of the HTTP trigger is enough, even beside another kind's fields."""
    event = {
        **mark,
        "InstanceId": ID,
        "triggerName": "evening",
        "triggerTime": "2026-01-30T12:00:00Z",
        "payload": REQUEST,
    }
    delivery = parse(json.dumps(event).encode(), now=NOW, alarm_token=TOKEN)
    assert (delivery.events, delivery.http) == ((), True)
    assert delivery.rejection is not None
    assert delivery.rejection.code == "Guard.Unauthorized"


def test_what_did_not_come_over_http_needs_none() -> None:
    """Who may invoke the function directly is for RAM to say."""
    delivery = parse(REQUEST.encode(), now=NOW, alarm_token=TOKEN)
    assert (delivery.http, delivery.rejection, len(delivery.events)) == (False, None, 1)


# The body


def test_a_form_is_read() -> None:
    """CloudMonitor's callback comes as a form."""
    asked = _asked(_http(urlencode(CALLBACK)))
    assert (asked.source, asked.instance_ids, asked.alarm_state) == (Source.CMS_CALLBACK, (ID,), "ALERT")
    assert asked.time == NOW


def test_a_form_is_read_unescaped_too() -> None:
    """The documented callback shows characters that a browser would escape."""
    body = "&".join(f"{key}={value}" for key, value in CALLBACK.items())
    assert _asked(_http(body)).instance_ids == (ID,)


def test_json_is_read() -> None:
    """Older callbacks, Alertmanager, Simple Log Service and people send JSON, whatever the headers say."""
    assert _asked(_http(json.dumps(CALLBACK))).source is Source.CMS_CALLBACK
    asked = _asked(_http(REQUEST))
    assert (asked.source, asked.confirm_stop) == (Source.REQUEST, True)


@pytest.mark.parametrize(
    "body", [REQUEST, urlencode(CALLBACK), "\ufeff" + REQUEST], ids=["JSON", "form", "BOM"]
)
def test_a_body_in_base64_is_the_same(body: str) -> None:
    """FC encodes a body whose type it does not know."""
    encoded = base64.b64encode(body.encode()).decode()
    assert _asked(_http(encoded, isBase64Encoded=True)).instance_ids == (ID,)


@pytest.mark.parametrize("encoded", [False, None, "true", 1])
def test_only_true_says_base64(encoded: object) -> None:
    """A body is taken as it is unless FC says in its own way that it encoded it."""
    assert _asked(_http(REQUEST, isBase64Encoded=encoded)).instance_ids == (ID,)


@pytest.mark.parametrize(
    "body",
    [json.dumps(REQUEST), base64.b64encode(REQUEST.encode()).decode()],
    ids=["a JSON text", "base64"],
)
def test_a_body_may_be_written_as_text_once_more(body: str) -> None:
    """Some senders encode what they were given, as publishers into topics do."""
    assert _asked(_http(body)).instance_ids == (ID,)


def test_a_repeated_request_has_the_same_id() -> None:
    """The sender's retry differs in its request id only, so the body names the event."""
    first, second = _http(REQUEST), _http(REQUEST, requestContext={"requestId": "1-other"})
    assert _asked(first).event_id == _asked(second).event_id != _asked(_http(json.dumps(CALLBACK))).event_id


def test_an_array_over_http_is_several_events() -> None:
    """Simple Log Service sends its alerts in an array."""
    delivery = _http(json.dumps([json.loads(REQUEST), {"InstanceId": "x"}]))
    assert delivery.http
    assert isinstance(delivery.events[0], StopRequest)
    assert str(delivery.events[1]).startswith('body[1].InstanceId is "x"; ')


def test_wrappings_over_http_are_opened() -> None:
    """EventBridge can deliver over HTTP, with a message inside, with an alarm inside."""
    message = {"messageBody": json.dumps(CALLBACK)}
    event = {
        "specversion": "1.0",
        "id": "e-1",
        "source": "mns",
        "type": "mns:Queue:SendMessage",
        "data": message,
    }
    asked = _asked(_http(json.dumps(event)))
    assert (asked.source, asked.event_id) == (Source.CMS_CALLBACK, "e-1")


@pytest.mark.parametrize(
    ("body", "encoded", "message"),
    [
        ("", False, 'body is ""; it must be a text that is not empty'),
        (None, False, "body is missing"),
        ({"InstanceId": ID}, False, "body is an object; it must be a text"),
        ("hello", False, 'body is "hello", neither JSON nor a form (application/x-www-form-urlencoded)'),
        ("hello=world", False, 'body is of no kind known here; it has the fields "hello"; '),
        ("a=%ff", False, 'body is "a=%ff", neither JSON nor a form'),
        ("a=1&a=2", False, "body names a field twice; name each field once"),
        ("&".join(f"f{number}=1" for number in range(101)), False, 'body is "f0=1&f1=1&'),
        ("{", False, 'body is "{", not JSON ('),
        ("{}", False, "body is of no kind known here; "),
        ('{"InstanceIds": ["x"]}', False, 'body.InstanceIds[0] is "x"; '),
        (
            f"InstanceId={ID}&ConfirmStop=true",
            False,
            'body.ConfirmStop is "true"; ConfirmStop must be true or false',
        ),
        ("%%%", True, 'body is "%%%", not UTF-8 in base64 as isBase64Encoded says'),
        ("/////w==", True, 'body is "/////w==", not UTF-8 in base64'),
        (urlencode(CALLBACK | {"alertState": ""}), False, 'body.alertState is ""; it must be a text'),
    ],
)
def test_a_wrong_body_is_refused(body: object, *, encoded: bool, message: str) -> None:
    """What is wrong in a body is named with its path; the answer will be an HTTP answer."""
    assert _refused(_http(body, isBase64Encoded=encoded)).startswith(message)


@pytest.mark.parametrize("token", [TOKEN, 'quote"and\\é'])
def test_an_error_repeats_no_token(token: str) -> None:
    """A body that is refused may hold the secret; the error does not."""
    headers = {"X-Alarm-Token": token}
    for body in (token, f"?token={token}", json.dumps({"InstanceId": token}), json.dumps({token: 1})):
        refused = _refused(_http(body, headers=headers, token=token))
        assert token not in refused
        assert json.dumps(token)[1:-1] not in refused
