"""The measure that learning-rate finders are judged by, on made-up trainings."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("sklearn")

from benchmarks.find import tasks, truth
from benchmarks.find.kept import Kept
from benchmarks.find.peers import WAYS
from benchmarks.find.table import Judged, rows, spread, table

BEST = 1e-2


@pytest.fixture
def made_up(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[list[float]]:
    """Trainings whose loss is known by hand: 1 untrained, 0 at the best rate, 0.5 per decade below it, lost above 0.1.

    Yields the rates that were trained.
    """
    trained: list[float] = []

    def train(task: str, optimizer: str, schedule: str, lr: float, seed: int) -> tuple[float, float]:
        trained.append(lr)
        if lr > 0.1:
            return math.inf, math.inf
        loss = min(1.0, 0.5 * abs(math.log10(lr / BEST)))
        return loss, loss + 1.0

    kept = Kept(tmp_path / "truth.jsonl")
    monkeypatch.setattr(truth, "train", train)
    monkeypatch.setattr(truth, "_kept", lambda task: kept)
    monkeypatch.setattr(truth, "_score", lambda work: (1.0, 2.0))
    truth.cell.cache_clear()
    yield trained
    truth.cell.cache_clear()


def test_regret_is_what_is_lost_of_what_could_be_won(made_up: list[float]) -> None:
    rates, regrets, failed = truth.truth("digits_mlp", "adam", "hold")
    np.testing.assert_allclose(regrets[rates <= 0.1], 0.5 * np.abs(np.log10(rates[rates <= 0.1] / BEST)), atol=1e-12)
    assert (regrets[rates > 0.11] == 1.0).all()
    np.testing.assert_array_equal(failed, rates > 0.11)
    found = truth.cell("digits_mlp", "adam", "hold")
    assert found.best_rate == pytest.approx(BEST)
    assert found.edge == pytest.approx(10 ** (-0.75))
    np.testing.assert_allclose(found.val_regrets, regrets, atol=1e-12)


def test_a_seed_that_fails_counts_as_untrained(made_up: list[float]) -> None:
    begun = [(2.0, 0.0), (4.0, 0.0)]
    assert truth.normalised([(1.0, 0.0), (math.inf, 0.0)], begun, 0, 1.0) == (0.75, 0.5)
    assert truth.normalised([(0.5, 0.0), (1.0, 0.0)], begun, 0, 1.0) == (0.0, 0.0)


def test_a_rate_off_the_grid_is_trained_at_the_nearest_of_twelve_per_decade(made_up: list[float]) -> None:
    assert truth.regret("digits_mlp", "adam", "hold", 0.0118) == pytest.approx(0.5 / 12)
    assert truth.rate(-23) in made_up
    assert truth.nearest(0.0118) == -23
    assert truth.rate(truth.nearest(0.0118)) == pytest.approx(0.0121, rel=1e-2)


def test_what_decides_nothing_is_not_trained(made_up: list[float]) -> None:
    truth.cell("digits_mlp", "adam", "hold")
    grid = len(made_up)
    between = 10 ** (-0.75 + 0.05)  # two rates at which everything fails
    assert truth.judge("digits_mlp", "adam", "hold", between) == (1.0, 1.0)
    assert len(made_up) == grid
    assert truth.regret("digits_mlp", "adam", "hold", 1e-9) == 1.0  # learns nothing: found by widening, not by 1e-9
    assert min(made_up) > 1e-5


@pytest.mark.parametrize("lr", [math.nan, math.inf, 0.0, -1.0])
def test_what_is_no_rate_is_worth_nothing(lr: float) -> None:
    assert truth.judge("digits_mlp", "adam", "hold", lr) == (1.0, 1.0)


def test_a_second_call_trains_nothing(made_up: list[float]) -> None:
    first = truth.cell("digits_mlp", "sgd", "hold")
    count = len(made_up)
    truth.cell.cache_clear()
    again = truth.cell("digits_mlp", "sgd", "hold")
    assert len(made_up) == count
    np.testing.assert_array_equal(first.regrets, again.regrets)


def test_answers_survive_their_process_and_are_seen_by_others(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "kept.jsonl"
    ours, theirs = Kept(path), Kept(path)
    ours.add("a", [0.1, math.inf])
    assert "a" in theirs
    assert theirs["a"] == [0.1, math.inf]
    theirs.add("b", math.nan)
    assert "b" in ours
    with path.open("a") as file:
        file.write('["c", 1')  # another process, in the middle of a line
    assert "c" not in Kept(path)
    with path.open("a") as file:
        file.write("]\n")
    assert "c" in ours


def test_the_longest_spread_and_the_mean_are_of_one_finder_at_one_budget() -> None:
    def judged(finder: str, lr: float, regret: float, task: str = "digits_mlp") -> Judged:
        return Judged(finder, "100 steps", task, "sgd", "hold", 0, lr, regret, float(regret == 1), 100)

    given = [judged("a", 1.0, 0.0), judged("a", 3.0, 0.2), judged("a", 50.0, 1.0, "source_recurrent")]
    best, worst = rows([judged("b", 1.0, 0.9), *given])
    assert (best.finder, worst.finder) == ("a", "b")
    assert best.regret == pytest.approx(0.4)
    assert best.failed == pytest.approx(1 / 3)
    assert best.spread == 3.0
    assert "| a | 100 steps | 0.400 | 33.3% | 3 | 100 | 1.000, 100% failed |" in table(given)
    assert spread([math.nan, math.nan]) == 1.0
    assert spread([1.0, math.nan]) == math.inf


def test_every_way_spends_its_budget_on_different_orders() -> None:
    for way in WAYS:
        requests = way.requests("digits_mlp", "adam", 3)
        assert sum(request[-1] for request in requests) == way.budget
        assert len(set(requests)) == way.repeats


@pytest.mark.parametrize("task", tasks.TASKS)
def test_a_task_is_the_same_for_the_same_seed(task: str) -> None:
    one, same, other = (tasks.make(task, seed) for seed in (1, 1, 2))
    state, again = one.model.state_dict(), same.model.state_dict()
    assert all(state[name].equal(again[name]) for name in state)
    assert any(not state[name].equal(value) for name, value in other.model.state_dict().items())
    (inputs, targets), (inputs_again, _) = next(one.batches(5)), next(same.batches(5))
    assert inputs.equal(inputs_again)
    assert len(inputs) == len(targets) == one.batch_size
    assert len(one.scoring[0]) >= min(256, len(one.train[0]))
    assert math.isfinite(one.loss(one.model, one.scoring).item())


def test_what_is_kept_of_tasks_lies_under_different_names() -> None:
    prints = [tasks.fingerprint(task) for task in tasks.TASKS]
    assert len(set(prints)) == len(prints)


def test_one_seed_chooses_the_best_rate_of_its_own_trainings(made_up: list[float]) -> None:
    found = truth.cell("digits_mlp", "adam", "hold")
    rate, spent = truth.single("digits_mlp", "adam", "hold", 101)
    assert rate == pytest.approx(BEST)
    assert spent == 400 * len(found.rates) == 400 * len(made_up) // 3


def test_where_regret_is_a_smooth_slope_the_line_is_taken(made_up: list[float]) -> None:
    truth.cell("digits_mlp", "adam", "hold")
    grid = len(made_up)
    assert truth.regret("digits_mlp", "adam", "hold", BEST * 10**-0.6) == pytest.approx(0.3)
    assert len(made_up) == grid
    assert truth.regret("digits_mlp", "adam", "hold", BEST * 10**-0.2) == pytest.approx(0.5 * 2 / 12)
    assert len(made_up) == grid + 3
