"""The schedule language read straight from its description: one step at a time, exact positions, nothing remembered.

A second opinion for the fast curves. `read` gives the factors of an expression at some steps.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from stepwell.schedule import Horizon, Length, Unit
from stepwell.schedule.schedule import (
    Expression,
    Group,
    Max,
    Negative,
    Phase,
    Product,
    Repeat,
    Sequence,
    Suffix,
    Sum,
    Table,
    Value,
)

A_LITTLE = Fraction(1, 10**9)  # what floats leave below a stair

WARPS: dict[str, Callable[[float, float], float]] = {
    "linear": lambda u, p: u,
    "exponential": lambda u, p: u,
    "cosine": lambda u, p: (1 - math.cos(math.pi * u)) / 2,
    "1-sqrt": lambda u, p: math.sqrt(u),
    "poly": lambda u, p: 1 - (1 - u) ** p,
    "power": lambda u, p: u**p,
    "log": lambda u, p: math.log(1 + p * u) / math.log(1 + p),
    "tanh": lambda u, p: 0.5 + 0.5 * math.tanh(p * (2 * u - 1)) / math.tanh(p),
}


@dataclass(frozen=True)
class Place:
    """What holds where an expression stands."""

    horizon: Horizon
    base: float
    stretch: Fraction = Fraction(1)
    stair: Fraction | None = None
    right: bool | None = None

    def steps(self, length: Length) -> Fraction:
        run, number = self.horizon, Fraction(repr(length.value))
        match length.unit:
            case Unit.STEPS:
                exact = number
            case Unit.RUN:
                exact = number * Fraction(run.total_steps or 0) / 100
            case Unit.EPOCHS:
                exact = number * Fraction(run.steps_per_epoch or 0)
            case Unit.TOKENS:
                exact = number / Fraction(repr(run.tokens_per_step))
        return exact * self.stretch

    def value(self, value: Value) -> float:
        return value.number / self.base if value.absolute else value.number

    def inside(self, suffix: Suffix) -> Place:
        stair = self.stair if suffix.stair is None else self.steps(suffix.stair)
        return replace(self, stair=stair, right=self.right if suffix.side is None else suffix.side == "right")


@dataclass(frozen=True)
class Part:
    """An expression in its window: its factor at a step, what it hands on where it stops, and its lowest end."""

    at: Callable[[Fraction], float]
    end: Callable[[int], float]
    lowest: float


def read(expression: Expression, horizon: Horizon, steps: Iterable[int], *, base: float) -> list[float]:
    """The factors at these steps."""
    stop = None if horizon.total_steps is None else Fraction(horizon.total_steps)
    part = _part(expression, Fraction(0), stop, 1.0, Place(horizon, base))
    return [part.at(Fraction(step)) for step in steps]


def half_up(exact: Fraction) -> int:
    return math.floor(exact + Fraction(1, 2))


def _length(node: Expression, place: Place) -> Fraction | None:
    suffix = getattr(node, "suffix", Suffix())
    if suffix.length is not None:
        return place.steps(suffix.length)
    match node:
        case Sequence(items=items):
            lengths = [_length(item, place) for item in items]
            return None if None in lengths else sum((one for one in lengths if one is not None), Fraction(0))
        case Group(body=body) | Negative(body=body):
            return _length(body, place)
        case Repeat(body=body, count=count) if count is not None:
            cycle = _length(body, place)
            return None if cycle is None else cycle * _cycles_before(node, count)
        case Sum(terms=operands) | Product(factors=operands) | Max(operands=operands):
            return max((one for operand in operands if (one := _length(operand, place)) is not None), default=None)
    return None


def _part(node: Expression, start: Fraction, stop: Fraction | None, incoming: float, place: Place) -> Part:
    match node:
        case Value():
            value = place.value(node)
            return Part(lambda t: value, lambda t: value, value)
        case Phase():
            part = _phase(node, half_up(start), None if stop is None else half_up(stop), incoming, place)
        case Table():
            part = _table(node, half_up(start), place)
        case Sequence():
            return _sequence(node, start, stop, incoming, place)
        case Group(body=body):
            part = _part(body, start, stop, incoming, place.inside(node.suffix))
        case Repeat():
            part = _repeat(node, start, stop, incoming, place.inside(node.suffix))
        case Negative(body=body):
            taken = _part(body, start, stop, incoming, place)
            return Part(lambda t: -taken.at(t), lambda t: -taken.end(t), -math.inf)
        case Sum(terms=operands) | Product(factors=operands) | Max(operands=operands):
            fold: Any = {Sum: math.fsum, Product: math.prod, Max: max}[type(node)]
            parts = [_part(operand, start, stop, 1.0, place) for operand in operands]
            return Part(
                lambda t: fold([part.at(t) for part in parts]),
                lambda t: fold([part.end(t) for part in parts]),
                fold([part.lowest for part in parts]),
            )
    stair = node.suffix.stair
    return part if stair is None else _by(part, half_up(start), place.steps(stair))


def _by(part: Part, first: int, unit: Fraction) -> Part:
    """Read once per unit."""
    return replace(part, at=lambda t: part.at(first + math.floor((t - first + A_LITTLE) / unit) * unit))


def _phase(node: Phase, first: int, stop: int | None, incoming: float, place: Place) -> Part:
    inner = place.inside(node.suffix)
    start = incoming if node.start is None else place.value(node.start)
    from_zero = node.start is not None and node.end is not None and node.start.number == 0
    right = from_zero if inner.right is None else inner.right
    edge = (inner.stair or Fraction(1)) if right else Fraction(0)
    begun = Fraction(0) if node.offset is None else place.steps(node.offset)

    def formula(since: Fraction) -> float:
        return _formula(node, since + begun, start, None if stop is None else Fraction(stop - first), place)

    def end(t: int) -> float:
        return formula(Fraction(max(t - first - 1, 0) if node.shape == "steps" else t - first))

    last = formula(Fraction(10**12 if stop is None else stop - first) + edge)
    return Part(lambda t: formula(t - first + edge), end, min(start, last))


def _formula(node: Phase, clock: Fraction, start: float, length: Fraction | None, place: Place) -> float:
    """The value of a shape when so much of its clock is over."""
    rate = 1.0 if node.rate is None else node.rate
    if node.shape == "hold":
        return start
    if node.end is not None:
        over = place.steps(node.over) if node.over is not None else length
        assert over is not None
        end, u = place.value(node.end), float(min(max(clock / over, Fraction(0)), Fraction(1)))
        w = WARPS[node.shape](u, 1.0 if node.power is None else node.power)
        if node.shape == "exponential":
            return start * (end / start) ** w if start else 0.0
        return start + (end - start) * w
    if node.at:
        return start * rate ** sum(half_up(place.steps(one)) <= clock for one in node.at)
    if node.shape == "inverse-sqrt":
        assert node.over is not None
        return start / math.sqrt(1 + float(clock / place.steps(node.over)))
    assert node.every is not None
    passed = clock / place.steps(node.every)
    return start * rate ** (math.floor(passed + A_LITTLE) if node.shape == "steps" else float(passed))


def _table(node: Table, first: int, place: Place) -> Part:
    inner, values = place.inside(node.suffix), node.values.array.tolist()
    over = Fraction(len(values)) if node.over is None else place.steps(node.over)
    begun = Fraction(0) if node.offset is None else place.steps(node.offset)
    edge = (inner.stair or Fraction(1)) if inner.right else Fraction(0)

    def formula(since: Fraction) -> float:
        index = math.floor((since + begun) * len(values) / over + A_LITTLE)
        return float(values[min(max(index, 0), len(values) - 1)])

    def end(t: int) -> float:
        return formula(Fraction(max(t - first - 1, 0)))

    return Part(lambda t: formula(t - first + edge), end, min(values))


def _sequence(node: Sequence, start: Fraction, stop: Fraction | None, incoming: float, place: Place) -> Part:
    lengths = [_length(item, place) for item in node.items]
    if stop is not None and None in lengths:
        lengths[lengths.index(None)] = stop - start - sum((one for one in lengths if one is not None), Fraction(0))
    begin, parts = start, []
    for item, length in zip(node.items, lengths, strict=True):
        end = stop if item is node.items[-1] and stop is not None else None if length is None else begin + length
        part = _part(item, begin, end, incoming, place)
        parts.append((half_up(begin), part))
        if end is not None:
            begin, incoming = end, part.end(half_up(end))

    def at(t: Fraction) -> float:
        return [part for first, part in parts if first <= t][-1].at(t)

    def handed_on(t: int) -> float:
        return [part for first, part in parts if first < t][-1].end(t)

    return Part(at, handed_on, min(part.lowest for _, part in parts))


def _cycles_before(node: Repeat, number: int) -> Fraction:
    """How many first cycles so many cycles are worth."""
    longer = Fraction(repr(node.longer))
    return sum((longer**k for k in range(number)), Fraction(0))


def _repeat(node: Repeat, start: Fraction, stop: Fraction | None, incoming: float, place: Place) -> Part:
    cycle = _length(node.body, place)
    if cycle is None:
        assert stop is not None
        assert node.count is not None
        cycle = (stop - start) / _cycles_before(node, node.count)
    first, laid = cycle, [(half_up(start), _part(node.body, start, start + cycle, incoming, place))]

    def cycles_until(t: Fraction | int) -> list[tuple[int, Part]]:
        """All that begin by then, laid as they are needed."""
        while laid[-1][0] <= t and (node.count is None or len(laid) < node.count):
            begin = start + first * _cycles_before(node, len(laid))
            if stop is not None and half_up(begin) >= half_up(stop):
                break
            stretch = Fraction(repr(node.longer)) ** len(laid)
            inner = replace(place, stretch=place.stretch * stretch)
            laid.append((half_up(begin), _part(node.body, begin, begin + first * stretch, incoming, inner)))
        return laid

    lowest = laid[0][1].lowest

    def lowered(number: int, value: float) -> float:
        scale = node.lower**number
        return lowest * (1 - scale) + value * scale

    def at(t: Fraction) -> float:
        number = sum(begin <= t for begin, _ in cycles_until(t)) - 1
        return lowered(number, laid[number][1].at(t))

    def end(t: int) -> float:
        number = sum(begin < t for begin, _ in cycles_until(t)) - 1
        return lowered(number, laid[number][1].end(t))

    known = cycles_until(start if stop is None else half_up(stop))
    return Part(at, end, min(part.lowest for _, part in known))
