"""`stop-guard check`: says whether a template is what it seems, and what its timers will do."""

from datetime import UTC, datetime
from pathlib import Path

from function.model.credentials import Credentials
from local.command_line import display
from local.command_line.exit_codes import CommandError, ExitCode
from local.command_line.settings import machine_endpoints
from local.template.check import Findings, check
from local.template.coherence import read_settings
from local.template.source import InvalidTemplate, load


def check_template(path: Path, *, live: bool) -> ExitCode:
    """Check it and say what was found. Raise CommandError."""
    try:
        findings = check(load(path), datetime.now(UTC))
        show(findings, path)
        if not live:
            return ExitCode.WRONG if findings.problems else ExitCode.COMPLETE
        right = _check_cloud(path)
    except InvalidTemplate as error:
        raise CommandError(str(error)) from None
    return ExitCode.COMPLETE if right and not findings.problems else ExitCode.WRONG


def _check_cloud(path: Path) -> bool:
    """Say who asks, and what each function of the template lacks there; tell whether it lacks nothing."""
    from local.command_line.cloud_apis import CloudApis  # noqa: PLC0415 - the SDK, only where it is used
    from local.command_line.cloud_check import ask  # noqa: PLC0415
    from local.command_line.live import connect  # noqa: PLC0415

    out, now = display.console(), datetime.now(UTC)
    regions = [function.region for function in check(load(path), now).functions]
    if not regions:
        return False
    endpoints = machine_endpoints()
    cloud = connect(endpoints | {"FC_REGION": regions[0]})
    identity = cloud.identity
    display.say(out, f"Asked as {identity.arn}, with the key from {identity.source}", "bold")
    # Plain http is for this machine alone (`read_endpoint`): a local cloud, which is there for all of it.
    local = next((one for one in endpoints.values() if one.startswith("http://")), None)
    right = True
    for function in check(load(path, account_id=identity.account_id), now).functions:
        settings, wrong = read_settings(function, ())
        if settings is None or wrong:
            continue  # said before, by its line
        apis = CloudApis(Credentials.read(None, cloud.target.environment), function.region, local)
        for asked in ask(function, settings, identity.account_id, apis, deploy=f"s deploy -t {path} -y"):
            right = right and not asked.problems
            for problem in asked.problems:
                display.advise(out, problem.text, problem.command, "red")
            if not asked.problems:
                display.say(out, asked.right, "bold green")
    return right


def show(findings: Findings, path: Path) -> None:
    """Print the problems, each with its place, and then the timers."""
    out = display.console()
    for place, message in findings.problems:
        display.say(out, f"{place}: {message}", "red")
    for timer in findings.forecasts:
        switch = "" if timer.enabled else " (disabled)"
        display.say(out, f"Timer {timer.name}{switch}: {timer.expression}", "bold")
        display.say(out, f"  {timer.asks_for}")
        for moment in timer.times:
            display.say(out, f"  {moment}")
    count = len(findings.problems)
    if count:
        display.say(out, f"{path}: {count} problem{'' if count == 1 else 's'}", "bold red")
    else:
        display.say(out, f"{path}: nothing is wrong with it", "bold green")
