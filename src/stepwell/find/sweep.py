"""Where to begin: one quick run at a rising rate, up to the first sign of failure."""

from __future__ import annotations

import math

import numpy as np

from stepwell.find.bench import Bench, TrialMemoryError
from stepwell.find.grid import PER_DECADE, rate_at
from stepwell.find.rules import suggestions
from stepwell.record.suggestion import Array, RangeTest

FIRST = -6 * PER_DECADE  # a rate of 1e-6 ...
LAST = 2 * PER_DECADE  # ... to 100
BLOWN_UP = 4.0  # untrained losses
CALM = 8  # updates at the lowest rates, whose losses only tell how far apart those of batches lie
# How far below the lowest loss of the sweep the race begins. A step at a rate that fails within a few updates still
# lowers the loss once, so the lowest loss lies above every good rate, by a decade and more.
BELOW = 4
# ... and how far below the rate at which the sweep blew up at most: where batches differ more than a sweep learns, its
# lowest loss may lie anywhere, and its end does not.
REACH = 10


def span(bounds: tuple[int, int] | None) -> tuple[int, int]:
    """The first and the last place of a sweep: those from 1e-6 to 100 that the bounds allow, else the nearest that is.

    Example:
        >>> span(None), span((-40, -4)), span((-40, -30))
        ((-24, 8), (-24, -4), (-30, -30))
    """
    low, high = bounds or (FIRST, LAST)
    return min(max(low, FIRST), high), max(min(high, LAST), low)


def sweep(bench: Bench, first: int, last: int) -> RangeTest:
    """Train one update at each rate of the grid, from the lowest up, until the loss has risen to four times the first.

    Args:
        bench: stands on a seed.
        first: the place of the first update.
        last: that of the last one.
    """
    bench.rewind()
    rates: list[float] = []
    losses: list[float] = []
    for place in range(first, last + 1):
        rates.append(rate_at(place))
        losses.append(_loss(bench, rates[-1]))
        if not math.isfinite(losses[-1]) or (len(losses) > CALM and losses[-1] > _ceiling(np.array(losses))):
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

    Where the sweep has blown up, it is not further below that than `REACH`.

    Args:
        test: a sweep.
        first: the place of its first rate.
    """
    if not math.isfinite(test.losses[0]):
        return first - BELOW
    losses = np.minimum(np.nan_to_num(test.losses, nan=math.inf), _ceiling(test.losses))
    padded = np.concatenate([losses[:1], losses, losses[-1:]])
    means = (padded[:-2] + padded[1:-1] + padded[2:]) / 3.0
    lowest = first + int(np.argmin(means)) - BELOW
    last = len(test.losses) - 1
    blown_up = last > CALM and not test.losses[last] <= _ceiling(test.losses)
    return max(lowest, first + last - REACH) if blown_up else lowest


def untrained_loss(test: RangeTest) -> float:
    """The training loss of a batch while the rates are still low; infinite where none was finite."""
    calm = _calm(test.losses)
    return float(np.median(calm)) if calm.size else math.inf


def movement(test: RangeTest) -> float:
    """How far the losses of a sweep move: apart from batch to batch, or down as the rate rises.

    What a loss is measured by that is close to 0, or goes through it: a multiple of it says nothing then.
    """
    calm, finite = _calm(test.losses), test.losses[np.isfinite(test.losses)]
    if not calm.size:
        return 0.0
    means = np.convolve(finite, np.full(3, 1 / 3), "valid") if finite.size >= 3 else finite
    return float(max(_noise(calm), np.median(calm) - means.min()))


def _ceiling(losses: Array) -> float:
    """The loss at which a sweep has blown up."""
    return float(losses[0] + (BLOWN_UP - 1) * max(abs(losses[0]), _noise(_calm(losses))))


def _calm(losses: Array) -> Array:
    return losses[:CALM][np.isfinite(losses[:CALM])]


def _noise(calm: Array) -> float:
    """Twice the mean distance from the median: the mean, because a single batch that lies far off counts too."""
    return 2.0 * float(np.mean(np.abs(calm - np.median(calm)))) if calm.size else 0.0
