"""Events that nobody reads: what each looks like, and what to do, for an error that helps."""

from collections.abc import Callable, Iterable
from difflib import get_close_matches
from functools import lru_cache
from itertools import combinations

from function.events.json_reader import Node
from function.events.labels import normalize
from function.model.frozen import frozen

MAX_GUESSED = 20
"""Fields whose name is compared with others, which takes time."""

MAX_NAME = 40
"""Characters of such a field; no field of a request has half as many."""

_LONG = 5
"""Letters from which on two may be wrong; of a shorter name, such as `Tag`, they would leave too little."""

_SIMILAR = 0.7
"""Of 1, as difflib counts: `Vpc`, `Role` and `Force` are like a field then, but not `Stop` and `Labels`."""


@frozen
class Known:
    """A form that is known, but not read."""

    recognise: Callable[[Node], bool]
    is_: str
    instead: str


def _from_trigger(event: Node) -> bool:
    events = event.object().get("events")
    first = events[0] if isinstance(events, list) and events else None
    return isinstance(first, dict) and "eventSource" in first


def _of_instances(event: Node) -> bool:
    listed = event.object().get("Instances") or event.object().get("Instance")
    first = listed[0] if isinstance(listed, list) and listed else listed
    return isinstance(first, dict)


KNOWN = (
    Known(
        lambda event: event.has_any("evalMatches", "ruleUrl") or event.has("dashboardId", "panelId"),
        "an alert of Grafana's legacy alerting, which says no instance in a place of its own",
        "switch Grafana to unified alerting (Grafana 9 and later have it) and use its webhook contact point",
    ),
    Known(
        lambda event: event.has_any("requestPayload", "responsePayload") and event.has("requestContext"),
        "what Function Compute sends to a destination about an invocation",
        "let the destination be a queue, never a function that may stop something",
    ),
    Known(
        lambda event: event.has("httpMethod") and event.has_any("path", "pathParameters"),
        "a request by way of API Gateway or EventBridge's HTTP source, with no token that is checked here",
        "send it to the function's HTTP trigger",
    ),
    Known(
        _from_trigger,
        "an event of a CDN or OSS trigger",
        "take this trigger off the function: it reads no objects",
    ),
    Known(
        lambda event: event.has("parameter", "source") and event.has_any("jobName", "taskId", "cursorTime"),
        "an event of a log trigger, which says where logs are but not what happened",
        "use an alert of Simple Log Service",
    ),
    Known(
        lambda event: event.has("AlertID") or event.has("AlertName", "Project"),
        "an alert of Simple Log Service's old alerting",
        "use its new alerting, or send a request by a template of your own",
    ),
    Known(
        lambda event: event.has_any("msgtype", "msg_type"),
        "a message for a chat robot (DingTalk, WeCom, Lark)",
        "use a webhook of the general kind, with a request or Alertmanager's form as its body",
    ),
    Known(
        _of_instances,
        "an answer of DescribeInstances",
        "to rehearse with such a fleet, use stop-guard invoke EVENT --fleet FILE",
    ),
)


def describe(event: Node) -> str | None:
    """Say what an event is that is known, but not read; None where it isn't."""
    for known in KNOWN:
        if known.recognise(event):
            return f"looks like {known.is_}; {known.instead}"
    return None


def suggest(fields: Iterable[str], known: Iterable[str]) -> str:
    """Guess which field was meant: say " (did you mean `Tag`?)", or nothing."""
    spelt = {normalize(field): field for field in known}
    for field in [normalize(field) for field in list(fields)[:MAX_GUESSED] if len(field) <= MAX_NAME]:
        close = get_close_matches(field, spelt, 1, _SIMILAR) or [
            one for one in spelt if _is_nearly(field, one)
        ]
        if close:
            return f" (did you mean `{spelt[close[0]]}`?)"
    return ""


def _is_nearly(field: str, known: str) -> bool:
    """Tell a name that differs by a letter, from a longer one by two: without those, the same is left."""
    letters = 1 if len(known) < _LONG else 2
    near = abs(len(field) - len(known)) <= letters
    return near and not _shortened(field, letters).isdisjoint(_shortened(known, letters))


@lru_cache(maxsize=100)
def _shortened(word: str, letters: int) -> frozenset[str]:
    """Give what is left of a word without so many of its letters, or fewer."""
    lengths = range(max(len(word) - letters, 1), len(word) + 1)
    return frozenset("".join(left) for length in lengths for left in combinations(word, length))
