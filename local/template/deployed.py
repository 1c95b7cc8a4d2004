"""Is what is deployed what the template says? A pure comparison; values of variables are never shown."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from local.template.model import Destination, Function, LogConfig, Trigger
from local.template.problem import is_unresolved

_PROPERTIES = {
    "runtime": "runtime",
    "handler": "handler",
    "timeout": "timeout",
    "memorySize": "memory_size",
    "cpu": "cpu",
    "instanceConcurrency": "instance_concurrency",
}
_OF_TRIGGERS = ("cronExpression", "payload", "eventRuleFilterPattern", "authType")
"""What says when a trigger fires, and with what; beside whether it is on."""


def function_differences(function: Function, deployed: Mapping[str, Any]) -> Iterator[str]:
    """Compare with GetFunction's answer."""
    name = function.function_name
    for said, field in _PROPERTIES.items():
        wanted, found = getattr(function, field), deployed.get(said)
        if wanted not in (None, "", found) and not is_unresolved(wanted):
            yield f"{said} of {name} is {found} in the cloud, {wanted} in the template"
    role = str(deployed.get("role") or "none").rpartition("/")[2]
    if function.role and role.casefold() != function.role.rpartition("/")[2].casefold():
        yield f"the role of {name} is {role} in the cloud, {function.role} in the template"
    own, there = function.environment_variables, deployed.get("environmentVariables") or {}
    others = sorted(
        one
        for one in own.keys() | there.keys()
        if own.get(one, "") != there.get(one, "") and "${" not in own.get(one, "")
    )
    if others:
        yield f"{', '.join(others)} of {name}: other values in the cloud than the template gives here"
    if isinstance(function.log_config, LogConfig):
        log = deployed.get("logConfig") or {}
        found = f"{log.get('project') or 'none'}/{log.get('logstore') or 'none'}"
        wanted = f"{function.log_config.project}/{function.log_config.logstore}"
        if found != wanted:
            yield f"the log of {name} goes to {found} in the cloud, to {wanted} in the template"


def async_differences(function: Function, deployed: Mapping[str, Any]) -> Iterator[str]:
    """Compare with GetAsyncInvokeConfig's answer."""
    config, name = function.async_invoke_config, function.function_name
    for said, wanted in (
        ("maxAsyncRetryAttempts", config.max_async_retry_attempts),
        ("maxAsyncEventAgeInSeconds", config.max_async_event_age_in_seconds),
    ):
        if wanted not in (None, deployed.get(said)) and not is_unresolved(wanted):
            yield f"{said} of {name} is {deployed.get(said)} in the cloud, {wanted} in the template"
    there = deployed.get("destinationConfig") or {}
    destinations = config.destination_config
    for said, own in (("onFailure", destinations.on_failure), ("onSuccess", destinations.on_success)):
        found = (there.get(said) or {}).get("destination") or "nowhere"
        if found != _where(own):
            yield f"{said} of {name} goes to {found} in the cloud, to {_where(own)} in the template"


def trigger_differences(
    function: Function, deployed: Sequence[Mapping[str, Any]]
) -> Iterator[tuple[str, str]]:
    """Compare the template's triggers with what ListTriggers shows. Yield names, and what is other."""
    there = {one.name: one for one in map(_read, deployed)}
    for trigger in function.triggers:
        name, found = trigger.name, there.get(trigger.name)
        if found is None:
            yield name, f"the trigger {name} is not in the cloud"
            continue
        if found.type != trigger.type:
            yield name, f"the trigger {name} is one of type {found.type} in the cloud"
        elif found.enabled != trigger.enabled:
            on, off = ("cloud", "template") if found.enabled else ("template", "cloud")
            yield name, f"the trigger {name} is on in the {on}, off in the {off}"
        for said in _OF_TRIGGERS:
            if _other(trigger.config.get(said), found.config.get(said)):
                yield name, f"{said} of the trigger {name} is another in the cloud"


def unknown_triggers(function: Function, deployed: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, bool]]:
    """Give the triggers in the cloud that the template does not name, and whether they are on.

    Serverless Devs leaves them there when they are renamed or taken out.
    """
    known = {trigger.name for trigger in function.triggers}
    for found in map(_read, deployed):
        if found.name not in known:
            yield found.name, found.enabled


def _read(trigger: Mapping[str, Any]) -> Trigger:
    return Trigger(
        triggerName=str(trigger.get("triggerName")),
        triggerType=str(trigger.get("triggerType")),
        triggerConfig=_config(trigger),
    )


def _config(trigger: Mapping[str, Any]) -> dict[str, Any]:
    """Give a trigger's configuration, which FC gives as JSON text."""
    config = trigger.get("triggerConfig")
    try:
        read = json.loads(config) if isinstance(config, str) else config
    except ValueError:
        read = None
    return read if isinstance(read, dict) else {}


def _other(wanted: object, found: object) -> bool:
    """Whether the template says it and the cloud has another; JSON may be written otherwise."""
    if wanted is None or "${" in str(wanted) or wanted == found:
        return False
    try:
        return bool(json.loads(str(wanted)) != json.loads(str(found)))
    except ValueError:
        return True


def _where(destination: Destination | None) -> str:
    return "nowhere" if destination is None else destination.destination or "nowhere"
