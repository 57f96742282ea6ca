"""Names at the ends of lines instead of a legend: ordered as the lines end, never on top of each other."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from stepwell.view import palette
from stepwell.view.figure import Array, Dash, Kind, Panel, Series
from stepwell.view.palette import Theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes

GAP = 0.125  # inches from one name to the next
SIZE = 8.0
STROKES: dict[Dash, Any] = {Dash.SOLID: "solid", Dash.DASH: (0, (5, 2)), Dash.DOT: (0, (1.2, 1.6))}
LONGEST = 26  # signs; longer names stand below the axes


def place_labels(ax: Axes, panel: Panel, theme: Theme) -> None:
    """Write the name of every line at the right of the axes, at the height where the line ends or close to it."""
    lines = named_lines([panel])
    if not lines:
        return
    heights = np.array([_height(ax, line) for line in lines])
    tall = ax.get_figure(root=True).get_figheight() * ax.get_position().height  # type: ignore[union-attr]
    places = spread_out(heights, GAP / max(tall, 1.0), low=0.0, high=1.0)
    for line, height, place in zip(lines, heights, places, strict=True):
        colour = palette.colour(line.colour, theme)
        known = np.isfinite(line.y)
        start = ax.transData.transform((line.x[known][-1], line.y[known][-1]))
        x = float(ax.transAxes.inverted().transform(start)[0])
        ax.plot(
            [min(x, 1.0), 1.02], [height, place], color=colour, lw=0.6, alpha=0.7, transform=ax.transAxes, clip_on=False
        )
        weight = "bold" if isinstance(line.colour, int) else "normal"
        words = ax.text(
            1.03, place, line.name, size=SIZE, weight=weight, va="center", transform=ax.transAxes, parse_math=False
        )
        words.set_color(colour if line.colour is not None else theme.soft)


def named_lines(panels: Iterable[Panel]) -> list[Series]:
    """The lines that need a name, each name once."""
    lines = [s for panel in panels for s in panel.series if s.kind is Kind.LINE and not s.faint]
    found: dict[str, Series] = {}
    for line in lines:
        if np.isfinite(line.y).any():
            found.setdefault(line.name, line)
    return list(found.values())


def legend_below(ax: Axes, lines: list[Series], theme: Theme) -> None:
    """One name to a line below the axes, each beside its stroke."""
    from matplotlib.lines import Line2D

    strokes = [
        Line2D([], [], color=palette.colour(line.colour, theme), lw=1.9, ls=STROKES[line.dash]) for line in lines
    ]
    legend = ax.legend(
        strokes,
        [""] * len(lines),  # filled in below: a legend reads `$` as a formula and leaves out names that begin with `_`
        loc="upper left",
        bbox_to_anchor=(0.0, -0.16),
        frameon=False,
        fontsize=SIZE,
        borderaxespad=0.0,
        borderpad=0.0,
    )
    for words, line in zip(legend.get_texts(), lines, strict=True):
        words.set_parse_math(False)
        words.set_text(shorten(line.name, 120))
        words.set_color(theme.ink)


def shorten(name: str, width: int) -> str:
    """The name, cut with an ellipsis where it is longer than `width`."""
    return name if len(name) <= width else f"{name[: width - 1]}\N{HORIZONTAL ELLIPSIS}"


def spread_out(wanted: Array, gap: float, *, low: float, high: float) -> Array:
    """Places at least `gap` apart and as near as possible to the wanted ones, in the same order.

    If they do not all fit between `low` and `high` they stand evenly.

    Example:
        >>> spread_out(np.array([0.5, 0.5, 1.0]), 0.25, low=0.0, high=1.0).tolist()
        [0.375, 0.625, 1.0]
    """
    if gap * (len(wanted) - 1) >= high - low:
        places = np.empty(len(wanted))
        places[np.argsort(wanted, kind="stable")] = np.linspace(low, high, len(wanted))
        return places
    order = np.argsort(wanted, kind="stable")
    # Every name is pulled to its line, minus the room that the names below it take: then "in order and a gap apart"
    # is "not decreasing", which pooling neighbours solves exactly (isotonic regression).
    pull = np.clip(wanted[order], low, high) - gap * np.arange(len(wanted))
    blocks: list[list[float]] = []
    for value in pull:
        blocks.append([value, 1.0])
        while len(blocks) > 1 and blocks[-2][0] >= blocks[-1][0]:
            mean, size = blocks.pop()
            blocks[-1] = [(blocks[-1][0] * blocks[-1][1] + mean * size) / (blocks[-1][1] + size), blocks[-1][1] + size]
    flat = np.concatenate([np.full(int(size), mean) for mean, size in blocks])
    flat = np.clip(flat, low, high - gap * (len(wanted) - 1))
    places = np.empty(len(wanted))
    places[order] = flat + gap * np.arange(len(wanted))
    return places


def _height(ax: Axes, line: Series) -> float:
    """Where a line ends, as a fraction of the height of the axes."""
    known = np.isfinite(line.y)
    end = ax.transData.transform((line.x[known][-1], line.y[known][-1]))
    return float(np.clip(ax.transAxes.inverted().transform(end)[1], 0.0, 1.0))
