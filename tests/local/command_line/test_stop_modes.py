"""What a plan says of the stops' price: read by somebody who does not know the modes."""

from typing import Any

import pytest

from local.command_line.stop_modes import modes_explained
from tests.stage import SetStage

FIXED = {"PublicIpAddress": {"IpAddress": ["203.0.113.7"]}}
ELASTIC = {"EipAddress": {"IpAddress": "203.0.113.8"}}
SUBSCRIPTION = {"InstanceChargeType": "PrePaid"}


def explained(stage: SetStage, mode: str, *instances: dict[str, Any], dry_run: bool = True) -> str:
    """Explain a plan to stop these."""
    fleet = [{"InstanceId": f"i-bp1{number}", **one} for number, one in enumerate(instances)]
    event = {"InstanceIds": [one["InstanceId"] for one in fleet], "StoppedMode": mode, "DryRun": dry_run}
    return "\n".join(modes_explained(stage(*fleet).invoke(event).lines))


@pytest.mark.parametrize(
    ("instances", "words"),
    [
        (({}, {}), "2 with KeepCharging: they keep vCPUs, memory and public address, and 2 of them would be"),
        (({}, SUBSCRIPTION), "and 1 of them would be charged as if running"),
        ((SUBSCRIPTION,), "and are paid for as subscriptions, stopped or not."),
    ],
)
def test_keeping_is_explained(stage: SetStage, instances: tuple[dict[str, Any], ...], words: str) -> None:
    """It keeps all and costs as much, but what is paid for anyway is not called a cost."""
    text = explained(stage, "KeepCharging", *instances)
    assert words in text
    assert "StopCharging:" not in text


@pytest.mark.parametrize(
    ("instances", "words"),
    [
        (({}, ELASTIC), "None has a public address that it would lose: an Elastic IP stays."),
        (
            (FIXED | {"InstanceName": "web\x1b[2J"}, FIXED),
            "Another public IP address at the start: i-bp10 (web",
        ),
        ((FIXED, ELASTIC, {}), ": i-bp10; not so the other 2, with an Elastic IP or no address."),
    ],
)
def test_saving_is_explained(stage: SetStage, instances: tuple[dict[str, Any], ...], words: str) -> None:
    """It needs stock in the morning; who comes back with another address is named, and who does not."""
    text = explained(stage, "StopCharging", *instances)
    assert words in text
    assert "free stock" in text
    assert text.replace("\n", "").isprintable()
    assert "KeepCharging:" not in text


def test_a_run_that_stops_has_no_use_for_it(stage: SetStage) -> None:
    """Nor has a plan that would stop nothing."""
    assert explained(stage, "StopCharging", FIXED, dry_run=False) == ""
    assert explained(stage, "StopCharging", {"Tags": {"Tag": []}}) == ""
