"""What Function Compute would refuse, or take otherwise than it reads, beyond what the published schema says.

Numbers: FC's pages on limits and on instance specifications (help/en/functioncompute/fc/product-overview).
"""

import json
import math
import re
from collections.abc import Iterator, Mapping
from decimal import Decimal

from local.template.problem import Path, Problem, is_unresolved

MAX_VARIABLES = 4096
"""Bytes of all environment variables together, names and values."""

_RESERVED = ("FC_", "ALIBABA_CLOUD_ACCESS_KEY", "ALIBABA_CLOUD_SECURITY_TOKEN")
_RANGES = {"timeout": (1, 86_400), "instanceConcurrency": (1, 200), "memorySize": (128, 32_768)}
_DISKS = (512, 10_240)
"""diskSize in MB: FC has these two."""
_STEP = Decimal("0.05")
_NAMES = {
    ("functionName",): (r"[A-Za-z_][A-Za-z0-9_-]{0,63}", "letters, digits, - and _, 64 at most"),
    ("logConfig", "project"): (
        r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]",
        "3 to 63 lower-case letters, digits and -",
    ),
    ("logConfig", "logstore"): (
        r"[a-z0-9][a-z0-9_-]{0,61}[a-z0-9]",
        "2 to 63 lower-case letters, digits, - and _",
    ),
    ("role",): (
        r"[a-z0-9.-]{1,64}|acs:ram::[0-9]+:role/[A-Za-z0-9.-]{1,64}",
        "the name of a role in lower case, as Serverless Devs makes it, or acs:ram::ACCOUNT:role/NAME",
    ),
    ("asyncInvokeConfig", "destinationConfig", "onFailure", "destination"): (
        r"acs:(mns:[a-z0-9-]*:[0-9]*:/(queues|topics)/[^/\s]+/messages|(?!mns:)[a-z]+:[a-z0-9-]*:[0-9]*:\S+)",
        "acs:mns:REGION:ACCOUNT:/queues/NAME/messages",
    ),
}
_NAMES["asyncInvokeConfig", "destinationConfig", "onSuccess", "destination"] = _NAMES[
    "asyncInvokeConfig", "destinationConfig", "onFailure", "destination"
]
_WORDS: dict[tuple[str, ...], tuple[str, ...]] = {
    ("runOptions", "errorsTolerance"): ("ALL", "NONE"),
    ("runOptions", "retryStrategy", "PushRetryStrategy"): ("BACKOFF_RETRY", "EXPONENTIAL_DECAY_RETRY"),
    ("eventSinkConfig", "deliveryOption", "eventSchema"): ("CloudEvents", "RawData"),
}
"""What EventBridge's pages name, and the published schema does not."""
_TRIGGER_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,127}")


def limits(props: Mapping[str, object], path: Path) -> Iterator[Problem]:
    """Find what FC does not take."""
    for name, (least, most) in _RANGES.items():
        value = props.get(name)
        if isinstance(value, int) and not least <= value <= most:
            yield Problem((*path, name), f"{name} is {value}; FC takes {least} to {most}")
    if isinstance(props.get("diskSize"), int) and props["diskSize"] not in _DISKS:
        yield Problem((*path, "diskSize"), f"diskSize is {props['diskSize']}; FC takes 512 or 10240")
    initializer = _at(props, ("instanceLifecycleConfig", "initializer", "timeout"))
    if isinstance(initializer, int) and not 1 <= initializer <= 300:  # noqa: PLR2004 - as the message says
        where = (*path, "instanceLifecycleConfig", "initializer", "timeout")
        yield Problem(where, f"the initializer's timeout is {initializer}; FC takes 1 to 300")
    yield from _size(props, path)
    yield from _names(props, path)
    yield from _variables(props.get("environmentVariables"), (*path, "environmentVariables"))
    yield from _triggers(props.get("triggers"), (*path, "triggers"))


def _size(props: Mapping[str, object], path: Path) -> Iterator[Problem]:
    """Judge `cpu` with `memorySize`: from 1 to 4 GB for each vCPU, vCPUs in steps of 0.05."""
    memory, cpu = props.get("memorySize", 512), props.get("cpu")
    if not isinstance(memory, int) or isinstance(cpu, str):
        return
    least = max(_STEP, Decimal(math.ceil(Decimal(memory) / 4096 / _STEP)) * _STEP)
    most = min(Decimal(16), Decimal(math.floor(Decimal(memory) / 1024 / _STEP)) * _STEP)
    right = f"with memorySize {memory} FC takes cpu {least} to {most} in steps of {_STEP}"
    if cpu is None:
        if memory != 512:  # noqa: PLR2004 - the one size for which Serverless Devs fills cpu in
            yield Problem((*path, "memorySize"), f"cpu is missing; {right}")
        return
    if isinstance(cpu, int | float):
        exact = Decimal(str(cpu))
        if not least <= exact <= most or exact % _STEP:
            yield Problem((*path, "cpu"), f"cpu is {cpu}; {right}")


def _names(props: Mapping[str, object], path: Path) -> Iterator[Problem]:
    for below, (pattern, right) in _NAMES.items():
        value = _at(props, below)
        if isinstance(value, str) and "${" not in value and not re.fullmatch(pattern, value):
            yield Problem((*path, *below), f"{'.'.join(below)} is {value[:100]!r}; it must be {right}")


def _variables(variables: object, path: Path) -> Iterator[Problem]:
    if not isinstance(variables, dict):
        return
    size = 0
    for name, value in variables.items():
        if not isinstance(value, str):
            text = str(value).lower() if isinstance(value, bool) else "" if value is None else value
            yield Problem((*path, name), f'{name} is no text, which every variable must be: write "{text}"')
        if name.startswith(_RESERVED):
            yield Problem((*path, name), f"{name} is set by FC itself; remove it")
        size += len(name.encode()) + len(str(value).encode())
    if size > MAX_VARIABLES:
        yield Problem(path, f"the variables have {size:,} bytes together; FC takes {MAX_VARIABLES:,}")


def _triggers(triggers: object, path: Path) -> Iterator[Problem]:
    first: dict[str, int] = {}
    for index, trigger in enumerate(triggers) if isinstance(triggers, list) else ():
        name = trigger.get("triggerName") if isinstance(trigger, dict) else None
        if not isinstance(name, str):
            continue
        where = (*path, index, "triggerName")
        if "${" not in name and not _TRIGGER_NAME.fullmatch(name):
            yield Problem(
                where, f"triggerName is {name[:150]!r}; it must be letters, digits, - and _, 128 at most"
            )
        yield from _eventbridge(trigger.get("triggerConfig"), (*path, index, "triggerConfig"))
        if first.setdefault(name, index) != index:
            yield Problem(where, f"a second trigger is named {name!r}: it replaces the first without a word")


def _eventbridge(config: object, path: Path) -> Iterator[Problem]:
    """Judge what EventBridge would refuse; a trigger that is refused leaves asyncInvokeConfig unsent."""
    pattern = _at(config, ("eventRuleFilterPattern",))
    if isinstance(pattern, str) and not is_unresolved(pattern):
        try:
            json.loads(pattern)
        except ValueError:
            yield Problem((*path, "eventRuleFilterPattern"), "eventRuleFilterPattern is not JSON")
    for below, words in _WORDS.items():
        value = _at(config, below)
        if value is not None and not is_unresolved(value) and value not in words:
            yield Problem(
                (*path, *below), f"{below[-1]} is {str(value)[:100]!r}; it must be {' or '.join(words)}"
            )


def _at(value: object, path: Path) -> object:
    for step in path:
        value = value.get(step) if isinstance(value, dict) else None
    return value
