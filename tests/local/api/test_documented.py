"""Which parameters are taken, refused and ignored: held to the request models of the installed SDK."""

import re
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from typing import Any

import pytest

from local.api.api_error import ApiError
from local.api.documented import OWNER_PARAMETERS, documented_parameters, in_the_sdk
from local.emulator.actions.registry import ACTIONS
from local.emulator.backend import LocalEcs

ID, REGION = "i-bp67acfmxazb4ph001", "cn-hangzhou"

Make = Callable[..., LocalEcs]


class Recorder(dict[str, Any]):
    """A request's parameters that notes which ones are read."""

    def __init__(self) -> None:
        super().__init__(here=True)  # the models take an empty one for none
        self.read: set[str] = set()

    def get(self, name: str, default: Any = None) -> Any:  # noqa: ANN401 - dict's own
        """Note the name and have nothing."""
        self.read.add(name)
        return default


@pytest.mark.parametrize("action", ACTIONS)
def test_names_are_those_that_the_models_read(action: str) -> None:
    """What is known of an action is what its model in the SDK reads from a request.

    After a new SDK, or for a new action: `python -m local.api.documented [ACTION…]`.
    """
    module = import_module(
        f"alibabacloud_ecs20140526.models._{re.sub('(?<!^)(?=[A-Z])', '_', action).lower()}_request"
    )
    recorder = Recorder()
    getattr(module, f"{action}Request")().from_map(recorder)
    assert documented_parameters(action) == recorder.read == set(in_the_sdk(action))
    assert len(recorder.read) > 4


@pytest.mark.parametrize("action", ACTIONS)
def test_nothing_is_served_that_is_not_documented(action: str) -> None:
    """Each parameter that is served is documented; RegionId is, as some clients add it to any call."""
    served = {name.partition(".")[0] for name in ACTIONS[action].parameters}
    assert served - {"RegionId"} <= documented_parameters(action)


def test_parameters_of_no_action() -> None:
    """An action without a request model has no parameters."""
    assert documented_parameters("GetCallerIdentity") == frozenset()
    assert "RoleArn" in documented_parameters("AssumeRole")


@pytest.mark.parametrize("action", ACTIONS)
def test_what_is_documented_and_not_served_is_refused(action: str, make_ecs: Make) -> None:
    """A parameter that ECS would go by, and the local ECS doesn't, is an error that names it."""
    served = {name.partition(".")[0] for name in ACTIONS[action].parameters}
    for name in documented_parameters(action) - served - OWNER_PARAMETERS:
        ecs = make_ecs({"InstanceId": ID})
        with pytest.raises(ApiError, match=f"parameter {name}(.1)? is not valid: ECS has it"):
            ecs.call(action, {name: "1"})
        assert ecs.instance(ID).status == "Running"


def test_what_is_not_documented_is_ignored_and_noted(make_ecs: Make) -> None:
    """A parameter that the action doesn't document changes nothing, and the remembered call names it."""
    ecs = make_ecs({"InstanceId": ID}, {"InstanceId": "i-other"})
    plain = ecs.call("DescribeInstances", {"RegionId": REGION})
    more = ecs.call("DescribeInstances", {"RegionId": REGION, "on": "x", "InstanceId.1": ID, "Nothing": ""})
    assert more["Instances"] == plain["Instances"]
    assert [call.ignored for call in ecs.calls] == [(), ("on", "InstanceId.1")]


@pytest.mark.parametrize("action", ACTIONS)
def test_owners_are_taken_everywhere(action: str, make_ecs: Make) -> None:
    """The four owner parameters, which old clients send with any call, change nothing and aren't noted."""
    ecs = make_ecs({"InstanceId": ID})
    owners = {"OwnerId": "1", "OwnerAccount": "a", "ResourceOwnerId": "2", "ResourceOwnerAccount": "b"}
    with suppress(ApiError):  # not every action does with these
        ecs.call(action, {"RegionId": REGION, **owners})
    assert ecs.calls[0].ignored == ()
    assert "wner" not in ecs.calls[0].answer.get("Message", "")
