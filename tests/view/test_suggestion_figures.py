from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

import lr_suggestions as made
from stepwell.record.suggestion import Fate, LrSuggestion, RangeTest
from stepwell.view.figure import Dash, Figure, Kind, Mark, Panel, Series, Shade
from stepwell.view.figures import rate_scores, rate_sweep, short_runs
from stepwell.view.matplotlib_render import draw, picture
from stepwell.view.pictures import write_suggestion_pictures
from stepwell.view.plotly_render import plotly_figure
from stepwell.view.terminal import print_figure

CASES = {
    "found": made.found(),
    "no sweep": made.found(swept=False),
    "no signal": made.no_signal(),
    "range test": made.by_range_test(),
    "evil": made.evil(),
    "nothing read": replace(made.no_signal(), sweep=RangeTest(np.array([0.1]), np.array([np.nan]), {"ignite": np.nan})),
    "one run": replace(made.found(), probes=made.found().probes[:1], low=float("nan"), high=float("nan")),
}


def of(panel: Panel, kind: Kind) -> list[Series]:
    return [series for series in panel.series if series.kind is kind]


def figures(suggestion: LrSuggestion) -> list[Figure]:
    drawn = (rate_scores(suggestion), short_runs(suggestion), rate_sweep(suggestion))
    return [figure for figure in drawn if figure.panels]


def test_every_short_run_is_one_mark_of_its_kind() -> None:
    suggestion = CASES["found"]
    panel = rate_scores(suggestion).panels[0]
    marks = {mark: sum(s.x.size for s in of(panel, Kind.POINTS) if s.mark is mark) for mark in Mark}
    diverged = sum(probe.fate is Fate.DIVERGED for probe in suggestion.probes)
    assert marks[Mark.CROSS] == diverged == 3
    assert marks[Mark.DOT] == len(suggestion.probes) - diverged
    for series in of(panel, Kind.POINTS):
        assert len(series.notes) == series.x.size


def test_the_scores_are_where_they_were_measured_and_lengths_and_seeds_are_told_apart() -> None:
    panel = rate_scores(CASES["found"]).panels[0]
    lines = {line.name: line for line in of(panel, Kind.LINE) if not line.faint}
    assert list(lines) == ["10 updates, seed 0", "40 updates, seed 0", "80 updates, seed 1", "80 updates, seed 2"]
    np.testing.assert_allclose(
        lines["40 updates, seed 0"].y, [made.score(lr, 40, 0) for lr in lines["40 updates, seed 0"].x], rtol=1e-12
    )
    one, other = lines["80 updates, seed 1"], lines["80 updates, seed 2"]
    assert one.colour == other.colour != lines["10 updates, seed 0"].colour
    assert (one.dash, other.dash) == (Dash.DASH, Dash.DOT)


def test_the_axis_says_what_was_scored() -> None:
    assert rate_scores(made.found()).panels[0].y.label == "training loss"
    assert rate_scores(made.found(val=True)).panels[0].y.label == "validation loss"


def test_the_interval_the_suggestion_and_the_edge_are_marked() -> None:
    suggestion = CASES["found"]
    for panel in (*rate_scores(suggestion).panels, *rate_sweep(suggestion).panels):
        [good] = of(panel, Kind.REGION)
        assert good.x.tolist() == [suggestion.low, suggestion.high]
        assert [line.x.tolist() for line in of(panel, Kind.VLINE)] == [[suggestion.edge], [suggestion.lr]]


def test_what_was_not_found_is_not_drawn() -> None:
    panel = rate_scores(CASES["no signal"]).panels[0]
    assert not of(panel, Kind.REGION) + of(panel, Kind.VLINE) + of(panel, Kind.LINE)
    assert sum(s.x.size for s in of(panel, Kind.POINTS)) == len(made.RATES)
    assert not rate_sweep(CASES["no signal"]).panels
    assert not rate_scores(CASES["range test"]).panels


def test_an_interval_of_one_rate_is_no_region() -> None:
    figure = rate_scores(replace(made.found(), low=0.1, high=0.1))
    assert not of(figure.panels[0], Kind.REGION)
    assert "shaded" not in figure.caption.lower()


def test_every_rule_has_a_row_and_one_without_an_answer_says_so() -> None:
    sweep = CASES["found"].sweep
    assert sweep is not None
    suggestion = replace(CASES["found"], sweep=replace(sweep, suggestions={**sweep.suggestions, "ignite": np.nan}))
    panel = rate_scores(suggestion).panels[1]
    assert panel.y.rows == ("stepwell", *[name for name in sweep.suggestions if name != "ignite"], "ignite (none)")
    rows = {series.name: int(series.y[0]) for series in of(panel, Kind.POINTS)}
    assert rows == {name: row for row, name in enumerate(panel.y.rows[1:-1], start=1)}


def test_a_rule_far_outside_is_an_arrow_with_its_rate() -> None:
    sweep = CASES["found"].sweep
    assert sweep is not None
    suggestion = replace(CASES["found"], sweep=replace(sweep, suggestions={"low": 1e-9, "high": 1e4, "in": 0.01}))
    marks = {series.name: series for series in of(rate_scores(suggestion).panels[1], Kind.POINTS)}
    assert (marks["low"].mark, marks["low"].labels) == (Mark.BEFORE, ("1e-9",))
    assert (marks["high"].mark, marks["high"].labels) == (Mark.BEYOND, ("10000",))
    assert (marks["in"].mark, marks["in"].labels) == (Mark.DOT, ())


def test_a_score_above_the_untrained_one_does_not_set_the_scale() -> None:
    probes = list(CASES["found"].probes)
    probes[9] = replace(probes[9], score=50.0, fate=Fate.FINISHED)
    panel = rate_scores(replace(CASES["found"], probes=tuple(probes))).panels[0]
    assert panel.y.range is not None
    assert panel.y.range[1] < 2 * made.START
    [ring] = [series for series in of(panel, Kind.POINTS) if series.mark is Mark.RING]
    assert ring.notes == ("0.316: 50",)


def test_a_score_a_little_above_the_untrained_one_is_in_the_picture() -> None:
    probes = list(CASES["found"].probes)
    probes[0] = replace(probes[0], score=made.START + 0.2, fate=Fate.FINISHED)
    panel = rate_scores(replace(CASES["found"], probes=tuple(probes))).panels[0]
    assert panel.y.range is not None
    assert panel.y.range[1] > made.START + 0.2
    assert not [series for series in panel.series if series.mark is Mark.RING]


def test_scores_that_spread_widely_are_on_a_log_axis() -> None:
    probes = tuple(replace(probe, score=probe.score / 1000 + 0.001) for probe in CASES["found"].probes)
    assert rate_scores(replace(CASES["found"], probes=probes, initial=2.3)).panels[0].y.scale == "log"
    assert rate_scores(replace(CASES["found"], probes=probes, initial=-1.0)).panels[0].y.scale == "linear"


def test_short_runs_have_a_panel_per_length_and_a_line_per_run() -> None:
    suggestion = CASES["found"]
    figure = short_runs(suggestion)
    assert [panel.title for panel in figure.panels] == ["10 updates", "40 updates", "80 updates, mean of 2 at a time"]
    assert sum(len(of(panel, Kind.LINE)) for panel in figure.panels) == len(suggestion.probes)
    first = of(figure.panels[0], Kind.LINE)
    assert [line.colour for line in first] == [Shade(place / 12) for place in range(13)]
    np.testing.assert_array_equal(first[0].y, suggestion.probes[0].losses)
    averaged = of(figure.panels[2], Kind.LINE)[0]
    np.testing.assert_allclose(averaged.y, suggestion.probes[-6].losses.reshape(40, 2).mean(axis=1), rtol=1e-12)


def test_a_diverged_run_ends_with_a_cross_inside_of_the_picture() -> None:
    panel = short_runs(CASES["found"]).panels[0]
    crosses = [series for series in of(panel, Kind.POINTS) if series.mark is Mark.CROSS]
    assert len(crosses) == 3
    assert panel.y.range is not None
    assert panel.y.range[1] < 2 * made.START
    for cross in crosses:
        assert panel.y.range[0] < cross.y[0] < panel.y.range[1]
        assert "diverged" in cross.notes[0]


def test_the_sweep_is_the_raw_loss_and_its_end_is_marked() -> None:
    suggestion = CASES["found"]
    assert suggestion.sweep is not None
    panel = rate_sweep(suggestion).panels[0]
    [line] = of(panel, Kind.LINE)
    np.testing.assert_array_equal(line.x, suggestion.sweep.rates)
    np.testing.assert_array_equal(line.y, suggestion.sweep.losses)
    [cross] = of(panel, Kind.POINTS)
    assert cross.x[0] == suggestion.sweep.rates[-1]


@pytest.mark.parametrize("name", CASES)
def test_every_renderer_takes_whatever_a_search_brings(name: str) -> None:
    for figure in figures(CASES[name]):
        assert picture(figure, "png").startswith(b"\x89PNG")
        assert "NaN" not in str(plotly_figure(figure))
        for encoding, terminal in ("utf-8", True), ("utf-8", False), ("ascii", False):
            stream = io.TextIOWrapper(buffer := io.BytesIO(), encoding=encoding)
            print_figure(figure, Console(file=stream, width=60, force_terminal=terminal))
            stream.flush()
            assert figure.panels[0].y.label[:3] in buffer.getvalue().decode(encoding)


def test_words_stand_beside_vertical_lines_in_a_picture() -> None:
    ax = draw(rate_scores(CASES["found"])).axes[0]
    assert {"suggested 0.1", "fails at 1"} <= {text.get_text() for text in ax.texts}


def test_words_stand_beside_vertical_lines_on_a_page() -> None:
    words = {note["text"]: note for note in plotly_figure(rate_scores(CASES["found"]))["layout"]["annotations"]}
    assert words["suggested 0.1"]["x"] == pytest.approx(-1)  # an annotation on a log axis stands at the logarithm
    assert words["fails at 1"]["x"] == pytest.approx(0)
    assert words["fails at 1"]["yanchor"] == "bottom"


def printed(figure: Figure, *, encoding: str = "utf-8") -> list[str]:
    stream = io.TextIOWrapper(buffer := io.BytesIO(), encoding=encoding)
    print_figure(figure, Console(file=stream, width=80))
    stream.flush()
    return buffer.getvalue().decode(encoding).splitlines()


def test_a_terminal_shows_the_points_the_interval_and_the_rules() -> None:
    lines = printed(rate_scores(CASES["found"]))
    text = "\n".join(lines)
    for sign in ("●", "░", "│", "┆", "\N{MULTIPLICATION SIGN}"):
        assert sign in text
    assert "░ good from 0.0316 to 0.1" in text
    assert "┆ fails at 1" in text
    assert "│ suggested 0.1" in text
    [ours] = [line for line in lines if line.strip().startswith("stepwell")]
    [valley] = [line for line in lines if line.strip().startswith("fastai.valley")]
    assert ours.index("●") - ours.index("─") == valley.rindex("░") + 1 - valley.index("░")  # from the low end to ours
    assert max(map(len, lines)) <= 80


def test_one_rate_is_one_column_in_both_parts_of_the_picture() -> None:
    lines = printed(rate_scores(CASES["found"]))
    numbers = [line for line in lines if line.endswith("base rate")]
    assert len(numbers) == 2
    assert numbers[0] == numbers[1]
    corners = {line.index("└") for line in lines if "└" in line}
    assert len(corners) == 1


def test_a_number_below_the_picture_stands_under_its_place_or_not_at_all() -> None:
    upper, lower = [line for line in printed(rate_sweep(CASES["range test"])) if "base rate" in line]
    places = [
        {number: line.index(f" {number} ") for number in line.split() if number[0].isdigit()}
        for line in (upper.split("base")[0], lower.split("base")[0])
    ]
    shared = places[0].keys() & places[1].keys()
    assert len(shared) > 2
    assert all(places[0][number] == places[1][number] for number in shared)


def test_the_pale_line_is_explained_where_it_is_drawn() -> None:
    assert (
        "The pale grey line is the training loss before the first update, 2.3 (mean of the seeds)."
        in rate_scores(made.found()).caption
    )
    assert "pale" not in rate_scores(replace(made.found(), initial=float("nan"))).caption


def test_without_unicode_the_same_is_told_in_ascii() -> None:
    text = "\n".join(printed(rate_scores(CASES["found"]), encoding="ascii"))
    assert text.isascii()
    for words in (". good from 0.0316 to 0.1", "! fails at 1", "| suggested 0.1", "stepwell |"):
        assert words in text


def test_pictures_are_written_of_what_there_is(tmp_path: Path) -> None:
    names = {path.name for path in write_suggestion_pictures(CASES["range test"], tmp_path / "new")}
    assert names == {"sweep.png", "sweep.svg"} == {path.name for path in (tmp_path / "new").iterdir()}
