from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stepwell.compare import plan
from stepwell.compare.strategy import DEFAULT, select
from stepwell.compare.terms import read_budget, read_rates
from stepwell.errors import OptimizerError, OptionError, ScheduleError, StepwellError
from stepwell.find.race import Level
from stepwell.record.trial import Strategy, TaskRef
from stepwell.schedule import Horizon, schedule
from stepwell.tasks.optimizers import FAMILIES

TASK = TaskRef("digits-cnn")


def terms(steps: int = 620) -> plan.Terms:
    return plan.Terms(TASK, Horizon(steps, 31), (0, 1, 2), (1_000_000, 1_000_001))


@given(st.floats(1e-8, 1), st.floats(1.5, 1e6))
def test_the_grid_doubles_from_low_to_about_high(low: float, times: float) -> None:
    grid = plan.log_grid(low, low * times)
    assert grid[0] == low
    assert all(b == 2 * a for a, b in pairwise(grid))
    assert len(grid) == 2 or low * times / 1.5 <= grid[-1] <= low * times * 1.5


@given(st.integers(2, 20), st.integers(-8, 27))
def test_a_place_of_the_grid_is_a_rate_and_the_rate_that_place(size: int, place: int) -> None:
    grid = plan.Grid(tuple(1e-4 * 2.0**i for i in range(size)), widen=True)
    assert grid.place(grid.rate(place)) == place
    if 0 <= place < size:
        assert grid.rate(place) == grid.rates[place]
    given = plan.Grid(grid.rates, widen=False)
    assert [given.place(given.rate(here)) for here in range(size)] == list(range(size))


def test_an_automatic_grid_goes_on_beyond_its_ends_and_a_given_one_does_not() -> None:
    rates = (0.1, 0.2, 0.4)
    assert plan.Grid(rates, widen=True).bounds(plan.A_LITTLE) == (-2, 4)
    assert plan.Grid(rates, widen=False).bounds(plan.A_LITTLE) == (0, 2)
    assert [plan.Grid(rates[:size], widen=True).middle for size in (1, 2, 3)] == [0, 0, 1]


@pytest.mark.parametrize("name", DEFAULT)
@pytest.mark.parametrize("steps", [60, 620, 5000])
def test_every_default_strategy_looks_for_its_rate_in_complete_miniatures(name: str, steps: int) -> None:
    (strategy,) = select(only=[name], optimizer="momentum")
    dash, short, full = plan.miniatures(terms(steps), strategy)
    assert dash.level == Level(max(math.ceil(steps / 16), 40), 2, (1_000_000,), "dash")
    assert short.level == Level(max(math.ceil(steps / 4), 40), 2, (1_000_000, 1_000_001), "race")
    assert full.level == Level(steps, 1, (1_000_000, 1_000_001), "refine")
    assert full.trial(terms(steps), 0.1, 1) == terms(steps).trial(strategy, 0.1, 1)
    whole = schedule(strategy.schedule).resolve(Horizon(steps, 31), base_lr=0.1, momentum=0.9)
    for one in (dash, short):
        trial = one.trial(terms(steps), 0.1, 1_000_000)
        assert trial.budget == Horizon(one.level.steps, 31)
        curve = schedule(trial.strategy.schedule).resolve(trial.budget, base_lr=0.1, momentum=0.9)
        assert curve(one.level.steps) == pytest.approx(whole(steps), abs=1e-9)


def test_lengths_in_epochs_and_steps_shrink_with_the_run() -> None:
    strategy = Strategy("mine", "linear 0..1 for 2ep | steps x0.1 at 200 for 300 | hold")
    dash, short, _ = plan.miniatures(terms(800), strategy)
    assert short.strategy.schedule == "linear 0..1 for 0.5ep | steps x0.1 at 50 for 75 | hold"
    assert dash.strategy.schedule == "linear 0..1 for 0.125ep | steps x0.1 at 12.5 for 18.75 | hold"
    assert (dash.horizon, short.horizon) == (Horizon(50, 31), Horizon(200, 31))


def test_a_schedule_that_does_not_fit_a_short_run_is_raced_at_a_longer_one() -> None:
    dash, short, _ = plan.miniatures(terms(), Strategy("mine", "steps x0.5 at 2 4"))
    assert short.level.steps == 310
    assert dash.level.steps == 80  # 40 updates hold one of its drops
    tight = Strategy("tight", " | ".join(["hold for 1"] * 3 + ["hold"]))
    assert [one.level.steps for one in plan.miniatures(terms(40), tight)] == [40, 40, 40]


def test_seeds_of_tuning_and_judging_never_meet() -> None:
    assert plan.FIRST_TUNING_SEED > 10**5
    trials = plan.judging_trials(terms(), [(Strategy("a", "hold"), 0.1), (Strategy("b", "cosine 1..0"), 0.2)])
    assert [(trial.seed, trial.strategy.name) for trial in trials] == [
        (0, "a"), (0, "b"), (1, "a"), (1, "b"), (2, "a"), (2, "b")
    ]  # fmt: skip


def test_the_last_rate_on_a_side_is_an_edge() -> None:
    rates = (0.1, 0.2, 0.4)
    assert [plan.Grid(rates, widen=False).edge(rate) for rate in rates] == ["lowest", None, "highest"]
    widened = plan.Grid(rates, widen=True)
    assert widened.edge(0.4) is None
    assert widened.edge(0.4 * 2**plan.WIDEST) == "highest"
    assert widened.edge(0.1 / 2**plan.WIDEST) == "lowest"


def test_a_key_names_a_result_and_nothing_else() -> None:
    one = terms().trial(Strategy("a", "hold", "sgd"), 0.1, 0)
    assert one.key() == terms().trial(Strategy("other name", "hold", "sgd"), 0.1, 0).key()
    others = [
        terms().trial(Strategy("a", "hold 0.5", "sgd"), 0.1, 0),
        terms().trial(Strategy("a", "hold", "momentum"), 0.1, 0),
        terms().trial(Strategy("a", "hold", "sgd", {"weight_decay": 0.1}), 0.1, 0),
        terms().trial(Strategy("a", "hold", "sgd"), 0.2, 0),
        terms().trial(Strategy("a", "hold", "sgd"), 0.1, 1),
        terms(100).trial(Strategy("a", "hold", "sgd"), 0.1, 0),
        replace(one, environment="torch 1.0"),
    ]
    assert len({one.key(), *(other.key() for other in others)}) == 8


def test_strategies_are_added_replaced_and_selected() -> None:
    assert [s.name for s in select(optimizer="sgd", has_momentum=False)] == list(DEFAULT)
    chosen = select(["mine=cosine 1..0.1", "cosine=cosine 1..0.5"], ["cosine", "mine"], optimizer="adam")
    assert [(s.name, s.schedule) for s in chosen] == [("cosine", "cosine 1..0.5"), ("mine", "cosine 1..0.1")]
    assert select({"m": "one-cycle"}, ["m"], optimizer="sgd")[0].schedule.startswith("lr: cosine 0.04..1")


@pytest.mark.parametrize("name", FAMILIES)
def test_one_cycle_moves_momentum_where_the_optimizer_has_it(name: str) -> None:
    has = FAMILIES[name].momentum is not None
    (one_cycle,) = select(only=["one-cycle"], optimizer=name, has_momentum=has)
    assert ("momentum" in one_cycle.schedule) is has


@pytest.mark.parametrize(
    ("extra", "only", "message"),
    [
        ((), ["cosin"], "unknown strategy 'cosin', did you mean 'cosine'?"),
        ((), ["cosine", "cosine"], "each strategy is named once"),
        (["cosine 1..0"], (), "written NAME=TEXT"),
        (["transformers.cosine(warmup=5)"], (), "written NAME=TEXT"),
        (["=cosine 1..0"], (), "needs a name of its own"),
        (["a=hold", "a=hold"], (), "needs a name of its own"),
        (["constant-too-low=hold"], (), "needs a name of its own"),
        (["a=lin 1..0"], (), "strategy 'a': unknown shape 'lin'"),
    ],
)
def test_wrong_strategies_are_one_clear_error(extra: list[str], only: list[str], message: str) -> None:
    with pytest.raises(StepwellError) as raised:
        select(extra, only, optimizer="sgd")
    assert message in str(raised.value)


def test_budgets_and_rates_are_read() -> None:
    assert read_budget("20ep", 31) == Horizon(620, 31)
    assert read_budget("600", 31) == Horizon(600, 31)
    assert read_rates("0.1, 0.01 1", "sgd") == (0.01, 0.1, 1.0)
    assert read_rates(0.3, "sgd") == (0.3,)
    assert len(read_rates("auto", "adam")) > 8


@pytest.mark.parametrize("text", ["20%", "5e9tok", "0.01ep", "1", "1.5"])
def test_a_budget_that_is_no_whole_run_is_refused(text: str) -> None:
    with pytest.raises(OptionError, match="budget"):
        read_budget(text, 31)


@pytest.mark.parametrize("text", ["", "ten", "20 ep ep", "-5"])
def test_a_budget_that_is_no_length_is_refused(text: str) -> None:
    with pytest.raises(ScheduleError):
        read_budget(text, 31)


@pytest.mark.parametrize("lr", ["0", "-1", "nan", "inf", "fast", "0.1,0.1", "", [], [0.1, None], 0.0])
def test_rates_that_are_none_are_refused(lr: object) -> None:
    with pytest.raises(OptionError, match=r"rate"):
        read_rates(lr, "sgd")  # type: ignore[arg-type]  # the wrong input itself


def test_an_unknown_optimizer_is_named() -> None:
    with pytest.raises(OptimizerError, match="'adem'"):
        read_rates("auto", "adem")
