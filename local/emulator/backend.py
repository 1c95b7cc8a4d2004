"""The local ECS in process: its accounts' instances behind `call`, with faults, and every call remembered."""

import threading
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from local.api.api_error import ApiError, BrokenAnswer, ConnectionLost
from local.api.documented import ignored
from local.api.names import ASSUME_ROLE, GET_CALLER_IDENTITY
from local.api.parameters import Parameters
from local.emulator.account import DEFAULT_ACCOUNT, Accounts
from local.emulator.actions.action import CallContext
from local.emulator.actions.registry import ACTIONS, perform
from local.emulator.behaviour import Behaviour
from local.emulator.call_log import Arrival, CallLog, ReceivedCall
from local.emulator.faults import Fault, FaultScript
from local.emulator.fleet import Fleet
from local.emulator.keys import AccessKey
from local.emulator.lifecycle import Aftermath, EmulatedInstance
from local.emulator.sessions import SERVED, Sessions, account_of_role, caller_identity


def utc_now() -> datetime:
    """Return the time of the clock on the wall, aware."""
    return datetime.now(UTC)


def random_request_id() -> str:
    """Return an id in ECS's form, like 1C488B66-B819-4D14-8711-C4EAAA13AC01."""
    return str(uuid4()).upper()


Act = Callable[[datetime, str, Aftermath], dict[str, Any]]
"""What a call does: at this time, under this request id, with what a fault makes of it. Raises ApiError."""


class LocalEcs:
    """ECS, and STS beside it, in one process: the accounts of a fleet, and a clock.

    `account_id`: whose the instances are that name no account, and the key that calls come with.
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
        self._fleet = fleet
        self._behaviour = behaviour or fleet.behaviour or Behaviour()
        self._accounts = self._new_accounts()
        self._sessions = Sessions()
        self._log = CallLog(remember)
        self._lock = threading.Lock()

    @property
    def calls(self) -> tuple[ReceivedCall, ...]:
        """The calls that came, oldest first, in the order in which they were answered."""
        return self._log.calls()

    @property
    def changed_by_faults(self) -> tuple[int, ...]:
        """How many calls went otherwise because of each fault, in the faults' order."""
        with self._lock:
            return self._script.changed

    def instance(self, instance_id: str) -> EmulatedInstance:
        """Return the instance as it really is now, whatever reads show; KeyError if there is none."""
        with self._lock:
            for account in self._accounts:
                instance = account.find(instance_id)
                if instance is not None:
                    return instance.at(self.now())
        raise KeyError(instance_id)

    def instances(self) -> tuple[EmulatedInstance, ...]:
        """Return all instances as they really are now, account by account and region by region."""
        now = self.now()
        with self._lock:
            return tuple(instance.at(now) for account in self._accounts for instance in account.instances())

    def reset(
        self,
        *,
        fleet: Fleet | None = None,
        faults: Sequence[Fault] | None = None,
        behaviour: Behaviour | None = None,
    ) -> None:
        """Start anew: the fleet as it was given, no calls, no sessions, the faults from their beginning.

        What is given takes the place of what there was.
        """
        with self._lock:
            said = None if fleet is None else fleet.behaviour
            self._fleet = self._fleet if fleet is None else fleet
            self._behaviour = behaviour or said or self._behaviour
            self._faults = self._faults if faults is None else tuple(faults)
            self._accounts = self._new_accounts()
            self._sessions = Sessions()
            self._script = FaultScript(self._faults)
            self._log.clear()

    def _new_accounts(self) -> Accounts:
        return Accounts(self._fleet, self._behaviour, default=self.account_id, now=self.now())

    def session_key(self, access_key_id: str) -> AccessKey | None:
        """Return the key, of this id, of a session that AssumeRole has issued; None if it has issued none."""
        with self._lock:
            return self._sessions.key(access_key_id, self.now())

    def call(
        self,
        action: str,
        parameters: Parameters,
        *,
        account_id: str | None = None,
        session: str = "",
        signed: str = "",
    ) -> dict[str, Any]:
        """Do one call in an account and return the answer with its RequestId, which is not to be changed.

        `account_id`: None is the default one; KeyError for one that the fleet doesn't have. `session`: the
        role and the session that calls, `ROLE/SESSION`; empty: a user. Raise ApiError for an error answer;
        where a fault says so, BrokenAnswer or ConnectionLost.
        """
        account = self._accounts[self.account_id if account_id is None else account_id]

        def act(now: datetime, _request_id: str, aftermath: Aftermath) -> dict[str, Any]:
            if action == GET_CALLER_IDENTITY:
                return caller_identity(account.account_id, session)
            if action != ASSUME_ROLE:
                return perform(action, account, parameters, CallContext(now=now, aftermath=aftermath))
            meant = account_of_role(parameters)
            there = meant if meant is not None and meant in self._accounts else None
            return self._sessions.assume_role(parameters, there, now, self._request_ids())

        return self.answer(
            action, parameters, act, account_id=account.account_id, session=session, signed=signed
        )

    def answer(
        self,
        action: str,
        parameters: Parameters,
        act: Act,
        *,
        account_id: str,
        signed: str,
        session: str = "",
        success: int = 200,
    ) -> dict[str, Any]:
        """Do what the call says, or what the faults make of it, and remember it; like `call` otherwise.

        `success`: the status of an answer that is no error.
        """
        arrival = Arrival(
            time=self.now(),
            request_id=self._request_ids(),
            account_id=account_id,
            session=session,
            region_id=self._region(account_id, parameters),
            action=action,
            parameters=parameters,
            signed=signed,
            success=success,
            ignored=_ignored(action, parameters),
        )
        try:
            answer = self._perform(arrival, act)
        except (ApiError, BrokenAnswer, ConnectionLost) as outcome:
            self._log.add(arrival.answered(outcome))
            raise
        answer["RequestId"] = arrival.request_id
        self._log.add(arrival.answered(answer))
        return answer

    def refuse(self, action: str, parameters: Parameters, error: ApiError, *, signed: str = "") -> None:
        """Remember a call that got this error before any action was looked at."""
        arrival = Arrival(
            time=self.now(),
            request_id=self._request_ids(),
            region_id=parameters.get("RegionId", ""),
            action=action,
            parameters=parameters,
            signed=signed,
        )
        self._log.add(arrival.answered(error))

    def _perform(self, arrival: Arrival, act: Act) -> dict[str, Any]:
        with self._lock:
            disturbance = self._script.disturb(
                arrival.action, arrival.region_id, arrival.parameters, arrival.time, arrival.account_id
            )
        if disturbance.delay_before:
            self._sleep(disturbance.delay_before)
        if disturbance.failure and not disturbance.after:
            raise disturbance.failure.error()
        outcome: dict[str, Any] | ApiError
        with self._lock:
            try:
                outcome = act(self.now(), arrival.request_id, disturbance.aftermath)
            except ApiError as refusal:
                outcome = refusal
        if disturbance.delay_after:
            self._sleep(disturbance.delay_after)
        if disturbance.failure:
            raise disturbance.failure.error()
        if isinstance(outcome, ApiError):
            raise outcome
        for spelling in disturbance.spellings:
            outcome = spelling.respell(outcome)
        return outcome

    def _region(self, account_id: str, parameters: Parameters) -> str:
        """Return the region that the call is about: the one it names, else its instance's; empty: none."""
        if parameters.get("RegionId"):
            return parameters["RegionId"]
        with self._lock:
            instance = self._accounts[account_id].find(parameters.get("InstanceId", ""))
        return instance.profile.region_id if instance else ""


def _ignored(action: str, parameters: Parameters) -> tuple[str, ...]:
    """Return the parameters that the action doesn't document and that change nothing, as with ECS."""
    if action in ACTIONS:
        return ignored(action, parameters, ACTIONS[action].parameters)
    return ignored(action, parameters, SERVED[action]) if action in SERVED else ()
