from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stepwell.errors import OptionError
from stepwell.find.grid import place_of, places_within, rate_at
from stepwell.find.levels import SMALLEST, levels


@given(budget=st.integers(SMALLEST, 100_000), scored=st.integers(1, 8))
def test_the_runs_grow_longer_on_fresh_seeds_and_fit_the_budget(budget: int, scored: int) -> None:
    plan = levels(budget, scored=scored)
    assert all(level.steps >= 3 for level in plan)
    assert [level.steps for level in plan] == sorted(level.steps for level in plan)
    seeds = [seed for level in plan for seed in level.seeds]
    assert len(set(seeds)) == len(seeds)
    assert sum(3 * (level.steps + scored) * len(level.seeds) for level in plan) <= budget


@pytest.mark.parametrize("budget", [SMALLEST - 1, 0, -5, 600.0, True, "600"])
def test_a_budget_that_allows_no_race_is_refused(budget: object) -> None:
    with pytest.raises(OptionError, match=rf"a whole number of updates of at least {SMALLEST}, got {budget!r}"):
        levels(budget, scored=4)  # type: ignore[arg-type]  # that is the point


@given(place=st.integers(-60, 40))
def test_a_place_and_its_rate_belong_together(place: int) -> None:
    assert place_of(rate_at(place)) == place
    assert places_within(rate_at(place), rate_at(place)) == (place, place)


def test_places_within_two_rates_by_hand() -> None:
    assert places_within(0.01, 0.1) == (-8, -4)
    assert places_within(0.011, 0.099) == (-7, -5)
