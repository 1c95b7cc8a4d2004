"""Virtual time: tasks that run until they wait, one at a time, in an order that the seed alone decides."""

from collections.abc import Callable
from functools import partial
from heapq import heappop, heappush
from random import Random

from greenlet import GreenletExit, getcurrent, greenlet

MAX_STEPS = 200_000
"""More than any scenario needs by far: whoever takes more turns without getting anywhere."""


class Stuck(Exception):  # noqa: N818 - what has become of the tasks, not of this module
    """The tasks keep each other awake and never end."""


class Task:
    """A thread of the simulated machine. `turn` counts its waits; a wake-up for an earlier one is void."""

    def __init__(self, function: Callable[[], None], main: greenlet) -> None:
        # When it ends, the main loop goes on; by default that would be whoever spawned it.
        self.greenlet = greenlet(function, main)
        self.turn = 0


class Scheduler:
    """Runs what is due, earliest first, at the same moment in random order. Moments are seconds."""

    def __init__(self, random: Random) -> None:
        self.time = 0.0
        self._random = random
        self._queue: list[tuple[float, float, int, Callable[[], None]]] = []
        self._entered = 0
        self._main = getcurrent()
        self._running: Task | None = None

    def at(self, moment: float, do: Callable[[], None]) -> None:
        """Do something at that moment, or now if that has gone by; it must not wait."""
        self._entered += 1
        heappush(self._queue, (max(moment, self.time), self._random.random(), self._entered, do))

    def spawn(self, function: Callable[[], None]) -> Task:
        """Start a task, whose turn comes at this very moment."""
        task = Task(function, self._main)
        self.at(self.time, partial(self._resume, task, task.turn))
        return task

    def wait(self, until: float) -> None:
        """Let the running task wait until that moment, or until it is woken."""
        task = self.running
        self.at(until, partial(self._resume, task, task.turn))
        self._main.switch()

    def wake(self, task: Task) -> None:
        """End the wait of a task at this very moment."""
        self.at(self.time, partial(self._resume, task, task.turn))

    def kill(self, task: Task) -> None:
        """End a task where it stands. What it has sent is on its way all the same."""
        task.turn += 1
        if not task.greenlet.dead:
            task.greenlet.throw(GreenletExit)

    @property
    def running(self) -> Task:
        """The task that asks."""
        if self._running is None:
            raise RuntimeError("no task is running")
        return self._running

    def run(self) -> None:
        """Go on until nothing is left to be done. Raise `Stuck`, or what a task let escape."""
        for _ in range(MAX_STEPS):
            if not self._queue:
                return
            self.time, _, _, do = heappop(self._queue)
            do()
        raise Stuck(f"{MAX_STEPS} steps, and {len(self._queue)} more to do at {self.time:.3f} s")

    def _resume(self, task: Task, turn: int) -> None:
        if task.turn != turn or task.greenlet.dead:
            return
        task.turn += 1
        self._running = task
        task.greenlet.switch()
        self._running = None
