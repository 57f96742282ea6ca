"""The shapes: small functions in one table, each with its source.

A closed shape warps the share `u` of its clock (0 to 1) to the share `w` of the way from its start to its end value;
`blend` says how values between the two are mixed. An open shape has no end value: it is given its clock in steps.
Every function takes the namespace `xp` it computes in, `numpy` for arrays or `SCALAR` for one step.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

Number: TypeAlias = Any  # a float or a float64 array, the same one that came in
Formula: TypeAlias = Callable[[Number, Any], Number]

SCALAR = SimpleNamespace(
    pi=math.pi,
    cos=math.cos,
    sqrt=math.sqrt,
    log1p=math.log1p,
    tanh=math.tanh,
    floor=math.floor,
    clip=lambda x, low, high: low if x < low else high if x > high else x,
)

# A staircase whose stairs are not whole steps (10.333...) must still fall exactly at every third stair.
ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class Shape:
    """A closed shape: how far along it is, given the share of its clock, and where it comes from."""

    warp: Callable[[Number, float, Any], Number]
    source: str
    blend: Literal["arithmetic", "geometric"] = "arithmetic"
    takes_power: bool = False


def linear(u: Number, power: float, xp: Any) -> Number:
    """A straight line."""
    return u


def cosine(u: Number, power: float, xp: Any) -> Number:
    """Half a cosine: slow, fast, slow (Loshchilov and Hutter 2017, arXiv:1608.03983, equation 5)."""
    return (1.0 - xp.cos(xp.pi * u)) / 2.0


def square_root(u: Number, power: float, xp: Any) -> Number:
    """1-sqrt cooldown: fast at first (Hagele et al. 2024, arXiv:2405.18392)."""
    return xp.sqrt(u)


def polynomial(u: Number, power: float, xp: Any) -> Number:
    """The remaining share to a power, as polynomial decay is written (Chen et al. 2018, arXiv:1606.00915)."""
    return 1.0 - (1.0 - u) ** power


def raised(u: Number, power: float, xp: Any) -> Number:
    """The elapsed share to a power."""
    return u**power


def logarithmic(u: Number, power: float, xp: Any) -> Number:
    """The logarithm of 1 to `power` + 1 steps: very fast at first, the default warm-up of DeepSpeed."""
    return xp.log1p(power * u) / math.log1p(power)


def hyperbolic(u: Number, power: float, xp: Any) -> Number:
    """A hyperbolic tangent from `-power` to `power`: slow, fast, slow (Hsueh et al. 2018, arXiv:1806.01593)."""
    return 0.5 + 0.5 * xp.tanh(power * (2.0 * u - 1.0)) / math.tanh(power)


CLOSED: dict[str, Shape] = {
    "linear": Shape(linear, "a straight line"),
    "cosine": Shape(cosine, "Loshchilov and Hutter 2017, arXiv:1608.03983"),
    "1-sqrt": Shape(square_root, "Hagele et al. 2024, arXiv:2405.18392"),
    "exponential": Shape(linear, "a constant ratio per step", blend="geometric"),
    "poly": Shape(polynomial, "Chen et al. 2018, arXiv:1606.00915", takes_power=True),
    "power": Shape(raised, "the elapsed share to a power", takes_power=True),
    "log": Shape(logarithmic, "DeepSpeed's warm-up", takes_power=True),
    "tanh": Shape(hyperbolic, "Hsueh et al. 2018, arXiv:1806.01593", takes_power=True),
}
ALIASES = {"geometric": "exponential"}
OPEN = ("hold", "steps", "decay", "inverse-sqrt")
NAMES = (*CLOSED, *ALIASES, *OPEN)


def closed(name: str, *, start: float, end: float, clock: float, offset: float, power: float) -> Formula:
    """A closed shape on its clock: its start before the clock begins, its end from when the clock has run out."""
    warp = CLOSED[name].warp
    if CLOSED[name].blend == "geometric" and start:
        ratio = end / start
        return lambda s, xp: start * ratio ** warp(xp.clip((s + offset) / clock, 0.0, 1.0), power, xp)

    def formula(s: Number, xp: Any) -> Number:
        w = warp(xp.clip((s + offset) / clock, 0.0, 1.0), power, xp)
        return start * (1.0 - w) + end * w  # exact at both ends

    return formula


def hold(*, start: float) -> Formula:
    """The same value throughout."""
    return lambda s, xp: start + 0.0 * s


def decay(*, start: float, rate: float, per: float, offset: float) -> Formula:
    """Multiplied by `rate` once per `per` steps, smoothly."""
    return lambda s, xp: start * rate ** ((s + offset) / per)


def stairs_every(*, start: float, rate: float, every: float, offset: float) -> Formula:
    """Multiplied by `rate` at the end of every `every` steps, and constant between."""
    return lambda s, xp: start * rate ** xp.floor((s + offset) / every + ROUNDING)


def stairs_at(*, start: float, rate: float, at: Sequence[float], offset: float) -> Formula:
    """Multiplied by `rate` at each of the steps `at` (counted from the start of the phase)."""
    places = np.asarray(at, dtype=np.float64)
    listed = places.tolist()

    def formula(s: Number, xp: Any) -> Number:
        if xp is SCALAR:
            return start * rate ** bisect_right(listed, s + offset)
        passed: NDArray[np.float64] = np.searchsorted(places, s + offset, side="right").astype(np.float64)
        return start * rate**passed

    return formula


def inverse_sqrt(*, start: float, over: float, offset: float) -> Formula:
    """Falls as one over the root of the step (Vaswani et al. 2017, arXiv:1706.03762, equation 3)."""
    return lambda s, xp: start / xp.sqrt(1.0 + (s + offset) / over)
