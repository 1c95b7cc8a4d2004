"""The calls that the local cloud remembers: what came, in which account, and what was answered."""

import threading
from collections import deque
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from local.api.api_error import ApiError, BrokenAnswer, CallOfError, ConnectionLost
from local.api.parameters import COMMON, Parameters
from local.emulator.sessions import USER_NAME, without_secrets

Outcome = dict[str, Any] | ApiError | BrokenAnswer | ConnectionLost
"""What became of a call: its answer, an error, something that isn't the API's, or nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedCall:
    """A call as the local ECS remembers it, without secrets; `parameters` are those of the action itself.

    `account_id`: whose account it acted in; empty where the caller wasn't let in.
    `status`, `code`: of the answer; code is empty where it went well, status 0 where no answer went out.
    `answer`: its body; empty where it was none of the API's. `signed`: the text that the client had to sign.
    `ignored`: the parameters that the action doesn't document, which changed nothing.
    """

    time: datetime
    account_id: str
    action: str
    parameters: Parameters
    status: int
    code: str
    answer: dict[str, Any]
    signed: str
    ignored: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """A call that came and isn't answered yet. `success`: the status of an answer that is no error.

    `account_id`: empty where the caller wasn't let in. `session`: the role's session that called, empty: a
    user. `region_id`: the region that it is about, empty where there is none.
    """

    time: datetime
    request_id: str
    region_id: str
    action: str
    parameters: Parameters
    signed: str
    account_id: str = ""
    session: str = ""
    success: int = 200
    ignored: tuple[str, ...] = ()

    def answered(self, outcome: Outcome) -> ReceivedCall:
        """Return the call as it is remembered once this became of it; an error learns what it answers."""
        status, code, answer = 0, "", {}
        match outcome:
            case dict():
                status, answer = self.success, without_secrets(outcome)
            case ApiError():
                outcome.request_id = self.request_id
                outcome.call = CallOfError(
                    self.action, self.region_id, self.account_id, self.session or USER_NAME
                )
                status, code, answer = outcome.status, outcome.code, outcome.body()
                answer["Message"] = outcome.message
            case BrokenAnswer():
                status = outcome.status
        return ReceivedCall(
            time=self.time,
            account_id=self.account_id,
            action=self.action,
            parameters={name: value for name, value in self.parameters.items() if name not in COMMON},
            status=status,
            code=code,
            answer=answer,
            signed=self.signed,
            ignored=self.ignored,
        )


class CallLog:
    """The last calls, in the order in which they were answered; for several threads at once."""

    def __init__(self, remember: int) -> None:
        self._calls: deque[ReceivedCall] = deque(maxlen=remember)
        self._lock = threading.Lock()

    def add(self, call: ReceivedCall) -> None:
        """Remember a call; the oldest is forgotten where there are too many."""
        with self._lock:
            self._calls.append(call)

    def clear(self) -> None:
        """Forget all calls."""
        with self._lock:
            self._calls.clear()

    def calls(self) -> tuple[ReceivedCall, ...]:
        """Return the calls, oldest first."""
        with self._lock:
            return tuple(self._calls)
