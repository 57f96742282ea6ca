from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from stepwell.record.comparison import Comparison, Interval
from stepwell.record.run import Ending
from stepwell.record.trial import Strategy
from stepwell.schedule import schedule
from stepwell.view import words
from stepwell.view.numbers import ABSENT


def judged(comparison: Comparison, *best: str, low: float = -0.01) -> Comparison:
    """With these strategies in the set, at differences whose lower end is `low`."""
    results = []
    for result in comparison.results:
        chosen, gap = result.strategy.name in best, result.difference
        if chosen and gap is not None and result.strategy.name != comparison.leader:
            gap = replace(gap, low=low)
        results.append(replace(result, may_be_best=chosen, difference=gap))
    return replace(comparison, results=tuple(results))


def test_several_may_be_best(comparison: Comparison) -> None:
    text = words.answer(judged(comparison, "cosine", "step"))
    assert text.startswith(
        "cosine and step may each be best: 8 seeds cannot tell them apart. The other 9 are worse, by"
    )


def test_one_is_best(comparison: Comparison) -> None:
    text = words.answer(judged(comparison, "cosine"))
    assert text.startswith("cosine is best here, of 11 strategies over 8 seeds. The other 10 are worse")


def test_no_difference_is_a_normal_answer(comparison: Comparison) -> None:
    names = [result.strategy.name for result in comparison.ranked]
    text = words.answer(judged(comparison, *names))
    assert text == "Any of the 11 strategies may be best: 8 seeds show no difference between them."


def test_what_is_shown_within_the_margin_is_not_called_no_difference(comparison: Comparison) -> None:
    some = judged(comparison, "cosine", "step", low=0.001)
    assert words.answer(some).startswith(
        "cosine and step may each be best within the margin of 0.005: step is worse than cosine, but 8 seeds do not "
        "show it to be by more. The other 9 are worse"
    )
    assert words.verdict(some["step"], some) == "within margin"
    assert words.verdict(some["cosine"], some) == "may be best"


def test_where_nothing_learned_nobody_may_be_best(comparison: Comparison) -> None:
    results = tuple(
        replace(
            result,
            runs=tuple(replace(run, outcome=replace(run.outcome, ending=Ending.NOT_LEARNING)) for run in result.runs),
        )
        for result in comparison.results
    )
    hopeless = replace(comparison, results=results)
    assert words.answer(hopeless) == (
        "No strategy learned: none of 88 judged runs got clearly better than the untrained network."
    )
    assert "told apart" in words.limits(hopeless)
    assert words.verdict(hopeless["cosine"], hopeless) == "did not learn"


def test_without_a_test_split_the_goal_itself_was_judged(comparison: Comparison) -> None:
    assert words.split_note(comparison) == ""
    without = replace(comparison, metric="val_loss")
    assert words.split_note(without) == "No test split: judged on the validation split that also chose the rates."
    assert words.goal_of(without) == "val_loss"
    untuned = replace(without, settings={"tuning": "none"})
    assert words.split_note(untuned) == "No test split: judged on the validation split."


def test_many_names_are_counted(comparison: Comparison) -> None:
    names = [result.strategy.name for result in comparison.ranked[:6]]
    assert "and 3 more may each be best" in words.answer(judged(comparison, *names))


def test_a_single_or_no_strategy_has_an_answer(comparison: Comparison) -> None:
    alone = replace(comparison, results=comparison.results[:1])
    assert "the only strategy" in words.answer(alone)
    assert words.answer(replace(comparison, results=comparison.results[-2:])) == "No strategy was ranked."


def test_an_interval_is_half_its_width(comparison: Comparison) -> None:
    result = replace(comparison["step"], difference=Interval(0.03, 0.01, 0.05))
    assert words.interval(result, comparison) == "±0.020"
    assert words.interval(comparison["cosine"], comparison) == ""


@pytest.mark.parametrize(
    ("reached", "text"),
    [([100, 200, 300], "200"), ([100, np.nan, 300], "200 (2/8)"), ([np.nan], "never"), ([], ABSENT)],
)
def test_steps_to_target(comparison: Comparison, reached: list[float], text: str) -> None:
    assert words.to_target(replace(comparison["cosine"], steps_to_target=np.array(reached))) == text


@pytest.mark.parametrize(("regret", "text"), [(0.05, "still fine"), (0.06, "worse"), (0.51, "fails"), (np.nan, ABSENT)])
def test_at_twice_the_rate(comparison: Comparison, regret: float, text: str) -> None:
    response = comparison["cosine"].response
    assert response is not None
    assert words.at_twice(replace(comparison["cosine"], response=replace(response, at_twice=regret))) == text
    assert words.at_twice(comparison["constant-far-too-high"]) == ABSENT


@pytest.mark.parametrize(
    ("name", "text", "built_in"),
    [
        ("cosine", "cosine 1..0", ""),
        ("cosine", "cosine 1..0.1", "cosine 1..0"),
        ("mine", "cosine 1..0.1", ""),
        ("one-cycle", "cosine 0.04..1 for 30% | cosine to 4e-6", ""),  # what an optimizer without momentum is given
    ],
)
def test_a_text_that_is_not_that_of_its_name_is_noticed(name: str, text: str, built_in: str) -> None:
    assert words.replaced(Strategy(name, str(schedule(text)))) == built_in


def test_runs_of_an_earlier_call_count_as_runs(comparison: Comparison) -> None:
    text = words.cost(comparison)
    assert text.startswith(
        "404 runs, 24 of them from an earlier call; 148,800 steps (84,320 to tune and 64,480 to judge)"
    )
    assert words.cost(replace(comparison, cost={})) == "Not recorded."
