"""optax: pure functions of the step.

optax computes in float32. Its `join_schedules` is `|` here. Values are rates; left out, the peak is the base rate.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Literal

from stepwell.errors import ScheduleError
from stepwell.schedule.length import Length, written
from stepwell.schedule.recipes.optax_pieces import FILE, PIECES, level, value_of
from stepwell.schedule.recipes.parts import (
    Span,
    after,
    length,
    less,
    number,
    phase,
    poly,
    rate,
    warmup,
    whole,
)
from stepwell.schedule.recipes.recipe import Recipe

MOST_COSINES = 8


def constant_schedule(value: float | None = None) -> str:
    """The same rate throughout."""
    return "hold" if value is None else f"hold {rate('value', value)}"


def polynomial_schedule(
    init_value: float | None = None,
    end_value: float | None = None,
    power: float = 1.0,
    transition_steps: Span | None = None,
    transition_begin: Span = 0,
) -> str:
    """A power of the time that is left between two values, which stay before and after."""
    shape = poly(power)
    start = rate("init_value", init_value, "1")
    over = None if transition_steps is None else length("transition_steps", transition_steps)
    return _held(start, transition_begin) + phase(shape, start, rate("end_value", end_value), over=over)


def linear_schedule(
    init_value: float | None = None,
    end_value: float | None = None,
    transition_steps: Span | None = None,
    transition_begin: Span = 0,
) -> str:
    """A straight line between two values, which stay before and after."""
    start = rate("init_value", init_value, "1")
    over = None if transition_steps is None else length("transition_steps", transition_steps)
    return _held(start, transition_begin) + phase("linear", start, rate("end_value", end_value), over=over)


def exponential_decay(
    init_value: float | None = None,
    transition_steps: Span = "1%",
    decay_rate: float = 0.95,
    transition_begin: Span = 0,
    staircase: bool = False,
    end_value: float | None = None,
) -> str:
    """The same ratio at every step, smoothly or as a staircase, down to `end_value`."""
    start = rate("init_value", init_value, "1")
    held = _held(start, transition_begin)
    return held + _decay(start if held or start != "1" else "", transition_steps, decay_rate, staircase, end_value)


def cosine_decay_schedule(
    init_value: float | None = None, decay_steps: Span | None = None, alpha: float = 0.0, exponent: int = 1
) -> str:
    """Half a cosine, or a whole power of it, to the share `alpha`."""
    over = None if decay_steps is None else length("decay_steps", decay_steps)
    value = value_of("init_value", init_value)
    end = value * number("alpha", alpha)
    return _cosines(value, end, init_value is not None, over, exponent)


def warmup_constant_schedule(
    init_value: float | None = None, peak_value: float | None = None, warmup_steps: Span = "5%"
) -> str:
    """A linear warm-up, then the same rate."""
    peak = rate("peak_value", peak_value, "1")
    rise = length("warmup_steps", warmup_steps, zero=True)
    return f"{warmup(rise, rate('init_value', init_value), peak)}hold {peak}"


def warmup_cosine_decay_schedule(
    init_value: float | None = None,
    peak_value: float | None = None,
    warmup_steps: Span = "5%",
    decay_steps: Span | None = None,
    end_value: float | None = None,
    exponent: int = 1,
) -> str:
    """A linear warm-up, then half a cosine, or a whole power of it; `decay_steps` has the warm-up in it."""
    rise = length("warmup_steps", warmup_steps, zero=True)
    over = after("decay_steps", decay_steps, "warmup_steps", rise)
    start, peak = rate("init_value", init_value), rate("peak_value", peak_value, "1")
    end = rate("end_value", end_value)
    if exponent == 1:
        return f"{warmup(rise, start, peak)}{phase('cosine', peak, end, over=over)}"
    if end != "0" and peak_value is None:
        raise ScheduleError("end_value with an exponent needs peak_value, because it is a rate")
    fall = _cosines(value_of("peak_value", peak_value), end_value or 0.0, peak_value is not None, over, exponent)
    return f"{warmup(rise, start, peak)}({fall})"


def warmup_exponential_decay_schedule(
    init_value: float | None = None,
    peak_value: float | None = None,
    warmup_steps: Span = "5%",
    transition_steps: Span = "1%",
    decay_rate: float = 0.95,
    transition_begin: Span = 0,
    staircase: bool = False,
    end_value: float | None = None,
) -> str:
    """A linear warm-up, then the same ratio at every step, smoothly or as a staircase."""
    start, peak = rate("init_value", init_value), rate("peak_value", peak_value, "1")
    rise = length("warmup_steps", warmup_steps, zero=True)
    fall = _decay(peak, transition_steps, decay_rate, staircase, end_value)
    fall = f"({fall})" if fall.startswith("max") else fall
    return f"{warmup(rise, start, peak)}{_held(peak, transition_begin)}{fall}"


def sgdr_schedule(
    decay_steps: Sequence[Span] = ("20%", "30%", "50%"),
    warmup_steps: Span = 0,
    init_value: float | None = None,
    peak_value: float | None = None,
    end_value: float | None = None,
) -> str:
    """Cosines with a warm-up each, one for every length in `decay_steps`, which has the warm-up in it.

    optax's list of settings, one per cycle, is this where the cycles differ in their length.
    """
    rise = length("warmup_steps", warmup_steps, zero=True)
    start, peak, end = rate("init_value", init_value), rate("peak_value", peak_value, "1"), rate("end_value", end_value)
    texts = []
    for index, one in enumerate(decay_steps):
        rest = less("decay_steps", length("decay_steps", one), "warmup_steps", rise)
        last = index == len(decay_steps) - 1
        fall = phase("cosine", peak, end, over=rest if last else None, span=None if last else rest)
        texts.append(warmup(rise, start, peak) + fall)
    return " | ".join(texts)


def reduce_on_plateau(
    factor: float = 0.1, patience: int = 10, rtol: float = 1e-4, atol: float = 0.0, cooldown: int = 0
) -> str:
    """Cut the rate when the metric stalls, one check earlier than torch: with `patience` bad ones, not one more.

    One of `rtol` and `atol` is 0. `min_scale` is `floor` in the text, `accumulation_size` is the caller's.
    """
    if (number("rtol", rtol) == 0) == (number("atol", atol) == 0):
        raise ScheduleError(f"rtol and atol: one of them is above 0, got {written(rtol)} and {written(atol)}")
    from stepwell.schedule.control import Plateau

    checks = whole("patience", patience) - 1
    mode: Literal["rel", "abs"] = "rel" if rtol else "abs"
    made = Plateau(cut=factor, patience=checks, threshold=rtol or atol, threshold_mode=mode, cooldown=cooldown)
    return f"(hold) * {made}"


def _held(start: str, transition_begin: Span) -> str:
    """The bar before a transition that begins later."""
    begin = length("transition_begin", transition_begin, zero=True)
    return f"hold {start} for {begin} | " if begin.value else ""


def _decay(start: str, transition_steps: Span, decay_rate: float, staircase: bool, end_value: float | None) -> str:
    cut, span = written(number("decay_rate", decay_rate, above=True)), length("transition_steps", transition_steps)
    first = f" {start}" if start else ""
    text = f"steps{first} x{cut} every {span}" if staircase else f"decay{first} x{cut} per {span}"
    return text if end_value is None else f"max({text}, {rate('end_value', end_value)})"


def _cosines(value: float, end: float, absolute: bool, over: Length | None, exponent: int) -> str:
    """A product of half cosines between two values."""
    count = whole("exponent", exponent)
    if count > MOST_COSINES:
        raise ScheduleError(f"exponent is a whole number from 1 to {MOST_COSINES}, got {count}")
    if count == 1:
        return phase("cosine", level(value, absolute), level(end, absolute), over=over)
    fall = " * ".join([f"({phase('cosine', '1', '0', over=over)})"] * count)
    height = level(float(Fraction(repr(value)) - Fraction(repr(end))), absolute)
    scaled_fall = fall if height == "1" else f"{height} * {fall}"
    return scaled_fall if end == 0 else f"{level(end, absolute)} + {scaled_fall}"


SGDR = "Loshchilov and Hutter 2017, arXiv:1608.03983"
RECIPES = (
    Recipe("optax.constant_schedule", constant_schedule, FILE),
    Recipe("optax.polynomial_schedule", polynomial_schedule, FILE),
    Recipe("optax.linear_schedule", linear_schedule, FILE),
    Recipe("optax.exponential_decay", exponential_decay, FILE),
    Recipe("optax.cosine_decay_schedule", cosine_decay_schedule, f"{FILE}; {SGDR}"),
    *PIECES,
    Recipe("optax.warmup_constant_schedule", warmup_constant_schedule, FILE),
    Recipe("optax.warmup_cosine_decay_schedule", warmup_cosine_decay_schedule, FILE),
    Recipe("optax.warmup_exponential_decay_schedule", warmup_exponential_decay_schedule, FILE),
    Recipe("optax.sgdr_schedule", sgdr_schedule, f"{FILE}; {SGDR}"),
    Recipe("optax.reduce_on_plateau", reduce_on_plateau, "optax/contrib/_reduce_on_plateau.py"),
)
