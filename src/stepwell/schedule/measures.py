"""What can be measured on a curve: its sum, its peak, where its phases begin, how far it is from another."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from stepwell.errors import OptionError, OverrunError
from stepwell.schedule.length import whole_number
from stepwell.schedule.spans import Joint, Span, joints, spans

if TYPE_CHECKING:
    from stepwell.schedule.curve import Curve

CHUNK = 1 << 16  # steps read at once, so that a long run needs little memory


class Peak(NamedTuple):
    """The largest factor and the first update that uses it."""

    step: int
    factor: float


class Difference(NamedTuple):
    """The largest absolute difference and the first update that has it."""

    step: int
    difference: float


def integral(curve: Curve, first: int, stop: int | None, entry: str) -> float:
    """The sum of the factors of the updates `first` to `stop - 1`, rounded once."""
    total = curve.total_steps
    stop = _end(curve, "stop") if stop is None else stop
    if whole_number(first) is None or whole_number(stop) is None:
        raise OptionError(f"first and stop are numbers of updates, got {first!r:.60} and {stop!r:.60}")
    if not 0 <= first <= stop or (total is not None and stop > total):
        raise OverrunError(
            f"the updates {first} to {stop} are not in the run, which has {total if total is not None else 'no'} "
            "as its end; pass 0 <= first <= stop <= total_steps"
        )
    try:
        return math.fsum(chain.from_iterable(values.tolist() for _, values in _chunks(curve, first, stop, entry)))
    except OverflowError:
        return math.inf


def peak(curve: Curve, entry: str) -> Peak:
    """The first of the updates with the largest factor."""
    best = Peak(0, -math.inf)
    for begin, values in _chunks(curve, 0, _end(curve, "total_steps"), entry):
        index = int(values.argmax())
        if values[index] > best.factor:
            best = Peak(begin + index, float(values[index]))
    return best


def phases(curve: Curve, entry: str) -> Iterator[Span]:
    """Every written phase with the updates that it decides."""
    return spans(curve.schedule[entry].expression, curve.laid(entry), 0, _end(curve, "total_steps"))


def phase_joints(curve: Curve, entry: str) -> Iterator[Joint]:
    """Every joint between two written phases, those inside a repeat left out."""
    return joints(curve.schedule[entry].expression, curve.laid(entry))


def breakpoints(curve: Curve, entry: str) -> tuple[int, ...]:
    """The updates with which a phase begins, in order."""
    return tuple(sorted({span.first for span in phases(curve, entry)}))


def difference(curve: Curve, other: Curve, entry: str) -> Difference:
    """The largest absolute difference over the updates that both have."""
    ends = [one.total_steps for one in (curve, other) if one.total_steps is not None]
    stop = min(ends) if ends else _end(curve, "total_steps")
    worst = Difference(0, -1.0)
    ours, theirs = (_chunks(one, 0, stop, entry) for one in (curve, other))
    for (begin, values), (_, others) in zip(ours, theirs, strict=True):
        apart = np.abs(values - others)
        index = int(apart.argmax())
        if apart[index] > worst.difference:
            worst = Difference(begin + index, float(apart[index]))
    return worst


def _chunks(curve: Curve, first: int, stop: int, entry: str) -> Iterator[tuple[int, NDArray[np.float64]]]:
    for begin in range(first, stop, CHUNK):
        yield begin, curve(np.arange(begin, min(begin + CHUNK, stop)), entry)


def _end(curve: Curve, argument: str) -> int:
    if curve.total_steps is None:
        raise OptionError(f"the run has no end; pass {argument}=..., here or to resolve")
    return curve.total_steps
