"""The adapter to STS: a role becomes credentials. The official SDK is loaded with the first of them."""

from math import ceil

from function.cloud import sdk
from function.cloud.call_limits import within
from function.cloud.sdk_errors import cloud_error
from function.model.credentials import Credentials, Redactor
from function.model.frozen import frozen
from function.model.ports import ASSUME_ROLE, Sts

MIN_DURATION_SECONDS, MAX_DURATION_SECONDS = 900, 3600
"""AssumeRole's shortest session, and the longest that a role allows unless it says otherwise."""

_SESSION_NAME = "stop-guard"
"""Names the caller in the other account's audit log (ActionTrail)."""


@frozen
class SdkSts:
    """`Sts` over the SDK's client."""

    region_id: str
    credentials: Credentials
    endpoint: str | None

    def assume_role(self, role_arn: str, *, lasting: float, seconds: float) -> Credentials:
        """See `Sts.assume_role`."""
        try:
            from alibabacloud_sts20150401 import models  # noqa: PLC0415 - most runs assume no role
            from alibabacloud_sts20150401.client import Client  # noqa: PLC0415

            client = Client(sdk.config(self.region_id, self.credentials, self.endpoint))
            with within(seconds):
                answer = client.assume_role_with_options(
                    models.AssumeRoleRequest(
                        role_arn=role_arn,
                        role_session_name=_SESSION_NAME,
                        duration_seconds=min(max(MIN_DURATION_SECONDS, ceil(lasting)), MAX_DURATION_SECONDS),
                    ),
                    sdk.runtime_options(seconds),
                )
            key = answer.body.credentials
            return Credentials(
                access_key_id=_text(key.access_key_id),
                access_key_secret=_text(key.access_key_secret),
                security_token=_text(key.security_token),
            )
        except Exception as error:  # noqa: BLE001 - whatever can't be read is a call without an answer
            raise cloud_error(f"sts:{ASSUME_ROLE}", error, Redactor(self.credentials.secrets())) from None


def _text(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise TypeError("an answer of STS has the whole key")
    return value


def connect_sts(region_id: str, credentials: Credentials, *, endpoint: str | None) -> Sts:
    """Make the adapter; nothing is sent yet."""
    return SdkSts(region_id, credentials, endpoint)
