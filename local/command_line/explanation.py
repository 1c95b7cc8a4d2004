"""Explains a run: every call that it makes on a local ECS, as signed text and as code, in Markdown."""

import json
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from textwrap import fill

from function.cloud.fc import make_client
from function.model.credentials import Credentials
from function.model.ports import DESCRIBE_INSTANCES, STOP_INSTANCE, STOP_INSTANCES
from function.settings import Settings
from local.api.names import ASSUME_ROLE, INVOKE_FUNCTION
from local.api.products import product_of
from local.api.signatures import acs3_signature
from local.command_line.playback import LoggedLine, Playback
from local.command_line.rehearsal import LOCAL_KEY
from local.emulator.call_log import ReceivedCall
from local.emulator.sessions import account_of_role
from local.samples.languages import samples
from local.samples.quoting import literal
from local.samples.typed_call import TypedCall

_INTRODUCTION = """\
{run} makes {in_all} in all; repetitions are left out, such as looking again until an instance is
Stopped, or in a shard. It was played on a local ECS, so each call is sent to that, and signed with its key
(id {key_id}): in the cloud, host, time, nonce, key and signature are others. The code takes its key from
where the SDK finds one, such as ALIBABA_CLOUD_ACCESS_KEY_ID and ALIBABA_CLOUD_ACCESS_KEY_SECRET in the
environment."""
_OF_A_SESSION = """\
With the secret of a session in account {account_id}, which is nowhere kept. The command and the code make
this call there where ALIBABA_CLOUD_ACCESS_KEY_ID, ALIBABA_CLOUD_ACCESS_KEY_SECRET and
ALIBABA_CLOUD_SECURITY_TOKEN are those of AssumeRole's answer."""
_WIDTH = 80
"""Columns of the prose."""

_NO_SETTINGS = Settings.from_environment({})


class NotMeant(ValueError):  # noqa: N818 - what is wrong is the question, and the message says how
    """The event does not mean the instance that was asked about."""


def explain(
    run: Playback, *, instance_id: str | None = None, settings: Settings = _NO_SETTINGS
) -> Iterator[str]:
    """Write Markdown, a block at a time: of the whole run, or of what concerns one instance.

    `settings` say what the code is to call. In a whole run the code is there once for each action and region.
    Raise NotMeant if the event means other instances.
    """
    lines = [line for line in run.lines if "instance_id" in line or "code" in line]
    if instance_id is not None:
        meant = [line["instance_id"] for line in lines if "instance_id" in line]
        lines = [line for line in lines if _may_be_about(line, instance_id)]
        lines = [line for line in lines if "instance_id" in line] or lines
        if not lines:
            others = ", ".join(meant) or "none"
            raise NotMeant(f"the event does not mean {instance_id[:200]!r}; it means {others}")
    calls = list(_shown(run.calls))
    if instance_id is not None:
        accounts = {call.account_id for call, _ in calls if _is_about(call, instance_id)}
        calls = [each for each in calls if _is_about(each[0], instance_id) or _opens(each[0], accounts)]
    alone = list(_left_alone(calls, lines))
    if instance_id is not None:
        yield from alone
    yield from _introduction(run, calls, instance_id)
    explained: dict[tuple[str, str], int] = {}
    for number, (call, typed) in enumerate(calls, 1):
        yield from _signed(number, call, typed)
        aliyun, *codes = samples(typed, endpoint_of(typed, settings))
        yield f"### {aliyun.title}"
        yield _fenced(aliyun.text, aliyun.language)
        before = explained.setdefault((call.action, typed.region_id), number)
        if before == number or instance_id is not None:
            for sample in codes:
                yield f"### {sample.title}"
                yield _fenced(sample.text, sample.language)
        else:
            yield f"The code for the SDKs is that of call {before}, with these parameters."
    if instance_id is None:
        yield from alone


def endpoint_of(call: TypedCall, settings: Settings) -> str | None:
    """Say where to make the call, `http(s)://host[:port]`; None: each SDK knows the region's own.

    For FC it is the one of the SDK for Python, which the function calls: those for Node.js and Java have
    fc.aliyuncs.com for every region, where FC 3.0 is not.
    """
    if call.action == ASSUME_ROLE:
        return settings.sts_endpoint
    if call.action != INVOKE_FUNCTION:
        return settings.ecs_endpoint
    own: str = make_client(call.region_id, Credentials(), None)._endpoint  # noqa: SLF001 - the SDK offers no other way
    return settings.fan_out_endpoint or f"https://{own}"


def _shown(calls: Sequence[tuple[ReceivedCall, TypedCall]]) -> Iterator[tuple[ReceivedCall, TypedCall]]:
    """Skip out repetitions: the same call again, and looking again at instances already described."""
    seen: list[tuple[str, str, str, dict[str, str]]] = []
    described: set[tuple[str, str, str]] = set()
    for call, typed in calls:
        scope = (call.account_id, typed.region_id)
        ids = json.loads(call.parameters.get("InstanceIds", "[]"))
        again = (
            call.action == DESCRIBE_INSTANCES and ids and described.issuperset((*scope, id_) for id_ in ids)
        )
        key = (*scope, call.action, dict(call.parameters))
        if again or key in seen:
            continue
        seen.append(key)
        described.update((*scope, id_) for id_ in ids or _described(call))
        yield call, typed


def _described(call: ReceivedCall) -> list[str]:
    instances = call.answer.get("Instances", {}).get("Instance", [])
    return [instance["InstanceId"] for instance in instances]


def _stopped(call: ReceivedCall) -> list[str]:
    """Give the instances of a StopInstance or a StopInstances."""
    stops = call.action in {STOP_INSTANCE, STOP_INSTANCES}
    return [text for name, text in call.parameters.items() if stops and name.startswith("InstanceId")]


def _handed_on(call: ReceivedCall) -> list[str]:
    """Give the instances of the shard that an InvokeFunction hands on."""
    if call.action != INVOKE_FUNCTION:
        return []
    ids: list[str] = json.loads(call.parameters["body"])["data"]["InstanceIds"]
    return ids


def _opens(call: ReceivedCall, accounts: Collection[str]) -> bool:
    """Whether it is the AssumeRole with which one of these accounts is reached."""
    return call.action == ASSUME_ROLE and account_of_role(call.parameters) in accounts


def _is_about(call: ReceivedCall, instance_id: str) -> bool:
    return any(instance_id in ids for ids in (_stopped(call), _described(call), _handed_on(call)))


def _may_be_about(line: LoggedLine, instance_id: str) -> bool:
    """Tell of a log line; one that names no instance, or not all that it is about, may be about any."""
    if "instance_id" in line:
        return bool(line["instance_id"] == instance_id)
    ids = line.get("instance_ids", [])
    return not ids or instance_id in ids or len(ids) < line["instance_count"]


def _introduction(
    run: Playback, calls: Sequence[tuple[ReceivedCall, TypedCall]], instance_id: str | None
) -> Iterator[str]:
    counts = Counter(call.action for call, _ in calls)
    what = ", ".join(f"{count} {action}" for action, count in counts.items()) or "none"
    yield f"# Calls of the run{f' about {instance_id}' if instance_id else ''}: {what}"
    yield fill(
        _INTRODUCTION.format(
            run="The run with its shards" if len(run.answers) > 1 else "The run",
            in_all=f"{len(run.calls)} call{'' if len(run.calls) == 1 else 's'}",
            key_id=LOCAL_KEY["ALIBABA_CLOUD_ACCESS_KEY_ID"],
        ),
        _WIDTH,
        break_on_hyphens=False,
    )


def _signed(number: int, call: ReceivedCall, typed: TypedCall) -> Iterator[str]:
    canonical_request, _, string_to_sign = call.signed.rpartition("\n\n")
    parameters = "".join(f"{name} = {_visible(text)}\n" for name, text in typed.flat())
    about = f" {call.parameters['InstanceId']}" if call.action == STOP_INSTANCE else ""
    yield f"## {number}. {call.action}{about} in {typed.region_id}"
    api = product_of(call.action).code.upper()
    yield f"The local {api} answers {call.status}{f' {call.code}' if call.code else ''}."
    yield "### Parameters"
    yield _fenced(parameters, "text")
    yield "### Canonical request"
    yield _fenced(canonical_request, "text")
    yield "### String to sign"
    yield _fenced(string_to_sign, "text")
    yield "### Signature"
    if "\nx-acs-security-token:" in canonical_request:
        yield fill(_OF_A_SESSION.format(account_id=call.account_id), _WIDTH, break_on_hyphens=False)
        return
    yield _fenced(acs3_signature(string_to_sign, LOCAL_KEY["ALIBABA_CLOUD_ACCESS_KEY_SECRET"]), "text")


def _left_alone(
    calls: Sequence[tuple[ReceivedCall, TypedCall]], lines: Sequence[LoggedLine]
) -> Iterator[str]:
    """Say why an instance that the event means gets no stop call, or why the event was refused."""
    called = {instance_id for call, _ in calls for instance_id in _stopped(call)}
    left = [line for line in lines if line.get("instance_id") not in called]
    if not called and not left:
        yield "## No stop call"
        yield "The event means no instance: nothing that it selects was found."
    if left:
        yield "## No stop call"
        yield "\n".join(
            f"- {_subject(line)}: "
            + _visible(f"{line['code']}: {line['message']}" if line["code"] else line["message"])
            for line in left
        )


def _subject(line: LoggedLine) -> str:
    """Say what a line is about: an instance, a region of an account, or the event as a whole."""
    if "instance_id" in line:
        return str(line["instance_id"])
    if "region_id" not in line:
        return "the event"
    account = f" of account {line['account_id']}" if line["account_id"] else ""
    return f"{line['region_id']}{account}"


def _visible(text: str) -> str:
    return text if text.isprintable() else literal(text)


def _fenced(text: str, language: str) -> str:
    ending = "" if text.endswith("\n") else "\n"
    return f"```{language}\n{text}{ending}```"
