"""What a person sees while a run lasts: how many instances it has found, asked to stop, and settled."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from function.cloud.ecs import connect_ecs
from function.model.credentials import Credentials
from function.model.errors import ClientCode, CloudError
from function.model.ports import Ecs, Page, StopCall
from function.model.request import Selection
from local.command_line.display import console
from local.command_line.rows import Line
from local.command_line.watching import PassedOn

_BAR_WIDTH = 24
"""Characters: with the words beside it the line fits into 80 columns."""


@dataclass(slots=True)
class Watch:
    """Follows a run by its log lines, and by the instances that pass on their way from ECS.

    `connect_ecs` is for the run: the real way to ECS, looked at in passing.
    """

    settled: set[str] = field(default_factory=set)
    found: set[str] = field(default_factory=set)
    asked: dict[str, None] = field(default_factory=dict)
    """The instances that a stop call was sent for, in that order."""
    ended: bool = False

    def line(self, line: Line) -> None:
        """Take in a log line."""
        if "instance_id" in line:
            self.settled.add(str(line["instance_id"]))
        self.show()

    def ask(self, calls: Sequence[StopCall]) -> None:
        """Take in that these are about to be sent. Raise CloudError once the run has ended."""
        if self.ended:
            raise CloudError(ClientCode.OUT_OF_TIME, "the run was interrupted")
        self.asked.update(dict.fromkeys(call.instance_id for call in calls if not call.dry_run))
        self.show()

    def end(self) -> tuple[str, ...]:
        """Let no further stop call out; give those that were sent and have no outcome yet."""
        self.ended = True
        return tuple(instance_id for instance_id in self.asked if instance_id not in self.settled)

    def see(self, instance_ids: Iterable[str]) -> None:
        """Take in that the event means these."""
        self.found.update(instance_ids)
        self.show()

    def connect_ecs(
        self, region_id: str, credentials: Credentials, *, endpoint: str | None, connections: int
    ) -> Ecs:
        """See `Connect`."""
        return _WatchedEcs(
            connect_ecs(region_id, credentials, endpoint=endpoint, connections=connections), self
        )

    def show(self) -> None:
        """Show how far it is; nobody watches this one."""


@dataclass(slots=True, kw_only=True)
class _Bar(Watch):
    """Shows a bar: without an end while instances are looked for, until the first log line or stop call."""

    progress: Progress

    def __post_init__(self) -> None:
        self.progress.add_task("Looking for instances", total=None)

    def show(self) -> None:
        """Move the bar."""
        task = self.progress.task_ids[0]
        what = "Stopping" if self.asked else "Checking"
        if self.settled or self.asked:
            self.progress.update(
                task, description=what, completed=len(self.settled), total=len(self.found | self.settled)
            )
        else:
            self.progress.update(task, completed=len(self.found))


@dataclass(frozen=True, slots=True)
class _WatchedEcs(PassedOn):
    watch: Watch

    def describe(self, instance_ids: Sequence[str], *, seconds: float) -> Page:
        """See `Ecs.describe`; also those that do not exist get an outcome."""
        self.watch.see(instance_ids)
        return self.ecs.describe(instance_ids, seconds=seconds)

    def select(self, selection: Selection, next_token: str | None, *, seconds: float) -> Page:
        """See `Ecs.select`."""
        page = self.ecs.select(selection, next_token, seconds=seconds)
        self.watch.see(instance.instance_id for instance in page.instances)
        return page

    def stop(self, call: StopCall, *, seconds: float, fresh_seconds: float) -> str:
        """See `Ecs.stop`."""
        self.watch.ask([call])
        return self.ecs.stop(call, seconds=seconds, fresh_seconds=fresh_seconds)

    def stop_together(
        self, calls: Sequence[StopCall], *, seconds: float, fresh_seconds: float
    ) -> Mapping[str, str | CloudError]:
        """See `Ecs.stop_together`."""
        self.watch.ask(calls)
        return self.ecs.stop_together(calls, seconds=seconds, fresh_seconds=fresh_seconds)


@contextmanager
def watching() -> Iterator[Watch]:
    """Show on a terminal's standard error how far the run is, for as long as it lasts; elsewhere nothing."""
    err = console(stderr=True)
    if not err.is_terminal:
        yield Watch()
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(_BAR_WIDTH),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=err, transient=True) as progress:
        yield _Bar(progress=progress)
