"""A call in the types of the SDKs' request models, told from its parameters on the wire."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from local.api.parameters import BOOLEANS, Parameters

Record = Mapping[str, str]
Value = bool | int | str | tuple[str | Record, ...]

_BOOLEANS = frozenset({"ConfirmStop", "DryRun", "ForceStop"})
_NUMBERS = frozenset({"DurationSeconds", "MaxResults", "PageNumber", "PageSize"})
_IN_PATH = frozenset({"functionName"})
_HEADER = "x-"


@dataclass(frozen=True, slots=True, kw_only=True)
class TypedCall:
    """An action, where it goes, and its own parameters by the API's names. Text stays as it is, JSON too."""

    action: str
    region_id: str
    parameters: Mapping[str, Value]

    @property
    def in_path(self) -> tuple[str, ...]:
        """The parameters that are part of the path; none in an RPC API, such as ECS's."""
        return tuple(str(value) for name, value in self.parameters.items() if name in _IN_PATH)

    @property
    def headers(self) -> Mapping[str, Value]:
        """The parameters that are headers; none in an RPC API."""
        return {name: value for name, value in self.parameters.items() if name.startswith(_HEADER)}

    @property
    def request(self) -> Mapping[str, Value]:
        """The other parameters: what the SDKs' request model takes."""
        return {
            name: value
            for name, value in self.parameters.items()
            if name not in _IN_PATH and not name.startswith(_HEADER)
        }

    @property
    def lists_of_text(self) -> bool:
        """Whether a parameter is a list of texts: some SDKs need a package more for it."""
        return any(isinstance(value, tuple) and isinstance(value[0], str) for value in self.request.values())

    def flat(self) -> Iterator[tuple[str, str]]:
        """Give the parameters as the API counts them: `Tag.1.Key`, with booleans in lower case."""
        for name, value in self.parameters.items():
            if not isinstance(value, tuple):
                yield name, str(value).lower() if isinstance(value, bool) else str(value)
                continue
            for place, item in enumerate(value, 1):
                if isinstance(item, str):
                    yield f"{name}.{place}", item
                else:
                    yield from ((f"{name}.{place}.{field}", text) for field, text in item.items())


def typed_call(action: str, region_id: str, wire: Parameters) -> TypedCall:
    """Read the action's parameters: `Name`, lists as `Name.1`, lists of records as `Name.1.Field`.

    The booleans and numbers among them must be that: they come from an SDK, or were accepted by the API.
    """
    parameters: dict[str, Value] = {}
    lists: dict[str, dict[int, str]] = {}
    records: dict[str, dict[int, dict[str, str]]] = {}
    for name, text in wire.items():
        match name.split("."):
            case [listed, place]:
                lists.setdefault(listed, {})[int(place)] = text
                parameters[listed] = ()
            case [listed, place, field]:
                records.setdefault(listed, {}).setdefault(int(place), {})[field] = text
                parameters[listed] = ()
            case _:
                parameters[name] = _typed(name, text)
    for name, items in lists.items():
        parameters[name] = tuple(items[place] for place in sorted(items))
    for name, rows in records.items():
        parameters[name] = tuple(rows[place] for place in sorted(rows))
    return TypedCall(action=action, region_id=region_id, parameters=parameters)


def _typed(name: str, text: str) -> bool | int | str:
    if name in _BOOLEANS:
        return BOOLEANS[text.lower()]
    return int(text) if name in _NUMBERS else text
