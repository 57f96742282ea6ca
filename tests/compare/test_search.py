"""How the rate of a strategy is looked for, over runs that follow a formula, so that the right answer is known."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from formula import UNTRAINED, Formula, Law, bowl, rules, terms
from stepwell.compare.ledger import Ledger
from stepwell.compare.plan import WIDEST, Grid, miniatures
from stepwell.compare.response import Response
from stepwell.compare.strategy import select
from stepwell.compare.tune import tune
from stepwell.engines.engine import Event
from stepwell.record.comparison import GOOD_REGRET
from stepwell.record.run import Run
from stepwell.record.trial import Trial

(COSINE,) = select(only=["cosine"], optimizer="momentum")
DASH, SHORT, FULL = (one.level.steps for one in miniatures(terms(), COSINE))
FIRST, SECOND = terms().tuning_seeds
AUTO = Grid(rules().rates, widen=True)


def found(
    law: Law, diverges_above: float = math.inf, rates: tuple[float, ...] | None = None
) -> tuple[Formula, Response, Response]:
    """The engine, and what it ran short and at full length."""
    engine = Formula({"cosine": law}, diverges_above)
    chosen = rules() if rates is None else rules(rates, widen=False)
    short, full = tune(terms(), [COSINE], chosen, Ledger(engine, None, None)).legs["cosine"][1:]
    return engine, short, full


def lengths(engine: Formula) -> list[int]:
    return [trial.budget.total_steps or 0 for trial in engine.trained]


@settings(max_examples=40)
@given(st.integers(-WIDEST, 10 + WIDEST))
def test_the_best_rate_is_found_wherever_it_lies_and_has_worse_ones_on_both_sides(place: int) -> None:
    def law(trial: Trial) -> float:
        return UNTRAINED - 2 * math.exp(-abs(AUTO.place(trial.base_lr) - place) / 6)

    engine, short, full = found(law)
    assert AUTO.place(full.best) == AUTO.place(short.best) == place
    beside = {one for one in (place - 1, place + 1) if -WIDEST <= one <= 10 + WIDEST}
    assert beside <= set(map(AUTO.place, full.rates))
    assert beside <= set(map(AUTO.place, short.rates))
    assert lengths(engine).count(FULL) == 3 + len(beside)  # each on the first seed, two on the second


@settings(max_examples=30)
@given(st.floats(0.002, 0.5), st.floats(0.005, 0.5))
def test_every_good_rate_has_neighbours_and_every_short_run_its_seeds(best: float, steepness: float) -> None:
    def law(trial: Trial) -> float:
        return 0.3 + steepness * math.log2(trial.base_lr / best) ** 2

    _, short, _ = found(law)
    good = short.good()
    assert all(set(short.runs[rate]) == {FIRST, SECOND} for rate in short.rates)
    assert short.rates[0] < good[0]
    assert good[-1] < short.rates[-1]
    wide = 2 * math.sqrt(GOOD_REGRET * (UNTRAINED - 0.3) / steepness)  # in places, about
    assert wide - 2 <= len(good) <= wide + 2


def test_what_is_far_from_the_best_costs_the_shortest_runs_only() -> None:
    engine, short, _ = found(bowl(AUTO.rate(0)))
    assert {trial.seed for trial in engine.trained if trial.budget.total_steps == DASH} == {FIRST}
    assert max(trial.base_lr for trial in engine.trained if trial.budget.total_steps == DASH) >= AUTO.rate(5)
    assert short.rates[-1] <= AUTO.rate(3)


def test_a_bump_of_one_rate_does_not_stop_the_short_runs() -> None:
    """The shortest runs pointed to a hollow of the noise beside a bump, and the good rates lay behind it."""

    def law(trial: Trial) -> float:
        place = AUTO.place(trial.base_lr)
        if trial.budget.total_steps == DASH:
            return bowl(AUTO.rate(9))(trial)
        return 0.6 if place == 8 else bowl(AUTO.rate(5), floor=0.3)(trial) if place < 8 else 0.4 + 0.2 * abs(place - 9)

    _, short, full = found(law)
    assert short.best == full.best == AUTO.rate(5)


def test_no_run_is_made_twice() -> None:
    engine, _, _ = found(bowl(7.0))
    keys = [trial.key() for trial in engine.trained]
    assert len(keys) == len(set(keys))


@pytest.mark.parametrize("best", [0.004, 0.256])
def test_where_the_shortest_runs_learn_nothing_the_whole_grid_is_looked_through(best: float) -> None:
    def law(trial: Trial) -> float:
        return UNTRAINED + 0.1 if trial.budget.total_steps == DASH else bowl(best)(trial)

    _, short, full = found(law)
    assert short.best == full.best == pytest.approx(best)
    assert set(AUTO.rates[::2]) <= set(short.rates)


def test_where_the_shortest_runs_point_to_rates_that_learn_nothing_the_whole_grid_is_looked_through() -> None:
    def law(trial: Trial) -> float:
        if trial.budget.total_steps == DASH:
            return bowl(0.512)(trial)
        return UNTRAINED + 0.1 if trial.base_lr > 0.1 else bowl(0.002)(trial)

    assert found(law)[2].best == pytest.approx(0.002)


def test_short_runs_that_mislead_are_put_right_at_full_length() -> None:
    def law(trial: Trial) -> float:
        return bowl(0.016 if trial.budget.total_steps == FULL else 0.128)(trial)

    assert found(law)[2].best == pytest.approx(0.016)


def test_the_second_seed_decides_between_the_best_two_at_full_length() -> None:
    def law(trial: Trial) -> float:
        better = 0.15 if trial.base_lr == AUTO.rate(5) and trial.seed == SECOND else 0.0
        return bowl(AUTO.rate(4) * 1.3, noise=0.0)(trial) - better

    _, _, full = found(law)
    assert full.on((FIRST,)).best == AUTO.rate(4)
    assert full.best == AUTO.rate(5)
    assert {AUTO.rate(4), AUTO.rate(6)} <= set(full.rates)


def test_a_rate_that_diverges_on_the_second_seed_gives_way_to_one_that_does_not() -> None:
    class Unlucky(Formula):
        """The best two of the first seed diverge at full length on the second."""

        def _run(self, trial: Trial) -> Run:
            late = trial.seed == SECOND and trial.budget.total_steps == FULL
            self.diverges_above = AUTO.rate(4) * 1.1 if late else math.inf
            return super()._run(trial)

    engine = Unlucky({"cosine": bowl(AUTO.rate(5) * 1.1)})
    full = tune(terms(), [COSINE], rules(), Ledger(engine, None, None)).legs["cosine"][-1]
    assert full.on((FIRST,)).ranking()[:2] == [AUTO.rate(5), AUTO.rate(6)]
    assert full.diverged(AUTO.rate(5)) == full.diverged(AUTO.rate(6)) == 1
    assert full.best == AUTO.rate(4)


def test_of_a_list_every_rate_is_raced_on_all_seeds_and_nothing_else() -> None:
    rates = (0.02, 0.05, 0.1, 0.3)
    engine, short, full = found(bowl(0.09), rates=rates)
    assert {(trial.base_lr, trial.seed) for trial in engine.trained if trial.budget.total_steps == SHORT} == {
        (rate, seed) for rate in rates for seed in (FIRST, SECOND)
    }
    assert DASH not in lengths(engine)
    assert short.best == full.best == 0.1
    assert all(set(runs) == {FIRST, SECOND} for runs in full.runs.values())
    assert full.rates == [0.05, 0.1, 0.3]


def test_the_searches_of_several_strategies_fill_the_same_batches() -> None:
    class Counting(Formula):
        batches: tuple[int, ...] = ()

        def run(self, trials: Sequence[Trial]) -> Iterator[Event]:
            self.batches += (len(trials),)
            return super().run(trials)

    strategies = select(only=["constant", "cosine", "step"], optimizer="momentum")
    together, alone = Counting({}), Counting({})
    tune(terms(), strategies, rules(), Ledger(together, None, None))
    tune(terms(), strategies[:1], rules(), Ledger(alone, None, None))
    assert len(together.batches) <= len(alone.batches) + 2
    assert together.batches[0] == 3 * alone.batches[0]
