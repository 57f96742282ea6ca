"""Schedules as they are, without a run: factor or rate against step, and a panel for every further entry."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from stepwell.errors import OptionError
from stepwell.view import palette
from stepwell.view.figure import Array, Axis, Figure, Kind, Panel, Series, visible_range
from stepwell.view.numbers import count, listing, rate
from stepwell.view.spread import thinned

if TYPE_CHECKING:
    from stepwell.schedule import Curve

MOST = 1_000_000
POINTS = 2_000  # of a curve that are drawn; corners of shorter runs stay where they are


def figure_of_curves(
    curves: Sequence[tuple[str, Curve]], *, base_lr: float | None = None, steps: int | None = None
) -> Figure:
    """Several curves in one picture: the factor of every update, or its rate where `base_lr` is given.

    Args:
        curves: each with the name that the legend gives it.
        base_lr: turns factors into rates.
        steps: how many updates to show of a curve that has no end.

    Raises:
        OptionError: a curve has no end and `steps` is not given.
    """
    entries = tuple(dict.fromkeys(entry for _, curve in curves for entry in curve.entries))
    panels = tuple(_panel(entry, curves, base_lr if entry == "lr" else None, steps) for entry in entries)
    what = "Learning rate" if base_lr is not None else "Factor of the base rate"
    ends = max((_num_steps(name, curve, steps) for name, curve in curves), default=0)
    caption = f"{what} that each of the {count(ends)} updates uses."
    feedback = tuple(name for name, curve in curves if any(entry.controller for entry in curve.schedule.entries))
    if feedback:
        caption += f" Without its plateau factor, which only a run can tell: {listing(feedback)}."
    return Figure("curves", what, panels, caption, _alt(panels), height=3.6 if len(panels) == 1 else 2.8)


def curve_values(name: str, curve: Curve, entry: str, *, scale: float = 1.0, steps: int | None = None) -> Array:
    """The value that every update uses, times `scale`; shape (updates,).

    Raises:
        OptionError: the curve has no end and `steps` is not given.
    """
    return scale * curve(np.arange(_num_steps(name, curve, steps)), entry)


def _panel(entry: str, curves: Sequence[tuple[str, Curve]], base_lr: float | None, steps: int | None) -> Panel:
    series = []
    for number, (name, curve) in enumerate(curves):
        if entry in curve.entries:
            x, y = _drawn(curve, entry, _num_steps(name, curve, steps))
            y = y if base_lr is None else base_lr * y
            stroke = palette.dash(number)
            series.append(Series(name, Kind.LINE, x, y, group=name, colour=number, dash=stroke))
    label = entry if entry != "lr" else "factor" if base_lr is None else "learning rate"
    steps_axis = Axis("step", range=visible_range([s.x for s in series], "linear", pad=0.02))
    return Panel(steps_axis, Axis(label, range=visible_range([s.y for s in series], "linear")), tuple(series))


def _drawn(curve: Curve, entry: str, num_steps: int) -> tuple[Array, Array]:
    """Steps and values to draw; of a run of millions of steps an even selection is looked at."""
    steps = np.arange(num_steps) if num_steps <= MOST else np.linspace(0, num_steps - 1, MOST).astype(np.int64)
    values = curve(steps, entry)
    keep = thinned(values, points=POINTS)
    return steps[keep].astype(np.float64), values[keep]


def _num_steps(name: str, curve: Curve, steps: int | None) -> int:
    total = curve.total_steps if curve.total_steps is not None else steps
    if total is None:
        raise OptionError(f"the schedule {name!r} has no end, so say how much of it to show: pass --total-steps")
    return total


def _alt(panels: tuple[Panel, ...]) -> str:
    words = [
        f"{series.name}: {panel.y.label} starts at {rate(series.y[0])}, is at most {rate(series.y.max())}, "
        f"ends at {rate(series.y[-1])}"
        for panel in panels
        for series in panel.series
    ]
    return "; ".join(words) + "."
