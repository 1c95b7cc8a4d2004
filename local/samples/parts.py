"""What the samples have in common: where a call goes, and how names and values are written."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Self
from urllib.parse import urlsplit

from local.api.names import ASSUME_ROLE, INVOKE_FUNCTION
from local.api.products import product_of
from local.samples.typed_call import Record, TypedCall, Value

BODY = "body"
"""The parameter that is no text for most SDKs, but a stream."""


@dataclass(frozen=True, slots=True)
class CallSite:
    """Where a call goes; no host: the endpoint that the SDK has for the region. No protocol: HTTPS."""

    region_id: str
    host: str
    protocol: str

    @classmethod
    def of(cls, call: TypedCall, endpoint: str | None) -> Self:
        """Take the endpoint, `http(s)://host[:port]`, or the region's own."""
        if endpoint:
            parts = urlsplit(endpoint)
            return cls(call.region_id, parts.netloc, parts.scheme.upper())
        return cls(call.region_id, product_of(call.action).host(call.region_id), "")

    def settings(self) -> dict[str, Value]:
        """Give what the SDKs' Config has to say, in their common CamelCase."""
        given = {"RegionId": self.region_id, "Endpoint": self.host, "Protocol": self.protocol}
        return {name: text for name, text in given.items() if text}


def camel(name: str) -> str:
    """Write a name as setters do: `InstanceId`, `XFcInvocationType`, `Body`."""
    return "".join(word[0].upper() + word[1:] for word in name.split("-"))


def lower_first(name: str) -> str:
    """Write a name as methods do: `stopInstance`."""
    return name[0].lower() + name[1:]


def remark(call: TypedCall, mark: str) -> str:
    """Say what may surprise, as a line of comment."""
    if call.parameters.get("DryRun") is True:
        return f"{mark} A dry run that passes is answered with the error code DryRunOperation.\n"
    if call.action == ASSUME_ROLE:
        return f"{mark} The answer holds a key and its secret: show it to nobody.\n"
    if call.action == INVOKE_FUNCTION:
        return f"{mark} FC answers with an id once it has the event; the function runs later.\n"
    return ""


def written(
    name: str,
    value: Value,
    text: Callable[[str], str],
    record: Callable[[str, Record], str],
    brackets: str = "[]",
) -> str:
    """Write a parameter's value: `true` and `false`, numbers, text, lists in brackets."""
    if isinstance(value, tuple):
        items = ", ".join(text(item) if isinstance(item, str) else record(name, item) for item in value)
        return f"{brackets[:-1]}{items}{brackets[-1]}"
    return text(value) if isinstance(value, str) else str(value).lower()


def setters(parameters: Mapping[str, Value], write: Callable[[str, Value], str]) -> Iterator[str]:
    """Write each parameter's setter, such as `SetForceStop(true)`; `write` writes the value of a name."""
    return (f"Set{camel(name)}({write(name, value)})" for name, value in parameters.items())
