"""deploy/: what surrounds the function is what ROS can make, and fits template.yml and the documents."""

import json
import re
from pathlib import Path

import pytest

from local.template.source import load
from tests.ros_template import ACCOUNT_ID, REGION, Json, Stack
from tests.test_template import FILE

PROJECT = Path(__file__).resolve().parent.parent
STACK = PROJECT / "deploy" / "stack.yml"
ACCOUNT = PROJECT / "deploy" / "account.yml"
TYPES = json.loads((PROJECT / "tests" / "ros" / "types.json").read_text(encoding="utf-8"))
ALL = {
    "OtherRegions": "cn-beijing,cn-shanghai",
    "FanOut": "true",
    "RoleArns": "acs:ram::2345678901234567:role/x",
}
NOTICES = {
    "nobody": "",
    "DingTalk": "https://oapi.dingtalk.com/robot/send?access_token=x",
    "Feishu": "https://open.feishu.cn/open-apis/bot/v2/hook/x",
    "WeCom": "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=x",
    "mail": "one@example.com,two@example.com",
    "action-policy": "night-watch",
}


def stacks() -> list[Stack]:
    """Give both stacks, with every condition both ways."""
    notices = [
        Stack(STACK, NotifyBy=kind, NotifyTo=to, **(ALL if kind == "mail" else {}))
        for kind, to in NOTICES.items()
    ]
    return [
        *notices,
        Stack(ACCOUNT, FunctionAccount=ACCOUNT_ID),
        Stack(ACCOUNT, FunctionAccount=ACCOUNT_ID, OtherRegions="cn-beijing"),
    ]


def wrong(value: Json, rule: Json, where: str) -> list[str]:
    """Name what ROS would refuse in a value: properties that are unknown or missing, and types."""
    match rule:
        case "string":
            return [] if isinstance(value, str) else [f"{where}: no text"]
        case "number":
            return [] if isinstance(value, int) and not isinstance(value, bool) else [f"{where}: no number"]
        case "boolean":
            return [] if isinstance(value, bool) else [f"{where}: no boolean"]
        case [inner]:
            if not isinstance(value, list):
                return [f"{where}: no list"]
            return [error for one in value for error in wrong(one, inner, f"{where}[]")]
        case dict():
            if not isinstance(value, dict):
                return [f"{where}: no map"]
            if "*" in rule:
                return []
            known = {name.rstrip("?"): inner for name, inner in rule.items()}
            errors = [f"{where}.{name}: unknown" for name in value if name not in known]
            errors += [
                f"{where}.{name}: missing" for name in rule if not name.endswith("?") and name not in value
            ]
            return errors + [
                error
                for name, one in value.items()
                if name in known
                for error in wrong(one, known[name], f"{where}.{name}")
            ]
    return []


def test_every_resource_is_one_that_ros_knows() -> None:
    """Each type, property and value is as ROS has it, whatever the parameters are."""
    seen = set()
    for stack in stacks():
        types = stack.types()
        for name, properties in stack.resources().items():
            seen.add(types[name])
            assert wrong(properties, TYPES[types[name]], name) == []
    assert seen == set(TYPES)


def test_what_ros_would_refuse_is_seen() -> None:
    """The check above sees a property that is misspelt, missing, or of another type."""
    rule = TYPES["ALIYUN::MNS::Queue"]
    assert wrong({"QueueName": "a"}, rule, "q") == []
    assert wrong({"Queuename": "a"}, rule, "q") == ["q.Queuename: unknown", "q.QueueName: missing"]
    assert wrong({"QueueName": "a", "DelaySeconds": "1"}, rule, "q") == ["q.DelaySeconds: no number"]
    with pytest.raises(AssertionError):
        Stack(STACK, OtherRegions="cn-beijing, cn-shanghai")
    with pytest.raises(AssertionError):
        Stack(STACK, NotifyBy="pigeon")


@pytest.mark.parametrize("name", ["ab", "night-", "Night", "9to5", "a" * 32])
def test_a_name_that_some_service_refuses_is_refused_at_once(name: str) -> None:
    """A logstore's has 3 to 36 characters and ends without a hyphen; Serverless Devs makes a role's small."""
    with pytest.raises(AssertionError):
        Stack(STACK, Name=name)
    assert Stack(STACK, Name="abc").parameters["Name"] == "abc"


def test_nothing_is_made_before_what_it_needs() -> None:
    """ROS makes resources side by side: what lies in another names it, directly or by one that does."""
    stack = stacks()[1]

    def all_before(name: str) -> set[str]:
        nearest = stack.before(name)
        return nearest.union(*(all_before(one) for one in nearest))

    for name, kind in stack.types().items():
        if kind == "ALIYUN::RAM::ManagedPolicy":
            assert "Role" in all_before(name)
        if kind.startswith("ALIYUN::SLS::") and name != "LogProject":
            assert "LogProject" in all_before(name)
            if name != "Logstore":
                assert "Logstore" in all_before(name)
        if kind in ("ALIYUN::SLS::Alert", "ALIYUN::SLS::Savedsearch"):
            assert "Index" in all_before(name)


def test_names_are_those_of_the_template() -> None:
    """Role, log and queues are where template.yml looks for them."""
    given = load(FILE).value
    assert isinstance(given, dict)
    props = given["resources"]["stop_guard"]["props"]
    stack = Stack(STACK)
    assert stack.parameters["Name"] == props["functionName"]
    assert stack.resources()["Role"]["RoleName"] == props["role"]
    assert stack.outputs["RoleArn"] == f"acs:ram::{ACCOUNT_ID}:role/{props['role']}"
    (project,) = stack.resources("ALIYUN::SLS::Project").values()
    (logstore,) = stack.resources("ALIYUN::SLS::Logstore").values()
    log = props["logConfig"]
    assert log["project"] == project["Name"] == logstore["ProjectName"] == stack.outputs["LogProject"]
    assert log["logstore"] == logstore["LogstoreName"]

    queues = {one["QueueName"] for one in stack.resources("ALIYUN::MNS::Queue").values()}
    destinations = props["asyncInvokeConfig"]["destinationConfig"].values()
    used = {one["destination"].split("/queues/")[1].split("/")[0] for one in destinations}
    sources = [one["triggerConfig"].get("eventSourceConfig", {}) for one in props["triggers"]]
    used |= {
        one["eventSourceParameters"]["sourceMNSParameters"]["QueueName"]
        for one in sources
        if one.get("eventSourceType") == "MNS"
    }
    assert queues == used
    assert given["vars"]["region"] == REGION


def test_another_name_is_a_name_everywhere() -> None:
    """A second function in one account shares nothing with the first."""
    one = json.dumps(Stack(STACK, NotifyBy="mail", NotifyTo="a@example.com", **ALL).resources())
    other = json.dumps(
        Stack(STACK, NotifyBy="mail", NotifyTo="a@example.com", Name="night", **ALL).resources()
    )
    names = re.compile(r'"(?:RoleName|PolicyName|Name|ProjectName|LogstoreName|QueueName)": "([^"]+)"')
    same = {name for name in names.findall(one) if name in names.findall(other)}
    assert same == {"message", "needs-somebody", "no-run"}  # a field, and alerts inside the project
    assert len(set(names.findall(one))) > 8


def test_each_parameter_is_in_the_documents_with_its_default() -> None:
    """Whoever reads docs/deploy.md knows what can differ, and how it is if nothing is said."""
    page = (PROJECT / "docs" / "deploy.md").read_text(encoding="utf-8")
    table = page.split("| parameter | means | default |\n")[1].split("\n\n")[0]
    cells = [
        [cell.strip().strip("`") for cell in line.strip("|").split("|")] for line in table.splitlines()[1:]
    ]
    shown = {name: default for name, _, default in cells}
    defaults = {name: str(value) or "none" for name, value in Stack(STACK).parameters.items()}
    assert shown == defaults


def test_queues_are_what_smq_allows() -> None:
    """Messages of 1 to 64 KB, kept for a minute to a week."""
    for queue in Stack(STACK).resources("ALIYUN::MNS::Queue").values():
        assert 1024 <= queue.get("MaximumMessageSize", 65536) <= 65536
        assert 60 <= queue["MessageRetentionPeriod"] <= 604800


def test_what_is_searched_is_indexed_as_the_documents_say() -> None:
    """The field is the one that FC writes; words are what stands between JSON's signs, with their case."""
    (index,) = Stack(STACK).resources("ALIYUN::SLS::Index").values()
    (field,) = index["KeyIndices"]
    assert (field["Name"], field["Type"], field["CaseSensitive"]) == ("message", "text", True)
    assert field["EnableAnalytics"]
    line = '{"message": "stopped, as ECS confirms", "instance_id": "i-bp1", "code": "Guard.NotOptedIn"}'
    words = re.split(f"[{re.escape(field['Delimiter'])}]+", line)
    assert {"stopped", "instance_id", "i-bp1", "code", "Guard.NotOptedIn"} <= set(words)


def one_line(query: str) -> str:
    """Give a query without its line breaks."""
    return " ".join(query.split())


def test_every_saved_search_stands_in_the_documents() -> None:
    """What the console offers as a saved search is a question of docs/operate.md, word for word."""
    page = (PROJECT / "docs" / "operate.md").read_text(encoding="utf-8")
    questions = {one_line(query) for query in re.findall(r"(?:^    .*\n)+", page, re.MULTILINE)}
    searches = Stack(STACK).resources("ALIYUN::SLS::Savedsearch").values()
    assert len(searches) >= 2
    assert {one_line(one["Detail"]["SearchQuery"]) for one in searches} <= questions
    assert {one["Detail"]["Logstore"] for one in searches} == {"stop-guard"}


@pytest.mark.parametrize(("kind", "to"), NOTICES.items())
def test_an_alert_tells_whom_it_should_in_the_form_that_they_take(kind: str, to: str) -> None:
    """Nobody: no alert. A robot: its webhook and form. Mail: each address. An action policy: by its id."""
    alerts = Stack(STACK, NotifyBy=kind, NotifyTo=to).resources("ALIYUN::SLS::Alert")
    if kind == "nobody":
        assert alerts == {}
        return
    assert len(alerts) == 2
    for alert in alerts.values():
        rules = alert["Detail"]["Configuration"]
        if kind == "action-policy":
            assert rules["PolicyConfiguration"]["ActionPolicyId"] == to
            assert rules["Version"] == "2.0"
            assert not {"NotificationList", "Condition", "NotifyThreshold", "Throttling"} & set(rules)
            continue
        assert not {"PolicyConfiguration", "SeverityConfigurations", "Version"} & set(rules)
        (notice,) = rules["NotificationList"]
        assert "stop-guard" in notice["Content"]  # the word that a robot can be told to look for
        if kind == "mail":
            assert notice["EmailList"] == to.split(",")
            assert "ServiceUri" not in notice
            continue
        assert notice["ServiceUri"] == to
        if kind == "DingTalk":
            continue
        body = json.loads(notice["Content"])
        text = body["content"]["text"] if kind == "Feishu" else body["text"]["content"]
        assert body == (
            {"msg_type": "text", "content": {"text": text}}
            if kind == "Feishu"
            else {"msgtype": "text", "text": {"content": text}}
        )


def test_both_kinds_of_alert_fire_for_the_same_reason() -> None:
    """Whether an action policy or a list of receivers: the condition and the count of checks are the same."""
    by_policy = Stack(STACK, NotifyBy="action-policy", NotifyTo="x").resources("ALIYUN::SLS::Alert")
    by_mail = Stack(STACK, NotifyBy="mail", NotifyTo="a@example.com").resources("ALIYUN::SLS::Alert")
    for name, alert in by_policy.items():
        new, old = (one["Detail"]["Configuration"] for one in (alert, by_mail[name]))
        (severity,) = new["SeverityConfigurations"]
        assert severity["EvalCondition"]["Condition"] == old["Condition"]
        assert new["Threshold"] == old["NotifyThreshold"]
        assert new["QueryList"] == old["QueryList"]


def test_no_check_for_runs_looks_at_more_than_a_day() -> None:
    """A query of an alert reaches back at most 24 hours; two checks an hour apart make it 25."""
    alert = Stack(STACK, NotifyBy="mail", NotifyTo="a@example.com").resources()["AlertSilent"]["Detail"]
    (query,) = alert["Configuration"]["QueryList"]
    assert (query["Start"], query["End"], alert["Schedule"]["Interval"]) == ("-24h", "now", "1h")
    assert alert["Configuration"]["NotifyThreshold"] == 2
