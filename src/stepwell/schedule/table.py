"""Measured factors, as many as there are: compact, immutable, equal by value."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from stepwell.errors import ScheduleError
from stepwell.schedule.length import written

MOST_WRITTEN = 64  # values in a text; more live in the JSON form
SHOWN = 3  # of those that are not written


@dataclass(frozen=True, slots=True)
class Values:
    """Factors in a row, 8 bytes each. Make them with `Values.of([1, 0.5, 0.25])`."""

    data: bytes

    @classmethod
    def of(cls, numbers: ArrayLike) -> Values:
        """The values of a list or an array, shape (n,).

        Raises:
            ScheduleError: none at all, more than one dimension, or one that is negative or not finite.
        """
        try:
            array = np.asarray(numbers, dtype=np.float64)
        except (TypeError, ValueError):
            raise ScheduleError(f"a table holds numbers in a row, got {numbers!r:.60}") from None
        if array.ndim != 1 or not array.size:
            raise ScheduleError(f"a table holds at least one number, all in a row; got the shape {array.shape}")
        wrong = np.flatnonzero(~(np.isfinite(array) & (array >= 0)))
        if wrong.size:
            raise ScheduleError(
                f"a table holds finite factors of at least 0, but value {wrong[0]} (counted from 0) is "
                f"{written(array[wrong[0]])}"
            )
        return cls((array + 0.0).tobytes())  # -0.0 becomes 0.0, so that equal values have equal bytes

    @property
    def array(self) -> NDArray[np.float64]:
        """The values, shape (n,), read-only and without a copy."""
        return np.frombuffer(self.data, dtype=np.float64)

    @property
    def bounds(self) -> tuple[float, float]:
        """The lowest and the highest value."""
        return float(self.array.min()), float(self.array.max())

    def __len__(self) -> int:
        return len(self.data) // 8

    def __str__(self) -> str:
        """All of them, or where they are too many the first, their number and a digest that tells them apart."""
        array = self.array
        if len(self) <= MOST_WRITTEN:
            return " ".join(map(written, array))
        first = " ".join(map(written, array[:SHOWN]))
        return f"{first} ... {len(self)} values, sha256 {hashlib.sha256(self.data).hexdigest()[:12]}"

    def __repr__(self) -> str:
        return f"Values({self})"


def reader(values: Values, *, over: float, offset: float) -> Callable[[Any, Any], Any]:
    """The formula of a table: its values spread evenly over `over` steps, the last one held from then on."""
    array = values.array
    last = len(values) - 1

    def formula(s: Any, xp: Any) -> Any:
        place = (s + offset) * ((last + 1) / over) + 1e-9  # three values over 10 steps: 10 / 3 is not exact
        if xp is np:
            return array[np.clip(place, 0, last).astype(np.int64)]
        return float(array[int(min(max(place, 0), last))])

    return formula
