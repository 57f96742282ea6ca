"""Training loss and validation goal over the run, with the spread over seeds."""

from __future__ import annotations

from typing import Literal

import numpy as np

from stepwell.record.comparison import Comparison
from stepwell.record.run import Ending
from stepwell.view.figure import (
    Array,
    Axis,
    Figure,
    Kind,
    Mark,
    Panel,
    Scale,
    Series,
    fitting_scale,
    visible_range,
    within,
)
from stepwell.view.figures.cast import Role, back_to_front, cast
from stepwell.view.numbers import decimals_for, metric
from stepwell.view.spread import Spread, spread, window_for
from stepwell.view.words import goal_of, readable

MOST_BANDS = 4  # more of them would hide each other


def loss_curves(comparison: Comparison) -> Figure:
    """The training loss and the validation goal of every strategy: median over seeds, the middle half as a band."""
    roles = cast(comparison)
    num_steps = max((run.num_steps for role in roles for run in role.result.runs), default=0)
    window, goal = window_for(num_steps), goal_of(comparison)
    panels = [
        _panel(roles, "loss", "training loss", window=window),
        _panel(roles, goal, readable(goal), start=comparison.untrained, direction=comparison.direction),
    ]
    shown = tuple(panel for panel in panels if panel.series)
    banded = _banded(roles)
    whose = f" (shown for {banded[0].name})" if len(banded) == 1 else ""
    each = f"each point the mean of {window} successive updates" if window > 1 else "every update"
    caption = (
        f"Median over {len(comparison.seeds)} seeds; the band{whose} holds the middle half of them. "
        f"Training loss: {each}. A cross: most of its runs diverged."
    )
    return Figure("losses", "Loss over the run", shown, caption, _alt(roles, goal, comparison), columns=2, height=4.2)


def _panel(
    roles: tuple[Role, ...],
    column: str,
    label: str,
    *,
    window: int = 1,
    start: float = np.nan,
    direction: Literal["min", "max"] = "min",
) -> Panel:
    drawn = [_line(role, spread(role.result.runs, column, window=window), roles) for role in back_to_front(roles)]
    lines = [line for line in drawn if np.isfinite(line.y).any()]
    limits = _sensible(lines, start, direction)
    inside = [np.where((line.y >= limits[0]) & (line.y <= limits[1]), line.y, np.nan) for line in lines]
    scale = fitting_scale(np.concatenate(inside), factor=6.0, direction=direction) if lines else "linear"
    extent = visible_range(inside, scale)
    ends = [_crash(role, line, extent, scale) for role in roles for line in lines if line.group == role.name]
    series = tuple(lines) + tuple(end for end in ends if end is not None)
    steps = visible_range([line.x for line in lines], "linear", pad=0.02)
    return Panel(Axis("step", range=steps), Axis(label, scale, range=extent), series, title=label.capitalize())


def _line(role: Role, over: Spread, roles: tuple[Role, ...]) -> Series:
    low, high = over.band or (None, None)
    return Series(
        role.name,
        Kind.LINE,
        over.x,
        over.middle,
        low,
        high,
        group=role.name,
        colour=role.colour,
        dash=role.dash,
        quiet=role not in _banded(roles),
    )


def _banded(roles: tuple[Role, ...]) -> tuple[Role, ...]:
    """Those whose bands are seen at once: the set that may be best, or of a large set its first, the leader."""
    coloured = tuple(role for role in roles if role.colour is not None)
    return coloured if len(coloured) <= MOST_BANDS else coloured[:1]


def _sensible(lines: list[Series], start: float, direction: Literal["min", "max"]) -> tuple[float, float]:
    """What is worth seeing: from the best value to somewhat beyond the beginning, not the peak of a divergence.

    Where most lines end worse than they began, it is where they end instead of the best value.
    """
    first = [float(line.y[np.isfinite(line.y)][0]) for line in lines]
    if not first:
        return -np.inf, np.inf
    start = start if np.isfinite(start) else float(np.median(first))
    sign = -1.0 if direction == "max" else 1.0
    costs = [sign * line.y[np.isfinite(line.y)] for line in lines]
    lasts = [float(cost[-1]) for cost in costs]
    best = sign * (max(lasts) if np.median(lasts) > sign * start else min(float(cost.min()) for cost in costs))
    room = 0.15 * abs(start - best) or np.inf
    return min(start, best) - room, max(start, best) + room


def _crash(role: Role, line: Series, extent: tuple[float, float] | None, scale: Scale) -> Series | None:
    """A cross where a line ends because most of its runs diverged; at the edge if it left the picture."""
    diverged = role.result.count(Ending.DIVERGED)
    if 2 * diverged <= len(role.result.runs):
        return None
    known = np.flatnonzero(np.isfinite(line.y))
    x, y = line.x[known[-1:]], line.y[known[-1:]]
    note = f"{diverged} of {len(role.result.runs)} runs diverged; last value {metric(y[0], 3)}"
    at = np.clip(y, *within(extent, scale)) if extent else y
    return Series(
        role.name, Kind.POINTS, x, at, group=role.name, colour=role.colour, mark=Mark.CROSS, notes=(note,)
    )  # fmt: skip


def _alt(roles: tuple[Role, ...], goal: str, comparison: Comparison) -> str:
    decimals = decimals_for(comparison.resolution)
    ends = [(role.name, _last(spread(role.result.runs, goal).middle)) for role in roles]
    words = "; ".join(f"{name} {metric(value, decimals)}" for name, value in ends)
    return f"Training loss and {readable(goal)} against step. Last {readable(goal)}, median over seeds: {words}."


def _last(values: Array) -> float:
    known = values[np.isfinite(values)]
    return float(known[-1]) if known.size else np.nan
