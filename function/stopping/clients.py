"""The accounts that a run reaches: its own, and those whose roles the events name."""

from collections.abc import Sequence

from function.model.credentials import Credentials
from function.model.ports import ASSUME_ROLE, Ecs, Sts
from function.model.scope import Scope
from function.stopping.calls import Call, Caller
from function.stopping.context import InvocationContext
from function.stopping.inventory import CallFailure, Clients


def open_clients(scopes: Sequence[Scope], context: InvocationContext, caller: Caller) -> Clients:
    """Assume each role once, and connect to ECS at each scope; a role that fails spoils no other."""
    role_arns = dict.fromkeys(scope.role_arn for scope in scopes if scope.role_arn is not None)
    keys: dict[str | None, Credentials | CallFailure] = {None: context.credentials}
    sts = context.ports.connect_sts(
        context.own.region_id, context.credentials, endpoint=context.settings.sts_endpoint
    )
    assumptions = [_assumption(role_arn, sts, context) for role_arn in role_arns]
    for call, answer in caller.until_answered(assumptions):
        keys[call.subject] = answer
    ecs: dict[Scope, Ecs] = {}
    troubles: dict[Scope, CallFailure] = {}
    for scope in scopes:
        key = keys[scope.role_arn]
        if isinstance(key, CallFailure):
            troubles[scope] = key
        else:
            settings = context.settings
            ecs[scope] = context.ports.connect_ecs(
                scope.region_id, key, endpoint=settings.ecs_endpoint, connections=settings.concurrency
            )
    return Clients(ecs.__getitem__, troubles)


def _assumption(role_arn: str, sts: Sts, context: InvocationContext) -> Call[str, Credentials]:
    def send(seconds: float) -> Credentials:
        lasting = context.deadline - context.ports.clock.monotonic()
        return sts.assume_role(role_arn, lasting=lasting, seconds=seconds)

    return Call(action=ASSUME_ROLE, scope=context.own, subject=role_arn, send=send)
