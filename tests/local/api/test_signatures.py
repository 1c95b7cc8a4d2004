"""Both signature schemes against published examples and against the real SDKs' own code."""

from alibabacloud_tea_openapi.utils import Utils
from aliyunsdkcore.auth.composer.rpc_signature_composer import get_signed_url
from darabonba.request import DaraRequest
from hypothesis import given
from hypothesis import strategies as st

from local.api.signatures import (
    acs3_authorization,
    acs3_canonical_request,
    acs3_signature,
    acs3_string_to_sign,
    log_signature,
    log_string_to_sign,
    percent_encode,
    rpc_signature,
    rpc_string_to_sign,
)

EMPTY_DIGEST = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

texts = st.text(st.characters(codec="utf-8"), max_size=20)
parameters = st.dictionaries(
    st.text(st.characters(codec="utf-8"), min_size=1, max_size=10), texts, max_size=6
)


def test_rpc_matches_the_published_example() -> None:
    """The example of Alibaba Cloud's page on the RPC signature gives the signature printed there."""
    example = {
        "AccessKeyId": "testid",
        "Action": "DescribeRegions",
        "Format": "XML",
        "SignatureMethod": "HMAC-SHA1",
        "SignatureNonce": "3ee8c1b8-83d3-44af-a94f-4e0ad82fd6cf",
        "SignatureVersion": "1.0",
        "Timestamp": "2016-02-23T12:46:24Z",
        "Version": "2014-05-26",
    }
    assert rpc_signature(rpc_string_to_sign("GET", example), "testsecret") == "OLeaidS1JvxuMvnyHOwuJ+uX5qY="


def test_acs3_matches_the_published_example() -> None:
    """The example of Alibaba Cloud's page on ACS3-HMAC-SHA256 gives the signature printed there."""
    headers = {
        "host": "ecs.cn-shanghai.aliyuncs.com",
        "x-acs-action": "RunInstances",
        "x-acs-content-sha256": EMPTY_DIGEST,
        "x-acs-date": "2023-10-26T10:22:32Z",
        "x-acs-signature-nonce": "3156853299f313e23d1673dc12e1703d",
        "x-acs-version": "2014-05-26",
    }
    canonical = acs3_canonical_request(
        method="POST",
        path="/",
        query={"RegionId": "cn-shanghai", "ImageId": "win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd"},
        headers=headers,
        signed_headers=headers,
        body=b"",
    )
    signature = acs3_signature(acs3_string_to_sign(canonical), "YourAccessKeySecret")
    assert signature == "06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0"


@given(parameters, texts)
def test_rpc_agrees_with_the_sdk(given_parameters: dict[str, str], secret: str) -> None:
    """Whatever the parameters, the SDK computes the same RPC signature."""
    ours = rpc_signature(rpc_string_to_sign("POST", given_parameters), secret)
    assert ours == Utils.get_rpcsignature(given_parameters, "POST", secret)


@given(parameters)
def test_rpc_agrees_with_the_legacy_sdk(given_parameters: dict[str, str]) -> None:
    """Whatever the parameters, the legacy SDK signs the same text."""
    sent = dict(given_parameters)
    _, signed = get_signed_url(sent, "emulator", "emulator", "JSON", "GET", {})
    sent.pop("Signature")
    assert signed == rpc_string_to_sign("GET", sent)


# The SDK leaves names unencoded under ACS3, against the document; ECS has none that would show it.
names = st.from_regex(r"[A-Za-z][A-Za-z0-9.]{0,9}", fullmatch=True)


@given(st.dictionaries(names, texts, max_size=6), texts, st.binary(max_size=20))
def test_acs3_agrees_with_the_sdk(query: dict[str, str], secret: str, body: bytes) -> None:
    """Whatever the query and the body, the SDK writes the same header Authorization."""
    request = DaraRequest()
    request.method, request.pathname, request.query = "POST", "/", query
    request.headers = {"host": "127.0.0.1:8014", "x-acs-action": "StopInstance", "User-Agent": " a b "}
    headers = {name.lower(): value for name, value in request.headers.items()}
    canonical = acs3_canonical_request(
        method="POST", path="/", query=query, headers=headers, signed_headers=headers, body=body
    )
    ours = acs3_authorization("id", headers, acs3_signature(acs3_string_to_sign(canonical), secret))
    digest = Utils.hash(body, "ACS3-HMAC-SHA256").hex()
    assert ours == Utils.get_authorization(request, "ACS3-HMAC-SHA256", digest, "id", secret)


def test_percent_encoding_is_rfc_3986() -> None:
    """A blank becomes %20, never +; an asterisk is encoded, a tilde is not."""
    assert percent_encode("a b*~+/中") == "a%20b%2A~%2B%2F%E4%B8%AD"


def test_the_log_service_is_asked_as_its_sdk_asks() -> None:
    """The signatures are those that the service's own SDK (alibabacloud-gateway-sls 0.4.2) made of this."""
    headers = {
        "accept": "application/json",
        "date": "Thu, 26 Nov 2026 02:00:00 GMT",
        "host": "p.cn-hangzhou.log.aliyuncs.com",
        "x-log-apiversion": "0.6.0",
        "x-log-bodyrawsize": "0",
        "x-log-signaturemethod": "hmac-sha256",
    }
    by_session = {**headers, "x-acs-security-token": "token"}
    by_user = {**headers, "content-type": "application/json", "content-md5": ""}
    for given_headers, signature in (
        (by_session, "QXfaN0hbOnt3Bab2U0Zn2zgGjTBbsCs9M02L0ONvb5Q="),
        (by_user, "+8pCTYYs82FA8IeN/v2vrRtF6yNuL3rf7UkykJl3K2w="),
    ):
        text = log_string_to_sign("GET", "/logstores/stop-guard", given_headers)
        assert log_signature(text, "somesecret") == signature
