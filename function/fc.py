"""The way to FC: asynchronous invocations. The official SDK is loaded when the first is made."""

from typing import TYPE_CHECKING, Protocol

from function import sdk
from function.credentials import Credentials
from function.failure import failure

if TYPE_CHECKING:
    from alibabacloud_fc20230330.client import Client

INVOKE_FUNCTION = "InvokeFunction"

_REQUEST_ID = "x-fc-request-id"


class InvokeFunction(Protocol):
    """Has a function invoked."""

    def __call__(
        self,
        function_name: str,
        event: bytes,
        credentials: Credentials,
        *,
        region_id: str,
        endpoint: str | None,
        seconds: float,
    ) -> str:
        """Hand FC an event of at most 128 KB, and give the request id of the invocation that will handle it.

        Ends within `seconds`, and raises `EcsError` and nothing else. `endpoint` is `http(s)://host[:port]`,
        None the region's own.
        """
        ...


def invoke_function(
    function_name: str,
    event: bytes,
    credentials: Credentials,
    *,
    region_id: str,
    endpoint: str | None,
    seconds: float,
) -> str:
    """See `InvokeFunction`."""
    try:
        from alibabacloud_fc20230330 import models  # noqa: PLC0415 - most runs hand nothing on

        answer = client(region_id, credentials, endpoint).invoke_function_with_options(
            function_name,
            models.InvokeFunctionRequest(body=event),
            models.InvokeFunctionHeaders(x_fc_invocation_type="Async"),
            sdk.runtime_options(seconds),
        )
        return str(answer.headers[_REQUEST_ID])
    except Exception as error:  # noqa: BLE001 - whatever can't be read is a call without an answer
        raise failure(f"fc:{INVOKE_FUNCTION}", error, credentials) from None


def client(region_id: str, credentials: Credentials, endpoint: str | None) -> "Client":
    """Make the SDK's client of a region; nothing is sent yet."""
    from alibabacloud_fc20230330.client import Client  # noqa: PLC0415 - see above

    made = Client(sdk.config(region_id, credentials, endpoint))
    # The SDK's own endpoint of ap-southeast-5 ends in a tab, which no URL may have.
    made._endpoint = made._endpoint.strip()  # noqa: SLF001 - the SDK offers no other way
    return made
