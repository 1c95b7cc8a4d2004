"""A pytest plugin: the local ECS as a fixture, for the tests of whoever calls ECS.

`local_ecs` is one server for all tests, reset before each. What a test wants other than the sample fleet, it
says itself, or in a marker:

    @pytest.mark.local_ecs(fleet=[{"InstanceId": "i-1"}], faults=["StopInstance:1=InternalError"])
    def test_it(local_ecs): ...
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from local.emulator.for_tests import EcsForTests

_TLS = "local_ecs_tls"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Take `local_ecs_tls = true` in the ini file."""
    parser.addini(_TLS, "Serve the local ECS over TLS (needs local-ecs[tls]).", type="bool", default=False)


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    config.addinivalue_line(
        "markers",
        "local_ecs(fleet=None, faults=(), stop_seconds=None, start_seconds=None): "
        "what the local ECS is for this test; a fleet is a list of instances, or the path or text of a file.",
    )


@pytest.fixture(scope="session")
def local_ecs_server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator["EcsForTests"]:
    """Serve one local ECS for all tests."""
    from local.emulator.for_tests import serving  # noqa: PLC0415 - who doesn't use it doesn't wait for it

    ca_file = tmp_path_factory.mktemp("local-ecs") / "ca.pem" if request.config.getini(_TLS) else None
    with serving(ca_file) as ecs:
        yield ecs


@pytest.fixture
def local_ecs(request: pytest.FixtureRequest, local_ecs_server: "EcsForTests") -> "EcsForTests":
    """Give the local ECS, as its fleet file or the test's marker has it, with nothing called yet."""
    marker = request.node.get_closest_marker("local_ecs")
    local_ecs_server.reset(**(marker.kwargs if marker else {}))
    return local_ecs_server
