"""The decision: which strategies may be best, given a few scores of each, paired by seed.

In simple words. The strategy with the best mean is the *leader*. Every other one is held against it seed by seed, so
that what a seed does to all of them cancels. A strategy is called worse only if its mean difference exceeds `critical`
standard errors. The worst of many strategies looks bad by luck alone, and the leader itself is picked by luck, so
`critical` does not come from a table of t: whole comparisons of equal strategies are simulated, and `critical` is what
the largest difference to the leader stays below in 1 - alpha of them. So it covers all differences at once. This is a
multiple comparison with the best: what is not called worse *may be best*.

The standard error. With few seeds a spread can come out small by luck; of many strategies one nearly always does, and
a plain t would take it for proof. Alternatives:

(1) each difference's own spread (Games & Howell): honest, but the critical value must then guard against lucky small
    spreads and gets large: 4.9 with 11 strategies and 8 seeds, 19 with 3 seeds;
(2) one spread for all (Tukey, Dunnett, Hsu): 3.3 and 3.6, but it calls noisy strategies worse far too often, and one
    diverged run blinds the whole comparison;
(3) a difference's own spread, drawn halfway to the typical one (the median of all differences to the leader) where it
    is below it, never lowered: 3.9 and 7.5. Ours: nearly as sharp as (2) where strategies are equally noisy, nearly as
    robust as (1) where they are not. Where all seeds show the very same difference, as coarse accuracies do by luck,
    the spread is taken to be that of rounding;
(4) shuffling scores within seeds, or flipping signs: exact where noise is equal or symmetric, but the first calls
    noisy strategies worse and the second shows nothing with fewer than six seeds.

`python -m benchmarks.decision_level` measures them side by side.

Reference:
    Multiple comparison with the best: Edwards & Hsu 1983, J. Am. Stat. Assoc. 78:965; Hsu 1984, Ann. Stat. 12:1136;
    Hsu 1996, Multiple Comparisons: Theory and Methods, ch. 4. Own spreads: Games & Howell 1976, J. Educ. Stat. 1:113.
    Drawing variances to a common one: Smyth 2004, Stat. Appl. Genet. Mol. Biol. 3:3.
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
CHUNK = 500  # of them at a time, so that they stay in the processor's cache
MIN_SEEDS = 3  # with two, coarse scores that happen to tie would look like proof
MIN_ALPHA = 0.001  # ten of the simulated comparisons lie beyond the critical value; fewer would not tell where it is
ROUNDING = 64 * np.finfo(np.float64).eps  # relative; a difference below it is arithmetic, not training
METHOD = (
    "multiple comparison with the best: differences to the leader paired by seed, simultaneous over all strategies; "
    "critical value simulated from equal strategies"
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
    seed met; and where only one of the strategies is strongly skewed, 0.05 can become 0.11.

    Args:
        scores: shape (strategies, seeds), finite; a column holds one seed of every strategy.
        alpha: from 0.001 to 0.5.
        margin: differences up to this are not called worse, in units of the score.
        direction: "min" where lower scores are better.

    Raises:
        OptionError: fewer than one strategy or three seeds, scores that are not finite, or an option out of its range.

    Example:
        >>> decision = decide([[1.0, 1.2, 0.9, 1.1], [1.1, 1.1, 1.0, 1.2], [3.1, 3.2, 2.9, 3.2]])
        >>> decision.leader, decision.may_be_best
        (0, (True, True, False))
    """
    table, unit = _normalised(scores, alpha, margin, direction)
    num_strategies, num_seeds = table.shape
    if num_strategies == 1:
        return Decision(0, (Interval(0.0, 0.0, 0.0),), (True,), critical=0.0, resolution=0.0)
    # What the median strategy did on a seed stands for the seed: one diverged run does not move it.
    within_seed = table - np.median(table, axis=0)
    rounding = ROUNDING * np.abs(table).max(axis=1)
    leader = _leader(within_seed, rounding)
    gaps = table - table[leader]
    means = gaps.mean(axis=1)
    residuals = (gaps - means[:, None]) / math.sqrt(num_seeds - 1)
    critical = _critical(num_strategies, num_seeds, alpha)
    variances = np.maximum(_drawn_upward(residuals), _tied(table, gaps, rounding.max()))
    half_widths = critical * np.sqrt(variances / num_seeds) + rounding + rounding[leader]
    half_widths[leader] = 0.0
    bounds = np.stack([means, means - half_widths, means + half_widths], axis=1) * unit
    return Decision(
        leader=leader,
        differences=tuple(Interval(*map(float, row)) for row in bounds),
        may_be_best=tuple(bool(low <= margin) for low in bounds[:, 1]),
        critical=critical,
        resolution=float(np.median(np.delete(half_widths, leader)) * unit),
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
    if array.shape[1] < MIN_SEEDS:
        raise OptionError(f"a decision needs at least {MIN_SEEDS} judging seeds, not {array.shape[1]}; type --seeds 8")
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


def _leader(within_seed: Array, rounding: Array) -> int:
    """The lowest mean; of means equal but for rounding the least noisy strategy, then the first."""
    means = within_seed.mean(axis=1)
    tied = means <= means.min() + rounding + rounding[means.argmin()]
    return int(np.where(tied, within_seed.var(axis=1), np.inf).argmin())


def _drawn_upward(residuals: Array) -> Array:
    """The variance of each difference to the leader, shape (S, ...): its own, drawn upward to the typical one.

    Args:
        residuals: of the differences, shape (S, seeds, ...), divided by sqrt(degrees of freedom); zero for the leader.
    """
    own = np.einsum("ik...,ik...->i...", residuals, residuals)
    typical = np.median(np.sort(own, axis=0)[1:], axis=0)  # the leader's zero, always the least, does not count
    drawn: Array = np.maximum(own, (own + typical) / 2)
    return drawn


def _tied(table: Array, gaps: Array, rounding: float) -> Array:
    """The least variance of each difference to the leader: that of two rounded scores, where every seed shows the same.

    Coarse scores (an accuracy on 50 examples) can differ by the same step on all of a few seeds by luck; that spread of
    zero is no certainty. The step is the smallest gap between any two scores, and a score rounded to it is off by up to
    half of it: a variance of step ** 2 / 12 each.
    """
    apart = np.diff(np.sort(table, axis=None))
    apart = apart[apart > rounding]
    same = (np.ptp(gaps, axis=1) <= 2 * rounding) & (np.abs(gaps).max(axis=1) > 2 * rounding)
    return np.where(same, apart.min() ** 2 / 6 if apart.size else 0.0, 0.0)


@lru_cache(maxsize=64)
def _critical(num_strategies: int, num_seeds: int, alpha: float) -> float:
    """What the largest difference to the leader exceeds, in standard errors, in alpha of simulated equal strategies.

    Simulated for equal noise and for a third, half and two thirds of the strategies 10 and 100 times as noisy as the
    others; the largest counts. Equal noise is nearly the worst case from eight seeds on; with three seeds and 11
    strategies its critical value alone would let the level rise to 10 % where half of them are noisy.
    """
    random = np.random.default_rng([num_strategies, num_seeds])
    noisy = sorted({0, num_strategies // 3, num_strategies // 2, 2 * num_strategies // 3})
    noisy_few = np.arange(num_strategies) < np.array(noisy)[:, None]
    noise = np.concatenate([np.where(noisy_few, 10.0, 1.0), np.where(noisy_few[1:], 100.0, 1.0)])
    largest = np.concatenate([_largest(noise, num_seeds, random) for _ in range(DRAWS // CHUNK)], axis=1)
    rank = math.ceil((1 - alpha) * (DRAWS + 1))
    return float(np.partition(largest, rank - 1, axis=1)[:, rank - 1].max())


def _largest(noise: Array, num_seeds: int, random: np.random.Generator) -> Array:
    """The largest difference to the leader, in standard errors, of simulated equal strategies: shape (patterns, CHUNK).

    The rows of `noise` are the standard deviations of the strategies in one pattern.
    """
    # Deviations of n normal numbers from their mean are n - 1 independent normal numbers: these are drawn directly.
    means = random.standard_normal((noise.shape[1], CHUNK))
    residuals = random.standard_normal((noise.shape[1], num_seeds - 1, CHUNK)) / math.sqrt(num_seeds - 1)
    largest = np.empty((len(noise), CHUNK))
    for row, sd in enumerate(noise):
        scores, deviations = means * sd[:, None], residuals * sd[:, None, None]
        leader = scores.argmin(axis=0)[None]
        differences = scores - np.take_along_axis(scores, leader, axis=0)
        deviations -= np.take_along_axis(deviations, leader[None], axis=0)
        variances = _drawn_upward(deviations)
        np.put_along_axis(variances, leader, 1.0, axis=0)  # the leader's own difference is zero, and so was this
        largest[row] = (differences / np.sqrt(variances)).max(axis=0)
    return largest
