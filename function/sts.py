"""The way to STS: a role becomes credentials. The official SDK is loaded when the first role is assumed."""

from math import ceil
from typing import Protocol

from function import sdk
from function.credentials import Credentials
from function.failure import failure

ASSUME_ROLE = "AssumeRole"

MIN_DURATION_SECONDS, MAX_DURATION_SECONDS = 900, 3600
"""AssumeRole's shortest session, and the longest that a role allows unless it says otherwise."""

_SESSION_NAME = "stop-guard"
"""Names the caller in the other account's audit log (ActionTrail)."""


class AssumeRole(Protocol):
    """Makes credentials of a role."""

    def __call__(
        self,
        role_arn: str,
        credentials: Credentials,
        *,
        region_id: str,
        endpoint: str | None,
        lasting: float,
        seconds: float,
    ) -> Credentials:
        """Assume the role with these credentials, for `lasting` seconds, an hour at most.

        Ends within `seconds`, and raises `EcsError` and nothing else. `region_id` is the function's own,
        `endpoint` is `http(s)://host[:port]`, None the region's own.
        """
        ...


def assume_role(
    role_arn: str,
    credentials: Credentials,
    *,
    region_id: str,
    endpoint: str | None,
    lasting: float,
    seconds: float,
) -> Credentials:
    """See `AssumeRole`."""
    try:
        from alibabacloud_sts20150401 import models  # noqa: PLC0415 - most runs assume no role
        from alibabacloud_sts20150401.client import Client  # noqa: PLC0415

        answer = Client(sdk.config(region_id, credentials, endpoint)).assume_role_with_options(
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
        raise failure(f"sts:{ASSUME_ROLE}", error, credentials) from None


def _text(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise TypeError("an answer of STS has the whole key")
    return value
