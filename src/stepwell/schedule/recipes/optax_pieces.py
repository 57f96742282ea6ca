"""optax: what goes through given places, as `piecewise_interpolate_schedule` does and one-cycle is made of."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Literal

from stepwell.errors import ScheduleError
from stepwell.schedule.length import Length, Unit, written
from stepwell.schedule.recipes.parts import (
    NOTHING,
    Span,
    length,
    lengths,
    less,
    number,
    percent,
    phase,
    rate,
    scaled,
    share,
)
from stepwell.schedule.recipes.recipe import Recipe


def piecewise_constant_schedule(
    init_value: float | None = None,
    boundaries: Sequence[Span] = ("50%", "75%"),
    scales: Sequence[float] = (0.1, 0.1),
) -> str:
    """A staircase whose every fall has a factor of its own.

    optax's `boundaries_and_scales={500: 0.1, 750: 0.1}` is `boundaries=500 750, scales=0.1 0.1`.
    """
    places, factors = _pairs(boundaries, scales)
    start = rate("init_value", init_value, "1")
    if len(set(factors)) == 1:
        text = f"x{written(factors[0])} at {' '.join(map(str, places))}"
        return f"steps {text}" if start == "1" else f"steps {start} {text}"
    stairs = [f"(steps x{written(factor)} at {place})" for place, factor in zip(places, factors, strict=True)]
    return " * ".join(stairs if start == "1" else [start, *stairs])


def piecewise_interpolate_schedule(
    interpolate_type: Literal["linear", "cosine"] = "linear",
    init_value: float | None = None,
    boundaries: Sequence[Span] = ("50%", "100%"),
    scales: Sequence[float] = (0.5, 0.1),
) -> str:
    """Lines or half cosines between values, each a multiple of the one before.

    optax's `boundaries_and_scales={500: 0.5, 1000: 0.1}` is `boundaries=500 1000, scales=0.5 0.1`. optax refuses
    nothing and gives wrong numbers for arrays of steps; here scales are above 0.
    """
    places, factors = _pairs(boundaries, scales)
    begin, exact = _exact("init_value", init_value), [Fraction(repr(factor)) for factor in factors]
    return _between(interpolate_type, begin, init_value is not None, places, exact)


def linear_onecycle_schedule(
    transition_steps: Span | None = None,
    peak_value: float | None = None,
    pct_start: float = 0.3,
    pct_final: float = 0.85,
    div_factor: float = 25.0,
    final_div_factor: float = 1e4,
) -> str:
    """Up to the peak, back to where it began, and further down, in straight lines."""
    div, final = _divisors(div_factor, final_div_factor)
    places = _parts_of(transition_steps, ("pct_start", pct_start), ("pct_final", pct_final))
    begin = _exact("peak_value", peak_value) / div
    return _between("linear", begin, peak_value is not None, places, [div, 1 / div, 1 / final])


def cosine_onecycle_schedule(
    transition_steps: Span | None = None,
    peak_value: float | None = None,
    pct_start: float = 0.3,
    div_factor: float = 25.0,
    final_div_factor: float = 1e4,
) -> str:
    """Up to the peak and far below where it began, in half cosines."""
    div, final = _divisors(div_factor, final_div_factor)
    places = _parts_of(transition_steps, ("pct_start", pct_start))
    begin = _exact("peak_value", peak_value) / div
    return _between("cosine", begin, peak_value is not None, places, [div, 1 / (div * final)])


def value_of(name: str, given: float | None) -> float:
    """The value that was given, above 0; the base rate where none was."""
    return 1.0 if given is None else number(name, given, above=True)


def level(value: float, absolute: bool) -> str:
    """A value as a level: the rate itself, or a share of the base rate."""
    return rate("value", value) if absolute else share("value", value)


def _exact(name: str, given: float | None) -> Fraction:
    return Fraction(repr(value_of(name, given)))


def _pairs(boundaries: Sequence[Span], scales: Sequence[float]) -> tuple[list[Length], list[float]]:
    places = lengths("boundaries", boundaries)
    if len(places) != len(scales):
        raise ScheduleError(f"scales has one factor for each of the {len(places)} boundaries, got {len(scales)}")
    return places, [number("scales", factor, above=True) for factor in scales]


def _divisors(div_factor: float, final_div_factor: float) -> tuple[Fraction, Fraction]:
    div, final = ("div_factor", div_factor), ("final_div_factor", final_div_factor)
    return Fraction(repr(number(*div, above=True))), Fraction(repr(number(*final, above=True)))


def _parts_of(total: Span | None, *shares: tuple[str, float]) -> list[Length]:
    """Shares of a length, whole where it is in updates, and the length itself."""
    if total is None:
        return [percent(name, value) for name, value in shares] + [Length(100.0, Unit.RUN)]
    span = length("transition_steps", total)
    if span.unit is Unit.STEPS:
        places = [Length(float(int(number(name, value, most=1.0, above=True) * span.value))) for name, value in shares]
    else:
        places = [scaled(span, number(name, value, most=1.0, above=True)) for name, value in shares]
    return lengths("transition_steps", [*places, span])


def _between(shape: str, value: Fraction, absolute: bool, places: Sequence[Length], factors: Sequence[Fraction]) -> str:
    """Phases between values, each a multiple of the one before; the last takes the rest, or holds its end."""
    texts, begin, start = [], NOTHING, level(float(value), absolute)
    for index, (place, factor) in enumerate(zip(places, factors, strict=True)):
        value *= factor
        end, span = level(float(value), absolute), less("boundaries", place, "boundaries", begin)
        if index < len(places) - 1:
            texts.append(phase(shape, start, end, span=span))
        else:
            texts.append(phase(shape, start, end, over=None if place == Length(100.0, Unit.RUN) else span))
        begin, start = place, end
    return " | ".join(texts)


FILE = "optax/schedules/_schedule.py"
ONE_CYCLE = "Smith and Topin 2018, arXiv:1708.07120"
PIECES = (
    Recipe("optax.piecewise_constant_schedule", piecewise_constant_schedule, FILE),
    Recipe("optax.piecewise_interpolate_schedule", piecewise_interpolate_schedule, FILE),
    Recipe("optax.linear_onecycle_schedule", linear_onecycle_schedule, f"{FILE}; {ONE_CYCLE}"),
    Recipe("optax.cosine_onecycle_schedule", cosine_onecycle_schedule, f"{FILE}; {ONE_CYCLE}"),
)
