"""What function/cloud/sdk.py relies on in the SDK: each test fails loudly where a new version differs."""

import asyncio
import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest
from alibabacloud_ecs20140526.client import Client as EcsClient

from function.cloud import fc, lazy_imports, sdk
from function.model.credentials import Credentials

SECRET = "hidden-access-key-secret"
TOKEN = "hidden-security-token"
UNUSED = {
    "aiohttp",
    "alibabacloud_credentials",
    "asyncio",
    "charset_normalizer",
    "cryptography",
    "idna",
    "websocket",
    "xml",
}


@dataclass(frozen=True, slots=True)
class Request:
    """One request as it arrived."""

    target: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def query(self) -> dict[str, list[str]]:
        """The parameters of the call."""
        return parse_qs(urlsplit(self.target).query, keep_blank_values=True, strict_parsing=True)


@dataclass(frozen=True, slots=True)
class Wire:
    """A server that keeps every request and grants it."""

    endpoint: str
    requests: list[Request] = field(default_factory=list)


@pytest.fixture
def wire() -> Iterator[Wire]:
    """Serve on a free loopback port."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            kept.requests.append(Request(self.path, headers, body))
            answer = b'{"RequestId": "R"}'
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
            """Keep the test's output clean."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        kept = Wire(f"127.0.0.1:{server.server_port}")
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield kept
        server.shutdown()
        thread.join()


def config(wire: Wire) -> sdk.Config:
    """Make what both clients are made of."""
    return sdk.Config(
        access_key_id="id",
        access_key_secret=SECRET,
        security_token=TOKEN,
        endpoint=wire.endpoint,
        protocol="HTTP",
    )


CALLS: list[tuple[str, Callable[[EcsClient], Callable[..., object]], object]] = [
    (
        "StopInstance",
        lambda client: client.stop_instance_with_options,
        sdk.StopInstanceRequest(
            instance_id="i-1", stopped_mode="StopCharging", confirm_stop=True, force_stop=False, dry_run=True
        ),
    ),
    (
        "StopInstances",
        lambda client: client.stop_instances_with_options,
        sdk.StopInstancesRequest(
            region_id="cn-hangzhou",
            instance_id=["i-1", "i-2"],
            stopped_mode="KeepCharging",
            force_stop=True,
            batch_optimization="SuccessFirst",
            dry_run=False,
        ),
    ),
    (
        "DescribeInstances",
        lambda client: client.describe_instances_with_options,
        sdk.DescribeInstancesRequest(
            region_id="cn-hangzhou",
            instance_ids='["i-1", "i-2"]',
            max_results=100,
            next_token="n+/=",
            resource_group_id="rg-1",
            vpc_id="vpc-1",
            zone_id="cn-hangzhou-b",
            instance_name="web*",
            status="Running",
            tag=[
                sdk.DescribeInstancesRequestTag(key="env", value="dev & test"),
                sdk.DescribeInstancesRequestTag(key="köln"),
            ],
        ),
    ),
    (
        "DescribeInstanceTypes",
        lambda client: client.describe_instance_types_with_options,
        sdk.DescribeInstanceTypesRequest(instance_types=["ecs.i1.xlarge", "ecs.g7.large"], max_results=10),
    ),
]


@pytest.mark.parametrize(("action", "method", "request_"), CALLS, ids=[call[0] for call in CALLS])
def test_generic_client_sends_what_the_ecs_client_sends(
    wire: Wire,
    action: str,
    method: Callable[[EcsClient], Callable[..., object]],
    request_: sdk.OpenApiRequest,
) -> None:
    """A call through the generic client is, on the wire, the call of the SDK's own ECS client."""
    method(EcsClient(config(wire)))(request_, sdk.RuntimeOptions())
    query = sdk.OpenApiRequest(query=sdk.Utils.query(request_.to_map()))
    answer = sdk.Client(config(wire)).call_api(sdk.rpc(action, sdk.ECS_VERSION), query, sdk.RuntimeOptions())

    assert answer["body"] == {"RequestId": "R"}
    theirs, ours = wire.requests
    assert ours.query == theirs.query
    assert ours.body == theirs.body
    assert comparable(ours) == comparable(theirs)
    assert ours.headers["x-acs-action"] == action
    assert ours.headers["x-acs-security-token"] == TOKEN


def comparable(request: Request) -> dict[str, str]:
    """Take out of the headers what is new in every request."""
    headers = dict(request.headers)
    for once in ("x-acs-date", "x-acs-signature-nonce"):
        assert headers.pop(once)
    headers["authorization"] = re.sub(r"Signature=[0-9a-f]{64}$", "", headers["authorization"])
    return headers


def test_parameters_are_where_the_facts_say(wire: Wire) -> None:
    """StopInstance's parameters travel in the query, booleans as `True` and `False`, signed with ACS3."""
    request = sdk.StopInstanceRequest(instance_id="i-1", force_stop=False, confirm_stop=True)
    query = sdk.OpenApiRequest(query=sdk.Utils.query(request.to_map()))
    sdk.Client(config(wire)).call_api(sdk.rpc("StopInstance", sdk.ECS_VERSION), query, sdk.RuntimeOptions())

    (sent,) = wire.requests
    assert sent.query == {"InstanceId": ["i-1"], "ForceStop": ["False"], "ConfirmStop": ["True"]}
    assert sent.body == b""
    assert sent.headers["authorization"].startswith("ACS3-HMAC-SHA256 Credential=id,SignedHeaders=")


def test_endpoints_are_those_of_the_ecs_client() -> None:
    """Every region, ruled or exceptional, has the endpoint that the SDK's own ECS client gives it."""
    theirs = EcsClient(sdk.Config(access_key_id="i", access_key_secret="s", region_id="cn-beijing"))
    exceptions = theirs._endpoint_map
    assert exceptions == sdk._EXCEPTIONS
    for region in ("cn-beijing", "cn-shanghai", "ap-southeast-1", "us-east-1", "eu-central-1", *exceptions):
        config = sdk.Config(access_key_id="i", access_key_secret="s", region_id=region)
        assert sdk.regional_endpoint(region) == EcsClient(config)._endpoint


PROBE = """
import json, logging, sys
{before}
from function.cloud import sdk
from function.model.credentials import Credentials
logging.basicConfig(level=logging.DEBUG)
key = Credentials(access_key_id="id", access_key_secret="{secret}", security_token="{token}")
client = sdk.Client(sdk.config("cn-hangzhou", key, "http://{endpoint}"))
params = sdk.Params(action="StopInstance", version="2014-05-26", protocol="HTTPS", pathname="/",
    method="POST", auth_type="AK", style="RPC", req_body_type="formData", body_type="json")
request = sdk.OpenApiRequest(query=sdk.StopInstanceRequest(instance_id="i-1").to_map())
client.call_api(params, request, sdk.RuntimeOptions())
loggers = [logging.getLogger(name) for name in logging.root.manager.loggerDict]
print(json.dumps({{
    "modules": sorted(sys.modules),
    "noisy": [logger.name for logger in loggers for handler in logger.handlers
        if isinstance(handler, logging.StreamHandler)],
}}))
"""


def probe(wire: Wire, *, before: str = "", **environment: str) -> tuple[dict[str, list[str]], str]:
    """Make one call in a fresh process; give what it says about itself, and all of its output."""
    code = PROBE.format(before=before, secret=SECRET, token=TOKEN, endpoint=wire.endpoint)
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return json.loads(done.stdout.splitlines()[-1]), done.stdout + done.stderr


def test_a_call_loads_nothing_that_it_does_not_use(wire: Wire) -> None:
    """After import and a real call none of the unused packages is loaded, and of ECS's models only ours."""
    modules = probe(wire)[0]["modules"]

    assert {name.partition(".")[0] for name in modules} & UNUSED == set()
    assert [name for name in modules if name.startswith("alibabacloud_ecs20140526.")] == [
        "alibabacloud_ecs20140526.models._describe_instance_types_request",
        "alibabacloud_ecs20140526.models._describe_instances_request",
        "alibabacloud_ecs20140526.models._stop_instance_request",
        "alibabacloud_ecs20140526.models._stop_instances_request",
    ]


def test_the_list_of_unused_packages_is_the_one_tested() -> None:
    """No package is imported lazily that these tests don't know."""
    assert lazy_imports.UNUSED == UNUSED


def test_debug_output_of_the_sdk_is_off(wire: Wire) -> None:
    """With DEBUG=sdk, and the root logger at DEBUG, no header, signature, secret or token is written."""
    said, output = probe(wire, DEBUG="sdk")

    assert said["noisy"] == []
    assert len(wire.requests) == 1
    signature = wire.requests[0].headers["authorization"].rpartition("=")[2]
    for hidden in (SECRET, TOKEN, signature, "authorization", "x-acs-"):
        assert hidden not in output.lower()


@pytest.mark.parametrize("package", sorted(UNUSED))
def test_what_is_loaded_already_stays(wire: Wire, package: str) -> None:
    """A package that the process uses itself is neither replaced nor removed."""
    before = f"import {package} as real; sys.modules['kept'] = real"
    code = (
        f"{before}\nimport atexit; atexit.register(lambda: sys.modules['{package}'] is real or print('gone'))"
    )
    said, output = probe(wire, before=code)

    assert package in said["modules"]
    assert "gone" not in output


def test_lazy_packages_work_when_used_after_all(wire: Wire) -> None:
    """An asynchronous call, which needs asyncio and aiohttp, goes through where they are installed."""
    query = sdk.OpenApiRequest(query=sdk.StopInstanceRequest(instance_id="i-1").to_map())
    client = sdk.Client(config(wire))
    asyncio.run(client.call_api_async(sdk.rpc("StopInstance", sdk.ECS_VERSION), query, sdk.RuntimeOptions()))

    (sent,) = wire.requests
    assert sent.query == {"InstanceId": ["i-1"]}


@pytest.mark.parametrize(
    ("package", "use"),
    [
        ("aiohttp", "import darabonba.core as m; m.aiohttp.ClientSession"),
        (
            "alibabacloud_credentials",
            "import alibabacloud_tea_openapi.client as m; m.credential_models.Config(type='access_key')",
        ),
        ("cryptography", "import alibabacloud_tea_openapi.utils as m; m.hashes.SHA256()"),
        (
            "idna",
            "import requests; requests.PreparedRequest._get_idna_encoded_host('b\u00fccher.de')",
        ),
        ("websocket", "import darabonba.websocket as m; m.ABNF.OPCODE_BINARY"),
        ("xml", "import darabonba.utils.xml as m; m.ElementTree.fromstring('<a/>')"),
    ],
)
def test_lazy_packages_are_the_real_ones_or_a_loud_error(package: str, use: str) -> None:
    """What the SDK holds of a lazy package is the real thing when used, or says what is missing."""
    there = f"from function.cloud import sdk; {use}"
    missing = f"import sys; from function.cloud import sdk; sys.modules['{package}'] = None; {use}"

    assert subprocess.run([sys.executable, "-c", there], check=False, timeout=60).returncode == 0
    done = subprocess.run(
        [sys.executable, "-c", missing], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 1
    assert re.search(rf"ModuleNotFoundError: .*\b{package}\b", done.stderr)


def test_the_ecs_package_is_whole_afterwards() -> None:
    """The SDK's own ECS client can be imported later, and its models are those the function uses."""
    code = (
        "from function.cloud import sdk; from alibabacloud_ecs20140526.client import main_models as models;"
        "assert models.StopInstanceRequest is sdk.StopInstanceRequest;"
        "assert models.DescribeInstancesRequestTag is sdk.DescribeInstancesRequestTag;"
        "assert len(dir(models)) > 1_000;"
        "assert sdk.DescribeInstancesRequest().from_map({'Tag': [{'Key': 'k'}]}).tag[0].key == 'k'"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_fc_s_endpoints_are_host_names() -> None:
    """Every region that FC's SDK knows has one that can stand in a URL."""
    known = fc.make_client("cn-hangzhou", Credentials(), None)._endpoint_map
    endpoints = {region: fc.make_client(region, Credentials(), None)._endpoint for region in known}
    assert len(endpoints) > 20
    assert [one for one in endpoints.values() if not re.fullmatch(r"[a-z0-9.-]+", one)] == []
