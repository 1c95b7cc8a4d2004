"""Asks the cloud whether the role that a template needs is there, and what it may do."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from function.model.errors import CloudError
from function.settings import Settings
from local.command_line.cloud_apis import CloudApis, denied
from local.template.model import Function
from local.template.rights import missing, needed, too_much

_STACK = (
    "aliyun ros UpdateStack --RegionId {region} --StackId … --UsePreviousParameters true "
    '--TemplateBody "$(cat deploy/stack.yml)"'
)
CREATE_STACK = (
    'aliyun ros CreateStack --RegionId {region} --StackName {name} --TemplateBody "$(cat deploy/stack.yml)" '
    "--Parameters.1.ParameterKey Name --Parameters.1.ParameterValue {name}"
)


def role_problems(function: Function, settings: Settings, account_id: str, apis: CloudApis) -> Iterator[str]:
    """Say what is wrong with the role and its policies, each with the command that mends it."""
    name = function.role.rpartition("/")[2] or function.role
    mend = _STACK.format(region=function.region)
    try:
        role = apis.ram("GetRole", RoleName=name)["Role"]
    except CloudError as error:
        if error.code.startswith("EntityNotExist"):
            create = CREATE_STACK.format(region=function.region, name=function.function_name)
            yield f"the role {name} does not exist; make it and what belongs to it: {create}"
        else:
            yield from _unasked("ram:GetRole", error)
        return
    if "fc.aliyuncs.com" not in str(role.get("AssumeRolePolicyDocument")):
        yield f"Function Compute (fc.aliyuncs.com) may not take the role {name}; mend it: {mend}"
    try:
        policies = list(_policies(name, apis))
    except CloudError as error:
        yield from _unasked("ram:ListPoliciesForRole and ram:GetPolicy", error)
        return
    rights = list(needed(function, settings, account_id))
    for right in missing(rights, policies):
        yield (
            f"the role {name} may not do {right.action} on {right.resource}, which {right.purpose} needs; "
            f"mend it: {mend}"
        )
    yield from dict.fromkeys(too_much(rights, settings, policies))


def _policies(role_name: str, apis: CloudApis) -> Iterator[Mapping[str, Any]]:
    attached = apis.ram("ListPoliciesForRole", RoleName=role_name)["Policies"]["Policy"]
    for one in attached:
        policy = apis.ram("GetPolicy", PolicyName=one["PolicyName"], PolicyType=one["PolicyType"])
        document = json.loads(policy["DefaultPolicyVersion"]["PolicyDocument"])
        if isinstance(document, dict):
            yield document


def _unasked(rights: str, error: CloudError) -> Iterator[str]:
    if denied(error):
        yield f"you may not ask RAM ({error.code}); {rights} is the right, as in AliyunRAMReadOnlyAccess"
    else:
        yield f"RAM could not be asked ({error.code}: {error.message}); try again"
