"""Fuzz the reading of events at length: `.venv/bin/python bench/fuzz_events.py [INPUTS PER PROPERTY]`.

Runs the properties of tests/function/test_events_fuzz.py: 50,000 inputs each
(or as many as told), in some minutes.
"""

import os
import sys
import time
from pathlib import Path

import pytest

PROPERTIES = Path(__file__).parents[1] / "tests" / "function" / "test_events_fuzz.py"


def main() -> int:
    """Run the properties, print how long it took; give pytest's exit code."""
    os.environ["FUZZ_EXAMPLES"] = sys.argv[1] if len(sys.argv) > 1 else "50000"
    begun = time.monotonic()
    code = pytest.main([str(PROPERTIES), "-q", "-p", "no:cacheprovider"])
    print(f"{os.environ['FUZZ_EXAMPLES']} inputs for each property, {time.monotonic() - begun:.0f} s")
    return code


if __name__ == "__main__":
    sys.exit(main())
