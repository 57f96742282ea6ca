from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from stepwell.schedule import Horizon, schedule
from stepwell.view.figure import Axis, Figure, Kind, Panel, Series
from stepwell.view.figures import figure_of_curves
from stepwell.view.sparkline import sparkline
from stepwell.view.terminal import LETTERS, Ink, chart, ink_for, legend, print_figure

TEXTS = ["linear 0..1 for 5% | hold | 1-sqrt to 0 for 20%", "cosine 1..0", "steps x0.1 at 50% 75%"]


def figure() -> Figure:
    return figure_of_curves([(text, schedule(text).resolve(Horizon(620))) for text in TEXTS])


def printed(width: int, *, encoding: str = "utf-8", terminal: bool = False) -> str:
    buffer = io.BytesIO()
    stream = io.TextIOWrapper(buffer, encoding=encoding)
    colours = "truecolor" if terminal else None
    print_figure(figure(), Console(file=stream, width=width, force_terminal=terminal, color_system=colours))  # type: ignore[arg-type]  # a literal
    stream.flush()
    return buffer.getvalue().decode(encoding)


@pytest.mark.parametrize("width", [40, 80, 200])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    lines = printed(width).splitlines()
    assert max(map(cell_len, lines)) <= width
    assert any(cell_len(line) > width - 3 for line in lines)


def test_away_from_a_terminal_it_is_plain_text_with_a_mark_per_curve() -> None:
    text = printed(80)
    assert "\x1b" not in text
    assert all(f"{mark} {name}" in text for mark, name in zip("*+x", TEXTS, strict=True))


def test_in_a_terminal_it_is_braille_in_colours() -> None:
    text = printed(80, terminal=True)
    assert "\x1b[36m" in text
    assert any(0x2800 < ord(sign) <= 0x28FF for sign in text)


@pytest.mark.parametrize(("no_color", "plain"), [(True, True), (False, False)])
def test_a_terminal_without_colours_tells_curves_apart_by_marks(no_color: bool, plain: bool) -> None:
    terminal = Console(file=io.StringIO(), force_terminal=True, color_system="truecolor", no_color=no_color)
    assert ink_for(terminal, num_series=2).braille is not plain
    assert ink_for(terminal, num_series=1).braille


def test_no_color_in_the_environment_is_heeded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert all(f"{mark} {name}" in printed(80, terminal=True) for mark, name in zip("*+x", TEXTS, strict=True))


def test_curves_that_coincide_take_turns() -> None:
    lines = tuple(Series(name, Kind.LINE, np.arange(40.0), np.ones(40), colour=i) for i, name in enumerate("abc"))
    rows = chart(Panel(Axis("step"), Axis("factor"), lines), width=44, height=4, ink=Ink(braille=False)).plain
    assert {mark: rows.count(mark) for mark in "*+x"} == {"*": 13, "+": 13, "x": 13}
    assert "*+x*+x*+x" in rows


def test_more_curves_than_colours_have_marks_of_their_own() -> None:
    texts = [f"cosine 1..0.{end:02}" for end in range(10, 10 + len(LETTERS))]
    whole = figure_of_curves([(text, schedule(text).resolve(Horizon(100))) for text in texts])
    marks = [line.plain.split()[::3] for line in legend(whole.panels[0], width=40, ink=Ink(braille=False))]
    assert len({mark for row in marks for mark in row}) == len(LETTERS) >= 16


def test_an_encoding_without_blocks_gets_ascii() -> None:
    assert printed(80, encoding="ascii").isascii()
    assert sparkline([1, 2, 3], 3, ascii_only=True).isascii()


def test_a_line_is_where_its_values_are() -> None:
    x = np.arange(100.0)
    line = Series("up", Kind.LINE, x, x / 99)
    panel = Panel(Axis("step"), Axis("factor"), (line,))
    rows = chart(panel, width=44, height=10, ink=Ink(braille=False)).plain.splitlines()
    marks = [(row, row_text.split("│", 1)[1]) for row, row_text in enumerate(rows[:10])]
    assert marks[0][1].rstrip().endswith("*")  # the top at the right
    assert marks[9][1].startswith("*")  # the bottom at the left
    centres = [np.mean([i for i, sign in enumerate(text) if sign == "*"]) for _, text in marks]
    assert (np.diff(centres) < 0).all()


def test_axes_without_anything_are_axes() -> None:
    for scale in ("linear", "log"):
        panel = Panel(Axis("rate", scale), Axis("loss", scale), ())
        assert "rate" in chart(panel, width=30, height=5).plain


@pytest.mark.parametrize("values", [[], [np.nan], [np.inf, 1.0], [0.0, 0.0]])
def test_a_chart_of_nothing_much_is_a_chart(values: list[float]) -> None:
    line = Series("odd", Kind.LINE, np.arange(float(len(values))), np.array(values))
    panel = Panel(Axis("step"), Axis("factor"), (line,))
    for ink in (Ink(), Ink(braille=False, ascii_only=True)):
        assert len(chart(panel, width=30, height=5, ink=ink).plain.splitlines()) == 7


def test_a_legend_breaks_between_names() -> None:
    lines = list(legend(figure().panels[0], width=60))
    assert len(lines) == 2
    assert all(line.cell_len <= 60 for line in lines)


@given(st.lists(st.floats(allow_nan=True, allow_infinity=True), max_size=60), st.integers(1, 40))
def test_a_sparkline_has_a_sign_per_share_of_the_values(values: list[float], width: int) -> None:
    assert len(sparkline(values, width)) == min(width, len(values))


def test_lines_that_share_a_colour_have_marks_of_their_own() -> None:
    lines = tuple(
        Series(name, Kind.LINE, np.arange(40.0), np.ones(40), colour=colour)
        for name, colour in zip("abcd", (1, 0, 1, 1), strict=True)
    )
    panel = Panel(Axis("step"), Axis("factor"), lines)
    assert [line.plain for line in legend(panel, width=40, ink=Ink(braille=False))] == ["+ a   * b   x c   o d"]


def test_a_line_far_outside_of_a_given_range_is_drawn_at_once() -> None:
    """A step of 1e300 heights must not be walked pixel by pixel."""
    points = Series("p", Kind.POINTS, np.array([1.0]), np.array([0.5]))
    line = Series("up", Kind.LINE, np.arange(3.0), np.array([0.5, 1e300, 0.5]))
    panel = Panel(Axis("step", range=(0.0, 2.0)), Axis("loss", range=(0.0, 1.0)), (line, points))
    assert "●" in chart(panel, width=44, height=10).plain
