"""Faults as text, the way the command line takes them."""

import json
import math
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import NoReturn

from local.api.error_table import error_row
from local.api.names import INSTANCE_ID, INVOKE_FUNCTION, STS_ACTIONS
from local.api.parameters import excerpt
from local.emulator.actions.registry import ACTIONS
from local.emulator.faults import GARBAGE, HTML, Delay, Effect, Failure, Fault, Quota, Reset
from local.emulator.lifecycle import RUNNING, STARTING, STOPPED, STOPPING, Aftermath
from local.emulator.spelling import Numbers, Shown, Tokens

_ACCOUNT = "account"
_WHEN = ("when", _ACCOUNT)
_OPTIONS: Mapping[str, tuple[str, ...]] = {
    "html": ("status", *_WHEN),
    "garbage": _WHEN,
    "reset": _WHEN,
    "delay": ("seconds", *_WHEN),
    "quota": ("per-minute", _ACCOUNT),
    "stuck": ("status", _ACCOUNT),
    "stale": ("seconds", _ACCOUNT),
    "numbers": (_ACCOUNT,),
    "tokens": (_ACCOUNT,),
    "shown": ("instance", "name", "value", _ACCOUNT),
}
_PLAIN: Mapping[str, Effect] = {
    "garbage": GARBAGE,
    "reset": Reset(),
    "numbers": Numbers(),
    "tokens": Tokens(),
}
_REST = ("message", "value")
"""Options that take the rest of the text."""

_STATUSES = (STOPPING, RUNNING, STARTING, STOPPED)
_ERROR_OPTIONS = ("status", "message", "retry-after", *_WHEN)
_ACCOUNT_ID = re.compile("[0-9]{16}")
_CODE = re.compile(r"[A-Z][A-Za-z0-9]*(\.[A-Za-z0-9]+)*")
_CALLS = re.compile(r"([0-9]{1,9})(-([0-9]{1,9})?)?")


OTHERS = (*STS_ACTIONS, INVOKE_FUNCTION)
"""The actions that aren't ECS's."""


class InvalidFault(ValueError):  # noqa: N818 - what is wrong is the fault's text, and the message says how
    """The text of a fault can't be understood; the message says what is wrong with which part."""


def parse_fault(text: str) -> Fault:
    """Read a fault from `ACTION[:CALLS][:INSTANCE_ID]=FAULT[,OPTION=VALUE]…`, or raise InvalidFault.

    ACTION: an action's name, or `*`. INSTANCE_ID: only calls that name this instance. CALLS: which of those
    calls, counted from 1: `2`, `2-4`, `2-`; all if left out. FAULT, with its options:

        CODE      ECS answers this error; status=, message= (takes the rest of the text) if not the known
                  ones, retry-after= (milliseconds, sent as x-acs-retry-after), when=
        html      a proxy's HTML page instead; status= (502), when=
        garbage   status 200 with a body that isn't JSON; when=
        reset     the connection is reset; when=
        delay     the call takes seconds= longer; when=
        quota     more than per-minute= such calls in a minute of the clock get Throttling.User
        stuck     a stop or start is accepted, but the instance keeps status= (Stopping; or Running,
                  Starting, Stopped)
        stale     for seconds= after a stop or start, reads show what the instance was before
        numbers   StopInstances answers `Code` as a number, as its sample does
        tokens    each page of DescribeInstances that holds something has a NextToken, as its sample has
        shown     DescribeInstances shows the field name= of instance= as value= (JSON; the rest of the text)

    when=before (the default): before the call takes effect; when=after: once it has.
    account=, with any of them: only calls in this account, or that assume a role of it, meet the fault and
    are counted.

        StopInstance:2=InternalError
        StopInstance:1-3=Throttling.User,retry-after=500
        StopInstance:i-bp67acfmxazb4ph001=reset,when=after
        *=delay,seconds=2
        AssumeRole=NoPermission,account=2345678901234567
    """
    target, found, rest = text.partition("=")
    if not found:
        _refuse(text, "it has no =, expected ACTION[:CALLS][:INSTANCE_ID]=FAULT, as in StopInstance:2=reset")
    word, _, options = rest.partition(",")
    action, *narrowings = target.split(":")
    if action not in ("*", *ACTIONS, *OTHERS):
        known = ", ".join((*ACTIONS, *OTHERS))
        _refuse(text, f"unknown action {excerpt(action)}, expected * or one of {known}")
    given = _options(text, word, options)
    when = given.pop("when", "before")
    if when not in ("before", "after"):
        _refuse(text, f"when={when}, expected before or after")
    account_id = given.pop(_ACCOUNT, None)
    if account_id is not None and _ACCOUNT_ID.fullmatch(account_id) is None:
        _refuse(text, f"account={excerpt(account_id)}, expected the 16 digits of an account's id")
    effect = _effect(text, word, given)
    changes = tuple(name for name, known in ACTIONS.items() if known.changes_state)
    if isinstance(effect, Aftermath) and action not in ("*", *changes):
        _refuse(text, f"{word} goes with a stop or start: {', '.join(changes)}")
    first, last, instance_id = 1, None, None
    for narrowing in narrowings:
        calls = _CALLS.fullmatch(narrowing)
        if calls is not None:
            first = int(calls[1])
            last = first if calls[2] is None else int(calls[3]) if calls[3] else None
            if first < 1 or (last is not None and last < first):
                _refuse(text, f"calls {excerpt(narrowing)}, expected such as 2, 2-4 or 2-, counted from 1")
        elif INSTANCE_ID.fullmatch(narrowing):
            instance_id = narrowing
        else:
            _refuse(text, f"{excerpt(narrowing)} is neither an instance id nor calls such as 2, 2-4 or 2-")
    return Fault(
        effect=effect,
        action=action,
        instance_id=instance_id,
        account_id=account_id,
        first=first,
        last=last,
        after=when == "after",
    )


def _options(text: str, word: str, options: str) -> dict[str, str]:
    if word not in _OPTIONS and _CODE.fullmatch(word) is None:
        words = ", ".join(_OPTIONS)
        _refuse(text, f"unknown fault {excerpt(word)}, expected {words}, or an error code as InternalError")
    known = _OPTIONS.get(word, _ERROR_OPTIONS)
    given: dict[str, str] = {}
    while options:
        name, found, rest = options.partition("=")
        if not found or name not in known:
            _refuse(text, f"{word} has no option {excerpt(name)}, it takes {', '.join(known)}")
        given[name], _, options = (rest, "", "") if name in _REST else rest.partition(",")
    return given


def _effect(text: str, word: str, given: dict[str, str]) -> Effect:
    if word in _PLAIN:
        return _PLAIN[word]
    match word:
        case "html":
            return (
                replace(HTML, status=_whole(text, given, "status", 200, 599)) if "status" in given else HTML
            )
        case "delay":
            return Delay(_seconds(text, word, given))
        case "quota":
            return Quota(_whole(text, given, "per-minute", 0, 10**9))
        case "stuck":
            stuck = given.get("status", STOPPING)
            if stuck not in _STATUSES:
                _refuse(text, f"status={excerpt(stuck)}, expected {', '.join(_STATUSES)}")
            return Aftermath(stuck=stuck)
        case "stale":
            return Aftermath(stale_seconds=_seconds(text, word, given))
        case "shown":
            return _shown(text, given)
    status = _whole(text, given, "status", 400, 599) if "status" in given else None
    retry_after = _whole(text, given, "retry-after", 0, 10**9) if "retry-after" in given else None
    try:
        row = error_row(word, given.get("message"), status)
    except ValueError as error:
        _refuse(text, str(error))
    return Failure(row=row, retry_after_ms=retry_after)


def _shown(text: str, given: dict[str, str]) -> Shown:
    missing = [name for name in ("instance", "name", "value") if not given.get(name)]
    if missing:
        _refuse(text, f"shown needs {missing[0]}=")
    try:
        value = json.loads(given["value"])
    except ValueError:
        _refuse(text, f"value={excerpt(given['value'])}, expected JSON such as null or []")
    return Shown(instance_id=given["instance"], name=given["name"], value=value)


def _whole(text: str, given: dict[str, str], name: str, least: int, most: int) -> int:
    value = given.get(name, "")
    if not (value.isascii() and value.isdigit() and len(value) <= 10 and least <= int(value) <= most):  # noqa: PLR2004 - as long as 10**9
        _refuse(text, f"{name}={excerpt(value)}, expected a whole number from {least} to {most}")
    return int(value)


def _seconds(text: str, word: str, given: dict[str, str]) -> float:
    value = given.get("seconds", "")
    try:
        seconds = float(value)
    except ValueError:
        seconds = math.nan
    if not 0 <= seconds < math.inf:
        _refuse(text, f"{word} needs seconds=, a number such as 2.5, not {excerpt(value)}")
    return seconds


def _refuse(text: str, problem: str) -> NoReturn:
    raise InvalidFault(f"fault {excerpt(text)}: {problem}")
