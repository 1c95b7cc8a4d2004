"""The adapter to FC: asynchronous invocations. The official SDK is loaded when the first is made."""

from typing import TYPE_CHECKING

from function.cloud import sdk
from function.cloud.call_limits import within
from function.cloud.sdk_errors import cloud_error
from function.model.credentials import Credentials, Redactor
from function.model.frozen import frozen
from function.model.ports import INVOKE_FUNCTION, Fc

if TYPE_CHECKING:
    from alibabacloud_fc20230330.client import Client

_REQUEST_ID = "x-fc-request-id"


@frozen
class SdkFc:
    """`Fc` over the SDK's client."""

    region_id: str
    credentials: Credentials
    endpoint: str | None

    def invoke(self, function_name: str, event: bytes, *, seconds: float) -> str:
        """See `Fc.invoke`."""
        try:
            from alibabacloud_fc20230330 import models  # noqa: PLC0415 - most runs hand nothing on

            with within(seconds):
                answer = make_client(
                    self.region_id, self.credentials, self.endpoint
                ).invoke_function_with_options(
                    function_name,
                    models.InvokeFunctionRequest(body=event),
                    models.InvokeFunctionHeaders(x_fc_invocation_type="Async"),
                    sdk.runtime_options(seconds),
                )
            return str(answer.headers[_REQUEST_ID])
        except Exception as error:  # noqa: BLE001 - whatever can't be read is a call without an answer
            raise cloud_error(f"fc:{INVOKE_FUNCTION}", error, Redactor(self.credentials.secrets())) from None


def make_client(region_id: str, credentials: Credentials, endpoint: str | None) -> "Client":
    """Make the SDK's client of a region; nothing is sent yet."""
    from alibabacloud_fc20230330.client import Client  # noqa: PLC0415 - see above

    made = Client(sdk.config(region_id, credentials, endpoint))
    # The SDK's own endpoint of ap-southeast-5 ends in a tab, which no URL may have.
    made._endpoint = made._endpoint.strip()  # noqa: SLF001 - the SDK offers no other way
    return made


def connect_fc(region_id: str, credentials: Credentials, *, endpoint: str | None) -> Fc:
    """Make the adapter; nothing is sent yet."""
    return SdkFc(region_id, credentials, endpoint)
