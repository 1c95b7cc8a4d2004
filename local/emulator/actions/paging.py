"""Both ways in which ECS pages: by number, and by token."""

import base64
from bisect import bisect_left
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from local.api.api_error import invalid
from local.api.parameters import Parameters, clamped, excerpt, number

NUMBERED = ("PageNumber", "PageSize")
BY_TOKEN = ("MaxResults", "NextToken")
DEFAULT_SIZE = 10
"""Of a page whose size nobody asks for: of PageSize and MaxResults alike."""

T = TypeVar("T")


def asks_by_token(parameters: Parameters) -> bool:
    """Tell whether the call pages by token; where it doesn't, it pages by number."""
    return bool(parameters.get("MaxResults") or parameters.get("NextToken"))


def numbered_page(
    parameters: Parameters, found: Sequence[T], largest: int
) -> tuple[Sequence[T], dict[str, Any]]:
    """Return the page that PageNumber and PageSize ask for, and what the answer says about it."""
    size = number(parameters, "PageSize", DEFAULT_SIZE, largest)
    page = number(parameters, "PageNumber", 1, 10**9)
    said = {"PageNumber": page, "PageSize": size, "TotalCount": len(found)}
    return found[(page - 1) * size : page * size], said


def token_page(
    parameters: Parameters,
    found: Sequence[T],
    place: Callable[[T], int],
    *,
    least: int,
    most: int,
    default: int,
) -> tuple[Sequence[T], str]:
    """Return the page after NextToken and the token of the next one, empty at the end.

    `place`: an item's own, by which all are in order; `least`, `most`: what MaxResults is held to. A token
    holds a place among all candidates, not among the matches, so that an instance that starts or stops
    matching, or is gone, between two pages moves none of the others.
    """
    size = clamped(parameters, "MaxResults", default=default, least=least, most=most)
    given = parameters.get("NextToken")
    start = bisect_left(found, _place(given), key=place) if given else 0
    page = found[start : start + size]
    return page, _token(place(page[-1]) + 1) if len(found) > start + size else ""


def _token(place: int) -> str:
    return base64.urlsafe_b64encode(f"from {place}".encode()).decode()


def _place(token: str) -> int:
    try:
        word, place = base64.urlsafe_b64decode(token).decode("ascii").split(" ")
    except ValueError:
        word = place = ""
    if word != "from" or not place.isdigit() or len(place) > 9:  # noqa: PLR2004 - no fleet has as many
        raise invalid("NextToken", f"{excerpt(token)}, expected the NextToken of the page before.")
    return int(place)
