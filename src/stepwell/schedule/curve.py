"""A schedule laid over a run: a total, pure function from step to factor."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from stepwell.errors import HorizonError, OptionError, OverrunError, ScheduleError
from stepwell.finding import Finding
from stepwell.schedule import measures
from stepwell.schedule.laid import Laid
from stepwell.schedule.lay import lay, natural_length
from stepwell.schedule.layout import Layout, Window
from stepwell.schedule.length import Horizon, plain_number, round_half_up
from stepwell.schedule.shape import ROUNDING

if TYPE_CHECKING:
    from stepwell.schedule.schedule import Entry, Schedule

Array = NDArray[np.float64]
LOOKED_AT, CHUNK = 2_000_000, 500_000  # updates
BLOCK = 16_384  # steps that are read at once: their intermediate results stay in the cache, 1.5 to 3 times as fast


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """The factor that every update of a run uses. Made by `Schedule.resolve`.

    Steps count from 0: `curve(t)` is the factor of update number `t`. `curve(total_steps)`, after the last update, is
    where the schedule ends.

    Args:
        schedule: where it comes from.
        horizon: the run; `total_steps` is filled in where the schedule itself has an end.
        bases: the base values it was resolved with, which absolute values are factors of.
        continuing_from: entry -> the factor that its first phase continued from, where it was not 1.
    """

    schedule: Schedule
    horizon: Horizon
    bases: Mapping[str, float]
    continuing_from: Mapping[str, float]
    _laid: Mapping[str, Laid]

    @property
    def entries(self) -> tuple[str, ...]:
        """The names of the scheduled entries, `lr` among them or not."""
        return tuple(self._laid)

    @property
    def total_steps(self) -> int | None:
        """Updates in the run; None for a run without end."""
        return self.horizon.total_steps

    @overload
    def __call__(self, step: int, entry: str = "lr") -> float: ...
    @overload
    def __call__(self, step: ArrayLike, entry: str = "lr") -> Array: ...
    def __call__(self, step: int | ArrayLike, entry: str = "lr") -> float | Array:
        """The factor at one step (a float), or at an array of steps (float64, same shape).

        Raises:
            OverrunError: a step below 0 or beyond `total_steps`.
            OptionError: a step that is not a whole number, or an entry that the schedule does not have.
        """
        laid = self.laid(entry)
        if type(step) is int:
            if step < 0 or (self.horizon.total_steps is not None and step > self.horizon.total_steps):
                raise OverrunError(f"step {step} is outside the run, which has steps 0 to {self._last()}")
            return laid.at(step)
        steps = np.asarray(step)
        if not steps.size:  # an empty list has no type
            return np.zeros(steps.shape)
        if steps.dtype.kind not in "iu":
            raise OptionError(f"steps are whole numbers, got {steps.dtype} {step!r:.60}")
        if steps.min() < 0 or (self.total_steps is not None and steps.max() > self.total_steps):
            wrong = steps.min() if steps.min() < 0 else steps.max()
            raise OverrunError(f"step {wrong} is outside the run, which has steps 0 to {self._last()}")
        values = _read(laid, steps.ravel()).reshape(steps.shape)
        return float(values) if values.ndim == 0 else values

    def integral(self, first: int = 0, stop: int | None = None, entry: str = "lr") -> float:
        """The sum of the factors of the updates `first` to `stop - 1`, to the end of the run by default.

        Times the base rate it is the distance that the parameters can go, the "rate budget" of the run.

        Raises:
            OverrunError: updates outside the run.
            OptionError: a run without end, and no `stop`; what is no number of updates.

        Example:
            >>> from stepwell.schedule import schedule
            >>> schedule("linear 1..0").resolve(Horizon(4)).integral()
            2.5
        """
        return measures.integral(self, first, stop, entry)

    def peak(self, entry: str = "lr") -> measures.Peak:
        """The largest factor and the first update that uses it."""
        return measures.peak(self, entry)

    def breakpoints(self, entry: str = "lr") -> tuple[int, ...]:
        """The updates with which a phase begins, also in every cycle of a repeat, in order.

        Example:
            >>> from stepwell.schedule import schedule
            >>> schedule("linear 0..1 for 5% | hold | 1-sqrt to 0 for 20%").resolve(Horizon(100)).breakpoints()
            (0, 5, 80)
        """
        return measures.breakpoints(self, entry)

    def difference(self, other: Curve, entry: str = "lr") -> measures.Difference:
        """The largest absolute difference from another curve, over the updates that both have, and where it is."""
        return measures.difference(self, other, entry)

    def preflight(self) -> list[Finding]:
        """What is probably not meant: a first update at 0, a jump, a floor never reached, a dead phase ...

        Empty for a curve that has nothing to complain of. `stepwell explain CODE` tells more of each finding.
        """
        from stepwell.schedule.preflight import preflight

        return preflight(self)

    def _repr_svg_(self) -> str:
        """The picture that notebooks show."""
        from stepwell.schedule.picture import curve_svg

        return curve_svg(self)

    def laid(self, name: str) -> Laid:
        """The laid expression of an entry.

        Raises:
            OptionError: the schedule has no such entry.
        """
        try:
            return self._laid[name]
        except KeyError:
            raise OptionError(f"the schedule has no entry {name!r}; it has {', '.join(self._laid)}") from None

    def _last(self) -> str:
        return "any" if self.total_steps is None else str(self.total_steps)

    def __reduce__(self) -> tuple[object, ...]:
        return resolve, (self.schedule, self.horizon, self.bases, self.continuing_from)

    def __repr__(self) -> str:
        return f"Curve({str(self.schedule)!r}, {self.horizon})"


def _read(laid: Laid, steps: NDArray[np.integer[Any]]) -> Array:
    """The values at any number of steps, shape (n,), block by block."""
    values = np.empty(steps.shape)
    for first in range(0, steps.size, BLOCK):
        here = slice(first, first + BLOCK)
        values[here] = laid.at_many(steps[here].astype(np.float64))
    return values


def resolve(
    schedule: Schedule, horizon: Horizon, bases: Mapping[str, float], continuing_from: Mapping[str, float]
) -> Curve:
    """Lay every entry over the run; see `Schedule.resolve`."""
    if not isinstance(horizon, Horizon):
        raise OptionError(f"a schedule is resolved over a run such as Horizon(total_steps=1000), got {horizon!r:.60}")
    total = horizon.total_steps
    if total is None:
        total = _own_length(schedule, horizon)
        horizon = Horizon(total, horizon.steps_per_epoch, horizon.tokens_per_step)
    laid = {}
    for entry in schedule.entries:
        argument = "base_lr" if entry.name == "lr" else entry.name
        layout = Layout(horizon, base=_checked(argument, bases.get(argument)), argument=argument)
        laid[entry.name] = lay(entry.expression, Window.whole(total), continuing_from.get(entry.name, 1.0), layout)
        _check_values(entry, laid[entry.name], total)
    return Curve(schedule, horizon, dict(bases), dict(continuing_from), laid)


def _own_length(schedule: Schedule, horizon: Horizon) -> int | None:
    """The longest of the entries' own lengths, where every phase has one."""
    layout = Layout(horizon, base=None)
    lengths = [natural_length(entry.expression, layout) for entry in schedule.entries]
    known = [length for length in lengths if length is not None]
    if known and len(known) < len(lengths):
        endless = [e.name for e, length in zip(schedule.entries, lengths, strict=True) if length is None]
        raise HorizonError(f"{endless[0]!r} has no end and another entry has one; pass total_steps=...")
    return round_half_up(max(known)) if known else None


def _check_values(entry: Entry, laid: Laid, total: int | None) -> None:
    """Every value is a finite number of at least 0; where bounds alone cannot tell, every update is looked at."""
    low, high = laid.bounds
    if not np.isfinite(high):
        raise ScheduleError(f"{str(entry)!r} grows beyond every number")
    if low >= -ROUNDING * max(high, 1.0):
        return
    for first in range(0, LOOKED_AT if total is None else total + 1, CHUNK):
        steps = np.arange(first, min(first + CHUNK, LOOKED_AT if total is None else total + 1), dtype=np.float64)
        values = laid.at_many(steps)
        if values.min() < -ROUNDING * max(high, 1.0):
            step = int(steps[values.argmin()])
            raise ScheduleError(f"{str(entry)!r} falls below 0: it is {values.min():.6g} at step {step}")
    if total is None:
        raise ScheduleError(
            f"{str(entry)!r} may fall below 0 in a run without end; wrap it: max(..., 0), or pass total_steps"
        )


def _checked(argument: str, base: object) -> float | None:
    """The base value of an entry."""
    if base is None:
        return None
    plain = plain_number(base)
    if plain is None or not (math.isfinite(plain) and plain >= 0):
        raise ScheduleError(f"{argument} must be a finite number of at least 0, got {base!r:.60}")
    return plain
