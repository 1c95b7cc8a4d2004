"""Opens what a run takes place on: the real cloud with who works in it, or a local ECS with its fleet."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from local.command_line.execution import Target
from local.command_line.exit_codes import CommandError
from local.command_line.identity import Identity


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A target; `identity` of the real cloud; of a local ECS, what its fleet is, and what drills found.

    `explained`: says what an error of the function means there.
    """

    target: Target
    identity: Identity | None = None
    fleet: str = ""
    explained: Callable[[str], str] = str
    complaints: list[str]
    """What has to be said once all is over; filled by a local ECS at its end."""

    @property
    def closing(self) -> str:
        """The last line of what a person reads."""
        return (
            "" if self.target.live else f"Rehearsal on a local ECS ({self.fleet}): nothing real was stopped"
        )


@contextmanager
def open_target(
    settings: Mapping[str, str], *, live: bool, fleet: Path | None, faults: Sequence[str]
) -> Iterator[Opened]:
    """Open it, with these settings. Raise CommandError."""
    if live and (fleet is not None or faults):
        raise CommandError("--fleet and --fault are for the local ECS; they can't be used with --live")
    if live:
        from local.command_line.live import connect  # noqa: PLC0415 - the SDK of one way, moto of the other

        cloud = connect(dict(settings))
        yield Opened(target=cloud.target, identity=cloud.identity, complaints=[])
        return
    from local.command_line.drill import not_drilled, read_faults  # noqa: PLC0415
    from local.command_line.fleets import open_fleet  # noqa: PLC0415
    from local.command_line.rehearsal import TIMEOUT_SECONDS, rehearsal, unmoved  # noqa: PLC0415

    script = read_faults(faults)
    complaints: list[str] = []
    with rehearsal(open_fleet(fleet), settings, faults=script) as local:
        target = Target(
            live=False,
            environment=local.environment,
            clock=local.clock,
            account_id=local.ecs.account_id,
            timeout=TIMEOUT_SECONDS,
            read=local.read,
            deliver=local.functions.deliver,
        )
        name = "sample fleet" if fleet is None else str(fleet)
        opened = Opened(target=target, fleet=name, explained=unmoved, complaints=complaints)
        yield opened
        complaints += not_drilled(faults, script, local.ecs)
