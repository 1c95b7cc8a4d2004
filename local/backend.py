"""The local ECS in process: an account's instances behind `call`, with faults, and every call remembered."""

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from local.account import DEFAULT_ACCOUNT, Account, Behaviour
from local.actions import perform
from local.errors import ApiError, BrokenAnswer, ConnectionLost
from local.faults import Fault, FaultScript
from local.fleet import Fleet
from local.instance import Instance
from local.parameters import COMMON, Parameters


def utc_now() -> datetime:
    """Return the time of the clock on the wall, aware."""
    return datetime.now(UTC)


def random_request_id() -> str:
    """Return an id in ECS's form, like 1C488B66-B819-4D14-8711-C4EAAA13AC01."""
    return str(uuid4()).upper()


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A call as the local ECS remembers it, without secrets; `parameters` are those of the action itself.

    `status`, `code`: of the answer; code is empty where it went well, status 0 where no answer went out.
    `answer`: its body; empty where it was none of the API's. `signed`: the text that the client had to sign.
    """

    time: datetime
    action: str
    parameters: Parameters
    status: int
    code: str
    answer: dict[str, Any]
    signed: str


class LocalEcs:
    """ECS in one process: one account, its fleet, its clock.

    `now` says the time, aware; `sleep` waits that many seconds where a fault delays a call. With both given,
    and `request_ids`, everything repeats exactly. `remember`: how many calls `calls` keeps.
    """

    def __init__(
        self,
        fleet: Fleet,
        *,
        now: Callable[[], datetime] = utc_now,
        sleep: Callable[[float], object] = time.sleep,
        request_ids: Callable[[], str] = random_request_id,
        faults: Sequence[Fault] = (),
        behaviour: Behaviour | None = None,
        account_id: str = DEFAULT_ACCOUNT,
        remember: int = 10_000,
    ) -> None:
        self.now = now
        self.account_id = account_id
        self._sleep = sleep
        self._request_ids = request_ids
        self._faults = tuple(faults)
        self._script = FaultScript(self._faults)
        self._account = Account(fleet, behaviour or Behaviour(), account_id=account_id, now=now())
        self._calls: deque[Call] = deque(maxlen=remember)
        self._lock = threading.Lock()

    @property
    def calls(self) -> tuple[Call, ...]:
        """The calls that came, oldest first, in the order in which they were answered."""
        with self._lock:
            return tuple(self._calls)

    def instance(self, instance_id: str) -> Instance:
        """Return the instance as it really is now, whatever reads show; KeyError if there is none."""
        with self._lock:
            instance = self._account.find(instance_id)
        if instance is None:
            raise KeyError(instance_id)
        return instance.at(self.now())

    def instances(self) -> tuple[Instance, ...]:
        """Return all instances as they really are now, region by region."""
        now = self.now()
        with self._lock:
            return tuple(instance.at(now) for instance in self._account.instances())

    def reset(self) -> None:
        """Start anew: the fleet as it was given, no calls, the faults from their beginning."""
        with self._lock:
            self._account.reset(self.now())
            self._script = FaultScript(self._faults)
            self._calls.clear()

    def call(self, action: str, parameters: Parameters, *, signed: str = "") -> dict[str, Any]:
        """Do one call and return the answer with its RequestId; what it holds is not to be changed.

        Raise ApiError for an error answer; where a fault says so, BrokenAnswer or ConnectionLost.
        """
        arrived, request_id = self.now(), self._request_ids()
        try:
            answer = self._perform(action, parameters, arrived)
        except (ApiError, BrokenAnswer, ConnectionLost) as outcome:
            if isinstance(outcome, ApiError):
                outcome.request_id = request_id
            self._remember(arrived, action, parameters, signed, outcome)
            raise
        answer["RequestId"] = request_id
        self._remember(arrived, action, parameters, signed, answer)
        return answer

    def refuse(self, action: str, parameters: Parameters, error: ApiError, *, signed: str = "") -> None:
        """Remember a call that got this error before any action was looked at."""
        error.request_id = self._request_ids()
        self._remember(self.now(), action, parameters, signed, error)

    def _perform(self, action: str, parameters: Parameters, arrived: datetime) -> dict[str, Any]:
        with self._lock:
            plan = self._script.plan(action, self._region(parameters), parameters, arrived)
        if plan.delay_before:
            self._sleep(plan.delay_before)
        if plan.failure and not plan.after:
            raise plan.failure.error()
        outcome: dict[str, Any] | ApiError
        with self._lock:
            try:
                outcome = perform(action, self._account, parameters, self.now(), plan.aftermath)
            except ApiError as refusal:
                outcome = refusal
        if plan.delay_after:
            self._sleep(plan.delay_after)
        if plan.failure:
            raise plan.failure.error()
        if isinstance(outcome, ApiError):
            raise outcome
        return outcome

    def _region(self, parameters: Parameters) -> str:
        """Return the region that the call is about: the one it names, else its instance's; empty: none."""
        if parameters.get("RegionId"):
            return parameters["RegionId"]
        instance = self._account.find(parameters.get("InstanceId", ""))
        return instance.profile.region_id if instance else ""

    def _remember(
        self,
        arrived: datetime,
        action: str,
        parameters: Parameters,
        signed: str,
        outcome: dict[str, Any] | ApiError | BrokenAnswer | ConnectionLost,
    ) -> None:
        status, code, answer = 0, "", {}
        match outcome:
            case dict():
                status, answer = 200, outcome
            case ApiError():
                status, code, answer = outcome.status, outcome.code, outcome.body()
                answer["Message"] = outcome.message
            case BrokenAnswer():
                status = outcome.status
        call = Call(
            time=arrived,
            action=action,
            parameters={name: value for name, value in parameters.items() if name not in COMMON},
            status=status,
            code=code,
            answer=answer,
            signed=signed,
        )
        with self._lock:
            self._calls.append(call)
