"""STS of the local cloud: AssumeRole, the sessions that it has issued, and GetCallerIdentity."""

import hashlib
import re
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from local.api.api_error import ApiError
from local.api.documented import refuse_unserved
from local.api.error_table import (
    DURATION_OUT_OF_RANGE,
    MALFORMED_ROLE_ARN,
    MALFORMED_SESSION_NAME,
    UNKNOWN_ROLE,
)
from local.api.names import ASSUME_ROLE, GET_CALLER_IDENTITY
from local.api.parameters import Parameters, required
from local.emulator.keys import HIDDEN, AccessKey, KeyPair

SERVED = {
    ASSUME_ROLE: frozenset(
        {
            "RoleArn",
            "RoleSessionName",
            "DurationSeconds",
            "Policy",
            "ExternalId",
            "SourceIdentity",
            "RegionId",
        }
    ),
    GET_CALLER_IDENTITY: frozenset({"RegionId"}),
}
"""The parameters of STS's actions; some clients add RegionId to any call."""

USER_NAME = "emulator"
"""The RAM user that the local ECS's own key is of."""

MIN_SECONDS, DEFAULT_SECONDS, MAX_SECONDS = 900, 3600, 43_200
"""How long a session may last: up to what the role says, which is 12 hours at most; here for every role."""

_ROLE_ARN = re.compile(r"acs:ram::([0-9]+):role/([\w.-]{1,64})", re.ASCII)
_SESSION_NAME = re.compile(r"[\w.@-]{2,64}", re.ASCII)


def account_of_role(parameters: Parameters) -> str | None:
    """Return the account whose role the call names; None where it names none, or not in a form that reads."""
    match = _ROLE_ARN.fullmatch(parameters.get("RoleArn", ""))
    return match and match[1]


def without_secrets(answer: dict[str, Any]) -> dict[str, Any]:
    """Return an answer as it may be remembered and shown: the secret and the token of a session hidden."""
    if "Credentials" not in answer:
        return answer
    hidden = {"AccessKeySecret": HIDDEN, "SecurityToken": HIDDEN}
    return {**answer, "Credentials": {**answer["Credentials"], **hidden}}


class Sessions:
    """The sessions issued so far, by the ids of their keys; not for several threads at once.

    They are kept once they have expired, so that a late call hears that, not that the key is unknown.
    """

    def __init__(self) -> None:
        self._issued: dict[str, tuple[AccessKey, datetime]] = {}

    def key(self, access_key_id: str, now: datetime) -> AccessKey | None:
        """Return the session's key as it is at that time, None where there is no such session."""
        if access_key_id not in self._issued:
            return None
        key, expires = self._issued[access_key_id]
        return replace(key, expired=now >= expires)

    def assume_role(
        self, parameters: Parameters, account_id: str | None, now: datetime, seed: str
    ) -> dict[str, Any]:
        """Issue a session of the role and return AssumeRole's answer without RequestId, or raise ApiError.

        `account_id`: the role's account; None: there is none. A role may have any name, and who asks may
        assume it: trust policies aren't played. `seed`: a text that nobody knows, which key, secret and token
        are made from, so that all repeats exactly where it does.
        """
        refuse_unserved(ASSUME_ROLE, parameters, SERVED[ASSUME_ROLE])
        role = _ROLE_ARN.fullmatch(required(parameters, "RoleArn"))
        name = required(parameters, "RoleSessionName")
        if role is None:
            raise ApiError(*MALFORMED_ROLE_ARN)
        if _SESSION_NAME.fullmatch(name) is None:
            raise ApiError(*MALFORMED_SESSION_NAME)
        seconds = _duration(parameters.get("DurationSeconds") or str(DEFAULT_SECONDS))
        if account_id is None:
            raise ApiError(*UNKNOWN_ROLE)
        credentials = KeyPair(
            access_key_id=f"STS.{_digest('id', seed)[:24]}",
            access_key_secret=_digest("secret", seed)[:44],
            security_token=_digest("token", seed) * 4,  # as long as real ones: no name, file or header's line
        )
        expires = now + timedelta(seconds=seconds)
        session = f"{role[2]}/{name}"
        key = AccessKey(credentials=credentials, account_id=account_id, session=session)
        self._issued[credentials.access_key_id] = (key, expires)
        return {
            "AssumedRoleUser": {
                "Arn": f"{role[0]}/{name}",
                "AssumedRoleId": f"{_role_id(role[0])}:{name}",
            },
            "Credentials": {
                "AccessKeyId": credentials.access_key_id,
                "AccessKeySecret": credentials.access_key_secret,
                "SecurityToken": credentials.security_token,
                "Expiration": f"{expires:%Y-%m-%dT%H:%M:%SZ}",
            },
        }


def caller_identity(account_id: str, session: str) -> dict[str, Any]:
    """Return GetCallerIdentity's answer without RequestId, for a user or for a session `ROLE/SESSION`."""
    if not session:
        user_id = _number("user", account_id, first="2")
        return {
            "AccountId": account_id,
            "Arn": f"acs:ram::{account_id}:user/{USER_NAME}",
            "IdentityType": "RAMUser",
            "PrincipalId": user_id,
            "UserId": user_id,
        }
    role, _, name = session.partition("/")
    role_id = _role_id(f"acs:ram::{account_id}:role/{role}")
    return {
        "AccountId": account_id,
        "Arn": f"acs:ram::{account_id}:assumed-role/{session}",
        "IdentityType": "AssumedRoleUser",
        "PrincipalId": f"{role_id}:{name}",
        "RoleId": role_id,
    }


def _role_id(arn: str) -> str:
    return _number("role", arn, first="3")


def _number(purpose: str, seed: str, *, first: str) -> str:
    """Make an id of 18 digits, RAM's way."""
    return f"{first}{int(_digest(purpose, seed), 16) % 10**17:017}"


def _duration(text: str) -> int:
    if not (text.isascii() and text.isdigit() and MIN_SECONDS <= int(text[:9]) <= MAX_SECONDS):
        raise ApiError(*DURATION_OUT_OF_RANGE)
    return int(text)


def _digest(purpose: str, seed: str) -> str:
    return hashlib.sha256(f"{purpose} {seed}".encode()).hexdigest()
