"""The decision: which strategies may be best, given a few scores of each, paired by seed.

In simple words. The strategy with the best mean is the *leader*. Every other one is held against it seed by seed, so
that what a seed does to all of them cancels. A strategy is called worse only if its mean difference exceeds `critical`
standard errors. The worst of many strategies looks bad by luck alone, and the leader itself is picked by luck, so
`critical` does not come from a table of t: the whole comparison is simulated with equal strategies, each as noisy as it
was measured to be, and `critical` is what the largest difference to the leader stays below in 1 - alpha of these
simulated comparisons. So it covers all differences at once. This is a multiple comparison with the best: what is not
called worse *may be best*.

The standard error. With few seeds a spread can come out small by luck; of many strategies one nearly always does, and
a plain t would take it for proof. Alternatives:

(1) each pair's own spread (Games & Howell): honest, but the critical value must then guard against lucky small spreads
    and gets large: 4.9 with 11 strategies and 8 seeds, 19 with 3 seeds;
(2) one spread for all (Tukey, Dunnett, Hsu): 3.3 and 3.6, but it calls noisy strategies worse far too often, and one
    diverged run blinds the whole comparison;
(3) a pair's own spread, drawn halfway to the typical one (the median over strategies) where it is below it, never
    lowered. Ours: nearly as sharp as (2) where strategies are equally noisy, as robust as (1) where they are not;
(4) shuffling scores within seeds, or flipping signs: exact where noise is equal or symmetric, but the first calls noisy
    strategies worse and the second shows nothing with fewer than six seeds.

`python -m benchmarks.decision_level` measures them side by side.

Reference:
    Multiple comparison with the best: Edwards & Hsu 1983, J. Am. Stat. Assoc. 78:965; Hsu 1984, Ann. Stat. 12:1136;
    Hsu 1996, Multiple Comparisons: Theory and Methods, ch. 4. Simulating with the measured variances: Krishnamoorthy,
    Lu & Mathew 2007, Comput. Stat. Data Anal. 51:5731. A strategy's variance from those of its differences: Grubbs
    1948, J. Am. Stat. Assoc. 43:243. Drawing variances to a common one: Smyth 2004, Stat. Appl. Genet. Mol. Biol. 3:3.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from stepwell.errors import OptionError
from stepwell.record.comparison import Interval

Array: TypeAlias = NDArray[np.float64]

DRAWS = 10_000  # simulated comparisons; at alpha 0.05 the realised level is then known to about 0.002
MIN_ALPHA = 0.001  # ten of the simulated comparisons lie beyond the critical value; fewer would not tell where it is
ROUNDING = 64 * np.finfo(np.float64).eps  # relative; a difference below it is arithmetic, not training
METHOD = (
    "multiple comparison with the best: differences to the leader paired by seed, simultaneous over all strategies; "
    "critical value simulated from equal strategies with the measured noise of each"
)


@dataclass(frozen=True, slots=True)
class Decision:
    """Which strategies may be best. Every tuple has one entry per strategy, in the order of the scores.

    Args:
        leader: index of the strategy with the best mean.
        differences: mean difference to the leader, positive is worse in either direction; zero for the leader itself.
            Together they hold at once with probability 1 - alpha.
        may_be_best: False where the interval lies wholly beyond the margin.
        critical: half-widths in standard errors.
        resolution: median half-width over the others: smaller differences cannot be shown with these seeds. 0 for one
            strategy.
        method: one sentence.
    """

    leader: int
    differences: tuple[Interval, ...]
    may_be_best: tuple[bool, ...]
    critical: float
    resolution: float
    method: str = METHOD


def decide(
    scores: ArrayLike, *, alpha: float = 0.05, margin: float = 0.0, direction: Literal["min", "max"] = "min"
) -> Decision:
    """The strategies that may be best, with simultaneous intervals for how much worse each is than the leader.

    If strategies are equally good, the chance that any of them is called worse is at most alpha, and so is the chance
    that the best one, or any of several best, is missed. No method can promise it for a rare disaster that no judging
    seed met.

    Args:
        scores: shape (strategies, seeds), finite; a column holds one seed of every strategy.
        alpha: from 0.001 to 0.5.
        margin: differences up to this are not called worse, in units of the score.
        direction: "min" where lower scores are better.

    Raises:
        OptionError: fewer than one strategy or two seeds, scores that are not finite, or an option out of its range.

    Example:
        >>> decision = decide([[1.0, 1.2, 0.9, 1.1], [1.1, 1.1, 1.0, 1.2], [3.1, 3.2, 2.9, 3.2]])
        >>> decision.leader, decision.may_be_best
        (0, (True, True, False))
    """
    lower_is_better, unit = _normalised(scores, alpha, margin, direction)
    num_strategies, num_seeds = lower_is_better.shape
    within_seed = lower_is_better - lower_is_better.mean(axis=0)
    means = within_seed.mean(axis=1)
    residuals = (within_seed - means[:, None]) / math.sqrt(num_seeds - 1)
    variances = _strategy_variances(residuals)
    rounding = ROUNDING * np.abs(lower_is_better).max(axis=1)
    leader = _leader(means, variances, rounding)
    differences = (lower_is_better - lower_is_better[leader]).mean(axis=1)
    critical = _critical(variances, num_seeds, alpha) if num_strategies > 1 else 0.0
    errors = np.sqrt(_difference_variances(residuals, residuals[leader], variances) / num_seeds)
    half_widths = critical * errors + rounding + rounding[leader]
    half_widths[leader] = 0.0
    low, high = differences - half_widths, differences + half_widths
    return Decision(
        leader=leader,
        differences=tuple(
            Interval(float(d * unit), float(a * unit), float(b * unit))
            for d, a, b in zip(differences, low, high, strict=True)
        ),
        may_be_best=tuple(bool(bound * unit <= margin) for bound in low),
        critical=critical,
        resolution=float(np.median(np.delete(half_widths, leader)) * unit) if num_strategies > 1 else 0.0,
    )


def seeds_needed(difference: float, *, resolution: float, num_seeds: int) -> int:
    """About how many seeds would show this difference, if `num_seeds` have this resolution. At least `num_seeds`.

    Half-widths shrink with the square root of the seeds; that `critical` shrinks too is left out, so the count is
    rather too high.

    Example:
        >>> seeds_needed(0.1, resolution=0.2, num_seeds=8)
        32
    """
    if not (math.isfinite(difference) and difference > 0):
        raise OptionError(f"a difference to show must be a positive number, not {difference!r}")
    return max(num_seeds, math.ceil(num_seeds * (resolution / difference) ** 2))


def _normalised(scores: ArrayLike, alpha: float, margin: float, direction: str) -> tuple[Array, float]:
    """Scores where lower is better, in units (a power of two, so nothing is rounded) that keep squares finite."""
    try:
        array = np.asarray(scores, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise OptionError(f"scores must be a table of numbers, strategies by seeds ({error})") from error
    if array.ndim != 2 or array.shape[0] < 1:
        raise OptionError(f"scores must have shape (strategies, seeds) with a strategy or more, not {array.shape}")
    if array.shape[1] < 2:
        raise OptionError(f"a decision needs at least 2 judging seeds, not {array.shape[1]}; type --seeds 8")
    if not np.isfinite(array).all():
        row, column = np.argwhere(~np.isfinite(array))[0]
        raise OptionError(
            f"scores must be finite, but strategy {row} has {array[row, column]} at seed {column}; "
            "score a diverged run as the untrained network"
        )
    if not MIN_ALPHA <= alpha <= 0.5:
        raise OptionError(f"alpha must be from {MIN_ALPHA} to 0.5, not {alpha!r}; 0.05 is usual")
    if not (math.isfinite(margin) and margin >= 0):
        raise OptionError(f"margin must be zero or a positive number in units of the score, not {margin!r}")
    if direction not in ("min", "max"):
        raise OptionError(f'direction must be "min" or "max", not {direction!r}')
    exponent = int(np.frexp(np.abs(array).max())[1])
    unit = math.ldexp(1.0, min(max(exponent, -1000), 1000))
    return (array if direction == "min" else -array) / unit, unit


def _leader(means: Array, variances: Array, rounding: Array) -> int:
    """The lowest mean; of means equal but for rounding the least noisy strategy, then the first."""
    tied = means <= means.min() + rounding + rounding[means.argmin()]
    return int(np.where(tied, variances, np.inf).argmin())


def _strategy_variances(residuals: Array) -> Array:
    """Each strategy's own variance, shape (S, ...), when what a seed does to all strategies is taken out.

    The variance of a difference is the sum of two strategies' variances. Summed over a strategy's S - 1 differences
    that is S - 2 times its own plus everybody's total, which can be solved. Estimates below zero count as zero.

    Args:
        residuals: shape (S, seeds, ...), deviations from each strategy's mean, divided by sqrt(degrees of freedom).
    """
    num_strategies = len(residuals)
    squares = np.einsum("ik...,ik...->i...", residuals, residuals)
    products = np.einsum("ik...,k...->i...", residuals, residuals.sum(axis=0))
    of_differences = num_strategies * squares + squares.sum(axis=0) - 2 * products
    total = of_differences.sum(axis=0) / max(2 * (num_strategies - 1), 1)
    if num_strategies <= 2:
        return np.broadcast_to(total / 2, squares.shape)
    own: Array = np.maximum((of_differences - total) / (num_strategies - 2), 0.0)
    return own


def _difference_variances(residuals: Array, of_leader: Array, variances: Array) -> Array:
    """The variance of each difference to the leader, shape (S, ...): its own, drawn upward to the typical one."""
    differences = residuals - of_leader
    own = np.einsum("ik...,ik...->i...", differences, differences)
    drawn: Array = np.maximum(own, own / 2 + np.median(variances, axis=0))
    return drawn


def _critical(variances: Array, num_seeds: int, alpha: float) -> float:
    """What the largest difference to the leader exceeds, in standard errors, in alpha of simulated equal strategies.

    Simulated once with the measured variances and once with equal ones; the larger counts. A single outlier makes its
    strategy look so noisy that the others seem few, and the first alone then came out too low.
    """
    equal = _critical_if_equal(len(variances), num_seeds, alpha)
    # Sorted, so that the answer does not depend on the order of the strategies.
    return max(equal, _simulated(np.sort(variances), num_seeds, alpha))


@lru_cache(maxsize=64)
def _critical_if_equal(num_strategies: int, num_seeds: int, alpha: float) -> float:
    return _simulated(np.ones(num_strategies), num_seeds, alpha)


def _simulated(variances: Array, num_seeds: int, alpha: float) -> float:
    means, residuals = _draws(len(variances), num_seeds)
    scale = np.sqrt(variances)
    means, residuals = means * scale[:, None], residuals * scale[:, None, None]
    of_leader = np.take_along_axis(residuals, means.argmin(axis=0)[None, None], axis=0)
    differences = means - means.min(axis=0)
    errors = np.sqrt(_difference_variances(residuals, of_leader, _strategy_variances(residuals)))
    largest = np.divide(differences, errors, out=np.zeros_like(differences), where=errors > 0).max(axis=0)
    rank = math.ceil((1 - alpha) * (DRAWS + 1))
    return float(np.partition(largest, rank - 1)[rank - 1])


@lru_cache(maxsize=4)
def _draws(num_strategies: int, num_seeds: int) -> tuple[Array, Array]:
    """Means (times the root of the seeds) and residuals of equal strategies with variance 1; the same every time.

    Shapes (strategies, draws) and (strategies, seeds - 1, draws): with the draws last, numpy sums fast.
    Deviations of n normal numbers from their mean are n - 1 independent normal numbers, so these are drawn directly.
    """
    random = np.random.default_rng([num_strategies, num_seeds])
    means = random.standard_normal((num_strategies, DRAWS))
    residuals = random.standard_normal((num_strategies, num_seeds - 1, DRAWS)) / math.sqrt(num_seeds - 1)
    return means, residuals
