"""Asking RAM about the role, through the SDK: what is wrong comes with the command that mends it."""

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from function.model.credentials import Credentials
from function.settings import Settings
from local.command_line.cloud_check import Ram, commands_to_look, role_problems
from local.template.check import check
from local.template.source import load
from tests.local.template.test_rights import ACCOUNT, policies
from tests.terminal import ROOT, emulator, endpoints, stop_guard

(FUNCTION,) = check(load(ROOT / "template.yml"), datetime(2026, 1, 30, tzinfo=UTC)).functions
SETTINGS = Settings.from_environment(FUNCTION.environment_variables)
TRUST = '{"Statement": [{"Action": "sts:AssumeRole", "Principal": {"Service": ["fc.aliyuncs.com"]}}]}'
KEY = Credentials(access_key_id="someone", access_key_secret="somesecret")


@contextmanager
def ram(answers: Mapping[str, Any]) -> Iterator[Ram]:
    """Serve these answers by action, and policies by their names; an action without one is denied."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            action = self.headers["x-acs-action"]
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            answer = answers.get(action)
            if action == "GetPolicy" and isinstance(answer, list):
                name = next(part for part in self.path.replace("?", "&").split("&") if "PolicyName=" in part)
                document = json.dumps(answer[int(name.rpartition("=")[2])])
                answer = {"DefaultPolicyVersion": {"PolicyDocument": document}}
            status = 200 if isinstance(answer, dict) else 404 if isinstance(answer, str) else 403
            error = {"Code": answer or "NoPermission", "Message": "no", "RequestId": "1"}
            body = json.dumps(answer if status == 200 else error).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's name
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield Ram(KEY, "cn-hangzhou", f"http://127.0.0.1:{server.server_port}")
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def answers(documents: list[dict[str, Any]], *, trust: str = TRUST) -> dict[str, Any]:
    """Answer as RAM does for a role with these policies."""
    attached = [{"PolicyName": str(place), "PolicyType": "Custom"} for place in range(len(documents))]
    return {
        "GetRole": {"Role": {"RoleName": "stop-guard", "AssumeRolePolicyDocument": trust}},
        "ListPoliciesForRole": {"Policies": {"Policy": attached}},
        "GetPolicy": documents,
    }


def problems(given: Mapping[str, Any]) -> list[str]:
    """Say what is wrong with the role as RAM shows it."""
    with ram(given) as asked:
        return list(role_problems(FUNCTION, SETTINGS, ACCOUNT, asked))


def test_the_role_of_the_stack_is_right() -> None:
    """With the policies of deploy/stack.yml there is nothing to say."""
    assert problems(answers(policies())) == []


def test_what_is_missing_comes_with_the_command_that_mends_it() -> None:
    """No role, another service's role, a right too few, and a person who may not ask."""
    (none,) = problems({"GetRole": "EntityNotExist.Role"})
    assert "the role stop-guard does not exist" in none
    assert "aliyun ros CreateStack --RegionId cn-hangzhou --StackName stop-guard" in none
    (other,) = problems(answers(policies(), trust="{}"))
    assert "may not take the role stop-guard; mend it: aliyun ros UpdateStack" in other
    first, *_ = problems(answers([one for one in policies() if "mns:SendMessage" not in str(one)]))
    assert "may not do ecs:DescribeInstances on acs:ecs:cn-hangzhou" in first
    (denied,) = problems({})
    assert "you may not ask RAM (NoPermission); ram:GetRole is the right" in denied
    (half,) = problems({"GetRole": answers([])["GetRole"]})
    assert "ram:ListPoliciesForRole" in half


def test_what_is_not_asked_can_be_looked_at() -> None:
    """Log, queues, triggers: a command each."""
    commands = "\n".join(commands_to_look(FUNCTION))
    assert "aliyun sls GetLogStore --region cn-hangzhou --project stop-guard-1234567890123456" in commands
    assert commands.count("aliyun mns-open GetQueueAttributes") == 2
    assert "aliyun fc ListTriggers --region cn-hangzhou --functionName stop-guard" in commands


def test_the_command_says_who_asks() -> None:
    """With --live the identity comes first; where RAM can't be asked that is a problem, exit code 2."""
    with emulator() as address:
        proxy = {"HTTPS_PROXY": "http://127.0.0.1:9"}
        done = stop_guard("check", "--live", environment={**endpoints(address), **proxy})
    assert done.returncode == 2
    assert f"Asked as acs:ram::{ACCOUNT}:user/" in done.stdout
    assert "RAM could not be asked" in done.stdout
    assert "aliyun fc ListTriggers" in done.stdout
