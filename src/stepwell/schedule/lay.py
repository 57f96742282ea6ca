"""Lay an expression over a window of the run: where each phase begins and ends, what it starts from, what it is.

Positions are exact fractions of a step until a boundary is needed; a boundary is the exact position rounded half up.
A phase counts its own steps from its (whole) boundary.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

from stepwell.errors import HorizonError
from stepwell.schedule.laid import Chain, Combined, Constant, Cycles, Laid, Stairs
from stepwell.schedule.layout import FOREVER, Layout, Window
from stepwell.schedule.length import round_half_up, written
from stepwell.schedule.phase import piece_of
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

MOST_CYCLES = 10_000


def lay(node: Expression, window: Window, incoming: float, layout: Layout) -> Laid:
    """Put an expression into its window; `incoming` is where what came before it ended."""
    match node:
        case Value():
            return Constant(layout.value(node))
        case Phase() | Table():
            _check_fill(node, window, layout)
            return _stairs(piece_of(node, window, incoming, layout), window, layout, node.suffix)
        case Sequence():
            return _lay_sequence(node, window, incoming, layout)
        case Group():
            inner = lay(node.body, window, incoming, layout.inside(node.suffix))
            return _stairs(inner, window, layout, node.suffix)
        case Repeat():
            return _stairs(_lay_repeat(node, window, incoming, layout), window, layout, node.suffix)
        case Sum(terms=operands):
            return Combined("sum", _lay_operands(operands, window, layout))
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
    if (node.count or 0) > MOST_CYCLES:
        raise HorizonError(
            f"{str(node)!r} has {node.count} cycles; at most {MOST_CYCLES} are counted, leave the number away"
        )
    longer = Fraction(repr(node.longer))
    return sum((longer**k for k in range(node.count or 0)), Fraction(0))


def _stairs(inner: Laid, window: Window, layout: Layout, suffix: Suffix) -> Laid:
    if suffix.stair is None:
        return inner
    return Stairs(inner, window.first, float(layout.positive(suffix.stair, "by")))


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
        if first.denominator > MOST_CYCLES and (stop - window.start) > first * MOST_CYCLES:
            raise HorizonError(
                f"the cycle of {str(node)!r} is {float(first):.9g} steps long, which comes back to whole steps only "
                f"after {first.denominator} cycles; round it, or pass total_steps=..."
            )
    begin, stretch = window.start, Fraction(1)
    begins: list[int] = []
    parts: list[Laid] = []
    while begin < stop and len(parts) < most and not (parts and round_half_up(begin) == window.end):
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
    _check_cycles(node, len(parts), begin - window.start, window)
    period = round_half_up(first * len(parts)) if periodic and first.denominator == len(parts) else None
    return Cycles(tuple(begins), tuple(parts), period, node.lower, window.end)


def _check_cycles(node: Repeat, laid: int, filled: Fraction, window: Window) -> None:
    """As many cycles as are written begin in the window, and they leave nothing of it over; the last may be cut."""
    if node.count is None or window.stop is None:
        return
    room = window.stop - window.start
    if laid < node.count:
        raise HorizonError(
            f"only {laid} of the {node.count} cycles of {str(node)!r} begin within its {_count(room)} steps; "
            "leave the number away, or make the cycles shorter"
        )
    if round_half_up(window.start + filled) < (window.end or 0):
        raise HorizonError(
            f"the {node.count} cycles of {str(node)!r} fill {_count(filled)} of {_count(room)} steps; "
            "leave the number or the length away"
        )


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


def _count(steps: Fraction) -> str:
    return written(round(float(steps), 3))
