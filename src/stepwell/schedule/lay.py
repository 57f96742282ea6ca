"""Lay an expression over a window of the run: where each phase begins and ends, what it starts from, what it is.

Positions are exact fractions of a step until a boundary is needed; a boundary is the exact position rounded half up.
A phase counts its own steps from its (whole) boundary.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise

import numpy as np

from stepwell.errors import HorizonError, ScheduleError
from stepwell.schedule import shape, table
from stepwell.schedule.laid import Chain, Combined, Constant, Cycles, Laid, Piece, Stairs
from stepwell.schedule.length import Horizon, Length, round_half_up, written
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

FOREVER = Fraction(10**12)  # steps; no run is longer, so cycles are laid out no further
MOST_CYCLES = 10_000
PROBED = 4096  # steps at which a difference is looked at, before the run begins


@dataclass(frozen=True, slots=True)
class Window:
    """The stretch of the run that an expression fills; `stop` is None where it has no end."""

    start: Fraction
    stop: Fraction | None

    @classmethod
    def whole(cls, total_steps: int | None) -> Window:
        """The whole run."""
        return cls(Fraction(0), None if total_steps is None else Fraction(total_steps))

    @property
    def first(self) -> int:
        """The first update in it."""
        return round_half_up(self.start)

    @property
    def end(self) -> int | None:
        """The first update after it."""
        return None if self.stop is None else round_half_up(self.stop)


@dataclass(frozen=True, slots=True)
class Layout:
    """What holds inside a parenthesis: the run, the base value, and what the suffixes around it say."""

    horizon: Horizon
    base: float | None
    stretch: Fraction = Fraction(1)
    stair: float | None = None
    right: bool | None = None

    def steps(self, length: Length) -> Fraction:
        """A length in updates, stretched by the cycles around it."""
        return length.in_steps(self.horizon) * self.stretch

    def value(self, value: Value) -> float:
        """A value as a factor of the base."""
        if not value.absolute:
            return value.number
        if self.base is None:
            raise ScheduleError(f"the absolute value {str(value)!r} needs the base it stands on; pass base_lr=...")
        if self.base == 0:
            raise ScheduleError(f"the absolute value {str(value)!r} cannot be a factor of a base of 0")
        return value.number / self.base

    def inside(self, suffix: Suffix) -> Layout:
        """The layout within a parenthesis with this suffix."""
        stair = self.stair if suffix.stair is None else float(_positive(self, suffix.stair, "by"))
        right = self.right if suffix.side is None else suffix.side == "right"
        return replace(self, stair=stair, right=right)


def lay(node: Expression, window: Window, incoming: float, layout: Layout) -> Laid:
    """Put an expression into its window; `incoming` is where what came before it ended."""
    match node:
        case Value():
            return Constant(layout.value(node))
        case Phase() | Table():
            _check_fill(node, window, layout)
            return _stairs(_piece(node, window, incoming, layout), window, layout, node.suffix)
        case Sequence():
            return _lay_sequence(node, window, incoming, layout)
        case Group():
            inner = lay(node.body, window, incoming, layout.inside(node.suffix))
            return _stairs(inner, window, layout, node.suffix)
        case Repeat():
            return _stairs(_lay_repeat(node, window, incoming, layout), window, layout, node.suffix)
        case Sum():
            return _lay_sum(node, window, layout)
        case Negative():
            return Combined("product", (Constant(-1.0), lay(node.body, window, incoming, layout)))
        case Product(factors=operands):
            return Combined("product", _lay_operands(operands, window, layout))
        case Max(operands=operands):
            return Combined("max", _lay_operands(operands, window, layout))


def natural_length(node: Expression, layout: Layout) -> Fraction | None:
    """The length that an expression has by itself, in updates; None where it takes what is left."""
    match node:
        case Value():
            return None
        case Phase() | Table() if node.suffix.length is not None:
            return layout.steps(node.suffix.length)
        case Phase() | Table():
            return None
        case Sequence(items=items):
            lengths = [natural_length(item, layout) for item in items]
            return None if None in lengths else sum(filter(None, lengths), Fraction(0))
        case Group() | Repeat() if node.suffix.length is not None:
            return layout.steps(node.suffix.length)
        case Group(body=body) | Negative(body=body):
            return natural_length(body, layout)
        case Repeat(count=count, body=body):
            cycle = natural_length(body, layout) if count else None
            return None if cycle is None else cycle * cycle_units(node)
        case Sum(terms=operands) | Product(factors=operands) | Max(operands=operands):
            known = [length for operand in operands if (length := natural_length(operand, layout)) is not None]
            return max(known, default=None)


def cycle_units(node: Repeat) -> Fraction:
    """How many first cycles the `count` cycles are worth together."""
    longer = Fraction(repr(node.longer))
    return sum((longer**k for k in range(node.count or 0)), Fraction(0))


def _stairs(inner: Laid, window: Window, layout: Layout, suffix: Suffix) -> Laid:
    if suffix.stair is None:
        return inner
    return Stairs(inner, window.first, float(_positive(layout, suffix.stair, "by")))


def _lay_sequence(node: Sequence, window: Window, incoming: float, layout: Layout) -> Laid:
    begins: list[int] = []
    parts: list[Laid] = []
    for item, part_window in zip(node.items, _windows(node, window, layout), strict=True):
        if part_window.end is not None and part_window.end <= part_window.first:
            raise HorizonError(
                f"{str(item)!r} rounds to no step at all (it runs from step {float(part_window.start):g} to "
                f"{float(part_window.stop or 0):g}); make it longer or leave it out"
            )
        part = lay(item, part_window, incoming, layout)
        begins.append(part_window.first)
        parts.append(part)
        if part_window.end is not None:
            incoming = part.end_at(part_window.end)
    return Chain(tuple(begins), tuple(parts))


def _windows(node: Sequence, window: Window, layout: Layout) -> list[Window]:
    """Where each item begins and ends; the one without a length takes what the others leave."""
    lengths = [natural_length(item, layout) for item in node.items]
    open_ends = [item for item, length in zip(node.items, lengths, strict=True) if length is None]
    if len(open_ends) > 1:
        texts = " and ".join(repr(str(item)) for item in open_ends)
        raise HorizonError(f"only one phase may take the rest of the run, but {texts} have no length; add `for ...`")
    filled = sum((length for length in lengths if length is not None), Fraction(0))
    if window.stop is None and open_ends and lengths[-1] is not None:
        raise HorizonError(f"{str(open_ends[0])!r} takes the rest of a run without end; pass total_steps=...")
    if window.stop is not None:
        room = window.stop - window.start
        if open_ends:
            if room <= filled:
                raise HorizonError(
                    f"the other phases of {str(node)!r} fill {_count(filled)} of {_count(room)} steps, so nothing is "
                    f"left for {str(open_ends[0])!r}; shorten them or lengthen the run"
                )
            lengths = [room - filled if length is None else length for length in lengths]
        elif round_half_up(window.start + filled) != window.end:
            raise HorizonError(
                f"the phases of {str(node)!r} fill {_count(filled)} of {_count(room)} steps; "
                "leave the length of one phase away, so that it takes the rest"
            )
    positions = [window.start]
    for length in lengths[:-1]:
        positions.append(positions[-1] + (length or 0))
    last = None if lengths[-1] is None else positions[-1] + lengths[-1]
    if window.stop is not None:
        last = window.stop
    return [Window(start, stop) for start, stop in pairwise([*positions, last]) if start is not None]


def _lay_operands(operands: tuple[Expression, ...], window: Window, layout: Layout) -> tuple[Laid, ...]:
    for operand in operands:
        _check_fill(operand, window, layout)
    return tuple(lay(operand, window, 1.0, layout) for operand in operands)


def _lay_sum(node: Sum, window: Window, layout: Layout) -> Combined:
    total = Combined("sum", _lay_operands(node.terms, window, layout))
    if any(isinstance(term, Negative) for term in node.terms):
        stop = window.first + PROBED if window.end is None else window.end
        steps = np.unique(np.linspace(window.first, max(stop - 1, window.first), PROBED).round())
        values = total.at_many(steps)
        if values.min() < -shape.ROUNDING:
            step = int(steps[values.argmin()])
            raise ScheduleError(f"{str(node)!r} falls below 0: it is {values.min():.6g} at step {step}")
    return total


def _lay_repeat(node: Repeat, window: Window, incoming: float, layout: Layout) -> Laid:
    """Every cycle starts where the phase before `repeat` ended; the last one may be cut by the window."""
    _check_fill(node, window, layout)
    inner = layout.inside(node.suffix)
    longer = Fraction(repr(node.longer))
    first = _first_cycle(node, window, inner)
    stop = FOREVER if window.stop is None else window.stop
    most = node.count if node.count is not None else MOST_CYCLES
    periodic = node.longer == 1.0 and node.count is None
    if periodic:
        most = min(most, first.denominator)  # after so many cycles the boundaries fall on whole steps again
    begin, stretch = window.start, Fraction(1)
    begins: list[int] = []
    parts: list[Laid] = []
    while begin < stop and len(parts) < most:
        if first * stretch < 1:
            steps = f"{float(first * stretch):.3g}"
            raise HorizonError(f"cycle {len(parts) + 1} of {str(node)!r} is {steps} steps long; it must be at least 1")
        cycle = Window(begin, begin + first * stretch)
        parts.append(lay(node.body, cycle, incoming, replace(inner, stretch=inner.stretch * stretch)))
        begins.append(cycle.first)
        begin, stretch = begin + first * stretch, stretch * longer
    if begin < stop and not periodic and node.count is None:
        raise HorizonError(
            f"{str(node)!r} has more than {MOST_CYCLES} cycles here; pass total_steps=... or make them longer"
        )
    period = round_half_up(first * len(parts)) if periodic and first.denominator == len(parts) else None
    return Cycles(tuple(begins), tuple(parts), period, node.lower)


def _first_cycle(node: Repeat, window: Window, layout: Layout) -> Fraction:
    """The length of the first cycle; a cycle without a length of its own takes its share of the window."""
    cycle = natural_length(node.body, layout)
    if cycle is None:
        if node.count is None:
            raise HorizonError(
                f"the cycle of {str(node)!r} has no length; give its phases lengths, or say `repeat 3 (...)`"
            )
        if window.stop is None:
            raise HorizonError(
                f"{str(node)!r} takes the rest of a run without end; pass total_steps=... or add `for ...`"
            )
        cycle = (window.stop - window.start) / cycle_units(node)
    if cycle < 1:
        raise HorizonError(f"a cycle of {str(node)!r} is {float(cycle):g} steps long; it must be at least 1")
    return cycle


def _piece(node: Phase | Table, window: Window, incoming: float, layout: Layout) -> Piece:
    if isinstance(node, Table):
        return _table_piece(node, window, layout)
    inner = layout.inside(node.suffix)
    start = incoming if node.start is None else layout.value(node.start)
    offset = float(layout.steps(node.offset)) if node.offset is not None else 0.0
    formula = _formula(node, window, start, offset, layout)
    right = inner.right if inner.right is not None else node.written_from_zero
    stair = inner.stair if inner.stair is not None else 1.0
    piece = Piece(formula, window.first, stair if right else 0.0, node.shape == "steps")
    end = start if window.end is None else _finite_end(node, piece, window.end)
    return replace(piece, lowest_end=min(start, end))


def _table_piece(node: Table, window: Window, layout: Layout) -> Piece:
    inner = layout.inside(node.suffix)
    over = float(len(node.values)) if node.over is None else float(_positive(layout, node.over, "over"))
    offset = 0.0 if node.offset is None else float(layout.steps(node.offset))
    edge = (inner.stair or 1.0) if inner.right else 0.0
    piece = Piece(table.reader(node.values, over=over, offset=offset), window.first, edge, staircase=True)
    ends = [piece.at(window.first), piece.at(window.first) if window.end is None else piece.end_at(window.end)]
    return replace(piece, lowest_end=min(ends))


def _finite_end(node: Phase, piece: Piece, stop: int) -> float:
    """Where the phase ends; growing beyond the largest number is an error here, not at step 40 000."""
    try:
        piece.at(stop)
        return piece.end_at(stop)
    except OverflowError:
        raise ScheduleError(f"{str(node)!r} grows beyond every number within {stop - piece.start} steps") from None


def _formula(node: Phase, window: Window, start: float, offset: float, layout: Layout) -> shape.Formula:
    if node.shape in shape.CLOSED:
        end = layout.value(node.end) if node.end is not None else start
        clock = _clock(node, window, layout)
        if shape.CLOSED[node.shape].blend == "geometric" and (start == 0) != (end == 0):
            raise ScheduleError(f"{str(node)!r} cannot go between 0 and another value; use a small one such as 0.001")
        return shape.closed(
            node.shape,
            start=start,
            end=end,
            clock=clock,
            offset=offset,
            power=1.0 if node.power is None else node.power,
        )
    rate = 1.0 if node.rate is None else node.rate
    if rate > 1 and window.end is None and node.every is not None:
        raise HorizonError(f"{str(node)!r} grows without end; pass total_steps=... or add `for ...`")
    match node.shape:
        case "hold":
            return shape.hold(start=start)
        case "decay" if node.every is not None:
            return shape.decay(start=start, rate=rate, per=float(_positive(layout, node.every, "per")), offset=offset)
        case "steps" if node.every is not None:
            every = float(_positive(layout, node.every, "every"))
            return shape.stairs_every(start=start, rate=rate, every=every, offset=offset)
        case "steps":
            places = [round_half_up(layout.steps(place)) for place in node.at]
            return shape.stairs_at(start=start, rate=rate, at=places, offset=offset)
        case "inverse-sqrt" if node.over is not None:
            return shape.inverse_sqrt(start=start, over=float(_positive(layout, node.over, "over")), offset=offset)
    raise ScheduleError(f"{str(node)!r} lacks its clock")


def _clock(node: Phase, window: Window, layout: Layout) -> float:
    if node.over is not None:
        return float(_positive(layout, node.over, "over"))
    if window.end is None:
        raise HorizonError(f"{str(node)!r} takes the rest of a run without end; pass total_steps=... or add `for ...`")
    return float(window.end - window.first)


def _check_fill(node: Expression, window: Window, layout: Layout) -> None:
    """What has a length of its own must fill its window exactly (a sequence checks its own items)."""
    length = natural_length(node, layout)
    if length is None or window.stop is None or isinstance(node, Sequence):
        return
    if round_half_up(window.start + length) != window.end:
        raise HorizonError(
            f"{str(node)!r} fills {_count(length)} of {_count(window.stop - window.start)} steps; "
            "add a phase such as `| hold`, or leave its length away"
        )


def _positive(layout: Layout, length: Length, word: str) -> Fraction:
    steps = layout.steps(length)
    if steps <= 0:
        raise HorizonError(f"`{word} {length}` must be longer than 0")
    return steps


def _count(steps: Fraction) -> str:
    return written(round(float(steps), 3))
