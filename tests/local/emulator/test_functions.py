"""FC's asynchronous invocations: what is accepted, what is refused, and what becomes of an event."""

import json
from collections.abc import Callable
from threading import Event
from typing import Any

import pytest
from alibabacloud_fc20230330 import models
from alibabacloud_fc20230330.client import Client
from alibabacloud_tea_openapi.exceptions import ClientException, ThrottlingException
from alibabacloud_tea_openapi.models import Config
from darabonba.exceptions import UnretryableException
from darabonba.runtime import RuntimeOptions

from local.api.api_error import ApiError
from local.emulator.account import DEFAULT_ACCOUNT
from local.emulator.backend import LocalEcs
from local.emulator.fault_text import parse_fault
from local.emulator.fleet import Fleet
from local.emulator.functions import MAX_PAYLOAD, LocalFunctions
from local.emulator.invocations import Answer
from local.emulator.keys import KeyPair
from local.emulator.server import serve
from local.function_compute import FunctionCompute

ID, REGION = "i-bp67acfmxazb4ph001", "cn-hangzhou"
OTHER = "2345678901234567"
PATH = "/2023-03-30/functions/stop-guard/invocations"
INVOKE = {"x_acs_version": "2023-03-30", "x_fc_invocation_type": "Async"}

EMPTY = Fleet(())

Make = Callable[..., LocalEcs]
Connect = Callable[..., Any]


def succeed(_event: bytes) -> Answer:
    """Be a function that does nothing, well."""
    return Answer(returned={"done": True})


class Failing:
    """A function that raises so many times."""

    def __init__(self, times: int) -> None:
        self.left = times
        self.events: list[bytes] = []

    def invoke(self, event: bytes) -> Answer:
        """Raise, as long as any is left."""
        self.events.append(event)
        self.left -= 1
        return Answer(error=ValueError("not yet")) if self.left >= 0 else succeed(event)


def invoke(endpoint: str, event: bytes, key: KeyPair | None = None, **options: str) -> str:
    """Hand an event to FC with its SDK, and return the request id."""
    key = key or KeyPair()
    client = Client(
        Config(
            access_key_id=key.access_key_id,
            access_key_secret=key.access_key_secret,
            security_token=key.security_token or None,
            endpoint=endpoint.removeprefix("http://"),
            protocol="HTTP",
        )
    )
    function = options.pop("function", "stop-guard")
    headers = models.InvokeFunctionHeaders(**{"x_fc_invocation_type": "Async", **options})
    request = models.InvokeFunctionRequest(body=event)
    answer = client.invoke_function_with_options(function, request, headers, RuntimeOptions())
    assert answer.status_code == 202
    return str(answer.headers["x-fc-request-id"])


def session(ecs: LocalEcs, account_id: str) -> KeyPair:
    """Assume a role of an account."""
    role = {"RoleArn": f"acs:ram::{account_id}:role/stop-guard", "RoleSessionName": "me"}
    given = ecs.call("AssumeRole", role)["Credentials"]
    return KeyPair(given["AccessKeyId"], given["AccessKeySecret"], given["SecurityToken"])


def test_the_official_sdk(make_ecs: Make) -> None:
    """An event that the SDK hands over waits in the queue, and is delivered with its record."""
    ecs, functions = make_ecs(), LocalFunctions()
    event = '{"InstanceId": "i-ü"}'
    with serve(ecs, functions) as endpoint:
        request_id = invoke(endpoint, event.encode())
    assert [each.event.decode() for each in functions.waiting] == [event]
    assert [(call.action, call.status, call.code) for call in ecs.calls] == [("InvokeFunction", 202, "")]
    (record,) = functions.deliver(succeed)
    assert functions.waiting == ()
    assert (functions.on_success, functions.on_failure) == ([record], [])
    assert record == {
        "timestamp": 1772366400000,
        "requestContext": {
            "requestId": request_id,
            "functionArn": f"acs:fc:cn-hangzhou:{DEFAULT_ACCOUNT}:functions/stop-guard",
            "condition": "",
            "approximateInvokeCount": 1,
        },
        "requestPayload": event,
        "responseContext": {"statusCode": 200, "functionError": ""},
        "responsePayload": '{\n    "done": true\n}',
    }


def test_the_function_itself(make_ecs: Make) -> None:
    """An event handed over reaches the function, and its instance is stopped."""
    ecs = make_ecs({"InstanceId": ID, "x-emulator": {"StopSeconds": 0}})
    environment = {
        "FC_REGION": REGION,
        "REQUIRED_TAG": "",
        "ALIBABA_CLOUD_ACCESS_KEY_ID": "emulator",
        "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "emulator",
    }
    function = FunctionCompute(environment=environment)
    functions = LocalFunctions()
    with serve(ecs, functions) as endpoint:
        environment["ECS_ENDPOINT"] = endpoint
        invoke(endpoint, json.dumps({"InstanceId": ID}).encode())
        (record,) = functions.deliver(function.invoke)
    assert json.loads(record["responsePayload"])["summary"] == {"total": 1, "stopped": 1}
    assert ecs.instance(ID).status == "Stopped"


def test_a_synchronous_invocation(make_ecs: Make, wire: Connect) -> None:
    """Who waits gets what the function returned, or the record of its exception and FC's header."""
    answers = [Answer(returned={"b": 1, "a": 2}), Answer(error=ValueError("no"))]
    seen: list[bytes] = []

    def invoke(event: bytes, _stopped: Event) -> Answer:
        seen.append(event)
        return answers[len(seen) - 1]

    ecs, functions = make_ecs(), LocalFunctions(invoke=invoke)
    client = wire(ecs, functions=functions)
    call = {"path": PATH, "content": "event", "x_acs_version": "2023-03-30"}
    good, bad = client.acs3("InvokeFunction", **call), client.acs3("InvokeFunction", **call)
    assert (good.status, good.text) == (200, '{\n    "a": 2,\n    "b": 1\n}')
    assert "x-fc-error-type" not in good.headers
    assert (bad.status, bad.headers["x-fc-error-type"]) == (200, "UnhandledInvocationError")
    assert bad.json == {"errorMessage": "no", "errorType": "ValueError"}
    assert seen == [b"event", b"event"]
    assert functions.waiting == ()
    assert [(each.action, each.status) for each in ecs.calls] == [("InvokeFunction", 200)] * 2
    assert good.headers["x-fc-request-id"] == ecs.calls[0].answer["RequestId"]


@pytest.mark.parametrize(
    ("failures", "retries", "attempts", "succeeds"),
    [(0, 3, 1, True), (3, 3, 4, True), (4, 3, 4, False), (9, 3, 4, False), (1, 0, 1, False), (1, 8, 2, True)],
)
def test_retries(failures: int, retries: int, attempts: int, succeeds: bool) -> None:  # noqa: FBT001 - a row's
    """An event that raises is tried again, up to the limit; then it goes to the failure destination."""
    function = Failing(failures)
    functions = LocalFunctions(max_async_retry_attempts=retries)
    (record,) = delivered(functions, function.invoke, b"event")
    assert function.events == [b"event"] * attempts
    assert record["requestContext"]["approximateInvokeCount"] == attempts
    assert (len(functions.on_success), len(functions.on_failure)) == ((1, 0) if succeeds else (0, 1))
    problem = "" if succeeds else "UnhandledInvocationError"
    assert record["requestContext"]["condition"] == record["responseContext"]["functionError"] == problem
    payload = json.loads(record["responsePayload"])
    assert (payload.get("errorType"), payload.get("errorMessage")) == (
        (None, None) if succeeds else ("ValueError", "not yet")
    )


def delivered(
    functions: LocalFunctions, invoke_: Callable[[bytes], Answer], *events: bytes
) -> tuple[dict[str, Any], ...]:
    """Hand over events at a local FC, and deliver them."""
    with serve(LocalEcs(EMPTY), functions) as endpoint:
        for event in events:
            invoke(endpoint, event)
        return functions.deliver(invoke_)


def test_events_come_in_order_and_all_of_them(make_ecs: Make) -> None:
    """Events are delivered in the order in which they came, those too that an invocation hands over."""
    seen: list[bytes] = []

    def fan_out(event: bytes) -> Answer:
        seen.append(event)
        if event == b"parent":
            invoke(endpoint, b"shard 1")
            invoke(endpoint, b"shard 2")
        return succeed(event)

    functions = LocalFunctions()
    with serve(make_ecs(), functions) as endpoint:
        invoke(endpoint, b"parent")
        invoke(endpoint, b"another")
        records = functions.deliver(fan_out)
    assert seen == [b"parent", b"another", b"shard 1", b"shard 2"]
    assert [record["requestPayload"].encode() for record in records] == seen
    assert len({record["requestContext"]["requestId"] for record in records}) == 4
    assert functions.deliver(fan_out) == ()


@pytest.mark.parametrize(
    ("event", "options", "status", "code"),
    [
        (b"x" * (MAX_PAYLOAD + 1), {}, 400, "EntityTooLarge"),
        (b"{}", {"function": "stop"}, 404, "FunctionNotFound"),
        (b"{}", {"x_fc_invocation_type": "Sync"}, 400, "InvalidArgument"),
        (b"{}", {"x_fc_async_task_id": "1"}, 400, "InvalidArgument"),
    ],
)
def test_what_the_official_sdk_is_refused(
    event: bytes, options: dict[str, Any], status: int, code: str, make_ecs: Make
) -> None:
    """What FC doesn't take is an error of the SDK with FC's code, and nothing waits."""
    functions = LocalFunctions()
    with serve(make_ecs(), functions) as endpoint, pytest.raises(ClientException) as raised:
        invoke(endpoint, event, **options)
    assert (raised.value.status_code, raised.value.code) == (status, code)
    assert functions.waiting == ()


def test_the_largest_event(make_ecs: Make) -> None:
    """128 KB is not too much."""
    functions = LocalFunctions()
    with serve(make_ecs(), functions) as endpoint:
        invoke(endpoint, b"x" * MAX_PAYLOAD)
    assert len(functions.waiting[0].event) == 131_072


def test_a_task_id_is_good_once(make_ecs: Make) -> None:
    """An event with the task id of an earlier one is refused with 409, delivered or not; others aren't."""
    functions = LocalFunctions()
    with serve(make_ecs(), functions) as endpoint:
        invoke(endpoint, b"1", x_fc_async_task_id="one")
        invoke(endpoint, b"2", x_fc_async_task_id="two")
        with pytest.raises(ClientException) as at_once:
            invoke(endpoint, b"3", x_fc_async_task_id="one")
        functions.deliver(succeed)
        with pytest.raises(ClientException) as later:
            invoke(endpoint, b"3", x_fc_async_task_id="one")
    assert [raised.value.status_code for raised in (at_once, later)] == [409, 409]
    assert functions.waiting == ()
    assert [record["requestPayload"] for record in functions.on_success] == ["1", "2"]


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({}, 202, None),
        ({"x_fc_invocation_type": ""}, 400, "InvalidArgument"),
        ({"secret": "wrong"}, 400, "SignatureDoesNotMatch"),
        ({"access_key_id": "nobody"}, 404, "InvalidAccessKeyId.NotFound"),
        ({"sent_body": "{}"}, 400, "SignatureDoesNotMatch"),
        ({"unsigned": ("x-acs-date",)}, 400, "IncompleteSignature"),
        ({"x_acs_version": "2014-05-26"}, 400, "InvalidVersion"),
        ({"path": "/2023-03-30/functions"}, 400, "PathNotSupported"),
        ({"path": f"{PATH}/more"}, 400, "PathNotSupported"),
    ],
)
def test_requests_signed_by_hand(
    change: dict[str, Any], status: int, code: str | None, make_ecs: Make, wire: Connect
) -> None:
    """Signatures are verified as for ECS; errors have FC's form and a request id, and are remembered."""
    ecs, functions = make_ecs(), LocalFunctions()
    client = wire(ecs, functions=functions)
    answer = client.acs3("InvokeFunction", **{"path": PATH, "content": '{"a": 1}', **INVOKE, **change})
    assert answer.status == status
    assert [call.code for call in ecs.calls] == [code or ""]
    assert [each.event for each in functions.waiting] == ([] if code else [b'{"a": 1}'])
    assert answer.headers["x-fc-request-id"] == ecs.calls[0].answer["RequestId"]
    if code is None:
        assert answer.text == ""
    else:
        assert answer.json.keys() == {"RequestId", "Code", "Message"}
        assert (answer.json["Code"], answer.json["RequestId"]) == (code, answer.headers["x-fc-request-id"])


@pytest.mark.parametrize(
    ("method", "path", "code"),
    [("GET", PATH, "PathNotSupported"), ("POST", PATH, "MissingRequiredHeader")],
)
def test_requests_without_a_signature(
    method: str, path: str, code: str, make_ecs: Make, wire: Connect
) -> None:
    """What isn't signed is refused in FC's form."""
    answer = wire(make_ecs(), functions=LocalFunctions()).send(method, path, headers={})
    assert (answer.status, answer.json["Code"]) == (400, code)


def test_without_functions_there_is_no_fc(make_ecs: Make, wire: Connect) -> None:
    """A local ECS served alone knows none of FC's paths."""
    answer = wire(make_ecs()).acs3("InvokeFunction", path=PATH, **INVOKE)
    assert (answer.status, answer.code) == (404, "InvalidAction.NotFound")


def test_functions_are_their_accounts_own(make_ecs: Make) -> None:
    """A session invokes the functions of its account, which has one here, and another account none."""
    ecs = make_ecs({"InstanceId": ID, "x-emulator": {"AccountId": OTHER}})
    functions = LocalFunctions()
    with serve(ecs, functions) as endpoint:
        invoke(endpoint, b"{}", session(ecs, DEFAULT_ACCOUNT))
        with pytest.raises(ClientException) as raised:
            invoke(endpoint, b"{}", session(ecs, OTHER))
    assert raised.value.code == "FunctionNotFound"
    assert len(functions.waiting) == 1


@pytest.mark.parametrize(
    ("fault", "error", "waiting"),
    [
        ("ResourceExhausted", ClientException, 0),
        ("ResourceThrottled,retry-after=500", ThrottlingException, 0),
        ("InternalServerError,when=after", Exception, 1),
        ("AccessDenied,message=no", ClientException, 0),
        ("Odd,status=429", ClientException, 0),
        ("reset", UnretryableException, 0),
        ("reset,when=after", UnretryableException, 1),
        ("html", UnretryableException, 0),
        ("quota,per-minute=0", ClientException, 0),
    ],
)
def test_faults(fault: str, error: type[Exception], waiting: int, make_ecs: Make) -> None:
    """Faults meet InvokeFunction as any action, before the event is accepted or after, and then no more."""
    functions = LocalFunctions()
    ecs = make_ecs(faults=[parse_fault(f"InvokeFunction:1={fault}")])
    with serve(ecs, functions) as endpoint:
        with pytest.raises(error):
            invoke(endpoint, b"{}")
        assert len(functions.waiting) == waiting
        invoke(endpoint, b"{}")
    assert len(functions.waiting) == waiting + 1


def test_invoke_function_is_none_of_ecs(make_ecs: Make) -> None:
    """InvokeFunction exists at FC's paths alone."""
    with pytest.raises(ApiError, match=r"InvalidAction\.NotFound"):
        make_ecs().call("InvokeFunction", {})
