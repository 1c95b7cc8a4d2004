"""One instance's state machine, explored whole: every path keeps the rules, and a broken one is found."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from simulation.explore import explore

ROOT = Path(__file__).parents[1]
MUTATIONS = {
    "a doubt ended early": (
        "function/stopping/state.py",
        "return not self.looked or now < self.until",
        "return not self.looked",
    ),
    "a forced call after a refusal": (
        "function/stopping/operation.py",
        "return self._settle(refused, throttle)",
        "self.stop = replace(self.stop, call=replace(call, force_stop=True)); self.state = Ready()",
    ),
    "an outcome twice": (
        "function/stopping/stop.py",
        "                    del pending[operation.key]\n",
        "",
    ),
}


def test_every_path_keeps_the_rules() -> None:
    """Whatever ECS answers within five seconds, each step and the outcome are as they must be."""
    explored = explore((5.0,))
    assert explored.violations == []
    assert len(explored.states) > 1_000
    assert explored.steps > 6_000


@pytest.mark.parametrize("mutation", MUTATIONS)
def test_what_chance_finds_late_is_found(mutation: str, tmp_path: Path) -> None:
    """The exploration ends at once, and tells the path, where the function is broken like this."""
    for package in ("function", "local", "simulation"):
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    file, right, wrong = MUTATIONS[mutation]
    source = (tmp_path / file).read_text(encoding="utf-8")
    assert source.count(right) == 1
    (tmp_path / file).write_text(source.replace(right, wrong), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "simulation.explore", "--until-first", "--deadline", "9"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stdout + done.stderr
    assert "stop: Response" in done.stdout
