"""Alerts that are no alarms: they only say that data is missing or its source broken, or that somebody tests.

Grafana gives such an alert the name `DatasourceNoData` or `DatasourceError`, keeps the labels of its rule,
also those that name an instance, and sends it as `firing` (grafana/grafana#90447). Where a rule says that no
data is to count as an alarm, the name stays and the annotation `grafana_state_reason` tells.
"""

from collections.abc import Iterable, Mapping

from function.events.labels import normalize

NO_DATA = "NoData"
"""The state that stands for missing data where its sender has no word of its own."""

_RECOVERED = frozenset({"ok", "resolved", "normal", "inactive"})
"""A recovery stays one, whatever the alert is called."""

_DATASOURCE_NAMES = ("DatasourceNoData", "DatasourceError")
_NAMES = {name.lower(): name for name in (*_DATASOURCE_NAMES, "TestAlert", NO_DATA)}
_PARTS = ("datasource", "testalert", "nodata")
"""One of these is in each of those names, however it is spelt."""
_REASONS = {"nodata": "DatasourceNoData", "error": "DatasourceError"}
"""What `grafana_state_reason` says, and the name of the alert that Grafana makes of it elsewhere."""

_DATASOURCE_LABELS = {"rulename", "datasource_uid"}

_LONGEST = 64
"""Characters of a name or reason that is compared; the longest that is known has 16."""

_MAX_REASONS = 8
"""So many of a list by commas are compared; Grafana joins two, such as `NoData, KeepLast`."""


def alarm_state(
    state: str, *, names: Iterable[str | None], reason: str | None = None, empty: bool = False
) -> str:
    """Give the state that ALARM_STATES is asked for.

    `names`: what the alert is called, wherever that stands. `reason`: why Grafana put it into its state.
    `empty`: its query gave no row, or its labels say so.
    """
    if state.casefold() in _RECOVERED:
        return state
    texts = [name for name in names if name]
    together = normalize("\n".join(texts).replace(" ", ""))
    # Of many texts few are such names, which is seen faster in all of them together.
    called = (
        next((found for text in texts if (found := _called(text))), None)
        if any(part in together for part in _PARTS)
        else None
    )
    reasons = [_normalized(part) for part in (reason or "").split(",")[:_MAX_REASONS]]
    because = next((name for why in reasons for word, name in _REASONS.items() if why.startswith(word)), None)
    return called or because or (NO_DATA if empty else state)


def is_of_datasource(labels: Mapping[str, object]) -> bool:
    """Tell it by labels that Grafana gives only to alerts about a data source, whatever they are called."""
    return labels.keys() >= _DATASOURCE_LABELS


def _called(name: str) -> str | None:
    return _NAMES.get(_normalized(name)) or datasource_name(name)


def datasource_name(text: str) -> str | None:
    """Find Grafana's name of such an alert in a text, such as a title that shows it."""
    lower = text.lower()
    return next((name for name in _DATASOURCE_NAMES if name.lower() in lower), None)


def _normalized(text: str) -> str:
    """Give a name however it is spelt; nothing for one that is too long."""
    return normalize(text.replace(" ", "")) if len(text) <= _LONGEST else ""
