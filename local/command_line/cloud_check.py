"""Asks the cloud whether what a template needs is there, and as it says; each problem with what mends it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from function.model.errors import CloudError
from function.settings import Settings
from local.command_line.cloud_apis import NOT_ACTIVATED, CloudApis
from local.command_line.cloud_role import CREATE_STACK, CloudProblem, role_problems, unasked
from local.template.deployed import (
    async_differences,
    function_differences,
    trigger_differences,
    unknown_triggers,
)
from local.template.model import Function, LogConfig

_ACTIVATE = "activate it in the console: https://fcnext.console.aliyun.com"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One question to the cloud: what is right where nothing is wrong, and what is wrong."""

    right: str
    problems: tuple[CloudProblem, ...]


def ask(
    function: Function, settings: Settings, account_id: str, apis: CloudApis, *, deploy: str
) -> Sequence[Asked]:
    """Ask all of it, at once: role, queues, log, function, each on its own.

    `deploy`: the command that deploys the template.
    """
    queues = list(queue_names(function))
    log = function.log_config
    name = function.function_name
    questions: list[tuple[str, Callable[[], Iterator[CloudProblem]]]] = [
        (
            f"The role {function.role} may do what it must, and no more",
            lambda: role_problems(function, settings, account_id, apis),
        ),
        (
            f"{name} is deployed in {function.region} as the template says, with its triggers",
            lambda: _function_problems(function, apis, deploy),
        ),
    ]
    if queues:
        questions.append(
            (f"There: the queues {', '.join(queues)}", lambda: _queue_problems(function, queues, apis))
        )
    if isinstance(log, LogConfig) and log.project:
        questions.append(
            (
                f"There: the logstore {log.logstore} of {log.project}",
                lambda: _log_problems(function, log, apis),
            )
        )
    with ThreadPoolExecutor(len(questions)) as pool:
        answers = pool.map(lambda question: tuple(question[1]()), questions)
        return [
            Asked(right=right, problems=found) for (right, _), found in zip(questions, answers, strict=True)
        ]


def queue_names(function: Function) -> Iterator[str]:
    """Give the queues that the template names: of destinations, then of EventBridge's sources."""
    destinations = function.async_invoke_config.destination_config
    for destination in (destinations.on_success, destinations.on_failure):
        if destination is not None and "/queues/" in destination.destination:
            yield destination.destination.split("/queues/")[1].partition("/")[0]
    for trigger in function.triggers:
        source = _below(trigger.config, "eventSourceConfig", "eventSourceParameters", "sourceMNSParameters")
        if source.get("QueueName"):
            yield str(source["QueueName"])


def _queue_problems(function: Function, queues: Sequence[str], apis: CloudApis) -> Iterator[CloudProblem]:
    for name in queues:
        try:
            apis.queue(name)
        except CloudError as error:
            if error.code == "QueueNotExist":
                yield CloudProblem(
                    f"the queue {name} does not exist in {function.region}; make it",
                    f"aliyun mns-open CreateQueue --force --region {function.region} --QueueName {name}",
                )
            else:
                yield unasked("Simple Message Queue", "mns:GetQueueAttributes", error)
                return


def _log_problems(function: Function, log: LogConfig, apis: CloudApis) -> Iterator[CloudProblem]:
    try:
        apis.logstore(log.project, log.logstore)
    except CloudError as error:
        if error.code == "ProjectNotExist":
            create = CREATE_STACK.format(region=function.region, name=function.function_name)
            yield CloudProblem(
                f"the log project {log.project} does not exist in {function.region}; "
                "make it with what belongs to it",
                create,
            )
        elif error.code == "LogStoreNotExist":
            body = f'{{"logstoreName": "{log.logstore}", "ttl": 30, "shardCount": 1}}'
            yield CloudProblem(
                f"the project {log.project} has no logstore {log.logstore}; make it",
                f"aliyun sls CreateLogStore --region {function.region} --project {log.project} "
                f"--body '{body}'",
            )
        else:
            yield unasked("Log Service", "log:GetLogStore", error)


def _function_problems(function: Function, apis: CloudApis, deploy: str) -> Iterator[CloudProblem]:
    name = function.function_name
    try:
        deployed = apis.function(name)
    except CloudError as error:
        if error.code == NOT_ACTIVATED:
            yield CloudProblem(f"Function Compute is not activated for this account; {_ACTIVATE}")
        elif error.code == "FunctionNotFound":
            yield CloudProblem(f"the function {name} is not deployed in {function.region}; deploy it", deploy)
        else:
            yield unasked("Function Compute", "fc:GetFunction", error)
        return
    for difference in function_differences(function, deployed):
        yield CloudProblem(f"{difference}; deploy it", deploy)
    yield from _async_problems(function, apis, deploy)
    yield from _trigger_problems(function, apis, deploy)


def _async_problems(function: Function, apis: CloudApis, deploy: str) -> Iterator[CloudProblem]:
    name = function.function_name
    try:
        config = apis.async_invoke_config(name)
    except CloudError as error:
        if error.code == "AsyncConfigNotExists":
            lost = f"{name} has no asyncInvokeConfig in the cloud: what is left is lost; deploy it"
            yield CloudProblem(lost, deploy)
        else:
            yield unasked("Function Compute", "fc:GetFunctionAsyncInvokeConfig", error)
        return
    for difference in async_differences(function, config):
        yield CloudProblem(f"{difference}; deploy it", deploy)


def _trigger_problems(function: Function, apis: CloudApis, deploy: str) -> Iterator[CloudProblem]:
    name = function.function_name
    try:
        triggers = list(apis.triggers(name))
    except CloudError as error:
        yield unasked("Function Compute", "fc:ListTriggers", error)
        return
    for trigger, difference in trigger_differences(function, triggers):
        yield CloudProblem(f"{difference}; deploy it", f"{deploy} --trigger {trigger}")
    for trigger, enabled in unknown_triggers(function, triggers):
        state = "on: it still calls the function" if enabled else "off"
        which = f"--functionName {name} --triggerName {trigger}"
        yield CloudProblem(
            f"the trigger {trigger} is in the cloud, not in the template, and {state}; remove it",
            f"aliyun fc DeleteTrigger --region {function.region} {which}",
        )


def _below(value: object, *steps: str) -> Mapping[str, object]:
    for step in steps:
        value = value.get(step) if isinstance(value, Mapping) else None
    return value if isinstance(value, Mapping) else {}
