"""The real cloud from one's own machine: what the function finds around it there."""

import os
from dataclasses import dataclass

from function.cloud.runtime import SystemClock
from function.events.parse import parse
from function.settings import InvalidSettings, Settings
from local.command_line.execution import Target
from local.command_line.exit_codes import CommandError
from local.command_line.identity import Identity, configured_region, find_key, who_is

LIVE_TIMEOUT_SECONDS = 3600
"""The function's timeout there."""

_OF_THE_WAY = (
    *("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy"),
    *("SSL_CERT_FILE", "SSL_CERT_DIR"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cloud:
    """The real cloud as a target, and who works in it."""

    target: Target
    identity: Identity


def connect(settings: dict[str, str]) -> Cloud:
    """Find the machine's credentials and ask STS whose they are. Raise CommandError.

    `settings`: as deployed, or the machine's own.
    """
    settings = dict(settings)
    settings.pop("FAN_OUT", None)  # there is no function here that FC could invoke
    try:
        sts_endpoint = Settings.from_environment(settings).sts_endpoint
    except InvalidSettings as error:
        raise CommandError(f"InvalidSettings: {error}") from None
    region_id = configured_region(settings | _region_of_machine())
    key = find_key()
    identity = who_is(key, region_id, sts_endpoint)
    environment = {
        **{name: os.environ[name] for name in _OF_THE_WAY if name in os.environ},
        **settings,
        "FC_REGION": region_id,
        "ALIBABA_CLOUD_ACCESS_KEY_ID": key.credentials.access_key_id,
        "ALIBABA_CLOUD_ACCESS_KEY_SECRET": key.credentials.access_key_secret,
        "ALIBABA_CLOUD_SECURITY_TOKEN": key.credentials.security_token,
    }
    clock = SystemClock()
    token = settings.get("ALARM_TOKEN", "").strip() or None
    target = Target(
        live=True,
        environment=environment,
        clock=clock,
        account_id=identity.account_id,
        timeout=LIVE_TIMEOUT_SECONDS,
        caller=identity.arn,
        read=lambda event: parse(event, now=clock.now(), alarm_token=token),
    )
    return Cloud(target=target, identity=identity)


def _region_of_machine() -> dict[str, str]:
    names = ("ALIBABA_CLOUD_REGION_ID", "ALIBABA_CLOUD_PROFILE")
    return {name: os.environ[name] for name in names if name in os.environ}
