"""What a stop does to an instance, when it is refused, and in which state of time it is seen."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.api.api_error import ApiError
from local.emulator.backend import LocalEcs
from local.emulator.behaviour import Behaviour
from local.emulator.fleet import Fleet

ID = "i-bp67acfmxazb4ph001"
REGION = "cn-hangzhou"
NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)

Make = Callable[..., LocalEcs]


def code(ecs: LocalEcs, action: str = "StopInstance", **parameters: str) -> str:
    """Call and give the error's code, empty if it went well."""
    try:
        ecs.call(action, {"InstanceId": ID, **parameters} if action == "StopInstance" else parameters)
    except ApiError as error:
        return error.code
    return ""


def test_running_stopping_stopped(make_ecs: Make, clock: Any) -> None:  # noqa: ANN401 - the fixture's
    """A stopped instance is Stopping for its seconds, then Stopped, by the injected clock alone."""
    ecs = make_ecs({"InstanceId": ID, "x-emulator": {"StopSeconds": 30}})
    ecs.call("StopInstance", {"InstanceId": ID})
    seen = []
    for _ in range(3):
        seen.append(ecs.instance(ID).status)
        clock.advance(15)
    assert seen == ["Stopping", "Stopping", "Stopped"]


def test_stop_seconds_of_the_emulator(make_ecs: Make, clock: Any) -> None:  # noqa: ANN401 - the fixture's
    """Where the instance names no duration, the emulator's own counts."""
    ecs = make_ecs({"InstanceId": ID}, behaviour=Behaviour(stop_seconds=5))
    ecs.call("StopInstance", {"InstanceId": ID})
    clock.advance(4.9)
    assert ecs.instance(ID).status == "Stopping"
    clock.advance(0.1)
    assert ecs.instance(ID).status == "Stopped"


@pytest.mark.parametrize(("status", "then"), [("Starting", "Running"), ("Stopping", "Stopped")])
def test_a_fleet_in_motion(status: str, then: str, make_ecs: Make, clock: Any) -> None:  # noqa: ANN401 - the fixture's
    """An instance that the fleet has on its way gets there; until then it can't be stopped."""
    seconds = {"StopSeconds": 9, "StartSeconds": 9}
    ecs = make_ecs({"InstanceId": ID, "Status": status, "x-emulator": seconds})
    assert code(ecs) == "IncorrectInstanceStatus"
    clock.advance(9)
    assert ecs.instance(ID).status == then


@pytest.mark.parametrize(
    ("instance", "asked", "behaviour", "refusal", "reached"),
    [
        ({}, "StopCharging", {}, "", "StopCharging"),
        ({}, "KeepCharging", {}, "", "KeepCharging"),
        ({}, "", {}, "", "KeepCharging"),
        ({}, "", {"default_stopped_mode": "StopCharging"}, "", "StopCharging"),
        (
            {"InstanceChargeType": "PrePaid"},
            "",
            {"default_stopped_mode": "StopCharging"},
            "",
            "Not-applicable",
        ),
        ({"InstanceChargeType": "PrePaid"}, "KeepCharging", {}, "", "Not-applicable"),
        ({"InstanceChargeType": "PrePaid"}, "StopCharging", {}, "InvalidInstanceId.NotSupport", ""),
        (
            {"InstanceChargeType": "PrePaid"},
            "StopCharging",
            {"stop_charging": "lenient"},
            "",
            "Not-applicable",
        ),
        (
            {"InstanceNetworkType": "classic"},
            "StopCharging",
            {"stop_charging": "lenient"},
            "",
            "Not-applicable",
        ),
        (
            {"InstanceType": "ecs.d2s.5xlarge"},
            "StopCharging",
            {"stop_charging": "lenient"},
            "",
            "Not-applicable",
        ),
        ({"SpotStrategy": "SpotAsPriceGo"}, "StopCharging", {}, "InvalidInstanceId.NotSupport", ""),
        ({"SpotStrategy": "SpotAsPriceGo"}, "StopCharging", {"stop_charging": "lenient"}, "", "StopCharging"),
        (
            {"SpotStrategy": "SpotAsPriceGo", "x-emulator": {"StopCharging": "reject"}},
            *("StopCharging", {"stop_charging": "lenient"}, "InvalidInstanceId.NotSupport", ""),
        ),
        (
            {"InstanceChargeType": "PrePaid", "x-emulator": {"StopCharging": "lenient"}},
            *("StopCharging", {}, "", "Not-applicable"),
        ),
        ({"InstanceType": "ecs.re6p.large"}, "StopCharging", {}, "", "Not-applicable"),
    ],
)
def test_stopped_modes(
    *,
    instance: Mapping[str, object],
    asked: str,
    behaviour: Mapping[str, Any],
    refusal: str,
    reached: str,
    make_ecs: Make,
    clock: Any,  # noqa: ANN401 - the fixture's
) -> None:
    """StopCharging takes effect, is rejected as the table says, or passed over; StoppedMode tells which."""
    ecs = make_ecs({"InstanceId": ID, **instance}, behaviour=Behaviour(**behaviour))
    assert code(ecs, StoppedMode=asked, ConfirmStop="true") == refusal
    clock.advance(60)
    stopped = ecs.instance(ID)
    assert (stopped.status, stopped.stopped_mode) == (
        ("Running", "Not-applicable") if refusal else ("Stopped", reached)
    )


@pytest.mark.parametrize(
    ("parameters", "refusal"),
    [
        ({"InstanceId": ""}, "MissingInstanceId"),
        ({"StoppedMode": "stopcharging"}, "InvalidStoppedMode"),
        ({"DryRun": "yes"}, "InvalidParameter"),
        ({"ForceStop": "1"}, "InvalidParameter"),
        ({"ConfirmStop": "x" * 500}, "InvalidParameter"),
        ({"DryRun": "True"}, "DryRunOperation"),
        ({"DryRun": "true"}, "DryRunOperation"),
        ({"DryRun": "False", "ForceStop": "TRUE"}, ""),
    ],
)
def test_parameters(parameters: dict[str, str], refusal: str, make_ecs: Make) -> None:
    """Parameters are checked as ECS does; both spellings of booleans count; a dry run changes nothing."""
    ecs = make_ecs({"InstanceId": ID})
    assert code(ecs, **parameters) == refusal
    assert ecs.instance(ID).status == ("Running" if refusal else "Stopping")


def test_bad_values_are_quoted_in_part(make_ecs: Make) -> None:
    """An error names the parameter and at most 200 characters of its value."""
    with pytest.raises(ApiError, match="ForceStop is not valid: 'zzz") as raised:
        make_ecs({"InstanceId": ID}).call("StopInstance", {"InstanceId": ID, "ForceStop": "z" * 500})
    assert raised.value.message.count("z") == 200


def test_every_region_is_searched(make_ecs: Make) -> None:
    """StopInstance names no region: the instance is found wherever it is."""
    ecs = make_ecs({"InstanceId": "i-a"}, {"InstanceId": ID, "RegionId": "eu-central-1"})
    assert code(ecs) == ""
    assert ecs.instance(ID).status == "Stopping"


@pytest.mark.parametrize(
    ("region", "refusal"),
    [
        ("eu-central-1", ""),
        (REGION, "InvalidInstanceId.NotFound"),
        ("us-west-1", "InvalidInstanceId.NotFound"),
        ("Hangzhou", "InvalidRegionId.NotFound"),
    ],
)
def test_a_region_that_is_named_counts(region: str, refusal: str, make_ecs: Make) -> None:
    """A call that names a region, as older clients do, finds no instance of another one."""
    ecs = make_ecs({"InstanceId": "i-a"}, {"InstanceId": ID, "RegionId": "eu-central-1"})
    assert code(ecs, RegionId=region) == refusal
    assert ecs.instance(ID).status == ("Running" if refusal else "Stopping")


@pytest.mark.parametrize("more", [{"Hibernate": "true"}, {"InstanceId.1": "i-a"}])
def test_parameters_that_arent_known(more: dict[str, str], make_ecs: Make) -> None:
    """A stop call that asks for what isn't served here isn't carried out without it; empty asks nothing."""
    ecs = make_ecs({"InstanceId": ID})
    with pytest.raises(
        ApiError, match=f"parameter {next(iter(more))} is not valid: ECS has it; the local ECS serves Con"
    ):
        ecs.call("StopInstance", {"InstanceId": ID, **more})
    assert ecs.instance(ID).status == "Running"
    assert code(ecs, **dict.fromkeys(more, "")) == ""


@pytest.mark.parametrize("mode", ["AllTogether", ""])
def test_all_together_is_all_or_none(mode: str, make_ecs: Make) -> None:
    """StopInstances stops none if one can't be stopped, and answers that one's error."""
    ecs = make_ecs({"InstanceId": "i-a"}, {"InstanceId": "i-b", "Status": "Stopped"})
    parameters = {"RegionId": REGION, "InstanceId.1": "i-a", "InstanceId.2": "i-b", "BatchOptimization": mode}
    assert code(ecs, "StopInstances", **parameters) == "IncorrectInstanceStatus"
    assert ecs.instance("i-a").status == "Running"


def test_all_together_dry_run_passes_for_all_or_none(make_ecs: Make) -> None:
    """Under AllTogether a dry run passes for every instance where all can be stopped, else for none."""
    ecs = make_ecs({"InstanceId": "i-a"}, {"InstanceId": "i-b"}, {"InstanceId": "i-c", "Status": "Stopped"})
    given = {"RegionId": REGION, "DryRun": "true", "InstanceId.1": "i-a", "InstanceId.2": "i-b"}
    answer = ecs.call("StopInstances", given)
    said = {each["InstanceId"]: each["Code"] for each in answer["InstanceResponses"]["InstanceResponse"]}
    assert said == {"i-a": "DRYRUN.SUCCESS", "i-b": "DRYRUN.SUCCESS"}
    assert code(ecs, "StopInstances", **given, **{"InstanceId.3": "i-c"}) == "IncorrectInstanceStatus"
    assert [ecs.instance(id_).status for id_ in ("i-a", "i-b")] == ["Running", "Running"]


def test_success_first_dry_run_tells_nothing(make_ecs: Make) -> None:
    """Under SuccessFirst a dry run answers success for every instance, and changes none, as ECS does."""
    ecs = make_ecs({"InstanceId": "i-a"}, {"InstanceId": "i-b", "Status": "Stopped"})
    answer = ecs.call(
        "StopInstances",
        {
            "RegionId": REGION,
            "InstanceId.1": "i-a",
            "InstanceId.2": "i-b",
            "BatchOptimization": "SuccessFirst",
            "DryRun": "true",
        },
    )
    responses = answer["InstanceResponses"]["InstanceResponse"]
    assert [each["Code"] for each in responses] == ["DRYRUN.SUCCESS", "DRYRUN.SUCCESS"]
    assert ecs.instance("i-a").status == "Running"


@pytest.mark.parametrize(
    ("parameters", "refusal"),
    [
        ({"InstanceId.1": "i-a"}, "MissingRegionId"),
        ({"RegionId": REGION}, "MissingInstanceId"),
        ({"RegionId": "Hangzhou", "InstanceId.1": "i-a"}, "InvalidRegionId.NotFound"),
        ({"RegionId": "cn-beijing", "InstanceId.1": "i-a"}, "InvalidInstanceId.NotFound"),
        ({"RegionId": REGION, "InstanceId.x": "i-a"}, "InvalidParameter"),
        ({"RegionId": REGION, "InstanceId.1": "i-a", "BatchOptimization": "x"}, "InvalidBatchOptimization"),
        (
            {"RegionId": REGION, **{f"InstanceId.{n}": f"i-{n}" for n in range(1, 102)}},
            "InvalidParameter.TooManyInstanceIds",
        ),
    ],
)
def test_stop_instances_parameters(parameters: dict[str, str], refusal: str, make_ecs: Make) -> None:
    """StopInstances checks its own parameters, and stops nothing when they are wrong."""
    ecs = make_ecs({"InstanceId": "i-a"})
    with pytest.raises(ApiError) as raised:
        ecs.call("StopInstances", parameters)
    assert raised.value.code == refusal
    assert ecs.instance("i-a").status == "Running"


@given(
    st.fixed_dictionaries(
        {
            "Status": st.sampled_from(["Running", "Stopped", "Stopping", "Starting", "Pending"]),
            "InstanceChargeType": st.sampled_from(["PostPaid", "PrePaid"]),
            "SpotStrategy": st.sampled_from(["NoSpot", "SpotAsPriceGo"]),
            "InstanceType": st.sampled_from(["ecs.g6.large", "ecs.i2.xlarge"]),
            "OperationLocks": st.sampled_from([{}, {"LockReason": [{"LockReason": "security"}]}]),
        }
    ),
    st.fixed_dictionaries(
        {},
        optional={
            "StoppedMode": st.sampled_from(["StopCharging", "KeepCharging"]),
            "ConfirmStop": st.sampled_from(["true", "false"]),
            "ForceStop": st.sampled_from(["true", "false"]),
        },
    ),
)
def test_a_dry_run_foretells_the_call(instance: Mapping[str, object], parameters: dict[str, str]) -> None:
    """A dry run passes exactly if the real call does; else both get the same error, and nothing changes."""
    ecs = LocalEcs(Fleet.from_instances([{"InstanceId": ID, **instance}]), now=lambda: NOON)
    before = ecs.instance(ID)
    foretold = code(ecs, DryRun="true", **parameters)
    assert ecs.instance(ID) == before
    happened = code(ecs, **parameters)
    assert foretold == (happened or "DryRunOperation")
    assert (ecs.instance(ID) == before) == bool(happened)
