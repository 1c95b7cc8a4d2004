"""What is wrong in a template, and where."""

from dataclasses import dataclass

Path = tuple[str | int, ...]
"""Keys and list places from the root of the file."""


@dataclass(frozen=True, slots=True)
class Problem:
    """At a place in the file: what is wrong, with which value, and what would be right."""

    path: Path
    message: str


def is_unresolved(value: object) -> bool:
    """Whether a value is a text that only Serverless Devs knows: what `s deploy` finds, not this check."""
    return isinstance(value, str) and "${" in value


def shown(path: Path) -> str:
    """Write a path as people do: resources.stop_guard.props.triggers[0]."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text or "the file"
