"""The error answers of the APIs as exceptions, with their bodies."""

import base64
from http import HTTPStatus
from typing import Any, NamedTuple

from local.api.names import STS_ACTIONS

DENIALS = ("Forbidden.RAM", "NoPermission")
"""Codes whose answer says in AccessDeniedDetail what was denied (RAM's page on it)."""


class CallOfError(NamedTuple):
    """The call that an error answers. `caller`: a user's name, or a role's session as `ROLE/SESSION`."""

    action: str = ""
    region_id: str = ""
    account_id: str = ""
    caller: str = ""


class ApiError(Exception):
    """An error answer of the API; `request_id` is empty until it is answered.

    `echo`: what ECS adds to the message for the caller alone, since a security token may be in it.
    """

    def __init__(
        self, status: int, code: str, message: str, *, retry_after_ms: int | None = None, echo: str = ""
    ) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status = status
        self.code = code
        self.message = message
        self.retry_after_ms = retry_after_ms
        self.echo = echo
        self.request_id = ""
        self.call = CallOfError()

    def body(self) -> dict[str, Any]:
        """Return the answer's body; of a refused permission, with what was denied to whom."""
        product = "Sts" if self.call.action in STS_ACTIONS else "Ecs"
        body: dict[str, Any] = {
            "RequestId": self.request_id,
            "HostId": _host(product.lower(), self.call.region_id),
            "Code": self.code,
            "Message": self.message + self.echo,
            "Recommend": f"https://api.aliyun.com/troubleshoot?q={self.code}&product={product}"
            f"&requestId={self.request_id}",
        }
        if self.code in DENIALS:
            body["AccessDeniedDetail"] = {
                "AuthAction": f"{product.lower()}:{self.call.action}",
                "AuthPrincipalDisplayName": self.call.caller,
                "AuthPrincipalOwnerId": self.call.account_id,
                "AuthPrincipalType": "AssumedRoleUser" if "/" in self.call.caller else "SubUser",
                "EncodedDiagnosticMessage": base64.b64encode(self.request_id.encode()).decode(),
                "NoPermissionType": "ImplicitDeny",
                "PolicyType": "AccountLevelIdentityBasedPolicy",
            }
        return body


def _host(product: str, region_id: str) -> str:
    return (
        f"{product}.{region_id}.aliyuncs.com" if region_id and product == "ecs" else f"{product}.aliyuncs.com"
    )


class BrokenAnswer(Exception):  # noqa: N818 - not an error of the API: the answer that is none
    """Something else than the API answered: a proxy's HTML page, or bytes that aren't JSON."""

    def __init__(self, status: int, content_type: str, body: str) -> None:
        super().__init__(f"{status} {content_type}")
        self.status = status
        self.content_type = content_type
        self.body = body


class ConnectionLost(Exception):  # noqa: N818 - what the client sees, not what went wrong here
    """The connection was reset: the call gets no answer at all."""


def missing(parameter: str) -> ApiError:
    """Answer that a mandatory parameter isn't there: `MissingInstanceId` and the like."""
    return ApiError(400, f"Missing{parameter}", f"{parameter} is mandatory for this action.")


def invalid(parameter: str, problem: str) -> ApiError:
    """Answer that a parameter can't be read: `InvalidParameter`, naming it and its problem."""
    return ApiError(400, "InvalidParameter", f"The specified parameter {parameter} is not valid: {problem}")


def repeated(parameter: str) -> ApiError:
    """Answer that a parameter is given more than once: `RepeatedInstanceId` and the like."""
    return ApiError(400, f"Repeated{parameter[:200]}", f"The specified {parameter[:200]} is repeated.")


def unreadable(status: int) -> ApiError:
    """Answer what is wrong as HTTP and never becomes a call; ECS publishes no codes for that."""
    return ApiError(status, "InvalidRequest", f"The request can't be read: {HTTPStatus(status).phrase}.")


def unknown_function(name: str) -> ApiError:
    """Answer that FC has no function of this name."""
    return ApiError(404, "FunctionNotFound", f"function '{name[:200]}' does not exist")


def entity_too_large(most: int) -> ApiError:
    """Answer that an event has more bytes than FC takes."""
    return ApiError(400, "EntityTooLarge", f"payload size exceeds maximum allowed size ({most} bytes)")


def invalid_argument(problem: str) -> ApiError:
    """Answer that something in a request to FC is not valid."""
    return ApiError(400, "InvalidArgument", problem)


def missing_header(name: str) -> ApiError:
    """Answer that a request to FC lacks a header."""
    return ApiError(400, "MissingRequiredHeader", f"required HTTP header {name} was not specified")
