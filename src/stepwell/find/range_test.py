"""The classical range test: one run at a rising rate, and what other finders would read from it."""

from __future__ import annotations

import math

import numpy as np

from stepwell.errors import OptionError
from stepwell.find.bench import Bench
from stepwell.find.rules import SmoothLoss, suggestions
from stepwell.record.suggestion import RangeTest

FEWEST = 10  # updates; with fewer no rule has a slope to read


def range_test(bench: Bench, low: float, high: float, steps: int, seed: int = 0, stop: float = 4.0) -> RangeTest:
    """Sweep the rate from `low` to `high`, by the same factor at every update, and keep the raw losses.

    It confuses the rate with time: a loss at a high rate is that of a model that has seen all lower ones. That is why
    it is here to be compared with, and the race of real short runs is what suggests a rate.

    Args:
        bench: open, that is, in its `with` block.
        low: the rate of the first update, for the first parameter group.
        high: that of the last.
        steps: updates, if none diverges.
        seed: of the initialisation and the order of the data.
        stop: end after the first loss that is not finite, or when the smooth loss is more than `stop` x its best, as
            fastai does (a loss below 0: when it has risen by that much); with `math.inf` only after the first.

    Returns:
        The sweep, its last loss included, with the suggestion of every rule in `stepwell.find.rules`.

    Raises:
        OptionError: rates that do not rise, fewer than 10 steps, or a `stop` of 1 or less.
        TrialMemoryError: there is not enough memory for it.
    """
    _check(low, high, steps, stop)
    planned = np.geomspace(low, high, steps)
    bench.begin(seed)
    smooth = SmoothLoss()
    losses: list[float] = []
    first = best = math.nan
    for rate in planned:
        losses.append(bench.update(float(rate)))
        if not math.isfinite(losses[-1]):
            break
        mean = smooth.add(losses[-1])
        first, best = (first, min(best, mean)) if len(losses) > 1 else (mean, mean)
        if mean > _limit(first, best, stop):
            break
    rates, found = planned[: len(losses)], np.array(losses)
    return RangeTest(rates, found, suggestions(rates, found, steps))


def _limit(first: float, best: float, stop: float) -> float:
    """The smooth loss that ends a sweep. Where a loss can be negative, a multiple of the best says nothing."""
    if best > 0:
        return stop * best
    return best + (stop - 1) * max(first - best, abs(best))


def _check(low: float, high: float, steps: int, stop: float) -> None:
    if not (0 < low < math.inf and 0 < high < math.inf):
        raise OptionError(f"a sweep goes between two positive rates, got {low:g} to {high:g}")
    if low >= high:
        raise OptionError(f"a sweep goes from a low rate to a higher one, got {low:g} to {high:g}")
    if isinstance(steps, bool) or not isinstance(steps, int) or steps < FEWEST:
        raise OptionError(f"a sweep takes a whole number of at least {FEWEST} steps, got {steps!r}")
    if not stop > 1:
        raise OptionError(f"a sweep stops where its loss is more than `stop` times the best, so above 1; got {stop:g}")
