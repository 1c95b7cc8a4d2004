"""Asking the cloud about all that a template needs, over the SDK: what is wrong comes with what mends it."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from threading import Thread
from typing import Any

import pytest
from werkzeug.serving import make_server

from function.model.credentials import Credentials
from function.model.errors import CloudError
from function.settings import Settings
from local.command_line.cloud_apis import CloudApis
from local.command_line.cloud_check import ask
from local.emulator.backend import LocalEcs
from local.emulator.deployment import DeployedFunction, Deployment, Role
from local.emulator.fleet import Fleet
from local.emulator.server import serve
from local.template.check import check
from local.template.source import load
from tests.local.template.test_rights import ACCOUNT, policies
from tests.terminal import ROOT, emulator, endpoints, on_terminal, stop_guard

(FUNCTION,) = check(load(ROOT / "template.yml"), datetime(2026, 1, 30, tzinfo=UTC)).functions
SETTINGS = Settings.from_environment(FUNCTION.environment_variables)
KEY = Credentials(access_key_id="emulator", access_key_secret="emulator")
TRUST = {"Statement": [{"Action": "sts:AssumeRole", "Principal": {"Service": ["fc.aliyuncs.com"]}}]}
NAMES = [str(place) for place in range(len(policies()))]
DEPLOY = "s deploy -t template.yml -y"


def deployed() -> DeployedFunction:
    """Give what FC shows after `s deploy` of the project's template."""
    config = FUNCTION.async_invoke_config
    where = config.destination_config
    assert where.on_success is not None
    assert where.on_failure is not None
    log = load(ROOT / "template.yml").value["resources"]["stop_guard"]["props"]["logConfig"]  # type: ignore[index]
    return DeployedFunction(
        configuration={
            "functionName": "stop-guard",
            "runtime": "python3.12",
            "handler": "index.handler",
            "timeout": 300,
            "memorySize": 128,
            "cpu": 0.1,
            "instanceConcurrency": 1,
            "role": f"acs:ram::{ACCOUNT}:role/stop-guard",
            "environmentVariables": FUNCTION.environment_variables,
            "logConfig": log,
        },
        async_invoke_config={
            "maxAsyncRetryAttempts": config.max_async_retry_attempts,
            "maxAsyncEventAgeInSeconds": config.max_async_event_age_in_seconds,
            "destinationConfig": {
                "onSuccess": {"destination": where.on_success.destination},
                "onFailure": {"destination": where.on_failure.destination},
            },
        },
        triggers=[
            {"triggerName": one.name, "triggerType": one.type, "triggerConfig": json.dumps(one.config)}
            for one in FUNCTION.triggers
        ],
    )


def right() -> Deployment:
    """Give what deploy/stack.yml and the template make."""
    return Deployment(
        roles={"stop-guard": Role(trust=TRUST, policies=dict(zip(NAMES, policies(), strict=True)))},
        queues={"stop-guard-failures", "stop-guard-reports", "stop-guard-alarms"},
        logstores={f"stop-guard-{ACCOUNT}": {"stop-guard"}},
        functions={"stop-guard": deployed()},
    )


@contextmanager
def cloud(deployment: Deployment) -> Iterator[str]:
    """Serve it."""
    with serve(LocalEcs(Fleet.from_instances([])), None, deployment) as endpoint:
        yield endpoint


def problems(deployment: Deployment) -> list[str]:
    """Say what is wrong there."""
    with cloud(deployment) as endpoint:
        apis = CloudApis(KEY, "cn-hangzhou", endpoint)
        asked = ask(FUNCTION, SETTINGS, ACCOUNT, apis, deploy=DEPLOY)
    return [f"{text}: {command}" for one in asked for text, command in one.problems]


def test_what_the_stack_and_the_template_make_is_right() -> None:
    """Role, queues, log, the function with its triggers, page by page: nothing to say."""
    assert problems(right()) == []


def other_function(**changes: object) -> Deployment:
    """Give the right deployment with other answers about the function."""
    return replace(right(), functions={"stop-guard": replace(deployed(), **changes)})  # type: ignore[arg-type]


def other_configuration(**changes: object) -> Deployment:
    """Give them with another configuration."""
    return other_function(configuration={**deployed().configuration, **changes})


def other_trigger(index: int, **changes: object) -> Deployment:
    """Give them with another configuration of one trigger."""
    triggers = list(deployed().triggers)
    config = {**json.loads(triggers[index]["triggerConfig"]), **changes}
    triggers[index] = {**triggers[index], "triggerConfig": json.dumps(config)}
    return other_function(triggers=triggers)


QUEUE = "acs:mns:cn-hangzhou:1234567890123456:/queues/elsewhere/messages"
OLD = {"triggerName": "old-evening", "triggerType": "timer", "triggerConfig": '{"enable": true}'}
LOG = f"stop-guard-{ACCOUNT}"
WRONG: list[tuple[Deployment, str, str]] = [
    (
        replace(right(), roles={}),
        "the role stop-guard does not exist; make it and what belongs to it",
        "aliyun ros CreateStack --RegionId cn-hangzhou --StackName stop-guard",
    ),
    (
        replace(right(), roles={"stop-guard": replace(right().roles["stop-guard"], trust={})}),
        "Function Compute (fc.aliyuncs.com) may not take the role stop-guard",
        "aliyun ros UpdateStack --RegionId cn-hangzhou",
    ),
    (
        replace(right(), queues={"stop-guard-reports", "stop-guard-alarms"}),
        "the queue stop-guard-failures does not exist in cn-hangzhou",
        "aliyun mns-open CreateQueue --force --region cn-hangzhou --QueueName stop-guard-failures",
    ),
    (
        replace(right(), logstores={}),
        f"the log project {LOG} does not exist in cn-hangzhou; make it with what belongs to it",
        "aliyun ros CreateStack",
    ),
    (
        replace(right(), logstores={LOG: {"other"}}),
        f"the project {LOG} has no logstore stop-guard",
        f"aliyun sls CreateLogStore --region cn-hangzhou --project {LOG}",
    ),
    (
        replace(right(), fc_activated=False),
        "Function Compute is not activated for this account",
        "https://fcnext.console.aliyun.com",
    ),
    (replace(right(), functions={}), "the function stop-guard is not deployed in cn-hangzhou", DEPLOY),
    (
        other_configuration(timeout=60),
        "timeout of stop-guard is 60 in the cloud, 300 in the template",
        DEPLOY,
    ),
    (
        other_configuration(role=f"acs:ram::{ACCOUNT}:role/admin"),
        "the role of stop-guard is admin in the cloud, stop-guard in the template",
        DEPLOY,
    ),
    (
        other_configuration(
            environmentVariables=FUNCTION.environment_variables | {"MAX_INSTANCES": "9", "OTHER": "secret"}
        ),
        "MAX_INSTANCES, OTHER of stop-guard: other values in the cloud than the template gives here",
        DEPLOY,
    ),
    (
        other_configuration(logConfig={}),
        f"the log of stop-guard goes to none/none in the cloud, to {LOG}/stop-guard in the template",
        DEPLOY,
    ),
    (
        other_function(async_invoke_config=None),
        "stop-guard has no asyncInvokeConfig in the cloud: what is left is lost",
        DEPLOY,
    ),
    (
        other_function(
            async_invoke_config={**(deployed().async_invoke_config or {}), "maxAsyncRetryAttempts": 1}
        ),
        "maxAsyncRetryAttempts of stop-guard is 1 in the cloud, 3 in the template",
        DEPLOY,
    ),
    (
        other_trigger(0, enable=True),
        "the trigger every-evening is on in the cloud, off in the template",
        f"{DEPLOY} --trigger every-evening",
    ),
    (
        other_trigger(0, cronExpression="0 0 22 * * *"),
        "cronExpression of the trigger every-evening is another in the cloud",
        f"{DEPLOY} --trigger every-evening",
    ),
    (
        other_trigger(1, triggerEnable=True),
        "the trigger ecs-system-events is on in the cloud, off in the template",
        f"{DEPLOY} --trigger ecs-system-events",
    ),
    (
        other_function(triggers=deployed().triggers[:2]),
        "the trigger cloudmonitor-alarms is not in the cloud",
        f"{DEPLOY} --trigger cloudmonitor-alarms",
    ),
    (
        other_function(triggers=[*deployed().triggers, OLD]),
        "the trigger old-evening is in the cloud, not in the template, and on: it still calls the function",
        "aliyun fc DeleteTrigger --region cn-hangzhou --functionName stop-guard --triggerName old-evening",
    ),
]


@pytest.mark.parametrize(("deployment", "says", "mends"), WRONG, ids=[says[:40] for _, says, _ in WRONG])
def test_each_thing_that_is_wrong_is_said_with_what_mends_it(
    deployment: Deployment, says: str, mends: str
) -> None:
    """One mistake, one sentence, which begins with what is wrong and ends with what mends it."""
    (problem,) = problems(deployment)
    assert problem.startswith(says)
    assert mends in problem
    assert "secret" not in problem


def test_other_destinations_are_said_each() -> None:
    """What is left would go where nobody looks."""
    config: Mapping[str, Any] = deployed().async_invoke_config or {}
    elsewhere = other_function(
        async_invoke_config={**config, "destinationConfig": {"onFailure": {"destination": QUEUE}}}
    )
    failure, success = problems(elsewhere)
    assert failure.startswith(f"onFailure of stop-guard goes to {QUEUE} in the cloud, to acs:mns:")
    assert success.startswith("onSuccess of stop-guard goes to nowhere in the cloud, to acs:mns:")


@pytest.mark.parametrize(
    ("action", "says"),
    [
        ("ram:GetRole", "you may not ask RAM (NoPermission); ram:GetRole is the right"),
        ("ram:ListPoliciesForRole", "ram:ListPoliciesForRole and ram:GetPolicy is the right"),
        ("mns:GetQueueAttributes", "you may not ask Simple Message Queue (AccessDenied)"),
        ("log:GetLogStore", "you may not ask Log Service (Unauthorized); log:GetLogStore is the right"),
        ("fc:GetFunction", "you may not ask Function Compute (AccessDenied); fc:GetFunction is the right"),
        ("fc:GetFunctionAsyncInvokeConfig", "fc:GetFunctionAsyncInvokeConfig is the right"),
        ("fc:ListTriggers", "fc:ListTriggers is the right"),
    ],
)
def test_a_right_that_a_person_lacks_is_named(action: str, says: str) -> None:
    """It is the person's who asks, not the function's; all the rest is asked all the same."""
    (problem,) = problems(replace(right(), denied={action}))
    assert says in problem


def test_a_missing_policy_is_said_right_by_right() -> None:
    """What the settings need and no policy allows."""
    role = Role(trust=TRUST, policies={"0": policies()[0]})
    found = problems(replace(right(), roles={"stop-guard": role}))
    assert any("may not do ecs:DescribeInstances on acs:ecs:cn-hangzhou" in one for one in found)
    assert any("may not do mns:SendMessage" in one for one in found)


def test_a_service_that_never_answers_is_said() -> None:
    """A host where nobody listens is no missing queue."""
    apis = CloudApis(KEY, "cn-hangzhou", "http://127.0.0.1:9")
    asked = ask(FUNCTION, SETTINGS, ACCOUNT, apis, deploy=DEPLOY)
    said = [problem.text for one in asked for problem in one.problems]
    services = ("RAM", "Function Compute", "Simple Message Queue", "Log Service")
    for service, problem in zip(services, said, strict=True):
        assert problem.startswith(f"{service} could not be asked (")
        assert problem.endswith("; try again")


def test_a_redirect_of_the_log_service_is_not_followed() -> None:
    """The request has the key's id and the session's token, which are for the service alone."""
    asked: list[str] = []

    def elsewhere(environ: Mapping[str, Any], start: Callable[..., object]) -> list[bytes]:
        asked.append(str(environ["PATH_INFO"]))
        start("302 Found", [("Location", f"http://{environ['HTTP_HOST']}/stolen"), ("Content-Length", "0")])
        return []

    server = make_server("127.0.0.1", 0, elsewhere)
    port = server.server_port
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        apis = CloudApis(KEY, "cn-hangzhou", f"http://127.0.0.1:{port}")
        with pytest.raises(CloudError, match="HTTP 302"):
            apis.logstore("project", "stop-guard")
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    assert asked == ["/logstores/stop-guard"]


def test_the_command_says_who_asks_and_what_is_missing() -> None:
    """Against a cloud with nothing in it each thing comes with the command that makes it: exit code 2."""
    with emulator() as address:
        done = stop_guard("check", "--live", environment=endpoints(address))
    assert done.returncode == 2
    assert f"Asked as acs:ram::{ACCOUNT}:user/" in done.stdout
    for command in ("aliyun ros CreateStack", "aliyun mns-open CreateQueue", "s deploy -t template.yml -y"):
        assert command in done.stdout
    assert done.stderr == ""


def test_a_command_to_copy_is_unbroken_in_a_small_window() -> None:
    """The terminal may wrap it, the program does not: what is copied runs."""
    with emulator() as address:
        seen = on_terminal("check", "--live", environment=endpoints(address), columns=60)
    command = "  aliyun mns-open CreateQueue --force --region cn-hangzhou --QueueName stop-guard-failures"
    assert command in seen.text.splitlines()


def test_the_command_ends_well_where_nothing_is_wrong() -> None:
    """A line for each thing that was asked, and exit code 0."""
    with cloud(right()) as endpoint:
        done = stop_guard("check", "--live", environment=endpoints(endpoint))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[-4:] == [
        "The role stop-guard may do what it must, and no more",
        "stop-guard is deployed in cn-hangzhou as the template says, with its triggers",
        "There: the queues stop-guard-reports, stop-guard-failures, stop-guard-alarms",
        f"There: the logstore stop-guard of stop-guard-{ACCOUNT}",
    ]
