"""Line charts in the terminal: braille dots in colours, or plain characters where there is neither."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import count, groupby
from operator import itemgetter

import numpy as np
from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.text import Text

from stepwell.view.figure import Array, Axis, Figure, Kind, Panel, Series, visible_range
from stepwell.view.numbers import in_ascii, significant
from stepwell.view.terminal_marks import Cells, above_lines, below_lines, cells, place, sign_of, style_of
from stepwell.view.ticks import nice_ticks

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
    """Print every panel as wide as the console with its legend, or below a legend of all; the caption."""
    ink = ink_for(console, num_series=len(figure.groups))
    legends = [list(legend(panel, width=console.width, ink=ink)) for panel in figure.panels]
    alike = all([line.plain for line in found] == [line.plain for line in legends[0]] for found in legends)
    margin = _common_margin(figure, console.width, height)
    for number, panel in enumerate(figure.panels):
        named = panel.title.lower() == panel.y.label or not panel.y.label
        heading = panel.title if named else ": ".join(filter(None, (panel.title, panel.y.label)))
        console.print(Text(heading, style="bold"))
        console.print(chart(panel, width=console.width, height=height, ink=ink, margin=margin), soft_wrap=True)
        if not alike or number == len(figure.panels) - 1:
            for line in legends[number]:
                console.print(line, soft_wrap=True)
    console.print(Text(in_ascii(figure.caption) if ink.ascii_only else figure.caption, style="dim"))


def ink_for(console: Console, *, num_series: int) -> Ink:
    """Braille where the encoding has it and colours, or there being one series, tell the lines apart."""
    ascii_only = console.options.ascii_only
    # With NO_COLOR, rich keeps its color system and drops the colours as it writes.
    coloured = console.is_terminal and console.color_system is not None and not console.no_color
    return Ink(braille=not ascii_only and (coloured or num_series < 2), ascii_only=ascii_only)


def chart(panel: Panel, *, width: int, height: int, ink: Ink | None = None, margin: int = 1) -> Text:
    """A panel with both axes, `width` columns wide and `height` rows high without the numbers below.

    A panel that lists things has a row for each. One with lines alone is fitted to them, any other keeps its ranges.
    The words at the left take at least `margin` columns.
    """
    ink = ink or Ink()
    height = len(panel.y.rows) or height
    lines = list(_numbered(panel))
    x, y = _axes(panel, [series for _, series in lines])
    labels = _row_labels(y, height, most=width // 3)
    margin = max([margin, *map(cell_len, labels.values())])
    columns = max(8, width - margin - 2)
    marks = _cells(panel, lines, (x, y), (columns, height), ink)
    corner, bar, wall = _FRAME[ink.ascii_only]
    text = Text(no_wrap=True)
    for row in range(height):
        label = labels.get(row, "")
        text.append(f"{' ' * (margin - cell_len(label))}{label} {wall}", style="dim")
        shown = (marks.get((row, column), (" ", "")) for column in range(columns))
        for style, run in groupby(shown, key=itemgetter(1)):
            text.append("".join(mark for mark, _ in run), style=style)
        text.append("\n")
    text.append(f"{'':>{margin}} {corner}{bar * columns}\n", style="dim")
    text.append(f"{'':>{margin}}  {_numbers_below(x, columns)}", style="dim")
    return text


def legend(panel: Panel, *, width: int, ink: Ink | None = None) -> Iterator[Text]:
    """The names beside their marks, as many in a line as fit: the lines, then vertical lines and regions."""
    ink = ink or Ink()
    stroke = "──" if not ink.ascii_only else "--"
    items = [
        (stroke if ink.braille else LETTERS[number % len(LETTERS)], style_of(series, number), series.name)
        for number, series in _numbered(panel)
    ]
    for series in panel.series:
        if series.kind in (Kind.VLINE, Kind.REGION) and series.name and not panel.y.rows:
            items.append((sign_of(series, ascii_only=ink.ascii_only), style_of(series), series.name))
    line = Text()
    for mark, style, name in items:
        item = Text.assemble((mark, style), " ", name)
        item.truncate(max(8, width - 2), overflow="ellipsis" if not ink.ascii_only else "crop")
        if line.cell_len and line.cell_len + 3 + item.cell_len > width:
            yield line
            line = Text()
        line = Text.assemble(line, "   ", item) if line.cell_len else item
    if line.cell_len:
        yield line


def _numbered(panel: Panel) -> Iterator[tuple[int, Series]]:
    """The lines with the numbers of their marks, which are the same in every panel unless lines share a colour."""
    lines = [series for series in panel.series if series.kind is Kind.LINE and not series.faint]
    free = (number for number in count() if number not in {line.colour for line in lines})
    taken: set[int] = set()
    for row, series in enumerate(lines):
        number = series.colour if isinstance(series.colour, int) else row
        yield (next(free) if number in taken else number), series
        taken.add(number)


def _cells(
    panel: Panel, lines: list[tuple[int, Series]], axes: tuple[Axis, Axis], size: tuple[int, int], ink: Ink
) -> Cells:
    """Every sign of the picture: regions and vertical lines, over them the lines, over these the points."""
    found: Cells = {}
    for series in panel.series:
        if series.kind in (Kind.REGION, Kind.VLINE):
            found |= below_lines(series, axes[0], *size, ascii_only=ink.ascii_only)
    found |= _braille(lines, *axes, *size) if ink.braille else _letters(lines, *axes, *size)
    for series in panel.series:
        if series.kind in (Kind.POINTS, Kind.INTERVALS):
            found |= above_lines(series, *axes, *size, ascii_only=ink.ascii_only)
    return found


def _axes(panel: Panel, lines: list[Series]) -> tuple[Axis, Axis]:
    x, y = _fitted(panel.x, [line.x for line in lines]), _fitted(panel.y, [line.y for line in lines])
    if not lines or any(series.kind is not Kind.LINE for series in panel.series):
        x, y = (fitted if own.range is None else own for own, fitted in ((panel.x, x), (panel.y, y)))
    if y.rows:
        y = replace(y, range=(max(1, len(y.rows) - 1), 0))
    return x, y


def _common_margin(figure: Figure, width: int, height: int) -> int:
    """The columns that the words at the left take where all panels have one x axis: what is one rate is one column."""
    if len({(panel.x.scale, panel.x.range) for panel in figure.panels}) != 1 or figure.panels[0].x.range is None:
        return 1
    found = 1
    for panel in figure.panels:
        _, y = _axes(panel, [series for _, series in _numbered(panel)])
        labels = _row_labels(y, len(panel.y.rows) or height, most=width // 3)
        found = max([found, *map(cell_len, labels.values())])
    return found


def _row_labels(y: Axis, height: int, *, most: int) -> dict[int, str]:
    """What stands at the left of the rows: names, or round numbers."""
    if y.rows:
        return {row: set_cell_size(name, min(most, cell_len(name))) for row, name in enumerate(y.rows)}
    ticks = nice_ticks(y, max(3, height // 3))
    places = cells(y, np.array(ticks), height)
    return {height - 1 - at: significant(tick, 4) for tick, at in zip(ticks, places, strict=True) if at is not None}


def _fitted(axis: Axis, values: list[Array]) -> Axis:
    """The axis with exactly the range of the values; from 0 where they are positive and linear."""
    extent = visible_range(values, axis.scale, pad=0.0) or (0.1 if axis.scale == "log" else 0.0, 1.0)
    if axis.scale == "linear" and 0 < extent[0] < 0.5 * extent[1]:
        extent = 0.0, extent[1]
    return replace(axis, range=extent)


def _pixels(series: Series, x: Axis, y: Axis, columns: int, rows: int) -> Iterator[tuple[int, int]]:
    """Every pixel (row from the top, column) that the line passes."""
    # What lies far outside of the picture is brought near to it, so that a line to there has few pixels.
    across = np.clip(place(x, series.x, columns), -columns, 2 * columns)
    up = np.clip(place(y, series.y, rows), -rows, 2 * rows)
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
            styles[cell] = style_of(series, number)
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
    styles = {number: style_of(series, number) for number, series in lines}
    return {cell: (LETTERS[number % len(LETTERS)], styles[number]) for cell, number in shown.items()}


def _numbers_below(axis: Axis, columns: int) -> str:
    """The numbers of the x axis under their places, and what they count; none where the words need its place."""
    line = [" "] * columns
    name = f" {axis.label}"
    for tick in nice_ticks(axis, max(3, columns // 12)):
        words = significant(tick, 4)
        middle = round(float(place(axis, np.array([tick]), columns)[0]))
        centred = middle - len(words) // 2
        start = min(max(0, centred), columns - len(words) - len(name))
        near = centred - start <= len(words) // 2  # a number that is moved further stands under another place
        if start >= 0 and near and all(mark == " " for mark in line[max(0, start - 1) : start + len(words) + 1]):
            line[start : start + len(words)] = words
    line[columns - len(name) :] = name
    return "".join(line)
