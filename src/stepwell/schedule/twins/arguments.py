"""What torch's schedulers take, checked: torch checks little, and late."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import Any, TypeAlias

from stepwell.errors import ScheduleError
from stepwell.schedule.length import plain_number, written
from stepwell.schedule.schedule import Value

PerGroup: TypeAlias = float | Sequence[float]
"""One number for all parameter groups, or one per group."""


def number(name: str, value: object, *, least: float = -math.inf, most: float = math.inf) -> float:
    """A finite number between two bounds."""
    plain = plain_number(value)
    if plain is None or not math.isfinite(plain):
        raise ScheduleError(f"{name} is a finite number, got {value!r}")
    if not least <= plain <= most:
        bounds = f"of at least {written(least)}" if most == math.inf else f"from {written(least)} to {written(most)}"
        raise ScheduleError(f"{name} is a number {bounds}, got {value!r}")
    return plain


def count(name: str, value: object, *, instead: str) -> int:
    """A whole number of steps of at least 1; `instead` tells what to do about another."""
    plain = plain_number(value)
    if plain is None or not math.isfinite(plain) or plain != int(plain) or plain < 1:
        raise ScheduleError(f"{name} is a whole number of steps of at least 1, got {value!r}; {instead}")
    return int(plain)


def listed(name: str, value: object, *, such_as: str) -> list[Any]:
    """The members of a list, a tuple or anything else that holds several; a text is not one of these."""
    if isinstance(value, str) or not isinstance(value, Iterable):
        raise ScheduleError(f"{name} is a list such as {such_as}, got {value!r:.60}")
    return list(value)


def one_for_all(name: str, value: PerGroup, *, least: float = 0.0) -> float | list[float]:
    """A number that holds for every group, or the list of them where they differ."""
    if isinstance(value, Sequence) and not isinstance(value, str):
        numbers = [number(name, one, least=least) for one in value]
        if not numbers:
            raise ScheduleError(f"{name} has no number; give one, or one per parameter group")
        return numbers[0] if len(set(numbers)) == 1 else numbers
    return number(name, value, least=least)


def ratio_of(name: str, parts: Sequence[float], wholes: Sequence[float]) -> float:
    """What share the parts are of the wholes, the same in every group."""
    if len(parts) != len(wholes):
        raise ScheduleError(f"{name} have {len(parts)} and {len(wholes)} numbers; give one each per parameter group")
    if 0.0 in wholes:
        raise ScheduleError(f"{name} differ by parameter group, so none may be 0; make one Scheduler per group")
    ratios = [part / whole for part, whole in zip(parts, wholes, strict=True)]
    if not all(math.isclose(ratio, ratios[0], rel_tol=1e-15) for ratio in ratios):
        raise ScheduleError(
            f"{name} stand in another ratio in each parameter group, {', '.join(map(written, ratios))}; one text "
            "multiplies all groups alike, so make one Scheduler per group"
        )
    return ratios[0]


def absolute(value: float) -> Value:
    """The rate itself, whatever the base: `=0.1`. Zero is zero of any base."""
    return Value(value, absolute=value != 0)


def exact(value: float) -> Fraction:
    """The number as it was written: 0.3 is three tenths."""
    return Fraction(repr(value))
