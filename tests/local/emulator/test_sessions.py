"""AssumeRole: who gets a session, what it is good for and how long, and that its secrets stay secret."""

import itertools
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import pytest
from alibabacloud_ecs20140526 import models as ecs_models
from alibabacloud_ecs20140526.client import Client as EcsClient
from alibabacloud_sts20150401 import models
from alibabacloud_sts20150401.client import Client
from alibabacloud_tea_openapi.exceptions import ClientException
from alibabacloud_tea_openapi.models import Config

from local.api.api_error import ApiError
from local.emulator.account import DEFAULT_ACCOUNT
from local.emulator.backend import LocalEcs
from local.emulator.fault_text import parse_fault
from local.emulator.fleet import Fleet
from local.emulator.keys import KeyPair
from local.emulator.server import serve

ID, REGION = "i-bp67acfmxazb4ph001", "cn-hangzhou"
OTHER = "2345678901234567"
FOREIGN = {"InstanceId": ID, "x-emulator": {"AccountId": OTHER}}
ARN = f"acs:ram::{OTHER}:role/stop-guard"
ROLE = {"RoleArn": ARN, "RoleSessionName": "stop-guard"}
VERSION = "2015-04-01"

Make = Callable[..., LocalEcs]
Connect = Callable[..., Any]


def config(endpoint: str, credentials: KeyPair, algorithm: str | None = None) -> Any:  # noqa: ANN401 - the SDK has no types
    """Configure a client of the SDK."""
    return Config(
        access_key_id=credentials.access_key_id,
        access_key_secret=credentials.access_key_secret,
        security_token=credentials.security_token or None,
        endpoint=endpoint.removeprefix("http://"),
        protocol="HTTP",
        signature_algorithm=algorithm,
    )


def assumed(answer: Mapping[str, Any]) -> KeyPair:
    """Read the credentials in AssumeRole's answer."""
    given = answer["Credentials"]
    return KeyPair(given["AccessKeyId"], given["AccessKeySecret"], given["SecurityToken"])


def described(client: Any, scheme: str, key: KeyPair, token: str | None = None) -> Any:  # noqa: ANN401 - the fixture's
    """Call DescribeInstances by hand with such a key; another token replaces its own."""
    token = key.security_token if token is None else token
    if scheme == "acs3":
        signed = {"access_key_id": key.access_key_id, "x_acs_security_token": token}
    else:
        signed = {"AccessKeyId": key.access_key_id, "SecurityToken": token}
    return getattr(client, scheme)(
        "DescribeInstances", {"RegionId": REGION}, secret=key.access_key_secret, **signed
    )


@pytest.mark.parametrize("algorithm", [None, "v2"], ids=["acs3", "rpc"])
def test_the_official_sdks(algorithm: str | None, make_ecs: Make) -> None:
    """The SDK of STS assumes a role, and the SDK of ECS stops the other account's instance with it."""
    ecs = make_ecs(FOREIGN)
    with serve(ecs) as endpoint:
        sts = Client(config(endpoint, KeyPair(), algorithm))
        request = models.AssumeRoleRequest(role_arn=ARN, role_session_name="me", duration_seconds=900)
        body = sts.assume_role(request).body
        key = assumed(body.to_map())
        client = EcsClient(config(endpoint, key, algorithm))
        client.stop_instance(ecs_models.StopInstanceRequest(instance_id=ID))
    assert ecs.instance(ID).status == "Stopping"
    assert key.access_key_id.startswith("STS.")
    assert body.assumed_role_user.arn == f"{ARN}/me"
    assert body.assumed_role_user.assumed_role_id.endswith(":me")
    assert body.credentials.expiration == "2026-03-01T12:15:00Z"
    assert [(call.action, call.account_id) for call in ecs.calls] == [
        ("AssumeRole", DEFAULT_ACCOUNT),
        ("StopInstance", OTHER),
    ]
    assert ecs.calls[0].parameters == {
        "RoleArn": ARN,
        "RoleSessionName": "me",
        "DurationSeconds": "900",
    }


@pytest.mark.parametrize("scheme", ["acs3", "rpc"])
def test_a_session_acts_in_the_roles_account(scheme: str, make_ecs: Make, wire: Connect) -> None:
    """Calls with a session see the role's account; those with the server's own key don't."""
    ecs = make_ecs(FOREIGN)
    client = wire(ecs)
    own = described(client, scheme, KeyPair()).json
    session = described(client, scheme, assumed(ecs.call("AssumeRole", ROLE))).json
    assert (own["TotalCount"], session["TotalCount"]) == (0, 1)


def test_the_answer_in_xml(make_ecs: Make, wire: Connect) -> None:
    """Legacy clients get AssumeRole's answer as XML, in the form of the documented sample."""
    answer = wire(make_ecs(FOREIGN)).rpc("AssumeRole", ROLE, Version=VERSION, Format="XML").xml
    assert answer.tag == "AssumeRoleResponse"
    assert answer.findtext("AssumedRoleUser/Arn") == f"{ARN}/stop-guard"
    names = {"AccessKeyId", "AccessKeySecret", "SecurityToken", "Expiration"}
    assert {each.tag for each in answer.findall("Credentials/*")} == names


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"RoleArn": ""}, 400, "MissingRoleArn"),
        ({"RoleSessionName": ""}, 400, "MissingRoleSessionName"),
        ({"RoleArn": "stop-guard"}, 400, "InvalidParameter.RoleArn"),
        ({"RoleArn": f"acs:ram::{OTHER}:user/me"}, 400, "InvalidParameter.RoleArn"),
        ({"RoleArn": f"{ARN}/more"}, 400, "InvalidParameter.RoleArn"),
        ({"RoleArn": f"{ARN}\n"}, 400, "InvalidParameter.RoleArn"),
        ({"RoleArn": "acs:ram::9999999999999999:role/stop-guard"}, 404, "EntityNotExist.Role"),
        ({"RoleSessionName": "a"}, 400, "InvalidParameter.RoleSessionName"),
        ({"RoleSessionName": "a b"}, 400, "InvalidParameter.RoleSessionName"),
        ({"RoleSessionName": "a" * 65}, 400, "InvalidParameter.RoleSessionName"),
        ({"DurationSeconds": "899"}, 400, "InvalidParameter.DurationSeconds"),
        ({"DurationSeconds": "43201"}, 400, "InvalidParameter.DurationSeconds"),
        ({"DurationSeconds": "1000000000000"}, 400, "InvalidParameter.DurationSeconds"),
        ({"DurationSeconds": "1h"}, 400, "InvalidParameter.DurationSeconds"),
        ({"ExternalId": "x", "Unknown": "1"}, 200, None),
        ({"RoleArn": f"acs:ram::{DEFAULT_ACCOUNT}:role/a.b-c_d"}, 200, None),
        ({"DurationSeconds": "43200", "Policy": "{}", "ExternalId": "x", "RegionId": REGION}, 200, None),
    ],
)
def test_what_is_asked(
    change: Mapping[str, str], status: int, code: str | None, make_ecs: Make, wire: Connect
) -> None:
    """Each parameter is checked, and each mistake has its own code; any role of an account here will do."""
    parameters = {name: value for name, value in {**ROLE, **change}.items() if value}
    answer = wire(make_ecs(FOREIGN)).acs3("AssumeRole", parameters, x_acs_version=VERSION)
    assert (answer.status, answer.json.get("Code")) == (status, code)


@pytest.mark.parametrize(
    ("action", "version", "code"),
    [
        ("AssumeRole", "2014-05-26", "InvalidAction.NotFound"),
        ("DescribeInstances", VERSION, "InvalidAction.NotFound"),
        ("AssumeRole", "2015-04-02", "InvalidVersion"),
    ],
)
def test_each_api_has_its_version(
    action: str, version: str, code: str, make_ecs: Make, wire: Connect
) -> None:
    """An action is found under its own API's version alone."""
    assert wire(make_ecs(FOREIGN)).acs3(action, ROLE, x_acs_version=version).code == code


@pytest.mark.parametrize("scheme", ["acs3", "rpc"])
def test_a_session_ends(scheme: str, clock: Any, make_ecs: Make, wire: Connect) -> None:  # noqa: ANN401 - the fixture's
    """A session is good until it expires, and from then on its key gets the error for that."""
    ecs = make_ecs(FOREIGN)
    client = wire(ecs)
    answer = ecs.call("AssumeRole", {**ROLE, "DurationSeconds": "900"})
    left = datetime.fromisoformat(answer["Credentials"]["Expiration"]) - clock.now()
    clock.advance(left.total_seconds() - 1)
    assert described(client, scheme, assumed(answer)).status == 200
    clock.advance(1)
    late = described(client, scheme, assumed(answer))
    assert (late.status, late.code) == (400, "InvalidSecurityToken.Expired")


@pytest.mark.parametrize("scheme", ["acs3", "rpc"])
def test_a_session_is_key_secret_and_token(scheme: str, make_ecs: Make, wire: Connect) -> None:
    """A session's key with anything else than its own secret and token isn't let in, and none is guessed."""
    ecs = make_ecs(FOREIGN)
    client = wire(ecs)
    one, other = (assumed(ecs.call("AssumeRole", ROLE)) for _ in range(2))
    assert one != other
    mixed = KeyPair(one.access_key_id, other.access_key_secret, one.security_token)
    unknown = KeyPair("STS.nobody", one.access_key_secret, one.security_token)
    codes = [
        described(client, scheme, mixed).code,
        described(client, scheme, unknown).code,
        described(client, scheme, one, token="").code,
        described(client, scheme, one, token=other.security_token).code,
        described(client, scheme, KeyPair(), token=one.security_token).code,
    ]
    assert codes == [
        "SignatureDoesNotMatch",
        "InvalidAccessKeyId.NotFound",
        "MissingSecurityToken",
        "InvalidSecurityToken.Malformed",
        "InvalidSecurityToken.MismatchWithAccessKey",
    ]


def test_no_secret_is_kept(make_ecs: Make, wire: Connect) -> None:
    """Secret and token of a session are in its answer, and in nothing that is remembered or shown after."""
    ecs = make_ecs(FOREIGN)
    client = wire(ecs)
    answer = client.acs3("AssumeRole", ROLE, x_acs_version=VERSION)
    key = assumed(answer.json)
    described(client, "acs3", key)
    described(client, "rpc", key)
    wrong = KeyPair(key.access_key_id, "wrong", key.security_token)
    described(client, "acs3", wrong)
    page = client.send("GET", "/", headers={"Accept": "text/html"}).text
    assert key.access_key_id in page
    for secret in (key.access_key_secret, key.security_token):
        assert secret in answer.text
        assert secret not in page
        assert secret not in repr(ecs.calls)
        assert secret not in repr(ecs.session_key(key.access_key_id))


def test_a_reset_ends_all_sessions(make_ecs: Make) -> None:
    """A session that was issued before a reset is unknown after it."""
    ecs = make_ecs(FOREIGN)
    key = assumed(ecs.call("AssumeRole", ROLE))
    assert ecs.session_key(key.access_key_id) is not None
    ecs.reset()
    assert ecs.session_key(key.access_key_id) is None


def test_sessions_repeat_exactly(clock: Any) -> None:  # noqa: ANN401 - the fixture's
    """With clock and request ids given, the same role gets the same session; twice in a row, two of them."""

    def run() -> list[object]:
        numbers = itertools.count()
        ecs = LocalEcs(
            Fleet.from_instances([FOREIGN]), now=clock.now, request_ids=lambda: f"R{next(numbers)}"
        )
        return [ecs.call("AssumeRole", ROLE) for _ in range(2)]

    first, second = run()
    assert [first, second] == run()
    assert first != second


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("AssumeRole=NoPermission", ["NoPermission", "NoPermission"]),
        (f"AssumeRole=NoPermission,account={OTHER}", ["ok", "NoPermission"]),
        (f"AssumeRole:1=EntityNotExist.Role,account={DEFAULT_ACCOUNT}", ["EntityNotExist.Role", "ok"]),
        ("AssumeRole=quota,per-minute=1", ["ok", "Throttling.User"]),
        (f"DescribeInstances=NoPermission,account={OTHER}", ["ok", "ok"]),
    ],
)
def test_faults(text: str, expected: list[str], make_ecs: Make) -> None:
    """Faults meet AssumeRole as any action; with `account=`, only for roles of that account."""
    ecs = make_ecs(FOREIGN, faults=[parse_fault(text)])
    seen = []
    for account_id in (DEFAULT_ACCOUNT, OTHER):
        try:
            ecs.call("AssumeRole", {**ROLE, "RoleArn": f"acs:ram::{account_id}:role/stop-guard"})
            seen.append("ok")
        except ApiError as error:
            seen.append(error.code)
    assert seen == expected


def test_the_official_sdk_reads_a_denial(make_ecs: Make) -> None:
    """A denied role reaches the SDK's caller as an error with its code."""
    ecs = make_ecs(FOREIGN, faults=[parse_fault("AssumeRole=NoPermission")])
    request = models.AssumeRoleRequest(role_arn=ARN, role_session_name="me")
    with serve(ecs) as endpoint, pytest.raises(ClientException) as raised:
        Client(config(endpoint, KeyPair())).assume_role(request)
    assert (raised.value.status_code, raised.value.code) == (403, "NoPermission")


def test_what_sts_ignores_is_noted(make_ecs: Make) -> None:
    """A parameter that STS doesn't know changes nothing, and the remembered call names it."""
    ecs = make_ecs(FOREIGN)
    ecs.call("GetCallerIdentity", {"RegionId": REGION, "on": "x"})
    ecs.call("AssumeRole", {**ROLE, "Other": "y"})
    assert [call.ignored for call in ecs.calls] == [("on",), ("Other",)]


def test_the_caller_learns_who_it_is(make_ecs: Make) -> None:
    """GetCallerIdentity names the key's account and user; with a session's key, the role's."""
    ecs = make_ecs(FOREIGN)
    with serve(ecs) as endpoint:
        sts = Client(config(endpoint, KeyPair()))
        own = sts.get_caller_identity().body
        role = sts.assume_role(models.AssumeRoleRequest(role_arn=ARN, role_session_name="stop-guard"))
        given = role.body.credentials
        session = KeyPair(given.access_key_id, given.access_key_secret, given.security_token)
        other = Client(config(endpoint, session)).get_caller_identity().body
    assert (own.account_id, own.identity_type, own.arn) == (
        DEFAULT_ACCOUNT,
        "RAMUser",
        f"acs:ram::{DEFAULT_ACCOUNT}:user/emulator",
    )
    assert (own.user_id, own.role_id) == (own.principal_id, None)
    assert (other.account_id, other.identity_type, other.user_id) == (OTHER, "AssumedRoleUser", None)
    assert other.arn == f"acs:ram::{OTHER}:assumed-role/stop-guard/stop-guard"
    assert other.principal_id == role.body.assumed_role_user.assumed_role_id
