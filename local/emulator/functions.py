"""FC's asynchronous side: a queue of events, their retries, and the records that destinations get."""

import re
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from local.api.api_error import ApiError, entity_too_large, invalid_argument, unknown_function
from local.emulator.account import DEFAULT_ACCOUNT
from local.emulator.fleet import DEFAULT_REGION
from local.emulator.invocations import UNHANDLED, Answer, Invoke

MAX_PAYLOAD = 128 << 10
"""Bytes of an asynchronous invocation's event."""

_TASK_ID = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,127}")

DestinationRecord = dict[str, Any]
"""What a destination gets: the body that FC documents, requestPayload and responsePayload as text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Invocation:
    """An event that was accepted and waits for its function."""

    request_id: str
    time: datetime
    event: bytes


class LocalFunctions:
    """One function. Its queue doesn't run by itself: `deliver` does what FC does in its time.

    `name`: others aren't there.
    `max_async_retry_attempts`: how often an event is tried again whose invocation raised, from 0 to 8.
    `invoke`: runs it for a sender who waits for the answer; without it only asynchronous events are taken.
    `on_success`, `on_failure`: what the destinations got so far.
    """

    def __init__(
        self,
        *,
        name: str = "stop-guard",
        max_async_retry_attempts: int = 3,
        invoke: Invoke | None = None,
    ) -> None:
        self.name = name
        self.invoke = invoke
        self.on_success: list[DestinationRecord] = []
        self.on_failure: list[DestinationRecord] = []
        self._attempts = 1 + max_async_retry_attempts
        self._queue: deque[Invocation] = deque()
        self._task_ids: set[str] = set()

    @property
    def waiting(self) -> tuple[Invocation, ...]:
        """The invocations that were accepted and not yet delivered, oldest first."""
        return tuple(self._queue)

    def accept(self, name: str, invocation: Invocation, task_id: str | None = None) -> None:
        """Put an event into the queue, or raise ApiError.

        `task_id`: FC takes each once and refuses it from then on (its page on task deduplication), whatever
        came of the first. Not for several threads at once.
        """
        self._check_name(name)
        if len(invocation.event) > MAX_PAYLOAD:
            raise entity_too_large(MAX_PAYLOAD)
        if task_id is not None:
            if _TASK_ID.fullmatch(task_id) is None:
                raise invalid_argument(f"async task id {task_id[:200]!r} is not valid")
            if task_id in self._task_ids:
                raise ApiError(
                    409, "StatefulAsyncInvocationAlreadyExists", f"invocation '{task_id}' already exists"
                )
            self._task_ids.add(task_id)
        self._queue.append(invocation)

    def admit(self, name: str) -> None:
        """Let a synchronous invocation in, or raise ApiError."""
        self._check_name(name)
        if self.invoke is None:
            raise invalid_argument("only X-Fc-Invocation-Type: Async is played here")

    def _check_name(self, name: str) -> None:
        if name != self.name:
            raise unknown_function(name)

    def deliver(self, invoke: Callable[[bytes], Answer]) -> tuple[DestinationRecord, ...]:
        """Invoke the function for each event, one after the other, until none is left; return their records.

        `invoke`: calls the function as FC does, `FunctionCompute.invoke`. Events that an invocation adds are
        delivered too. An event whose invocation raises is tried again at once, where FC waits in between.
        """
        records = []
        while self._queue:
            record, succeeded = self._delivered(self._queue.popleft(), invoke)
            (self.on_success if succeeded else self.on_failure).append(record)
            records.append(record)
        return tuple(records)

    def _delivered(
        self, invocation: Invocation, invoke: Callable[[bytes], Answer]
    ) -> tuple[DestinationRecord, bool]:
        attempts, answer = 1, invoke(invocation.event)
        while answer.error is not None and attempts < self._attempts:
            attempts, answer = attempts + 1, invoke(invocation.event)
        problem = "" if answer.error is None else UNHANDLED
        record = {
            "timestamp": int(invocation.time.timestamp() * 1000),
            "requestContext": {
                "requestId": invocation.request_id,
                "functionArn": f"acs:fc:{DEFAULT_REGION}:{DEFAULT_ACCOUNT}:functions/{self.name}",
                "condition": problem,
                "approximateInvokeCount": attempts,
            },
            "requestPayload": invocation.event.decode(errors="replace"),
            "responseContext": {"statusCode": 200, "functionError": problem},
            "responsePayload": answer.text,
        }
        return record, answer.error is None
