"""What a chart in the terminal has beside lines: points, intervals, vertical lines and regions, one sign each."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from stepwell.view.figure import Array, Axis, Dash, Kind, Mark, Series, Shade

# The terminal's own colours: they suit its ground, light or dark, which we cannot know.
COLOURS = ("cyan", "yellow", "magenta", "green", "blue", "red", "bright_cyan", "bright_yellow", "bright_magenta")
SHADES = ("blue", "cyan", "green", "yellow", "red")
_SIGNS = {  # with more than ASCII, and without
    Mark.DOT: ("●", "o"),
    Mark.TICK: ("┃", "|"),
    Mark.CROSS: ("\N{MULTIPLICATION SIGN}", "X"),
    Mark.RING: ("○", "O"),
    Mark.BEYOND: ("▶", ">"),
    Mark.BEFORE: ("◀", "<"),
}
_STROKES = {Dash.SOLID: ("│", "|"), Dash.DASH: ("┆", "!"), Dash.DOT: ("┊", "'")}
_REGION, _BAR = ("░", "."), ("─", "-")

Cells = dict[tuple[int, int], tuple[str, str]]


def sign_of(series: Series, *, ascii_only: bool) -> str:
    """The sign of a series that is no line, for a legend."""
    match series.kind:
        case Kind.REGION:
            return _REGION[ascii_only]
        case Kind.VLINE:
            return _STROKES[series.dash][ascii_only]
    return _SIGNS[series.mark][ascii_only]


def style_of(series: Series, number: int = 0) -> str:
    """The terminal's colour of a series; `number` is that of a line without a colour."""
    match series.colour:
        case Shade(place):
            return SHADES[round(place * (len(SHADES) - 1))]
        case None if series.kind is Kind.LINE:
            return COLOURS[number % len(COLOURS)]
        case None:
            return "dim" if series.kind is not Kind.POINTS else ""
    return "green" if series.kind is Kind.REGION else COLOURS[series.colour % len(COLOURS)]


def below_lines(series: Series, x: Axis, columns: int, rows: int, *, ascii_only: bool) -> Cells:
    """The signs of a region or of vertical lines, over all rows."""
    sign, style = sign_of(series, ascii_only=ascii_only), style_of(series)
    at = np.array([column for column in cells(x, series.x, columns) if column is not None])
    if series.kind is Kind.REGION:
        low, high = np.clip(place(x, series.x, columns), 0, columns - 1)
        if not np.isfinite(low + high):
            return {}
        at, style = np.arange(round(float(low)), round(float(high)) + 1), "dim"
    return {(row, int(column)): (sign, style) for row in range(rows) for column in at}


def above_lines(series: Series, x: Axis, y: Axis, columns: int, rows: int, *, ascii_only: bool) -> Cells:
    """The signs of points and intervals."""
    found: Cells = {}
    style, sign = style_of(series), sign_of(series, ascii_only=ascii_only)
    downward = [None if up is None else rows - 1 - up for up in cells(y, series.y, rows)]
    if series.kind is Kind.INTERVALS and series.low is not None and series.high is not None:
        for row, (low, high) in zip(downward, _ends(series, x, columns), strict=True):
            if row is not None:
                found |= {(row, column): (_BAR[ascii_only], style) for column in range(low, high + 1)}
    for row, column in zip(downward, cells(x, series.x, columns), strict=True):
        if row is not None and column is not None:
            found[row, column] = sign, style
    return found


def place(axis: Axis, values: Array, size: int) -> Array:
    """Positions from 0 to `size - 1` along the axis, not rounded; `nan` for what it cannot show."""
    low, high = axis.range or (0.0, 1.0)
    if axis.scale == "log":
        values = np.log(np.where(values > 0, values, np.nan))
        low, high = np.log(low), np.log(high)
    return (values - low) / (high - low) * (size - 1)


def cells(axis: Axis, values: Array, size: int) -> list[int | None]:
    """The nearest cell of every value; None outside of the axis."""
    found = [round(at) if np.isfinite(at) else -1 for at in place(axis, values, size).tolist()]
    return [at if 0 <= at < size else None for at in found]


def _ends(series: Series, x: Axis, columns: int) -> Iterator[tuple[int, int]]:
    """The first and last cell of every interval; an empty one where it has no ends."""
    low = np.zeros(0) if series.low is None else place(x, series.low, columns)
    high = np.zeros(0) if series.high is None else place(x, series.high, columns)
    for first, last in zip(low.tolist(), high.tolist(), strict=True):
        if np.isfinite(first + last):
            yield max(0, round(first)), min(columns - 1, round(last))
        else:
            yield 0, -1
