"""`local-ecs`, or `python -m local.emulator`: the local ECS on a port, without the rest of this project."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from local.emulator.fault_text import InvalidFault, parse_fault
from local.emulator.fleet import InvalidFleet
from local.emulator.fleet_file import load_fleet, sample_fleet
from local.emulator.standalone import DEFAULT_PORT, reset_running, run


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; give its exit code, 2 for what can't be used."""
    parser = argparse.ArgumentParser(
        prog="local-ecs",
        description="Serve a local Alibaba Cloud ECS until stopped, and STS at the same address. "
        "Its key is id emulator, secret emulator, unless the environment names another in ALIBABA_CLOUD_*.",
    )
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen on")
    parser.add_argument(
        "--port", type=_port, default=DEFAULT_PORT, help="the port to listen on; 0: a free one"
    )
    parser.add_argument("--fleet", type=Path, help="a saved DescribeInstances answer")
    parser.add_argument(
        "--fault", action="append", default=[], help="what goes wrong, e.g. StopInstance:2=InternalError"
    )
    parser.add_argument(
        "--tls", type=Path, metavar="CA_FILE", help="speak HTTPS; its certificate's issuer goes to this file"
    )
    parser.add_argument(
        "--reset", action="store_true", help="have the one that runs there start anew, and do nothing else"
    )
    given = parser.parse_args(arguments)
    try:
        if given.reset:
            reset_running(given.host, given.port, given.tls)
        else:
            fleet = sample_fleet() if given.fleet is None else load_fleet(given.fleet)
            faults = [parse_fault(text) for text in given.fault]
            run(fleet, faults, host=given.host, port=given.port, ca_file=given.tls)
    except (InvalidFault, InvalidFleet, OSError) as error:
        sys.stderr.write(f"local-ecs: {error}\n")
        return 2
    return 0


def _port(text: str) -> int:
    if not (text.isdecimal() and int(text) < 1 << 16):
        raise argparse.ArgumentTypeError(f"{text!r} is no port; 8014 would be one")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
