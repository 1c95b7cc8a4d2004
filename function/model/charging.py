"""Whether a stopped instance goes on being charged for its vCPUs and memory, and what it keeps.

ECS help, "Economical mode": StopCharging gives back vCPUs, memory and a public IP address that is no Elastic
IP, and only disks and Elastic IPs are charged; KeepCharging keeps and charges all. It is for pay-as-you-go
instances in a VPC; where it can't apply, DescribeInstances shows `Not-applicable`.
"""

from collections.abc import Iterator
from dataclasses import replace

from function.model.outcome import Outcome, Status
from function.model.request import StoppedMode

CHARGED = "on being charged"
"""How messages and the summary end that tell of it."""

LOSES_ADDRESS = "it gives back its public IP address"
"""How the warning of a plan begins."""

_DOWN = frozenset({Status.STOPPED, Status.STOPPING, Status.WOULD_STOP, Status.ALREADY_STOPPED})


def goes_on_charging(outcome: Outcome) -> bool:
    """Whether an instance is paid for by use, and is, or will be, stopped without an end to that."""
    mode = outcome.stopped_mode.actual or outcome.stopped_mode.expected
    return (
        outcome.status in _DOWN
        and mode not in {None, StoppedMode.STOP_CHARGING}
        and outcome.instance is not None
        and outcome.instance.instance_charge_type == "PostPaid"
    )


def with_charging(outcome: Outcome) -> Outcome:
    """Say that an instance goes on being charged, and warn where that, or what it keeps, is not as asked."""
    verb = "would go" if outcome.status is Status.WOULD_STOP else "goes"
    but = ", but" if outcome.status is Status.ALREADY_STOPPED else ";"
    charged = f"{but} it {verb} {CHARGED}" if goes_on_charging(outcome) else ""
    return replace(
        outcome,
        message=f"{outcome.message}{charged}",
        warnings=(*outcome.warnings, *_warnings(outcome)),
    )


def _warnings(outcome: Outcome) -> Iterator[str]:
    mode, instance = outcome.stopped_mode, outcome.instance
    if outcome.status is Status.STOPPED and not _reached(mode.expected, mode.actual):
        yield f"StoppedMode: {mode.expected} was expected, ECS shows {mode.actual}"
    asked_to_save = mode.requested is StoppedMode.STOP_CHARGING
    if outcome.status is Status.ALREADY_STOPPED and asked_to_save and goes_on_charging(outcome):
        yield (
            f"StoppedMode: {mode.requested} is asked for, ECS shows {mode.actual}; "
            "only a running instance can be stopped with StopCharging, so start it first"
        )
    loses_address = outcome.status is Status.WOULD_STOP and mode.expected is StoppedMode.STOP_CHARGING
    if loses_address and instance is not None and instance.has_public_ip:
        yield f"{LOSES_ADDRESS} and gets another when started; an Elastic IP would stay"


def _reached(expected: StoppedMode | None, actual: str | None) -> bool:
    """Compare with DescribeInstances' StoppedMode; `Not-applicable` is how it says that billing goes on."""
    return actual in {None, expected} or (
        expected is StoppedMode.KEEP_CHARGING and actual == "Not-applicable"
    )
