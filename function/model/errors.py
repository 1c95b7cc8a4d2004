"""What each failure of ECS or of the way to it means: one table, by error code.

The codes are those of StopInstance's error table, of the calls around it, of FC's invocations, of every API
(throttling, signatures, RAM), and those that other clients of ECS try again after: docs/operate.md says for
each what they do. Failures without a code from ECS get a `Client.` code.
"""

import re
from enum import Enum, StrEnum, auto
from fnmatch import fnmatchcase


class EcsCode(StrEnum):
    """The codes of StopInstance's error table, and the one with which a dry run passes."""

    NOT_FOUND = "InvalidInstanceId.NotFound"
    INCORRECT_STATUS = "IncorrectInstanceStatus"
    LOCKED_FOR_SECURITY = "InstanceLockedForSecurity"
    DISK_ERROR = "DiskError"
    INTERNAL_ERROR = "InternalError"
    LOCAL_DISKS = "InstanceType.ParameterMismatch"
    EXPIRED_OR_IN_ARREARS = "InstanceExpiredOrInArrears"
    NOT_ECONOMICAL = "InvalidInstanceId.NotSupport"
    KMS_UNAUTHORIZED = "InvalidParameter.KMSKeyId.KMSUnauthorized"
    DRY_RUN_PASSED = "DryRunOperation"


class ClientCode(StrEnum):
    """The function's own codes for a call that brought no answer."""

    NO_ANSWER = "Client.NoAnswer"
    """It was sent; nothing that can be understood came back (timeout, reset, HTML, garbage)."""
    NO_CONNECTION = "Client.NoConnection"
    """It never left: no DNS, connection refused, timeout to connect. ECS has done nothing."""
    OUT_OF_TIME = "Client.OutOfTime"
    """There was no time left for even one call."""
    UNREADABLE = "Client.Unreadable"
    """What was said about an instance can't be read; the message names the field."""
    UNFORESEEN = "Client.Unforeseen"
    """A mistake in the function ended the run before this was settled."""


class Meaning(Enum):
    """What a failed call means for the instance."""

    DRY_RUN_PASSED = auto()
    """No failure at all: how ECS answers a dry run that passes."""
    REFUSED = auto()
    """ECS says no to this instance; this call changed nothing; trying again would not help."""
    LOOK_AGAIN = auto()
    """The instance is not as it was seen; it may already be stopping."""
    NOT_ECONOMICAL = auto()
    """This instance can't be stopped with StopCharging; with KeepCharging it can."""
    THROTTLED = auto()
    """Nothing was done; the call is welcome again in the next window."""
    RETRY = auto()
    """A transient error of ECS; what was done, if anything, only a look can tell."""
    BUSY = auto()
    """As RETRY, but until another operation on the instance has ended, which can take minutes."""
    UNKNOWN = auto()
    """No answer: whether it was done, or will be, only a look can tell."""
    NOT_SENT = auto()
    """A transient error on the way; nothing was done."""
    DENIED = auto()
    """The function lacks permission or valid credentials."""
    FAILED = auto()
    """ECS could not do it now; it needs a person."""
    UNLISTED = auto()
    """A code that nobody knows here: what was done, if anything, only a look can tell; it needs a person."""


NOT_FOUND_CODES = (
    EcsCode.NOT_FOUND,
    "InvalidInstanceIds.NotFound",
    "InvalidInstance.NotFound",
    "Forbidden.InstanceNotFound",
    "Instance.Notfound",
)
"""Different names for one thing: there is no such instance."""

_BY_CODE = {
    EcsCode.DRY_RUN_PASSED: Meaning.DRY_RUN_PASSED,
    EcsCode.INCORRECT_STATUS: Meaning.LOOK_AGAIN,
    EcsCode.LOCKED_FOR_SECURITY: Meaning.REFUSED,
    EcsCode.DISK_ERROR: Meaning.FAILED,
    EcsCode.INTERNAL_ERROR: Meaning.RETRY,
    EcsCode.LOCAL_DISKS: Meaning.REFUSED,
    EcsCode.EXPIRED_OR_IN_ARREARS: Meaning.REFUSED,
    EcsCode.NOT_ECONOMICAL: Meaning.NOT_ECONOMICAL,
    EcsCode.KMS_UNAUTHORIZED: Meaning.REFUSED,
    **dict.fromkeys(NOT_FOUND_CODES, Meaning.REFUSED),
    "InvalidOperation.Conflict": Meaning.BUSY,
    "OperationConflict": Meaning.BUSY,
    "TaskConflict": Meaning.BUSY,
    "IncorrectInstanceStatus.Initializing": Meaning.BUSY,
    "LastTokenProcessing": Meaning.RETRY,
    "OperationFailed.LastTokenProcessing": Meaning.RETRY,
    "IdempotentProcessing": Meaning.RETRY,
    "UnknownError": Meaning.RETRY,
    "SystemBusy": Meaning.RETRY,
    "ServiceBusy": Meaning.RETRY,
    "InstanceNotReady": Meaning.RETRY,
    "SignatureNonceUsed": Meaning.RETRY,
    "MissingSecurityToken": Meaning.DENIED,
    "InsufficientBalance": Meaning.FAILED,
    "IllegalTimestamp": Meaning.FAILED,
    "RealNameAuthenticationError": Meaning.FAILED,
    "ResourceExhausted": Meaning.THROTTLED,
    "ResourceThrottled": Meaning.THROTTLED,
    "InternalServerError": Meaning.RETRY,
    "AccessDenied": Meaning.DENIED,
    "InvalidAccessKeyID": Meaning.DENIED,
    "InvalidCredentials": Meaning.DENIED,  # the SDK's own, when it has none
    ClientCode.NO_ANSWER: Meaning.UNKNOWN,
    ClientCode.NO_CONNECTION: Meaning.NOT_SENT,
    ClientCode.UNREADABLE: Meaning.RETRY,
}

_BY_PATTERN = (
    ("*Throttling*", Meaning.THROTTLED),
    ("*ServiceUnavailable*", Meaning.RETRY),
    ("InternalError.*", Meaning.RETRY),
    ("IncorrectInstanceStatus.*", Meaning.LOOK_AGAIN),
    ("InvalidParameter.KMSKeyId.*", Meaning.REFUSED),
    ("*Signature*", Meaning.DENIED),
    ("Forbidden*", Meaning.DENIED),
    ("NoPermission*", Meaning.DENIED),
    ("InvalidAccessKeyId*", Meaning.DENIED),
    ("InvalidSecurityToken*", Meaning.DENIED),
    ("InvalidTimeStamp*", Meaning.DENIED),
    ("OperationDenied*", Meaning.REFUSED),
    ("Hibernation*", Meaning.REFUSED),
    ("Invalid*", Meaning.FAILED),
    ("Missing*", Meaning.FAILED),
    ("*NotFound", Meaning.FAILED),
    ("EntityNotExist*", Meaning.FAILED),
    ("EntityTooLarge*", Meaning.FAILED),
    ("*Timeout", Meaning.UNKNOWN),  # a gateway's word for no answer
    ("*TimeOut", Meaning.UNKNOWN),
)


def known_codes() -> dict[str, Meaning]:
    """Give the whole table: codes, then patterns, and what each means."""
    return {str(code): means for code, means in _BY_CODE.items()} | dict(_BY_PATTERN)


_LATER = re.compile(r"\b(later|try again)\b", re.IGNORECASE)


def meaning(code: str, message: str = "") -> Meaning:
    """Say what a code means; one that nobody knows is no refusal, and no stop is asked for again after it.

    The message counts for `OperationDenied` alone, which ECS also answers where it asks to come back later.
    """
    if code.startswith("OperationDenied") and _LATER.search(message):
        return Meaning.BUSY
    exact = _BY_CODE.get(code)
    if exact is not None:
        return exact
    return next((means for pattern, means in _BY_PATTERN if fnmatchcase(code, pattern)), Meaning.UNLISTED)


_TRANSIENT = frozenset({Meaning.THROTTLED, Meaning.RETRY, Meaning.BUSY, Meaning.UNKNOWN, Meaning.NOT_SENT})
_SERVER_ERROR = 500
"""The first HTTP status that says that the server failed, not the request (RFC 9110)."""


class CloudError(Exception):
    """A call that ECS did not grant, or whose answer never came.

    `message` holds no secret and no string to sign; `retry_after` is in seconds, where ECS gave it;
    `http_status` where there was one. `read`: the call could change nothing.
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        request_id: str | None = None,
        retry_after: float | None = None,
        http_status: int | None = None,
        read: bool = False,
    ) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.request_id = request_id
        self.retry_after = retry_after
        self.http_status = http_status
        self.read = read

    @property
    def meaning(self) -> Meaning:
        """What the code means."""
        return meaning(self.code, self.message)

    @property
    def in_doubt(self) -> bool:
        """Whether the call may have been done all the same."""
        if self.meaning is Meaning.BUSY:
            return (self.http_status or 0) >= _SERVER_ERROR
        return self.meaning in {Meaning.RETRY, Meaning.UNKNOWN, Meaning.UNLISTED}

    @property
    def transient(self) -> bool:
        """Whether the same call may succeed a little later; if it only reads, after an unknown error too."""
        if self.read and (self.meaning is Meaning.UNLISTED or (self.http_status or 0) >= _SERVER_ERROR):
            return True
        return self.meaning in _TRANSIENT


def origin(error: BaseException) -> str:
    """Name an unforeseen error and where it came from, without its text, which may hold anything."""
    where = error.__traceback__
    while where is not None and where.tb_next is not None:
        where = where.tb_next
    return type(error).__name__ + (f" at {where.tb_frame.f_code.co_name}:{where.tb_lineno}" if where else "")
