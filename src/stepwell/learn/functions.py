"""What a claim may call: functions of plain values, and nothing else."""

from __future__ import annotations

import itertools
import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from typing import Any

MOST = 10_000
"""The longest list or text that a claim may make."""


def isclose(a: float, b: float, rel_tol: float = 1e-9, abs_tol: float = 0.0) -> bool:
    """Whether two numbers agree within either tolerance."""
    return math.isclose(a, b, rel_tol=rel_tol, abs_tol=abs_tol)


def allclose(a: Sequence[float], b: Sequence[float], rel_tol: float = 1e-9, abs_tol: float = 0.0) -> bool:
    """Whether two lists of the same length agree number by number."""
    return len(a) == len(b) and all(isclose(x, y, rel_tol, abs_tol) for x, y in zip(a, b, strict=True))


def diff(values: Sequence[float]) -> list[float]:
    """Each value minus the one before it; one shorter than the list."""
    return [after - before for before, after in itertools.pairwise(values)]


def share(values: Sequence[bool]) -> float:
    """The share of a list that is true, from 0 to 1."""
    return sum(1 for value in values if value) / len(values)


def count(values: Sequence[Any] | str, part: Any) -> int:
    """How often a value is in a list, or a text in a text."""
    return values.count(part)


def unique(values: Sequence[Any]) -> list[Any]:
    """The values of a list without repetitions, in the order of their first place."""
    kept: list[Any] = []
    for value in values[:MOST]:
        if value not in kept:
            kept.append(value)
    return kept


def numbers(*ends: int) -> list[int]:
    """`range` as a list, of a bounded length."""
    span = range(*ends)
    if len(span) > MOST:
        raise ValueError(f"range gives {len(span)} numbers, at most {MOST} are allowed")
    return list(span)


def rounded(number: float, digits: int = 0) -> float:
    """`round`, which Python lets take unbounded time for unbounded digits."""
    if abs(digits) > 30:
        raise ValueError(f"round takes at most 30 digits, got {digits}")
    return round(number, digits) if digits else round(number)


def text(value: object) -> str:
    """A number or a text as a text."""
    if not isinstance(value, str | int | float | None):
        raise TypeError(f"str takes a number or a text, got {value!r:.40}")
    return str(value)


def std(values: Sequence[float]) -> float:
    """The sample standard deviation; 0 for a single value."""
    return statistics.stdev(values) if len(values) > 1 else 0.0


def argmin(values: Sequence[float]) -> int:
    """The place of the smallest value, from 0."""
    return list(values).index(min(values))


def argmax(values: Sequence[float]) -> int:
    """The place of the largest value, from 0."""
    return list(values).index(max(values))


def _listed(function: Callable[..., Any]) -> Callable[..., list[Any]]:
    def as_list(*arguments: Any) -> list[Any]:
        return [list(part) if isinstance(part, tuple) else part for part in function(*arguments)]

    return as_list


FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "abs": abs,
    "all": all,
    "allclose": allclose,
    "any": any,
    "argmax": argmax,
    "argmin": argmin,
    "cos": math.cos,
    "count": count,
    "diff": diff,
    "enumerate": _listed(enumerate),
    "exp": math.exp,
    "float": float,
    "int": int,
    "isclose": isclose,
    "isfinite": math.isfinite,
    "isnan": math.isnan,
    "len": len,
    "log": math.log,
    "log10": math.log10,
    "lower": str.lower,
    "max": max,
    "mean": statistics.fmean,
    "median": statistics.median,
    "min": min,
    "range": numbers,
    "reversed": _listed(reversed),
    "round": rounded,
    "share": share,
    "sorted": sorted,
    "sqrt": math.sqrt,
    "std": std,
    "str": text,
    "sum": sum,
    "unique": unique,
    "zip": _listed(zip),
}

CONSTANTS: Mapping[str, float] = {"pi": math.pi, "inf": math.inf}
