"""What recipes are put together from: lengths, levels and phases as text.

A *level* is a value as a text has it: `0.1`, a share of the base rate, or `=1e-5`, the rate itself.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from typing import TypeAlias

from stepwell.errors import ScheduleError
from stepwell.schedule.length import Length, Unit, written
from stepwell.schedule.text import parse_length

Span: TypeAlias = Length | float | str
"""A length: updates (500), or `5ep`, `20%`, `1e9tok`."""

NOTHING = Length(0.0)


def length(name: str, value: Span, *, zero: bool = False) -> Length:
    """The length that was given; `zero` allows none at all."""
    if isinstance(value, str):
        value = NOTHING if value.strip() == "0" else parse_length(value)
    if not isinstance(value, Length):
        value = Length(number(name, value))
    if value.value < 0 or (value.value == 0 and not zero):
        raise ScheduleError(f"{name} is longer than 0, got {value}")
    return value


def lengths(name: str, values: Sequence[Span]) -> list[Length]:
    """Several lengths in one unit, each longer than the one before."""
    spans = [length(name, value) for value in values]
    for before, after in pairwise(spans):
        if before.unit != after.unit:
            raise ScheduleError(f"{name} are in one unit, got {before} and {after}")
        if after.value <= before.value:
            raise ScheduleError(f"{name} ascend, but {after} follows {before}")
    if not spans:
        raise ScheduleError(f"{name} has no length in it")
    return spans


def number(name: str, value: float, *, least: float = 0.0, most: float = math.inf, above: bool = False) -> float:
    """A finite number from `least` (or `above` it) to `most`."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ScheduleError(f"{name} is a number, got {value!r}")
    if not least <= value <= most or (above and value == least):
        bounds = f"{'above' if above else 'of at least'} {written(least)}"
        upper = "" if most == math.inf else f" and at most {written(most)}"
        raise ScheduleError(f"{name} is a number {bounds}{upper}, got {written(value)}")
    return float(value)


def whole(name: str, value: float, *, least: int = 1, most: int | None = None) -> int:
    """A whole number of at least `least`."""
    if most is not None and number(name, value) > most:
        raise ScheduleError(f"{name} is a whole number of at most {most}, got {written(value)}")
    if number(name, value) != int(value) or value < least:
        raise ScheduleError(f"{name} is a whole number of at least {least}, got {written(value)}")
    return int(value)


def share(name: str, value: float, *, most: float = math.inf) -> str:
    """A factor of the base rate, as a level."""
    return written(number(name, value, most=most))


def rate(name: str, value: float | None, otherwise: str = "0") -> str:
    """A rate as a level: absolute, so the same for every base rate; a share of it where none was given."""
    if value is None:
        return otherwise
    return written(0.0) if number(name, value) == 0 else f"={written(value)}"


def percent(name: str, value: float) -> Length:
    """A share of the run as a length: 0.3 is 30%."""
    return Length(float(Fraction(repr(number(name, value, most=1.0, above=True))) * 100), Unit.RUN)


def scaled(span: Length, factor: float | Fraction) -> Length:
    """The length times a factor, in exact arithmetic: a tenth of 3 is 0.3."""
    exact = factor if isinstance(factor, Fraction) else Fraction(repr(float(factor)))
    return Length(float(Fraction(repr(span.value)) * exact), span.unit)


def less(whole_name: str, total: Length, part_name: str, part: Length, *, nothing: bool = False) -> Length:
    """What is left of a length when a part of it is over; `nothing` allows that it is all of it."""
    if part.value == 0:
        return total
    if total.unit != part.unit:
        raise ScheduleError(
            f"{whole_name} and {part_name} are in one unit, got {total} and {part}; left out, {whole_name} is the "
            "rest of the run"
        )
    rest = Fraction(repr(total.value)) - Fraction(repr(part.value))
    if rest < 0 or (rest == 0 and not nothing):
        raise ScheduleError(f"{part_name} is shorter than {whole_name}, got {part} of {total}")
    return Length(float(rest), total.unit)


def readings(
    begins: Sequence[Fraction], end: Fraction, unit: Unit, *, whole_steps: bool
) -> list[tuple[int, Length, Length | None]]:
    """Where clocks that follow each other are read, which may begin between two steps, up to `end`.

    Each clock's number, how much of it is over when its first step comes, and for how long it is read; the last one
    goes on. A clock that no step falls into is left out. Without `whole_steps` the layout rounds.
    """
    firsts = [Fraction(math.ceil(begin)) if whole_steps else begin for begin in begins]
    read = [(index, first) for index, first in enumerate(firsts) if first < end]
    read = [one for one, following in zip(read, [*read[1:], (0, end)], strict=True) if following[1] > one[1]]
    stops = [*(first for _, first in read[1:]), None]
    return [
        (index, _span(first - begins[index], unit), None if stop is None else _span(stop - first, unit))
        for (index, first), stop in zip(read, stops, strict=True)
    ]


def _span(value: Fraction, unit: Unit) -> Length:
    return Length(float(value), unit)


def phase(
    shape: str,
    start: str,
    end: str,
    *,
    over: Length | None = None,
    offset: Length | None = None,
    span: Length | None = None,
    right: bool = False,
) -> str:
    """One phase that is read at the left of its steps, also where it starts from 0."""
    words = ("over", over), ("from", offset if offset is None or offset.value else None), ("for", span)
    text = f"{shape} {start}..{end}" + "".join(f" {word} {one}" for word, one in words if one is not None)
    zero = start in ("0", "=0")
    return text if right == zero else f"{text} @right" if right else f"{text} @left"


def warmup(span: Length, start: str = "0", end: str = "1", *, shape: str = "linear", right: bool = False) -> str:
    """A warm-up and the bar after it; nothing where it has no length."""
    return f"{phase(shape, start, end, span=span, right=right)} | " if span.value else ""


def plateau(span: Length | None) -> str:
    """The stretch at the peak and the bar after it; the rest of the run for None, nothing where it has no length."""
    return "hold 1 | " if span is None else f"hold 1 for {span} | " if span.value else ""


def after(name: str, total: Span | None, part_name: str, part: Length) -> Length | None:
    """The clock of what follows a warm-up that counts into the total; None where it takes the rest of the run."""
    return None if total is None else less(name, length(name, total), part_name, part)


def poly(power: float) -> str:
    """The shape of a power of the time that is left; a power of 1 is a straight line."""
    number("power", power, above=True)
    return "linear" if power == 1 else f"poly({written(power)})"
