"""What the function's role must be allowed, by the settings, and whether RAM policies allow it and no more.

Policies as RAM has them: help/en/ram/user-guide/policy-structure-and-syntax. A pure decision.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from function.settings import Settings
from local.template.model import Function

_STOPS = ("ecs:StopInstance", "ecs:StopInstances")
_NEEDED_ALWAYS = ("ecs:DescribeInstances", "ecs:DescribeInstanceTypes", *_STOPS)
_QUEUE = "acs:mns:"


@dataclass(frozen=True, slots=True)
class Right:
    """An action on a resource, `*` for any, and what the function needs it for."""

    action: str
    resource: str
    purpose: str


def needed(function: Function, settings: Settings, account_id: str) -> Iterator[Right]:
    """Give what the settings need."""
    for region_id in sorted(settings.regions_allowed(function.region)):
        for action in _NEEDED_ALWAYS:
            resource = f"acs:ecs:{region_id}:{account_id}:instance/i-1"
            types = action == "ecs:DescribeInstanceTypes"
            yield Right(action, "*" if types else resource, f"stopping in {region_id}")
    for role_arn in settings.allowed_role_arns:
        yield Right("sts:AssumeRole", role_arn.replace(":*:", ":1:"), "ALLOWED_ROLE_ARNS")
    if settings.fan_out:
        own = f"acs:fc:{function.region}:{account_id}:functions/{function.function_name}"
        yield Right("fc:InvokeFunction", own, "FAN_OUT")
    destinations = function.async_invoke_config.destination_config
    for destination in (destinations.on_success, destinations.on_failure):
        if destination is not None and destination.destination.startswith(_QUEUE):
            yield Right("mns:SendMessage", destination.destination, "the queues of destinationConfig")
    if function.log_config is not None and not isinstance(function.log_config, str):
        log = function.log_config
        resource = f"acs:log:{function.region}:{account_id}:project/{log.project}/logstore/{log.logstore}"
        yield Right("log:PostLogStoreLogs", resource, "the log")


def missing(rights: Iterable[Right], policies: Sequence[Mapping[str, Any]]) -> list[Right]:
    """Give the rights that no policy allows, or one denies."""
    return [right for right in dict.fromkeys(rights) if not _allowed(right, policies)]


def too_much(
    rights: Iterable[Right], settings: Settings, policies: Sequence[Mapping[str, Any]]
) -> Iterator[str]:
    """Say what the policies allow beyond what is needed, and stops that no tag bounds."""
    wanted = {right.action.casefold() for right in rights}
    tag = settings.required_tag
    for statement in _statements(policies):
        if statement.get("Effect") != "Allow":
            continue
        given = _texts(statement.get("Action"))
        others = [action for action in given if action.casefold() not in wanted]
        if others:
            yield f"a policy of the role also allows {', '.join(others)}, which the function never needs"
        actions = [action.casefold() for action in _texts(statement.get("Action"))]
        stops = any(fnmatchcase(one.casefold(), action) for one in _STOPS for action in actions)
        if not stops or tag is None:
            continue
        bound = _tag_bounds(statement)
        key = f"ecs:tag/{tag.key}"
        if not bound:
            yield f"a policy stops instances without the tag {tag}; it needs a condition on {key}"
        elif tag.value not in {None, *bound.get(key, ())}:
            had = ", ".join(f"{name}={'|'.join(values)}" for name, values in bound.items())
            yield f"a policy lets the role stop only instances with {had}, and REQUIRED_TAG is {tag}"


def _allowed(right: Right, policies: Sequence[Mapping[str, Any]]) -> bool:
    effects = {str(one.get("Effect")) for one in _statements(policies) if _is_about(one, right)}
    return "Allow" in effects and "Deny" not in effects


def _is_about(statement: Mapping[str, Any], right: Right) -> bool:
    """Whether a statement is about the right; a conditional denial is taken for one that does not apply."""
    if statement.get("Effect") == "Deny" and statement.get("Condition"):
        return False
    action, resource = right.action.casefold(), right.resource.casefold()
    actions = any(fnmatchcase(action, one.casefold()) for one in _texts(statement.get("Action")))
    resources = [one.casefold() for one in _texts(statement.get("Resource"))]
    return actions and any(one == "*" or resource == "*" or fnmatchcase(resource, one) for one in resources)


def _tag_bounds(statement: Mapping[str, Any]) -> dict[str, list[str]]:
    condition = statement.get("Condition") or {}
    equals = condition.get("StringEquals") or {} if isinstance(condition, Mapping) else {}
    return {
        str(key): _texts(values)
        for key, values in (equals.items() if isinstance(equals, Mapping) else ())
        if str(key).startswith("ecs:tag/")
    }


def _statements(policies: Sequence[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    for policy in policies:
        found = policy.get("Statement", [])
        yield from ([found] if isinstance(found, Mapping) else found)


def _texts(value: object) -> list[str]:
    return (
        [value] if isinstance(value, str) else [str(one) for one in value] if isinstance(value, list) else []
    )
