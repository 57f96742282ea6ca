"""Comparisons in which little or nothing goes well: what is said must still be true."""

from __future__ import annotations

import io
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from formula import EARLY, UNTRAINED, Formula, Law, bowl, compare, rules, terms
from stepwell.compare.conduct import conduct
from stepwell.compare.plan import A_LITTLE, RATIO
from stepwell.compare.strategy import TOO_HIGH, TOO_LOW, select
from stepwell.record.document import dumps
from stepwell.record.run import Ending, Run
from stepwell.record.trial import Trial
from stepwell.view.pictures import write_pictures
from stepwell.view.report import report_html
from stepwell.view.summary import comparison_json
from stepwell.view.table import print_comparison

NAMES = ["constant", "cosine", "plateau"]
EVERYBODY = [*NAMES, TOO_LOW, TOO_HIGH]


def noise(trial: Trial) -> float:
    return UNTRAINED + 1e-3 * float(np.random.default_rng([trial.seed, int(trial.base_lr * 1e6) % 1000]).normal())


def overfitting(trial: Trial) -> float:
    return UNTRAINED + 0.1 + 0.02 * abs(math.log2(trial.base_lr / 0.05))


def everybody(law: Law) -> dict[str, Law]:
    return dict.fromkeys(EVERYBODY, law)


HOPELESS = [Formula({}, diverges_above=0.0), Formula(everybody(noise)), Formula(everybody(overfitting))]


@pytest.mark.parametrize("engine", HOPELESS, ids=["all diverge", "nothing learned", "all end worse"])
def test_where_nothing_learns_no_rate_is_good_and_the_race_ends(engine: Formula) -> None:
    comparison = compare(engine, NAMES)
    grid = rules().rates
    assert not comparison.learned
    assert min(trial.base_lr for trial in engine.trained if trial.strategy.name in NAMES) >= grid[0] / RATIO**A_LITTLE
    assert max(trial.base_lr for trial in engine.trained if trial.strategy.name in NAMES) <= grid[-1] * RATIO**A_LITTLE
    for result in comparison.ranked:
        assert result.response is not None
        assert math.isnan(result.response.good_low)
        assert math.isnan(result.response.width)
        assert math.isnan(result.response.at_twice)
        assert np.isnan(result.steps_to_target).all()


@pytest.mark.parametrize("engine", HOPELESS, ids=["all diverge", "nothing learned", "all end worse"])
def test_where_nothing_learns_every_view_can_be_drawn(engine: Formula, tmp_path: Path) -> None:
    comparison = compare(engine, NAMES)
    write_pictures(comparison, tmp_path)
    assert "No strategy learned" in report_html(comparison)
    dumps(comparison_json(comparison))
    stream = io.StringIO()
    print_comparison(comparison, Console(file=stream, width=120))
    assert "Nothing to recommend" in stream.getvalue()
    assert "may be best" not in stream.getvalue()


def test_a_rate_that_diverged_is_never_preferred_to_one_that_did_not() -> None:
    engine = Formula(everybody(overfitting), diverges_above=0.3)
    comparison = compare(engine, NAMES)
    assert all(result.base_lr < 0.3 for result in comparison.ranked)
    assert sum(result.count(Ending.DIVERGED) for result in comparison.ranked) == 0


def test_a_run_that_diverged_scores_no_better_than_one_that_finished() -> None:
    class Mixed(Formula):
        def _run(self, trial: Trial) -> Run:
            self.diverges_above = 0.0 if trial.strategy.name == "cosine" and trial.seed < 8 else math.inf
            return super()._run(trial)

    comparison = compare(Mixed(everybody(overfitting)), ["constant", "cosine"])
    assert (comparison["cosine"].scores >= comparison["constant"].scores).all()
    assert comparison["constant"].mean > UNTRAINED
    assert comparison.leader == "constant"


def test_steps_are_the_updates_that_were_made() -> None:
    engine = Formula({}, diverges_above=0.3)
    comparison = compare(engine, ["constant", "cosine"])

    def made(trial: Trial) -> int:
        return EARLY if trial.base_lr > 0.3 else trial.budget.total_steps or 0

    assert comparison.cost["steps"] == sum(map(made, engine.trained))
    assert comparison.cost["judging_steps"] == sum(made(trial) for trial in engine.trained if trial.seed < 8)
    spent = sum(result.tuning_steps for result in comparison.ranked)
    assert spent == comparison.cost["tuning_steps"]
    assert spent > 4 * 400  # two rates of each ran again at full length, on two seeds, or three on one


def test_the_untrained_network_and_diverged_runs_do_not_reach_the_target() -> None:
    class Lucky(Formula):
        """Every run looks best before training; one diverges after it was good."""

        def _run(self, trial: Trial) -> Run:
            run = super()._run(trial)
            evals = {"step": np.array([0.0, 40.0, 400.0]), "val_loss": np.array([0.0, 0.0, run.results["test_loss"]])}
            late = replace(run.outcome, ending=Ending.DIVERGED) if trial.seed == 3 else run.outcome
            return replace(run, evals=evals, outcome=late)

    comparison = conduct(terms(), select(only=["cosine"], optimizer="momentum"), rules((0.1,)), Lucky({}))
    reached = comparison["cosine"].steps_to_target
    assert math.isnan(reached[3])
    assert set(np.delete(reached, 3)) == {40.0}


def test_a_good_region_holds_no_rate_that_diverged() -> None:
    flat = everybody(lambda trial: bowl(trial.base_lr)(trial))
    response = compare(Formula(flat, diverges_above=0.1), ["constant"])["constant"].response
    assert response is not None
    assert response.good_high <= 0.1
