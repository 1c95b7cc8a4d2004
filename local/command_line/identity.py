"""Who works in the real cloud: the machine's own credentials, where they are from, and whose they are."""

import json
import logging
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from typing import TypeVar

from function.cloud import sdk
from function.cloud.sdk_errors import cloud_error
from function.model.credentials import Credentials, Redactor
from function.model.errors import ClientCode, CloudError, Meaning
from local.command_line.exit_codes import CommandError

CHAIN_SECONDS, CALL_SECONDS = 2.0, 2.5
"""Together with the start below five seconds: so long a person waits for word that there is no way."""

_ID, _SECRET, _TOKEN = (
    "ALIBABA_CLOUD_ACCESS_KEY_ID",
    "ALIBABA_CLOUD_ACCESS_KEY_SECRET",
    "ALIBABA_CLOUD_SECURITY_TOKEN",
)
_CONFIGURE = (
    f"run `aliyun configure`, or set {_ID} and {_SECRET} (for a temporary key also {_TOKEN}), "
    "or leave --live away for a rehearsal"
)
_SOURCES = {
    "cli_profile": "~/.aliyun/config.json",
    "profile": "~/.alibabacloud/credentials.ini",
    "ecs_ram_role": "this machine's RAM role",
    "oidc_role_arn": "the OIDC token of ALIBABA_CLOUD_OIDC_TOKEN_FILE",
    "credential_uri": "ALIBABA_CLOUD_CREDENTIALS_URI",
}

Found = TypeVar("Found")


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """Credentials of this machine, and where they were found."""

    credentials: Credentials
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Whose credentials they are, as STS says: the account, and the user or role in it."""

    account_id: str
    arn: str
    source: str


def find_key() -> Key:
    """Look where the official SDKs look. Raise CommandError where there is nothing."""
    if os.environ.get(_ID) and os.environ.get(_SECRET):
        credentials = Credentials.read(None, os.environ)
        return Key(credentials=credentials, source=f"the environment ({_ID})")
    where = f"{_ID} and {_SECRET}, ~/.aliyun/config.json, ~/.alibabacloud/credentials.ini"
    try:
        return _in_time(_from_chain, CHAIN_SECONDS)
    except TimeoutError:
        problem = f"it took too long to ask this machine for a RAM role; nothing is in {where}"
    except Exception:  # noqa: BLE001 - the chain raises what its many providers do
        problem = f"nothing is in {where}, and this machine has no RAM role"
    raise CommandError(f"--live found no credentials: {problem}; {_CONFIGURE}") from None


def _from_chain() -> Key:
    logging.disable()  # it would print a trace for each place where there is nothing
    try:
        from alibabacloud_credentials.client import Client  # noqa: PLC0415 - takes half a second to load

        found = Client().get_credential()
    finally:
        logging.disable(logging.NOTSET)
    kinds = str(found.provider_name).split("/")
    return Key(
        credentials=Credentials(
            access_key_id=found.access_key_id or "",
            access_key_secret=found.access_key_secret or "",
            security_token=found.security_token or "",
        ),
        source=next((_SOURCES[kind] for kind in kinds if kind in _SOURCES), "this machine"),
    )


def who_is(key: Key, region_id: str, endpoint: str | None) -> Identity:
    """Ask STS, which needs no right. Raise CommandError: no way there, or no valid key."""
    host = (endpoint or f"https://sts.{region_id}.aliyuncs.com").partition("://")[2]
    try:
        return _in_time(lambda: _caller(key, region_id, endpoint), CALL_SECONDS)
    except TimeoutError:
        problem = "no answer in time"
    except CloudError as error:
        if error.meaning is Meaning.DENIED or error.code.startswith(("Invalid", "Missing")):
            raise CommandError(
                f"--live: {host} does not accept the key from {key.source} ({error.code}); {_CONFIGURE}"
            ) from None
        no_way = error.code in {ClientCode.NO_ANSWER, ClientCode.NO_CONNECTION}
        problem = "no connection" if no_way else error.code
    raise CommandError(
        f"--live can't reach {host} ({problem}), which says whose the key from {key.source} is; check the "
        "network and HTTPS_PROXY, and that the region is right; nothing was stopped"
    )


def _caller(key: Key, region_id: str, endpoint: str | None) -> Identity:
    try:
        from alibabacloud_sts20150401.client import Client  # noqa: PLC0415 - as in function.cloud.sts

        client = Client(sdk.config(region_id, key.credentials, endpoint))
        body = client.get_caller_identity_with_options(sdk.runtime_options(CALL_SECONDS)).body
        return Identity(account_id=str(body.account_id), arn=str(body.arn), source=key.source)
    except Exception as error:  # noqa: BLE001 - whatever can't be read is a call without an answer
        raise cloud_error("sts:GetCallerIdentity", error, Redactor(key.credentials.secrets())) from None


def configured_region(environment: Mapping[str, str]) -> str:
    """Give the region that this machine works in: FC's own variable, the SDKs', else the profile's."""
    for name in ("FC_REGION", "ALIBABA_CLOUD_REGION_ID"):
        if environment.get(name):
            return environment[name]
    try:
        config = json.loads((Path.home() / ".aliyun" / "config.json").read_text())
        wanted = environment.get("ALIBABA_CLOUD_PROFILE") or config["current"]
        regions = [str(one["region_id"]) for one in config["profiles"] if one["name"] == wanted]
    except (OSError, ValueError, KeyError, TypeError, RuntimeError):
        regions = []
    if not any(regions):
        raise CommandError(
            "--live: no region is set; the region where the function would be is right, such as "
            "FC_REGION=cn-hangzhou stop-guard …"
        )
    return regions[0]


def _in_time(ask: Callable[[], Found], seconds: float) -> Found:
    """Give the answer, or raise TimeoutError: a name look-up, or a machine's own service, can hang."""
    results: list[Found] = []
    errors: list[Exception] = []

    def run() -> None:
        try:
            results.append(ask())
        except Exception as error:  # noqa: BLE001 - raised where it is waited for
            errors.append(error)

    thread = Thread(target=run, daemon=True)  # must not hold up the end of the process
    thread.start()
    thread.join(seconds)
    if errors:
        raise errors[0]
    if not results:
        raise TimeoutError
    return results[0]
