"""Calls to ECS that the function never makes, over the official SDK's generic client."""

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
    """Make a call ready to be sent; `endpoint`: None is the region's own."""
    client = sdk.Client(
        sdk.config(region_id, credentials, endpoint or f"https://{sdk.regional_endpoint(region_id)}")
    )

    def send(seconds: float) -> dict[str, Any]:
        try:
            answer = client.call_api(
                sdk.Params(
                    action=action,
                    version="2014-05-26",
                    protocol="HTTPS",
                    pathname="/",
                    method="POST",
                    auth_type="AK",
                    style="RPC",
                    req_body_type="formData",
                    body_type="json",
                ),
                sdk.OpenApiRequest(query=dict(parameters)),
                sdk.runtime_options(seconds),
            )
            return dict(answer["body"])
        except Exception as error:  # noqa: BLE001 - whatever can't be read is a call without an answer
            raise cloud_error(f"ecs:{action}", error, Redactor(credentials.secrets())) from None

    return send
