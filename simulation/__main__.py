"""Simulate one seed and show it, or many and count: `python -m simulation --seed 7`, `… --runs 1000000`."""

import gc
import sys
import time
from argparse import ArgumentParser
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed

from simulation.trace import trace
from simulation.verdict import simulate

CHUNK = 500
"""Runs of a process at a time: some seconds, so that the count goes on."""
MAX_SHOWN = 20
"""Failed seeds that are shown; the others have mostly the same cause."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Say 0 where every rule held, 1 where one did not."""
    parser = ArgumentParser(prog="python -m simulation", description=__doc__)
    parser.add_argument("--seed", type=int, help="simulate this one and show all of it")
    parser.add_argument("--runs", type=int, default=10_000, help="simulate so many (default: %(default)s)")
    parser.add_argument("--first-seed", type=int, default=0, help="from this one on (default: %(default)s)")
    parser.add_argument("--workers", type=int, default=2, help="processes (default: %(default)s)")
    options = parser.parse_args(arguments)
    if options.seed is not None:
        return _one(options.seed)
    return _many(range(options.first_seed, options.first_seed + options.runs), options.workers)


def failures(seeds: range) -> list[tuple[int, list[str]]]:
    """Simulate each seed, and give those in which a rule did not hold, with what happened."""
    gc.disable()  # whatever a run leaves behind is little; collected here, not in its midst
    found = []
    for seed in seeds:
        _, violations = simulate(seed)
        if violations:
            found.append((seed, [str(violation) for violation in violations]))
    gc.enable()
    gc.collect()
    return found


def replay(seed: int) -> str:
    """Give the command that shows a seed."""
    return f".venv/bin/python -m simulation --seed {seed}"


def _one(seed: int) -> int:
    recording, violations = simulate(seed)
    sys.stdout.write(trace(recording))
    for violation in violations:
        print(f"VIOLATION of {violation}")
    print(f"{len(violations)} violations")
    return 1 if violations else 0


def _many(seeds: range, workers: int) -> int:
    start, done, failed = time.monotonic(), 0, 0
    for chunk, found in _spread(seeds, workers):
        done += len(chunk)
        for seed, violations in found:
            failed += 1
            if failed <= MAX_SHOWN:
                print(f"\nseed {seed}; to see it: {replay(seed)}")
                print("".join(f"    {violation}\n" for violation in violations), end="")
        rate = done / (time.monotonic() - start)
        if sys.stdout.isatty() or done == len(seeds):
            print(f"\r{done} of {len(seeds)} runs, {rate:.0f} a second, {failed} failed", end="", flush=True)
    print()
    return 1 if failed else 0


def _spread(seeds: range, workers: int) -> Iterator[tuple[range, list[tuple[int, list[str]]]]]:
    chunks = [seeds[start : start + CHUNK] for start in range(0, len(seeds), CHUNK)]
    with ProcessPoolExecutor(workers) as pool:
        chunk_of = {pool.submit(failures, chunk): chunk for chunk in chunks}
        for future in as_completed(chunk_of):
            yield chunk_of[future], future.result()


if __name__ == "__main__":
    sys.exit(main())
