"""The local ECS as a command of its own: served, reset, over TLS, and its complaints."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from alibabacloud_ecs20140526 import models
from alibabacloud_ecs20140526.client import Client
from alibabacloud_tea_openapi.models import Config

from local.emulator.__main__ import main

ID = "i-bp67acfmxazb4ph001"


@contextmanager
def running(*arguments: str) -> Iterator[str]:
    """Run it in a process of its own, on a free port."""
    command = [sys.executable, "-m", "local.emulator", "--port", "0", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().removeprefix("listening on ").strip()
        finally:
            process.terminate()


@pytest.mark.parametrize("tls", [False, True])
def test_it_is_served_and_reset(tls: bool, tmp_path: Path) -> None:  # noqa: FBT001 - a row's
    """An instance stopped over the wire runs again after `--reset`, over HTTPS too."""
    fleet, ca_file = tmp_path / "fleet.json", tmp_path / "ca.pem"
    fleet.write_text(json.dumps([{"InstanceId": ID}]))
    options = ["--tls", str(ca_file)] if tls else []
    with running("--fleet", str(fleet), *options) as endpoint:
        url = urlsplit(endpoint)
        assert url.scheme == ("https" if tls else "http")
        client = Client(
            Config(
                access_key_id="emulator",
                access_key_secret="emulator",
                endpoint=url.netloc,
                protocol=url.scheme.upper(),
                ca=str(ca_file) if tls else None,
            )
        )

        def status() -> str:
            request = models.DescribeInstancesRequest(region_id="cn-hangzhou")
            answer = client.describe_instances(request).body
            return str(answer.instances.instance[0].status)

        client.stop_instance(models.StopInstanceRequest(instance_id=ID))
        assert status() != "Running"
        assert main(["--reset", "--port", str(url.port), *options]) == 0
        assert status() == "Running"


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--fleet", "nowhere.json"], "nowhere.json can't be read"),
        (["--fault", "StopInstance=Odd"], "Odd"),
        (["--host", "192.0.2.1"], "local-ecs: "),
        (["--reset", "--port", "1"], "refused"),
    ],
)
def test_what_cant_be_done_is_said(
    arguments: list[str], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Wrong options end with exit code 2 and a line that says why."""
    assert main(arguments) == 2
    assert complaint in capsys.readouterr().err


def test_a_port_is_a_port(capsys: pytest.CaptureFixture[str]) -> None:
    """A number that can't be one ends with exit code 2 as well."""
    with pytest.raises(SystemExit, match="2"):
        main(["--port", "99999"])
    assert "'99999' is no port" in capsys.readouterr().err
