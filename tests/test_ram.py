"""The role's policies: what the function's calls need, and nothing else."""

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import pytest

from function.cloud import sdk
from function.cloud.ecs import SdkEcs
from function.model.credentials import Credentials
from function.model.errors import CloudError
from function.model.ports import ASSUME_ROLE, INVOKE_FUNCTION, Ecs, StopCall
from function.model.request import Selection, StoppedMode
from function.model.scope import ROLE_ARN
from function.settings import Settings
from local.template.source import load
from tests.ros_template import ACCOUNT_ID, REGION, Json, Stack
from tests.test_template import FILE

DEPLOY = Path(__file__).resolve().parent.parent / "deploy"
OTHERS = "cn-beijing,ap-southeast-1"
ROLES = "acs:ram::2345678901234567:role/stop-guard,acs:ram::3456789012345678:role/stop-guard"

STOP = StopCall(
    instance_id="i-1",
    stopped_mode=StoppedMode.KEEP_CHARGING,
    confirm_stop=False,
    force_stop=False,
    dry_run=False,
)
CALLS: dict[str, Callable[[Ecs], object]] = {
    "describe": lambda ecs: ecs.describe(["i-1"], seconds=1),
    "select": lambda ecs: ecs.select(Selection(), None, seconds=1),
    "local_disks": lambda ecs: ecs.local_disks(["ecs.i1.xlarge"], seconds=1),
    "stop": lambda ecs: ecs.stop(STOP, seconds=1, fresh_seconds=1),
    "stop_together": lambda ecs: ecs.stop_together([STOP], seconds=1, fresh_seconds=1),
}


class Recorder:
    """Stands for the SDK's client, and only notes which action it is asked for."""

    def __init__(self) -> None:
        self.actions: list[str] = []

    def call_api(self, params: sdk.Params, _request: object, _runtime: object) -> NoReturn:
        """Note the action; there is no answer."""
        self.actions.append(params.action)
        raise ConnectionError


def actions() -> set[str]:
    """Make every call that the function can make, and give their actions."""
    recorder = Recorder()
    ecs = SdkEcs(REGION, recorder, Credentials(), 1)
    for call in CALLS.values():
        with pytest.raises(CloudError):
            call(ecs)
    return set(recorder.actions)


def policies(stack: Stack) -> dict[str, list[dict[str, Json]]]:
    """Give the statements of each policy, by its name."""
    made = stack.resources("ALIYUN::RAM::ManagedPolicy").values()
    return {one["PolicyName"]: one["PolicyDocument"]["Statement"] for one in made}


def allowed(stack: Stack) -> dict[str, Json]:
    """Give what allows each action; there is one statement for each."""
    found: dict[str, Json] = {}
    for statements in policies(stack).values():
        for one in statements:
            for action in one["Action"]:
                assert action not in found
                found[action] = {name: value for name, value in one.items() if name != "Action"}
    return found


def props() -> Json:
    """Give the function's properties in template.yml."""
    given = load(FILE).value
    assert isinstance(given, dict)
    return given["resources"]["stop_guard"]["props"]


def test_every_call_of_the_port_is_made_here() -> None:
    """The calls above are all that the port to ECS has."""
    port = {name for name, _ in inspect.getmembers(Ecs, inspect.isfunction) if not name.startswith("_")}
    assert port == set(CALLS)


@pytest.mark.parametrize("file", ["stack.yml", "account.yml"])
def test_the_policies_allow_the_calls_and_no_other(file: str) -> None:
    """In ECS the function may make exactly the calls that it makes, in its own account and in others."""
    given = {"FunctionAccount": ACCOUNT_ID} if file == "account.yml" else {}
    ecs = {action for action in allowed(Stack(DEPLOY / file, **given)) if action.startswith("ecs:")}
    assert ecs == {f"ecs:{action}" for action in actions()}


def test_the_rest_is_what_the_template_makes_fc_do() -> None:
    """Beyond ECS the role may write to the template's two queues and its logstore, and that is all."""
    found = allowed(Stack(DEPLOY / "stack.yml"))
    others = {action for action in found if not action.startswith("ecs:")}
    assert others == {"mns:SendMessage", "log:PostLogStoreLogs"}

    queues = [one["destination"] for one in props()["asyncInvokeConfig"]["destinationConfig"].values()]
    of_any = [queue.replace(f":{ACCOUNT_ID}:", ":*:") for queue in queues]
    assert found["mns:SendMessage"]["Resource"] == sorted(of_any)
    log = props()["logConfig"]
    assert found["log:PostLogStoreLogs"]["Resource"] == [
        f"acs:log:{REGION}:*:project/{log['project']}/logstore/{log['logstore']}"
    ]


@pytest.mark.parametrize(
    ("others", "regions"),
    [("", [REGION]), ("cn-beijing", [REGION, "cn-beijing"]), (OTHERS, [REGION, *OTHERS.split(",")])],
)
@pytest.mark.parametrize("file", ["stack.yml", "account.yml"])
def test_only_opted_in_instances_can_be_stopped(file: str, others: str, regions: list[str]) -> None:
    """A stop is allowed only with the tag that the template's settings require, in the regions named."""
    settings = Settings.from_environment({**props()["environmentVariables"], "ALARM_TOKEN": ""})
    tag = settings.required_tag
    assert tag is not None
    given = {"FunctionAccount": ACCOUNT_ID} if file == "account.yml" else {}
    found = allowed(Stack(DEPLOY / file, OtherRegions=others, **given))
    resources = [f"acs:ecs:{region}:*:instance/*" for region in regions]
    for action in ("ecs:StopInstance", "ecs:StopInstances"):
        assert found[action] == {
            "Effect": "Allow",
            "Resource": resources,
            "Condition": {"StringEquals": {f"ecs:tag/{tag.key}": tag.value}},
        }
    # Describing is limited to the regions, not to the tag, or "not opted in" would read as "not found".
    assert found["ecs:DescribeInstances"] == {"Effect": "Allow", "Resource": resources}
    # No form of it for single resources is published.
    assert found["ecs:DescribeInstanceTypes"] == {"Effect": "Allow", "Resource": ["*"]}
    assert settings.regions_allowed(REGION) == {REGION}


def test_pausing_takes_away_stopping_and_nothing_else() -> None:
    """What stops is a policy of its own, in both stacks; the others look, report and log."""
    for stack in (Stack(DEPLOY / "stack.yml"), Stack(DEPLOY / "account.yml", FunctionAccount=ACCOUNT_ID)):
        found = policies(stack)
        (stop,) = found.pop("stop-guard-stop")
        assert stop["Action"] == ["ecs:StopInstance", "ecs:StopInstances"]
        rest = {action for statements in found.values() for one in statements for action in one["Action"]}
        assert rest
        assert not {action for action in rest if "Stop" in action}


def test_only_function_compute_takes_the_role() -> None:
    """The trust policy names Function Compute alone; that of another account the function's role alone."""
    (statement,) = Stack(DEPLOY / "stack.yml").resources()["Role"]["AssumeRolePolicyDocument"]["Statement"]
    assert statement["Principal"] == {"Service": ["fc.aliyuncs.com"]}
    other = Stack(DEPLOY / "account.yml", FunctionAccount=ACCOUNT_ID)
    (statement,) = other.resources()["Role"]["AssumeRolePolicyDocument"]["Statement"]
    assert statement["Principal"] == {"RAM": [Stack(DEPLOY / "stack.yml").outputs["RoleArn"]]}
    assert ROLE_ARN.fullmatch(other.outputs["RoleArn"])


def test_each_feature_of_fleets_needs_one_permission_more() -> None:
    """The roles named can be assumed, and no other; the function can have itself invoked, and no other."""
    plain = allowed(Stack(DEPLOY / "stack.yml"))
    found = allowed(Stack(DEPLOY / "stack.yml", FanOut="true", RoleArns=ROLES))
    assert {action: rule for action, rule in found.items() if action not in plain} == {
        f"sts:{ASSUME_ROLE}": {"Effect": "Allow", "Resource": ROLES.split(",")},
        f"fc:{INVOKE_FUNCTION}": {
            "Effect": "Allow",
            "Resource": [f"acs:fc:{REGION}:*:functions/{props()['functionName']}"],
        },
    }


def test_policies_have_the_form_of_ram() -> None:
    """Version 1, nothing that denies, and each policy is attached to the role."""
    stack = Stack(DEPLOY / "stack.yml", FanOut="true", RoleArns=ROLES)
    for one in stack.resources("ALIYUN::RAM::ManagedPolicy").values():
        assert one["PolicyDocument"]["Version"] == "1"
        assert {statement["Effect"] for statement in one["PolicyDocument"]["Statement"]} == {"Allow"}
        assert one["Roles"] == [stack.resources()["Role"]["RoleName"]]
