"""The decision: laws, golden cases against scipy, and the errors."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from stepwell.compare.decide import Decision, decide, seeds_needed
from stepwell.errors import OptionError
from stepwell.record.comparison import Interval

Scores = NDArray[np.float64]

stats: Any = pytest.importorskip("scipy.stats")

quick = settings(max_examples=30, deadline=None, derandomize=True)


@st.composite
def tables(draw: st.DrawFn) -> Scores:
    """Scores of 1 to 6 strategies on 3 to 9 seeds: blocks, unequal noise, real differences; no ties."""
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    num_strategies, num_seeds = draw(st.integers(1, 6)), draw(st.integers(3, 9))
    noise = draw(st.sampled_from([np.ones(6), np.geomspace(0.1, 10, 6), np.array([1, 1, 1, 1, 1, 50.0])]))
    means = draw(st.sampled_from([0.0, 1.0, 10.0])) * random.standard_normal((num_strategies, 1))
    seeds = 5 * random.standard_normal(num_seeds)
    scores: Scores = means + seeds + noise[:num_strategies, None] * random.standard_normal((num_strategies, num_seeds))
    return scores


def bounds(decision: Decision) -> Scores:
    return np.array([[each.estimate, each.low, each.high] for each in decision.differences])


def same(one: Decision, other: Decision, *, scale: float = 1.0) -> None:
    assert other.leader == one.leader
    assert other.may_be_best == one.may_be_best
    size = scale * max(1.0, np.abs(bounds(one)).max())
    np.testing.assert_allclose(bounds(other), scale * bounds(one), rtol=1e-9, atol=1e-9 * size)
    assert other.critical == pytest.approx(one.critical, rel=1e-9)
    assert other.resolution == pytest.approx(scale * one.resolution, rel=1e-9)


@quick
@given(tables())
def test_the_leader_has_the_best_mean_and_may_be_best(scores: Scores) -> None:
    decision = decide(scores)
    assert decision.leader == scores.mean(axis=1).argmin()
    assert decision.may_be_best[decision.leader]
    assert decision.differences[decision.leader] == Interval(0.0, 0.0, 0.0)


@quick
@given(tables())
def test_estimates_are_mean_paired_differences_inside_symmetric_intervals(scores: Scores) -> None:
    decision = decide(scores)
    expected = (scores - scores[decision.leader]).mean(axis=1)
    estimate, low, high = bounds(decision).T
    np.testing.assert_allclose(estimate, expected, atol=1e-10)
    np.testing.assert_allclose(high - estimate, estimate - low, atol=1e-9)
    assert all(estimate >= 0)
    assert all(low <= estimate)


@quick
@given(tables(), st.randoms(use_true_random=False))
def test_the_order_of_strategies_permutes_the_answer(scores: Scores, random: Any) -> None:
    order = list(range(len(scores)))
    random.shuffle(order)
    one, other = decide(scores), decide(scores[order])
    assert order[other.leader] == one.leader
    assert other.may_be_best == tuple(one.may_be_best[index] for index in order)
    np.testing.assert_allclose(bounds(other), bounds(one)[order], rtol=1e-9, atol=1e-9)


@quick
@given(tables(), st.randoms(use_true_random=False))
def test_the_order_of_seeds_changes_nothing(scores: Scores, random: Any) -> None:
    order = list(range(scores.shape[1]))
    random.shuffle(order)
    same(decide(scores), decide(scores[:, order]))


@quick
@given(tables(), arrays(np.float64, 9, elements=st.floats(-1e3, 1e3)))
def test_what_a_seed_adds_to_every_strategy_changes_nothing(scores: Scores, shifts: Scores) -> None:
    same(decide(scores), decide(scores + shifts[: scores.shape[1]]))


@quick
@given(tables(), st.floats(1e-12, 1e12))
def test_the_unit_of_the_scores_does_not_matter(scores: Scores, scale: float) -> None:
    same(decide(scores, margin=0.5), decide(scores * scale, margin=0.5 * scale), scale=scale)


@quick
@given(tables())
def test_accuracy_and_error_give_the_same_decision(scores: Scores) -> None:
    assert decide(-scores, direction="max") == decide(scores, direction="min")


@quick
@given(tables(), st.floats(0, 5), st.floats(0, 5))
def test_a_larger_margin_calls_fewer_worse(scores: Scores, one: float, other: float) -> None:
    strict, generous = decide(scores, margin=min(one, other)), decide(scores, margin=max(one, other))
    assert strict.differences == generous.differences
    assert all(may or not must for must, may in zip(strict.may_be_best, generous.may_be_best, strict=True))


@quick
@given(tables(), st.floats(0.001, 0.5), st.floats(0.001, 0.5))
def test_a_larger_alpha_calls_more_worse(scores: Scores, one: float, other: float) -> None:
    careful, bold = decide(scores, alpha=min(one, other)), decide(scores, alpha=max(one, other))
    assert bold.critical <= careful.critical
    assert bold.resolution <= careful.resolution
    assert all(may or not must for must, may in zip(bold.may_be_best, careful.may_be_best, strict=True))


@quick
@given(tables(), st.floats(0, 2))
def test_worse_means_that_the_interval_lies_beyond_the_margin(scores: Scores, margin: float) -> None:
    decision = decide(scores, margin=margin)
    assert decision.may_be_best == tuple(each.low <= margin for each in decision.differences)


@quick
@given(tables(), st.integers(1, 3))
def test_a_copy_of_the_leader_may_be_best_at_no_distance(scores: Scores, copies: int) -> None:
    leader = decide(scores).leader
    decision = decide(np.concatenate([scores, *[scores[[leader]]] * copies]))
    assert all(decision.may_be_best[-copies:])
    assert all(each.estimate == 0 for each in decision.differences[-copies:])


def test_one_strategy_may_be_best() -> None:
    decision = decide([[0.3, 0.1, 0.2]])
    assert (decision.leader, decision.may_be_best) == (0, (True,))
    assert decision.differences == (Interval(0.0, 0.0, 0.0),)
    assert (decision.critical, decision.resolution) == (0.0, 0.0)


def test_equal_strategies_are_all_best_whatever_the_rounding() -> None:
    seeds = np.array([0.1, 0.7, 1e6, 1 / 3])
    decision = decide([seeds, seeds, seeds * (1 + 1e-15), seeds])
    assert all(decision.may_be_best)


def test_a_difference_that_every_seed_shows_exactly_is_a_difference() -> None:
    decision = decide([[1.0, 2.0, 4.0, 4.1], [1.5, 2.5, 4.5, 4.6], [1.0, 2.0, 4.0, 4.1]])
    assert decision.may_be_best == (True, False, True)
    assert 0.3 < decision.differences[1].low < 0.5
    assert decide([[1.0, 2.0, 4.0, 4.1], [1.5, 2.5, 4.5, 4.6]], margin=0.6).may_be_best == (True, True)


def test_ties_of_coarse_scores_are_no_certainty() -> None:
    hits = np.array([[41.0, 42.0, 40.0], [42.0, 43.0, 41.0]])  # of 50: one example more, on all of three seeds
    assert all(decide(hits / 50, direction="max").may_be_best)
    hits[1] += 4
    assert not decide(hits / 50, direction="max").may_be_best[0]


@pytest.mark.parametrize(("num_strategies", "num_seeds"), [(2, 3), (4, 3), (2, 5), (11, 3)])
@pytest.mark.parametrize("examples", [8, 30])
def test_equal_strategies_with_coarse_accuracies_are_seldom_called_worse(
    num_strategies: int, num_seeds: int, examples: int
) -> None:
    random = np.random.default_rng([num_strategies, num_seeds, examples])
    tables = random.binomial(examples, 0.9, (1500, num_strategies, num_seeds)) / examples
    share = np.mean([not all(decide(table, direction="max").may_be_best) for table in tables])
    assert share <= 0.05 + 4 * math.sqrt(0.05 * 0.95 / 1500)


@pytest.mark.parametrize("unit", [1e-320, 1e-300, 1e300, 1.5e308])
def test_scores_of_any_size_give_a_decision(unit: float) -> None:
    scores = np.array([[0.10, 0.11, 0.09, 0.10], [0.90, 0.92, 0.91, 0.90], [0.12, 0.09, 0.11, 0.10]])
    decision = decide(scores * unit)
    assert decision.may_be_best == (True, False, True)
    assert np.isfinite(bounds(decision)).all()


def test_of_equal_means_the_steadiest_strategy_leads() -> None:
    scores = [[0.0, 4.0, 0.0, 4.0], [2.0, 2.1, 1.9, 2.0], [1.0, 3.0, 3.0, 1.0]]
    assert decide(scores).leader == 1


def test_one_diverged_run_does_not_blind_the_comparison_of_the_others() -> None:
    random = np.random.default_rng(0)
    scores = 0.1 * random.standard_normal((8, 8))
    scores[1] += 1.0
    calm = decide(scores)
    scores[2, 3] += 100.0
    decision = decide(scores)
    assert not calm.may_be_best[1]
    assert not decision.may_be_best[1]
    assert decision.may_be_best[2]  # one disaster in eight is not proof
    assert decision.resolution < 2 * calm.resolution


@pytest.mark.parametrize("num_seeds", [3, 8, 30])
@pytest.mark.parametrize("alpha", [0.01, 0.05, 0.2])
def test_two_strategies_are_the_paired_t_test(num_seeds: int, alpha: float) -> None:
    scores = np.random.default_rng(num_seeds).standard_normal((2, num_seeds))
    decision = decide(scores, alpha=alpha)
    worse = 1 - decision.leader
    test = stats.ttest_rel(scores[worse], scores[decision.leader])
    error = test.statistic and decision.differences[worse].estimate / test.statistic
    assert decision.resolution / decision.critical == pytest.approx(error, rel=1e-9)
    # The critical value is simulated: its realised level scatters around alpha by the error of 10 000 draws.
    level = 2 * stats.t.sf(decision.critical, num_seeds - 1)
    assert abs(level - alpha) < 4 * math.sqrt(alpha * (1 - alpha) / 10_000)


@pytest.mark.parametrize("num_strategies", [3, 6, 11])
def test_with_many_seeds_it_is_tukeys_studentised_range(num_strategies: int) -> None:
    scores = np.random.default_rng(1).standard_normal((num_strategies, 120))
    expected = stats.studentized_range.ppf(0.95, num_strategies, 120 * num_strategies) / math.sqrt(2)
    assert decide(scores).critical == pytest.approx(expected, rel=0.03)


def test_more_seeds_resolve_smaller_differences() -> None:
    random = np.random.default_rng(2)
    resolutions = [decide(random.standard_normal((6, num_seeds))).resolution for num_seeds in (4, 8, 16, 32)]
    assert resolutions == sorted(resolutions, reverse=True)


def test_seeds_needed_grow_with_the_square() -> None:
    assert seeds_needed(0.1, resolution=0.2, num_seeds=8) == 32
    assert seeds_needed(0.4, resolution=0.2, num_seeds=8) == 8
    assert seeds_needed(1.0, resolution=0.0, num_seeds=8) == 8


def test_as_many_seeds_as_needed_resolve_the_difference() -> None:
    random = np.random.default_rng(3)
    now = decide(random.standard_normal((6, 8)))
    difference = now.resolution / 2
    enough = seeds_needed(difference, resolution=now.resolution, num_seeds=8)
    later = [decide(random.standard_normal((6, enough))).resolution for _ in range(5)]
    assert np.median(later) < 1.1 * difference


TABLE = [[1.0, 2.0, 3.0], [2.0, 1.0, 3.0]]


@pytest.mark.parametrize(
    ("scores", "options", "words"),
    [
        ([[1.0], [2.0]], {}, "at least 3 judging seeds, not 1"),
        ([[1.0, 2.0], [2.0, 1.0]], {}, "at least 3 judging seeds, not 2"),
        (np.empty((0, 4)), {}, r"a strategy or more, not \(0, 4\)"),
        ([1.0, 2.0], {}, r"shape \(strategies, seeds\)"),
        ([[1.0, "fast"]], {}, "table of numbers"),
        ([[1.0, 2.0], [1.0]], {}, "table of numbers"),
        ([[1.0, 2.0, 3.0], [1.0, math.nan, 3.0]], {}, "strategy 1 has nan at seed 1"),
        ([[1.0, -math.inf, 3.0], [1.0, 2.0, 3.0]], {}, "strategy 0 has -inf at seed 1"),
        (TABLE, {"alpha": 0.0}, "alpha must be from 0.001 to 0.5, not 0.0"),
        (TABLE, {"alpha": 0.6}, "not 0.6"),
        (TABLE, {"alpha": math.nan}, "not nan"),
        (TABLE, {"margin": -1.0}, "margin must be zero or a positive number in units of the score, not -1.0"),
        (TABLE, {"margin": math.inf}, "not inf"),
        (TABLE, {"direction": "up"}, 'direction must be "min" or "max", not \'up\''),
    ],
)
def test_bad_input_is_one_clear_error(scores: Sequence[Any], options: dict[str, Any], words: str) -> None:
    with pytest.raises(OptionError, match=words):
        decide(scores, **options)


def test_a_difference_of_nothing_needs_no_seeds() -> None:
    with pytest.raises(OptionError, match="positive number, not 0"):
        seeds_needed(0, resolution=0.2, num_seeds=8)
