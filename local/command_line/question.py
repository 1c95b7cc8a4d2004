"""The question before a live run: what counts for whoever answers it, and whether the answer is a yes."""

import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from function.model.request import StopRequest
from local.command_line.exit_codes import CommandError, ExitCode
from local.command_line.identity import Identity
from local.command_line.rows import Line, mode


def about_stopping(
    approved: Sequence[Line],
    report: Mapping[str, object],
    identity: Identity,
    requests: Sequence[StopRequest],
) -> Iterator[str]:
    """Say line by line what a yes would do."""
    accounts = {str(line["account_id"]) for line in approved}
    yield f"Stop {instances(len(approved))} in the real cloud?"
    yield f"  where    {counts(line['region_id'] for line in approved)}"
    if accounts == {identity.account_id}:
        yield f"  account  {identity.account_id}"
    else:
        yield f"  accounts {counts(line['account_id'] for line in approved)}"
    yield f"  as       {identity.arn}"
    yield f"  key      {identity.source}"
    yield f"  mode     {counts(mode(line) for line in approved)}"
    still_charged = report.get("still_charged")
    if still_charged:
        yield f"  charged  {still_charged:,} go on being charged"
    if any(request.force_stop for request in requests):
        yield "  force    the event asks for ForceStop: like cutting the power"
    if any(request.confirm_stop for request in requests):
        yield "  consent  the event accepts the loss of data on local disks (ConfirmStop)"


def confirm(lines: Iterator[str], last: str) -> None:
    """Ask on standard error. Raise CommandError where the answer is no, or nobody can be asked."""
    print(*lines, sep="\n", file=sys.stderr)
    print(f"{last} [y/N] ", end="", file=sys.stderr, flush=True)
    answer = sys.stdin.readline()
    asked = sys.stdin.isatty()
    if not answer.endswith("\n") or not asked:
        print(file=sys.stderr)
    if not answer and not asked:
        raise CommandError("nobody can be asked here; --yes goes on without asking. Nothing was done")
    if answer.strip().lower() not in {"y", "yes"}:
        raise CommandError("Not confirmed; nothing was done", ExitCode.DECLINED)


def instances(count: int) -> str:
    """Say how many."""
    return f"{count:,} instance{'' if count == 1 else 's'}"


def counts(values: Iterator[object]) -> str:
    """Say of each value how many have it; of a single one nothing but itself."""
    counts = Counter(map(str, values))
    if len(counts) == 1:
        return next(iter(counts))
    return ", ".join(f"{value} ({count:,})" for value, count in sorted(counts.items()))
