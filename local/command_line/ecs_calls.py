"""Calls that the function never makes, over the official SDK's generic client."""

from collections.abc import Callable, Mapping
from typing import Any

from function.cloud import sdk
from function.cloud.sdk_errors import cloud_error
from function.model.credentials import Credentials, Redactor

Send = Callable[[float], dict[str, Any]]
"""Sends the call, within so many seconds, and gives the answer's body. Raises CloudError."""


def ecs_call(
    action: str,
    parameters: Mapping[str, str],
    *,
    region_id: str,
    credentials: Credentials,
    endpoint: str | None,
) -> Send:
    """Make a call to ECS ready to be sent; `endpoint`: None is the region's own."""
    return api_call(
        action,
        parameters,
        api=("ecs", sdk.ECS_VERSION),
        region_id=region_id,
        credentials=credentials,
        endpoint=endpoint or f"https://{sdk.regional_endpoint(region_id)}",
    )


def api_call(
    action: str,
    parameters: Mapping[str, str],
    *,
    api: tuple[str, str],
    region_id: str,
    credentials: Credentials,
    endpoint: str,
) -> Send:
    """Make a call ready to be sent; `api`: its name as RAM has it, and its version."""
    client = sdk.Client(sdk.config(region_id, credentials, endpoint))
    name, api_version = api

    def send(seconds: float) -> dict[str, Any]:
        try:
            answer = client.call_api(
                sdk.rpc(action, api_version),
                sdk.OpenApiRequest(query=dict(parameters)),
                sdk.runtime_options(seconds),
            )
            return dict(answer["body"])
        except Exception as error:  # noqa: BLE001 - whatever can't be read is a call without an answer
            raise cloud_error(f"{name}:{action}", error, Redactor(credentials.secrets())) from None

    return send
