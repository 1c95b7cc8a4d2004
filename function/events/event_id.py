"""The id under which an event is found again: its own, or a digest of it."""

import hashlib
import json

from function.events.json_reader import Node
from function.model.request import MAX_EVENT_ID

_DIGEST_LENGTH = 16
"""Hexadecimal digits, 64 bits: enough that no two events of an account have the same."""


def event_id(own: str | None, event: Node) -> str:
    """Give its own id, if it has one that can't spoil a log line; else a digest."""
    if not own:
        return digest_of(event)
    return own if len(own) <= MAX_EVENT_ID and own.isprintable() else digest(own.encode())


def digest_of(event: Node) -> str:
    """Give a digest of an event, the same however it is laid out."""
    return digest(json.dumps(event.value, sort_keys=True, separators=(",", ":")).encode())


def digest(body: bytes) -> str:
    """Give a digest of bytes."""
    return hashlib.sha256(body).hexdigest()[:_DIGEST_LENGTH]
