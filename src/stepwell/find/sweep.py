"""Where to begin: one quick run at a rising rate, up to the first sign of failure."""

from __future__ import annotations

import math

import numpy as np

from stepwell.find.bench import Bench, TrialMemoryError
from stepwell.find.grid import PER_DECADE, rate_at
from stepwell.find.rules import suggestions
from stepwell.record.suggestion import RangeTest

FIRST = -6 * PER_DECADE  # a rate of 1e-6 ...
LAST = 2 * PER_DECADE  # ... to 100
BLOWN_UP = 4.0  # untrained losses
# How far below the lowest loss of the sweep the race begins. A step at a rate that fails within a few updates still
# lowers the loss once, so the lowest loss lies above every good rate, by a decade and more.
BELOW = 4


def sweep(bench: Bench, bounds: tuple[int, int] | None) -> RangeTest:
    """Train one update at each rate of the grid, from the lowest up, until the loss is four times the first one.

    Args:
        bench: stands on a seed.
        bounds: the first and the last place; about 1e-6 to 100 unless given.
    """
    first, last = bounds or (FIRST, LAST)
    bench.rewind()
    rates: list[float] = []
    losses: list[float] = []
    for place in range(first, last + 1):
        rates.append(rate_at(place))
        losses.append(_loss(bench, rates[-1]))
        if not losses[-1] <= losses[0] + (BLOWN_UP - 1) * abs(losses[0]):
            break
    found = np.array(rates), np.array(losses)
    return RangeTest(*found, suggestions(*found, planned=last - first + 1))


def _loss(bench: Bench, lr: float) -> float:
    """The loss before an update; infinite where there is no memory for it."""
    try:
        return bench.update(lr)
    except TrialMemoryError:
        return math.inf


def where_to_begin(test: RangeTest, first: int) -> int:
    """The place at which the race begins: some way below the lowest loss, as a mean over three neighbours.

    Args:
        test: a sweep.
        first: the place of its first rate.
    """
    ceiling = test.losses[0] + (BLOWN_UP - 1) * abs(test.losses[0])
    losses = np.minimum(np.nan_to_num(test.losses, nan=math.inf), ceiling)
    padded = np.concatenate([losses[:1], losses, losses[-1:]])
    means = (padded[:-2] + padded[1:-1] + padded[2:]) / 3.0
    return first + int(np.argmin(means)) - BELOW
