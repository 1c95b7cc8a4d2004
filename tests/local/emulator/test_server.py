"""The local ECS at the wire: samples, formats, parameters from query and form, malformed requests."""

import http.client
import json
import re
import socket
from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest

from local.emulator.backend import LocalEcs
from local.emulator.fault_text import parse_fault
from local.emulator.http_server import MAX_BODY
from local.emulator.server import serve

ID = "i-bp67acfmxazb4ph001"
REQUEST_ID = "1C488B66-B819-4D14-8711-C4EAAA13AC01"
SAMPLE = {"InstanceId": ID, "ConfirmStop": "true", "ForceStop": "false", "StoppedMode": "KeepCharging"}
XML_ANSWER = f"<StopInstanceResponse>\n      <RequestId>{REQUEST_ID}</RequestId>\n</StopInstanceResponse>"
JSON_ANSWER = f'{{\n    "RequestId": "{REQUEST_ID}"\n}}'

Make = Callable[..., LocalEcs]
Connect = Callable[..., Any]


def test_the_sample_request_gets_the_sample_answer_in_xml(make_ecs: Make, wire: Connect) -> None:
    """StopInstance's sample request, with no Format, gets its XML sample but for the layout."""
    ecs = make_ecs({"InstanceId": ID}, request_ids=lambda: REQUEST_ID)
    answer = wire(ecs).rpc("StopInstance", SAMPLE, Format="")
    assert answer.status == 200
    assert answer.text == re.sub(r"\s+", "", XML_ANSWER)
    assert answer.headers["content-type"] == "text/xml;charset=utf-8"


@pytest.mark.parametrize("scheme", ["rpc", "acs3"])
def test_the_sample_request_gets_the_sample_answer_in_json(
    scheme: str, make_ecs: Make, wire: Connect
) -> None:
    """StopInstance's sample request gets its JSON sample: with Format=JSON, and by default under ACS3."""
    ecs = make_ecs({"InstanceId": ID}, request_ids=lambda: REQUEST_ID)
    answer = getattr(wire(ecs), scheme)("StopInstance", SAMPLE)
    assert answer.status == 200
    assert answer.json == json.loads(JSON_ANSWER)
    assert answer.headers["content-type"] == "application/json;charset=utf-8"
    assert ecs.calls[0].parameters == SAMPLE


@pytest.mark.parametrize("scheme", ["rpc", "acs3"])
def test_parameters_come_from_query_and_form(scheme: str, make_ecs: Make, wire: Connect) -> None:
    """What the query leaves out is taken from the form body, and is covered by the signature."""
    ecs = make_ecs({"InstanceId": ID})
    send = getattr(wire(ecs), scheme)
    more = {"method": "POST"} if scheme == "rpc" else {}
    answer = send("StopInstance", {"InstanceId": ID}, form={"StoppedMode": "StopCharging"}, **more)
    assert answer.status == 200
    assert ecs.calls[0].parameters == {"InstanceId": ID, "StoppedMode": "StopCharging"}


def test_everything_may_be_in_the_form(make_ecs: Make, wire: Connect) -> None:
    """A POST with an empty query and all parameters in the form is as good as any."""
    ecs = make_ecs({"InstanceId": ID})
    client = wire(ecs)
    get = client.rpc("DescribeInstances", {"RegionId": "cn-hangzhou"}, Format="XML")
    post = client.rpc("DescribeInstances", method="POST", form={"RegionId": "cn-hangzhou"}, Format="XML")
    assert [call.status for call in ecs.calls] == [200, 200]
    assert get.xml.findtext("Instances/Instance/InstanceId") == ID
    assert post.xml.findtext("Instances/Instance/InstanceId") == ID


def test_xml_repeats_the_list_items_name(make_ecs: Make, wire: Connect) -> None:
    """Tags in XML stand one after the other; booleans are lower case; odd characters don't break it.

    Nor do nulls, which are left out, and lists in lists.
    """
    tags = {"Tag": [{"TagKey": "a<b", "TagValue": "x&y"}, {"TagKey": "c", "TagValue": "\x01"}]}
    ecs = make_ecs(
        {"InstanceId": ID, "Tags": tags, "IoOptimized": True, "ImageId": None, "Odd": [["a", "b"], ["c"]]}
    )
    answer = wire(ecs).rpc("DescribeInstances", {"RegionId": "cn-hangzhou"}, Format="XML")
    instance = answer.xml.find("Instances/Instance")
    assert instance is not None
    assert [tag.findtext("TagKey") for tag in instance.findall("Tags/Tag")] == ["a<b", "c"]
    assert [tag.findtext("TagValue") for tag in instance.findall("Tags/Tag")] == ["x&y", "\ufffd"]
    assert instance.findtext("IoOptimized") == "true"
    assert instance.find("ImageId") is None
    assert [[inner.text for inner in odd] for odd in instance.findall("Odd")] == [["a", "b"], ["c"]]


def test_a_connection_serves_many_calls(make_ecs: Make, wire: Connect) -> None:
    """HTTP/1.1 connections stay open, after an error answer too, as the SDKs expect."""
    client = wire(make_ecs({"InstanceId": ID}))
    connection = http.client.HTTPConnection(client.endpoint.removeprefix("http://"), timeout=10)
    sockets = set()
    for _ in range(3):
        connection.request("GET", "/?Action=StopInstance")
        response = connection.getresponse()
        assert (response.status, response.version) == (400, 11)
        response.read()
        sockets.add(connection.sock)
    connection.close()
    assert len(sockets) == 1
    assert None not in sockets


def test_no_call_arrives_once_the_server_is_gone(make_ecs: Make) -> None:
    """Kept-alive connections die with their server: a later call on one fails, and no ghost answers it."""
    ecs = make_ecs({"InstanceId": ID})
    with serve(ecs) as endpoint:
        connection = http.client.HTTPConnection(endpoint.removeprefix("http://"), timeout=10)
        connection.request("GET", "/")
        connection.getresponse().read()
        seen = len(ecs.calls)
    with pytest.raises((http.client.HTTPException, OSError)), closing(connection):
        _asked_again(connection)
    assert len(ecs.calls) == seen


def _asked_again(connection: http.client.HTTPConnection) -> None:
    connection.request("GET", "/")
    connection.getresponse()


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ("GET /?AccessKeyId=emulator", (400, "IncompleteSignature")),
        ("GET /", (400, "MissingAccessKeyId")),
        ("PUT /", (400, "UnsupportedHTTPMethod")),
        ("OPTIONS /", (400, "UnsupportedHTTPMethod")),
        ("GET http://[x/", (400, "InvalidRequest")),
        ("GET http://x:abc/", (400, "MissingAccessKeyId")),
        pytest.param(f"GET /?{'a' * 70_000}", (414, "InvalidRequest"), id="too long"),
        ("GET /instances", (404, "InvalidAction.NotFound")),
    ],
)
def test_requests_that_are_no_calls(
    asked: str, expected: tuple[int, str], make_ecs: Make, wire: Connect, capfd: pytest.CaptureFixture[str]
) -> None:
    """A request that isn't a signed call gets an error of the API, with a request id, and is remembered."""
    ecs = make_ecs()
    answer = wire(ecs).send(*asked.split(), headers={"Host": "localhost"})
    assert (answer.status, answer.code) == expected
    assert len(answer.headers["x-acs-request-id"]) == len(REQUEST_ID)
    assert [call.code for call in ecs.calls] == [expected[1]]
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ([("Content-Length", "abc")], 411),
        ([("Content-Length", "-1")], 411),
        ([("Content-Length", "00000000009999999")], 413),
        ([("Content-Length", "2000000")], 413),
        ([("Transfer-Encoding", "gzip, chunked")], 501),
        ([("Transfer-Encoding", "chunked"), ("Content-Length", "0")], 400),
        ([("Content-Length", "0"), ("Content-Length", "0")], 400),
        ([(f"X-{number}", "") for number in range(101)], 431),
    ],
)
def test_bodies_that_cant_be_read(
    headers: list[tuple[str, str]], status: int, make_ecs: Make, wire: Connect
) -> None:
    """A body of unknown or absurd length is refused at once, by an error of the API, and it is the last."""
    client = wire(make_ecs())
    connection = http.client.HTTPConnection(client.endpoint.removeprefix("http://"), timeout=10)
    connection.putrequest("POST", "/")
    for name, value in headers:
        connection.putheader(name, value)
    connection.endheaders()
    response = connection.getresponse()
    assert response.status == status
    assert response.getheader("Connection") == "close"
    assert json.loads(response.read())["Code"] == "InvalidRequest"
    connection.close()


def test_a_body_in_chunks(make_ecs: Make, wire: Connect) -> None:
    """A form in chunks is read like any other, and the connection stays open for the next call."""
    ecs = make_ecs()
    connection = http.client.HTTPConnection(wire(ecs).endpoint.removeprefix("http://"), timeout=10)
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    for action in ("First", "Second"):
        connection.request("POST", "/", iter([b"Action=", action.encode()]), headers, encode_chunked=True)
        answer = connection.getresponse()
        assert (answer.status, answer.getheader("Connection")) == (400, None)
        answer.read()
    assert [call.action for call in ecs.calls] == ["First", "Second"]
    connection.close()


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"not a number\r\n", 400),
        (b"-1\r\n", 400),
        (b"4\r\nevent\r\n0\r\n\r\n", 400),
        (b"7\r\nAction=\r\n200000\r\nTrunc", 413),
        (b"7\r\nAction=\r\n2000\r\nTrunc", 400),
        (b"7\r\nAction=\r\n", 400),
        (b"0x7\r\nAction=\r\n0\r\n\r\n", 400),
        (b"fffff\r\n" + b"x" * 0xFFFFF + b"\r\nff\r\n" + b"x" * 0xFF + b"\r\n0\r\n\r\n", 413),
    ],
)
def test_chunks_that_cant_be_read(body: bytes, status: int, make_ecs: Make, wire: Connect) -> None:
    """A body in chunks that are none, or too many, is refused by an error of the API, and it is the last."""
    client = wire(make_ecs())
    connection = http.client.HTTPConnection(client.endpoint.removeprefix("http://"), timeout=10)
    connection.putrequest("POST", "/")
    connection.putheader("Transfer-Encoding", "chunked")
    connection.endheaders(body)
    assert connection.sock is not None
    connection.sock.shutdown(socket.SHUT_WR)
    response = connection.getresponse()
    assert (response.status, response.getheader("Connection")) == (status, "close")
    assert json.loads(response.read())["Code"] == "InvalidRequest"
    connection.close()


@pytest.mark.parametrize(
    ("size", "status", "code"), [(5_000_000, 413, "InvalidRequest"), (MAX_BODY, 400, None)]
)
def test_large_bodies(size: int, status: int, code: str | None, make_ecs: Make, wire: Connect) -> None:
    """A client that sends a body of any size gets its answer, not a broken pipe."""
    body = "InstanceName=".ljust(size, "x")
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = wire(make_ecs()).send("POST", "/", headers=form, body=body)
    assert (answer.status, answer.code) == (status, code or "MissingAccessKeyId")


def exchange(endpoint: str, request: bytes) -> bytes:
    """Send what there is to send, and read all that comes."""
    host, port = endpoint.removeprefix("http://").split(":")
    with (
        socket.create_connection((host, int(port)), timeout=10) as connection,
        connection.makefile("rb") as file,
    ):
        connection.sendall(request)
        connection.shutdown(socket.SHUT_WR)
        return file.read()


@pytest.mark.parametrize("path", [b"/", b"/stop"])
def test_half_a_body(path: bytes, make_ecs: Make, wire: Connect) -> None:
    """A body that ends before its time is refused, wherever it was sent."""
    client = wire(make_ecs())
    host = client.endpoint.removeprefix("http://").encode()
    lines = (
        b"POST %b HTTP/1.1" % path,
        b"Host: " + host,
        b"Origin: http://" + host,
        b"Content-Length: 9",
        b"",
        b"a",
    )
    answer = exchange(client.endpoint, b"\r\n".join(lines))
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b'"Code":"InvalidRequest"' in answer


def test_head_does_nothing(make_ecs: Make, wire: Connect) -> None:
    """A signed HEAD is no call: nothing is stopped, and its answer has no body."""
    ecs = make_ecs({"InstanceId": ID})
    client = wire(ecs)
    assert client.rpc("StopInstance", {"InstanceId": ID}, method="HEAD").status == 400
    assert ecs.instance(ID).status == "Running"
    assert exchange(client.endpoint, b"HEAD / HTTP/1.1\r\n\r\n").endswith(b"\r\n\r\n")


def test_a_mistake_here_is_an_internal_error(
    make_ecs: Make,
    wire: Connect,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """Should the local ECS itself fail, the client hears of it as from ECS, and the terminal nothing."""
    answer = wire(make_ecs(), clock=lambda: None).rpc("StopInstance", {"InstanceId": ID})
    assert (answer.status, answer.code) == (500, "InternalError")
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("common", "status", "code"),
    [
        ({"Action": ""}, 400, "MissingAction"),
        ({"Action": "RedeployInstance"}, 404, "InvalidAction.NotFound"),
        ({"Version": ""}, 400, "MissingVersion"),
        ({"Version": "2014-05-27"}, 400, "InvalidVersion"),
    ],
)
def test_actions_and_versions_that_arent_there(
    common: dict[str, str], status: int, code: str, make_ecs: Make, wire: Connect
) -> None:
    """An action or version that ECS doesn't have gets the gateway's answer."""
    answer = wire(make_ecs()).rpc("StopInstance", {**common})
    assert (answer.status, answer.code) == (status, code)


def test_a_port_in_use_is_an_error(make_ecs: Make, wire: Connect) -> None:
    """Serving on a taken port raises OSError, and doesn't end the process."""
    port = int(wire(make_ecs()).endpoint.rpartition(":")[2])
    with pytest.raises(OSError, match="in use"), serve(make_ecs(), port=port):
        pass


@pytest.mark.parametrize("accept", ["application/xml", "text/xml"])
def test_xml_by_the_header(accept: str, make_ecs: Make, wire: Connect) -> None:
    """Under ACS3 the header Accept asks for XML, in answers and errors, unless Format says otherwise."""
    client = wire(make_ecs({"InstanceId": ID}))
    ask = {"InstanceId": ID, "DryRun": "true"}
    assert client.acs3("StopInstance", ask, accept=accept).xml.findtext("Code") == "DryRunOperation"
    assert client.acs3("StopInstance", {**ask, "Format": "JSON"}, accept=accept).json["Code"]
    assert client.acs3("StopInstance", ask, accept="application/json").json["Code"]
    assert client.acs3("StopInstance", ask, accept="*/*").json["Code"]


def test_an_error_says_where_and_how_to_go_on(make_ecs: Make, wire: Connect) -> None:
    """An error names the region's host and a page about this very request; STS's has its own host."""
    client = wire(make_ecs({"InstanceId": ID, "RegionId": "cn-beijing"}))
    body = client.acs3("StartInstance", {"InstanceId": ID}).json
    assert body["HostId"] == "ecs.cn-beijing.aliyuncs.com"
    assert body["Recommend"] == (
        "https://api.aliyun.com/troubleshoot?q=IncorrectInstanceStatus&product=Ecs"
        f"&requestId={body['RequestId']}"
    )
    nowhere = client.acs3("StartInstance", {"InstanceId": "i-nobody"}).json
    assert nowhere["HostId"] == "ecs.aliyuncs.com"
    sts = client.acs3("AssumeRole", {}, x_acs_version="2015-04-01").json
    assert (sts["HostId"], "product=Sts" in sts["Recommend"]) == ("sts.aliyuncs.com", True)


def test_a_denial_says_what_was_denied_to_whom(make_ecs: Make, wire: Connect) -> None:
    """Forbidden.RAM has AccessDeniedDetail: the action, who called, and that no policy allows it."""
    ecs = make_ecs({"InstanceId": ID}, faults=[parse_fault("DescribeInstances=Forbidden.RAM")])
    answer = wire(ecs).acs3("DescribeInstances", {"RegionId": "cn-hangzhou"})
    assert (answer.status, answer.code) == (403, "Forbidden.RAM")
    detail = answer.json["AccessDeniedDetail"]
    assert detail.pop("EncodedDiagnosticMessage")
    assert detail == {
        "AuthAction": "ecs:DescribeInstances",
        "AuthPrincipalDisplayName": "emulator",
        "AuthPrincipalOwnerId": ecs.account_id,
        "AuthPrincipalType": "SubUser",
        "NoPermissionType": "ImplicitDeny",
        "PolicyType": "AccountLevelIdentityBasedPolicy",
    }
    assert "AccessDeniedDetail" not in wire(ecs).acs3("StartInstance", {"InstanceId": ID}).json
