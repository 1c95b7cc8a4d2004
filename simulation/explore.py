"""Explores every path of one instance: all answers, looks, silences and deadlines in all states.

The real `stop` runs for one instance, again and again: each run follows a list of choices, and takes the
first option wherever the list ends. Where a run comes to a state that was there before, it ends: what may
come of that is explored once. So all that can happen is seen in finite time, and each step is judged.
"""

import argparse
import sys
import time
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from functools import partial
from typing import cast

from function.guard.instance import Stop, decide
from function.model.instance import Instance, LocalDisks
from function.model.outcome import Outcome, Settled
from function.model.request import Job, Source, StoppedMode, StopRequest
from function.model.scope import Scope
from function.settings import Settings
from function.stopping.calls import Caller
from function.stopping.clients import Clients
from function.stopping.operation import POLL_SECONDS, Operation
from function.stopping.state import Settling, Watching
from function.stopping.stop import stop
from function.stopping.throttle import Throttle
from simulation.single import INSTANCE_ID, START, VERIFY_SECONDS, Option, World, instance
from simulation.world_ports import WorldClock, WorldEcs, WorldWorkers

SCOPE = Scope(region_id="cn-hangzhou", account_id="1234567890123456")
DEADLINES = (3.0, 9.0, 21.0)
"""Seconds until the run's time is up, some too few for a second look, some enough for a throttled minute."""

MAX_SHOWN = 10
"""Broken rules that are shown; the others have mostly the same cause."""
_SAME_ALWAYS = frozenset({"scope", "job", "instance", "stop", "decide", "clock", "chance", "_quotas"})
"""Quotas too: here ECS says when it takes calls again, so no quota is ever guessed."""
_TOLD_ALONE = frozenset({"_first_sent", "request_id", "seen_first", "_looks"})
"""They are in the outcome, and nothing follows from them, nor from more looks than there are waits."""

_BEFORE_A_CALL = frozenset({"seen_at", "_tries"})
"""What matters only while a stop call may yet go out."""


class Merged(BaseException):
    """The run came to a state from which all was explored before; nothing on its way may catch it."""


@dataclass(slots=True)
class Exploration:
    """What was seen: states, choices taken in them, and what went against the rules with the way there."""

    states: set[Hashable] = field(default_factory=set)
    steps: int = 0
    violations: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)


@dataclass(slots=True)
class Path:
    """One run's choices: those to follow, then the first option each time."""

    follow: Sequence[int]
    explored: Exploration
    state: Callable[[], Hashable] = lambda: None
    taken: list[int] = field(default_factory=list)
    options: list[int] = field(default_factory=list)
    story: list[str] = field(default_factory=list)

    def choose(self, what: str, options: Sequence[Option]) -> Option:
        """Take the option that is to be followed; after those the first, unless this state was there."""
        if len(self.taken) < len(self.follow):
            index = self.follow[len(self.taken)]
        else:
            key = (what, self.state())
            if key in self.explored.states:
                raise Merged
            self.explored.states.add(key)
            index = 0
        self.taken.append(index)
        self.options.append(len(options))
        self.story.append(f"{what}: {options[index]}")
        return options[index]


def explore(deadlines: Sequence[float], *, until_first: bool = False) -> Exploration:
    """Go every path there is, for each deadline; or until the first that goes against a rule."""
    explored = Exploration()
    paths: list[Sequence[int]] = [()]
    while paths and not (until_first and explored.violations):
        follow = paths.pop()
        path = Path(follow, explored)
        problems = _run(path, deadlines)
        explored.steps += len(path.taken) - len(follow) + 1
        explored.violations += [(problem, tuple(path.story)) for problem in problems]
        for place in range(len(follow), len(path.taken)):
            paths += [(*path.taken[:place], other) for other in range(1, path.options[place])]
    return explored


def _run(path: Path, deadlines: Sequence[float]) -> Sequence[str]:
    """Stop the instance once, and give what went against the rules."""
    world = World(path.choose)
    deadline = path.choose("deadline", deadlines)
    clock = WorldClock(world)
    throttle = Throttle(clock, 0.0, deadline)
    operation = _operation()
    path.state = partial(_state, operation, throttle, world)
    try:
        for result in stop(
            [operation], Clients({SCOPE: WorldEcs(world)}), Caller(throttle, WorldWorkers(world), 16)
        ):
            if isinstance(result, Outcome):
                world.judge(result)
    except Merged:
        return world.problems
    if world.outcomes == 0:
        world.problems.append("no outcome")
    if world.now > deadline:
        world.problems.append(f"it ended at {world.now} s, after the deadline at {deadline} s")
    return world.problems


def _operation() -> Operation:
    """Make the operation of an instance that may be stopped, as a plan would."""
    settings = Settings.from_environment({"VERIFY_SECONDS": str(VERIFY_SECONDS)})
    request = StopRequest(source=Source.TIMER, event_id="e", instance_ids=(INSTANCE_ID,))
    job = Job(request=request, scopes=(SCOPE,), stopped_mode=StoppedMode.STOP_CHARGING, dry_run=False)

    def judge(seen: Instance, of: Job, at: datetime, first: Instance) -> Stop | Settled:
        return decide(seen, of, settings, at, LocalDisks.NO, seen_first=first)

    seen = instance("Running")
    return Operation(
        scope=SCOPE,
        job=job,
        instance=seen,
        seen_first=seen,
        seen_at=0.0,
        stop=cast(Stop, judge(seen, job, START, seen)),
        decide=judge,
        verify_seconds=VERIFY_SECONDS,
        confirms=True,
    )


def _state(operation: Operation, throttle: Throttle, world: World) -> Hashable:
    """Tell two states apart by all that what may come can depend on."""
    watching = isinstance(operation.state, Watching | Settling)
    left_out = _TOLD_ALONE | (_BEFORE_A_CALL if watching else frozenset())
    return (
        operation.instance.status,
        operation.call.stopped_mode,
        min(operation._looks, len(POLL_SECONDS)),  # noqa: SLF001 - what else tells two states apart?
        *_values(operation, left_out),
        *_values(throttle, frozenset()),
        world.key(asks_no_more=watching),
    )


def _values(data: Operation | Throttle, left_out: frozenset[str]) -> Iterator[str]:
    return (repr(getattr(data, one.name)) for one in fields(data) if one.name not in _SAME_ALWAYS | left_out)


def main() -> int:
    """Explore all, print what was seen; 0 where every step kept the rules."""
    parser = argparse.ArgumentParser(prog="python -m simulation.explore", description=__doc__)
    parser.add_argument("--deadline", type=float, action="append", help="seconds (default: several)")
    parser.add_argument("--until-first", action="store_true", help="end at the first broken rule")
    options = parser.parse_args()
    start = time.monotonic()
    explored = explore(options.deadline or DEADLINES, until_first=options.until_first)
    for problem, story in explored.violations[:MAX_SHOWN]:
        print(problem)
        print("".join(f"    {line}\n" for line in story), end="")
    seconds = time.monotonic() - start
    print(
        f"{len(explored.states):,} states, {explored.steps:,} steps, "
        f"{len(explored.violations)} against the rules; {seconds:.0f} s"
    )
    return 1 if explored.violations else 0


if __name__ == "__main__":
    sys.exit(main())
