"""Fixtures that all tests share."""

import os
import signal
from collections.abc import Iterator

import pytest
from hypothesis import settings

from function.settings import Settings
from tests.stage import SetStage, staging

# A suite that a shell starts in the background ignores SIGINT, and so would the commands that tests end by
# Ctrl-C. A process with a handler of its own starts others with the default.
signal.signal(signal.SIGINT, signal.default_int_handler)


# A change is judged by the same examples each time; on a developer's machine they vary. How long an example
# takes is the machine's affair, which is often busy with other tests.
settings.register_profile("here", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if "CI" in os.environ else "here")


OF_THE_MACHINE = (*Settings.variables(), "DEBUG", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")


@pytest.fixture(autouse=True)
def _nothing_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the machine's settings, keys and proxies out, or a test's result would rest on them."""
    for name in tuple(os.environ):
        if name.upper() in OF_THE_MACHINE or name.startswith("ALIBABA_CLOUD_"):
            monkeypatch.delenv(name)


@pytest.fixture
def stage() -> Iterator[SetStage]:
    """Make stages: `stage({"InstanceId": …}, faults=(…))`; an instance is opted in unless it has tags."""
    with staging() as make:
        yield make
