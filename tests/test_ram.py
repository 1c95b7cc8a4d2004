"""The role's policies: what the function's calls need, and nothing else."""

import inspect
import json
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import pytest
import yaml

from function.cloud import sdk
from function.cloud.ecs import SdkEcs
from function.model.credentials import Credentials
from function.model.errors import CloudError
from function.model.ports import ASSUME_ROLE, INVOKE_FUNCTION, Ecs, StopCall
from function.model.request import Selection, StoppedMode
from function.model.scope import ROLE_ARN
from function.settings import Settings

PROJECT = Path(__file__).resolve().parent.parent
POLICY = json.loads((PROJECT / "ram" / "policy.json").read_text())
TEMPLATE = yaml.safe_load((PROJECT / "template.yml").read_text())
PROPS = TEMPLATE["resources"]["stop_guard"]["props"]
REGION = TEMPLATE["vars"]["region"]

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
    "stop": lambda ecs: ecs.stop(STOP, seconds=1),
    "stop_together": lambda ecs: ecs.stop_together([STOP], seconds=1),
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


def statement(action: str) -> dict[str, object]:
    """Give the one statement that allows an action."""
    (found,) = (one for one in POLICY["Statement"] if one["Action"] == action)
    return dict(found)


def test_every_call_of_the_port_is_made_here() -> None:
    """The calls above are all that the port to ECS has."""
    port = {name for name, _ in inspect.getmembers(Ecs, inspect.isfunction) if not name.startswith("_")}
    assert port == set(CALLS)


def test_the_policy_allows_the_calls_and_no_other() -> None:
    """ECS's part of the policy names exactly the actions that the function calls."""
    allowed = [one["Action"] for one in POLICY["Statement"] if one["Action"].startswith("ecs:")]
    assert sorted(allowed) == sorted(f"ecs:{action}" for action in actions())


def test_the_rest_is_what_the_template_makes_fc_do() -> None:
    """Beyond ECS the role may write to the template's two queues and its logstore, and that is all."""
    others = {one["Action"] for one in POLICY["Statement"] if not one["Action"].startswith("ecs:")}
    assert others == {"mns:SendMessage", "log:PostLogStoreLogs"}

    account = "${config('AccountID')}"
    queues = [
        to["destination"].replace("${vars.region}", REGION).replace(account, "*")
        for to in PROPS["asyncInvokeConfig"]["destinationConfig"].values()
    ]
    assert statement("mns:SendMessage")["Resource"] == sorted(queues)
    log = PROPS["logConfig"]
    project = log["project"].replace(account, "*")
    assert statement("log:PostLogStoreLogs")["Resource"] == (
        f"acs:log:{REGION}:*:project/{project}/logstore/{log['logstore']}"
    )


@pytest.mark.parametrize("action", ["ecs:StopInstance", "ecs:StopInstances"])
def test_only_opted_in_instances_can_be_stopped(action: str) -> None:
    """A stop is allowed only with the tag that the template's settings require, in its regions."""
    environment = dict(PROPS["environmentVariables"]) | {"ALARM_TOKEN": ""}
    settings = Settings.from_environment(environment)
    tag = settings.required_tag
    assert tag is not None
    assert statement(action) == {
        "Effect": "Allow",
        "Action": action,
        "Resource": f"acs:ecs:{REGION}:*:instance/*",
        "Condition": {"StringEquals": {f"ecs:tag/{tag.key}": tag.value}},
    }
    assert settings.regions_allowed(REGION) == {REGION}


def test_looking_is_allowed_without_a_tag() -> None:
    """Describing is limited to the region, not to the tag, or "not opted in" would read as "not found"."""
    assert statement("ecs:DescribeInstances") == {
        "Effect": "Allow",
        "Action": "ecs:DescribeInstances",
        "Resource": f"acs:ecs:{REGION}:*:instance/*",
    }
    # No form of it for single resources is published.
    assert statement("ecs:DescribeInstanceTypes")["Resource"] == "*"


def test_only_function_compute_takes_the_role() -> None:
    """The trust policy names Function Compute and nobody else."""
    trust = json.loads((PROJECT / "ram" / "trust-policy.json").read_text())
    assert [one["Principal"] for one in trust["Statement"]] == [{"Service": ["fc.aliyuncs.com"]}]


def test_a_role_of_another_account_may_do_what_the_function_may() -> None:
    """In ECS exactly the same, and nothing else; only the function's own role can take it."""
    account = json.loads((PROJECT / "ram" / "account-policy.json").read_text())
    assert account["Statement"] == [one for one in POLICY["Statement"] if one["Action"].startswith("ecs:")]
    trust = json.loads((PROJECT / "ram" / "account-trust-policy.json").read_text())
    (principal,) = (arn for one in trust["Statement"] for arn in one["Principal"]["RAM"])
    assert ROLE_ARN.fullmatch(principal)
    assert principal.endswith(f":role/{PROPS['role']}")


@pytest.mark.parametrize(
    ("name", "action", "resource"),
    [
        ("accounts-policy.json", f"sts:{ASSUME_ROLE}", f"acs:ram::*:role/{PROPS['role']}"),
        (
            "fan-out-policy.json",
            f"fc:{INVOKE_FUNCTION}",
            f"acs:fc:{REGION}:*:functions/{PROPS['functionName']}",
        ),
    ],
)
def test_each_feature_of_fleets_needs_one_permission_more(name: str, action: str, resource: str) -> None:
    """Roles of this name can be assumed; the function can have itself invoked, and no other."""
    (only,) = json.loads((PROJECT / "ram" / name).read_text())["Statement"]
    assert only == {"Effect": "Allow", "Action": action, "Resource": resource}


def test_policies_have_the_form_of_ram() -> None:
    """Version 1, and no statement that denies or forgets its effect."""
    for path in (PROJECT / "ram").iterdir():
        policy = json.loads(path.read_text())
        assert policy["Version"] == "1"
        assert {one["Effect"] for one in policy["Statement"]} == {"Allow"}
