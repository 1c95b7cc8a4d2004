"""What a plan's stops cost and keep, for whoever reads one for the first time."""

from collections.abc import Iterator, Sequence

from function.model.charging import LOSES_ADDRESS
from function.model.outcome import Status
from function.model.request import StoppedMode
from local.command_line.rows import Line, first, mode, name_of, printable, status, warnings

KEEP, SAVE = StoppedMode.KEEP_CHARGING, StoppedMode.STOP_CHARGING


def modes_explained(lines: Sequence[Line]) -> Iterator[str]:
    """Say of each mode in a plan's log lines what it costs and keeps, and whose address is given back."""
    planned = [line for line in lines if "instance_id" in line and status(line) is Status.WOULD_STOP]
    keeping = [line for line in planned if mode(line) == KEEP]
    saving = [line for line in planned if mode(line) == SAVE]
    if keeping:
        charged = sum(count for line in lines if isinstance(count := line.get("still_charged"), int))
        yield f"{len(keeping):,} with {KEEP}: they keep vCPUs, memory and public address, {_cost(charged)}."
    if saving:
        yield (
            f"{len(saving):,} with {SAVE}: only disks and Elastic IPs are charged while they are stopped; "
            f"to be started again they need free stock of their type.{_addresses(saving)}"
        )


def _cost(charged: int) -> str:
    if not charged:
        return "and are paid for as subscriptions, stopped or not"
    return f"and {charged:,} of them would be charged as if running; {SAVE} saves that where it can apply"


def _addresses(saving: Sequence[Line]) -> str:
    """Name who would come back with another public address, and say that the others would not."""
    losing = sorted(
        (line for line in saving if any(one.startswith(LOSES_ADDRESS) for one in warnings(line))),
        key=lambda line: str(line["instance_id"]),
    )
    if not losing:
        return " None has a public address that it would lose: an Elastic IP stays."
    names = [printable(f"{line['instance_id']} ({name_of(line)})".removesuffix(" ()")) for line in losing]
    others = len(saving) - len(losing)
    rest = f"; not so the other {others:,}, with an Elastic IP or no address" if others else ""
    return f" Another public IP address at the start: {first(names)}{rest}."
