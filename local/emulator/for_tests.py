"""The local ECS as a test meets it: where it is and with which key, its calls, its instances, its clock."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from local.emulator.backend import LocalEcs, utc_now
from local.emulator.behaviour import Behaviour
from local.emulator.call_log import ReceivedCall
from local.emulator.fault_text import parse_fault
from local.emulator.fleet import DEFAULT_REGION, Fleet
from local.emulator.fleet_file import load_fleet, sample_fleet
from local.emulator.keys import KeyPair
from local.emulator.server import serve

GivenFleet = Sequence[Mapping[str, object]] | Path | str
"""Instances in DescribeInstances' words, or the path or the text of a saved answer."""


@dataclass(slots=True)
class _AdvanceableClock:
    """The machine's clock, and what a test has let pass."""

    passed: timedelta = field(default_factory=timedelta)

    def now(self) -> datetime:
        return utc_now() + self.passed


class EcsForTests:
    """A local ECS that is served, and can be set anew for each test.

    `endpoint`: `http(s)://HOST:PORT`; `host` and `protocol` are its parts, as the SDKs' Config takes them.
    `ca_file`: the certificate to trust, where it speaks TLS.
    """

    def __init__(self, ecs: LocalEcs, clock: _AdvanceableClock, endpoint: str, ca_file: Path | None) -> None:
        self._ecs = ecs
        self._clock = clock
        self.endpoint = endpoint
        self.ca_file = ca_file
        self.access_key_id = KeyPair().access_key_id
        self.access_key_secret = KeyPair().access_key_secret
        self.region_id = DEFAULT_REGION

    @property
    def host(self) -> str:
        """`HOST:PORT`."""
        return urlsplit(self.endpoint).netloc

    @property
    def protocol(self) -> str:
        """`HTTP` or `HTTPS`."""
        return urlsplit(self.endpoint).scheme.upper()

    @property
    def environment(self) -> dict[str, str]:
        """The variables by which the SDKs' credential chain finds the key."""
        return {
            "ALIBABA_CLOUD_ACCESS_KEY_ID": self.access_key_id,
            "ALIBABA_CLOUD_ACCESS_KEY_SECRET": self.access_key_secret,
        }

    @property
    def calls(self) -> tuple[ReceivedCall, ...]:
        """The calls since the test began, oldest first: `action`, `parameters`, `status`, `code` and more."""
        return self._ecs.calls

    @property
    def actions(self) -> list[str]:
        """The names of those calls."""
        return [call.action for call in self.calls]

    def instance(self, instance_id: str) -> dict[str, Any]:
        """Return the instance as it really is now, in DescribeInstances' words; KeyError if there is none."""
        return self._ecs.instance(instance_id).attributes()

    def status(self, instance_id: str) -> str:
        """Return its status, such as `Stopping`."""
        return self._ecs.instance(instance_id).status

    def pass_time(self, seconds: float) -> None:
        """Let time pass for the instances, as if the test had slept."""
        self._clock.passed += timedelta(seconds=seconds)

    def reset(
        self,
        *,
        fleet: GivenFleet | None = None,
        faults: Sequence[str] = (),
        stop_seconds: float | None = None,
        start_seconds: float | None = None,
    ) -> None:
        """Start anew: this fleet (None: the sample), these faults, no calls, the present time.

        `stop_seconds`, `start_seconds`: how long an instance stays Stopping, Starting. Raise InvalidFleet or
        InvalidFault.
        """
        usual = Behaviour()
        self._clock.passed = timedelta()
        self._ecs.reset(
            fleet=_read(fleet),
            faults=[parse_fault(text) for text in faults],
            behaviour=Behaviour(
                stop_seconds=usual.stop_seconds if stop_seconds is None else stop_seconds,
                start_seconds=usual.start_seconds if start_seconds is None else start_seconds,
            ),
        )


def _read(fleet: GivenFleet | None) -> Fleet:
    if fleet is None:
        return sample_fleet()
    return load_fleet(fleet) if isinstance(fleet, Path | str) else Fleet.from_instances(fleet)


@contextmanager
def serving(ca_file: Path | None = None) -> Iterator[EcsForTests]:
    """Serve the sample fleet on a free port; over TLS where a file for the certificate is given."""
    clock = _AdvanceableClock()
    ecs = LocalEcs(sample_fleet(), now=clock.now)
    tls = None
    if ca_file is not None:
        from local.emulator.tls import make_tls  # noqa: PLC0415 - cryptography is an extra

        tls = make_tls(ca_file)
    with serve(ecs, tls=tls) as endpoint:
        yield EcsForTests(ecs, clock, endpoint, ca_file)
