"""From a phase to its formula: what it starts from, its clock, where it is read, how far it goes."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

from stepwell.errors import HorizonError, ScheduleError
from stepwell.schedule import shape, table
from stepwell.schedule.laid import Piece
from stepwell.schedule.layout import FOREVER, Layout, Window
from stepwell.schedule.length import round_half_up
from stepwell.schedule.schedule import Phase, Table


def piece_of(node: Phase | Table, window: Window, incoming: float, layout: Layout) -> Piece:
    """The formula of a phase in its place; `incoming` is where what came before it ended."""
    if isinstance(node, Table):
        return _table_piece(node, window, layout)
    inner = layout.inside(node.suffix)
    start = incoming if node.start is None else layout.value(node.start)
    offset = float(layout.steps(node.offset)) if node.offset is not None else 0.0
    formula = _formula(node, window, start, offset, layout)
    right = inner.right if inner.right is not None else node.written_from_zero
    stair = inner.stair if inner.stair is not None else 1.0
    piece = Piece(formula, window.first, stair if right else 0.0, node.shape == "steps")
    end = _finite_end(node, piece, window.end)
    return replace(piece, bounds=(min(start, end), max(start, end)))  # every shape is monotone


def _table_piece(node: Table, window: Window, layout: Layout) -> Piece:
    inner = layout.inside(node.suffix)
    over = float(len(node.values)) if node.over is None else float(layout.positive(node.over, "over"))
    offset = 0.0 if node.offset is None else float(layout.steps(node.offset))
    edge = (inner.stair or 1.0) if inner.right else 0.0
    reader = table.reader(node.values, over=over, offset=offset)
    return Piece(reader, window.first, edge, staircase=True, bounds=node.values.bounds)


def _finite_end(node: Phase, piece: Piece, stop: int | None) -> float:
    """Where the phase comes to at last; growing beyond the largest number is an error here, not at step 40 000."""
    last = piece.start + float(FOREVER) if stop is None else stop
    try:
        piece.at(last)
        return float(piece.formula(last - piece.start + piece.edge, shape.SCALAR))
    except OverflowError:
        raise ScheduleError(f"{str(node)!r} grows beyond every number within {last - piece.start:g} steps") from None


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
    return _open_formula(node, window, start, offset, layout)


def _open_formula(node: Phase, window: Window, start: float, offset: float, layout: Layout) -> shape.Formula:
    rate = 1.0 if node.rate is None else node.rate
    if rate > 1 and window.end is None and node.every is not None:
        raise HorizonError(f"{str(node)!r} grows without end; pass total_steps=... or add `for ...`")
    match node.shape:
        case "hold":
            return shape.hold(start=start)
        case "decay" if node.every is not None:
            return shape.decay(start=start, rate=rate, per=float(layout.positive(node.every, "per")), offset=offset)
        case "steps" if node.every is not None:
            every = float(layout.positive(node.every, "every"))
            return shape.stairs_every(start=start, rate=rate, every=every, offset=offset)
        case "steps":
            places = _places(node, layout)
            return shape.stairs_at(start=start, rate=rate, at=places, offset=offset)
        case "inverse-sqrt" if node.over is not None:
            return shape.inverse_sqrt(start=start, over=float(layout.positive(node.over, "over")), offset=offset)
    raise ScheduleError(f"{str(node)!r} lacks its clock")


def _places(node: Phase, layout: Layout) -> list[int]:
    """Where `steps at` falls, in updates; units may be mixed, the order may not."""
    places = [round_half_up(layout.steps(place)) for place in node.at]
    for (before, after), place in zip(pairwise(places), node.at[1:], strict=True):
        if after <= before:
            raise HorizonError(
                f"the places of {str(node)!r} must ascend, but {place} is step {after}, not after {before}"
            )
    return places


def _clock(node: Phase, window: Window, layout: Layout) -> float:
    if node.over is not None:
        return float(layout.positive(node.over, "over"))
    if window.end is None:
        raise HorizonError(f"{str(node)!r} takes the rest of a run without end; pass total_steps=... or add `for ...`")
    return float(window.end - window.first)
