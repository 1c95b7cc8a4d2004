"""Clients of the real SDK for a local ECS that is served."""

from typing import Any

from alibabacloud_ecs20140526.client import Client
from alibabacloud_tea_openapi.models import Config


def client(endpoint: str) -> Any:  # noqa: ANN401 - the SDK has no types
    """Make a client of the SDK, with the key of the local ECS."""
    return Client(
        Config(
            access_key_id="emulator",
            access_key_secret="emulator",
            endpoint=endpoint.removeprefix("http://"),
            protocol="HTTP",
        )
    )
