from __future__ import annotations

import io
from dataclasses import replace

import pytest
from rich.cells import cell_len
from rich.console import Console

from stepwell.record.comparison import Comparison
from stepwell.view.table import print_comparison


def printed(comparison: Comparison, width: int, *, encoding: str = "utf-8") -> str:
    buffer = io.BytesIO()
    stream = io.TextIOWrapper(buffer, encoding=encoding)
    print_comparison(comparison, Console(file=stream, width=width))
    stream.flush()
    return buffer.getvalue().decode(encoding)


@pytest.mark.parametrize("width", [60, 80, 100, 140])
def test_it_fits_the_terminal(comparison: Comparison, width: int) -> None:
    text = printed(comparison, width)
    code = comparison.recommendation.code.splitlines()
    lines = [line for line in text.splitlines() if line.rstrip() not in code]
    assert max(map(cell_len, lines)) <= width
    assert "\x1b" not in text


def test_wide_enough_no_verdict_is_broken_and_nothing_is_missing(comparison: Comparison) -> None:
    text = printed(comparison, 120)
    for words in ("may be best", "worse by 0.016", "not ranked", "still fine", "fails", "133 (7/8)", "x10", "never"):
        assert words in text
    assert "█▇▆▅▄▃▂▁" in text


def test_the_rarer_figures_give_way(comparison: Comparison) -> None:
    assert "133 (7/8)" in printed(comparison, 110)
    assert "133 (7/8)" not in printed(comparison, 100)
    assert "x10 still fine" in printed(comparison, 100)
    assert "still fine 8 learned" not in printed(comparison, 80)
    assert "worse by 0.016" in printed(comparison, 60)


def test_every_word_that_needs_it_is_explained_below_the_table(comparison: Comparison) -> None:
    text = " ".join(printed(comparison, 140).split())
    for word in (
        "may be best: ", "steps to target: ", "good rates: ", "still fine: ", "fails: ", "learned: ", "did not learn: ",
    ):  # fmt: skip
        assert text.count(word) == 1, word
    assert "133 (7/8): 7 of 8 seeds arrived" in text


@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
@pytest.mark.parametrize("width", range(50, 125, 5))
def test_a_column_is_explained_where_it_is_shown_and_nowhere_else(
    comparison: Comparison, width: int, encoding: str
) -> None:
    lines = printed(comparison, width, encoding=encoding).splitlines()
    under = next(row for row, line in enumerate(lines) if line.split()[:1] == ["strategy"])
    headings = f"{lines[under - 1]} {lines[under]}".split()
    below = " ".join(lines[under + 1 :])
    for word, note in (("good", "good rates: "), ("target", "steps to target: "), ("twice", "at twice the rate: ")):
        assert (word in headings) == (note in below), word
    assert ("±" in headings or "+-" in headings) == (": 95% interval" in below)


def test_what_was_not_tuned_has_no_good_rates(comparison: Comparison) -> None:
    untuned = printed(replace(comparison, settings={"tuning": "none"}), 140)
    assert "good rates" not in untuned
    assert "rate: the one that was given" in untuned


def test_in_80_columns_no_built_in_name_is_broken(comparison: Comparison) -> None:
    lines = [line.split() for line in printed(comparison, 80).splitlines()]
    for result in comparison.results:
        assert any(result.strategy.name in words[:2] for words in lines), result.strategy.name


def test_what_may_look_wrong_is_explained_with_its_column(comparison: Comparison) -> None:
    response = comparison["constant"].response
    assert response is not None
    moved = replace(comparison["constant"], base_lr=response.good_low / 2)
    results = tuple(moved if one.strategy.name == "constant" else one for one in comparison.results)
    strange = replace(comparison, results=results)
    assert "The best rate of constant, " in " ".join(printed(strange, 140).split())
    assert "The best rate of constant, " not in " ".join(printed(strange, 80).split())
    assert "constant, with a worse mean, is not" in " ".join(printed(strange, 80).split())


def test_it_ends_with_the_lessons_and_the_code(comparison: Comparison) -> None:
    text = " ".join(printed(comparison, 100).split())
    for lesson in comparison.lessons:
        assert lesson in text
    assert text.endswith(" ".join(comparison.recommendation.code.split()))


def test_an_ascii_terminal_gets_ascii(comparison: Comparison, nasty: Comparison) -> None:
    assert printed(comparison, 80, encoding="ascii").isascii()
    assert printed(nasty, 80, encoding="ascii").isascii()


def test_names_that_look_like_markup_are_printed_as_they_are(nasty: Comparison) -> None:
    assert "<script>" in printed(nasty, 100)
