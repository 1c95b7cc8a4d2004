"""The accounts that a run reaches: its own, and those whose roles the events name."""

from collections.abc import Sequence

from function.calls import Call, Caller
from function.credentials import Credentials
from function.ecs import Ecs
from function.find import Trouble, Ways
from function.site import Site
from function.sts import ASSUME_ROLE
from function.surroundings import Surroundings


def reach(sites: Sequence[Site], around: Surroundings, caller: Caller) -> Ways:
    """Assume each role once, and connect to ECS at each site; a role that fails spoils no other."""
    role_arns = dict.fromkeys(site.role_arn for site in sites if site.role_arn is not None)
    keys: dict[str | None, Credentials | Trouble] = {None: around.credentials}
    for call, answer in caller.until_answered([_assumption(role_arn, around) for role_arn in role_arns]):
        keys[call.subject] = answer
    ecs: dict[Site, Ecs] = {}
    troubles: dict[Site, Trouble] = {}
    for site in sites:
        key = keys[site.role_arn]
        if isinstance(key, Trouble):
            troubles[site] = key
        else:
            settings = around.settings
            ecs[site] = around.effects.connect(
                site.region_id, key, endpoint=settings.ecs_endpoint, connections=settings.concurrency
            )
    return Ways(ecs.__getitem__, troubles)


def _assumption(role_arn: str, around: Surroundings) -> Call[str, Credentials]:
    def send(seconds: float) -> Credentials:
        return around.effects.assume_role(
            role_arn,
            around.credentials,
            region_id=around.own.region_id,
            endpoint=around.settings.sts_endpoint,
            lasting=around.deadline - around.effects.clock.monotonic(),
            seconds=seconds,
        )

    return Call(action=ASSUME_ROLE, site=around.own, subject=role_arn, send=send)
