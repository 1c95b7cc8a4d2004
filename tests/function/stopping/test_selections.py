"""Selections of more instances than ECS's filters hold for: all that is meant is found, and nothing else."""

import json
from dataclasses import dataclass
from typing import cast

import pytest

from function.model.instance import Instance
from function.model.ports import Ecs, Page
from function.model.request import Selection, Tag
from function.model.scope import Scope
from function.stopping.calls import Caller
from function.stopping.clients import Clients
from function.stopping.inventory import list_selected
from function.stopping.throttle import Throttle
from local.emulator.clock import VirtualClock
from local.emulator.fault_text import parse_fault
from tests.function.stopping.test_calls import OneWorker
from tests.stage import NOW, SetStage

MANY, OTHERS = 1_205, 30
TAGS = {"Tags": {"Tag": [{"TagKey": "auto-stop", "TagValue": "true"}, {"TagKey": "env", "TagValue": "dev"}]}}
DEV = {"Tag": [{"Key": "env", "Value": "dev"}]}


@pytest.mark.parametrize(
    ("selection", "more"),
    [
        (DEV, {}),
        ({"ResourceGroupId": "rg-one"}, {"ResourceGroupId": "rg-one"}),
        ({**DEV, "ResourceGroupId": "rg-one", "ZoneId": "cn-hangzhou-h"}, {"ResourceGroupId": "rg-one"}),
    ],
)
def test_more_than_the_filters_hold_for(
    stage: SetStage, selection: dict[str, object], more: dict[str, object]
) -> None:
    """A listing that reaches 1,000 begins anew without them, and what they would say is looked at here."""
    zone = {"ZoneId": "cn-hangzhou-h", "LocalStorageAmount": 0}
    meant = [{"InstanceId": f"i-bp1dev{n:04}", **TAGS, **more, **zone} for n in range(MANY)]
    others = [{"InstanceId": f"i-bp1web{n:04}", **zone, "ResourceGroupId": "rg-two"} for n in range(OTHERS)]
    set_up = stage(*others, *meant)
    played = set_up.invoke(selection, MAX_INSTANCES=str(MANY), VERIFY_SECONDS="0", DRY_RUN="false")
    assert played.report["summary"] == {"total": MANY, "stopping": MANY}
    assert {one["InstanceId"] for one in meant} == set(played.outcomes)


def test_what_the_filters_hold_for_is_listed_once(stage: SetStage) -> None:
    """With fewer no call is wasted."""
    fleet = [{"InstanceId": f"i-bp1dev{n:04}", **TAGS} for n in range(150)]
    played = stage(*fleet).invoke({**DEV, "DryRun": True}, MAX_INSTANCES="100")
    assert played.count("DescribeInstances") == 2


def test_regions_have_pages_of_their_own(stage: SetStage) -> None:
    """Two regions may number their pages alike; each is listed to its own end."""
    regions = ("cn-hangzhou", "cn-shanghai")
    fleet = [
        {"InstanceId": f"i-bp1{one}{n:03}", "RegionId": one, **TAGS} for one in regions for n in range(101)
    ]
    played = stage(*fleet).invoke(
        {**DEV, "RegionIds": regions, "DryRun": True}, ALLOWED_REGIONS=",".join(regions), MAX_INSTANCES="202"
    )
    assert played.report["region_errors"] == []
    assert played.report["summary"] == {"total": 202, "would_stop": 202}


def test_every_tag_of_a_selection_counts(stage: SetStage) -> None:
    """What carries one of two tags is not meant, though ECS should list it."""
    both, one = "i-bp1both", "i-bp1one"
    team = {"TagKey": "team", "TagValue": "web"}
    tags = {"Tags": {"Tag": [*TAGS["Tags"]["Tag"], team]}}
    shown = f"DescribeInstances=shown,instance={one},name=Tags,value={json.dumps(TAGS['Tags'])}"
    set_up = stage({"InstanceId": both, **tags}, {"InstanceId": one, **tags}, faults=(parse_fault(shown),))
    played = set_up.invoke({"Tag": [*DEV["Tag"], {"Key": "team", "Value": "web"}]})
    assert {name: outcome["status"] for name, outcome in played.outcomes.items()} == {both: "stopped"}


def test_who_does_not_say_its_group_is_believed_to_be_in_the_one_asked_for(stage: SetStage) -> None:
    """ECS has looked at the group by itself; what says another one is not meant."""
    silent, other = "i-bp1silent", "i-bp1other"
    fleet = [{"InstanceId": one, "ResourceGroupId": "rg-one"} for one in (silent, other)]
    shown = [
        parse_fault(f"DescribeInstances=shown,instance={one},name=ResourceGroupId,value={json.dumps(value)}")
        for one, value in ((silent, ""), (other, "rg-two"))
    ]
    played = stage(*fleet, faults=tuple(shown)).invoke({"ResourceGroupId": "rg-one"})
    assert {name: one["status"] for name, one in played.outcomes.items()} == {silent: "stopped"}


@dataclass
class SameTokens:
    """ECS of a region that has two pages, with the token that another region's first page has, too."""

    region_id: str

    def select(self, _: Selection, next_token: str | None, *, seconds: float) -> Page:
        """See `Ecs.select`."""
        del seconds
        found = {
            "InstanceId": f"i-{self.region_id}-{next_token or 'first'}",
            "RegionId": self.region_id,
            "Status": "Running",
            **TAGS,
        }
        return Page(instances=(Instance.model_validate(found),), next_token=None if next_token else "second")


def test_a_token_is_of_its_own_region() -> None:
    """A token that another region gave, too, is no sign of a page that comes again."""
    scopes = [Scope(region_id="cn-hangzhou"), Scope(region_id="cn-shanghai")]
    clients = Clients({scope: cast("Ecs", SameTokens(scope.region_id)) for scope in scopes})
    clock = VirtualClock(NOW)
    caller = Caller(Throttle(clock, 0.0, deadline=60.0), OneWorker(clock), 1)
    listed = list_selected(Selection(tags=(Tag(key="env", value="dev"),)), scopes, clients, caller)
    assert [len(page.instances) for page in listed.values() if isinstance(page, Page)] == [2, 2]
