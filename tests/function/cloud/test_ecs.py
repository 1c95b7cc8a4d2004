"""The SDK adapter: however a call ends, it becomes an answer or an `CloudError`, and no secret leaks."""

import json
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from threading import Thread

import pytest
from werkzeug.serving import make_server

from function.cloud.ecs import connect_ecs
from function.model.credentials import Credentials
from function.model.errors import ClientCode, CloudError
from function.model.ports import Ecs, StopCall
from function.model.request import StoppedMode
from local.emulator.fault_text import parse_fault
from tests.stage import SetStage, error

INSTANCE = "i-bp1good0000000000001"
KEY = Credentials(access_key_id="emulator", access_key_secret="emulator")
CALL = StopCall(
    instance_id=INSTANCE,
    stopped_mode=StoppedMode.KEEP_CHARGING,
    confirm_stop=False,
    force_stop=False,
    dry_run=False,
)


def ecs_at(endpoint: str, credentials: Credentials = KEY) -> Ecs:
    """ConnectEcs to an endpoint."""
    return connect_ecs("cn-hangzhou", credentials, endpoint=endpoint, connections=4)


def cloud_error(ecs: Ecs, *, seconds: float = 15) -> CloudError:
    """Send a stop call that must fail; what answers has the time that a busy machine may need."""
    with pytest.raises(CloudError) as raised:
        ecs.stop(CALL, seconds=seconds, fresh_seconds=30)
    return raised.value


@pytest.fixture
def silent() -> Iterator[str]:
    """Listen, accept by the backlog, and never answer."""
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


def test_a_timeout_to_read_is_no_answer(silent: str) -> None:
    """The call may have been done: only a look can tell."""
    assert cloud_error(ecs_at(silent), seconds=1.5).code == ClientCode.NO_ANSWER


def test_a_refused_connection_was_never_sent() -> None:
    """Where nobody listens, ECS has surely done nothing."""
    with closing(socket.socket()) as bound:
        bound.bind(("127.0.0.1", 0))  # so that nobody else comes to listen there
        endpoint = f"http://127.0.0.1:{bound.getsockname()[1]}"
        assert cloud_error(ecs_at(endpoint)).code == ClientCode.NO_CONNECTION


def test_an_unknown_host_was_never_reached() -> None:
    """Where the name can't be resolved, ECS has surely done nothing (RFC 6761 reserves `.invalid`)."""
    assert cloud_error(ecs_at("https://ecs.invalid")).code == ClientCode.NO_CONNECTION


@pytest.mark.parametrize(
    "fault", ["html", "html,status=500", "garbage", "reset", "reset,when=after", "html,status=200"]
)
def test_an_answer_that_is_none(stage: SetStage, fault: str) -> None:
    """A proxy's page, a body that isn't JSON, a reset: it was sent, and nobody knows what came of it."""
    set_up = stage({"InstanceId": INSTANCE}, faults=(parse_fault(f"StopInstance={fault}"),))
    assert cloud_error(ecs_at(set_up.endpoint)).code == ClientCode.NO_ANSWER


def test_retry_after_is_in_seconds(stage: SetStage) -> None:
    """`x-acs-retry-after` comes in milliseconds (alibabacloud-tea-openapi, `get_throttling_time_left`)."""
    fault = parse_fault("StopInstance=Throttling.User,retry-after=2500")
    set_up = stage({"InstanceId": INSTANCE}, faults=(fault,))
    assert cloud_error(ecs_at(set_up.endpoint)).retry_after == 2.5


def test_the_adapter_makes_one_attempt(stage: SetStage) -> None:
    """The SDK's own retries stay off, so that each stop call is counted, and none is sent without a look."""
    set_up = stage({"InstanceId": INSTANCE}, faults=(error("StopInstance", "InternalError"),))
    cloud_error(ecs_at(set_up.endpoint))
    assert len(set_up.ecs.calls) == 1


def test_describe_believes_only_what_was_asked(stage: SetStage) -> None:
    """Ids that ECS does not know are missing, and an empty list of ids is not asked for at all."""
    set_up = stage({"InstanceId": INSTANCE}, {"InstanceId": "i-bp1other"})
    found = ecs_at(set_up.endpoint).describe([INSTANCE, "i-bp1absent"], seconds=5)
    assert [instance.instance_id for instance in found.instances] == [INSTANCE]


SECRETS = Credentials(
    access_key_id="LTAI5tVerySecretKeyId",
    access_key_secret="verySecretSecret",
    security_token="CAISverySecretToken",
)


def test_no_secret_is_echoed(stage: SetStage) -> None:
    """ECS echoes the string to sign when a signature is wrong, and the key id when it is unknown."""
    set_up = stage({"InstanceId": INSTANCE})
    wrong = [
        SECRETS,
        Credentials(access_key_id="emulator", access_key_secret="verySecretSecret"),
        Credentials(
            access_key_id="emulator", access_key_secret="emulator", security_token="CAISverySecretToken"
        ),
    ]
    for credentials in wrong:
        text = repr(cloud_error(ecs_at(set_up.endpoint, credentials)).args) + repr(credentials)
        assert "erySecret" not in text
        assert "ACS3-HMAC" not in text


@contextmanager
def answering(status: int, body: bytes, **headers: str) -> Iterator[str]:
    """Answer every request with the same body and headers."""

    def application(_environ: object, start_response: Callable[..., object]) -> list[bytes]:
        start_response(f"{status} Whatever", [("Content-Type", "application/json"), *headers.items()])
        return [body]

    server = make_server("127.0.0.1", 0, application, threaded=True)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize(
    "body", [b"[]", b"{}", b"null", b'{"RequestId": null}', b'{"Message": "no code"}', b'{"Code": null}']
)
@pytest.mark.parametrize("status", [200, 400, 500, 599])
def test_json_that_is_no_answer(status: int, body: bytes) -> None:
    """JSON of another shape than ECS's, whatever its status, is no answer either."""
    with answering(status, body) as endpoint:
        assert cloud_error(ecs_at(endpoint)).code == ClientCode.NO_ANSWER


STOPPING = {"InstanceId": INSTANCE, "Code": "200", "Message": "success"}


@pytest.mark.parametrize(
    "body",
    [
        {"InstanceResponses": {"InstanceResponse": [STOPPING]}},
        {"RequestId": "R", "InstanceResponses": {"InstanceResponse": "none"}},
        {"RequestId": "R"},
    ],
)
def test_json_that_is_no_answer_about_many(body: object) -> None:
    """Of StopInstances, too, only what has ECS's shape is believed: looks will show what it did."""
    with answering(200, json.dumps(body).encode()) as endpoint, pytest.raises(CloudError) as raised:
        ecs_at(endpoint).stop_together([CALL], seconds=15, fresh_seconds=30)
    assert raised.value.code == ClientCode.NO_ANSWER


def test_of_two_answers_about_an_instance_neither_is_believed() -> None:
    """It is as if StopInstances had said nothing of it: looks will show."""
    other = {"InstanceId": "i-bp1other", "Code": "200"}
    answers = [STOPPING, other, STOPPING | {"Code": "IncorrectInstanceStatus"}]
    body = {"RequestId": "R", "InstanceResponses": {"InstanceResponse": answers}}
    with answering(200, json.dumps(body).encode()) as endpoint:
        assert ecs_at(endpoint).stop_together([CALL], seconds=15, fresh_seconds=30) == {"i-bp1other": "R"}


def test_a_call_that_may_not_have_left_is_not_said_to_be_sent() -> None:
    """TLS can fail before a call leaves, as where a certificate is not trusted, or after; it is no answer."""
    with answering(200, b"{}") as endpoint:
        failed = cloud_error(ecs_at(endpoint.replace("http://", "https://")))
    assert failed.code == ClientCode.NO_ANSWER
    assert str(failed) == "Client.NoAnswer: no usable answer came to ecs:StopInstance (SSLError)"


@pytest.mark.parametrize(
    "echoed",
    ["CAIS/verySecret+Token==", "CAIS%2FverySecret%2BToken%3D%3D", "verySecretSecret", "LTAI5tVeryKeyId"],
)
def test_a_secret_in_any_answer_is_hidden(echoed: str) -> None:
    """Whatever ECS writes into message, code or request id, the call's own credentials are taken out."""
    credentials = Credentials(
        access_key_id="LTAI5tVeryKeyId",
        access_key_secret="verySecretSecret",
        security_token="CAIS/verySecret+Token==",
    )
    answer = {"Code": f"Odd.{echoed}", "Message": f"you sent {echoed}", "RequestId": echoed}
    with answering(400, json.dumps(answer).encode()) as endpoint:
        failed = cloud_error(ecs_at(endpoint, credentials))
    assert str(failed) == "Odd.***: you sent ***"
    assert failed.request_id is None


@pytest.mark.parametrize("request_id", ["verySecretSecret", "R Signature=0123456789abcdef", "", "R" * 65])
def test_what_is_no_request_id_is_not_shown(request_id: str) -> None:
    """An answer whose request id can't be one is none: what was done, looks will show."""
    credentials = Credentials(access_key_id="emulator", access_key_secret="verySecretSecret")
    with answering(200, json.dumps({"RequestId": request_id}).encode()) as endpoint:
        failed = cloud_error(ecs_at(endpoint, credentials))
    assert failed.code == ClientCode.NO_ANSWER
    assert request_id not in str(failed) or not request_id


def test_an_answer_in_part_does_not_say_that_the_rest_is_not_there() -> None:
    """Where DescribeInstances by ids gives fewer, and a NextToken, those missing may be there."""
    one = {"InstanceId": INSTANCE, "RegionId": "cn-hangzhou", "Status": "Running"}
    answer = {"RequestId": "R", "NextToken": "AAAA", "Instances": {"Instance": [one]}}
    with answering(200, json.dumps(answer).encode()) as endpoint:
        ecs = ecs_at(endpoint)
        assert [seen.instance_id for seen in ecs.describe([INSTANCE], seconds=15).instances] == [INSTANCE]
        with pytest.raises(CloudError) as raised:
            ecs.describe([INSTANCE, "i-bp1other"], seconds=15)
    assert raised.value.code == ClientCode.NO_ANSWER


def test_debug_sdk_prints_nothing(stage: SetStage) -> None:
    """With DEBUG=sdk, the SDK would print Authorization and the token; the function's output has neither."""
    set_up = stage({"InstanceId": INSTANCE})
    script = (
        "import sys; from function.model.credentials import Credentials\n"
        "from function.cloud.ecs import connect_ecs\n"
        "key = Credentials(access_key_id='a', access_key_secret='b', security_token='verySecret')\n"
        f"ecs = connect_ecs('cn-hangzhou', key, endpoint='{set_up.endpoint}', connections=1)\n"
        "try: ecs.describe(['i-bp1a'], seconds=5)\n"
        "except Exception as error: print(type(error).__name__)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={"DEBUG": "sdk"},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert (done.stdout, done.stderr) == ("CloudError\n", "")


def test_redirects_are_not_followed(stage: SetStage) -> None:
    """`requests` would follow one and take key id and token along; the adapter calls it no answer."""
    elsewhere = stage({"InstanceId": INSTANCE})
    with answering(307, b"", Location=elsewhere.endpoint) as endpoint:
        assert cloud_error(ecs_at(endpoint)).code == ClientCode.NO_ANSWER
    assert elsewhere.ecs.calls == ()


def test_a_denial_says_what_ram_denied() -> None:
    """`AccessDeniedDetail` tells who may not do what, by which kind of policy, and without secrets."""
    detail = {
        "AuthAction": "ecs:StopInstance",
        "AuthPrincipalType": "AssumedRoleUser",
        "AuthPrincipalDisplayName": "stop-guard:verySecretSecret",
        "NoPermissionType": "ImplicitDeny",
        "PolicyType": None,
        "EncodedDiagnosticMessage": "AQIBIAAAAOPdwKY2QLOvgMEc7SkkoJfj1kvZwsaRqNYMh10",
    }
    answer = {"Code": "Forbidden.RAM", "Message": "no", "RequestId": "R", "AccessDeniedDetail": detail}
    credentials = Credentials(access_key_id="emulator", access_key_secret="verySecretSecret")
    with answering(403, json.dumps(answer).encode()) as endpoint:
        failed = cloud_error(ecs_at(endpoint, credentials))
    assert failed.message.endswith(
        "; RAM says: AuthAction ecs:StopInstance, AuthPrincipalType AssumedRoleUser, "
        "AuthPrincipalDisplayName stop-guard:***, NoPermissionType ImplicitDeny"
    )
    assert (failed.code, failed.http_status) == ("Forbidden.RAM", 403)


@pytest.mark.parametrize("detail", ["text", None, [], {}, {"AuthAction": None}])
def test_a_denial_without_detail_is_one(detail: object) -> None:
    """What RAM says need not be there, or be an object."""
    answer = {"Code": "Forbidden.RAM", "Message": "no", "RequestId": "R", "AccessDeniedDetail": detail}
    with answering(403, json.dumps(answer).encode()) as endpoint:
        assert "RAM says" not in cloud_error(ecs_at(endpoint)).message


def test_types_that_cannot_be_read_stay_unknown() -> None:
    """Of an answer about types what can be read is taken, in every spelling of "none"."""
    kinds = [
        {"InstanceTypeId": "ecs.a.large", "LocalStorageAmount": "0", "LocalStorageCategory": ""},
        {"InstanceTypeId": "ecs.b.large", "LocalStorageCapacity": 894},
        {"InstanceTypeId": "ecs.c.large", "LocalStorageAmount": None},
        {"InstanceTypeId": None},
        "ecs.d.large",
    ]
    body = {"RequestId": "R", "InstanceTypes": {"InstanceType": kinds}}
    with answering(200, json.dumps(body).encode()) as endpoint:
        told = ecs_at(endpoint).local_disks(["ecs.a.large"], seconds=15)
    assert told == {"ecs.a.large": "no", "ecs.b.large": "yes", "ecs.c.large": "no"}


@pytest.mark.parametrize("context", ["", None])
def test_an_empty_token_of_the_context_is_none(context: str | None) -> None:
    """A long-lived key has no token: none is sent, and the environment's does not go with it."""

    class Given:
        access_key_id = "id"
        access_key_secret = "secret"
        security_token = context

    environment = {"ALIBABA_CLOUD_SECURITY_TOKEN": "another key's"}
    assert Credentials.read(Given, environment) == Credentials(  # type: ignore[arg-type]  # FC's may be None
        access_key_id="id", access_key_secret="secret"
    )


def test_credentials_are_read_as_fc_names_them() -> None:
    """The variables are FC's own: with the token under another name every call would be denied."""
    names = ("ACCESS_KEY_ID", "ACCESS_KEY_SECRET", "SECURITY_TOKEN")
    environment = {f"ALIBABA_CLOUD_{name}": name for name in names}
    assert Credentials.read(None, environment) == Credentials(
        access_key_id="ACCESS_KEY_ID", access_key_secret="ACCESS_KEY_SECRET", security_token="SECURITY_TOKEN"
    )


@pytest.mark.parametrize("beside", [[], ["i-bp1unasked"]])
def test_only_instances_that_were_asked_for_are_believed(beside: list[str]) -> None:
    """What DescribeInstances by ids shows besides is not taken in, readable or not."""
    shown: list[dict[str, object]] = [
        {"InstanceId": one, "RegionId": "cn-hangzhou", "Status": status}
        for one, status in [(INSTANCE, "Running"), *((one, "Running") for one in beside), ("i-bp1odd", None)]
    ]
    body = {"RequestId": "R", "Instances": {"Instance": shown}}
    with answering(200, json.dumps(body).encode()) as endpoint:
        page = ecs_at(endpoint).describe([INSTANCE, "i-bp1absent"], seconds=15)
    assert [one.instance_id for one in page.instances] == [INSTANCE]
    assert page.unreadable == {}


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("Status", None, "its Status can't be read: is not of the type that ECS documents"),
        ("LocalStorageAmount", "many", "its LocalStorageAmount can't be read: is not of the type"),
        ("Tags", "x", "its Tags can't be read: is no list of Tag"),
    ],
)
def test_what_is_unreadable_of_an_instance_is_said_in_our_words(field: str, value: object, says: str) -> None:
    """The field is named, and no library speaks."""
    shown = {"InstanceId": INSTANCE, "RegionId": "cn-hangzhou", "Status": "Running", field: value}
    body = {"RequestId": "R", "Instances": {"Instance": [shown]}}
    with answering(200, json.dumps(body).encode()) as endpoint:
        page = ecs_at(endpoint).describe([INSTANCE], seconds=15)
    assert page.unreadable[INSTANCE].message.startswith(says)
