"""What a person sees while a run lasts: how many instances it has found, and how many are settled."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from function.cloud.ecs import connect_ecs
from function.model.credentials import Credentials
from function.model.instance import Instance
from function.model.ports import Ecs, Page
from function.model.request import Selection
from local.command_line.display import Line, console
from local.command_line.watching import PassedOn

_BAR_WIDTH = 24


@dataclass(slots=True)
class Watch:
    """Follows a run by its log lines, and by the instances that pass on their way from ECS.

    `connect_ecs` is for the run: the real way to ECS, looked at in passing.
    """

    settled: int = 0
    found: set[str] = field(default_factory=set)

    def line(self, line: Line) -> None:
        """Take in a log line."""
        self.settled += "instance_id" in line
        self.show()

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
    """Shows a bar: without an end while instances are looked for, which ends with the first log line."""

    what: str
    progress: Progress

    def __post_init__(self) -> None:
        self.progress.add_task("Looking for instances", total=None)

    def show(self) -> None:
        """Move the bar."""
        task = self.progress.task_ids[0]
        if self.settled:
            self.progress.update(task, description=self.what, completed=self.settled, total=len(self.found))
        else:
            self.progress.update(task, completed=len(self.found))


@dataclass(frozen=True, slots=True)
class _WatchedEcs(PassedOn):
    watch: Watch

    def describe(self, instance_ids: Sequence[str], *, seconds: float) -> tuple[Instance, ...]:
        """See `Ecs.describe`; also those that do not exist get an outcome."""
        self.watch.see(instance_ids)
        return self.ecs.describe(instance_ids, seconds=seconds)

    def select(self, selection: Selection, next_token: str | None, *, seconds: float) -> Page:
        """See `Ecs.select`."""
        page = self.ecs.select(selection, next_token, seconds=seconds)
        self.watch.see(instance.instance_id for instance in page.instances)
        return page


@contextmanager
def watching(what: str) -> Iterator[Watch]:
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
        yield _Bar(what=what, progress=progress)
