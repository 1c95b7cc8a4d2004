"""One seed, one verdict: draw, play, and judge."""

from dataclasses import dataclass

from simulation.case import Case
from simulation.draw_scenario import draw_scenario
from simulation.play import play
from simulation.recording import Recording
from simulation.rules import RULES


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """A rule that did not hold in an invocation, and what happened instead."""

    rule: str
    invocation: int
    what: str

    def __str__(self) -> str:
        return f"{self.rule}, invocation {self.invocation}: {self.what}"


def simulate(seed: int) -> tuple[Recording, list[Violation]]:
    """Play what the seed stands for, and say what went against the contract."""
    try:
        recording = play(draw_scenario(seed))
        return recording, judge(recording)
    except Exception as error:
        error.add_note(f"in the simulation of seed {seed}")
        raise


def judge(recording: Recording) -> list[Violation]:
    """Hold each invocation against each rule."""
    if recording.stuck:
        return [Violation(rule="deadline", invocation=len(recording.invocations) - 1, what=recording.stuck)]
    return [
        Violation(rule=name, invocation=invocation.number, what=what)
        for invocation in recording.invocations
        for case in [Case(recording, invocation)]
        for name, rule in RULES.items()
        for what in rule(case)
    ]
