"""What items with curves share: reading a measured list of numbers, and distances."""

from __future__ import annotations

import math
from collections.abc import Sequence

from stepwell.errors import ContentError
from stepwell.learn.claims import Claim
from stepwell.learn.items.body import Names


def numbers(claim: Claim, names: Names) -> list[float]:
    """The measured curve: two finite numbers or more.

    Raises:
        ContentError: it is something else.
    """
    found = claim.value(names)
    if not isinstance(found, list) or len(found) < 2:
        raise ContentError(f"a curve is a list of two numbers or more, {claim.text!r} gave {found!r:.60}")
    for value in found:
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise ContentError(f"a curve has finite numbers only, {claim.text!r} has {value!r:.40}")
    return [float(value) for value in found]


def line(claim: Claim, names: Names) -> list[float | None]:
    """The measured numbers as a picture takes them: None where a run had left the numbers.

    Raises:
        ContentError: it is not a list of numbers.
    """
    found = claim.value(names)
    if not isinstance(found, list) or not all(type(value) in (int, float) for value in found) or not found:
        raise ContentError(f"a line of a picture is a list of numbers, {claim.text!r} gave {found!r:.60}")
    return [float(value) if math.isfinite(value) else None for value in found]


def gap(one: Sequence[float], other: Sequence[float]) -> float:
    """The largest difference of two curves of the same length."""
    return max(abs(a - b) for a, b in zip(one, other, strict=True))


def height(curve: Sequence[float]) -> float:
    """What distances are measured by: from the lowest to the highest value; for a flat curve its distance from 0."""
    return (max(curve) - min(curve)) or abs(curve[0]) or 1.0
