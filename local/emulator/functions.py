"""FC's asynchronous side: a queue of events, their retries, and the records that destinations get."""

import json
import re
import traceback
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from local.api.error_table import ApiError, entity_too_large, invalid_argument, unknown_function
from local.emulator.account import DEFAULT_ACCOUNT
from local.emulator.fleet import DEFAULT_REGION

MAX_PAYLOAD = 128 << 10
"""Bytes of an asynchronous invocation's event."""

_TASK_ID = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,127}")

DestinationRecord = dict[str, Any]
"""What a destination gets: the body that FC documents, requestPayload and responsePayload as text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came of an invocation: what the handler returned, or the exception that left it."""

    returned: Mapping[str, object] | None = None
    error: Exception | None = None

    @property
    def payload(self) -> Mapping[str, object]:
        """The response body: an exception as FC shows it."""
        if self.error is None:
            return self.returned or {}
        return {
            "errorMessage": str(self.error),
            "errorType": type(self.error).__name__,
            "stackTrace": traceback.format_tb(self.error.__traceback__),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Invocation:
    """An event that was accepted and waits for its function."""

    request_id: str
    time: datetime
    event: bytes


class LocalFunctions:
    """One function, invoked asynchronously. Nothing runs by itself: `deliver` does what FC does in its time.

    `name`: others aren't there.
    `max_async_retry_attempts`: how often an event is tried again whose invocation raised, from 0 to 8.
    `on_success`, `on_failure`: what the destinations got so far.
    """

    def __init__(self, *, name: str = "stop-guard", max_async_retry_attempts: int = 3) -> None:
        self.name = name
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
        if name != self.name:
            raise unknown_function(name)
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
        problem = "" if answer.error is None else "UnhandledInvocationError"
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
            "responsePayload": json.dumps(answer.payload, ensure_ascii=False),
        }
        return record, answer.error is None
