"""Charts of a page: lines that the program above them measured, recorded as its output is, and checked against it.

```chart losses             `losses` is what the program calls its table of lines
loss by step               the axes
rate 0.1: 0.5 0.405        a line of the table; it goes on
  0.3281 0.2657            where there is no `:`
```

```chart ends by rates      `rates` is what the program calls the places on the axis
loss by rate: 0.01 0.1 1
SGD: 0.7 0.6 nan           a gap
```
"""

from __future__ import annotations

import math
import re
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from stepwell.errors import ContentError

_NAMES = re.compile(r"(?P<values>[A-Za-z_]\w*)(?: by (?P<over>[A-Za-z_]\w*))?")
_AXES = re.compile(r"(?P<y>[^:]+) by (?P<x>[^:]+?)(?::(?P<over>.*))?")
_COLUMNS = 118
# How far a value may be from what the program measures: rounding differs between processors and versions of torch, and
# neither a dot of braille nor a number of four digits shows less.
_RELATIVE, _OF_LARGEST = 0.01, 1e-6


@dataclass(frozen=True, slots=True)
class Chart:
    """Lines over one axis.

    Args:
        values, over: what the program calls its table of lines, and what they are drawn over; `over` is empty where
            that is the number of each value, from 0.
        y, x: what is drawn and over what, in words.
        places: what the lines are drawn over; one for each value.
        lines: label -> values. One that is not finite is a gap.
    """

    values: str
    over: str
    y: str
    x: str
    places: tuple[float, ...]
    lines: Mapping[str, tuple[float, ...]]

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the program that it draws."""
        return (self.values, self.over) if self.over else (self.values,)


def read(words: str, body: str) -> Chart:
    """The chart of a fenced block.

    Args:
        words: after `chart`: the names of the program.
        body: the axes, then the lines; a line without `:` goes on with the one before.

    Raises:
        ContentError: it cannot be; without its place.
    """
    names = _NAMES.fullmatch(words)
    first, *rest = _joined(body) or [""]
    axes = _AXES.fullmatch(first)
    if names is None or axes is None or bool(names["over"]) != (axes["over"] is not None):
        raise ContentError(
            "a chart is ```chart losses with the line `loss by step`, or ```chart losses by rates with the line "
            f"`loss by rate: 0.1 0.2`, got ```chart {words} with {first!r:.60}"
        )
    lines = dict(_line(line) for line in rest)
    lengths = {len(values) for values in lines.values()}
    places = _numbers(axes["over"]) if names["over"] else tuple(map(float, range(max(lengths, default=0))))
    if not lines or len(lines) < len(rest) or 0 in lengths or (names["over"] and lengths != {len(places)}):
        raise ContentError("a chart has lines with different labels, each with a value for every place on its axis")
    return Chart(names["values"], names["over"] or "", axes["y"], axes["x"], places, MappingProxyType(lines))


def fault(chart: Chart, measured: Mapping[str, Any]) -> str:
    """What is wrong with a chart beside what its program measured; empty where it agrees."""
    for name in chart.names:
        if name not in measured:
            return f"never sets {name!r}, which a chart draws; assign to it"
    found = measured[chart.values]
    over = measured[chart.over] if chart.over else []
    if not isinstance(found, dict) or not all(map(_is_line, [over, *found.values()])):
        return f"must give a chart numbers: {chart.values} = {{'label': [0.5, 0.25]}}"
    drawn = [*chart.lines.items(), ("", chart.places if chart.over else ())]
    agree = all(_close(values, recorded) for values, (_, recorded) in zip([*found.values(), over], drawn, strict=False))
    if [*found] == [*chart.lines] and agree:
        return ""
    return f"measures something else than its chart shows:\n{_written(chart, found, over)}"


def _joined(body: str) -> list[str]:
    """The lines of a block; what goes on with one is part of it."""
    lines: list[str] = []
    for line in filter(None, map(str.strip, body.splitlines())):
        if lines and ":" not in line and (len(lines) > 1 or ":" in lines[0]):
            lines[-1] = f"{lines[-1]} {line}"
        else:
            lines.append(line)
    return lines


def _line(line: str) -> tuple[str, tuple[float, ...]]:
    label, _, values = line.partition(":")
    return label.strip(), _numbers(values)


def _numbers(text: str) -> tuple[float, ...]:
    try:
        return tuple(map(float, text.split()))
    except ValueError as error:
        raise ContentError(f"the values of a chart are numbers, got {text.strip()!r:.60}") from error


def _is_line(values: Any) -> bool:
    return isinstance(values, list) and all(isinstance(value, int | float) for value in values)


def _close(values: Sequence[float], recorded: Sequence[float]) -> bool:
    largest = max((abs(value) for value in recorded if math.isfinite(value)), default=0.0)
    return len(values) == len(recorded) and all(
        math.isclose(here, there, rel_tol=_RELATIVE, abs_tol=_OF_LARGEST * largest)
        if math.isfinite(here) and math.isfinite(there)
        else math.isfinite(here) == math.isfinite(there)
        for here, there in zip(values, recorded, strict=True)
    )


def _written(chart: Chart, found: Mapping[str, Sequence[float]], over: Sequence[float]) -> str:
    """The block as it should be."""
    heads = [f"{chart.y} by {chart.x}", *found]
    rows = [over, *found.values()]
    lines = (_wrapped(head, row) for head, row in zip(heads, rows, strict=True))
    return "\n".join([f"```chart {' by '.join(chart.names)}", *lines, "```"])


def _wrapped(head: str, values: Sequence[float]) -> str:
    words = " ".join(f"{value:.4g}" for value in values)
    return textwrap.fill(f"{head}: {words}" if words else head, _COLUMNS, subsequent_indent="  ")
