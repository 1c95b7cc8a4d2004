"""The local ECS over TLS: who trusts its certificate is served, anybody else and plain HTTP are not."""

import socket
import ssl
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.error import URLError
from urllib.parse import urlsplit

import pytest
from alibabacloud_ecs20140526 import models
from alibabacloud_ecs20140526.client import Client
from alibabacloud_tea_openapi.models import Config

from local.emulator.backend import LocalEcs
from local.emulator.server import serve
from local.emulator.tls import make_tls

ID = "i-bp67acfmxazb4ph001"

Make = Callable[..., LocalEcs]


@pytest.fixture
def ca_file(tmp_path: Path) -> Path:
    """Say where the certificate of the issuer goes."""
    return tmp_path / "ca.pem"


@pytest.fixture
def endpoint(make_ecs: Make, ca_file: Path) -> Iterator[str]:
    """Serve one instance over TLS."""
    with serve(make_ecs({"InstanceId": ID}), tls=make_tls(ca_file)) as url:
        yield url


def strictly(ca_file: Path | None) -> ssl.SSLContext:
    """Verify as strictly as Python from 3.13 on does by itself."""
    context = ssl.create_default_context(cafile=ca_file)
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    return context


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_who_trusts_the_issuer_is_served(host: str, endpoint: str, ca_file: Path) -> None:
    """The certificate is good for the machine's names, by the strictest rules."""
    url = f"https://{host}:{urlsplit(endpoint).port}/"
    page = urllib.request.Request(url, headers={"Accept": "text/html"})
    with urllib.request.urlopen(page, context=strictly(ca_file), timeout=10) as answer:  # noqa: S310
        assert f"at <code>https://{host}:" in answer.read().decode()


def test_who_does_not_is_not(endpoint: str) -> None:
    """Nobody trusts it without being told to."""
    with pytest.raises(URLError, match="CERTIFICATE_VERIFY_FAILED"):
        urllib.request.urlopen(endpoint, context=strictly(None), timeout=10)  # noqa: S310 - https


def test_nothing_is_left_of_the_key(ca_file: Path, endpoint: str) -> None:
    """The file holds a certificate, and there is no other."""
    assert endpoint.startswith("https://")
    assert [each.name for each in ca_file.parent.iterdir()] == ["ca.pem"]
    text = ca_file.read_text()
    assert "BEGIN CERTIFICATE" in text
    assert "PRIVATE KEY" not in text


def test_the_official_sdk(endpoint: str, ca_file: Path) -> None:
    """The SDK, which speaks HTTPS unless told otherwise, is told by `ca` whom to trust."""
    host = urlsplit(endpoint).netloc
    key = Config(access_key_id="emulator", access_key_secret="emulator", endpoint=host, ca=str(ca_file))
    request = models.DescribeInstancesRequest(region_id="cn-hangzhou")
    answer = Client(key).describe_instances(request).body
    assert [one.instance_id for one in answer.instances.instance] == [ID]


def test_a_silent_client_keeps_nobody_waiting(endpoint: str, ca_file: Path) -> None:
    """A connection on which TLS never begins stands beside the others."""
    address = urlsplit(endpoint)
    page = urllib.request.Request(endpoint, headers={"Accept": "text/html"})  # noqa: S310 - https
    with (
        socket.create_connection((address.hostname, address.port)),
        urllib.request.urlopen(page, context=strictly(ca_file), timeout=10) as answer,  # noqa: S310
    ):
        assert answer.status == 200
