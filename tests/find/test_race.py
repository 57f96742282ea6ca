"""Laws of the race, which is pure: it asks, is told, and asks again."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stepwell.find.race import LATE, Ask, Caution, Heat, Level, Told, best_place, normalised, race, risks

WIDE = (-100, 100)
ONE = Level(10, 2, (0,))
TWO = Level(40, 1, (1, 2), stage="refine")


def run(
    levels: list[Level],
    start: int,
    score: Callable[[Ask], float],
    bounds: tuple[int, int] = WIDE,
    most: int = 10_000,
) -> tuple[list[Heat], list[Ask]]:
    """Run a race whose scores follow a formula; it is told of `most` runs at most."""
    asked: list[Ask] = []
    going = race(levels, start, bounds)
    try:
        asks = next(going)
        while True:
            affordable = list(asks)[: most - len(asked)]
            asked += affordable
            asks = going.send({ask: Told(score(ask), 1.0) for ask in affordable})
    except StopIteration as end:
        return end.value, asked


def valley(best: int, failing: int = 1000) -> Callable[[Ask], float]:
    """Scores with one lowest place, and failure from a place on."""

    def score(ask: Ask) -> float:
        return math.inf if ask.place >= failing else 1.0 - 1.0 / (1.0 + 0.05 * (ask.place - best) ** 2)

    return score


@given(best=st.integers(-40, 40), start=st.integers(-60, 60))
def test_a_race_finds_the_lowest_place_of_a_valley_wherever_it_starts(best: int, start: int) -> None:
    heats, _ = run([ONE, TWO], start, valley(best))
    regrets = heats[-1].regrets()
    assert best_place(regrets) == best
    assert {best - 1, best, best + 1} <= set(regrets)


@given(best=st.integers(-40, 40), start=st.integers(-60, 60))
def test_a_level_that_begins_upward_tries_the_place_above_first_and_finds_the_same(best: int, start: int) -> None:
    heats, asked = run([Level(16, 1, (0,), upward=True)], start, valley(best))
    assert [ask.place for ask in asked[:2]] == [start, start + 1]
    assert best_place(heats[-1].regrets()) == best


@given(best=st.integers(-40, 40), start=st.integers(-60, 60), above=st.integers(1, 8))
def test_a_race_that_starts_among_failures_walks_down_out_of_them(best: int, start: int, above: int) -> None:
    heats, _ = run([ONE, TWO], start, valley(best, failing=best + above))
    assert best_place(heats[-1].regrets()) == best


@given(best=st.integers(-40, 40), start=st.integers(-60, 60))
def test_no_short_run_is_asked_for_twice(best: int, start: int) -> None:
    _, asked = run([ONE, TWO], start, valley(best))
    assert len(set(asked)) == len(asked)


@given(best=st.integers(-40, 40), start=st.integers(-60, 60), low=st.integers(-30, 0), width=st.integers(4, 30))
def test_a_race_stays_within_its_bounds(best: int, start: int, low: int, width: int) -> None:
    heats, asked = run([ONE, TWO], start, valley(best), bounds=(low, low + width))
    assert all(low <= ask.place <= low + width for ask in asked)
    wanted = min(max(best, low), low + width)
    assert abs(best_place(heats[-1].regrets()) - wanted) <= 1


@given(best=st.integers(-10, 10), most=st.integers(0, 30))
def test_a_race_whose_budget_ends_returns_what_it_was_told(best: int, most: int) -> None:
    heats, asked = run([ONE, TWO], 0, valley(best), most=most)
    told = {(ask.place, ask.seed, ask.level.steps) for ask in asked}
    kept = {(place, seed, heat.level.steps) for heat in heats for place, seed in heat.told}
    assert told == kept


def test_every_rate_of_a_level_ends_up_on_all_its_seeds() -> None:
    heats, _ = run([ONE, TWO], 0, valley(3))
    assert [heat.level.steps for heat in heats] == [10, 40]
    assert {seed for _, seed in heats[-1].told} == {1, 2}
    assert set(heats[-1].regrets()) >= {2, 3, 4}


def test_a_flat_loss_is_walked_down_to_the_lowest_rate() -> None:
    heats, asked = run([ONE], 0, lambda ask: 1.0, bounds=(-20, 20))
    assert set(heats[-1].regrets().values()) == {1.0}
    assert min(ask.place for ask in asked) == -20


@given(
    score=st.floats(allow_nan=True, allow_infinity=True),
    best=st.floats(-1e6, 1e6),
    initial=st.floats(-1e6, 1e6),
)
def test_a_normalised_regret_is_between_best_and_untrained(score: float, best: float, initial: float) -> None:
    assert 0.0 <= normalised(score, best, initial) <= 1.0


def test_regrets_by_hand() -> None:
    heat = Heat(Level(10, 1, (0, 1)))
    heat.told = {
        (0, 0): Told(0.5, 1.0),
        (1, 0): Told(0.0, 1.0),
        (2, 0): Told(math.inf, 1.0),
        (0, 1): Told(2.0, 4.0),
        (1, 1): Told(3.0, 4.0),
        (2, 1): Told(4.0, 4.0),
        (3, 1): Told(1.0, 4.0),  # on one seed only: not a place of the level
    }
    assert heat.regrets() == pytest.approx({0: (0.5 + 1 / 3) / 2, 1: (0.0 + 2 / 3) / 2, 2: 1.0})
    assert heat.failed() == {2}


def test_rates_of_a_seed_are_also_compared_by_the_losses_on_their_way() -> None:
    heat = Heat(Level(10, 1, (0,)))
    heat.told = {(0, 0): Told(0.5, 1.0, late=0.7), (1, 0): Told(0.5, 1.0, late=0.6), (2, 0): Told(0.6, 1.0, late=0.6)}
    regrets = heat.regrets()
    assert best_place(regrets) == 1
    assert regrets == pytest.approx({0: LATE * 0.1 / 0.5, 1: 0.0, 2: (1 - LATE) * 0.1 / 0.5})


@given(offset=st.floats(-10, 10))
def test_it_does_not_matter_how_hard_the_batches_on_the_way_were(offset: float) -> None:
    def told(late: float) -> Heat:
        rows = {(0, 0): Told(0.9, 1.0, late), (1, 0): Told(0.5, 1.0, late + 0.2), (2, 0): Told(math.inf, 1.0)}
        return Heat(Level(10, 1, (0,)), rows)

    assert told(0.4 + offset).regrets() == pytest.approx(told(0.4).regrets(), abs=1e-9)


@given(late=st.floats(-100, 100))
def test_a_run_that_lost_its_gain_is_never_the_best(late: float) -> None:
    rows = {(0, 0): Told(0.5, 1.0, late), (1, 0): Told(0.98, 1.0, -1000.0, lost=True), (2, 0): Told(0.6, 1.0, late)}
    heat = Heat(Level(10, 1, (0,)), rows)
    assert best_place(heat.regrets()) == 0
    assert heat.regrets()[1] == 1.0
    assert heat.failed() == {1}


def test_late_losses_are_no_sign_of_learning() -> None:
    heat = Heat(Level(10, 1, (0,)), {(0, 0): Told(1.0, 1.0, late=0.1), (1, 0): Told(1.1, 1.0, late=0.1)})
    assert heat.gained == 0.0
    assert not heat.learned
    assert set(heat.regrets().values()) == {1.0}


def test_a_long_race_walks_away_from_rates_that_only_short_runs_can_bear() -> None:
    def score(ask: Ask) -> float:  # of long runs all above -6 end where an untrained model is, by chance a bit lower
        if ask.level.steps > 20 and ask.place > -6:
            return 0.99 + 0.001 * (ask.place % 3)
        return 0.5 + 0.02 * abs(ask.place - (0 if ask.level.steps < 20 else -8))

    heats, _ = run([Level(16, 2, (0,)), Level(500, 1, (1, 2, 3))], 0, score)
    assert best_place(heats[-1].regrets()) == -8
    assert heats[-1].failed() >= {0, -1, -5}


def test_a_rate_next_to_failure_carries_some_of_it() -> None:
    caution = Caution(lower=0.0, higher=0.3, unknown=0.0)
    assert best_place(risks({0: 0.02, 1: 0.0, 2: 1.0}, 1, caution, fails_above=False)) == 0
    assert best_place(risks({0: 0.02, 1: 0.0}, 1, caution, fails_above=True)) == 0
    assert best_place(risks({0: 0.02, 1: 0.0}, 1, caution, fails_above=False)) == 1


def test_risks_by_hand() -> None:
    found = risks({0: 0.4, 2: 0.0, 4: 0.2}, 2, Caution(lower=0.25, higher=0.5, unknown=0.6), fails_above=False)
    assert found == pytest.approx({0: 0.2, 2: 0.2, 4: 0.35})


@given(
    regrets=st.dictionaries(st.integers(-40, 10), st.floats(0, 1), min_size=1),
    caution=st.builds(Caution, st.floats(0, 0.5), st.floats(0, 0.5), st.floats(0, 1)),
    fails_above=st.booleans(),
)
def test_a_risk_is_an_average_of_regrets(regrets: dict[int, float], caution: Caution, fails_above: bool) -> None:
    assert all(0.0 <= risk <= 1.0 + 1e-12 for risk in risks(regrets, 1, caution, fails_above=fails_above).values())
