"""One seed, one verdict: draw, play, and judge."""

from dataclasses import dataclass

from simulation.case import Case
from simulation.draw import draw_scenario
from simulation.history import History
from simulation.play import play
from simulation.rules import RULES


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """A rule that did not hold in an invocation, and what happened instead."""

    rule: str
    invocation: int
    what: str

    def __str__(self) -> str:
        return f"{self.rule}, invocation {self.invocation}: {self.what}"


def simulate(seed: int) -> tuple[History, list[Violation]]:
    """Play what the seed stands for, and say what went against the contract."""
    try:
        history = play(draw_scenario(seed))
        return history, judge(history)
    except Exception as error:
        error.add_note(f"in the simulation of seed {seed}")
        raise


def judge(history: History) -> list[Violation]:
    """Hold each invocation against each rule."""
    if history.stuck:
        return [Violation(rule="deadline", invocation=len(history.invocations) - 1, what=history.stuck)]
    return [
        Violation(rule=name, invocation=invocation.number, what=what)
        for invocation in history.invocations
        for case in [Case(history, invocation)]
        for name, rule in RULES.items()
        for what in rule(case)
    ]
