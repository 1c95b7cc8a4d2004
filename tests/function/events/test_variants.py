"""Each kind of event in the many forms that senders give it: read and judged, without a call to ECS.

The forms are from public documents, captured bodies and handlers; beside each is what it means.
"""

import base64
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from urllib.parse import urlencode

import pytest

from function.events.parse import parse
from function.guard.event import admit
from function.model.request import InvalidEvent, Job
from function.model.scope import make_scope
from function.settings import Settings

NOW = datetime(2026, 1, 30, 12, tzinfo=UTC)
TOKEN = "emulator-alarm-token"
A, B, FAR = "i-bp1dev0web1k7s2q9x4f", "i-bp1dev0api8w3m5t6j2c", "i-uf6dev0web1k7s2q9x4f"
ACCOUNT = "1234567890123456"
SECONDS = 1_769_774_100
MILLISECONDS = SECONDS * 1000
OWN = make_scope("cn-hangzhou", None, ACCOUNT)
REGIONS = "cn-hangzhou,cn-shanghai"
STATE, NO_INSTANCE, NOT_ENABLED = "Guard.AlarmState", "Guard.NotAnInstance", "Guard.EventNotEnabled"
INVALID = "InvalidEvent"

Fields = dict[str, object]


def text(value: object) -> str:
    """Write JSON."""
    return json.dumps(value, ensure_ascii=False)


def judged(event: object) -> Iterator[str]:
    """Give what an event would stop, with the region where a region of two is meant, else why not."""
    body = event if isinstance(event, bytes) else text(event).encode()
    names = {"SYSTEM_EVENTS": "*", "ALARM_TOKEN": TOKEN, "ALLOWED_REGIONS": REGIONS}
    settings = Settings.from_environment(names)
    delivery = parse(body, now=NOW, alarm_token=TOKEN)
    assert delivery.rejection is None
    for found in delivery.events:
        if isinstance(found, InvalidEvent):
            yield INVALID
            continue
        answer = admit(found, settings, OWN, NOW)
        if isinstance(answer, Job):
            alone = [f"@{scope.region_id}" for scope in answer.scopes] if len(answer.scopes) == 1 else [""]
            yield from (f"{one}{alone[0]}" for one in found.instance_ids)
        else:
            yield answer.code


def http(body: object, **fields: object) -> Fields:
    """Let a body come over HTTP, text as it is."""
    written = body if isinstance(body, str) else text(body)
    return {"rawPath": "/", "headers": {}, "queryParameters": {"token": TOKEN}, "body": written} | fields


def cloud_event(data: object, source: str = "acs.ecs", kind: str = "ecs:Instance:StateChange") -> Fields:
    """Put it into EventBridge's envelope."""
    around = {"id": "45ef", "specversion": "1.0", "time": "2026-01-30T19:55:02+08:00", "subject": "x"}
    return {**around, "source": source, "type": kind, "aliyunregionid": "cn-hangzhou", "data": data}


def arn(resource: str = f"instance/{A}", service: str = "ecs", region: str = "cn-hangzhou") -> str:
    """Name a resource."""
    return f"acs:{service}:{region}:{ACCOUNT}:{resource}"


def callback(dimensions: object = f"{{userId=1, instanceId={A}}}", **fields: object) -> Fields:
    """Make a threshold callback."""
    measured = {"metricProject": "acs_ecs_dashboard", "namespace": "acs_ecs_dashboard", "metricName": "cpu"}
    said = {"alertName": "idle", "alertState": "ALERT", "triggerLevel": "INFO", "timestamp": str(SECONDS)}
    return {**measured, **said, "dimensions": dimensions, **fields}


def other_product(name: str, dimensions: str) -> Fields:
    """Make the callback of another product."""
    return callback(dimensions, metricProject=name, namespace=name)


CALLBACKS: list[tuple[Fields, list[str]]] = [
    (callback([{"userId": "1", "instanceId": A}], alertState="ALARM"), [A]),
    (callback(text([{"userId": "1", "instanceId": A}])), [A]),
    (callback(text({"instanceId": A})), [A]),
    (callback({"instanceId": A}), [A]),
    (callback(f"{{userId=12****), instanceId={A}}}"), [A]),
    (callback(f"{{userId=1, device=/dev/vda1, instanceId={A}}}"), [A]),
    (callback(f"{{instanceId={A}, name=java, cmd=java -Dx={{a, b}} -jar app.jar}}"), [A]),
    (callback(f"{{cmd=run --instanceId={B}, instanceId={A}}}"), [A]),
    (callback(f"[{{instanceId={A}}}, {{instanceId={B}}}]"), [A, B]),
    (callback(f"{{instanceId={A}}}, {{instanceId={B}}}"), [A, B]),
    (callback(f"[{{instanceId={A}}}, {{instanceId=rm-1}}]"), [A, NO_INSTANCE]),
    (callback(f"userId=1,instanceId={A}"), [A]),
    (callback(f" {{ userId = 1 , instanceId = {A} }} "), [A]),
    (callback(f"{{regionId=cn-shanghai, instanceId={FAR}}}", regionId="cn-hangzhou"), [f"{FAR}@cn-shanghai"]),
    (callback(regionId="cn-shanghai"), [f"{A}@cn-shanghai"]),
    *[(callback(regionId=none), [A]) for none in (None, "", "-", "null", "NULL", "None", "undefined")],
    (callback(regionId="cn-beijing"), ["Guard.RegionNotAllowed"]),
    (callback(alertState="alert"), [A]),
    (callback(alertState="OK"), [STATE]),
    (callback(alertState="INSUFFICIENT_DATA"), [STATE]),
    (callback("{groupId=1}"), [INVALID]),
    (callback("null"), [INVALID]),
    (callback(f"{{'instanceId': '{A}'}}"), [INVALID]),
    (callback(customLabels=[{"key": "instance_id", "value": B}]), [A]),
    (callback(ConfirmStop="true", InstanceId=B), [A]),
    (other_product("acs_customMetric_1", f"{{instanceId={A}}}"), [A]),
    (other_product("acs_rds", "{instanceId=rm-1}"), [NO_INSTANCE]),
    (other_product("acs_slb_dashboard", "{instanceId=lb-1, port=80}"), [NO_INSTANCE]),
    (other_product("acs_oss_dashboard", "{BucketName=b}"), [NO_INSTANCE]),
    (other_product("acs_apigateway", "{apiUid=c6fa, region=cn-shenzhen}"), [NO_INSTANCE]),
]


@pytest.mark.parametrize(("event", "right"), CALLBACKS)
def test_a_threshold_callback(event: Fields, right: list[str]) -> None:
    """As JSON, as a form, as a GET's query and as a form in base64 it means the same."""
    form = {key: value if isinstance(value, str) else text(value) for key, value in event.items()}
    encoded = base64.b64encode(urlencode(form).encode()).decode()
    for sent in (
        http(event),
        http(urlencode(form)),
        http("", queryParameters={"token": TOKEN} | form),
        http(encoded, isBase64Encoded=True),
    ):
        assert list(judged(sent)) == right


def system_event(**fields: object) -> Fields:
    """Make a system event; `resource` is what the ARN ends with, `content` may be anything."""
    said = {"product": "ECS", "level": "INFO", "status": "Normal", "regionId": "cn-hangzhou", "id": "bd5f"}
    told = {"eventTime": "20260130T195502.475+0800", "name": "Instance:StateChange", "resourceId": arn()}
    return {**said, **told, "content": {"resourceId": A, "state": "Stopped"}, **fields}


def disk_event(**fields: object) -> Fields:
    """Make an event about a disk."""
    return system_event(**{"resourceId": arn("disk/d-1"), "name": "Disk:Stalled:Executing", **fields})


HERE = f"{A}@cn-hangzhou"
SILENT: tuple[object, ...] = (None, "", "null", "text", {}, [{"instanceId": A}])

SYSTEM_EVENTS: list[tuple[Fields, list[str]]] = [
    (system_event(), [HERE]),
    (system_event(name="Instance:PreemptibleInstanceInterruption", content={"instanceId": A}), [HERE]),
    (system_event(curLevel="CRITICAL", ruleName="r", metricName="x"), [HERE]),
    (system_event(dimensions=text({"instanceId": B}), alertName="x"), [HERE]),
    *[(system_event(content=silent), [HERE]) for silent in SILENT],
    (system_event(content=text({"instanceId": A})), [HERE]),
    (system_event(content={"instanceId": B}), [INVALID]),
    (system_event(resourceId="null"), [HERE]),
    (system_event(resourceId="null", content={}), [INVALID]),
    (system_event(resourceId=A), [HERE]),
    (system_event(resourceId=arn(region=""), regionId="null"), [A]),
    (system_event(regionId="cn-shanghai"), [HERE]),
    (system_event(resourceId=arn("instance/<resource-id>")), [NO_INSTANCE]),
    (system_event(resourceId=arn("instance/i-bp1****")), [NO_INSTANCE]),
    (system_event(resourceId=arn(f"keypair/{A}")), [NO_INSTANCE]),
    (disk_event(content={"instanceId": A}), [NO_INSTANCE]),
    (disk_event(resourceId=arn("snapshot/s-1"), name="Snapshot:CreateSnapshotCompleted"), [NO_INSTANCE]),
    (disk_event(resourceId=arn("ddh/dh-1"), content={"instanceIds": [A]}), [NO_INSTANCE]),
    (system_event(product="RDS", resourceId=arn("dbinstance/rm-1", "rds")), [NO_INSTANCE]),
    (system_event(product="ESS", resourceId=arn("scalinggroup/asg-1", "ess")), [NO_INSTANCE]),
    (system_event(product="CloudMonitor", name="Agent_Status_Stopped"), [NOT_ENABLED]),
    (system_event(eventTime="20260130T095502.475+0800"), ["Guard.StaleEvent"]),
    (system_event(eventTime="20260130T215502.475+0800"), [INVALID]),
]


@pytest.mark.parametrize(("event", "right"), SYSTEM_EVENTS)
def test_a_system_event(event: Fields, right: list[str]) -> None:
    """It means the same however it comes: alone, in an array, by a queue, a topic, HTTP or EventBridge."""
    message = text(event)
    for sent in (
        event,
        [event],
        [message],
        message,
        base64.b64encode(message.encode()),
        http(event),
        cloud_event(event, "acs.cms", "cms:CloudMonitor:SystemEvent"),
        cloud_event({"messageBody": base64.encodebytes(message.encode()).decode()}, "alarms", "mns"),
        {"TopicName": "alarms", "MessageId": "1", "Message": message},
    ):
        assert list(judged(sent)) == right


def log_alert(**fields: object) -> Fields:
    """Make an alert of Simple Log Service."""
    said = {"alert_id": "idle", "alert_name": "idle", "alert_time": SECONDS, "status": "firing", "labels": {}}
    return {**said, "region": "cn-beijing", "project": "dev", "fire_results": [{"instance_id": A}], **fields}


LOG_ALERTS: list[tuple[Fields, list[str]]] = [
    (log_alert(), [A]),
    *[
        (log_alert(fire_results=[{key: A}]), [A])
        for key in ("instanceid", "instanceId", "Instance-Id", "instance")
    ],
    (log_alert(fire_results={"instance_id": A}), [A]),
    (log_alert(fire_results=text([{"instance_id": A}])), [A]),
    (log_alert(fire_results=[text({"instance_id": A})]), [A]),
    (log_alert(fire_results=[{"instance_id": A}, {"instance_id": B}, {"instance_id": A}]), [A, B]),
    (log_alert(fire_results=[{"instance_id": A}, {"instance_id": None}]), [A, NO_INSTANCE]),
    (log_alert(fire_results=[{"instance_id": FAR, "region": "cn-shanghai"}]), [f"{FAR}@cn-shanghai"]),
    (log_alert(fire_results=[{"instance_id": A, "region": "华东1"}]), [A]),
    *[(log_alert(labels=none), [A]) for none in (None, "", "null", "{}", "[]")],
    (log_alert(labels={"instance_id": B}), [B]),
    (log_alert(labels=text({"instance_id": B})), [B]),
    (log_alert(fire_results=[], labels={"instance_id": A}), [STATE]),
    (log_alert(fire_results=None, fire_results_count=0, labels={"instance_id": A}), [STATE]),
    (log_alert(status="resolved"), [STATE]),
    (log_alert(status="FIRING"), [A]),
    (log_alert(fire_results=[{"__tag__:__hostname__": "iZbp1"}]), [INVALID]),
]


@pytest.mark.parametrize(("event", "right"), LOG_ALERTS)
def test_a_log_alert(event: Fields, right: list[str]) -> None:
    """Its webhook sends it alone or in an array, EventBridge with the envelope's own status."""
    enveloped = cloud_event(text([event]), "acs:sls", "sls.alert") | {"status": "error"}
    for sent in (http(event), http([event]), cloud_event(event, "acs.sls"), enveloped):
        assert list(judged(sent)) == right


def alert(instance_id: object = A, **fields: object) -> Fields:
    """Make one alert; what begins with `label_` goes among its labels."""
    labels = {key.removeprefix("label_"): value for key, value in fields.items() if key.startswith("label_")}
    named = {"alertname": "idle", "instance": "10.0.0.12:9100", "instance_id": instance_id}
    around = {key: value for key, value in fields.items() if not key.startswith("label_")}
    return {"status": "firing", "labels": {**named, **labels}, **around}


ALERTS: list[tuple[list[object], list[str]]] = [
    ([alert()], [A]),
    ([alert(), alert(B, status="resolved")], [A, STATE]),
    ([alert(), alert(B)], [A, B]),
    ([alert(), alert(None)], [A, NO_INSTANCE]),
    ([alert(), alert("rm-1")], [A, NO_INSTANCE]),
    ([alert(), None], [A, INVALID]),
    ([alert("rm-1")], [NO_INSTANCE]),
    ([alert(None)], [INVALID]),
    ([alert("{{ $labels.instance_id }}")], [NO_INSTANCE]),
    ([alert("<no value>", label_instance=A)], [A]),
    ([alert(label_instanceId=A)], [A]),
    ([alert(label_instanceId=B)], [INVALID]),
    ([alert(FAR, label_region_id="cn-shanghai")], [f"{FAR}@cn-shanghai"]),
    ([alert(label_region="华东2")], [A]),
    ([text(alert())], [A]),
    ([{"status": "firing", "labels": text({"instance_id": A})}], [A]),
    ([alert(status={"state": "suppressed", "silencedBy": ["s"]})], [STATE]),
    ([alert(status=None)], [A]),
    ([alert(label_alertname="TestAlert")], [STATE]),
    ([alert(label_alertname="DatasourceNoData")], [STATE]),
    ([alert(annotations={"grafana_state_reason": "Error"})], [STATE]),
    ([alert(annotations={"grafana_state_reason": "Updated"})], [A]),
    ([], [INVALID]),
]


@pytest.mark.parametrize(("alerts", "right"), ALERTS)
def test_a_list_of_alerts(alerts: list[object], right: list[str]) -> None:
    """Alertmanager's, Grafana's and ARMS's differ in what is beside the alerts, which changes nothing."""
    for beside in (
        {"version": "4", "truncatedAlerts": 0, "groupLabels": {}, "commonLabels": {"alertname": "idle"}},
        {"version": "1", "orgId": 1, "state": "alerting", "title": "[FIRING:1] idle", "message": "idle"},
        {"alertState": "firing", "alertName": "idle", "startTime": MILLISECONDS, "alert_id": "7"},
        {"alerts": text(alerts)},
    ):
        event = {"status": "firing", "receiver": "stop-guard", "alerts": alerts, **beside}
        assert list(judged(http(event))) == right


@pytest.mark.parametrize(
    "request_body",
    [
        {"InstanceIds": [A]},
        {"InstanceId": A, "RegionId": "cn-hangzhou"},
        {"instance_ids": [A], "region_ids": ["cn-hangzhou"]},
    ],
)
def test_a_request_in_each_envelope(request_body: Fields) -> None:
    """A request is the same in whatever it comes, but one that asks for force where RAM is silent."""
    forced = {**request_body, "ForceStop": True}

    def sendings(asked: Fields) -> list[list[object]]:
        message = text(asked)
        timer = {
            "triggerTime": "2026-01-30T11:55:00Z",
            "triggerName": "night",
            "payload": f"\ufeff {message}\n",
        }
        queue = cloud_event({"messageBody": text(message)}, "alarms", "mns")
        topic = {"TopicName": "alarms", "PublishTime": MILLISECONDS, "Message": message}
        own = [cloud_event(data, "my.bus", "my:stop") for data in (asked, message, [asked])]
        return [
            [asked, [asked], text(message), timer, *own],
            [http(asked), http(text(message)), queue, topic],
        ]

    for sent in (*sendings(request_body)[0], *sendings(request_body)[1], *sendings(forced)[0]):
        assert list(judged(sent)) == [HERE]
    for sent in sendings(forced)[1]:
        assert list(judged(sent)) == ["Guard.Unauthorized"]


@pytest.mark.parametrize(
    "service", ["actiontrail", "config", "ess", "fc", "oos", "oss", "mq", "sas", "cs", "cms"]
)
@pytest.mark.parametrize(
    "data", [{"InstanceId": A}, {"instanceIds": [A]}, text({"InstanceId": A}), None, 5, []]
)
def test_what_another_service_tells_stops_nothing(service: str, data: object) -> None:
    """What another service tells is refused, whatever its data is; a retry would change nothing."""
    assert list(judged(cloud_event(data, f"acs.{service}", f"{service}:X:Y"))) == [NOT_ENABLED]
