"""Sample code: for Python and Node.js it runs, with the real SDKs, and makes the very call."""

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from local.emulator.account import DEFAULT_ACCOUNT
from local.emulator.backend import LocalEcs
from local.emulator.functions import LocalFunctions
from local.emulator.server import serve
from local.samples.languages import samples
from local.samples.quoting import literal, utf16_literal
from local.samples.typed_call import TypedCall, typed_call

NODE_MODULES = Path(__file__).parents[2] / "node" / "node_modules"
TSC: tuple[str | Path, ...] = (
    NODE_MODULES / ".bin" / "tsc",
    *("--strict", "--skipLibCheck", "--esModuleInterop", "--module", "commonjs", "--target", "es2022"),
    *("--types", "node", "--typeRoots", NODE_MODULES / "@types"),
)
NEEDS_NODE = pytest.mark.skipif(
    not Path(TSC[0]).exists(),
    reason="the Node.js SDK is not installed; `make test-tools` installs it where there is npm",
)
ID = "i-bp67acfmxazb4ph001"
NAME = 'it\'s "中" \\ $HOME `id` \U0001f600\u202e'
CALLS = {
    "stop": typed_call(
        "StopInstance",
        "cn-hangzhou",
        {"InstanceId": ID, "StoppedMode": "KeepCharging", "ConfirmStop": "True", "ForceStop": "false"},
    ),
    "stop together": typed_call(
        "StopInstances",
        "cn-hangzhou",
        {
            "RegionId": "cn-hangzhou",
            "InstanceId.1": ID,
            "InstanceId.2": "i-bp1other",
            "BatchOptimization": "SuccessFirst",
            "StoppedMode": "KeepCharging",
            "ForceStop": "false",
            "DryRun": "false",
        },
    ),
    "instances": typed_call(
        "DescribeInstances",
        "cn-hangzhou",
        {
            "RegionId": "cn-hangzhou",
            "InstanceIds": f'["{ID}"]',
            "MaxResults": "100",
            "Tag.1.Key": "name",
            "Tag.1.Value": NAME,
            "Tag.2.Key": "env",
        },
    ),
    "types": typed_call(
        "DescribeInstanceTypes",
        "cn-hangzhou",
        {"InstanceTypes.2": "ecs.g6.large", "InstanceTypes.1": "ecs.i2.xlarge"},
    ),
    "session": typed_call(
        "AssumeRole",
        "cn-hangzhou",
        {
            "RoleArn": f"acs:ram::{DEFAULT_ACCOUNT}:role/stop-guard",
            "RoleSessionName": "stop-guard",
            "DurationSeconds": "900",
        },
    ),
    "shard": typed_call(
        "InvokeFunction",
        "cn-hangzhou",
        {"functionName": "stop-guard", "x-fc-invocation-type": "Async", "body": json.dumps({"data": NAME})},
    ),
}
DRY_RUN = typed_call("StopInstance", "cn-hangzhou", {"InstanceId": ID, "DryRun": "true"})

Make = Callable[..., LocalEcs]


@pytest.fixture
def ecs(make_ecs: Make) -> LocalEcs:
    """Make a local ECS with the one instance that the calls are about."""
    tags = {"Tag": [{"TagKey": "name", "TagValue": NAME}, {"TagKey": "env", "TagValue": "dev"}]}
    return make_ecs({"InstanceId": ID, "Tags": tags})


@pytest.fixture
def endpoint(ecs: LocalEcs) -> Iterator[str]:
    """Serve it, with STS and FC beside it."""
    with serve(ecs, LocalFunctions()) as address:
        yield address


def code(call: TypedCall, title: str, endpoint: str | None = None) -> str:
    """Give the sample of that title."""
    (text,) = [sample.text for sample in samples(call, endpoint) if sample.title == title]
    return text


def execute(*command: str | Path, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run a sample as a user would, with its key in the environment and nothing else."""
    key = {"ALIBABA_CLOUD_ACCESS_KEY_ID": "emulator", "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "emulator"}
    environment = {"PATH": os.environ["PATH"], "HOME": "/nonexistent"} | key
    return subprocess.run(
        command, env=environment, cwd=cwd, capture_output=True, text=True, timeout=60, check=False
    )


def sent(ecs: LocalEcs) -> list[tuple[str, Mapping[str, str]]]:
    """Give the calls that arrived, with booleans as the API writes them: each SDK has its own way."""
    lower = {"True": "true", "False": "false"}
    return [
        (call.action, {name: lower.get(text, text) for name, text in call.parameters.items()})
        for call in ecs.calls
    ]


IN_ORDER = """
import runpy, sys, traceback
for sample in sys.argv[1:]:
    try:
        runpy.run_path(sample, run_name="__main__")
    except Exception:
        traceback.print_exc()
"""
"""Runs samples one after the other, each as if it were run alone; the SDK takes its time to load."""


def test_the_python_samples_make_the_calls(ecs: LocalEcs, endpoint: str, tmp_path: Path) -> None:
    """Run with the real SDK, each sends exactly these parameters, and prints ECS's answer.

    A dry run that passes is the error DryRunOperation, as its sample says.
    """
    calls = {"dry": DRY_RUN, **CALLS}
    for name, call in calls.items():
        (tmp_path / f"{name}.py").write_text(code(call, "Python", endpoint), encoding="utf-8")
    done = execute(sys.executable, "-c", IN_ORDER, *(tmp_path / f"{name}.py" for name in calls))
    assert done.returncode == 0, done.stderr
    assert sent(ecs) == [(call.action, dict(call.flat())) for call in calls.values()], done.stderr
    dry, *others = ecs.calls
    assert {call.code for call in others} == {""}
    for received in others:
        assert received.answer["RequestId"] in done.stdout
    assert dry.code == "DryRunOperation"
    assert "DryRunOperation" in (tmp_path / "dry.py").read_text(encoding="utf-8")
    assert "DryRunOperation" in done.stderr


@NEEDS_NODE
def test_the_typescript_samples_make_the_calls(ecs: LocalEcs, endpoint: str, tmp_path: Path) -> None:
    """Checked strictly against the SDK's types and run with the real SDK, each sends these parameters."""
    (tmp_path / "node_modules").symlink_to(NODE_MODULES)
    for name, call in CALLS.items():
        text = code(call, "Node.js / TypeScript", endpoint)
        (tmp_path / f"{name}.ts").write_text(text, encoding="utf-8")
    files = [tmp_path / f"{name}.ts" for name in CALLS]
    checked = execute(*TSC, *files)
    assert checked.returncode == 0, checked.stdout
    for name in CALLS:
        done = execute("node", tmp_path / f"{name}.js")
        assert done.returncode == 0, done.stderr
        assert ecs.calls[-1].answer["RequestId"] in done.stdout
    assert sent(ecs) == [(call.action, dict(call.flat())) for call in CALLS.values()]
    assert {call.code for call in ecs.calls} == {""}


def words_of(call: TypedCall, endpoint: str | None = None) -> list[str]:
    """Give the words of the command as the shell reads it; one with invisible characters is SPECIAL."""
    text = re.sub(r"\$'.*'", "SPECIAL", code(call, "aliyun command line", endpoint))
    return shlex.split(text.replace("\\\n", " "), comments=True)


@NEEDS_NODE
def test_the_node_sdk_of_fc_knows_no_endpoint() -> None:
    """It calls fc.aliyuncs.com in every region (@alicloud/fc20230330 4.7.6), where FC 3.0 is not."""
    script = (
        'const {default: Client} = require("@alicloud/fc20230330");'
        'console.log(new Client({regionId: "cn-hangzhou"})._endpoint);'
    )
    done = execute("node", "-e", script, cwd=NODE_MODULES.parent)
    assert done.stdout == "fc.aliyuncs.com\n", done.stderr


@pytest.mark.parametrize("name", [name for name, call in CALLS.items() if not call.in_path])
def test_the_command_line_has_the_parameters(name: str) -> None:
    """The shell reads the command as the action, the region, and name and value of each parameter."""
    call = CALLS[name]
    words = words_of(call)
    product = "sts" if call.action == "AssumeRole" else "ecs"
    assert words[:5] == ["aliyun", product, call.action, "--region", "cn-hangzhou"]
    given = dict(zip(words[5::2], words[6::2], strict=True))
    expected = {f"--{name}": "SPECIAL" if text == NAME else text for name, text in call.flat()}
    assert given == expected


def test_the_command_line_of_an_api_with_paths() -> None:
    """FC's API has paths: the aliyun command line takes method and path, headers and the body.

    Source: the README of aliyun-cli on RESTful APIs, and its metadata of FC's InvokeFunction.
    """
    assert words_of(CALLS["shard"], "https://fcv3.cn-hangzhou.aliyuncs.com") == [
        *("aliyun", "fc", "POST", "/2023-03-30/functions/stop-guard/invocations"),
        *("--region", "cn-hangzhou", "--endpoint", "fcv3.cn-hangzhou.aliyuncs.com"),
        *("--header", "x-fc-invocation-type=Async"),
        *("--body", CALLS["shard"].parameters["body"]),
    ]


def test_the_command_line_reaches_a_local_ecs() -> None:
    """With an endpoint of one's own, aliyun is told where, and to speak plain HTTP if so."""
    assert "--endpoint 127.0.0.1:8014 --insecure" in code(
        DRY_RUN, "aliyun command line", "http://127.0.0.1:8014"
    )
    assert "--insecure" not in code(DRY_RUN, "aliyun command line", "https://ecs.example")


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        (
            "Java",
            [
                f'.setInstanceId("{ID}")',
                ".setForceStop(false)",
                "new StopInstanceRequest()",
                ".stopInstance(",
            ],
        ),
        (
            "Go",
            [
                f'SetInstanceId("{ID}")',
                "SetForceStop(false)",
                "new(ecs.StopInstanceRequest)",
                ".StopInstance(",
            ],
        ),
    ],
)
def test_java_and_go_set_each_parameter(title: str, expected: list[str]) -> None:
    """The SDKs for Java and Go have a setter for each parameter, named after it, and take plain values."""
    text = code(CALLS["stop"], title)
    assert [part for part in expected if part not in text] == []


def test_java_and_go_pass_what_no_request_model_takes() -> None:
    """What is in the path comes first, headers have a model of their own, and the event is a stream."""
    body = str(CALLS["shard"].parameters["body"])
    java, go = code(CALLS["shard"], "Java"), code(CALLS["shard"], "Go")
    assert 'client.invokeFunctionWithOptions("stop-guard",' in java
    assert f"new java.io.ByteArrayInputStream({utf16_literal(body)}.getBytes(" in java
    assert '.setXFcInvocationType("Async"),' in java
    assert 'client.InvokeFunctionWithOptions(dara.String("stop-guard"),' in go
    assert f"SetBody(strings.NewReader({literal(body)}))," in go
    assert 'SetXFcInvocationType("Async"),' in go
    assert '\t"strings"\n' in go


def test_java_counts_some_numbers_in_64_bits() -> None:
    """Java takes no int for a Long, such as durationSeconds in com.aliyun:sts20150401."""
    assert ".setDurationSeconds(900L)" in code(CALLS["session"], "Java")
    assert ".setMaxResults(100)" in code(CALLS["instances"], "Java")


def test_java_and_go_write_lists() -> None:
    """Lists of text and of records are what the request models of each language take."""
    assert '.setInstanceTypes(java.util.Arrays.asList("ecs.i2.xlarge", "ecs.g6.large"))' in code(
        CALLS["types"], "Java"
    )
    assert "new DescribeInstancesRequest.DescribeInstancesRequestTag().setKey(" in code(
        CALLS["instances"], "Java"
    )
    assert '[]*string{dara.String("ecs.i2.xlarge"), dara.String("ecs.g6.large")}' in code(
        CALLS["types"], "Go"
    )
    assert "[]*ecs.DescribeInstancesRequestTag{new(ecs.DescribeInstancesRequestTag).SetKey(" in code(
        CALLS["instances"], "Go"
    )


def test_go_imports_what_it_needs_and_no_more() -> None:
    """Go compiles no program that imports what it does not use, whatever a parameter holds."""
    call = typed_call("DescribeInstances", "cn-hangzhou", {"InstanceName": "dara.x strings.NewReader("})
    assert '\t"strings"\n' not in code(call, "Go")
    assert "tea/dara" not in code(call, "Go")
    assert "tea/dara" in code(CALLS["types"], "Go")
    assert "tea/dara" not in code(CALLS["instances"], "Go")


def test_a_value_like_a_flag_is_no_flag() -> None:
    """The aliyun command line takes a word that begins with a dash for a flag (aliyun-cli, cli/parser.go)."""
    call = typed_call("DescribeInstances", "cn-hangzhou", {"InstanceName": "-dev*"})
    assert "--InstanceName='-dev*'" in words_of(call) or "--InstanceName=-dev*" in words_of(call)


def test_the_regions_own_endpoint_is_left_to_the_sdk() -> None:
    """Without an endpoint of one's own, no sample names one; each names the region."""
    for name in ("stop", "session"):
        for sample in samples(CALLS[name]):
            assert "ndpoint" not in sample.text
            assert "cn-hangzhou" in sample.text
