from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from stepwell.compare.response import Response
from stepwell.record.comparison import Comparison
from stepwell.record.run import Ending, Outcome, Run
from stepwell.tasks.ending import judge
from stepwell.view import meanings, words


def test_the_steps_to_the_target_are_explained_by_the_comparison_itself(comparison: Comparison) -> None:
    shown = words.to_target(comparison["constant"])
    assert shown.endswith("(7/8)")
    assert meanings.arrival(comparison) == (
        "median steps to a validation loss of 0.550, over the seeds that arrived; looked at once per epoch; "
        f"{shown}: 7 of 8 seeds arrived"
    )
    all_arrived = replace(
        comparison,
        results=tuple(replace(one, steps_to_target=np.full(8, 100.0)) for one in comparison.results),
    )
    assert meanings.arrival(all_arrived).endswith("once per epoch")
    assert meanings.arrival(replace(comparison, target=float("nan"))) == "nothing learned, so there is no target"


@pytest.mark.parametrize(("final", "ending"), [(0.89, Ending.FINISHED), (0.91, Ending.NOT_LEARNING)])
def test_a_run_has_learned_when_the_words_say_so(comparison: Comparison, final: float, ending: Ending) -> None:
    assert "learned: validation loss at least 10% below the untrained network's;" in meanings.endings(comparison)
    outcome = judge(5, 1.0, [0.5], {"val_loss": 1.0}, {"val_loss": final}, goal=("val_loss", "min"), base_lr=0.1)
    assert outcome.ending is ending


@pytest.mark.parametrize(("final", "ending"), [(0.281, Ending.FINISHED), (0.279, Ending.NOT_LEARNING)])
def test_of_an_accuracy_a_share_of_what_there_was_to_gain_counts(
    comparison: Comparison, final: float, ending: Ending
) -> None:
    rising = replace(comparison, metric="test_accuracy", direction="max")
    assert "or validation accuracy gained 10% of what there was to gain" in meanings.endings(rising)
    before, after = {"val_loss": 1.0, "val_accuracy": 0.2}, {"val_loss": 1.0, "val_accuracy": final}
    assert judge(5, 1.0, [0.5], before, after, goal=("val_accuracy", "max"), base_lr=0.1).ending is ending


def test_a_rate_is_good_when_the_words_say_so(comparison: Comparison) -> None:
    assert "all 2 short runs learned and lost at most 5% of what training gains" in meanings.good(comparison)
    response = Response("val_loss", "min")
    for rate, loss in {0.1: 0.0, 0.2: 0.05, 0.4: 0.051}.items():
        for seed in (0, 1):
            results = {"initial_val_loss": 1.0, "final_val_loss": loss}
            response.add(rate, Run("r", "r", Outcome(Ending.FINISHED, 5, ""), {}, results=results, seed=seed))
    assert response.good() == [0.1, 0.2]


def test_what_happens_at_twice_the_rate_has_the_limits_that_decide(comparison: Comparison) -> None:
    text = meanings.at_twice()
    response = comparison["cosine"].response
    assert response is not None
    for regret, word in ((0.05, "still fine: lost at most 5%"), (0.5, "worse: at most 50%"), (0.51, "fails: more")):
        found = words.at_twice(replace(comparison["cosine"], response=replace(response, at_twice=regret)))
        assert word in text
        assert word.startswith(found)
