"""The six rules that must hold on every run, over generated fleets and requests, at the wire of ECS."""

from dataclasses import dataclass

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from local.function_compute import Runtime
from tests.stage import Played, Stage, staging

IDS = [f"i-bp1rule{n}" for n in range(5)]


@dataclass(frozen=True)
class Case:
    """A fleet, what is asked, and what the environment says."""

    fleet: list[dict[str, object]]
    request: dict[str, object]
    environment: dict[str, str]

    @property
    def named(self) -> list[str]:
        """The ids that the request names."""
        ids = self.request["InstanceIds"]
        assert isinstance(ids, list)
        return ids


def tags(*pairs: tuple[str, str]) -> dict[str, object]:
    """Write tags as DescribeInstances does."""
    return {"Tag": [{"TagKey": key, "TagValue": value} for key, value in pairs]}


DISKS: list[dict[str, object]] = [
    {},
    {"LocalStorageAmount": 0},
    {"InstanceType": "ecs.i2.xlarge"},
    {"InstanceType": "ecs.odd1.xlarge", "LocalStorageAmount": 2},
]


def instances(instance_id: str) -> st.SearchStrategy[dict[str, object]]:
    """Draw an instance that may have anything in the way of being stopped."""
    opted_in = ("auto-stop", "true")
    rest = st.fixed_dictionaries(
        {
            "InstanceId": st.just(instance_id),
            "Status": st.sampled_from(["Running"] * 4 + ["Stopped", "Stopping", "Starting", "Pending"]),
            "Tags": st.sampled_from(
                [tags(opted_in)] * 4 + [tags(), tags(opted_in, ("stop-guard", "protected"))]
            ),
            "InstanceChargeType": st.sampled_from(["PostPaid", "PrePaid"]),
            "OperationLocks": st.sampled_from(
                [{}] * 4 + [{"LockReason": [{"LockReason": reason}]} for reason in ("security", "Recycling")]
            ),
        },
        optional={
            "InstanceNetworkType": st.sampled_from(["vpc", "classic"]),
            "RegionId": st.sampled_from(["cn-hangzhou", "cn-shanghai"]),
        },
    )
    return st.tuples(rest, st.sampled_from(DISKS)).map(lambda drawn: drawn[0] | drawn[1])


CASES = st.builds(
    Case,
    fleet=st.tuples(*map(instances, IDS)).map(list),
    request=st.fixed_dictionaries(
        {"InstanceIds": st.lists(st.sampled_from([*IDS, "i-bp1absent"]), min_size=1, max_size=8)},
        optional={
            "StoppedMode": st.sampled_from(["StopCharging", "KeepCharging"]),
            "ConfirmStop": st.booleans(),
            "ForceStop": st.booleans(),
            "DryRun": st.booleans(),
            "RegionId": st.sampled_from(["cn-hangzhou", "cn-shanghai", "cn-beijing"]),
        },
    ),
    environment=st.fixed_dictionaries(
        {},
        optional={
            "ALLOWED_REGIONS": st.just("cn-hangzhou,cn-shanghai"),
            "MAX_INSTANCES": st.sampled_from(["0", "2", "100"]),
            "STOPPED_MODE": st.sampled_from(["StopCharging", "KeepCharging"]),
            "DRY_RUN": st.sampled_from(["true", "false"]),
        },
    ),
)


def has_disks(instance: dict[str, object]) -> bool:
    """Whether a stop would put local disks at risk, by what the fleet says."""
    return instance.get("InstanceType") is not None


def check(case: Case, stage: Stage, played: Played, before: dict[str, str]) -> None:
    """Hold one run against the rules, by the calls that ECS got and the states it is in."""
    fleet = {str(instance["InstanceId"]): instance for instance in case.fleet}
    region = case.request.get("RegionId", "cn-hangzhou")
    allowed = case.environment.get("ALLOWED_REGIONS", "cn-hangzhou").split(",")
    dry = case.request.get("DryRun", False) or case.environment.get("DRY_RUN") == "true"
    wished = case.request.get("StoppedMode") or case.environment.get("STOPPED_MODE") or "KeepCharging"
    for stop in played.stops:
        instance = fleet[stop["InstanceId"]]
        consent = case.request.get("ConfirmStop", False)
        # Rule 1: locks and local disks. Rule 6: nothing outside what the environment allows.
        assert "security" not in str(instance["OperationLocks"])
        assert consent or not has_disks(instance)
        assert region in allowed
        assert instance.get("RegionId", "cn-hangzhou") == region
        assert "'auto-stop'" in str(instance["Tags"])
        assert "protected" not in str(instance["Tags"])
        # Rule 2: the parameters are what was decided.
        assert stop.get("ConfirmStop", "False") == str(bool(consent) and has_disks(instance))
        assert stop["ForceStop"] == str(case.request.get("ForceStop", False))
        assert stop["DryRun"] == str(bool(dry))
        economical = (
            instance["InstanceChargeType"] == "PostPaid"
            and instance.get("InstanceNetworkType", "vpc") == "vpc"
            and not has_disks(instance)
        )
        assert stop["StoppedMode"] == (wished if economical else "KeepCharging")
    assert len(played.stops) <= int(case.environment.get("MAX_INSTANCES", "100"))
    # Rule 3: a dry run changes nothing.
    for instance_id, status in before.items():
        if dry and status == "Running":
            assert stage.ecs.instance(instance_id).status == "Running"
    # Rule 4: each target of an accepted event has one outcome.
    if not played.refusals:
        assert sorted(played.outcomes) == sorted(set(case.named))
        assert len([line for line in played.lines if "status" in line]) == len(set(case.named))


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(CASES)
def test_the_six_rules(case: Case) -> None:
    """Whatever the fleet, the request and the environment: the rules hold, and again when it runs again."""
    with staging() as make:
        stage = make(*case.fleet)
        before = {one: stage.ecs.instance(one).status for one in IDS}
        played = stage.invoke(case.request, runtime=Runtime.PYTHON_3_12, timeout=300, **case.environment)
        check(case, stage, played, before)
        # Rule 5: the same event again does no more than it did once.
        stopped = {stop["InstanceId"] for stop in played.stops if stop["DryRun"] == "False"}
        again = stage.invoke(case.request, runtime=Runtime.PYTHON_3_12, timeout=300, **case.environment)
        assert not stopped & {stop["InstanceId"] for stop in again.stops}
