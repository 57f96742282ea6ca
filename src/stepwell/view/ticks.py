"""Round numbers for an axis."""

from __future__ import annotations

import math

import numpy as np

from stepwell.view.figure import Axis


def nice_ticks(axis: Axis, most: int = 6) -> list[float]:
    """At most about `most` round values inside the range of the axis, ascending.

    Example:
        >>> nice_ticks(Axis("factor", range=(0.0, 1.0)))
        [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
        >>> nice_ticks(Axis("rate", "log", range=(0.002, 3.0)))
        [0.01, 0.1, 1.0]
        >>> nice_ticks(Axis("loss", "log", range=(0.15, 2.5)))
        [0.2, 0.5, 1.0, 2.0]
    """
    if axis.range is None:
        return []
    low, high = axis.range
    if axis.scale == "log":
        powers = range(math.ceil(math.log10(low) - 1e-9), math.floor(math.log10(high) + 1e-9) + 1)
        if len(powers) < 2:
            around = range(powers.start - 1, powers.stop + 1)
            return [
                tick for power in around for tick in (float(f"{n}e{power}") for n in (1, 2, 5)) if low <= tick <= high
            ]
        stride = max(1, -(-len(powers) // most))
        return [float(f"1e{power}") for power in powers[::stride]]
    raw = (high - low) / max(1, most - 1)
    power = math.floor(math.log10(raw))
    size = next(step for step in (1, 2, 2.5, 5, 10) if step * 10.0**power >= raw * 0.999)
    unit = size * 10.0**power
    first, last = math.ceil(low / unit - 1e-9), math.floor(high / unit + 1e-9)
    return [float(np.round(number * unit, max(0, 2 - power))) for number in range(first, last + 1)]
