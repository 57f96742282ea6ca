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
    text = printed(comparison, 100)
    for words in ("may be best", "worse by 0.016", "not ranked", "still fine", "fails", "133 (7/8)", "x10", "never"):
        assert words in text
    assert "█▇▆▅▄▃▂▁" in text


def test_the_rarer_figures_give_way(comparison: Comparison) -> None:
    assert "133 (7/8)" not in printed(comparison, 80)
    assert "worse by 0.016" in printed(comparison, 60)


def test_every_word_that_needs_it_is_explained_below_the_table(comparison: Comparison) -> None:
    text = " ".join(printed(comparison, 140).split())
    for word in ("may be best: ", "to target: ", "good: ", "still fine: ", "fails: ", "learned: ", "did not learn: "):
        assert text.count(word) == 1, word
    assert "133 (7/8): 7 of 8 seeds arrived" in text


def test_what_is_not_shown_is_not_explained_but_for_the_word_of_the_recommendation(comparison: Comparison) -> None:
    text = printed(comparison, 80)
    assert "to target: " not in text
    assert "good: highest / lowest good rate" in text
    untuned = replace(comparison, settings={"tuning": "none"})
    assert "good: " not in printed(untuned, 140)


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
