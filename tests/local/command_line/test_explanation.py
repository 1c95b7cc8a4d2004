"""Explaining a run: every call, its signature, why others are missing; nothing secret, nothing invisible."""

import hashlib
import hmac
import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from function.settings import Settings
from local.command_line.commands import app
from local.command_line.explanation import NotMeant, endpoint_of, explain
from local.command_line.playback import Playback, play
from local.emulator.backend import LocalEcs
from local.emulator.fleet import Fleet
from local.emulator.fleet_file import load_fleet, sample_fleet
from local.emulator.invocations import Answer
from local.samples.typed_call import typed_call

EVENTS = Path(__file__).parents[3] / "events"
OPTED_IN = {"Tag": [{"TagKey": "auto-stop", "TagValue": "true"}]}
ID, OTHER, LOCKED = "i-bp1a", "i-bp1b", "i-bp1c"
FLEET = Fleet.from_instances(
    [
        {"InstanceId": ID, "Tags": OPTED_IN, "RegionId": "cn-beijing", "InstanceType": "ecs.c7.large"},
        {"InstanceId": OTHER, "Tags": OPTED_IN, "RegionId": "cn-beijing"},
        {
            "InstanceId": LOCKED,
            "Tags": OPTED_IN,
            "RegionId": "cn-beijing",
            "OperationLocks": {"LockReason": [{"LockReason": "security"}]},
        },
    ]
)
EVENT = json.dumps({"InstanceIds": [ID, OTHER, LOCKED], "RegionId": "cn-beijing", "ForceStop": True}).encode()


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Playback:
    """Play the event on the fleet, with the region allowed."""
    monkeypatch.setenv("ALLOWED_REGIONS", "cn-beijing")
    return play(EVENT, FLEET)


def headings(text: str) -> list[str]:
    """Give the headings of calls and of what is missing."""
    return re.findall(r"^## (.+)$", text, re.MULTILINE)


def fenced(text: str, title: str) -> list[str]:
    """Give the fenced text under each heading of that title."""
    return re.findall(rf"^### {title}\n\n```\w+\n(.*?)\n```$", text, re.MULTILINE | re.DOTALL)


def test_each_call_is_there_once(run: Playback) -> None:
    """Looking, learning the types, each stop; looking again while they stop is left out, and counted."""
    text = "\n\n".join(explain(run))
    assert headings(text) == [
        "1. DescribeInstances in cn-beijing",
        "2. DescribeInstanceTypes in cn-beijing",
        f"3. StopInstance {ID} in cn-beijing",
        f"4. StopInstance {OTHER} in cn-beijing",
        "No stop call",
    ]
    assert f"makes {len(run.calls)} calls in all" in text
    assert len(run.calls) > 4
    assert f"- {LOCKED}: InstanceLockedForSecurity: " in text


def test_calls_of_a_session(clock: Any, wire: Callable[..., Any]) -> None:  # noqa: ANN401 - a VirtualClock
    """A session's calls are told from the same ones in another account; its secret is nowhere to sign with.

    AssumeRole is there with its signature and with code for the SDKs of STS.
    """
    ecs = LocalEcs(FLEET, now=clock.now)
    client = wire(ecs)
    role = {"RoleArn": f"acs:ram::{ecs.account_id}:role/r", "RoleSessionName": "me"}
    session = client.acs3("AssumeRole", role, x_acs_version="2015-04-01").json["Credentials"]
    look = {"RegionId": "cn-beijing"}
    client.acs3("DescribeInstances", look)
    client.acs3(
        "DescribeInstances",
        {**look, "MaxResults": "1"},
        access_key_id=session["AccessKeyId"],
        secret=session["AccessKeySecret"],
        x_acs_security_token=session["SecurityToken"],
    )
    other = replace(ecs.calls[1], account_id="2345678901234567")
    calls = tuple(
        (call, typed_call(call.action, "cn-beijing", call.parameters)) for call in (*ecs.calls, other)
    )
    text = "\n\n".join(explain(Playback(calls=calls, answers=(Answer(),), lines=())))
    assert headings(text) == [
        "1. AssumeRole in cn-beijing",
        *(f"{number}. DescribeInstances in cn-beijing" for number in (2, 3, 4)),
        "No stop call",
    ]
    assert text.count("With the secret of a session in account ") == 1
    assert len(fenced(text, "Signature")) == 3
    assert "aliyun sts AssumeRole" in text
    of_sts, of_ecs = fenced(text, "Python")
    assert "alibabacloud_sts20150401" in of_sts
    assert "alibabacloud_ecs20140526" in of_ecs
    assert session["SecurityToken"] not in text


def test_the_signature_can_be_checked_by_hand(run: Playback) -> None:
    """The string to sign has the canonical request's digest, and the signature is its HMAC by the key."""
    text = "\n\n".join(explain(run))
    canonical, to_sign = fenced(text, "Canonical request"), fenced(text, "String to sign")
    signatures = fenced(text, "Signature")
    assert len(canonical) == 4
    for request, signed, signature in zip(canonical, to_sign, signatures, strict=True):
        assert signed == f"ACS3-HMAC-SHA256\n{hashlib.sha256(request.encode()).hexdigest()}"
        assert signature == hmac.digest(b"emulator", signed.encode(), "sha256").hex()


def test_parameters_are_as_sent(run: Playback) -> None:
    """The parameters of a stop are those that the function decided on, as ECS documents them."""
    stop = fenced("\n\n".join(explain(run)), "Parameters")[2]
    assert set(stop.splitlines()) == {
        f"InstanceId = {ID}",
        "StoppedMode = KeepCharging",
        "ForceStop = true",
        "DryRun = false",
    }


def test_code_is_there_once_for_each_action(run: Playback) -> None:
    """The second stop refers to the first one's code, but has its own command line."""
    text = "\n\n".join(
        explain(run, settings=Settings.from_environment({"ECS_ENDPOINT": "http://127.0.0.1:8014"}))
    )
    assert len(fenced(text, "Python")) == 3
    assert len(fenced(text, "aliyun command line")) == 4
    assert "that of call 3" in text
    assert all('endpoint="127.0.0.1:8014"' in code for code in fenced(text, "Python"))


def test_one_instance_alone(run: Playback) -> None:
    """About one instance: how it was found, and its stop, all with code; the others stay away."""
    text = "\n\n".join(explain(run, instance_id=OTHER))
    assert headings(text) == ["1. DescribeInstances in cn-beijing", f"2. StopInstance {OTHER} in cn-beijing"]
    assert len(fenced(text, "Go")) == 2


def test_an_instance_that_is_refused(run: Playback) -> None:
    """About an instance that gets no stop call, the reason is given."""
    text = "\n\n".join(explain(run, instance_id=LOCKED))
    assert headings(text) == ["No stop call", "1. DescribeInstances in cn-beijing"]
    assert "InstanceLockedForSecurity" in text


def test_an_instance_that_is_not_meant(run: Playback) -> None:
    """Asking about an instance that the event doesn't mean is a mistake, and says which it means."""
    with pytest.raises(NotMeant, match=f"does not mean 'i-x'; it means .*{ID}"):
        next(explain(run, instance_id="i-x"))


def test_asking_about_an_instance_where_the_event_means_none() -> None:
    """A selection that nothing matches means no instance, so any question about one is a mistake."""
    nothing = json.dumps({"Tag": [{"Key": "env", "Value": "none"}]}).encode()
    with pytest.raises(NotMeant, match=f"does not mean {ID!r}; it means none"):
        next(explain(play(nothing, FLEET), instance_id=ID))


def test_an_instance_of_an_event_that_is_refused_beside_others() -> None:
    """Of several events in one delivery, one refused as a whole is told to its own instances alone."""
    run = play((EVENTS / "alertmanager.json").read_bytes(), sample_fleet())
    resolved = "\n\n".join(explain(run, instance_id="i-bp1dev0spot6u2b8v3k1"))
    assert headings(resolved) == ["No stop call"]
    assert "- the event: Guard.AlarmState: " in resolved
    firing = "\n\n".join(explain(run, instance_id="i-bp1dev0web1k7s2q9x4f"))
    assert headings(firing)[-1] == "2. StopInstance i-bp1dev0web1k7s2q9x4f in cn-hangzhou"


def test_a_refused_event_says_why() -> None:
    """An event that is refused as a whole makes no calls; the reason is all there is."""
    elsewhere = json.dumps({"InstanceId": ID, "RegionId": "eu-central-1"}).encode()
    run = play(elsewhere, FLEET)
    text = "\n\n".join(explain(run))
    assert (run.calls, headings(text)) == ((), ["No stop call"])
    assert "- the event: Guard.RegionNotAllowed: " in text


def test_a_second_stop_with_another_mode_is_a_call_of_its_own() -> None:
    """Where ECS rejects StopCharging, both stops are there, each with its answer."""
    spot = {"InstanceId": ID, "Tags": OPTED_IN, "SpotStrategy": "SpotAsPriceGo"}
    event = json.dumps({"InstanceId": ID, "StoppedMode": "StopCharging"}).encode()
    text = "\n\n".join(explain(play(event, Fleet.from_instances([spot])), instance_id=ID))
    assert len(re.findall("^## .*StopInstance", text, re.MULTILINE)) == 2
    assert "answers 403 InvalidInstanceId.NotSupport." in text


def test_stopped_together_is_stopped() -> None:
    """A StopInstances is a call about each of its instances, none of which is said to get no stop call."""
    ids = [f"i-bp1many{n}" for n in range(5)]
    fleet = Fleet.from_instances([{"InstanceId": one, "Tags": OPTED_IN} for one in ids])
    run = play(json.dumps({"InstanceIds": ids}).encode(), fleet)
    for instance_id in (None, ids[3]):
        assert headings("\n\n".join(explain(run, instance_id=instance_id)))[-1].endswith(
            "StopInstances in cn-hangzhou"
        )


def test_what_is_handed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """With FAN_OUT, each shard's InvokeFunction is there with its event and code, then the shards' own calls.

    What is handed on is meant, and about one instance only its own shard is shown.
    """
    monkeypatch.setenv("FAN_OUT", "true")
    monkeypatch.setenv("SHARD_SIZE", "1")
    fleet = Fleet.from_instances([{"InstanceId": one, "Tags": OPTED_IN} for one in (ID, OTHER)])
    run = play(json.dumps({"InstanceIds": [ID, OTHER]}).encode(), fleet)
    text = "\n\n".join(explain(run))
    assert headings(text)[-4:] == [
        "3. InvokeFunction in cn-hangzhou",
        "4. InvokeFunction in cn-hangzhou",
        f"5. StopInstance {ID} in cn-hangzhou",
        f"6. StopInstance {OTHER} in cn-hangzhou",
    ]
    events = [re.findall("^body = (.*)$", shown, re.MULTILINE) for shown in fenced(text, "Parameters")[2:4]]
    assert [json.loads(event)["data"]["InstanceIds"] for (event,) in events] == [[ID], [OTHER]]
    assert f"with its shards makes {len(run.calls)} calls in all" in " ".join(text.split())
    (code,) = [each for each in fenced(text, "Go") if "InvokeFunction" in each]
    assert "fcv3.cn-hangzhou.aliyuncs.com" in code
    settings = Settings.from_environment({"FAN_OUT_ENDPOINT": "https://fc.example"})
    assert 'SetEndpoint("fc.example")' in "\n\n".join(explain(run, settings=settings))
    about = "\n\n".join(explain(run, instance_id=OTHER))
    assert headings(about)[1:] == [
        "2. InvokeFunction in cn-hangzhou",
        f"3. StopInstance {OTHER} in cn-hangzhou",
    ]
    assert ID not in " ".join(fenced(about, "Parameters")[1:])


@pytest.mark.parametrize(
    ("region_id", "host"),
    [
        ("cn-hangzhou", "fcv3.cn-hangzhou.aliyuncs.com"),
        ("ap-southeast-5", "fcv3.ap-southeast-5.aliyuncs.com"),
        ("me-central-1", "me-central-1.fc.aliyuncs.com"),
    ],
)
def test_fcs_endpoint_is_not_left_to_the_sdk(region_id: str, host: str) -> None:
    """Not every SDK knows FC's endpoints, so it is the one that the function calls; ECS's is left to them."""
    call = typed_call("InvokeFunction", region_id, {"functionName": "stop-guard", "body": "{}"})
    assert endpoint_of(call, Settings.from_environment({})) == f"https://{host}"
    assert endpoint_of(typed_call("StopInstance", region_id, {}), Settings.from_environment({})) is None


def test_each_api_has_its_own_endpoint(clock: Any, wire: Callable[..., Any]) -> None:  # noqa: ANN401 - a VirtualClock
    """The code calls each API where the setting for it says, and another's setting does not matter."""
    ecs = LocalEcs(FLEET, now=clock.now)
    client = wire(ecs)
    role = {"RoleArn": f"acs:ram::{ecs.account_id}:role/r", "RoleSessionName": "me"}
    client.acs3("AssumeRole", role, x_acs_version="2015-04-01")
    client.acs3("DescribeInstances", {"RegionId": "cn-beijing"})
    calls = tuple((call, typed_call(call.action, "cn-beijing", call.parameters)) for call in ecs.calls)
    run = Playback(calls=calls, answers=(Answer(),), lines=())
    settings = {"ECS_ENDPOINT": "https://ecs.example", "STS_ENDPOINT": "https://sts.example"}
    given = Settings.from_environment(settings)
    of_sts, of_ecs = fenced("\n\n".join(explain(run, settings=given)), "Python")
    assert 'endpoint="sts.example"' in of_sts
    assert 'endpoint="ecs.example"' in of_ecs
    del settings["STS_ENDPOINT"]
    given = Settings.from_environment(settings)
    of_sts, of_ecs = fenced("\n\n".join(explain(run, settings=given)), "Python")
    assert "endpoint=" not in of_sts
    assert 'endpoint="ecs.example"' in of_ecs


def test_two_regions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each call is where it is made; the code says in which region, so each region has its own."""
    monkeypatch.setenv("ALLOWED_REGIONS", "cn-hangzhou,cn-beijing")
    here = {"InstanceId": "i-bp1here", "Tags": OPTED_IN, "InstanceType": "ecs.c7.large"}
    run = play(
        json.dumps({"InstanceIds": ["i-bp1here", ID], "RegionIds": ["cn-hangzhou", "cn-beijing"]}).encode(),
        Fleet.from_instances([here, FLEET.instances[0].attributes]),
    )
    text = "\n\n".join(explain(run))
    assert sorted(re.sub(r"^\d+\. ", "", heading) for heading in headings(text)) == [
        "DescribeInstanceTypes in cn-beijing",
        "DescribeInstances in cn-beijing",
        "DescribeInstances in cn-hangzhou",
        f"StopInstance {ID} in cn-beijing",
        "StopInstance i-bp1here in cn-hangzhou",
    ]
    stops = [code for code in fenced(text, "Python") if "stop_instance" in code]
    assert [re.findall('region_id="(.*)"', code) for code in stops] == [["cn-hangzhou"], ["cn-beijing"]]
    alone = "\n\n".join(explain(run, instance_id=ID))
    assert headings(alone) == ["1. DescribeInstances in cn-beijing", f"2. StopInstance {ID} in cn-beijing"]


def test_types_are_asked_for_where_the_instance_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """DescribeInstanceTypes does not say its region, which may have the same types as another."""
    monkeypatch.setenv("ALLOWED_REGIONS", "cn-beijing")
    elsewhere = {"InstanceId": "i-bp1else", "InstanceType": "ecs.c7.large"}
    fleet = Fleet.from_instances([elsewhere, FLEET.instances[0].attributes])
    run = play(json.dumps({"InstanceId": ID, "RegionId": "cn-beijing"}).encode(), fleet)
    assert headings("\n\n".join(explain(run)))[1] == "2. DescribeInstanceTypes in cn-beijing"


def test_roles_of_other_accounts(monkeypatch: pytest.MonkeyPatch) -> None:
    """About one instance, the AssumeRole that leads to it is there; what can't be reached says where."""
    second, nobody = "2345678901234567", "3456789012345678"
    roles = [f"acs:ram::{account_id}:role/stop-guard" for account_id in (second, nobody)]
    monkeypatch.setenv("ALLOWED_ROLE_ARNS", ",".join(roles))
    there = {"InstanceId": ID, "Tags": OPTED_IN, "x-emulator": {"AccountId": second}}
    event = {"Tag": [{"Key": "auto-stop"}], "RoleArns": roles}
    run = play(json.dumps(event).encode(), Fleet.from_instances([there]))
    text = "\n\n".join(explain(run))
    assert re.findall("^- (.*): EntityNotExist.Role", text, re.MULTILINE) == [
        f"cn-hangzhou of account {nobody}"
    ]
    alone = "\n\n".join(explain(run, instance_id=ID))
    assert headings(alone)[0] == "1. AssumeRole in cn-hangzhou"
    assert headings(alone)[-1].endswith(f"StopInstance {ID} in cn-hangzhou")
    assert nobody not in alone


def test_what_looks_like_a_token_is_none() -> None:
    """A filter that is named like the token's header leaves the call signed with the local key."""
    event = json.dumps({"InstanceName": "x-acs-security-token", "RegionId": "cn-beijing"}).encode()
    assert len(fenced("\n\n".join(explain(play(event, FLEET))), "Signature")) == 1


def test_waiting_takes_no_time() -> None:
    """An instance that never stops is explained without waiting for it."""
    stuck = {"InstanceId": ID, "Tags": OPTED_IN, "x-emulator": {"Stuck": "Stopping"}}
    run = play(json.dumps({"InstanceId": ID}).encode(), Fleet.from_instances([stuck]))
    (outcome,) = [line for line in run.lines if "instance_id" in line]
    assert outcome["status"] == "stopping"


def test_the_sample_event_reads_well_on_80_columns() -> None:
    """Prose and headings fit 80 columns; only what is quoted or generated may be longer."""
    text = "\n\n".join(explain(play((EVENTS / "timer.json").read_bytes(), sample_fleet())))
    prose = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL).partition("## No stop call")[0]
    assert [line for line in prose.splitlines() if len(line) > 80] == []


@pytest.mark.parametrize(
    ("arguments", "stdin", "code", "says"),
    [
        (["-"], EVENT, 0, "## 1. DescribeInstances in cn-beijing"),
        (["-", "--instance", OTHER], EVENT, 0, 'endpoint="127.0.0.1:8014"'),
        (["-", "--instance", "i-x"], EVENT, 2, "--instance: the event does not mean 'i-x'"),
        (["-"], b"{}", 2, "InvalidEvent: "),
        (["nowhere.json"], b"", 2, "cannot read the event 'nowhere.json'"),
    ],
)
def test_the_command(arguments: list[str], stdin: bytes, code: int, says: str, tmp_path: Path) -> None:
    """Plain text where nobody watches, nothing of this machine's own key, and clear mistakes."""
    path = tmp_path / "fleet.json"
    path.write_text(json.dumps([dict(instance.attributes) for instance in FLEET.instances]))
    environment = {
        "ALLOWED_REGIONS": "cn-beijing",
        "ECS_ENDPOINT": "http://127.0.0.1:8014",
        "ALIBABA_CLOUD_ACCESS_KEY_ID": "real-id",
        "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "real-secret",
        "ALIBABA_CLOUD_SECURITY_TOKEN": "real-token",
    }
    command = ["explain", *arguments, "--fleet", str(path)]
    done = CliRunner().invoke(app, command, input=stdin, env=environment)
    assert done.exit_code == code, done.output
    assert says in " ".join(done.output.split())
    assert "\x1b" not in done.output
    assert "real-" not in done.output
    assert code == 0 or done.stdout == ""


def test_the_command_complains_once_of_a_shard(tmp_path: Path) -> None:
    """FC tries a shard again that leaves something; what is left in the end is said once."""
    path = tmp_path / "fleet.json"
    broken = {"StopInstance": "DiskError"}
    fleet = [{"InstanceId": one, "Tags": OPTED_IN, "x-emulator": broken} for one in (ID, OTHER)]
    path.write_text(json.dumps(fleet))
    event = json.dumps({"InstanceIds": [ID, OTHER]}).encode()
    environment = {"FAN_OUT": "true", "SHARD_SIZE": "1"}
    command = ["explain", "-", "--fleet", str(path)]
    done = CliRunner().invoke(app, command, input=event, env=environment)
    assert (done.exit_code, done.stderr.count("StopIncomplete")) == (1, 2)


@pytest.mark.parametrize("endpoint", ["http://user:password@ecs.example", "foo", "https://[::1"])
def test_the_command_refuses_an_endpoint_that_is_none(endpoint: str) -> None:
    """It would be written into the code; a password in it is not shown."""
    command = ["explain", str(EVENTS / "timer.json")]
    done = CliRunner().invoke(app, command, env={"ECS_ENDPOINT": endpoint})
    assert (done.exit_code, done.stdout) == (2, "")
    assert "InvalidSettings: ECS_ENDPOINT: " in done.stderr
    assert "password" not in done.stderr


def test_hostile_text_stays_text() -> None:
    """A filter made of quotes, fences and expansions breaks neither the Markdown nor the code."""
    name = "```' \"; $(id) `id` \\ #"
    event = json.dumps({"InstanceName": name, "RegionId": "cn-hangzhou"}).encode()
    text = "\n\n".join(explain(play(event, load_fleet("[]"))))
    assert text.count("\n```") == 2 * text.count("\n### ")
    assert headings(text) == ["1. DescribeInstances in cn-hangzhou", "No stop call"]
    assert "The event means no instance" in text
    assert f"InstanceName = {name}\n" in text
