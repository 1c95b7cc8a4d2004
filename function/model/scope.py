"""Where instances are: a region of an account, and the role through which another account is reached."""

import re

from function.model.frozen import frozen

_ROLE = "role/[0-9A-Za-z.-]{1,64}"

ROLE_ARN = re.compile(rf"acs:ram::(?P<account_id>[0-9]{{1,20}}):{_ROLE}")
"""A RAM role, as the RAM console shows it; names have up to 64 letters, digits, dots and hyphens."""

ROLE_ARN_IN_ANY_ACCOUNT = re.compile(rf"acs:ram::\*:{_ROLE}")
"""The roles of one name, whichever account they are in."""


@frozen(kw_only=True)
class Scope:
    """A region of an account. No `role_arn`: the function's own account, whose id may not be known."""

    region_id: str
    account_id: str | None = None
    role_arn: str | None = None

    def __str__(self) -> str:
        return self.region_id if self.role_arn is None else f"{self.region_id} of account {self.account_id}"


def make_scope(region_id: str, role_arn: str | None, own_account_id: str | None) -> Scope:
    """Make the scope of a region in the role's account, or in the function's own."""
    role = ROLE_ARN.fullmatch(role_arn) if role_arn is not None else None
    return Scope(
        region_id=region_id, account_id=role["account_id"] if role else own_account_id, role_arn=role_arn
    )


def in_any_account(role_arn: str) -> str:
    """Leave the account of a role's ARN open: `acs:ram::*:role/NAME`."""
    head, _, role = role_arn.rpartition(":")
    return f"{head.rpartition(':')[0]}:*:{role}"


QuotaKey = tuple[str, str, str | None]
"""An action, and the ids of a region and an account: what ECS counts together for a quota."""


def quota_key(action: str, scope: Scope) -> QuotaKey:
    """Say what a call counts for, by whichever role it is made."""
    return action, scope.region_id, scope.account_id


InstanceKey = tuple[str, str | None, str]
"""An instance: the ids of its region, its account and its own. Two roles can lead to the same one."""


def instance_key(scope: Scope, instance_id: str) -> InstanceKey:
    """Say which instance of all an id at a scope is."""
    return scope.region_id, scope.account_id, instance_id
