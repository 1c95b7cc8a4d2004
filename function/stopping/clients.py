"""The accounts that a run reaches: its own, and those whose roles the events name."""

from collections.abc import Mapping, Sequence
from dataclasses import field

from function.model.credentials import Credentials
from function.model.frozen import frozen
from function.model.ports import ASSUME_ROLE, Ecs, Sts
from function.model.scope import Scope
from function.stopping.calls import Call, Caller, CallFailure
from function.stopping.context import InvocationContext


@frozen
class Clients:
    """The ECS of each scope, or why there is none."""

    ecs: Mapping[Scope, Ecs] = field(default_factory=dict)
    failures: Mapping[Scope, CallFailure] = field(default_factory=dict)


def open_clients(scopes: Sequence[Scope], context: InvocationContext, caller: Caller) -> Clients:
    """Assume each role once, and connect to ECS at each scope; a role that fails spoils no other."""
    settings = context.settings
    role_arns = dict.fromkeys(scope.role_arn for scope in scopes if scope.role_arn is not None)
    keys: dict[str | None, Credentials | CallFailure] = {None: context.credentials}
    sts = context.ports.connect_sts(
        context.own.region_id, context.credentials, endpoint=settings.sts_endpoint
    )
    assumptions = [_assumption(role_arn, sts, context.own, caller) for role_arn in role_arns]
    for call, answer in caller.until_answered(assumptions):
        keys[call.subject] = answer
    ecs: dict[Scope, Ecs] = {}
    failures: dict[Scope, CallFailure] = {}
    for scope in scopes:
        key = keys[scope.role_arn]
        if isinstance(key, CallFailure):
            failures[scope] = key
        else:
            ecs[scope] = context.ports.connect_ecs(
                scope.region_id, key, endpoint=settings.ecs_endpoint, connections=settings.concurrency
            )
    return Clients(ecs, failures)


def _assumption(role_arn: str, sts: Sts, own: Scope, caller: Caller) -> Call[str, Credentials]:
    def send(seconds: float) -> Credentials:
        return sts.assume_role(role_arn, lasting=caller.throttle.seconds_left(), seconds=seconds)

    return Call(action=ASSUME_ROLE, scope=own, subject=role_arn, send=send)
