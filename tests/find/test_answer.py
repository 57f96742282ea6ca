"""What is concluded from runs that are given, and that nothing is claimed which they do not show."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stepwell.find.answer import Answer, answer
from stepwell.find.grid import rate_at
from stepwell.find.race import Heat, Level, Told
from stepwell.record.suggestion import Probe, Verdict

FAILED = math.inf


def heat(steps: int, gap: int, rows: dict[int, list[float]], seeds: tuple[int, ...] = (0,)) -> Heat:
    """Scores by place and seed; 1 before the first update."""
    told = {
        (place, seed): Told(score, 1.0) for place, row in rows.items() for seed, score in zip(seeds, row, strict=False)
    }
    return Heat(Level(steps, gap, seeds), told)


COARSE = heat(16, 2, {-10: [0.5], -8: [0.2], -6: [0.6]})


def concluded(rows: dict[int, list[float]], seeds: tuple[int, ...] = (1,), coarse: Heat = COARSE) -> Answer:
    return answer([coarse, heat(60, 1, rows, seeds)], None)


def test_a_rate_between_two_worse_ones_is_found() -> None:
    found = concluded({-9: [0.5], -8: [0.1], -7: [0.4]})
    assert (found.verdict, found.place, found.low, found.high) == (Verdict.FOUND, -8, -8, -8)
    assert "Best of 3 rates over 60 updates on 1 seed" in found.words


def test_no_rate_is_suggested_whose_runs_all_failed() -> None:
    found = concluded({-8: [FAILED], -9: [FAILED], -10: [FAILED]})
    assert (found.verdict, found.place, found.edge) == (Verdict.WIDEN_DOWN, None, -10)
    assert found.words == "All runs of 60 updates failed, down to a rate of 0.00316, though shorter ones did not."
    at_the_limit = answer([COARSE, heat(60, 1, {-9: [FAILED], -8: [FAILED]}, (1,))], (-9, 0))
    assert (at_the_limit.verdict, at_the_limit.place) == (Verdict.NO_SIGNAL, None)


def test_no_rate_is_suggested_where_longer_runs_gained_nothing() -> None:
    found = concluded({-8: [1.1], -9: [1.05], -10: [1.01]})
    assert (found.verdict, found.place) == (Verdict.WIDEN_DOWN, None)
    assert "No runs of 60 updates lowered the score" in found.words


def test_a_rate_that_failed_on_one_seed_is_not_suggested() -> None:
    rows = {-9: [0.5, 0.5, 0.5], -8: [0.1, 0.1, FAILED], -7: [FAILED, FAILED, FAILED]}
    found = concluded(rows, (1, 2, 3))
    assert found.place == -9
    assert found.edge == -8
    assert found.verdict is Verdict.WIDEN_DOWN


def test_a_rate_that_costs_most_of_the_gain_is_not_suggested_for_being_careful() -> None:
    found = concluded({-9: [1.0], -8: [0.1], -7: [FAILED]})
    assert (found.place, found.low, found.high, found.edge) == (-8, -8, -8, -7)


def test_good_rates_are_those_within_the_tolerance_and_below_failure() -> None:
    careful = concluded({-10: [0.9], -9: [0.3], -8: [0.1], -7: [FAILED]})
    assert (careful.place, careful.low, careful.high) == (-9, -9, -8)
    assert careful.tolerance == pytest.approx(0.2 / 0.9)  # what -9 costs
    assert "0.00562 gains 78% as much" in careful.words
    short = heat(16, 2, {-10: [0.5], -8: [FAILED], -6: [FAILED]})
    below = concluded({-10: [0.5], -9: [0.12], -8: [0.1], -7: [0.5]}, coarse=short)
    assert (below.low, below.high, below.edge) == (-9, -9, -8)


def test_the_longest_runs_count_though_the_budget_ended_before_every_seed_had_them() -> None:
    begun = {-10: [0.8], -9: [0.1, 0.1], -8: [0.4, 0.4], -7: [0.9]}  # of three seeds one has a bracket
    found = answer([heat(16, 2, {-2: [0.8], 0: [0.1], 2: [0.9]}), heat(60, 1, begun, (1, 2, 3))], None)
    assert found.place == -9
    assert "60 updates on 1 seed" in found.words


def test_a_failure_far_above_does_not_stand_for_the_next_higher_rate() -> None:
    short = heat(16, 2, {-10: [0.5], -8: [0.2], -6: [0.3], 0: [FAILED]})
    found = concluded({-9: [0.3], -8: [0.1]}, coarse=short)
    assert found.verdict is Verdict.WIDEN_UP
    assert "the highest that the budget reached" in found.words


def test_a_score_that_was_nan_from_the_start_is_told_from_runs_that_fail() -> None:
    lost = Heat(Level(16, 2, (0,)), {(-8, 0): Told(FAILED, math.nan)})
    assert answer([lost], None).words == "The score is nan before the first update, so no rate can be judged."
    failing = heat(16, 2, {-8: [FAILED], -10: [FAILED]})
    found = answer([failing], None)
    assert found.words.startswith("Every run failed, down to a rate of 0.00316, though the score before the first")
    assert found.edge == -10


VALLEY = {-10: [0.5], -9: [0.3], -8: [0.1], -7: [0.2], -6: [0.45], -5: [0.9]}


def settled(rise: int, rows: dict[int, list[float]], bounds: tuple[int, int] | None = None) -> Answer:
    return answer([COARSE, heat(60, 1, rows, (1,))], bounds, rises={60: rise})


@pytest.mark.parametrize("rise", [-3, -1, 0, 1, 2])
def test_a_rate_moves_to_where_the_whole_run_takes_its_steps(rise: int) -> None:
    still, found = settled(0, VALLEY), settled(rise, VALLEY)
    assert still.place is not None
    assert found.place == still.place + rise
    assert still.low is not None
    assert still.high is not None
    assert (found.low, found.high, found.moved) == (still.low + rise, still.high + rise, rise)
    assert ("stands for" in found.words) == (rise != 0)


def test_what_is_said_of_the_best_short_runs_names_their_rate_where_the_suggestion_is_another() -> None:
    rows = {-9: [0.5], -8: [0.1], -7: [0.4]}
    assert settled(0, rows).words == "Best of 3 rates over 60 updates on 1 seed, with worse ones on both sides."
    moved = settled(1, rows)
    assert moved.words.startswith(
        "0.01 is best of 3 rates over 60 updates on 1 seed, with worse ones on both sides. The"
    )
    assert moved.words.endswith("so 0.01 in runs of 60 updates stands for 0.0178 in the whole run.")
    assert (moved.place, moved.low, moved.high) == (-7, -7, -7)


def test_a_rate_does_not_move_to_failure_nor_beyond_the_limits_nor_to_one_that_gains_little() -> None:
    assert settled(9, {-10: [0.3], -9: [0.1], -8: [0.2], -7: [0.3], -6: [FAILED]}).place == -7
    assert settled(9, VALLEY).place == 1  # nothing is known against it
    assert settled(3, VALLEY).place == -6  # -5 gains little
    limited = settled(9, VALLEY, (-10, -7))
    assert (limited.place, limited.high) == (-7, -7)
    assert limited.words.endswith("; 0.0178 is as far as the limits and the short runs allow.")
    assert settled(-9, VALLEY, (-10, 0)).place == -10


def probe(place: int, val: float, score: float) -> Probe:
    return Probe(rate_at(place), 1, "refine", 60, np.zeros(60), score, score, val)


@pytest.mark.parametrize("diverged", [[], [probe(-4, 1e6, math.nan)]])
def test_a_diverged_run_does_not_hide_that_validation_disagrees(diverged: list[Probe]) -> None:
    heats = [COARSE, heat(60, 1, {-10: [0.5], -9: [0.4], -8: [0.1], -7: [0.3]}, (1,))]
    found = answer(heats, None, [probe(-12, 0.5, 0.7), probe(-8, 0.8, 0.1), *diverged])
    assert found.verdict is Verdict.DISAGREE
    assert "by the validation loss 0.001 (0.5 there, 0.8 here)" in found.words


SCORES = st.one_of(st.just(FAILED), st.floats(-2.0, 2.0))


@given(
    fine=st.dictionaries(st.integers(-12, -2), st.lists(SCORES, min_size=2, max_size=2), min_size=1, max_size=8),
    coarse=st.dictionaries(st.integers(-12, -2), st.lists(SCORES, min_size=1, max_size=1), min_size=1, max_size=6),
)
def test_an_answer_claims_nothing_that_its_runs_do_not_show(
    fine: dict[int, list[float]], coarse: dict[int, list[float]]
) -> None:
    heats = [heat(16, 1, coarse), heat(60, 1, fine, (1, 2))]
    found = answer(heats, None)
    assert found.words
    if found.place is None:
        assert found.verdict in (Verdict.NO_SIGNAL, Verdict.WIDEN_DOWN)
        assert found.low is found.high is None
        return
    assert FAILED not in fine[found.place]
    assert found.edge is None or found.edge > found.place
    assert found.low is not None
    assert found.high is not None
    assert found.low <= found.place <= found.high
    assert found.edge is None or found.high < found.edge
    if found.verdict is Verdict.FOUND:
        assert "rates over 60 updates" in found.words
