"""What is deployed with the function, as RAM, Simple Message Queue, Log Service and FC show it.

Only reads are answered. Codes and forms are those of the services' own pages; FC's of a configuration that is
missing is what terraform's provider and Serverless Devs go by.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from local.api.api_error import ApiError, unknown_function

JsonObject = Mapping[str, Any]

_RIGHTS = {"GetAsyncInvokeConfig": "GetFunctionAsyncInvokeConfig"}
"""Where RAM's name of an action is not the API's."""

_PAGE = 2
"""Triggers on a page at most here, so that a client has to follow FC's nextToken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """A RAM role: who may take it, and its custom policies by their names."""

    trust: JsonObject
    policies: Mapping[str, JsonObject] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeployedFunction:
    """A function as GetFunction, GetAsyncInvokeConfig and ListTriggers show it."""

    configuration: JsonObject
    async_invoke_config: JsonObject | None = None
    triggers: Sequence[JsonObject] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """What there is in one region of one account.

    `logstores`: by project. `denied`: actions that the caller has no right to, such as `ram:GetRole`.
    `fc_activated`: whether somebody has agreed to FC's terms in the console.
    """

    roles: Mapping[str, Role] = field(default_factory=dict)
    queues: Collection[str] = ()
    logstores: Mapping[str, Collection[str]] = field(default_factory=dict)
    functions: Mapping[str, DeployedFunction] = field(default_factory=dict)
    denied: Collection[str] = ()
    fc_activated: bool = True

    def ram(self, action: str, parameters: Mapping[str, str]) -> dict[str, Any]:
        """Answer GetRole, ListPoliciesForRole or GetPolicy."""
        if f"ram:{action}" in self.denied:
            raise ApiError(403, "NoPermission", "You are not authorized to do this action.")
        if action == "GetPolicy":
            return self._policy(parameters.get("PolicyName", ""))
        name = parameters.get("RoleName", "")
        role = self.roles.get(name)
        if role is None:
            raise ApiError(404, "EntityNotExist.Role", f"The role not exists: {name[:200]}.")
        if action == "GetRole":
            return {"Role": {"RoleName": name, "AssumeRolePolicyDocument": json.dumps(role.trust)}}
        policies = [{"PolicyName": policy, "PolicyType": "Custom"} for policy in role.policies]
        return {"Policies": {"Policy": policies}}

    def queue(self, parameters: Mapping[str, str]) -> dict[str, Any]:
        """Answer GetQueueAttributes of MNS-open."""
        name = parameters.get("QueueName", "")
        if "mns:GetQueueAttributes" in self.denied:
            raise ApiError(
                403, "AccessDenied", "The OwnerId that your Access Key Id associated to is forbidden."
            )
        if name not in self.queues:
            raise ApiError(404, "QueueNotExist", "The queue name you provided is not exist.")
        return {"Code": 200, "Status": "Success", "Success": True, "Data": {"QueueName": name}}

    def logstore(self, project: str, name: str) -> dict[str, Any]:
        """Answer GetLogStore."""
        if "log:GetLogStore" in self.denied:
            raise ApiError(401, "Unauthorized", "denied by sts or ram, action: log:GetLogStore")
        if project not in self.logstores:
            raise ApiError(404, "ProjectNotExist", f"The Project does not exist : {project[:200]}")
        if name not in self.logstores[project]:
            raise ApiError(404, "LogStoreNotExist", f"logstore {name[:200]} does not exist")
        return {"logstoreName": name, "ttl": 30, "shardCount": 1}

    def function(self, action: str, name: str, query: Mapping[str, str]) -> JsonObject:
        """Answer GetFunction, GetAsyncInvokeConfig or ListTriggers."""
        if not self.fc_activated:
            raise ApiError(403, "AccessDenied", "FC service is not enabled for current user.")
        right = f"fc:{_RIGHTS.get(action, action)}"
        if right in self.denied:
            raise ApiError(403, "AccessDenied", f"the caller is not authorized to perform '{right}'")
        found = self.functions.get(name)
        if found is None:
            raise unknown_function(name)
        match action:
            case "GetFunction":
                return found.configuration
            case "GetAsyncInvokeConfig":
                if found.async_invoke_config is None:
                    which = f"{name[:200]}:{query.get('qualifier', 'LATEST')[:200]}"
                    raise ApiError(404, "AsyncConfigNotExists", f"AsyncConfig for {which} does not exist.")
                return found.async_invoke_config
        start = int(query.get("nextToken") or 0)
        page = list(found.triggers[start : start + _PAGE])
        more = start + _PAGE < len(found.triggers)
        return {"triggers": page} | ({"nextToken": str(start + _PAGE)} if more else {})

    def _policy(self, name: str) -> dict[str, Any]:
        documents = [role.policies[name] for role in self.roles.values() if name in role.policies]
        if not documents:
            raise ApiError(404, "EntityNotExist.Policy", f"The policy not exists: {name[:200]}.")
        return {"DefaultPolicyVersion": {"PolicyDocument": json.dumps(documents[0])}}
