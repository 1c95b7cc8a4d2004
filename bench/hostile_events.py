"""What events cost that are made to cost much: CPU seconds and peak memory of a whole invocation.

Each is handled in a process of its own, as FC starts one, which imports the function and nothing else. The
seconds are those of the invocation. How far they can be believed on a machine that does other things too is
told by a loop of plain Python, timed right before and after: its least time is that of the machine alone.
"""

import base64
import json
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

MIB = 2**20
EVENT_BYTES, BODY_BYTES = 6 * MIB, 32 * MIB
"""What an invocation could bring for long, and what FC delivers over HTTP at most."""
SECONDS_AIM, PEAK_AIM = 1.0, 128
MOST_FIELDS = 199_000
"""So many are read; of more only the number counts."""
TOKEN = "emulator-alarm-token"  # noqa: S105 - of the local ECS
SECONDS = 1769774100

Json = Any
Make = Callable[[int], bytes]
"""Makes an event of about so many bytes."""

RUN = """
import json, os, sys, time
from dataclasses import replace
from types import SimpleNamespace
from function.cloud.runtime import system_ports
from function.invocation import FunctionInstance

def loop():
    begun, found = time.process_time(), {}
    for number in range(50_000):
        found[str(number % 5_000)] = [number]
    return time.process_time() - begun

function = FunctionInstance.prepare(json.loads(sys.argv[2]))
context = SimpleNamespace(
    request_id="r", region="cn-hangzhou", account_id="1", function=SimpleNamespace(name="f", timeout=60)
)
event = open(sys.argv[1], "rb").read()
before, begun = loop(), time.process_time()
try:
    answer = function.invoke(event, context, {}, replace(system_ports(), write=lambda line: None))
    told = str(answer.get("statusCode", answer.get("message")))
except Exception as error:
    told = type(error).__name__ + ": " + str(error)
took = time.process_time() - begun
# getrusage would count what the parent had when it forked.
peak = next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(json.dumps({"took": took, "loop": min(before, loop()), "peak": peak / 1024, "told": told}))
"""


def written(value: Json) -> bytes:
    """Write JSON."""
    return json.dumps(value).encode()


def nested(levels: int, inside: Json = None) -> Json:
    """Nest in objects."""
    value = {} if inside is None else inside
    for _ in range(levels):
        value = {"a": value}
    return value


def spelt(word: str, number: int) -> str:
    """Spell a label in one of many ways."""
    return "".join(char.upper() if number >> at & 1 else char for at, char in enumerate(word))


def listed(size: int, element: Callable[[int], Json], most: int = 10**9) -> list[Json]:
    """Repeat an element until that size is reached."""
    return [element(number) for number in range(min(most, size // (len(json.dumps(element(9_999))) + 2)))]


def alerts(size: int, labels: Callable[[int], Json], most: int = 10**9, **fields: Json) -> bytes:
    """Make an event of Alertmanager's form."""
    return written(
        {"status": "firing", "alerts": listed(size, lambda n: {"labels": labels(n)}, most), **fields}
    )


def alert(labels: Json) -> bytes:
    """Make one with a single alert."""
    return written({"status": "firing", "alerts": [{"labels": labels}]})


def fields(size: int, name: str, value: Json = "") -> dict[str, Json]:
    """Make an object of many fields."""
    count = min(size // (len(name) + len(json.dumps(value)) + 10), MOST_FIELDS)
    return {f"{name}{n}": value for n in range(count)}


def log_alert(**own: Json) -> bytes:
    """Make an alert of Simple Log Service."""
    return written({"alert_id": "a", "alert_name": "n", "status": "firing", "alert_time": SECONDS} | own)


def callback(dimensions: str) -> bytes:
    """Make a callback of CloudMonitor."""
    return written({"alertState": "ALERT", "timestamp": SECONDS, "dimensions": dimensions})


def system_event(**own: Json) -> bytes:
    """Make a system event of CloudMonitor."""
    event = {"name": "Instance:x:Executed", "eventTime": "20260130T195502+0800", "content": {}}
    return written(event | own)


def envelope(data: Json, **own: Json) -> Json:
    """Wrap as EventBridge does."""
    return {"specversion": "1.0", "id": "e", "source": "dev", "type": "x", "data": data, **own}


def http(body: str, **own: Json) -> bytes:
    """Wrap as FC's HTTP trigger does."""
    event = {
        "rawPath": "/",
        "headers": {"X-Alarm-Token": TOKEN},
        "body": body,
        "requestContext": {"http": {}},
    }
    return written(event | own)


def encoded(value: bytes) -> str:
    """Encode in base64."""
    return base64.b64encode(value).decode()


REQUEST = {"InstanceId": "i-1"}
ATTACKS: Mapping[str, Make] = {
    "alerts in regions of their own": lambda s: alerts(
        s, lambda n: {"instance_id": f"i-{n}", "region_id": f"cn-a{n}"}
    ),
    "alerts in states of their own": lambda s: written(
        {"alerts": listed(s, lambda n: {"status": f"s{n}", "labels": {"instance_id": "x"}})}
    ),
    "deep labels": lambda s: alerts(s, lambda _: {"x": nested(25), "instance_id": "rm-1"}),
    "deep labels, few alerts": lambda s: alerts(
        s, lambda _: {"x": [nested(20)] * (s // 1_500_000 + 1), "instance_id": "rm-1"}, 9_999
    ),
    "alerts full of labels": lambda s: alerts(
        s,
        lambda n: (
            {f"l{n}x{k}": "y" * 20 for k in range(min(s // 20_000 + 1, 17))} | {"instance_id": f"i-{n % 99}"}
        ),
        9_999,
    ),
    "alerts nearly called NoData": lambda s: alerts(
        s,
        lambda n: (
            {f"l{k}": "NoData of what" for k in range(min(s // 20_000 + 1, 17))} | {"instance_id": f"i-{n}"}
        ),
        9_999,
    ),
    "one alert of many labels": lambda s: alert(fields(s, "l", "x")),
    "many common labels": lambda s: alerts(
        s // 2,
        lambda n: {"instance_id": f"i-{n}"},
        9_999,
        commonLabels=fields(s // 2, "l", "DatasourceError"),
    ),
    "common labels in many spellings": lambda s: alerts(
        s, lambda _: {}, commonLabels={spelt("instanceid", n): "i-1" for n in range(64)}
    ),
    "labels in many spellings": lambda s: alerts(
        s, lambda _: {spelt("instanceid", n): "i-1" for n in range(64)}
    ),
    "the same alert again": lambda s: alerts(
        s, lambda _: {"instance_id": "i-1"}, 9_999, x="y" * (s - min(s, 5 * 10**5))
    ),
    "alerts as texts": lambda s: written(
        {
            "status": "firing",
            "alerts": listed(s, lambda n: json.dumps({"labels": {"i": "x" * 400 + str(n)}}), 9_999),
        }
    ),
    "labels as texts": lambda s: alerts(s, lambda n: json.dumps({f"l{k}": n for k in range(18)}), 9_999),
    "labels as one text": lambda s: alert(json.dumps(fields(s, "l"))),
    "a long region": lambda s: alert({"instance_id": "i-1", "region_id": "cn-" + "a-" * (s // 2)}),
    "rows as text": lambda s: log_alert(
        fire_results=json.dumps(listed(s, lambda n: {"instance_id": f"rm-{n}", "x": "y" * 40}, 9_999))
    ),
    "rows as texts": lambda s: log_alert(
        fire_results=listed(s, lambda n: json.dumps({"instance_id": f"i-{n}", "x": "y" * 400}), 9_999)
    ),
    "log labels as text": lambda s: log_alert(labels=json.dumps(fields(s, "instanceId_", "i-1"))),
    "requests in envelopes": lambda s: written(
        listed(s, lambda n: envelope([REQUEST] * 80, id=f"e{n}"), 999)
    ),
    "arrays in messages": lambda s: written(
        listed(s, lambda n: {"messageBody": json.dumps([{"InstanceId": f"i-{n}"}] * 60)}, 999)
    ),
    "messages in messages": lambda s: written(
        listed(
            s, lambda n: {"messageBody": json.dumps({"Message": json.dumps(REQUEST), "PublishTime": n})}, 999
        )
    ),
    "alarms in messages": lambda s: written(
        listed(s, lambda _: {"messageBody": alerts(1_150, lambda n: {"instance_id": f"i-{n}"}).decode()}, 999)
    ),
    "envelopes in envelopes": lambda s: written(
        listed(s, lambda _: envelope([envelope([envelope(["x" * 40] * 4)] * 2)] * 2), 999)
    ),
    "one envelope, deep": lambda s: written([envelope(nested(28, ["x"] * 100))] * (s // 900)),
    "base64 of base64": lambda s: encoded(
        encoded(encoded(b"x" * (s // 3))[: s // 2].encode()).encode()
    ).encode()[:s],
    "base64 of messages": lambda s: written(
        listed(
            s, lambda _: {"messageBody": encoded(written({"messageBody": encoded(written(REQUEST))}))}, 999
        )
    ),
    "base64": lambda s: b"QUJD" * (s // 4),
    "maps of Java": lambda s: callback("{instanceId=i-1}" * (s // 16)),
    "maps that never end": lambda s: callback("{a=" * (s // 3)),
    "braces": lambda s: callback("{" * s),
    "commas": lambda s: callback("," * min(s, 262_000)),
    "one map of many pairs": lambda s: callback(
        "{" + "".join(f"a{n}=b," for n in range(min(s // 9, 25_000))) + "}"
    ),
    "quotes in a map": lambda s: callback('{a="' * (s // 6)),
    "many instances in dimensions": lambda s: written(
        {
            "alertState": "ALERT",
            "timestamp": SECONDS,
            "dimensions": listed(s, lambda n: {"instanceId": f"i-{n}"}),
        }
    ),
    "fields close to known ones": lambda s: written(fields(s, "InstanceIdx", 1)),
    "fields in both spellings": lambda s: written(fields(s, "instance_idS", 1)),
    "the same field twice": lambda s: b'{"a":1,' + b'"b":2,' * (s // 6) + b'"a":1}',
    "objects that name a field twice": lambda s: b"[" + b'{"a":1,"b":2},' * (s // 14) + b'{"a":1,"a":1}]',
    "unknown fields of a request": lambda s: written(REQUEST | fields(s, "x", 1)),
    "unknown fields of a tag": lambda s: written({"Tag": [fields(s, "x", 1)]}),
    "wrong tags": lambda s: written({"Tag": [{"Key": {}}] * (s // 12)}),
    "long keys": lambda s: written({f"{n}" + "k" * 60_000: 1 for n in range(s // 60_000)}),
    "ids": lambda s: written({"InstanceIds": listed(s, lambda n: f"i-{n}")}),
    "the same id again": lambda s: written({"InstanceIds": ["i-1"] * (s // 7)}),
    "wrong ids": lambda s: written({"InstanceIds": [[]] * (s // 4)}),
    "tags": lambda s: written({"Tag": listed(s, lambda n: {"Key": f"k{n}"})}),
    "regions": lambda s: written({"InstanceId": "i-1", "RegionIds": listed(s, lambda n: f"cn-a{n}")}),
    "a long region of a request": lambda s: written(
        {"InstanceId": "i-1", "RegionId": "cn" + "-a" * (s // 2)}
    ),
    "a long role": lambda s: written({"InstanceId": "i-1", "RoleArn": "acs:ram::1:role/" + "a/" * (s // 2)}),
    "a long id": lambda s: written({"InstanceId": "i-" + "a-" * (s // 2)}),
    "numbers": lambda s: b"[" + b"1," * (s // 2) + b"1]",
    "numbers of twenty digits": lambda s: b"[" + b"9" * 20 + (b"," + b"9" * 20) * (s // 21) + b"]",
    "fractions": lambda s: b"[" + b"1e5," * (s // 4) + b"1]",
    "long fractions": lambda s: b"[" + b"0.12345678901234567890," * (s // 23) + b"1]",
    "one long fraction": lambda s: b"[0." + b"1" * s + b"]",
    "many digits, many points": lambda s: b"[" + b"1." * (s // 2) + b"]",
    "exponents": lambda s: b"[" + b"1e-999999999," * (s // 13) + b"1]",
    "a huge exponent": lambda s: b"[1e" + b"9" * s + b"]",
    "digits": lambda s: b"[" + b"9" * s,
    "digits of a time": lambda s: callback("{}").replace(str(SECONDS).encode(), b'"' + b"9" * s + b'"'),
    "empty objects": lambda s: b"[" + b"{}," * (s // 3) + b"{}]",
    "empty lists": lambda s: b"[" + b"[]," * (s // 3) + b"[]]",
    "small objects": lambda s: b"[" + b'{"":{}},' * (s // 8) + b"{}]",
    "brackets": lambda s: b"[" * s,
    "brackets around objects": lambda s: b'{"a":[' * (s // 6),
    "blanks": lambda s: b" " * s,
    "blanks in a message": lambda s: written({"messageBody": " " * s}),
    "backslashes": lambda s: b'"' + b"\\\\" * (s // 2) + b'"',
    "quotes": lambda s: written({"InstanceId": '"\\' * (s // 4)}),
    "zeros": lambda s: written({"InstanceId": "\x00" * (s // 6)}),
    "half characters": lambda s: written({"InstanceId": "\ud800" * (s // 6)}),
    "whole characters in halves": lambda s: written({"x": "\U0001f600" * (s // 12), **REQUEST}),
    "other letters": lambda s: json.dumps({"InstanceId": "é" * (s // 2)}, ensure_ascii=False).encode(),
    "capitals that grow": lambda s: json.dumps({"curLevel": "İ" * (s // 2)}, ensure_ascii=False).encode(),
    "a text": lambda s: b'"' + b"a" * s + b'"',
    "texts": lambda s: written({"x": ["a"] * (s // 5), "alerts": [{"labels": {}}]}),
    "access, but no key": lambda s: written({"InstanceId": "access" * (s // 6)}),
    "parts of secrets": lambda s: written({"InstanceId": "emulator-alarm-toke" * (s // 19)}),
    "the secret again": lambda s: written({"InstanceId": TOKEN * (s // 20)}),
    "an ARN": lambda s: system_event(resourceId="acs:a" + ":" * s),
    "an ARN's end": lambda s: system_event(resourceId="acs:ecs:cn-hangzhou:1:instance/" + "a-" * (s // 2)),
    "a long name": lambda s: system_event(name="Instance:" + "a" * s, resourceId="i-1"),
    "names for patterns": lambda s: written(
        listed(
            s,
            lambda _: {
                "name": "Instance:" + "ab" * 55,
                "eventTime": "20260130T195502+0800",
                "resourceId": "i-1",
            },
            999,
        )
    ),
    "a subscription": lambda s: written(
        {
            "strategyName": "x",
            "alert": json.dumps(
                {
                    "alertStatus": "TRIGGERED",
                    "source": "SYS_EVENT",
                    "eventName": "Instance:x",
                    "timestamp": SECONDS * 1000,
                    "arn": ["i-1"] * (s // 12),
                    "eventRawContent": json.dumps({"a": ["x"] * (s // 24)}),
                }
            ),
        }
    ),
    "a head of braces": lambda s: b'{"x":' + b"[" * (s // 2) + b"]" * (s // 2) + b',"rawPath":"/"}',
    "a head of fields": lambda s: written(fields(s, "x") | {"rawPath": "/"}),
    "a form": lambda s: http("&".join(f"a{n}=1" for n in range(min(s, MIB - 9) // 10))),
    "a form of percents": lambda s: http("a=" + "%41" * (min(s, MIB - 9) // 3)),
    "a form's alert": lambda s: http("strategyName=x&alert=" + "%7b%22a%22:" * (min(s, MIB - 99) // 11)),
    "alerts over HTTP": lambda s: http(
        alerts(min(s, MIB) - 99, lambda n: {"instance_id": f"i-{n}"}).decode()
    ),
    "base64 over HTTP": lambda s: http(
        encoded(encoded(written(fields(min(s, MIB) // 2, "l"))).encode()), isBase64Encoded=True
    ),
}
SETTINGS = {
    "ALARM_TOKEN": TOKEN,
    "FC_REGION": "cn-hangzhou",
    "ALLOWED_REGIONS": "cn-nowhere",
    "SYSTEM_EVENTS": ",".join("*".join("Instance:" + "ab" * k for k in range(1, 9)) for _ in range(20)),
    "ALARM_STATES": ",".join(f"s{n}" for n in range(700)),
}


def over_http(filling: bytes, token: str) -> Make:
    """Make the largest event over HTTP."""

    def make(size: int) -> bytes:
        head = (
            b'{"rawPath":"/","headers":{"X-Alarm-Token":"'
            + token.encode()
            + b'"},"requestContext":{"http":{}},'
        )
        return head + b'"body":"' + filling * (size // len(filling)) + b'"}'

    return make


LARGE_BODIES: Mapping[str, Make] = {
    "32 MB over HTTP": over_http(b"x", TOKEN),
    "32 MB of escapes": over_http(b"\\u0026", TOKEN),
    "32 MB, no token": over_http(b'\\"', "guess"),
}


def measure(event: Path) -> dict[str, Any]:
    """Handle an event in a fresh process."""
    command = [sys.executable, "-c", RUN, str(event), json.dumps(SETTINGS)]
    ended = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)  # noqa: S603 - ours
    said: dict[str, Any] = json.loads(ended.stdout)
    return said


def main(named: Sequence[str]) -> None:
    """Measure each, or those that are named, and print."""
    print(f"Events of {EVENT_BYTES // MIB} MiB, over HTTP of {BODY_BYTES // MIB}, made to cost much")
    print(f"{'':36}    MB   CPU s  peak MiB  and is answered")
    worst: dict[str, float] = {"took": 0, "peak": 0}
    loops = []
    with TemporaryDirectory() as place:
        path = Path(place) / "event"
        for size, attacks in ((EVENT_BYTES, ATTACKS), (BODY_BYTES, LARGE_BODIES)):
            for name in [one for one in attacks if not named or one in named]:
                path.write_bytes(attacks[name](size))
                found = measure(path)
                worst = {key: max(worst[key], found[key]) for key in worst}
                loops.append(found["loop"])
                print(
                    f"{name:36}{path.stat().st_size / 1e6:6.1f}{found['took']:8.2f}{found['peak']:10.0f}"
                    f"  {found['told'][:50]}",
                    flush=True,
                )
    print(f"{'at most':42}{worst['took']:8.2f}{worst['peak']:10.0f}  aims {SECONDS_AIM}, {PEAK_AIM}")
    print(f"A loop of plain Python took {min(loops):.4f} to {max(loops):.4f} s meanwhile")


if __name__ == "__main__":
    main(sys.argv[1:])
