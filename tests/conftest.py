"""Fixtures that all tests share."""

import os
from collections.abc import Iterator

import pytest
from hypothesis import settings

from tests.stage import SetStage, staging

# A change is judged by the same examples each time; on a developer's machine they vary.
settings.register_profile("ci", derandomize=True)
if "CI" in os.environ:
    settings.load_profile("ci")


@pytest.fixture
def stage() -> Iterator[SetStage]:
    """Make stages: `stage({"InstanceId": …}, faults=(…))`; an instance is opted in unless it has tags."""
    with staging() as make:
        yield make
