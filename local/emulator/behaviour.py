"""How the local ECS behaves where ECS's documents leave it open, disagree, or name a limit."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Behaviour:
    """How the local ECS behaves; an instance's x-emulator may say otherwise.

    `stop_seconds`, `start_seconds`: how long an instance stays Stopping, Starting.
    `stop_charging`: asked for where it can't apply, `reject` it, as StopInstance's error table has it, or be
    `lenient`: stop without an error and charge on, as ECS does today (it does grant it to spot instances).
    `default_stopped_mode`: of a call that names none; StopCharging where the account has enabled "No fees
    for stopped instances".
    `filter_limit`: DescribeInstances' filters by tags and resource group hold for at most 1,000 matching
    instances (the request model of its SDK); beyond, `refuse` the call or `cut` the answer off there; which
    of the two is not published. None: no limit.
    """

    stop_seconds: float = 2.0
    start_seconds: float = 2.0
    stop_charging: Literal["reject", "lenient"] = "reject"
    default_stopped_mode: str = "KeepCharging"
    filter_limit: Literal["refuse", "cut"] | None = None
