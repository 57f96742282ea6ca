"""The grid of rates that a search moves on: places, four per decade."""

from __future__ import annotations

import math

PER_DECADE = 4  # the best rate can sit one or two quarter decades below failure


def rate_at(place: int) -> float:
    """The rate at a place, to three digits, so that what is trained is what is printed; place 0 is rate 1.

    Example:
        >>> rate_at(-8), rate_at(-7), rate_at(-6)
        (0.01, 0.0178, 0.0316)
    """
    return float(f"{10.0 ** (place / PER_DECADE):.3g}")


def place_of(rate: float) -> int:
    """The place nearest to a rate."""
    return round(PER_DECADE * math.log10(rate))


def places_within(low: float, high: float) -> tuple[int, int]:
    """The first and the last place whose rate lies between the two, both included."""
    slack = 0.01  # of a place: the rates of the grid are rounded
    return math.ceil(PER_DECADE * math.log10(low) - slack), math.floor(PER_DECADE * math.log10(high) + slack)
