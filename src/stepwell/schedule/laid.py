"""An expression in its place on the run, ready to be read at any step. Steps are those of the run throughout."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from stepwell.schedule import shape

Array = NDArray[np.float64]
Bounds: TypeAlias = tuple[float, float]


class Laid(Protocol):
    """An expression in its place. Steps are those of the run, so that every part speaks of the same clock."""

    @property
    def bounds(self) -> Bounds:
        """Values that it never falls below and never exceeds; as near as its parts tell."""
        ...

    def at(self, t: float) -> float:
        """The value that update `t` uses."""
        ...

    def at_many(self, t: Array) -> Array:
        """The same for an array of steps, shape (n,)."""
        ...

    def end_at(self, t: float) -> float:
        """The value that a part which stops before step `t` hands on to the next."""
        ...


@dataclass(frozen=True, slots=True)
class Constant:
    """The same value throughout."""

    value: float

    @property
    def bounds(self) -> Bounds:
        """Its value twice."""
        return self.value, self.value

    def at(self, t: float) -> float:
        return self.value

    def at_many(self, t: Array) -> Array:
        return np.full(t.shape, self.value)

    def end_at(self, t: float) -> float:
        return self.value


@dataclass(frozen=True, slots=True)
class Piece:
    """One phase: its formula, counted from `start`; `edge` is 0 where it is read at the left, else a step or stair."""

    formula: shape.Formula
    start: int
    edge: float
    staircase: bool
    bounds: Bounds = (0.0, 0.0)

    def at(self, t: float) -> float:
        value: float = self.formula(t - self.start + self.edge, shape.SCALAR)
        return value

    def at_many(self, t: Array) -> Array:
        return np.asarray(self.formula(t - self.start + self.edge, np), dtype=np.float64)

    def end_at(self, t: float) -> float:
        """A staircase hands on its last stair, everything else the value at its end."""
        ran = max(t - self.start - 1, 0) if self.staircase else t - self.start
        return float(self.formula(ran, shape.SCALAR))


@dataclass(frozen=True, slots=True)
class Chain:
    """Parts one after the other; part i begins at `begins[i]`, the last one goes on."""

    begins: tuple[int, ...]
    parts: tuple[Laid, ...]

    @property
    def bounds(self) -> Bounds:
        """The lowest and the highest of its parts."""
        return _hull(self.parts)

    def at(self, t: float) -> float:
        return self.parts[max(bisect_right(self.begins, t) - 1, 0)].at(t)

    def at_many(self, t: Array) -> Array:
        return _by_part(self.begins, self.parts, t)

    def end_at(self, t: float) -> float:
        return self.parts[max(bisect_left(self.begins, t) - 1, 0)].end_at(t)


@dataclass(frozen=True, slots=True)
class Combined:
    """Operands added, multiplied or compared at every step."""

    how: Literal["sum", "product", "max"]
    operands: tuple[Laid, ...]

    @property
    def bounds(self) -> Bounds:
        """What the operands' bounds allow; exact where they reach them together."""
        lows, highs = zip(*(operand.bounds for operand in self.operands), strict=True)
        if self.how != "product":
            return self._fold(list(lows)), self._fold(list(highs))
        low, high = lows[0], highs[0]
        for ends in zip(lows[1:], highs[1:], strict=True):
            corners = [one * other for one in (low, high) for other in ends]
            low, high = min(corners), max(corners)
        return low, high

    def at(self, t: float) -> float:
        return self._fold([operand.at(t) for operand in self.operands])

    def at_many(self, t: Array) -> Array:
        values = [operand.at_many(t) for operand in self.operands]
        fold = {"sum": np.add, "product": np.multiply, "max": np.maximum}[self.how]
        total = values[0]
        for value in values[1:]:
            total = fold(total, value)
        return total

    def end_at(self, t: float) -> float:
        return self._fold([operand.end_at(t) for operand in self.operands])

    def _fold(self, values: list[float]) -> float:
        if self.how == "max":
            return max(values)
        total = values[0]
        for value in values[1:]:
            total = total + value if self.how == "sum" else total * value
        return total


@dataclass(frozen=True, slots=True)
class Stairs:
    """Read only once per `unit` steps, counted from `start`, and held between."""

    inner: Laid
    start: int
    unit: float

    @property
    def bounds(self) -> Bounds:
        """Those of what it reads."""
        return self.inner.bounds

    def at(self, t: float) -> float:
        return self.inner.at(self.start + (t - self.start + shape.ROUNDING) // self.unit * self.unit)

    def at_many(self, t: Array) -> Array:
        return self.inner.at_many(self.start + (t - self.start + shape.ROUNDING) // self.unit * self.unit)

    def end_at(self, t: float) -> float:
        return self.inner.end_at(t)


@dataclass(frozen=True, slots=True)
class Cycles:
    """Cycles in their places. Where all are equally long they are laid once and come back every `period` steps.

    A period may hold several cycles, so that cycles of 77.5 steps are exact too. `lower` scales each cycle's height
    above the lowest value of the first. No cycle begins at `stop` or later: the last one goes on to its end.
    """

    begins: tuple[int, ...]
    parts: tuple[Laid, ...]
    period: int | None
    lower: float
    stop: int | None = None

    @property
    def bounds(self) -> Bounds:
        """Those of all cycles; none is higher than it would be without `lower`."""
        return _hull(self.parts)

    @property
    def floor(self) -> float:
        """The lowest value of the first cycle, above which `lower` scales the height of each."""
        return self.parts[0].bounds[0]

    def at(self, t: float) -> float:
        beyond = 0.0 if self.stop is None else max(t - self.stop + 1, 0.0)
        before, index, cycle = self._find(t - beyond)
        return self._height(self.parts[index].at(before + beyond), self.lower**cycle)

    def at_many(self, t: Array) -> Array:
        if self.stop is not None and t.size and t.max() >= self.stop:
            values = self._within(np.minimum(t, self.stop - 1))
            values[t >= self.stop] = [self.at(step) for step in t[t >= self.stop].tolist()]
            return values
        return self._within(t)

    def _within(self, t: Array) -> Array:
        turns = np.zeros(t.shape)
        if self.period is not None:
            turns = np.maximum(np.floor((t - self.begins[0]) / self.period), 0.0)
            t = t - turns * self.period
        values = _by_part(self.begins, self.parts, t)
        if self.lower == 1.0:
            return values
        which = np.maximum(np.searchsorted(self.begins, t, side="right") - 1, 0)
        scale = self.lower ** (turns * len(self.parts) + which)
        return self.floor * (1.0 - scale) + values * scale

    def end_at(self, t: float) -> float:
        before, index, cycle = self._find(t - 1)
        return self._height(self.parts[index].end_at(before + 1), self.lower**cycle)

    def _find(self, t: float) -> tuple[float, int, int]:
        """The step within the period, the part it falls into, and the number of the cycle from the start."""
        turns = 0
        if self.period is not None:
            turns = max(math.floor((t - self.begins[0]) / self.period), 0)
            t -= turns * self.period
        index = max(bisect_right(self.begins, t) - 1, 0)
        return t, index, turns * len(self.parts) + index

    def _height(self, value: float, scale: float) -> float:
        return self.floor * (1.0 - scale) + value * scale


def _by_part(begins: tuple[int, ...], parts: tuple[Laid, ...], t: Array) -> Array:
    """The value of the part that each step falls into; ascending steps are read slice by slice, others by mask."""
    if len(parts) == 1:
        return parts[0].at_many(t)
    values = np.empty(t.shape)
    if t.size and bool((t[1:] >= t[:-1]).all()):
        ends = [0, *np.searchsorted(t, begins[1:], side="left").tolist(), t.size]
        for part, first, last in zip(parts, ends[:-1], ends[1:], strict=True):
            if last > first:
                values[first:last] = part.at_many(t[first:last])
        return values
    which = np.maximum(np.searchsorted(begins, t, side="right") - 1, 0)
    for i in np.flatnonzero(np.bincount(which)):
        here = which == i
        values[here] = parts[i].at_many(t[here])
    return values


def _hull(parts: Iterable[Laid]) -> Bounds:
    lows, highs = zip(*(part.bounds for part in parts), strict=True)
    return min(lows), max(highs)
