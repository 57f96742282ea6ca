from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from stepwell.record.comparison import Comparison
from stepwell.record.run import Ending
from stepwell.schedule import Horizon, schedule
from stepwell.view.figure import Figure, Kind, Mark, Series, fitting_scale, visible_range
from stepwell.view.figures import figure_of_curves, final_intervals, loss_curves, rate_curves, rate_response
from stepwell.view.figures.response import mean_scores


def lines(figure: Figure, panel: int = 0) -> dict[str, Series]:
    return {s.name: s for s in figure.panels[panel].series if s.kind is Kind.LINE and not s.faint}


def test_rates_are_those_that_the_updates_used(comparison: Comparison) -> None:
    drawn = lines(rate_curves(comparison))
    for result in comparison.ranked:
        recorded = np.median([run["lr"] for run in result.runs if run.outcome.ending is Ending.FINISHED], axis=0)
        line = drawn[result.strategy.name]
        np.testing.assert_array_equal(line.y, recorded[line.x.astype(int)])


def test_only_feedback_makes_a_band_of_rates(comparison: Comparison) -> None:
    assert [name for name, line in lines(rate_curves(comparison)).items() if line.low is not None] == ["plateau"]


def test_a_rate_far_above_the_others_is_named_instead_of_drawn(comparison: Comparison) -> None:
    figure = rate_curves(comparison)
    assert "constant-far-too-high" not in lines(figure)
    assert "constant-far-too-high at 30" in figure.caption


def test_the_validation_curve_is_the_median_of_the_recorded_one(comparison: Comparison) -> None:
    drawn = lines(loss_curves(comparison), panel=1)["cosine"]
    runs = comparison["cosine"].runs
    np.testing.assert_array_equal(drawn.x, runs[0].evals["step"])
    np.testing.assert_allclose(drawn.y, np.median([run["val_loss"] for run in runs], axis=0), rtol=1e-12)
    assert drawn.low is not None
    np.testing.assert_allclose(drawn.low, np.quantile([run["val_loss"] for run in runs], 0.25, axis=0), rtol=1e-12)


def test_the_training_loss_is_averaged_over_the_window_that_the_caption_names(comparison: Comparison) -> None:
    figure = loss_curves(comparison)
    drawn = lines(figure)["cosine"]
    assert "mean of 16 successive updates" in figure.caption
    first = np.median([run["loss"][:16].mean() for run in comparison["cosine"].runs])
    assert drawn.y[0] == pytest.approx(first, rel=1e-12)


def test_of_a_large_set_only_the_leader_shows_its_band(comparison: Comparison) -> None:
    assert sum(not line.quiet for line in lines(loss_curves(comparison)).values()) == len(comparison.best)
    many = replace(comparison, results=tuple(replace(r, may_be_best=r.ranked) for r in comparison.results))
    figure = loss_curves(many)
    assert [name for name, line in lines(figure).items() if not line.quiet] == ["cosine"]
    assert "the band (shown for cosine)" in figure.caption


def test_a_divergence_does_not_set_the_scale_and_is_marked(comparison: Comparison) -> None:
    panel = loss_curves(comparison).panels[0]
    assert panel.y.range is not None
    assert panel.y.range[1] < 2 * comparison.untrained
    crosses = [s for s in panel.series if s.mark is Mark.CROSS]
    assert [cross.name for cross in crosses] == ["constant-far-too-high"]
    assert "6 of 8 runs diverged" in crosses[0].notes[0]


def test_every_short_run_is_one_mark_of_its_kind(comparison: Comparison) -> None:
    for panel in rate_response(comparison).panels:
        response = comparison[panel.title].response
        assert response is not None
        points = [s for s in panel.series if s.kind is Kind.POINTS]
        marks = {s.mark: s for s in points}
        assert sum(s.x.size for s in points) == np.isfinite(response.scores).sum()
        diverged = sum(ending is Ending.DIVERGED for row in response.endings for ending in row)
        assert marks[Mark.CROSS].x.size == diverged
        mean = next(s for s in panel.series if s.name == "mean")
        np.testing.assert_array_equal(mean.y, mean_scores(response))
        assert np.isnan(mean.y[0])  # that rate was never run
        region = next(s for s in panel.series if s.kind is Kind.REGION)
        assert region.x.tolist() == [response.good_low, response.good_high]


def test_scores_and_intervals_are_those_of_the_record(comparison: Comparison) -> None:
    scores, gaps = final_intervals(comparison).panels
    assert scores.y.rows == tuple(result.strategy.name for result in comparison.ranked)
    for row, result in enumerate(comparison.ranked):
        name = result.strategy.name
        dots = next(s for s in scores.series if s.name == name and s.mark is Mark.DOT)
        np.testing.assert_array_equal(dots.x, result.scores)
        assert set(dots.y.tolist()) == {float(row)}
        interval = next(s for s in gaps.series if s.name == name)
        assert result.difference is not None
        if interval.kind is Kind.INTERVALS:
            assert interval.low is not None
            assert interval.high is not None
            found = (interval.x[0], interval.low[0], interval.high[0])
            assert found == (result.difference.estimate, result.difference.low, result.difference.high)


def test_a_result_far_away_becomes_an_arrow_with_its_number(comparison: Comparison) -> None:
    scores, gaps = final_intervals(comparison).panels
    beyond = [s for panel in (scores, gaps) for s in panel.series if s.mark is Mark.BEYOND]
    assert [s.labels for s in beyond] == [("1 seed at 2.303",), ("+0.327",)]


def test_the_set_that_may_be_best_has_the_colours(comparison: Comparison) -> None:
    for figure in (rate_curves(comparison), loss_curves(comparison), final_intervals(comparison)):
        for panel in figure.panels:
            for series in panel.series:
                if series.group:
                    assert (series.colour is not None) == comparison[series.group].may_be_best


def test_every_figure_says_in_words_what_it_shows(comparison: Comparison) -> None:
    for figure in (
        rate_curves(comparison), rate_curves(comparison, facets=True), loss_curves(comparison),
        rate_response(comparison), final_intervals(comparison),
    ):  # fmt: skip
        assert figure.title
        assert figure.caption.endswith(".")
        assert all(result.strategy.name in figure.alt for result in comparison.ranked)


def test_a_higher_score_may_be_the_better_one(comparison: Comparison) -> None:
    results = tuple(replace(r, scores=1 - r.scores / 3) for r in comparison.results)
    scores = final_intervals(replace(comparison, direction="max", results=results)).panels[0]
    assert "higher is better" in scores.x.label
    before = [s for s in scores.series if s.mark is Mark.BEFORE]
    assert [s.labels for s in before] == [("1 seed at 0.232",)]


def by_accuracy(comparison: Comparison) -> Comparison:
    """Judged by an accuracy that starts near 0, where a log axis would fit a loss."""
    results = []
    for result in comparison.results:
        response = result.response
        if response is not None:
            response = replace(response, scores=np.clip(1 - response.scores / 2.31, 0.004, 1.0))
        runs = tuple(
            replace(run, evals={**run.evals, "val_accuracy": np.clip(1 - run.evals["val_loss"] / 2.31, 0.004, 1.0)})
            for run in result.runs
        )
        results.append(replace(result, scores=1 - result.scores / 3, response=response, runs=runs))
    return replace(comparison, metric="test_accuracy", direction="max", untrained=0.1, results=tuple(results))


def test_an_accuracy_is_on_a_linear_axis_and_a_wide_loss_on_a_log_one(comparison: Comparison) -> None:
    rising = by_accuracy(comparison)
    goal = loss_curves(rising).panels[1]
    values = np.concatenate([line.y[np.isfinite(line.y)] for line in goal.series if line.kind is Kind.LINE])
    assert goal.y.label == "validation accuracy"
    assert fitting_scale(values, factor=6.0) == "log"  # were it a loss
    assert goal.y.scale == "linear"
    assert goal.y.range is not None
    assert goal.y.range[1] > values.max()  # the best is in the picture
    assert {panel.y.scale for panel in rate_response(rising).panels} == {"linear"}
    assert fitting_scale(np.array([0.001, 1.0])) == "log"


def test_where_most_accuracies_fall_the_fall_is_in_the_picture(comparison: Comparison) -> None:
    rising = by_accuracy(comparison)
    results = []
    for result in rising.results:
        runs = tuple(
            replace(run, evals={**run.evals, "val_accuracy": 0.5 - 0.01 * np.arange(float(len(run.evals["step"])))})
            for run in result.runs
        )
        results.append(replace(result, runs=runs))
    goal = loss_curves(replace(rising, untrained=0.5, results=tuple(results))).panels[1]
    assert goal.y.range is not None
    assert goal.y.range[0] < 0.32
    assert goal.y.range[1] > 0.5


def test_a_curve_is_drawn_as_every_update_uses_it() -> None:
    curve = schedule("linear 0..1 for 2 | hold 1 | linear 1..0 for 40%").resolve(Horizon(10))
    line = figure_of_curves([("wsd", curve)], base_lr=0.1).panels[0].series[0]
    np.testing.assert_allclose(line.y, 0.1 * curve(np.arange(10)), rtol=1e-15)
    assert line.x.tolist() == list(range(10))


def test_every_entry_has_a_panel() -> None:
    curve = schedule("one-cycle").resolve(Horizon(100), momentum=1.0)
    figure = figure_of_curves([("one-cycle", curve)])
    assert [panel.y.label for panel in figure.panels] == ["factor", "momentum"]
    assert figure.panels[1].series[0].y[0] == pytest.approx(0.95)


def test_a_range_without_values_is_none() -> None:
    assert visible_range([np.array([np.nan])], "linear") is None
    assert visible_range([np.array([-1.0, 0.0])], "log") is None
    assert visible_range([], "linear") is None
