"""How one entry of the parameter groups moves: stretches of the run, each with a curve per group."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from stepwell.schedule import Curve


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

    def at(self, t: int) -> Stretch:
        """The stretch that rules update `t`."""
        if len(self.stretches) == 1:
            return self.stretches[0]
        return self.stretches[bisect_right([stretch.start for stretch in self.stretches], t) - 1]

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
