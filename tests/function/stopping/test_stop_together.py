"""Many instances that are stopped alike: StopInstances, in which none of them spoils the others."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from random import Random

import pytest

from function.cloud import sdk
from function.cloud.ecs import SdkEcs
from function.model.credentials import Credentials
from function.model.errors import CloudError
from function.model.ports import ConnectEcs, Ecs, StopCall
from local.emulator.fault_text import parse_fault
from tests.stage import WITH_DISKS, SetStage, error


def ids(count: int) -> list[str]:
    """Name some instances."""
    return [f"i-bp1many{n:03}" for n in range(count)]


def fleet(count: int, **fields: object) -> list[dict[str, object]]:
    """Make instances without local disks."""
    return [{"InstanceId": one, "LocalStorageAmount": 0, **fields} for one in ids(count)]


def test_many_are_stopped_by_hundreds(stage: SetStage) -> None:
    """250 instances take three StopInstances, each instance in one of them, in SuccessFirst."""
    played = stage(*fleet(250)).invoke({"InstanceIds": ids(250)}, MAX_INSTANCES="250")
    assert all(int(str(one["duration_ms"])) >= 1_000 for one in played.outcomes.values())
    assert played.report["summary"] == {"total": 250, "stopped": 250}
    assert sorted(map(len, played.batches)) == [50, 100, 100]
    assert sorted(one for batch in played.batches for one in batch) == ids(250)
    assert played.stops == []
    sent = next(call.parameters for call in played.calls if call.action == "StopInstances")
    assert {name: text for name, text in sent.items() if not name.startswith("InstanceId.")} == {
        "RegionId": "cn-hangzhou",
        "BatchOptimization": "SuccessFirst",
        "StoppedMode": "KeepCharging",
        "ForceStop": "False",
        "DryRun": "False",
    }


def test_a_few_have_a_call_each(stage: SetStage) -> None:
    """Three are stopped one by one, four together."""
    assert stage(*fleet(3)).invoke({"InstanceIds": ids(3)}).batches == []
    assert stage(*fleet(4)).invoke({"InstanceIds": ids(4)}).batches == [ids(4)]


def test_only_what_is_stopped_alike_goes_together(stage: SetStage) -> None:
    """Two modes make two calls; local disks need ConfirmStop, which StopInstances does not have."""
    kinds: list[dict[str, object]] = [{}, {"InstanceChargeType": "PrePaid"}, {**WITH_DISKS}]
    instances = [one | kinds[n % 3] for n, one in enumerate(fleet(15))]
    event = {"InstanceIds": ids(15), "StoppedMode": "StopCharging", "ConfirmStop": True}
    played = stage(*instances).invoke(event)
    assert played.report["summary"] == {"total": 15, "stopped": 15}
    assert sorted(played.batches) == [ids(15)[0::3], ids(15)[1::3]]
    assert sorted(stop["InstanceId"] for stop in played.stops) == ids(15)[2::3]
    modes = {one: played.outcomes[one]["stopped_mode"] for one in ids(3)}
    assert [mode["expected"] for mode in modes.values() if isinstance(mode, dict)] == [
        "StopCharging",
        "KeepCharging",
        "KeepCharging",
    ]


def test_only_what_is_forced_alike_goes_together(stage: SetStage) -> None:
    """Two events of one delivery make two calls where but one of them forces."""
    events = [{"InstanceIds": ids(8)[:4], "ForceStop": True}, {"InstanceIds": ids(8)[4:]}]
    played = stage(*fleet(8)).invoke(events)
    forced = {
        call.parameters["InstanceId.1"]: call.parameters["ForceStop"]
        for call in played.calls
        if call.action == "StopInstances"
    }
    assert sorted(played.batches) == [ids(8)[:4], ids(8)[4:]]
    assert forced == {ids(8)[0]: "True", ids(8)[4]: "False"}


def test_a_dry_run_never_goes_together(stage: SetStage) -> None:
    """SuccessFirst passes every dry run, even of what can't be stopped, so each has its own call."""
    broken = {"x-emulator": {"StopInstance": "DiskError"}}
    played = stage(*fleet(9), {"InstanceId": "i-bp1broken", **broken}).invoke(
        {"InstanceIds": [*ids(9), "i-bp1broken"], "DryRun": True}
    )
    assert played.batches == []
    assert played.report["summary"] == {"total": 10, "would_stop": 9, "failed": 1}


def test_one_does_not_spoil_the_others(stage: SetStage) -> None:
    """What ECS refuses of a batch has its own outcome and reason; the rest is stopped by that one call."""
    spoilt = [
        {"InstanceId": "i-bp1disk", "x-emulator": {"StopInstance": "DiskError"}},
        {
            "InstanceId": "i-bp1kms",
            "x-emulator": {"StopInstance": "InvalidParameter.KMSKeyId.KMSUnauthorized"},
        },
    ]
    everyone = [*ids(8), "i-bp1disk", "i-bp1kms"]
    played = stage(*fleet(8), *({"LocalStorageAmount": 0} | one for one in spoilt)).invoke(
        {"InstanceIds": everyone}
    )
    assert played.report["summary"] == {"total": 10, "stopped": 8, "refused": 1, "failed": 1}
    assert played.outcomes["i-bp1disk"]["code"] == "DiskError"
    assert played.outcomes["i-bp1kms"]["code"] == "InvalidParameter.KMSKeyId.KMSUnauthorized"
    assert played.batches == [everyone]
    assert played.stops == []


@pytest.mark.parametrize("code", ["Forbidden.RAM", "InvalidInstanceId.NotFound", "IncorrectInstanceStatus"])
def test_refused_as_a_whole_they_go_on_alone(stage: SetStage, code: str) -> None:
    """A role without ecs:StopInstances, or one bad id, costs a call, not the run."""
    played = stage(*fleet(6), faults=(error("StopInstances", code),)).invoke({"InstanceIds": ids(6)})
    assert played.report["summary"] == {"total": 6, "stopped": 6}
    assert played.batches == [ids(6)]
    assert sorted(stop["InstanceId"] for stop in played.stops) == ids(6)
    assert {outcome["attempts"] for outcome in played.outcomes.values()} == {2}


def test_together_and_alone_are_five_tries_at_most(stage: SetStage) -> None:
    """A call together that may have been done counts as a try of each of its instances."""
    faults = (parse_fault("StopInstances=SomethingNew,status=500"), error("StopInstance", "InternalError"))
    played = stage(*fleet(6), faults=faults).invoke({"InstanceIds": ids(6)})
    assert played.report["summary"] == {"total": 6, "failed": 6}
    assert {outcome["attempts"] for outcome in played.outcomes.values()} == {5}


def test_refused_as_a_whole_and_done_all_the_same(stage: SetStage) -> None:
    """No instance gets a call of its own before a look: here they all turn out to be stopping."""
    fault = parse_fault("StopInstances=IncorrectInstanceStatus,when=after")
    played = stage(*fleet(6), faults=(fault,)).invoke({"InstanceIds": ids(6)})
    assert played.batches == [ids(6)]
    assert played.stops == []
    assert played.answer.error is None


class Forgetful(SdkEcs):
    """Says nothing of the first instance of a StopInstances, but has it stopped."""

    def stop_together(
        self, calls: Sequence[StopCall], *, seconds: float, fresh_seconds: float
    ) -> Mapping[str, str | CloudError]:
        """Skip the first out of the answer."""
        answers = super().stop_together(calls, seconds=seconds, fresh_seconds=fresh_seconds)
        return {one: answer for one, answer in answers.items() if one != calls[0].instance_id}


class Careless(SdkEcs):
    """Says nothing of the first instance of a StopInstances, and does nothing about it either."""

    def stop_together(
        self, calls: Sequence[StopCall], *, seconds: float, fresh_seconds: float
    ) -> Mapping[str, str | CloudError]:
        """Skip the first out of the call."""
        return super().stop_together(calls[1:], seconds=seconds, fresh_seconds=fresh_seconds)


class Denying(SdkEcs):
    """Does not let the first instance of a StopInstances be stopped by it."""

    def stop_together(
        self, calls: Sequence[StopCall], *, seconds: float, fresh_seconds: float
    ) -> Mapping[str, str | CloudError]:
        """Deny the first."""
        denied = CloudError("Forbidden.RAM", "not by this action")
        return {
            **super().stop_together(calls[1:], seconds=seconds, fresh_seconds=fresh_seconds),
            calls[0].instance_id: denied,
        }


def connecting(kind: type[SdkEcs]) -> ConnectEcs:
    """Make the ways to ECS of this kind."""

    def connect_ecs(
        region_id: str, credentials: Credentials, *, endpoint: str | None, connections: int
    ) -> Ecs:
        client = sdk.Client(sdk.config(region_id, credentials, endpoint))
        return kind(region_id, client, credentials, connections)

    return connect_ecs


class Holding(SdkEcs):
    """Answers a StopInstances with a throttled one for each instance, and does nothing."""

    def stop_together(
        self, calls: Sequence[StopCall], *, seconds: float, fresh_seconds: float
    ) -> Mapping[str, str | CloudError]:
        """Hold all of them back."""
        del seconds, fresh_seconds
        return {call.instance_id: CloudError("Throttling.User", "not now") for call in calls}


def test_what_is_throttled_in_a_call_goes_on_alone(stage: SetStage) -> None:
    """The call itself passed, so no window tells when to come back with it: each goes on by itself."""
    set_up = stage(*fleet(5))
    function = set_up.function()
    function.ports = replace(function.ports, connect_ecs=connecting(Holding))
    assert function.invoke(json.dumps({"InstanceIds": ids(5)}).encode()).error is None
    assert sorted(
        call.parameters["InstanceId"] for call in set_up.ecs.calls if call.action == "StopInstance"
    ) == ids(5)


@pytest.mark.parametrize(("kind", "asked"), [(Forgetful, 1), (Careless, 2), (Denying, 2)])
def test_what_is_not_said_is_looked_at(stage: SetStage, kind: type[SdkEcs], asked: int) -> None:
    """An instance without a word in the answer may be stopping or not: it is asked for again only if not.

    One that StopInstances may not stop is asked for on its own.
    """
    set_up = stage(*fleet(4))
    function = set_up.function()
    function.ports = replace(function.ports, connect_ecs=connecting(kind))
    answer = function.invoke(json.dumps({"InstanceIds": ids(4)}).encode())
    report = answer.returned
    assert report is not None, answer.error
    assert report["summary"] == {"total": 4, "stopped": 4}
    outcomes = report["outcomes"]
    assert isinstance(outcomes, list)
    attempts = {outcome["instance_id"]: outcome["attempts"] for outcome in outcomes}
    assert attempts == dict.fromkeys(ids(4), 1) | {ids(4)[0]: asked}


def test_out_of_time_alone_says_so(stage: SetStage) -> None:
    """What was refused as a whole and had no time to go on alone says that, and no other mode."""
    faults = (error("StopInstances", "Forbidden.RAM"), error("StopInstance", "Throttling.User"))
    played = stage(*fleet(6), faults=faults).invoke({"InstanceIds": ids(6)}, timeout=30, CONCURRENCY="1")
    messages = {one["message"] for one in played.outcomes.values() if one["code"] == "Client.OutOfTime"}
    assert messages == {"time ran out before it could be asked again, on its own"}


def test_economical_mode_refused_is_asked_again_together(stage: SetStage) -> None:
    """Preemptible instances whose StopCharging is refused are stopped with KeepCharging, and warned of."""
    spot = fleet(5, SpotStrategy="SpotAsPriceGo")
    played = stage(*spot).invoke({"InstanceIds": ids(5), "StoppedMode": "StopCharging"})
    assert played.report["summary"] == {"total": 5, "stopped": 5}
    assert played.batches == [ids(5), ids(5)]
    assert all("InvalidInstanceId.NotSupport" in str(one["warnings"]) for one in played.outcomes.values())


def test_a_throttled_batch_waits_for_the_next_window(stage: SetStage) -> None:
    """StopInstances has a quota of its own; what it keeps waiting is looked at again, and stopped."""
    fault = parse_fault("StopInstances=quota,per-minute=1")
    played = stage(*fleet(250), faults=(fault,)).invoke(
        {"InstanceIds": ids(250)}, timeout=900, MAX_INSTANCES="250"
    )
    assert played.report["summary"] == {"total": 250, "stopped": 250}
    assert played.stops == []


def test_what_fails_together_comes_back_together(stage: SetStage) -> None:
    """After a fault on whole batches the next ones are as large, and one look serves a hundred again."""
    faults = tuple(parse_fault(f"StopInstances:{number}=InternalError") for number in (1, 2, 3))
    set_up = stage(*fleet(300), faults=faults)
    function = set_up.function(MAX_INSTANCES="300")
    function.ports = replace(function.ports, chance=Random(1).random)
    answer = function.invoke(json.dumps({"InstanceIds": ids(300)}).encode())
    assert answer.returned is not None, answer.error
    assert answer.returned["summary"] == {"total": 300, "stopped": 300}
    calls = Counter(call.action for call in set_up.ecs.calls)
    assert (calls["StopInstances"], calls["StopInstance"]) == (6, 0)
    assert calls["DescribeInstances"] <= 20
