"""Faults on the command line: whether a rehearsal with them has rehearsed them."""

from collections import Counter
from collections.abc import Iterator, Sequence

from function.model.ports import STOP_INSTANCE, STOP_INSTANCES
from local.command_line.exit_codes import CommandError
from local.emulator.backend import LocalEcs
from local.emulator.fault_text import InvalidFault, parse_fault
from local.emulator.faults import Fault

_OTHER = {STOP_INSTANCE: STOP_INSTANCES, STOP_INSTANCES: STOP_INSTANCE}


def read_faults(texts: Sequence[str]) -> tuple[Fault, ...]:
    """Read them. Raise CommandError."""
    try:
        return tuple(map(parse_fault, texts))
    except InvalidFault as error:
        raise CommandError(f"--fault: {error}") from None


def not_drilled(texts: Sequence[str], faults: Sequence[Fault], ecs: LocalEcs) -> Iterator[str]:
    """Say of each fault that changed no call that it didn't, and what was called instead."""
    counts = Counter(call.action for call in ecs.calls)
    called = ", ".join(f"{action} {count:,} times" for action, count in counts.items()) or "nothing"
    for text, fault, changed in zip(texts, faults, ecs.changed_by_faults, strict=True):
        if changed:
            continue
        other = _OTHER.get(fault.action, "")
        hint = (
            f"; several instances are stopped together by {STOP_INSTANCES}, "
            f"one alone, or with local disks, by {STOP_INSTANCE}: try {text.replace(fault.action, other, 1)}"
            if counts[other] and not counts[fault.action]
            else ""
        )
        yield f"no call met the fault {text}, so this drill says nothing about it; called were {called}{hint}"
