"""The command line as its users run it: a process in a pipe or on a terminal, and an exit code."""

import fcntl
import os
import pty
import re
import signal
import struct
import subprocess
import sys
import termios
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
COMMAND = Path(sys.executable).with_name("stop-guard")

LIVE = {
    "FC_REGION": "cn-hangzhou",
    "ALIBABA_CLOUD_ACCESS_KEY_ID": "emulator",
    "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "emulator",
}
"""The key of `stop-guard emulator`; for --live against it, with `endpoints`."""


def endpoints(address: str) -> dict[str, str]:
    """Give the settings that lead to a local ECS and STS, as if they were the cloud's."""
    return LIVE | {"ECS_ENDPOINT": address, "STS_ENDPOINT": address}


def environment_of(environment: Mapping[str, str] | None) -> dict[str, str]:
    """Give nothing but a PATH and these variables."""
    return {"PATH": os.environ["PATH"], "HOME": "/nonexistent"} | dict(environment or {})


def stop_guard(
    *arguments: str | Path,
    stdin: str | bytes = "",
    environment: Mapping[str, str] | None = None,
    cwd: Path = ROOT,
) -> subprocess.CompletedProcess[str]:
    """Run the command in pipes."""
    done = subprocess.run(
        [COMMAND, *map(str, arguments)],
        input=stdin.encode() if isinstance(stdin, str) else stdin,
        env=environment_of(environment),
        cwd=cwd,
        capture_output=True,
        timeout=60,
        check=False,
    )
    return subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())


@contextmanager
def emulator(*arguments: str | Path) -> Iterator[str]:
    """Run `stop-guard emulator` on a free port, and stop it in the end as a user would."""
    command: list[str | Path] = [COMMAND, "emulator", "--port", "0", *map(str, arguments)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, cwd=ROOT) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        try:
            yield line.removeprefix("listening on ").strip()
        finally:
            process.send_signal(signal.SIGINT)
            try:
                _, errors = process.communicate(timeout=20)
            except subprocess.TimeoutExpired:
                process.kill()  # or leaving the block would wait for it without end
                raise
    assert (process.returncode, errors) == (0, "")


@dataclass(frozen=True)
class Seen:
    """How a command on a terminal ended, and all that the terminal got."""

    returncode: int
    raw: str

    @property
    def text(self) -> str:
        """Give it without colours and the moves of the cursor."""
        return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", self.raw).replace("\r", "")


def on_terminal(
    *arguments: str | Path,
    answers: Mapping[str, str] | None = None,
    interrupt_at: str | None = None,
    columns: int = 80,
    environment: Mapping[str, str] | None = None,
    stdout: int | None = None,
) -> Seen:
    """Run the command with a terminal for input and output, and type what is asked for.

    `answers`: what to type, by the text that has to be on the terminal for it. `interrupt_at`: the text at
    which Ctrl-C is pressed. `stdout`: another place for standard output.
    """
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    waiting = dict(answers or {})
    if interrupt_at is not None:
        waiting[interrupt_at] = "\x03"
    seen = b""
    with subprocess.Popen(
        [COMMAND, *map(str, arguments)],
        env=environment_of({"TERM": "xterm", **(environment or {})}),
        cwd=ROOT,
        stdin=theirs,
        stdout=theirs if stdout is None else stdout,
        stderr=theirs,
        start_new_session=True,
        preexec_fn=_take_terminal,  # noqa: PLW1509 - no thread is about
    ) as process:
        os.close(theirs)
        with suppress(OSError):  # how a terminal that nobody writes to any more ends
            while some := os.read(ours, 65_536):
                seen += some
                for text in [text for text in waiting if text.encode() in seen]:
                    os.write(ours, waiting.pop(text).encode())
        returncode = process.wait(timeout=60)
    os.close(ours)
    return Seen(returncode, seen.decode())


def _take_terminal() -> None:
    """Make standard error the process's own terminal, whose keyboard can interrupt it."""
    fcntl.ioctl(2, termios.TIOCSCTTY, 0)


def rows(text: str) -> list[list[str]]:
    """Give the cells of each line that a pipe got."""
    return [line.split("\t") for line in text.splitlines() if "\t" in line]


def words(parts: Sequence[str]) -> str:
    """Join lines and make their blanks one, so that wrapping does not matter."""
    return " ".join(" ".join(parts).split())
