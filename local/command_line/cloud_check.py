"""Asks the cloud whether the role that a template needs is there, and what it may do."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from function.model.credentials import Credentials
from function.model.errors import CloudError, Meaning
from function.settings import Settings
from local.command_line.ecs_calls import api_call
from local.template.model import Function, Log
from local.template.rights import missing, needed, too_much

RAM_ENDPOINT = "https://ram.aliyuncs.com"
"""RAM has one for all regions (help/en/ram/developer-reference/api-ram-2015-05-01-endpoint)."""
_VERSION = "2015-05-01"
_CALL_SECONDS = 5.0
_STACK = (
    "aliyun ros UpdateStack --RegionId {region} --StackId … --UsePreviousParameters true "
    '--TemplateBody "$(cat deploy/stack.yml)"'
)
_CREATE = (
    'aliyun ros CreateStack --RegionId {region} --StackName {name} --TemplateBody "$(cat deploy/stack.yml)" '
    "--Parameters.1.ParameterKey Name --Parameters.1.ParameterValue {name}"
)


class Ram:
    """RAM, asked with a person's key."""

    def __init__(self, credentials: Credentials, region_id: str, endpoint: str = RAM_ENDPOINT) -> None:
        self._credentials = credentials
        self._region_id = region_id
        self._endpoint = endpoint

    def ask(self, action: str, **parameters: str) -> dict[str, Any]:
        """Make one call. Raise CloudError."""
        send = api_call(
            action,
            parameters,
            api=("ram", _VERSION),
            region_id=self._region_id,
            credentials=self._credentials,
            endpoint=self._endpoint,
        )
        return send(_CALL_SECONDS)


def role_problems(function: Function, settings: Settings, account_id: str, ram: Ram) -> Iterator[str]:
    """Say what is wrong with the role and its policies, each with the command that mends it."""
    name = function.role.rpartition("/")[2] or function.role
    mend = _STACK.format(region=function.region)
    try:
        role = ram.ask("GetRole", RoleName=name)["Role"]
    except CloudError as error:
        if error.code.startswith("EntityNotExist"):
            create = _CREATE.format(region=function.region, name=function.function_name)
            yield f"the role {name} does not exist; make it and what belongs to it: {create}"
        else:
            yield from _unasked("ram:GetRole", error)
        return
    if "fc.aliyuncs.com" not in str(role.get("AssumeRolePolicyDocument")):
        yield f"Function Compute (fc.aliyuncs.com) may not take the role {name}; mend it: {mend}"
    try:
        policies = list(_policies(name, ram))
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


def commands_to_look(function: Function) -> Iterator[str]:
    """Give the commands that show what is not asked here, for want of the services' SDKs."""
    region, log = function.region, function.log_config
    if isinstance(log, Log):
        yield f"aliyun sls GetLogStore --region {region} --project {log.project} --logstore {log.logstore}"
    destinations = function.async_invoke_config.destination_config
    for destination in (destinations.on_success, destinations.on_failure):
        if destination is not None and "/queues/" in destination.destination:
            queue = destination.destination.split("/queues/")[1].partition("/")[0]
            yield f"aliyun mns-open GetQueueAttributes --force --region {region} --QueueName {queue}"
    yield f"aliyun fc ListTriggers --region {region} --functionName {function.function_name}"


def _policies(role_name: str, ram: Ram) -> Iterator[Mapping[str, Any]]:
    attached = ram.ask("ListPoliciesForRole", RoleName=role_name)["Policies"]["Policy"]
    for one in attached:
        policy = ram.ask("GetPolicy", PolicyName=one["PolicyName"], PolicyType=one["PolicyType"])
        document = json.loads(policy["DefaultPolicyVersion"]["PolicyDocument"])
        if isinstance(document, dict):
            yield document


def _unasked(rights: str, error: CloudError) -> Iterator[str]:
    if error.meaning is Meaning.DENIED:
        yield f"you may not ask RAM ({error.code}); {rights} is the right, as in AliyunRAMReadOnlyAccess"
    else:
        yield f"RAM could not be asked ({error.code}: {error.message}); try again"
