"""The real cloud from one's own machine: what the function finds around it there, and what needs a yes."""

import os
from collections.abc import Mapping

from function.cloud.runtime import SystemClock
from function.events.parse import parse
from function.guard.event import is_dry_run
from function.model.request import StopRequest
from function.settings import InvalidSettings, Settings

LIVE_TIMEOUT_SECONDS = 3600
"""The function's timeout there."""

_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy")


class NoCredentials(ValueError):  # noqa: N818 - what there is none of; the message says where it was looked for
    """The machine's credential chain finds nothing."""


def live_environment() -> dict[str, str]:
    """Give the function the settings and proxies of this machine, and what its credential chain finds.

    Raise NoCredentials.
    """
    from alibabacloud_credentials.client import Client as CredentialChain  # noqa: PLC0415 - slow

    try:
        credential = CredentialChain().get_credential()
    except Exception as error:  # noqa: BLE001 - the chain raises what its many providers do
        raise NoCredentials(f"--live found no credentials on this machine: {error}") from None
    environment = {
        name: os.environ[name] for name in (*Settings.variables(), *_PROXIES) if name in os.environ
    }
    environment.pop("FAN_OUT", None)  # there is no function here that FC could invoke
    region = os.environ.get("ALIBABA_CLOUD_REGION_ID", "")
    return {"FC_REGION": region, **environment} | {
        "ALIBABA_CLOUD_ACCESS_KEY_ID": credential.access_key_id or "",
        "ALIBABA_CLOUD_ACCESS_KEY_SECRET": credential.access_key_secret or "",
        "ALIBABA_CLOUD_SECURITY_TOKEN": credential.security_token or "",
    }


def is_dry(event: bytes, environment: Mapping[str, str]) -> bool:
    """Tell whether the event or the settings say that nothing may change, or can't be understood at all."""
    try:
        settings = Settings.from_environment(environment)
    except InvalidSettings:
        return True
    token = settings.alarm_token
    delivery = parse(
        event, now=SystemClock().now(), alarm_token=None if token is None else token.get_secret_value()
    )
    return all(is_dry_run(one, settings) for one in delivery.events if isinstance(one, StopRequest))
