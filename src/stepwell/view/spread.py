"""From the runs of several seeds to one line with a band, and from long columns to few points."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from stepwell.record.run import Run
from stepwell.view.figure import NONE, Array


@dataclass(frozen=True, slots=True, eq=False)
class Spread:
    """The median over runs and the quartiles around it; `nan` where fewer than half of the runs have a finite value."""

    x: Array
    middle: Array
    low: Array
    high: Array

    @property
    def band(self) -> tuple[Array, Array] | None:
        """The quartiles, or None where all runs agree everywhere."""
        same = np.array_equal(self.low, self.middle, equal_nan=True)
        return None if same and np.array_equal(self.high, self.middle, equal_nan=True) else (self.low, self.high)


def spread(runs: Sequence[Run], column: str, *, window: int = 1) -> Spread:
    """Median and quartiles of a column over runs, by step.

    Args:
        runs: of one strategy; those that lack the column count as missing.
        column: per update or per evaluation.
        window: every point is the mean of this many successive updates of a run, taken before the median; the point
            stands at the middle of its window, and the last window may be shorter. A run with a value in it that is
            not finite has no point there.
    """
    series = [_windowed(*found, window) for run in runs if (found := _column(run, column)) is not None]
    if not series:
        return Spread(NONE, NONE, NONE, NONE)
    x = np.unique(np.concatenate([steps for steps, _ in series]))
    values = np.full((len(runs), x.size), np.nan)
    for row, (steps, points) in enumerate(series):
        values[row, np.searchsorted(x, steps)] = points
    values[~np.isfinite(values)] = np.nan
    low, middle, high = np.full((3, x.size), np.nan)
    enough = 2 * np.isfinite(values).sum(axis=0) >= len(runs)
    low[enough], middle[enough], high[enough] = np.nanquantile(values[:, enough], (0.25, 0.5, 0.75), axis=0)
    return Spread(x, middle, low, high)


def window_for(num_steps: int, *, points: int = 40) -> int:
    """How many updates to average so that at most `points` points are left."""
    return max(1, -(-num_steps // points))


def thinned(y: Array, *, points: int = 400) -> NDArray[np.int64]:
    """Which values to keep so that a line through them looks the same: at most about `points` of them.

    The run is cut into equal stretches and of each the first, last, lowest and highest value stay, so no peak is lost
    and every value that is drawn was really there (M4: Jugel et al. 2014, doi:10.14778/2732951.2732953).
    """
    if y.size <= points:
        return np.arange(y.size)
    edges = np.linspace(0, y.size, points // 4 + 1).astype(np.int64)
    kept: list[int] = []
    for start, stop in pairwise(edges):
        part = y[start:stop]
        kept += [start, stop - 1]
        if np.isfinite(part).any():
            kept += [start + int(np.nanargmin(part)), start + int(np.nanargmax(part))]
    return np.unique(kept)


def _column(run: Run, column: str) -> tuple[Array, Array] | None:
    for table in (run.columns, run.evals):
        if column in table and "step" in table and len(table[column]):
            return np.asarray(table["step"], dtype=np.float64), np.asarray(table[column], dtype=np.float64)
    return None


def _windowed(steps: Array, values: Array, window: int) -> tuple[Array, Array]:
    if window == 1:
        return steps, values
    starts = np.arange(0, values.size, window)
    sizes = np.diff(np.append(starts, values.size))
    with np.errstate(invalid="ignore", over="ignore"):
        return np.add.reduceat(steps, starts) / sizes, np.add.reduceat(values, starts) / sizes
