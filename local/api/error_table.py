"""The errors that the local ECS answers: status, code and message, word for word as ECS gives them."""

from typing import NamedTuple


class ErrorRow(NamedTuple):
    """A row of an API's error table. `message` is compared by no one but people."""

    status: int
    code: str
    message: str


# StopInstance's error table, in its order.
NOT_FOUND = ErrorRow(404, "InvalidInstanceId.NotFound", "The specified InstanceId does not exist.")
INCORRECT_STATUS = ErrorRow(
    403, "IncorrectInstanceStatus", "The current status of the resource does not support this operation."
)
SECURITY_LOCK = ErrorRow(
    403,
    "InstanceLockedForSecurity",
    "The specified operation is denied as your instance is locked for security reasons.",
)
DISK_ERROR = ErrorRow(403, "DiskError", "IncorrectDiskStatus")
INTERNAL_ERROR = ErrorRow(
    500, "InternalError", "The request processing has failed due to some unknown error."
)
CONFIRM_STOP = ErrorRow(
    403,
    "InstanceType.ParameterMismatch",
    "The input parameter ConfirmStop must be true when an instance have localstorage.",
)
IN_ARREARS = ErrorRow(
    403,
    "InstanceExpiredOrInArrears",
    "The specified operation is denied as your prepay instance is expired (prepay mode) "
    "or in arrears (afterpay mode).",
)
CLASSIC = ErrorRow(
    403, "InvalidInstanceId.NotSupport", "Classic network Instance does not support this operation."
)
PREPAID = ErrorRow(403, "InvalidInstanceId.NotSupport", "Pre pay instance does not support this operation.")
LOCAL_DISK = ErrorRow(
    403, "InvalidInstanceId.NotSupport", "Local disk instance does not support this operation."
)
SPOT = ErrorRow(403, "InvalidInstanceId.NotSupport", "Spot instance does not support this operation.")
STATUS_DETAIL = ErrorRow(403, "IncorrectInstanceStatus", "%s")
KMS = ErrorRow(
    403, "InvalidParameter.KMSKeyId.KMSUnauthorized", "ECS service have no right to access your KMS."
)
INTERNAL_FAILURE = ErrorRow(
    500, "InternalError", "The request processing has failed due to some unknown error, exception or failure."
)

STOP_INSTANCE_TABLE = (
    NOT_FOUND,
    INCORRECT_STATUS,
    SECURITY_LOCK,
    DISK_ERROR,
    INTERNAL_ERROR,
    CONFIRM_STOP,
    IN_ARREARS,
    CLASSIC,
    PREPAID,
    LOCAL_DISK,
    SPOT,
    STATUS_DETAIL,
    KMS,
    INTERNAL_FAILURE,
)

# StartInstance's own: what a stop with StopCharging risks.
NO_STOCK = ErrorRow(
    403,
    "OperationDenied.NoStock",
    "The requested resource is sold out in the specified zone; "
    "try other types of resources or other regions and zones.",
)

# What a passed dry run answers; its status is nowhere published, and no one may go by it.
DRY_RUN = ErrorRow(400, "DryRunOperation", "Request validation has been passed with DryRun flag set.")

# The gateway's answers, before any action is looked at.
THROTTLED = ErrorRow(400, "Throttling.User", "Request was denied due to user flow control.")
UNKNOWN_ACTION = ErrorRow(
    404, "InvalidAction.NotFound", "Specified api is not found, please check your url and method."
)
UNKNOWN_VERSION = ErrorRow(400, "InvalidVersion", "Specified parameter Version is not valid.")
UNKNOWN_METHOD = ErrorRow(400, "UnsupportedHTTPMethod", "This http method is not supported.")
UNKNOWN_REGION = ErrorRow(404, "InvalidRegionId.NotFound", "The specified RegionId does not exist.")
UNKNOWN_KEY = ErrorRow(404, "InvalidAccessKeyId.NotFound", "Specified access key is not found.")
INCOMPLETE_SIGNATURE = ErrorRow(
    400, "IncompleteSignature", "The request signature does not conform to Aliyun standards."
)
OTHER_BODY = ErrorRow(
    400, "SignatureDoesNotMatch", "Specified x-acs-content-sha256 is not the digest of the request's body."
)
EXPIRED = ErrorRow(400, "InvalidTimeStamp.Expired", "Specified time stamp or date value is expired.")
MALFORMED_TIME = ErrorRow(
    400, "InvalidTimeStamp.Format", "Specified time stamp or date value is not well formatted."
)
NONCE_USED = ErrorRow(400, "SignatureNonceUsed", "Specified signature nonce was used already.")
MALFORMED_TOKEN = ErrorRow(400, "InvalidSecurityToken.Malformed", "Specified SecurityToken is malformed.")
MISMATCHED_TOKEN = ErrorRow(
    400,
    "InvalidSecurityToken.MismatchWithAccessKey",
    "Specified SecurityToken mismatch with the AccessKey.",
)
EXPIRED_TOKEN = ErrorRow(400, "InvalidSecurityToken.Expired", "Specified SecurityToken is expired.")

# STS's answers to AssumeRole.
UNKNOWN_ROLE = ErrorRow(404, "EntityNotExist.Role", "The specified Role not exists.")
MALFORMED_ROLE_ARN = ErrorRow(400, "InvalidParameter.RoleArn", "The parameter RoleArn is wrongly formed.")
MALFORMED_SESSION_NAME = ErrorRow(
    400, "InvalidParameter.RoleSessionName", "The parameter RoleSessionName is wrongly formed."
)
DURATION_OUT_OF_RANGE = ErrorRow(
    400, "InvalidParameter.DurationSeconds", "DurationSeconds must be from 900 to 43200 seconds."
)

# FC's error codes (its page of that name), those that faults alone give included.
PATH_NOT_SUPPORTED = ErrorRow(400, "PathNotSupported", "The path or its method is not supported.")
_OF_FC = (
    ErrorRow(404, "FunctionNotFound", "The function does not exist."),
    ErrorRow(403, "AccessDenied", "You are not authorized to perform this operation."),
    ErrorRow(429, "ResourceExhausted", "Your account has exceeded its concurrency limit."),
    ErrorRow(500, "InternalServerError", "An internal error has occurred."),
    ErrorRow(503, "ResourceThrottled", "The resources of the service are insufficient."),
)

# Answers that only faults give: what a bad day in the cloud brings.
_RARE = (
    ErrorRow(503, "ServiceUnavailable", "The request has failed due to a temporary failure of the server."),
    ErrorRow(503, "LimitedOperation.ServiceUnavailable", "The service is temporarily unavailable."),
    ErrorRow(400, "Throttling", "Request was denied due to request throttling."),
    ErrorRow(400, "Throttling.Api", "Request was denied due to api flow control."),
    ErrorRow(409, "InvalidOperation.Conflict", "Your current request conflicts with another one, try again."),
    ErrorRow(403, "InstanceNotReady", "The specified instance is not ready for use."),
    ErrorRow(403, "OperationDenied.SystemInstanceNotSupport", "The instance is managed by the system."),
    NO_STOCK,
    ErrorRow(403, "InsufficientBalance", "Your account does not have enough balance."),
    ErrorRow(403, "Forbidden.RAM", "User not authorized to operate on the specified resource."),
    ErrorRow(403, "NoPermission", "You are not authorized to perform this operation."),
)

# The first row of each code; faults and fleet files name errors by their code.
BY_CODE = {
    row.code: row
    for row in reversed(
        (
            *STOP_INSTANCE_TABLE,
            *(DRY_RUN, THROTTLED, UNKNOWN_ACTION, UNKNOWN_REGION, UNKNOWN_KEY, INCOMPLETE_SIGNATURE),
            *(EXPIRED, NONCE_USED, MALFORMED_TOKEN, MISMATCHED_TOKEN, EXPIRED_TOKEN),
            *(UNKNOWN_ROLE, MALFORMED_ROLE_ARN, MALFORMED_SESSION_NAME, DURATION_OUT_OF_RANGE),
            *_RARE,
            *_OF_FC,
        )
    )
}


def error_row(code: str, message: str | None = None, status: int | None = None) -> ErrorRow:
    """Complete an error by its code; of several rows with this code, by the first.

    Raise ValueError for a code that no table here has, unless its status is given.
    """
    known = BY_CODE.get(code)
    if known is None and status is None:
        raise ValueError(f"the code {code[:200]} is unknown here; if it is meant, give its status too")
    default = known or ErrorRow(0, code, "The operation is denied.")
    return ErrorRow(status or default.status, code, message or default.message)
