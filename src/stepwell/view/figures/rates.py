"""The learning rate over the run, as the updates really used it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from stepwell.record.comparison import Comparison
from stepwell.view.figure import Axis, Figure, Kind, Panel, Series, visible_range
from stepwell.view.figures.cast import Role, back_to_front, cast
from stepwell.view.numbers import listing, rate
from stepwell.view.spread import spread, thinned


def rate_curves(comparison: Comparison, *, facets: bool = False) -> Figure:
    """The rate of every strategy over the run, each at the rate it was judged at.

    Args:
        comparison: whose strategies.
        facets: one small panel per strategy, with the leader as pale context, instead of one panel for all.
    """
    roles = cast(comparison)
    lines = {role.name: rate_line(role) for role in roles}
    x, y, outside = _axes(comparison, lines)
    shown = tuple(role for role in roles if lines[role.name].x.size and role.name not in outside)
    if facets:
        leader = lines[comparison.leader]
        panels = tuple(_facet(role, lines, leader, x, y) for role in shown)
    else:
        panels = (Panel(x, y, tuple(lines[role.name] for role in back_to_front(shown))),)
    caption = "The learning rate that each update used, with every strategy at the base rate it was judged at"
    caption += "; where feedback made the seeds differ, their median and the middle half. " if _bands(lines) else ". "
    if facets:
        caption += f"Pale: {comparison.leader}, the leader. "
    if outside:
        caption += f"Outside the picture: {listing(tuple(f'{name} at {rate(lr)}' for name, lr in outside.items()))}."
    alt = "Learning rate against step. " + "; ".join(_in_words(role, lines[role.name]) for role in shown) + "."
    return Figure(
        "rates",
        "Learning rate over the run",
        panels,
        caption.strip(),
        alt,
        columns=4 if facets else 1,
        height=2.3 if facets else 4.2,
    )


def rate_line(role: Role) -> Series:
    """The rate of one strategy: the median over its runs, with a band where they differ. Empty if none was recorded."""
    over = spread(role.result.runs, "lr")
    keep = thinned(over.middle)
    low, high = (None, None) if over.band is None else (over.band[0][keep], over.band[1][keep])
    return Series(
        role.name, Kind.LINE, over.x[keep], over.middle[keep], low, high, role.name, role.colour, role.dash
    )  # fmt: skip


def _axes(comparison: Comparison, lines: dict[str, Series]) -> tuple[Axis, Axis, dict[str, float]]:
    """The axes that hold every ranked strategy, and the illustrations that would not fit."""
    ranked = [lines[result.strategy.name].y for result in comparison.ranked] or [line.y for line in lines.values()]
    top = (visible_range(ranked, "linear", pad=0.06) or (0.0, 1.0))[1]
    outside = {
        result.strategy.name: result.base_lr
        for result in comparison.results
        if (line := lines[result.strategy.name].y).size and not np.nanmin(line) <= top
    }
    steps = visible_range([line.x for line in lines.values()], "linear", pad=0.02)
    return Axis("step", range=steps), Axis("learning rate", range=(-0.03 * top, top)), outside


def _facet(role: Role, lines: dict[str, Series], leader: Series, x: Axis, y: Axis) -> Panel:
    ghost = [] if role.name == leader.name else [replace(leader, group="", faint=True, low=None, high=None)]
    return Panel(x, y, (*ghost, lines[role.name]), title=role.name, group=role.name)


def _bands(lines: dict[str, Series]) -> bool:
    return any(line.low is not None for line in lines.values())


def _in_words(role: Role, line: Series) -> str:
    known = line.y[np.isfinite(line.y)]
    if not known.size:
        return f"{role.name} has no rate on record"
    return f"{role.name} starts at {rate(known[0])}, peaks at {rate(known.max())}, ends at {rate(known[-1])}"
