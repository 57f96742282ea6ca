"""How one entry of the parameter groups moves: stretches of the run, each with a curve per group."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stepwell.schedule import Curve

BLOCK = 256  # updates


@dataclass(frozen=True, slots=True)
class Stretch:
    """The part of a run from update `start` on, until the next stretch begins.

    Args:
        start: the first update that it rules.
        offset: its curves are read at `t - offset`.
        curves: one per parameter group; None where the group's schedule leaves the entry alone.
    """

    start: int
    offset: int
    curves: tuple[Curve | None, ...]

    @property
    def end(self) -> int | None:
        """The number of updates after which the last of its curves has ended; None where one has no end."""
        totals = [curve.total_steps for curve in self.curves if curve is not None]
        known = [total for total in totals if total is not None]
        return self.offset + max(known) if known and len(known) == len(totals) else None


class Ahead:
    """The factors of a curve, read in blocks, so that a step costs no arithmetic.

    Blocks begin at multiples of their size: the factor of an update does not depend on where a run was resumed.

    Args:
        curve: read up to its end, and held there.
        entry: of the curve.
    """

    __slots__ = ("curve", "entry", "first", "values")

    def __init__(self, curve: Curve, entry: str) -> None:
        self.curve, self.entry = curve, entry
        self.first, self.values = 0, [0.0] * 0

    def read(self, t: int) -> float:
        """The factor of update `t`; its whole block is kept in `values`, from update `first` on."""
        self.first = t - t % BLOCK
        steps = np.arange(self.first, self.first + BLOCK)
        total = self.curve.total_steps
        values: list[float] = self.curve(steps if total is None else np.minimum(steps, total), self.entry).tolist()
        self.values = values
        return values[t - self.first]


@dataclass(frozen=True, slots=True)
class Track:
    """One entry over the whole run, for every group.

    Args:
        entry: its name in the schedule, such as `lr`.
        bases: what the factors multiply, one per group; None where the group's schedule leaves the entry alone.
        stretches: in the order of their starts; the first starts at 0.
    """

    entry: str
    bases: Sequence[float | None]
    stretches: tuple[Stretch, ...]

    @property
    def shared(self) -> Ahead | None:
        """What all groups read at every update, if that is one curve throughout; else None."""
        first = self.stretches[0].curves[0]
        if len(self.stretches) > 1 or first is None or any(curve is not first for curve in self.stretches[0].curves):
            return None
        return Ahead(first, self.entry)

    def at(self, t: int) -> Stretch:
        """The stretch that rules update `t`."""
        if len(self.stretches) == 1:
            return self.stretches[0]
        return self.stretches[bisect_right([stretch.start for stretch in self.stretches], t) - 1]

    def over(self, steps: NDArray[np.int64], group: int) -> NDArray[np.float64]:
        """The factors of one group at ascending steps, shape (n,); 1 where its schedule leaves the entry alone."""
        factors = np.ones(len(steps))
        starts = [int(np.searchsorted(steps, stretch.start)) for stretch in self.stretches[1:]]
        for stretch, first, stop in zip(self.stretches, [0, *starts], [*starts, len(steps)], strict=True):
            curve = stretch.curves[group]
            if curve is not None and stop > first:
                here, total = steps[first:stop] - stretch.offset, curve.total_steps
                factors[first:stop] = curve(here if total is None else np.minimum(here, total), self.entry)
        return factors

    def factors(self, t: int) -> list[float | None]:
        """The factor of every group at update `t`; past the end of a curve its last one."""
        stretch = self.at(t)
        factors: list[float | None] = []
        before: Curve | None = None
        for curve in stretch.curves:
            if curve is None:
                factors.append(None)
            elif curve is before:  # groups usually share one curve
                factors.append(factors[-1])
            else:
                step, total = t - stretch.offset, curve.total_steps
                factors.append(curve(step if total is None or step < total else total, self.entry))
            before = curve
        return factors
