from __future__ import annotations

from dataclasses import replace

import pytest

from stepwell.record.comparison import Comparison, StrategyResult
from stepwell.view.remarks import out_of_order, outside_good
from stepwell.view.report import report_html


def changed(comparison: Comparison, *results: StrategyResult) -> Comparison:
    """The comparison with these results in the place of those of the same name."""
    new = {result.strategy.name: result for result in results}
    return replace(comparison, results=tuple(new.get(one.strategy.name, one) for one in comparison.results))


def at(comparison: Comparison, name: str, times: float) -> StrategyResult:
    """The result with a best rate that is so many times its lowest good one."""
    result = comparison[name]
    assert result.response is not None
    return replace(result, base_lr=times * result.response.good_low)


def plain(comparison: Comparison) -> Comparison:
    """The comparison with verdicts that follow the means."""
    return changed(comparison, replace(comparison["constant"], may_be_best=False))


def test_a_verdict_out_of_order_is_explained(comparison: Comparison) -> None:
    assert [result.may_be_best for result in comparison.ranked[2:5]] == [True, False, False]
    assert comparison["constant"].may_be_best
    assert out_of_order(comparison) == (
        "warmup-stable-decay is called worse and constant, with a worse mean, is not: each strategy is compared with "
        "cosine seed by seed, and its interval is as wide as its own differences spread, that of constant wider."
    )
    gap, wide = comparison["warmup-stable-decay"].difference, comparison["constant"].difference
    assert gap is not None
    assert wide is not None
    assert wide.high - wide.low > gap.high - gap.low


def test_verdicts_in_the_order_of_the_means_need_no_words(comparison: Comparison) -> None:
    assert out_of_order(plain(comparison)) == ""
    every = tuple(replace(one, may_be_best=one.ranked) for one in comparison.results)
    assert out_of_order(replace(comparison, results=every)) == ""


@pytest.mark.parametrize(("times", "side"), [(0.5, "below"), (1.0, ""), (2.0, ""), (1e3, "above")])
def test_a_best_rate_outside_the_good_ones_is_explained(comparison: Comparison, times: float, side: str) -> None:
    text = outside_good(changed(comparison, at(comparison, "cosine", times)))
    assert bool(text) is bool(side)
    assert f"is {side} its good rates: good rates are those of short runs" in text or not side


def test_several_best_rates_outside_are_one_sentence(comparison: Comparison) -> None:
    both = changed(comparison, at(comparison, "cosine", 0.5), at(comparison, "step", 1e3))
    assert outside_good(both) == (
        "Some best rates lie outside the good rates, those of cosine (below) and step (above): good rates are those of "
        "short runs, the best rate is that of runs at full length."
    )


def test_where_nothing_was_tuned_or_learned_there_is_no_good_rate_to_lie_outside(comparison: Comparison) -> None:
    response = comparison["cosine"].response
    assert response is not None
    nothing = replace(response, good_low=float("nan"), good_high=float("nan"))
    for given in (None, nothing):
        assert outside_good(changed(comparison, replace(comparison["cosine"], base_lr=1e6, response=given))) == ""


def test_the_page_has_the_same_sentences_and_only_where_they_are_needed(comparison: Comparison) -> None:
    strange = changed(comparison, at(comparison, "step", 1e3))
    page = report_html(strange)
    assert page.count(out_of_order(strange)) == page.count(outside_good(strange)) == 1
    assert page.count("Good in short runs") > 1  # the heading, the cells of a narrow screen, and what it means
    assert 'class="remark"' not in report_html(plain(comparison))
