from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stepwell.record.run import Ending, Outcome, Run
from stepwell.view.spread import spread, thinned, window_for


def run(*loss: float) -> Run:
    columns = {"step": np.arange(float(len(loss))), "loss": np.array(loss)}
    return Run("id", "name", Outcome(Ending.FINISHED, len(loss), "learned"), columns)


def test_the_middle_is_the_median_over_runs_at_every_step() -> None:
    over = spread([run(3, 1), run(1, 2), run(2, 9)], "loss")
    assert over.middle.tolist() == [2, 2]
    assert over.low.tolist() == [1.5, 1.5]
    assert over.high.tolist() == [2.5, 5.5]


def test_a_step_that_most_runs_did_not_reach_has_no_point() -> None:
    over = spread([run(1, 1, 1), run(1), run(1)], "loss")
    np.testing.assert_array_equal(over.middle, [1, np.nan, np.nan])


def test_infinite_values_count_as_missing() -> None:
    over = spread([run(1, np.inf), run(1, np.nan), run(1, 5)], "loss")
    np.testing.assert_array_equal(over.middle, [1, np.nan])


def test_a_window_is_the_mean_of_its_updates_and_stands_in_their_middle() -> None:
    over = spread([run(1, 3, 5, 7, 10)], "loss", window=2)
    assert over.x.tolist() == [0.5, 2.5, 4.0]
    assert over.middle.tolist() == [2, 6, 10]


def test_runs_that_agree_have_no_band() -> None:
    assert spread([run(1, 2), run(1, 2)], "loss").band is None
    assert spread([run(1, 2), run(1, 3)], "loss").band is not None


def test_a_column_that_nobody_has_gives_nothing() -> None:
    assert spread([run(1, 2)], "val_loss").x.size == 0


@given(st.integers(1, 10**7))
def test_windows_leave_few_points(num_steps: int) -> None:
    assert -(-num_steps // window_for(num_steps)) <= 40


@given(st.lists(st.floats(-1e6, 1e6) | st.just(float("nan")), min_size=1, max_size=300), st.sampled_from([8, 20, 100]))
def test_thinning_keeps_both_ends_and_the_extremes(values: list[float], points: int) -> None:
    y = np.array(values)
    kept = thinned(y, points=points)
    assert len(kept) <= max(points, 4 * (points // 4))
    assert (np.diff(kept) > 0).all()
    assert {0, len(values) - 1} <= set(kept.tolist())
    if np.isfinite(y).any():
        assert np.nanmax(y[kept]) == np.nanmax(y)
        assert np.nanmin(y[kept]) == np.nanmin(y)


@pytest.mark.parametrize("num", [801, 5000, 10**6])
def test_thinning_a_long_series_leaves_few_points(num: int) -> None:
    assert len(thinned(np.sin(np.arange(num) / 7.0))) <= 400
