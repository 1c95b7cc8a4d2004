"""Settings that the function would refuse, that contradict each other, or that the template contradicts."""

from collections.abc import Iterator, Mapping
from difflib import get_close_matches

from function.settings import InvalidSettings, Settings
from local.api.regions import REGIONS
from local.template.model import Function, LogConfig, Trigger
from local.template.problem import Path, Problem, is_unresolved

_VERIFY_MARGIN = 60
"""Seconds beside VERIFY_SECONDS for finding, asking and reporting, with a call or two throttled."""

HANDLER, INITIALIZER = "index.handler", "index.initialize"
"""Of `function/index.py`; it is FC that calls them."""

_DEPENDENCIES = "/code/python"
_RUNTIME = "python3.12"
"""What `make build` makes: of FC's own Pythons the only one that is new enough for the function."""


def misnamed(names: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Give variables that are nearly a setting's name, each with that name."""
    known = Settings.variables()
    for name in names:
        if name in known or name.startswith(("ALIBABA_CLOUD_", "FC_")):
            continue
        near = get_close_matches(name.upper().replace("-", "_"), known, 1, 0.85)
        if near:
            yield name, near[0]


def read_settings(function: Function, path: Path) -> tuple[Settings | None, list[Problem]]:
    """Read the variables as the function will, as far as they are known; None where it would not start."""
    problems = []
    known = {
        name: value for name, value in function.environment_variables.items() if not is_unresolved(value)
    }
    for name, value in known.items():
        try:
            Settings.from_environment({name: value})
        except InvalidSettings as error:
            problems.append(Problem((*path, "environmentVariables", name), str(error)))
    if problems:
        return None, problems
    return Settings.from_environment(known), []


def coherence(function: Function, settings: Settings, path: Path) -> Iterator[Problem]:
    """Find what does not fit together."""
    variables = (*path, "environmentVariables")
    for name, meant in misnamed(function.environment_variables):
        yield Problem((*variables, name), f"{name} is no setting, and nobody reads it; did you mean {meant}?")
    for region_id in settings.allowed_regions:
        near = get_close_matches(region_id, REGIONS, 1)
        if region_id not in REGIONS and near:
            where = (*variables, "ALLOWED_REGIONS")
            yield Problem(where, f"ALLOWED_REGIONS names {region_id}, no region; did you mean {near[0]}?")
    yield from _times(function, settings, path)
    required = settings.required_tag
    if required is not None and any(
        tag.key == required.key and tag.value in {None, required.value} for tag in settings.protected_tags
    ):
        where = (*variables, "PROTECTED_TAG")
        yield Problem(
            where, f"PROTECTED_TAG protects what REQUIRED_TAG ({required}) asks for: nothing is ever stopped"
        )
    yield from _triggers(function, settings, path)
    yield from _deployment(function, path)


def _times(function: Function, settings: Settings, path: Path) -> Iterator[Problem]:
    age = function.async_invoke_config.max_async_event_age_in_seconds
    most = settings.max_event_age_minutes * 30
    where: Path = (*path, "asyncInvokeConfig", "maxAsyncEventAgeInSeconds")
    right = f'at most {most} is right, half of it, or MAX_EVENT_AGE_MINUTES: "0"'
    if most and age is None:
        yield Problem(
            (*path, "asyncInvokeConfig"),
            f"without maxAsyncEventAgeInSeconds FC tries an event again for up to a day, and after "
            f"MAX_EVENT_AGE_MINUTES ({settings.max_event_age_minutes}) it is refused as stale; {right}",
        )
    elif most and isinstance(age, int) and age > most:
        yield Problem(
            where,
            f"maxAsyncEventAgeInSeconds is {age}: what FC tries again after MAX_EVENT_AGE_MINUTES "
            f"({settings.max_event_age_minutes}) is refused as stale; {right}",
        )
    needed = settings.verify_seconds + _VERIFY_MARGIN
    if isinstance(function.timeout, int) and function.timeout < needed:
        yield Problem(
            (*path, "timeout"),
            f"timeout is {function.timeout}, too short to verify for VERIFY_SECONDS "
            f"({settings.verify_seconds}): at least {needed} is right",
        )


def _triggers(function: Function, settings: Settings, path: Path) -> Iterator[Problem]:
    for index, trigger in enumerate(function.triggers):
        where = (*path, "triggers", index, "triggerName")
        if trigger.type == "http" and settings.alarm_token is None:
            yield Problem(
                where,
                f"the HTTP trigger {trigger.name} is there, and ALARM_TOKEN is not set: every event over it "
                "is refused; set it in the environment of `s deploy` and of this check",
            )
        yield from _event_source(trigger, (*path, "triggers", index, "triggerConfig", "eventSourceConfig"))
        pattern = str(trigger.config.get("eventRuleFilterPattern", ""))
        if trigger.enabled and "acs.ecs" in pattern and not settings.system_events:
            yield Problem(
                where,
                f"{trigger.name} is enabled, and SYSTEM_EVENTS is empty: every event is refused; "
                "name the events that may stop their instance",
            )


def _event_source(trigger: Trigger, path: Path) -> Iterator[Problem]:
    """See that EventBridge takes from the kind of source whose parameters are there."""
    source = trigger.config.get("eventSourceConfig")
    kind = source.get("eventSourceType") if isinstance(source, dict) else None
    parameters = source.get("eventSourceParameters") if isinstance(source, dict) else None
    if kind is None or not isinstance(parameters, dict):
        return
    wanted = set() if kind == "Default" else {f"source{kind}Parameters"}
    if set(parameters) != wanted:
        right = f"sources of type {kind} have {' and '.join(wanted) or 'no parameters'}"
        yield Problem(
            path, f"{trigger.name}: eventSourceParameters has {', '.join(parameters) or 'nothing'}; {right}"
        )


def _deployment(function: Function, path: Path) -> Iterator[Problem]:
    if function.handler not in ("", HANDLER):
        yield Problem((*path, "handler"), f"handler is {function.handler!r}; {HANDLER} is right")
    if function.initializer not in ("", INITIALIZER):
        where = (*path, "instanceLifecycleConfig", "initializer", "handler")
        yield Problem(where, f"the initializer is {function.initializer!r}; {INITIALIZER} is right")
    if function.internet_access is False and function.vpc_config is None:
        where = (*path, "internetAccess")
        yield Problem(where, "without internetAccess and without vpcConfig the function can't reach ECS")
    if isinstance(function.log_config, LogConfig) and function.log_config.log_begin_rule != "None":
        where = (*path, "logConfig", "logBeginRule")
        yield Problem(where, "logBeginRule must be None: any other rule merges the function's lines into one")
    if function.log_config == "auto":
        where = (*path, "logConfig")
        yield Problem(
            where,
            "logConfig auto sets a logBeginRule that merges the function's lines into one; "
            "name a project, a logstore and logBeginRule: None",
        )
    if function.code == "./build":
        if function.runtime != _RUNTIME:
            where = (*path, "runtime")
            yield Problem(where, f"runtime is {function.runtime!r}; `make build` makes {_RUNTIME}")
        if _DEPENDENCIES not in function.environment_variables.get("PYTHONPATH", "").split(":"):
            where = (*path, "environmentVariables")
            yield Problem(
                where, f"PYTHONPATH must hold {_DEPENDENCIES}, where `make build` puts the dependencies"
            )
