"""The promise of the decision, by simulation: equal strategies are seldom called worse, the best seldom missed.

A share may exceed alpha by four standard errors of its simulation: up to 0.07 of 2000 comparisons, 0.066 of 3000. A
wrong method misses by far more: with one spread for all, 22 % of comparisons call a strategy worse where one of 11 is
ten times as noisy as its equals; with plain t-tests it is 82 % even where noise is equal.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from stepwell.compare.decide import decide

ALPHA = 0.05
PATTERNS = ("equal", "one noisy", "half noisy", "ladder", "one quiet")
SHAPES = ("normal", "heavy tails", "skewed", "diverging", "families")

Scores = NDArray[np.float64]


def equal_strategies(pattern: str, shape: str, size: tuple[int, int, int]) -> Scores:
    """Tables (comparisons, strategies, seeds) of equal means over strong seed effects."""
    random = np.random.default_rng([PATTERNS.index(pattern), SHAPES.index(shape), *size])
    count, num_strategies, num_seeds = size
    order = np.arange(num_strategies)
    sd = {
        "equal": np.ones(num_strategies),
        "one noisy": np.where(order == 0, 10.0, 1.0),
        "half noisy": np.where(order < num_strategies // 2, 10.0, 1.0),
        "ladder": np.geomspace(1.0, 10.0, num_strategies),
        "one quiet": np.where(order == 0, 0.1, 1.0),
    }[pattern]
    noise = random.standard_normal(size)
    match shape:
        case "heavy tails":
            noise = random.standard_t(3, size)
        case "skewed":
            noise = random.standard_exponential(size) - 1
        case "diverging":
            noise += 20 * ((random.random(size) < 0.05) - 0.05)
        case "families":
            noise = 0.5 * noise + random.standard_normal((count, 2, num_seeds))[:, order % 2]
    scores: Scores = 5 * random.standard_normal((count, 1, num_seeds)) + sd[:, None] * noise
    return scores


def bound(count: int) -> float:
    return ALPHA + 4 * math.sqrt(ALPHA * (1 - ALPHA) / count)


def share_with_a_false_worse(tables: Scores) -> float:
    return float(np.mean([not all(decide(table, alpha=ALPHA).may_be_best) for table in tables]))


@pytest.mark.parametrize("pattern", ["equal", "one noisy", "half noisy"])
def test_equal_strategies_are_seldom_called_worse(pattern: str) -> None:
    tables = equal_strategies(pattern, "normal", (2000, 11, 8))
    assert share_with_a_false_worse(tables) <= bound(2000)


def test_the_level_is_used_and_not_only_kept() -> None:
    # A decision that never calls anything worse would pass every test above.
    assert share_with_a_false_worse(equal_strategies("equal", "normal", (2000, 5, 8))) >= 2 * ALPHA - bound(2000)


@pytest.mark.parametrize("seen", [(2.0, 0.70), (3.0, 0.97)])
def test_real_differences_are_seen(seen: tuple[float, float]) -> None:
    difference, share = seen
    tables = equal_strategies("equal", "normal", (500, 11, 8))
    tables[:, 0] += difference
    assert np.mean([not decide(table).may_be_best[0] for table in tables]) >= share


@pytest.mark.parametrize("pattern", ["equal", "half noisy"])
def test_intervals_hold_together_and_the_best_are_kept(pattern: str) -> None:
    tables = equal_strategies(pattern, "normal", (1000, 6, 8))
    truth = np.array([0.0, 0.5, 0.0, 1.0, 0.0, 4.0])
    missed = excluded = 0
    for table in tables:
        decision = decide(table + truth[:, None], alpha=ALPHA)
        true_differences = truth - truth[decision.leader]
        pairs = zip(decision.differences, true_differences, strict=True)
        missed += any(not each.low <= true <= each.high for each, true in pairs)
        excluded += not all(np.array(decision.may_be_best)[truth == 0])
    assert missed / len(tables) <= bound(len(tables))
    assert excluded / len(tables) <= bound(len(tables))


# Skew and divergence only among equals: where they differ, so does what the seeds show, whatever the true means are.
CONFIGURATIONS = [
    *((pattern, shape) for pattern in PATTERNS for shape in ("normal", "heavy tails", "families")),
    ("equal", "skewed"),
    ("equal", "diverging"),
]


@pytest.mark.soak
@pytest.mark.parametrize(
    "size", [(2, 3), (3, 3), (5, 3), (5, 8), (11, 3), (11, 5), (11, 8), (11, 30), (20, 3), (20, 8)]
)
@pytest.mark.parametrize(("pattern", "shape"), CONFIGURATIONS)
def test_equal_strategies_are_seldom_called_worse_whatever_the_noise(
    pattern: str, shape: str, size: tuple[int, int]
) -> None:
    tables = equal_strategies(pattern, shape, (3000, *size))
    assert share_with_a_false_worse(tables) <= bound(3000)
