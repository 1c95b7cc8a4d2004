"""Asks the cloud whether the role that a template needs is there, and what it may do."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

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


class CloudProblem(NamedTuple):
    """What is wrong, and the command that mends it, where there is one."""

    text: str
    command: str = ""


def role_problems(
    function: Function, settings: Settings, account_id: str, apis: CloudApis
) -> Iterator[CloudProblem]:
    """Say what is wrong with the role and its policies."""
    name = function.role.rpartition("/")[2] or function.role
    mend = _STACK.format(region=function.region)
    try:
        role = apis.ram("GetRole", RoleName=name)["Role"]
    except CloudError as error:
        if error.code.startswith("EntityNotExist"):
            create = CREATE_STACK.format(region=function.region, name=function.function_name)
            yield CloudProblem(f"the role {name} does not exist; make it and what belongs to it", create)
        else:
            yield unasked("RAM", "ram:GetRole", error)
        return
    if "fc.aliyuncs.com" not in str(role.get("AssumeRolePolicyDocument")):
        yield CloudProblem(f"Function Compute (fc.aliyuncs.com) may not take the role {name}; mend it", mend)
    try:
        policies = list(_policies(name, apis))
    except CloudError as error:
        yield unasked("RAM", "ram:ListPoliciesForRole and ram:GetPolicy", error)
        return
    rights = list(needed(function, settings, account_id))
    for right in missing(rights, policies):
        yield CloudProblem(
            f"the role {name} may not do {right.action} on {right.resource}, which {right.purpose} needs; "
            "mend it",
            mend,
        )
    yield from map(CloudProblem, dict.fromkeys(too_much(rights, settings, policies)))


def _policies(role_name: str, apis: CloudApis) -> Iterator[Mapping[str, Any]]:
    attached = apis.ram("ListPoliciesForRole", RoleName=role_name)["Policies"]["Policy"]
    for one in attached:
        policy = apis.ram("GetPolicy", PolicyName=one["PolicyName"], PolicyType=one["PolicyType"])
        document = json.loads(policy["DefaultPolicyVersion"]["PolicyDocument"])
        if isinstance(document, dict):
            yield document


def unasked(service: str, right: str, error: CloudError) -> CloudProblem:
    """Say why a service did not answer, and what would change that."""
    if denied(error):
        return CloudProblem(f"you may not ask {service} ({error.code}); {right} is the right")
    return CloudProblem(f"{service} could not be asked ({error.code}: {error.message}); try again")
