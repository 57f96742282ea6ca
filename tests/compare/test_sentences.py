"""What a comparison says of itself: each sentence is there only where it is true."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from formula import UNTRAINED, Formula, Law, bowl, rules, terms
from stepwell.compare.conduct import conduct
from stepwell.compare.recommend import recommend
from stepwell.compare.strategy import TOO_HIGH, TOO_LOW, select
from stepwell.record.comparison import Comparison
from stepwell.record.run import Ending, Run
from stepwell.record.trial import Trial
from stepwell.view import words
from stepwell.view.report import report_html
from stepwell.view.summary import comparison_json


def compared(
    laws: dict[str, Law],
    *extra: str,
    engine: type[Formula] = Formula,
    rates: tuple[float, ...] | None = None,
    diverges_above: float = math.inf,
    **changes: object,
) -> Comparison:
    names = [name for name in laws if name not in (TOO_LOW, TOO_HIGH)]
    chosen = rules() if rates is None else rules(rates, widen=False)
    return conduct(
        terms(),
        select(extra, names, optimizer="momentum"),
        replace(chosen, **changes),  # type: ignore[arg-type]  # passed through
        engine(laws, diverges_above),
    )


def said(comparison: Comparison) -> str:
    return " ".join([words.answer(comparison), *comparison.lessons, comparison.recommendation.reason])


def test_where_nothing_learned_that_is_the_headline_and_the_advice_what_to_try() -> None:
    names = ["constant", "cosine", TOO_LOW, TOO_HIGH]
    comparison = compared(dict.fromkeys(names, lambda trial: UNTRAINED + 0.1))
    assert words.answer(comparison).startswith("No strategy learned: none of 16 judged runs")
    assert comparison.lessons == ("Nothing learned: of the judged runs, 16 of 16 did not learn.",)
    advice = comparison.recommendation
    assert (advice.strategy, advice.code) == ("", "")
    assert advice.reason.startswith("no strategy learned at any rate from ")
    assert "--lr" in advice.reason
    assert "Nothing to recommend" in report_html(comparison)
    assert comparison_json(comparison)["recommendation"]["base_lr"] is None


def test_a_difference_within_the_margin_is_told_from_one_that_is_not_shown() -> None:
    laws = {"constant": bowl(0.1, floor=0.35), "cosine": bowl(0.1), "step": bowl(0.1)}
    comparison = compared(laws, margin=0.2)
    assert len(comparison.best) == 3
    assert "no difference between them" not in words.answer(comparison)
    assert "within the margin of 0.2: constant is worse than" in words.answer(comparison)
    assert any(lesson.startswith("Real, but perhaps within the margin of 0.2") for lesson in comparison.lessons)
    (tied,) = [lesson for lesson in comparison.lessons if lesson.startswith("Not distinguishable")]
    assert "constant" not in tied
    assert "no difference between them is shown to exceed 0.2" in comparison.recommendation.reason
    beyond = compared({**laws, "constant": bowl(0.1, floor=0.9)}, margin=0.2)
    assert any("more than the margin of 0.2 is constant by" in lesson for lesson in beyond.lessons)


def test_one_given_rate_is_not_called_tuned() -> None:
    comparison = compared({"constant": bowl(0.1), "cosine": bowl(0.1)}, rates=(0.1,))
    text = said(comparison) + report_html(comparison).split("<script")[0]
    for claim in ("own best rate", "tuned on its own", "widened", "Tuning seeds", "best constant rate", "tuning never"):
        assert claim not in text
    assert "30 times the given rate" in text
    assert "at the rate that was given" in text
    assert "of these it has the best mean" in comparison.recommendation.reason


def test_a_given_list_is_not_called_widened_and_its_edges_are_named() -> None:
    comparison = compared({"constant": bowl(5.0), "cosine": bowl(0.1)}, rates=(0.01, 0.1, 1.0))
    assert "widened" not in report_html(comparison)
    assert (
        "Edge: the best rate of constant (1) is the highest of the list, a better one may lie beyond; widen --lr."
        in (comparison.lessons)
    )
    assert not any("cosine (" in lesson for lesson in comparison.lessons if lesson.startswith("Edge"))


def test_the_limit_of_the_automatic_grid_is_an_edge() -> None:
    # Something is learned at every rate, and the more the lower it is.
    comparison = compared({"constant": lambda trial: 1.0 + 0.01 * math.log2(trial.base_lr)})
    assert any(
        lesson.startswith("Edge") and "lowest that the automatic search" in lesson for lesson in comparison.lessons
    )


def test_a_schedule_that_is_called_constant_is_none() -> None:
    comparison = compared({"constant": bowl(0.1), "cosine": bowl(0.1)}, "constant=cosine 1..0.5")
    assert "best constant rate" not in said(comparison)
    assert "the median of the best rates" in said(comparison)
    named = compared({"mine": bowl(0.1), "cosine": bowl(0.4)}, "mine=hold")
    assert f"{named[TOO_HIGH].base_lr / 30:.3g}" == f"{named['mine'].base_lr:.3g}"
    assert "the best constant rate" in said(named)


@pytest.mark.parametrize(
    ("loss", "begins"),
    [
        (2.2, "Too low: at a constant"),
        (0.5, "Low: even at a constant"),
        (0.1, "Low: at a constant"),
        (2.4, "Too low: at a constant"),
    ],
)
def test_low_rates_crawl_only_if_they_do(loss: float, begins: str) -> None:
    comparison = compared({"constant": bowl(0.1), TOO_LOW: lambda trial: loss})
    (lesson,) = [lesson for lesson in comparison.lessons if "1/300" in lesson]
    assert lesson.startswith(begins)
    assert ("crawls" in lesson) is (loss == 2.2)


def test_high_rates_that_learn_are_not_called_too_high() -> None:
    comparison = compared({"constant": bowl(0.1), TOO_HIGH: lambda trial: 1.0})
    assert any(lesson.startswith("High: even at a constant") for lesson in comparison.lessons)


def wide(trial: Trial) -> float:
    jitter = float(np.random.default_rng([trial.seed, 1]).normal())
    return min(0.3 + 0.003 * math.log2(trial.base_lr / 0.128) ** 2 + 0.01 * jitter, UNTRAINED)


def test_it_forgives_most_is_said_only_of_the_most_forgiving() -> None:
    class Unlucky(Formula):
        def _run(self, trial: Trial) -> Run:
            run = super()._run(trial)
            if trial.strategy.name == "cosine" and trial.seed == 3:
                run = replace(run, outcome=replace(run.outcome, ending=Ending.NOT_LEARNING))
            return run

    calm = compared({"constant": bowl(0.128), "cosine": wide})
    assert calm.recommendation.strategy == calm.leader == "constant"
    assert "it has the best mean, and cosine forgives most about the rate" in calm.recommendation.reason
    unlucky = compared({"constant": bowl(0.128), "cosine": wide}, engine=Unlucky)
    assert unlucky.recommendation.strategy == "constant"
    assert "of these it has the fewest failed runs" in unlucky.recommendation.reason
    alone = compared({"cosine": wide}, engine=Unlucky)
    assert alone.recommendation.reason == "it is the only one; but of its 8 runs 1 did not learn"
    alike = compared({"constant": bowl(0.128), "step": bowl(0.128)})
    assert alike.recommendation.reason.endswith("of these it has the best mean")


@pytest.mark.parametrize(
    ("text", "direction", "observed"),
    [
        ("hold * plateau(x0.5, patience 3)", "max", "scheduler.observe(-val_accuracy)"),
        ("hold * plateau(x0.5, patience 3, max)", "max", "scheduler.observe(val_accuracy)"),
        ("hold * plateau(x0.5, patience 3)", "min", "scheduler.observe(val_accuracy)"),
    ],
)
def test_the_code_observes_what_training_observed(text: str, direction: str, observed: str) -> None:
    comparison = compared({"mine": bowl(0.1)}, f"mine={text}")
    judged = replace(comparison, metric="test_accuracy", direction=direction)  # type: ignore[arg-type]  # one of two
    assert observed in recommend(judged).code.splitlines()


def test_the_code_mentions_parameter_groups() -> None:
    assert "parameter groups of its own" in compared({"cosine": bowl(0.1)}, has_groups=True).recommendation.code
    assert "groups" not in compared({"cosine": bowl(0.1)}).recommendation.code
