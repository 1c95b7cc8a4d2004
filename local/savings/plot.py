"""A picture of what was saved: a bar for each group, in hours, vCPU-hours, and money where it is known."""

import warnings
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from fractions import Fraction
from pathlib import Path

import matplotlib as mpl
from matplotlib import font_manager
from matplotlib.figure import Figure

from local.savings.hours import Savings, Sum

_WIDTH, _PANEL_HEIGHT, _BAR_HEIGHT = 9.0, 2.4, 0.3  # inches
_COLOURS = ("#2a6f97", "#e07a1f", "#4c956c")
_NAMED_DAYS = 14
"""So many days can all have their names under the axis."""


_MOST_GROUPS = 40
_LONGEST_NAME = 60
"""Characters; so many names and bars still fit on a page that can be read."""
# Matplotlib's own font knows no Chinese, which tags may well be in.
_FONTS = ("Noto Sans CJK SC", "WenQuanYi Zen Hei", "PingFang SC", "Hiragino Sans GB", "Microsoft YaHei")


def draw(savings: Savings, path: Path, *, days: bool, title: str, currency: str | None) -> None:
    """Write the picture, SVG or PNG by the name's end; days side by side, anything else one below another.

    The same savings make the same file. Raise OSError.
    """
    panels: list[tuple[str, Callable[[Sum], float]]] = [
        ("instance-hours", lambda one: one.hours),
        ("vCPU-hours", lambda one: one.vcpu_hours),
    ]
    if currency is not None:
        panels.append((_plain(currency), lambda one: one.money or 0.0))
    groups = _every_day(savings.groups) if days else _largest(savings.groups)
    rows, columns = (len(panels), 1) if days else (1, len(panels))
    height = _PANEL_HEIGHT * rows if days else 1.2 + _BAR_HEIGHT * len(groups)
    installed = set(font_manager.get_font_names())
    with (
        mpl.rc_context(
            {
                "font.family": ["DejaVu Sans", *(font for font in _FONTS if font in installed)],
                "svg.fonttype": "none",  # text stays text: to be found, and in the reader's own font
                "svg.hashsalt": "stop-guard",
                "text.parse_math": False,  # a tag may hold a $
            }
        ),
        warnings.catch_warnings(),
    ):
        warnings.filterwarnings("ignore", message="Glyph .* missing", category=UserWarning)
        figure = Figure(figsize=(_WIDTH, height), layout="constrained")
        figure.suptitle(_plain(title))
        every = figure.subplots(rows, columns, sharex=days, sharey=not days, squeeze=False).flat
        for axes, (label, value), colour in zip(every, panels, _COLOURS, strict=False):
            values = [value(one) for one in groups.values()]
            axes.spines[["top", "right"]].set_visible(False)
            if days:
                step = max(1, -(-len(groups) // _NAMED_DAYS))
                axes.bar(range(len(groups)), values, color=colour)
                axes.set_xticks(range(0, len(groups), step), list(groups)[::step], rotation=30, ha="right")
                axes.set_ylabel(label)
            else:
                axes.barh(range(len(groups)), values, color=colour)
                axes.set_yticks(range(len(groups)), [_plain(name) for name in groups])
                axes.set_xlabel(label)
        figure.savefig(path, metadata={"Date": None} if path.suffix.lower() == ".svg" else None)


def _every_day(groups: Mapping[str, Sum]) -> dict[str, Sum]:
    """Put in the days between on which nothing was saved."""
    if not groups:
        return {}
    first, last = date.fromisoformat(min(groups)), date.fromisoformat(max(groups))
    days = [(first + timedelta(days=day)).isoformat() for day in range((last - first).days + 1)]
    return {day: groups.get(day, Sum()) for day in days}


def _largest(groups: Mapping[str, Sum]) -> dict[str, Sum]:
    """Give the groups from the least to the largest, which is drawn on top; the least ones together."""
    ranked = sorted(groups.items(), key=lambda named: (-named[1].seconds, named[0]))
    shown = dict(ranked[:_MOST_GROUPS])
    others = [one for _, one in ranked[_MOST_GROUPS:]]
    if others:
        shown[f"({len(others)} others)"] = Sum(
            sum(one.seconds for one in others),
            sum(one.vcpu_seconds for one in others),
            sum(one.unpriced_seconds for one in others),
            sum((one.cost_seconds for one in others), Fraction(0)),
        )
    return dict(reversed(shown.items()))


def _plain(name: str) -> str:
    """Keep a tag's value from breaking the line, and from pushing the bars out of the picture."""
    printable = "".join(letter if letter.isprintable() else "?" for letter in name)
    return printable if len(printable) <= _LONGEST_NAME else f"{printable[: _LONGEST_NAME - 1]}…"
