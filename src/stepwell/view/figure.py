"""Figures as plain data: what is drawn, on which axes and in which words. Renderers turn them into pictures."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[np.float64]
Scale: TypeAlias = Literal["linear", "log"]
NONE: Array = np.empty(0)
NONE.flags.writeable = False


class Kind(StrEnum):
    """How a series is drawn."""

    LINE = "line"
    POINTS = "points"
    INTERVALS = "intervals"  # horizontal bars from `low` to `high` with a dot at `x`
    REGION = "region"  # everything between the two values of `x`, from bottom to top
    VLINE = "vline"  # a vertical line at every `x`


class Dash(StrEnum):
    """The stroke of a line."""

    SOLID = "solid"
    DASH = "dash"
    DOT = "dot"


class Mark(StrEnum):
    """The shape of a point."""

    DOT = "dot"
    TICK = "tick"  # a short vertical stroke
    CROSS = "cross"  # diverged
    RING = "ring"  # did not learn
    BEYOND = "beyond"  # an arrow to the right: the value lies outside the picture
    BEFORE = "before"  # the same to the left


@dataclass(frozen=True, slots=True)
class Shade:
    """A colour for what has an order, such as rates: `place` goes from 0, the lowest, to 1."""

    place: float


Colour: TypeAlias = int | Shade | None
"""The number of a colour in the palette, a place on its ramp, or None for muted."""


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """One thing that is drawn.

    Args:
        name: what a legend and a hover text call it.
        x, y: the values; a `nan` in `y` is a gap.
        low, high: a band around a line (along y), or the ends of intervals (along x).
        dash: of a line; a vertical line that is not solid is drawn so everywhere.
        group: series of one group are highlighted and hidden together; usually the strategy.
        colour: a number where colours only tell things apart; None is muted.
        quiet: its band shows only when it is highlighted, where a picture can do that.
        faint: context without a name of its own: thin, pale, not in the legend.
        notes: one text per point, for hovering.
        labels: one text per point, written beside it; of a vertical line on the right at its foot, or on the left at
            its top if its mark is `BEFORE`.
    """

    name: str
    kind: Kind
    x: Array
    y: Array = field(default_factory=lambda: NONE)
    low: Array | None = None
    high: Array | None = None
    group: str = ""
    colour: Colour = None
    dash: Dash = Dash.SOLID
    mark: Mark = Mark.DOT
    quiet: bool = False
    faint: bool = False
    notes: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Axis:
    """One axis of a panel.

    Args:
        label: what it shows, with its unit.
        range: what is visible; None shows everything.
        rows: names at 0, 1, 2, ..., from top to bottom, where the axis lists things instead of numbers.
    """

    label: str
    scale: Scale = "linear"
    range: tuple[float, float] | None = None
    rows: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Panel:
    """One pair of axes with its series, drawn in order."""

    x: Axis
    y: Axis
    series: tuple[Series, ...]
    title: str = ""
    group: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Figure:
    """Panels under one title.

    Args:
        key: a short name for files and anchors: `rates`.
        columns: how many panels stand side by side where there is room.
        caption: what is shown and how it was computed, in one or two sentences.
        alt: what a reader who cannot see the picture should know.
        height: of one panel, in inches.
    """

    key: str
    title: str
    panels: tuple[Panel, ...]
    caption: str
    alt: str
    columns: int = 1
    height: float = 3.6

    @property
    def groups(self) -> tuple[str, ...]:
        """The groups in the order in which they first appear."""
        return tuple(dict.fromkeys(s.group for panel in self.panels for s in panel.series if s.group))


def visible_range(values: Iterable[Array], scale: Scale, *, pad: float = 0.05) -> tuple[float, float] | None:
    """The range that holds every finite value with some air; None without any.

    On a log axis only positive values count.
    """
    parts = [np.asarray(part, dtype=np.float64).ravel() for part in values]
    flat = np.concatenate(parts) if parts else NONE
    flat = flat[np.isfinite(flat)]
    if scale == "log":
        flat = flat[flat > 0]
    if not flat.size:
        return None
    low, high = float(flat.min()), float(flat.max())
    if scale == "log":
        room = (high / low) ** pad if high > low else 1.5
        return low / room, high * room
    room = pad * (high - low) if high > low else (abs(high) * 0.1 or 0.5)
    return low - room, high + room


def fitting_scale(values: Array, *, factor: float = 12.0, direction: Literal["min", "max"] = "min") -> Scale:
    """A log axis for positive values that spread over more than `factor`, else a linear one.

    What is to be maximised, such as an accuracy, is always linear: it comes from near 0 and its upper end matters.
    """
    if direction == "max":
        return "linear"
    finite = values[np.isfinite(values)]
    if finite.size and finite.min() > 0 and finite.max() / finite.min() > factor:
        return "log"
    return "linear"


def within(extent: tuple[float, float], scale: Scale, *, air: float = 0.03) -> tuple[float, float]:
    """The range a little narrower, so that a mark at its end is seen whole."""
    low, high = np.log(extent) if scale == "log" else extent
    inner = low + air * (high - low), high - air * (high - low)
    return (float(np.exp(inner[0])), float(np.exp(inner[1]))) if scale == "log" else inner
