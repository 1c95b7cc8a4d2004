"""Faults by script: which call of which action goes wrong, and how. Same script, same calls, same faults."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from local.api.api_error import ApiError, BrokenAnswer, ConnectionLost
from local.api.error_table import THROTTLED, ErrorRow
from local.api.parameters import Parameters
from local.emulator.lifecycle import Aftermath
from local.emulator.sessions import account_of_role
from local.emulator.spelling import Numbers, Shown, Spelling, Tokens


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """The call gets this error for an answer, with x-acs-retry-after in milliseconds if given."""

    row: ErrorRow
    retry_after_ms: int | None = None

    def error(self) -> Exception:
        """Return the exception to end the call with."""
        return ApiError(*self.row, retry_after_ms=self.retry_after_ms)


@dataclass(frozen=True, slots=True)
class Raw:
    """The call gets an answer that isn't the API's: HTML, or bytes that aren't JSON."""

    status: int
    content_type: str
    body: str

    def error(self) -> Exception:
        """Return the exception to end the call with."""
        return BrokenAnswer(self.status, self.content_type, self.body)


@dataclass(frozen=True, slots=True)
class Reset:
    """The connection is reset, the call gets no answer."""

    def error(self) -> Exception:
        """Return the exception to end the call with."""
        return ConnectionLost("connection reset by a fault")


@dataclass(frozen=True, slots=True)
class Delay:
    """The call waits so many seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Quota:
    """So many calls a minute of the clock, for each account, action and region.

    The others get Throttling.User.
    """

    per_minute: int


HTML = Raw(502, "text/html", "<html><head><title>Bad Gateway</title></head><body>Bad Gateway</body></html>")
GARBAGE = Raw(200, "application/json;charset=utf-8", '{"RequestId": "1C48')

Effect = Failure | Raw | Reset | Delay | Quota | Aftermath | Spelling


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One fault: the calls it meets, and what becomes of them.

    `action`: `*` for any. `instance_id`: only calls that name it. `account_id`: only calls in this account,
    and those that assume a role of it. `first` to `last`: which of those calls, counted from 1; None: no end.
    `after`: it comes once the call has taken effect, else before.
    """

    effect: Effect
    action: str = "*"
    instance_id: str | None = None
    account_id: str | None = None
    first: int = 1
    last: int | None = None
    after: bool = False


_NO_AFTERMATH = Aftermath()


@dataclass(frozen=True, slots=True, kw_only=True)
class Disturbance:
    """What the faults make of one call. Delays in seconds; `failure` ends it before its effect or `after`."""

    delay_before: float = 0.0
    delay_after: float = 0.0
    failure: Failure | Raw | Reset | None = None
    after: bool = False
    aftermath: Aftermath = _NO_AFTERMATH
    spellings: tuple[Spelling, ...] = ()


UNDISTURBED = Disturbance()

_Counted = tuple[int, str, str, str]
"""What a quota counts for: the place of the fault, account, action, region."""


class FaultScript:
    """The faults of a local ECS and how many calls each has met. Not for several threads at once."""

    def __init__(self, faults: Sequence[Fault] = ()) -> None:
        self._faults = tuple(faults)
        self._met = [0] * len(self._faults)
        self._changed = [0] * len(self._faults)
        self._minutes: dict[_Counted, tuple[int, int]] = {}

    @property
    def changed(self) -> tuple[int, ...]:
        """How many calls went otherwise because of each fault."""
        return tuple(self._changed)

    def disturb(
        self, action: str, region_id: str, parameters: Parameters, now: datetime, account_id: str
    ) -> Disturbance:
        """Count the call, and return what becomes of it. Of several failures the first in the script wins."""
        disturbance = UNDISTURBED
        meant = account_of_role(parameters) or account_id
        for index, fault in enumerate(self._faults):
            if fault.action not in ("*", action) or not _names(parameters, fault.instance_id):
                continue
            if fault.account_id not in (None, meant):
                continue
            self._met[index] += 1
            if self._met[index] < fault.first or (fault.last is not None and self._met[index] > fault.last):
                continue
            before = disturbance
            disturbance = self._with(before, fault, (index, account_id, action, region_id), now)
            self._changed[index] += disturbance is not before
        return disturbance

    def _with(self, disturbance: Disturbance, fault: Fault, counted: _Counted, now: datetime) -> Disturbance:
        match fault.effect:
            case Delay(seconds) if fault.after:
                return replace(disturbance, delay_after=disturbance.delay_after + seconds)
            case Delay(seconds):
                return replace(disturbance, delay_before=disturbance.delay_before + seconds)
            case Aftermath(stuck=stuck, stale_seconds=seconds):
                former = disturbance.aftermath
                return replace(
                    disturbance,
                    aftermath=Aftermath(
                        stuck=former.stuck or stuck, stale_seconds=max(former.stale_seconds, seconds)
                    ),
                )
            case Numbers() | Tokens() | Shown() as spelling:
                return replace(disturbance, spellings=(*disturbance.spellings, spelling))
            case Quota(per_minute):
                throttled = self._spent(counted, now) > per_minute
                return (
                    replace(disturbance, failure=disturbance.failure or Failure(row=THROTTLED))
                    if throttled
                    else disturbance
                )
            case failure:
                return (
                    disturbance
                    if disturbance.failure
                    else replace(disturbance, failure=failure, after=fault.after)
                )

    def _spent(self, key: _Counted, now: datetime) -> int:
        minute = int(now.timestamp() // 60)
        before, count = self._minutes.get(key, (minute, 0))
        count = count + 1 if before == minute else 1
        self._minutes[key] = (minute, count)
        return count


def _names(parameters: Parameters, instance_id: str | None) -> bool:
    """Tell whether the call names the instance: as InstanceId, InstanceId.N or in InstanceIds."""
    if instance_id is None or parameters.get("InstanceId") == instance_id:
        return True
    if f'"{instance_id}"' in parameters.get("InstanceIds", ""):
        return True
    return any(value == instance_id for name, value in parameters.items() if name.startswith("InstanceId."))
