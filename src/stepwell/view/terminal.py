"""Line charts in the terminal: braille dots in colours, or plain characters where there is neither."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import groupby
from operator import itemgetter

import numpy as np
from rich.console import Console
from rich.text import Text

from stepwell.view.figure import Array, Axis, Figure, Kind, Panel, Series, visible_range
from stepwell.view.numbers import in_ascii, significant
from stepwell.view.ticks import nice_ticks

# The terminal's own colours: they suit its ground, light or dark, which we cannot know.
COLOURS = ("cyan", "yellow", "magenta", "green", "blue", "red", "bright_cyan", "bright_yellow", "bright_magenta")
LETTERS = "*+xo#@%&=$~svzwnu"
_DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))  # braille bits by row and column of a cell
_FRAME = {True: ("+", "-", "|"), False: ("└", "─", "│")}


@dataclass(frozen=True, slots=True)
class Ink:
    """How a chart is written.

    Args:
        braille: 2 x 4 dots per character; otherwise every series has a character of its own.
        ascii_only: the frame too keeps to ASCII.
    """

    braille: bool = True
    ascii_only: bool = False


def print_figure(figure: Figure, console: Console, *, height: int = 14) -> None:
    """Print every panel as wide as the console, then the legend and the caption."""
    ink = ink_for(console, num_series=len(figure.groups))
    for panel in figure.panels:
        console.print(Text(panel.title or panel.y.label, style="bold"))
        console.print(chart(panel, width=console.width, height=height, ink=ink), soft_wrap=True)
    for line in legend(figure.panels[0], width=console.width, ink=ink):
        console.print(line, soft_wrap=True)
    console.print(Text(in_ascii(figure.caption) if ink.ascii_only else figure.caption, style="dim"))


def ink_for(console: Console, *, num_series: int) -> Ink:
    """Braille where the encoding has it and colours, or there being one series, tell the lines apart."""
    ascii_only = console.options.ascii_only
    # With NO_COLOR, rich keeps its color system and drops the colours as it writes.
    coloured = console.is_terminal and console.color_system is not None and not console.no_color
    return Ink(braille=not ascii_only and (coloured or num_series < 2), ascii_only=ascii_only)


def chart(panel: Panel, *, width: int, height: int, ink: Ink | None = None) -> Text:
    """The lines of a panel with both axes, `width` columns wide and `height` rows high without the numbers below."""
    ink = ink or Ink()
    lines = list(_numbered(panel))
    x, y = _fitted(panel.x, [s.x for _, s in lines]), _fitted(panel.y, [s.y for _, s in lines])
    labels = {_cell(y, tick, height, flip=True): significant(tick, 4) for tick in nice_ticks(y, max(3, height // 3))}
    margin = max((len(label) for label in labels.values()), default=1)
    columns = max(8, width - margin - 2)
    cells = _braille(lines, x, y, columns, height) if ink.braille else _letters(lines, x, y, columns, height)
    corner, bar, wall = _FRAME[ink.ascii_only]
    text = Text(no_wrap=True)
    for row in range(height):
        text.append(f"{labels.get(row, ''):>{margin}} {wall}", style="dim")
        marks = (cells.get((row, column), (" ", "")) for column in range(columns))
        for style, run in groupby(marks, key=itemgetter(1)):
            text.append("".join(mark for mark, _ in run), style=style)
        text.append("\n")
    text.append(f"{'':>{margin}} {corner}{bar * columns}\n", style="dim")
    text.append(f"{'':>{margin}}  {_numbers_below(x, columns)}", style="dim")
    return text


def legend(panel: Panel, *, width: int, ink: Ink | None = None) -> Iterator[Text]:
    """The names beside their marks, as many in a line as fit."""
    ink = ink or Ink()
    line = Text()
    for number, series in _numbered(panel):
        mark = ("──" if not ink.ascii_only else "--") if ink.braille else LETTERS[number % len(LETTERS)]
        item = Text.assemble((mark, COLOURS[number % len(COLOURS)]), " ", series.name)
        item.truncate(max(8, width - 2), overflow="ellipsis" if not ink.ascii_only else "crop")
        if line.cell_len and line.cell_len + 3 + item.cell_len > width:
            yield line
            line = Text()
        line = Text.assemble(line, "   ", item) if line.cell_len else item
    if line.cell_len:
        yield line


def _numbered(panel: Panel) -> Iterator[tuple[int, Series]]:
    """The lines with the numbers of their marks, which are the same in every panel."""
    for place, series in enumerate(series for series in panel.series if series.kind is Kind.LINE and not series.faint):
        yield (place if series.colour is None else series.colour), series


def _fitted(axis: Axis, values: list[Array]) -> Axis:
    """The axis with exactly the range of the values; from 0 where they are positive and linear."""
    extent = visible_range(values, axis.scale, pad=0.0) or (0.0, 1.0)
    if axis.scale == "linear" and 0 < extent[0] < 0.5 * extent[1]:
        extent = 0.0, extent[1]
    return replace(axis, range=extent)


def _place(axis: Axis, values: Array, size: int) -> Array:
    """Positions from 0 to `size - 1` along the axis, not rounded; `nan` for what it cannot show."""
    low, high = axis.range or (0.0, 1.0)
    if axis.scale == "log":
        values = np.log(np.where(values > 0, values, np.nan))
        low, high = np.log(low), np.log(high)
    return (values - low) / (high - low) * (size - 1)


def _cell(axis: Axis, value: float, size: int, *, flip: bool = False) -> int:
    place = round(float(_place(axis, np.array([value]), size)[0]))
    return size - 1 - place if flip else place


def _pixels(series: Series, x: Axis, y: Axis, columns: int, rows: int) -> Iterator[tuple[int, int]]:
    """Every pixel (row from the top, column) that the line passes."""
    across, up = _place(x, series.x, columns), _place(y, series.y, rows)
    points = [
        (round(float(a)), round(float(b))) if np.isfinite(a + b) else None for a, b in zip(across, up, strict=True)
    ]
    for here, there in zip(points, [*points[1:], *points[-1:]], strict=True):
        if here is None or there is None:
            if here is not None:
                yield rows - 1 - here[1], here[0]
            continue
        length = max(abs(there[0] - here[0]), abs(there[1] - here[1]), 1)
        for part in range(length + 1):
            column = here[0] + (there[0] - here[0]) * part / length
            row = here[1] + (there[1] - here[1]) * part / length
            yield rows - 1 - round(row), round(column)


def _braille(
    lines: list[tuple[int, Series]], x: Axis, y: Axis, columns: int, rows: int
) -> dict[tuple[int, int], tuple[str, str]]:
    """The characters of the picture with their colours; where lines cross, the later one gives the colour."""
    bits: dict[tuple[int, int], int] = {}
    styles: dict[tuple[int, int], str] = {}
    for number, series in lines:
        for row, column in _pixels(series, x, y, 2 * columns, 4 * rows):
            cell = row // 4, column // 2
            bits[cell] = bits.get(cell, 0) | _DOTS[row % 4][column % 2]
            styles[cell] = COLOURS[number % len(COLOURS)]
    return {cell: (chr(0x2800 + bit), styles[cell]) for cell, bit in bits.items()}


def _letters(
    lines: list[tuple[int, Series]], x: Axis, y: Axis, columns: int, rows: int
) -> dict[tuple[int, int], tuple[str, str]]:
    """The same with one character per series; where several pass, they take turns from column to column."""
    passing: dict[tuple[int, int], list[int]] = {}
    for number, series in lines:
        for cell in _pixels(series, x, y, columns, rows):
            there = passing.setdefault(cell, [])
            if number not in there:
                there.append(number)
    shown = {cell: there[cell[1] % len(there)] for cell, there in passing.items()}
    return {cell: (LETTERS[number % len(LETTERS)], COLOURS[number % len(COLOURS)]) for cell, number in shown.items()}


def _numbers_below(axis: Axis, columns: int) -> str:
    """The numbers of the x axis under their places, and what they count."""
    line = [" "] * columns
    name = f" {axis.label}"
    for tick in nice_ticks(axis, max(3, columns // 12)):
        words = significant(tick, 4)
        start = min(max(0, _cell(axis, tick, columns) - len(words) // 2), columns - len(words) - len(name))
        if start >= 0 and all(mark == " " for mark in line[max(0, start - 1) : start + len(words) + 1]):
            line[start : start + len(words)] = words
    line[columns - len(name) :] = name
    return "".join(line)
