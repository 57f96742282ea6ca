"""The conduct of a comparison over an engine whose runs follow a formula, so that the right answer is known."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from formula import UNTRAINED, Formula, bowl, compare, rules, terms
from stepwell.compare.assemble import Rules
from stepwell.compare.conduct import conduct
from stepwell.compare.ledger import Status
from stepwell.compare.plan import log_grid
from stepwell.compare.strategy import TOO_HIGH, TOO_LOW, select
from stepwell.engines.engine import Event, Failed
from stepwell.errors import TaskError
from stepwell.record.comparison import Comparison
from stepwell.record.run import Ending, Run
from stepwell.record.store import Store
from stepwell.record.trial import Trial


def test_each_strategy_is_judged_at_its_own_best_rate() -> None:
    engine = Formula({"constant": bowl(0.016), "cosine": bowl(0.128)})
    comparison = compare(engine, ["constant", "cosine"])
    assert comparison["constant"].base_lr == pytest.approx(0.016)
    assert comparison["cosine"].base_lr == pytest.approx(0.128)


@pytest.mark.parametrize(("best", "side"), [(7.0, "above"), (1e-4, "below")])
def test_the_grid_is_widened_where_the_best_rate_lies_on_its_edge(best: float, side: str) -> None:
    comparison = compare(Formula({"cosine": bowl(best)}), ["cosine", "constant"])
    assert comparison["cosine"].base_lr == pytest.approx(best, rel=0.5)
    response = comparison["cosine"].response
    assert response is not None
    assert (response.rates[-1] > 1.1) if side == "above" else (response.rates[0] < 9e-4)
    constant = comparison["constant"].response
    assert constant is not None
    assert constant.rates[0] >= 1e-3  # its best lay inside
    assert constant.rates[-1] <= 1.024


def test_a_given_grid_is_not_widened_and_one_rate_is_not_tuned() -> None:
    strategies = select(only=["cosine"], optimizer="momentum")
    engine = Formula({"cosine": bowl(1.0)})
    assert conduct(terms(), strategies, rules((0.1, 0.2), widen=False), engine)["cosine"].base_lr == 0.2
    untuned = Formula({})
    comparison = conduct(terms(), strategies, rules((0.05,)), untuned)
    assert comparison["cosine"].response is None
    assert {trial.seed for trial in untuned.trained} == set(terms().seeds)


def test_a_race_that_misleads_is_put_right_at_full_length() -> None:
    def law(trial: Trial) -> float:
        full = trial.budget.total_steps == 400
        return bowl(0.016 if full else 0.064)(trial)

    assert compare(Formula({"cosine": law}), ["cosine"])["cosine"].base_lr == pytest.approx(0.016)


def test_tuning_seeds_are_never_judged_and_all_budgets_are_equal() -> None:
    engine = Formula({})
    comparison = compare(engine, ["constant", "cosine", "plateau"])
    judged = [trial for trial in engine.trained if trial.seed in comparison.seeds]
    assert {trial.budget.total_steps for trial in judged} == {400}
    assert len(judged) == 8 * 5
    assert not set(comparison.seeds) & set(comparison.tuning_seeds)
    assert {trial.seed for trial in engine.trained} == {*comparison.seeds, *comparison.tuning_seeds}


def test_the_worse_is_named_and_equals_are_not_told_apart() -> None:
    engine = Formula({"constant": bowl(0.1, floor=0.8), "cosine": bowl(0.1), "step": bowl(0.1)})
    comparison = compare(engine, ["constant", "cosine", "step"])
    assert {result.strategy.name for result in comparison.best} == {"cosine", "step"}
    difference = comparison["constant"].difference
    assert difference is not None
    assert difference.low < 0.5 < difference.high
    words = " ".join(comparison.lessons)
    assert f"constant by {difference.estimate:.3g}" in words
    assert "Not distinguishable" in words
    assert comparison.recommendation.strategy in ("cosine", "step")
    assert comparison.recommendation.schedule in comparison.recommendation.code


def test_illustrations_are_shown_but_take_no_part() -> None:
    comparison = compare(Formula({}, diverges_above=2.5), ["constant", "cosine"])
    low, high = comparison[TOO_LOW], comparison[TOO_HIGH]
    assert not low.ranked
    assert not low.may_be_best
    assert low.difference is None
    assert high.count(Ending.DIVERGED) == 8
    assert list(high.scores) == [UNTRAINED] * 8
    assert any("8 of 8 diverged" in lesson for lesson in comparison.lessons)


def test_the_rate_response_says_how_wide_and_what_twice_the_rate_costs() -> None:
    comparison = compare(Formula({"constant": bowl(0.016), "cosine": bowl(0.016, floor=1.2)}), ["constant", "cosine"])
    response = comparison["constant"].response
    assert response is not None
    assert response.at_twice == pytest.approx(0.2 / (UNTRAINED - 0.3), abs=0.02)
    assert response.scores.shape == (len(response.rates), 2)
    assert {0.008, 0.016, 0.032} <= set(response.rates)  # the best and its neighbours
    assert not {0.001, 0.256} & set(response.rates)  # too far from the best to be of interest
    assert response.width == 1.0
    assert np.isnan(response.scores).sum() == 0


def test_steps_to_target_count_the_updates_or_say_never() -> None:
    engine = Formula({"constant": bowl(0.1, floor=0.8), "cosine": bowl(0.1), "step": bowl(0.1, floor=0.31)})
    comparison = compare(engine, ["constant", "cosine", "step"])
    assert np.isnan(comparison["constant"].steps_to_target).all()
    reached = comparison["cosine"].steps_to_target
    assert set(reached[~np.isnan(reached)]) == {400.0}


def test_an_interrupted_comparison_goes_on_and_repeats_nothing(tmp_path: Path) -> None:
    names = ["constant", "cosine"]
    whole = compare(Formula({}), names)
    with Store.open(tmp_path / "runs.sqlite") as store:
        first = Formula({}, store=store)
        first.stop_after = 30
        with pytest.raises(KeyboardInterrupt):
            compare(first, names, store=store)
        second = Formula({}, store=store)
        gone_on = compare(second, names, store=store)
        third = Formula({}, store=store)
        again = compare(third, names, store=store)
    keys = [trial.key() for trial in first.trained + second.trained]
    assert len(keys) == len(set(keys))
    assert not third.trained
    for result in whole.results:
        for other in (gone_on, again):
            np.testing.assert_array_equal(result.scores, other[result.strategy.name].scores)
    assert again.cost["reused"] > 0
    assert again.cost["trials"] == 0


def test_equal_schedules_under_two_names_are_trained_once() -> None:
    strategies = select(["twin=cosine"], ["cosine", "twin"], optimizer="momentum")
    engine = Formula({"cosine": bowl(0.1), "twin": bowl(0.1)})
    comparison = conduct(terms(), strategies, rules(), engine)
    keys = [trial.key() for trial in engine.trained]
    assert len(keys) == len(set(keys))
    np.testing.assert_array_equal(comparison["cosine"].scores, comparison["twin"].scores)
    assert len(comparison.best) == 2


def test_runs_of_another_environment_are_neither_taken_nor_touched(tmp_path: Path) -> None:
    strategies = select(only=["cosine"], optimizer="momentum")

    def there(environment: str, store: Store) -> Comparison:
        return conduct(replace(terms(), environment=environment), strategies, rules(), Formula({}), store=store)

    with Store.open(tmp_path / "runs.sqlite") as store:
        old = there("torch 1", store)
        before = {summary.id for summary in store.summaries()}
        new = there("torch 2", store)
        again = there("torch 1", store)
        kept = {summary.id for summary in store.summaries()}
    assert new.cost["reused"] == 0
    assert again.cost["reused"] == old.cost["trials"] == len(before)
    assert before < kept
    assert len(kept) == 2 * len(before)


def test_what_an_engine_does_not_store_is_stored_here(tmp_path: Path) -> None:
    with Store.open(tmp_path / "runs.sqlite") as store:
        first = compare(Formula({}), ["cosine"], store=store)
        assert len(store.summaries()) == first.cost["trials"]
        again = compare(Formula({}), ["cosine"], store=store)
    assert again.cost["trials"] == 0
    assert [result.mean for result in again.results] == [result.mean for result in first.results]


def test_a_trial_that_cannot_be_run_is_one_sentence() -> None:
    class Broken(Formula):
        def run(self, trials: Sequence[Trial]) -> Iterator[Event]:
            yield Failed(trials[0], "ValueError in task.py, line 3: no data")

    with pytest.raises(TaskError, match=r"cosine at rate 0\.032, seed 1000000: ValueError in task.py, line 3"):
        compare(Broken({}), ["cosine"])


def test_the_watcher_sees_three_stages_and_ends_with_everything_done() -> None:
    seen: list[Status] = []
    compare(Formula({}), ["constant", "cosine"], watch=seen.append)
    assert list(dict.fromkeys(status.stage for status in seen)) == ["race", "refine", "judge"]
    assert seen[-1].done_steps == seen[-1].planned_steps
    assert all(status.done_steps <= status.planned_steps for status in seen)


def test_a_goal_that_is_to_be_large_is_maximised() -> None:
    class Accuracy(Formula):
        def _run(self, trial: Trial) -> Run:
            run = super()._run(trial)
            results = {
                "initial_val_accuracy": 0.1, "initial_test_accuracy": 0.1,
                "final_val_accuracy": 1 - run.results["final_val_loss"] / UNTRAINED,
                "test_accuracy": 1 - run.results["test_loss"] / UNTRAINED,
            }  # fmt: skip
            object.__setattr__(run, "results", results)
            return run

    strategies = select(only=["constant", "cosine"], optimizer="momentum")
    engine = Accuracy({"constant": bowl(0.016, floor=1.0), "cosine": bowl(0.128)})
    upward = Rules("val_accuracy", "test_accuracy", "max", log_grid(1e-3, 1.0), widen=True)
    comparison = conduct(terms(), strategies, upward, engine)
    assert comparison.leader == "cosine"
    assert comparison["constant"].base_lr == pytest.approx(0.016)
    assert [result.strategy.name for result in comparison.ranked] == ["cosine", "constant"]
    assert not comparison["constant"].may_be_best
