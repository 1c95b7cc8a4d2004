"""What went wrong with a call to a cloud API, told from what the SDK raised; nothing secret is left in it."""

import re
from collections.abc import Mapping
from typing import Any

import requests
from urllib3.exceptions import NewConnectionError

from function.cloud import sdk
from function.model.credentials import Redactor
from function.model.errors import NOT_FOUND_CODES, ClientCode, CloudError, EcsCode, Meaning, meaning
from function.model.ports import READS

_MAX_MESSAGE = 500
"""Characters: four times the longest in ECS's error tables; what is longer echoes something."""

_MAX_RETRY_AFTER_MS = 86_400_000
"""A day, the longest that a function runs: x-acs-retry-after may be any number."""

_REQUEST_ID = re.compile(r"[\w-]{1,64}", re.ASCII)

_DENIED_FIELDS = (
    "AuthAction",
    "AuthPrincipalType",
    "AuthPrincipalDisplayName",
    "NoPermissionType",
    "PolicyType",
)
"""What of AccessDeniedDetail helps to mend a policy (RAM's page on it)."""

_STRING_TO_SIGN = re.compile(r"(canonical.?request|string.?to.?sign|signature)", re.IGNORECASE)
"""From here on an API may echo the request; SignatureDoesNotMatch does."""


def cloud_error(action: str, error: Exception, redact: Redactor) -> CloudError:
    """Tell what an exception of the SDK, or one about an answer that can't be read, means.

    `action` is what RAM calls it, such as `ecs:StopInstance`.
    """
    code = getattr(error, "code", None)
    if not isinstance(error, sdk.TeaException) or code in {None, "", "None"}:
        return _without_code(action, error)
    data = error.data if isinstance(error.data, dict) else {}
    retry_after = getattr(error, "retry_after", None)
    seconds = min(retry_after, _MAX_RETRY_AFTER_MS) / 1000 if isinstance(retry_after, int) else None
    status = getattr(error, "status_code", None)
    return error_answer(
        action,
        str(code),
        data,
        redact,
        retry_after=seconds,
        http_status=status if isinstance(status, int) else None,
    )


def error_answer(
    action: str,
    code: str,
    data: Mapping[str, Any],
    redact: Redactor,
    *,
    retry_after: float | None = None,
    http_status: int | None = None,
) -> CloudError:
    """Make the error of an answer that has a code; `data` has its `Message` and `RequestId`."""
    return CloudError(
        redact.text(code),
        _message(action, code, data, redact),
        request_id=request_id_of(data, redact),
        retry_after=retry_after,
        http_status=http_status,
        read=_reads(action),
    )


def _reads(action: str) -> bool:
    return action.rpartition(":")[2] in READS


def request_id_of(answer: Mapping[str, Any], redact: Redactor) -> str | None:
    """Give the `RequestId` of an answer, None where it has none that looks like one."""
    request_id = answer.get("RequestId")
    if not isinstance(request_id, str):
        return None
    text = redact.text(request_id)
    return text if _REQUEST_ID.fullmatch(text) else None


def _message(action: str, code: str, data: Mapping[str, Any], redact: Redactor) -> str:
    """Say what the API said, but never what it echoes of the signed request."""
    if code == "InvalidCredentials":
        return f"the function has no credentials for {action}; give it a role"
    if meaning(code) is Meaning.DENIED:
        return (
            f"{action} was denied ({code}); check that the function's role allows it here, "
            f"and that its credentials are valid{_denied_detail(data, redact)}"
        )
    said = _shorter(redact.text(str(data.get("Message") or "there was no message")))
    return f"no such instance: {said}" if code in NOT_FOUND_CODES and code != EcsCode.NOT_FOUND else said


def _shorter(text: str) -> str:
    """Cut between words: what others know to be a secret must not be left in part."""
    text = _STRING_TO_SIGN.split(text, maxsplit=1)[0]
    return text if len(text) <= _MAX_MESSAGE else text[:_MAX_MESSAGE].rpartition(" ")[0] + "…"


def _denied_detail(data: Mapping[str, Any], redact: Redactor) -> str:
    """Pass on what RAM says was denied, to whom and why (RAM's page on AccessDeniedDetail)."""
    detail = data.get("AccessDeniedDetail")
    said = [
        f"{field} {_shorter(redact.text(str(detail[field])))}"
        for field in _DENIED_FIELDS
        if isinstance(detail, dict) and detail.get(field)
    ]
    return f"; RAM says: {', '.join(said)}" if said else ""


def _without_code(action: str, error: Exception) -> CloudError:
    """Tell a call that never left from one that may have arrived: only the first surely did nothing."""
    cause = _transport_error(error)
    never_left = isinstance(cause, requests.ConnectTimeout) or (
        isinstance(cause, requests.ConnectionError)
        and bool(cause.args)
        and isinstance(getattr(cause.args[0], "reason", None), NewConnectionError)
    )
    if never_left:
        return CloudError(ClientCode.NO_CONNECTION, f"{action} got no connection ({type(cause).__name__})")
    return CloudError(ClientCode.NO_ANSWER, f"no usable answer came to {action} ({type(cause).__name__})")


def _transport_error(error: BaseException) -> BaseException:
    """Find what `requests` raised: the SDK keeps only its text, Python keeps it as the context."""
    inner = getattr(error, "inner_exception", None) or error
    return inner.__context__ if isinstance(inner.__context__, requests.RequestException) else inner
