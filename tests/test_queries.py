"""The questions to the log and the alerts' queries, asked of the lines that real runs leave."""

import json
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

import pytest

from tests.ros_template import Stack
from tests.sls import Index, ask, queries
from tests.stage import Played, SetStage, error

PROJECT = Path(__file__).resolve().parent.parent
STACK = Stack(PROJECT / "deploy" / "stack.yml", NotifyBy="mail", NotifyTo="a@example.com")
PAGE = (PROJECT / "docs" / "operate.md").read_text(encoding="utf-8")
ALL = {"Tag": [{"Key": "auto-stop", "Value": "true"}]}
SAVING = {**ALL, "StoppedMode": "StopCharging"}
OF_FC = ["FC Invoke Start RequestId: 1", "FC Invoke End RequestId: 1"]


def entries(*runs: Played) -> list[Mapping[str, str]]:
    """Give what the logstore has of these runs, among what FC writes itself."""
    lines = [json.dumps(line) for run in runs for line in run.lines]
    return [{"message": text} for text in [OF_FC[0], *lines, OF_FC[1]]]


def index() -> Index:
    """Give the index that the stack makes."""
    (made,) = STACK.resources("ALIYUN::SLS::Index").values()
    assert made["FullTextIndex"] == {"Enable": False}
    (message,) = made["KeyIndices"]
    assert (message["EnableAnalytics"], message["CaseSensitive"]) == (True, True)
    return Index(message["Name"], delimiter=message["Delimiter"])


@cache
def alert(name: str) -> str:
    """Give an alert's query."""
    (found,) = STACK.resources()[name]["Detail"]["Configuration"]["QueryList"]
    return str(found["Query"])


@cache
def search(name: str) -> str:
    """Give a saved search."""
    found = (one["Detail"] for one in STACK.resources("ALIYUN::SLS::Savedsearch").values())
    return str(next(one["SearchQuery"] for one in found if one["SavedsearchName"] == name))


def named(rows: Sequence[Mapping[str, object]]) -> list[object]:
    """Give the instances in an answer."""
    return [row["instance_id"] for row in rows]


def quiet_runs(stage: SetStage) -> dict[str, Played]:
    """Make runs that need nobody: what they refuse is meant to be refused."""
    fleet = stage(
        {"InstanceId": "i-bp1web", "InstanceName": "web"},
        {"InstanceId": "i-bp1lock", "OperationLocks": {"LockReason": [{"LockReason": "security"}]}},
        {"InstanceId": "i-bp1not", "Tags": {"Tag": []}},
    )
    alarm = {"status": "resolved", "alerts": [{"status": "resolved", "labels": {"instance_id": "i-bp1web"}}]}
    return {
        "plan": fleet.invoke({**SAVING, "DryRun": True}),
        "night": fleet.invoke(SAVING),
        "again": fleet.invoke(SAVING),
        "recovered alarm": fleet.invoke({**alarm, "version": "4", "groupKey": "g", "receiver": "r"}),
        "not opted in": fleet.invoke({"InstanceId": "i-bp1not"}),
    }


def loud_runs(stage: SetStage) -> dict[str, Played]:
    """Make runs each of which needs somebody."""
    two = ({"InstanceId": "i-bp1a"}, {"InstanceId": "i-bp1b"})
    stuck = {"InstanceId": "i-bp1stuck", "x-emulator": {"Stuck": "Stopping"}}
    return {
        "left": stage(*two, faults=(error("StopInstance", "DiskError"),)).invoke(ALL),
        "too many": stage(*two).invoke(ALL, MAX_INSTANCES="1"),
        "region": stage(*two).invoke({**ALL, "RegionId": "cn-beijing"}),
        "stale": stage(*two).invoke(
            {"triggerTime": "2026-01-14T00:00:00Z", "triggerName": "t", "payload": json.dumps(ALL)}
        ),
        "not understood": stage(*two).invoke({"InstanceId": "i-bp1a", "Odd": 1}),
        "nothing meant": stage(*two).invoke({"Tag": [{"Key": "env", "Value": "prd"}]}),
        "not listed": stage(*two, faults=(error("DescribeInstances", "Forbidden.RAM"),)).invoke(ALL),
        "still stopping": stage(stuck).invoke(ALL),
    }


def test_the_alert_fires_for_each_run_that_needs_somebody_and_for_no_other(stage: SetStage) -> None:
    """Something left, refused as a whole, or still stopping: not what is refused by state, name or tag."""
    for name, run in quiet_runs(stage).items():
        assert ask(alert("AlertLeft"), entries(run), index()) == [], name
    for name, run in loud_runs(stage).items():
        (row,) = ask(alert("AlertLeft"), entries(run), index())
        assert row["needs"] == 1, name
        assert row["sentence"] == str(run.lines[-1]["message"]).replace('"', ""), name


def test_the_alert_of_silence_counts_runs_that_stop(stage: SetStage) -> None:
    """A plan is none; a run is one, whatever came of it."""
    quiet, loud = quiet_runs(stage), loud_runs(stage)
    plan = quiet.pop("plan")
    for runs, count in (([], 0), ([plan], 0), ([plan, quiet["night"]], 1), ([*quiet.values()], 4)):
        assert ask(alert("AlertSilent"), entries(*runs), index()) == [{"runs": count}]
    assert ask(alert("AlertSilent"), entries(*loud.values()), index()) == [{"runs": len(loud)}]


def test_what_was_stopped_is_found(stage: SetStage) -> None:
    """With its name and its mode; not what only would be, or was before."""
    rows = ask(search("stopped"), entries(*quiet_runs(stage).values()), index())
    assert named(rows) == ["i-bp1web"]
    assert (rows[0]["name"], rows[0]["stopped_mode"]) == ("web", "StopCharging")


def test_why_nothing_was_stopped_is_found(stage: SetStage) -> None:
    """Each event that was refused as a whole, and each region that could not be listed; no instance."""
    runs = quiet_runs(stage) | loud_runs(stage)
    rows = ask(search("nothing-stopped"), entries(*runs.values()), index())
    assert sorted(str(row["code"]) for row in rows) == [
        "Forbidden.RAM",
        "Guard.AlarmState",
        "Guard.RegionNotAllowed",
        "Guard.StaleEvent",
        "Guard.TooManyInstances",
        "InvalidEvent",
    ]


def test_what_is_left_is_found_until_it_is_done(stage: SetStage) -> None:
    """By each instance's latest outcome: a later run that stops it takes it off the list."""
    fleet = stage(
        {"InstanceId": "i-bp1bad", "InstanceName": "db"},
        {"InstanceId": "i-bp1good"},
        faults=(error("StopInstance", "DiskError", last=1),),
    )
    first = fleet.invoke({"InstanceIds": ["i-bp1bad"]})
    fleet.clock.sleep(60)
    other = fleet.invoke({"InstanceIds": ["i-bp1good"]})
    (row,) = ask(search("left"), entries(first, other), index())
    assert (row["instance_id"], row["name"], row["status"]) == ("i-bp1bad", "db", "failed")
    fleet.clock.sleep(60)
    again = fleet.invoke({"InstanceIds": ["i-bp1bad"]})
    assert ask(search("left"), entries(again, first, other), index()) == []
    stuck = stage({"InstanceId": "i-bp1stuck", "x-emulator": {"Stuck": "Stopping"}}).invoke(ALL)
    assert named(ask(search("left"), entries(stuck), index())) == ["i-bp1stuck"]


def test_what_is_refused_again_and_again_is_found(stage: SetStage) -> None:
    """From the third night on; a retry of one event is no other night."""
    fleet = stage({"InstanceId": "i-bp1not", "Tags": {"Tag": []}})
    nights = [fleet.invoke({"InstanceId": "i-bp1not", "StoppedMode": mode}) for mode in ("KeepCharging",) * 4]
    events = [
        fleet.invoke(
            {
                "triggerTime": f"2026-01-15T19:5{night}:00Z",
                "triggerName": "nightly",
                "payload": '{"InstanceId": "i-bp1not"}',
            }
        )
        for night in range(3)
    ]
    assert ask(search("refused-again"), entries(*nights), index()) == []
    (row,) = ask(search("refused-again"), entries(*events), index())
    assert (row["instance_id"], row["code"], row["runs"]) == ("i-bp1not", "Guard.NotOptedIn", 3)


def test_what_still_costs_money_is_found(stage: SetStage) -> None:
    """By each instance's latest outcome: stopped, by whomever, and charged all the same."""
    fleet = stage(
        {"InstanceId": "i-bp1gpu", "InstanceName": "gpu-train"},
        {"InstanceId": "i-bp1off", "Status": "Stopped", "StoppedMode": "KeepCharging"},
        {"InstanceId": "i-bp1save", "Status": "Stopped", "StoppedMode": "StopCharging"},
        {"InstanceId": "i-bp1on", "Tags": {"Tag": []}},
    )
    rows = ask(question("KeepCharging"), entries(fleet.invoke(ALL)), index())
    assert sorted(map(str, named(rows))) == ["i-bp1gpu", "i-bp1off"]
    assert {row["name"] for row in rows} >= {"gpu-train"}


def question(part: str) -> str:
    """Give the page's query in which something stands."""
    (found,) = (query for query in queries(PAGE) if part in query)
    return found


def test_the_page_has_the_searches_that_the_stack_saves() -> None:
    """Word for word, so that nobody reads one and runs another; the notice's query, too."""
    page = {" ".join(query.split()) for query in queries(PAGE)}
    saved = STACK.resources("ALIYUN::SLS::Savedsearch").values()
    assert {" ".join(str(one["Detail"]["SearchQuery"]).split()) for one in saved} <= page


@pytest.mark.parametrize("query", list(queries(PAGE)))
def test_each_question_of_the_page_can_be_asked(stage: SetStage, query: str) -> None:
    """And finds something in a log that has it all."""
    runs = [*quiet_runs(stage).values(), *loud_runs(stage).values()]
    extra = stage({"InstanceId": "i-bp67acfmxazb4ph001", "Tags": {"Tag": []}})
    nights = [
        extra.invoke(
            {
                "triggerTime": f"2026-01-15T19:5{night}:00Z",
                "triggerName": "nightly",
                "payload": '{"InstanceId": "i-bp67acfmxazb4ph001"}',
            }
        )
        for night in range(3)
    ]
    kept = stage({"InstanceId": "i-bp1keep"}).invoke(ALL)
    assert ask(query, entries(*runs, *nights, kept), index())
