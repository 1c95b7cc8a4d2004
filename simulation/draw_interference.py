"""What comes in the way on a bad day: faults, weather, a wrong clock, and other people."""

from collections.abc import Mapping, Sequence
from random import Random
from typing import Any

from local.api.error_table import error_row
from local.emulator.faults import GARBAGE, HTML, Failure, Fault, Quota, Reset
from local.emulator.lifecycle import Aftermath
from simulation.draw_fleet import HOUR, LOCKS, draw_keep_until
from simulation.machine import WallClock
from simulation.recording import UNLISTED
from simulation.scenario import MANAGED_TAGS, Limits, Meddling, Weather

ACTIONS = (
    "*",
    "StopInstance",
    "StopInstance",
    "StopInstance",
    "StopInstances",
    "StopInstances",
    "DescribeInstances",
    "DescribeInstances",
    "DescribeInstanceTypes",
    "AssumeRole",
    "InvokeFunction",
)
CODES = (
    *("InternalError", "InternalError", "ServiceUnavailable", "LimitedOperation.ServiceUnavailable"),
    *("Throttling.User", "Throttling", "Throttling.Api", "InvalidOperation.Conflict", "InstanceNotReady"),
    *(
        "OperationConflict",
        "LastTokenProcessing",
        "SystemBusy",
        "UnknownError",
        "ServiceUnavailable.RegionMaintaining",
    ),
    *("IncorrectInstanceStatus", "DiskError", "InvalidInstanceId.NotSupport", "InstanceLockedForSecurity"),
    *("Forbidden.RAM", "NoPermission", "InvalidSecurityToken.Expired", UNLISTED),
    *("OperationDenied.SystemInstanceNotSupport", "InstanceExpiredOrInArrears", "SignatureNonceUsed"),
)
# Those after which the effect may have come all the same; the others say that nothing was done.
PERHAPS_DONE = ("InternalError", "ServiceUnavailable", "LimitedOperation.ServiceUnavailable", UNLISTED)


def draw_weather(random: Random) -> Weather:
    """Draw what the way to ECS is like; each half of the time only."""

    def sometimes(*choices: float) -> float:
        return random.choice(choices) if random.random() < 0.5 else 0.0

    return Weather(
        latencies=random.choice(
            ((0.02, 0.05, 0.1), (0.0,), (0.5, 1.0, 1.0, 3.0), (0.05, 0.05, 6.0, 11.0), (0.1, 0.1, 0.1, 30.0))
        ),
        no_connection=sometimes(0.02, 0.05, 0.3),
        lost=sometimes(0.02, 0.1, 0.3, 0.7),
        late=sometimes(0.05, 0.2),
        late_stop=sometimes(0.2, 0.6),
        late_seconds=random.choice((12.0, 60.0, 300.0)),
    )


def draw_faults(random: Random, fleet: Sequence[Mapping[str, Any]]) -> list[Fault]:
    """Draw one to three faults, of any call or of one instance's."""
    faults = []
    for _ in range(random.choice((1, 1, 2, 3))):
        first = random.choice((1, 1, 1, 2, 3, 5))
        last = random.choice((first, first, first + 1, first + 4, None))
        instance_id = random.choice(fleet)["InstanceId"] if random.random() < 0.2 else None
        match random.randrange(8):
            case 0 | 1 | 2:
                code = random.choice(CODES)
                effect: Any = Failure(
                    row=error_row(code, status=403),
                    retry_after_ms=random.choice((None, None, 0, 500, 2000, 70000)),
                )
                after = code in PERHAPS_DONE and random.random() < 0.4
            case 3:
                effect, after = Reset(), random.random() < 0.6
            case 4:
                effect, after = random.choice((HTML, GARBAGE)), random.random() < 0.6
            case 5:
                effect, after = Quota(random.choice((0, 1, 2, 5, 10))), False
            case 6:
                effect, after = Aftermath(stuck=random.choice(("Running", "Stopping"))), False
            case _:
                effect, after = Aftermath(stale_seconds=random.choice((0.5, 3.0, 15.0, 100.0))), False
        faults.append(
            Fault(
                effect=effect,
                action=random.choice(ACTIONS),
                instance_id=instance_id,
                first=first,
                last=last,
                after=after,
            )
        )
    if any(fault.after for fault in faults) and random.random() < 0.5:  # done, not said, and not to be seen
        stale_seconds = random.choice((0.5, 3.0, 15.0, 100.0))
        faults.append(Fault(effect=Aftermath(stale_seconds=stale_seconds), action="StopInstance"))
    return faults


def draw_wall(random: Random) -> WallClock:
    """Draw how wrong the machine's clock is, and when it is set."""
    jumps = []
    if random.random() < 0.5:
        jumps = [
            (random.uniform(0, 90), random.choice((-HOUR, -70.0, -3.0, 3.0, 70.0, HOUR)))
            for _ in range(random.choice((1, 2)))
        ]
    return WallClock(
        skew=random.choice((*(0.0, 0.3, 2.0, -20.0, 45.0) * 3, 290.0, 400.0, -HOUR, 2 * HOUR)),
        jumps=sorted(jumps),
    )


def draw_meddlings(
    random: Random, fleet: Sequence[Mapping[str, Any]], limits: Limits, keep_until: dict[str, float]
) -> list[Meddling]:
    """Draw what other people do; what a keep-until tag means is noted in `keep_until`."""
    meddlings = []
    for _ in range(random.choice((1, 1, 2, 4, 8))):
        deed = random.choice(("start", "start", "stop", "stop", "lock", "unlock", "tag", "untag", "release"))
        word = ""
        if deed in {"lock", "unlock"}:
            word = random.choice(LOCKS)
        elif deed in {"tag", "untag"}:
            word = _tag(random, limits, keep_until)
        meddlings.append(
            Meddling(
                moment=round(random.uniform(0, random.choice((1, 5, 30, 200))), 2),
                instance_id=random.choice(fleet)["InstanceId"],
                deed=deed,
                word=word,
                stale=random.choice((0.0, 0.0, 2.0, 20.0)) if deed != "start" else 0.0,
            )
        )
    return meddlings


def _tag(random: Random, limits: Limits, keep_until: dict[str, float]) -> str:
    key, value = random.choice(
        (
            *limits.protected_tags,
            limits.required_tag or limits.protected_tags[0],
            ("env", "dev"),
            ("owned-by", None),
            (MANAGED_TAGS[0], None),
        )
    )
    if random.random() < 0.25:
        key = limits.keep_until_key
        value, keep_until[value] = draw_keep_until(random)
    return f"{key}={value or 'true'}"


def draw_fc_fault(random: Random) -> Fault:
    """Draw what may become of the call by which FC is to take a delivery over HTTP, the first of its kind."""
    code = random.choice(("ResourceExhausted", "FunctionNotFound", "AccessDenied", "InternalServerError"))
    effect = random.choice((Failure(row=error_row(code)), Failure(row=error_row(code)), Reset(), HTML))
    perhaps_done = code == "InternalServerError" or not isinstance(effect, Failure)
    after = perhaps_done and random.random() < 0.5
    return Fault(effect=effect, action="InvokeFunction", last=random.choice((1, 1, None)), after=after)
