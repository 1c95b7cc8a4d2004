"""The settings that a run on this machine has: those of its environment, or those of a template."""

import os
from datetime import UTC, datetime
from pathlib import Path

from function.settings import Settings
from local.command_line import display
from local.command_line.exit_codes import CommandError
from local.template.coherence import misnamed
from local.template.model import Function
from local.template.problem import is_unresolved
from local.template.source import InvalidTemplate, load

_ENDPOINTS = ("ECS_ENDPOINT", "STS_ENDPOINT", "FAN_OUT_ENDPOINT")


def machine_settings() -> dict[str, str]:
    """Give the settings of this machine's environment; say what is nearly one and counts for nothing."""
    for name, meant in misnamed(os.environ):
        text = f"{name} is no setting, and counts for nothing; did you mean {meant}?"
        display.say(display.console(stderr=True), text, "yellow")
    return {name: value for name, value in os.environ.items() if name in Settings.variables()}


def machine_endpoints() -> dict[str, str]:
    """Give the endpoints that this machine's environment names in place of the cloud's."""
    return {name: os.environ[name] for name in _ENDPOINTS if name in os.environ}


def settings_of(template: Path | None) -> tuple[dict[str, str], Function | None]:
    """Give the settings, and the template's function where they are its own. Raise CommandError."""
    if template is None:
        return machine_settings(), None
    from local.template.check import check  # noqa: PLC0415 - loads what no other way needs

    try:
        findings = check(load(template), datetime.now(UTC))
    except InvalidTemplate as error:
        raise CommandError(f"--template: {error}") from None
    if len(findings.functions) != 1:
        names = ", ".join(one.function_name for one in findings.functions) or "none"
        right = "one function with the handler index.handler"
        raise CommandError(f"--template {str(template)!r} must hold {right}; it holds {names}")
    (function,) = findings.functions
    for place, message in findings.problems:
        display.say(display.console(stderr=True), f"{place}: {message}", "yellow")
    own = machine_endpoints()
    deployed = {
        name: value for name, value in function.environment_variables.items() if name in Settings.variables()
    }
    unknown = next((item for item in deployed.items() if is_unresolved(item[1])), None)
    if unknown is not None:
        name, value = unknown
        raise CommandError(
            f"--template: {name} is {value}, which is not known here; set it as for `s deploy`"
        )
    region = {"FC_REGION": function.region} if function.region and "${" not in function.region else {}
    return {
        **own,
        **{name: value for name, value in deployed.items() if value or name not in own},
        **region,
    }, function
