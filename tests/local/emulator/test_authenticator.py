"""Who is let in: wrong keys, signatures, times, nonces and tokens get ECS's own codes, under both schemes."""

import hashlib
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from local.emulator.backend import LocalEcs
from local.emulator.keys import KeyPair

ID = "i-bp67acfmxazb4ph001"
TOKEN = "a token+/="
FORCED = "ForceStop=true"
DIGEST = hashlib.sha256(FORCED.encode()).hexdigest()
TEMPORARY = KeyPair("emulator", "emulator", TOKEN)

Make = Callable[..., LocalEcs]
Connect = Callable[..., Any]


def old(clock: Any, minutes: int) -> str:  # noqa: ANN401 - the fixture's
    """Write a time so many minutes before the clock."""
    return f"{clock.now() - timedelta(minutes=minutes):%Y-%m-%dT%H:%M:%SZ}"


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"secret": "wrong"}, 400, "SignatureDoesNotMatch"),
        ({"access_key_id": "nobody"}, 404, "InvalidAccessKeyId.NotFound"),
        ({"x_acs_date": ""}, 400, "MissingTimestamp"),
        ({"x_acs_date": "yesterday"}, 400, "InvalidTimeStamp.Format"),
        ({"x_acs_signature_nonce": ""}, 400, "MissingSignatureNonce"),
        ({"x_acs_content_sha256": ""}, 400, "IncompleteSignature"),
        ({"unsigned": ("x-acs-date",)}, 400, "IncompleteSignature"),
        ({"unsigned": ("host",)}, 400, "IncompleteSignature"),
        ({"sent_body": FORCED}, 400, "SignatureDoesNotMatch"),
        ({"sent_body": FORCED, "x_acs_content_sha256": DIGEST}, 400, "SignatureDoesNotMatch"),
        ({"x_acs_content_sha256": DIGEST}, 400, "SignatureDoesNotMatch"),
        ({"unsigned_query": "&InstanceId=i-evil"}, 400, "RepeatedInstanceId"),
        ({"x_acs_security_token": "any"}, 400, "InvalidSecurityToken.MismatchWithAccessKey"),
    ],
)
def test_acs3_that_isnt_right(
    change: dict[str, Any], status: int, code: str, make_ecs: Make, wire: Connect
) -> None:
    """Under ACS3 each flaw has its own code, and nothing is stopped."""
    ecs = make_ecs({"InstanceId": ID})
    answer = wire(ecs).acs3("StopInstance", {"InstanceId": ID}, **change)
    assert (answer.status, answer.code) == (status, code)
    assert ecs.instance(ID).status == "Running"


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"secret": "wrong"}, 400, "SignatureDoesNotMatch"),
        ({"Signature": "AAAA"}, 400, "SignatureDoesNotMatch"),
        ({"Signature": "ключ"}, 400, "SignatureDoesNotMatch"),
        ({"AccessKeyId": "nobody"}, 404, "InvalidAccessKeyId.NotFound"),
        ({"AccessKeyId": ""}, 400, "MissingAccessKeyId"),
        ({"Timestamp": ""}, 400, "MissingTimestamp"),
        ({"Timestamp": "yesterday"}, 400, "InvalidTimeStamp.Format"),
        ({"SignatureNonce": ""}, 400, "MissingSignatureNonce"),
        ({"SignatureMethod": "HMAC-MD5"}, 400, "IncompleteSignature"),
        ({"unsigned_query": "&InstanceId=i-evil"}, 400, "RepeatedInstanceId"),
        ({"unsigned_query": "&Signature=AAAA"}, 400, "RepeatedSignature"),
        ({"form": {"InstanceId": "i-evil"}, "method": "POST"}, 400, "RepeatedInstanceId"),
        ({"SecurityToken": "any"}, 400, "InvalidSecurityToken.MismatchWithAccessKey"),
    ],
)
def test_rpc_that_isnt_right(
    change: dict[str, Any], status: int, code: str, make_ecs: Make, wire: Connect
) -> None:
    """Under RPC each flaw has its own code, and nothing is stopped."""
    ecs = make_ecs({"InstanceId": ID})
    answer = wire(ecs).rpc("StopInstance", {"InstanceId": ID}, **change)
    assert (answer.status, answer.code) == (status, code)
    assert ecs.instance(ID).status == "Running"


@pytest.mark.parametrize("scheme", ["acs3", "rpc"])
def test_times_count_by_the_wall_clock(scheme: str, clock: Any, make_ecs: Make, wire: Connect) -> None:  # noqa: ANN401 - the fixture's
    """A request may be fifteen minutes off, either way, and no more."""
    ecs = make_ecs({"InstanceId": ID})
    client = wire(ecs)
    name = "x_acs_date" if scheme == "acs3" else "Timestamp"
    codes = [
        getattr(client, scheme)("DescribeInstanceTypes", **{name: old(clock, minutes)}).json.get("Code")
        for minutes in (15, 16, -15, -16)
    ]
    assert codes == [None, "InvalidTimeStamp.Expired", None, "InvalidTimeStamp.Expired"]


@pytest.mark.parametrize("scheme", ["acs3", "rpc"])
def test_a_nonce_is_good_once(scheme: str, clock: Any, make_ecs: Make, wire: Connect) -> None:  # noqa: ANN401 - the fixture's
    """A replayed request is refused, however late it comes; a nonce of a failed signature isn't used up."""
    client = wire(make_ecs({"InstanceId": ID}))
    name = "x_acs_signature_nonce" if scheme == "acs3" else "SignatureNonce"

    def send(**more: str) -> str | None:
        answer = getattr(client, scheme)("DescribeInstanceTypes", **{name: "the same"}, **more)
        return answer.json.get("Code") if answer.status != 200 else None

    assert send(secret="wrong") == "SignatureDoesNotMatch"
    assert send() is None
    assert send() == "SignatureNonceUsed"
    clock.advance(14 * 60)
    assert send() == "SignatureNonceUsed"
    clock.advance(24 * 60 * 60)
    assert send() is None


@pytest.mark.parametrize(
    ("token", "code"),
    [("", "MissingSecurityToken"), ("another", "InvalidSecurityToken.Malformed"), (TOKEN, None)],
)
@pytest.mark.parametrize("scheme", ["acs3", "rpc"])
def test_a_temporary_key_needs_its_token(
    scheme: str, token: str, code: str | None, make_ecs: Make, wire: Connect
) -> None:
    """Where the key is a temporary one, only its own token is let in."""
    client = wire(make_ecs({"InstanceId": ID}), credentials=TEMPORARY)
    name = "x_acs_security_token" if scheme == "acs3" else "SecurityToken"
    answer = getattr(client, scheme)("DescribeInstanceTypes", **{name: token})
    assert answer.json.get("Code") == code


@pytest.mark.parametrize("scheme", ["acs3", "rpc"])
def test_a_mismatch_echoes_what_was_signed_to_the_caller_alone(
    scheme: str, make_ecs: Make, wire: Connect
) -> None:
    """The caller gets the string to sign back, token included, as from ECS; what is kept has none."""
    ecs = make_ecs({"InstanceId": ID})
    client = wire(ecs, credentials=KeyPair("emulator", "emulator", "SECRETTOKEN"))
    name = "x_acs_security_token" if scheme == "acs3" else "SecurityToken"
    answer = getattr(client, scheme)(
        "StopInstance", {"InstanceId": ID}, secret="wrong", **{name: "SECRETTOKEN"}
    )
    assert answer.code == "SignatureDoesNotMatch"
    assert "SECRETTOKEN" in answer.json["Message"]
    assert ID in answer.json["Message"]
    (call,) = ecs.calls
    assert call.code == "SignatureDoesNotMatch"
    assert ID in call.signed
    assert "SECRETTOKEN" not in repr(call)


def test_other_schemes_are_refused(make_ecs: Make, wire: Connect) -> None:
    """An Authorization header of another kind isn't taken for a signature."""
    answer = wire(make_ecs()).send("POST", "/", headers={"Authorization": "Basic ZW11bGF0b3I6ZW11bGF0b3I="})
    assert (answer.status, answer.code) == (400, "IncompleteSignature")


def test_key_pair_does_not_print_its_secrets() -> None:
    """The representation of a key pair shows the key's id alone."""
    assert repr(TEMPORARY) == "KeyPair(access_key_id='emulator')"
