"""Where each written phase lies on the run: the tree of a schedule and its laid parts, walked together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import count
from typing import NamedTuple

from stepwell.schedule.laid import Chain, Combined, Cycles, Laid, Stairs
from stepwell.schedule.schedule import (
    Expression,
    Group,
    Max,
    Negative,
    Phase,
    Product,
    Repeat,
    Sum,
    Table,
    Value,
)
from stepwell.schedule.schedule import Sequence as Phases


class Span(NamedTuple):
    """A phase, table, number or `max(...)`, and the updates `first` to `stop - 1` that it decides.

    `behind` is how many steps the run is behind what `laid` speaks of: later cycles of a repeat are read in the first.
    """

    node: Phase | Table | Value | Max
    laid: Laid
    first: int
    stop: int
    behind: int = 0
    repeated: bool = False
    later_cycle: bool = False

    @property
    def hands_on(self) -> float:
        """The value that it ends with."""
        return self.laid.end_at(self.stop - self.behind)


def spans(node: Expression, laid: Laid, first: int, stop: int) -> Iterator[Span]:
    """Everything below `node` that decides updates from `first` up to `stop`, in order within each operand."""
    if isinstance(laid, Stairs):
        yield from spans(node.body if isinstance(node, Group) else node, laid.inner, first, stop)
        return
    match node, laid:
        case Group(), _:
            yield from spans(node.body, laid, first, stop)
        case Phases(), Chain():
            yield from _chained(node.items, laid, stop)
        case Repeat(), Cycles():
            yield from _cycled(node.body, laid, stop)
        case Negative(), Combined():
            yield from spans(node.body, laid.operands[1], first, stop)
        case ((Sum() | Product() | Max()), Combined()):
            if isinstance(node, Max):
                yield Span(node, laid, first, stop)
            for operand, part in zip(operands_of(node), laid.operands, strict=True):
                yield from spans(operand, part, first, stop)
        case ((Phase() | Table() | Value()), _):
            yield Span(node, laid, first, stop)


class Joint(NamedTuple):
    """Where one phase ends and the next begins: the value handed on, and the one that it begins with."""

    step: int
    node: Expression
    before: float
    after: float


def joints(node: Expression, laid: Laid) -> Iterator[Joint]:
    """Every joint of a sequence below `node`, but not those inside a repeat, where cycles start anew."""
    if isinstance(laid, Stairs):
        yield from joints(node.body if isinstance(node, Group) else node, laid.inner)
        return
    match node, laid:
        case Group(), _:
            yield from joints(node.body, laid)
        case Negative(), Combined():
            yield from joints(node.body, laid.operands[1])
        case ((Sum() | Product() | Max()), Combined()):
            for operand, part in zip(operands_of(node), laid.operands, strict=True):
                yield from joints(operand, part)
        case Phases(), Chain():
            for item, part in zip(node.items, laid.parts, strict=True):
                yield from joints(item, part)
            for item, step, left, right in zip(
                node.items[1:], laid.begins[1:], laid.parts[:-1], laid.parts[1:], strict=True
            ):
                yield Joint(step, item, left.end_at(step), right.end_at(step))


def operands_of(node: Sum | Product | Max) -> tuple[Expression, ...]:
    """What is added, multiplied or compared."""
    match node:
        case Sum():
            return node.terms
        case Product():
            return node.factors
        case Max():
            return node.operands


def _chained(items: Sequence[Expression], laid: Chain, stop: int) -> Iterator[Span]:
    ends = (*laid.begins[1:], stop)
    for item, part, begin, end in zip(items, laid.parts, laid.begins, ends, strict=True):
        if begin < stop:
            yield from spans(item, part, begin, min(end, stop))


def _cycled(body: Expression, laid: Cycles, stop: int) -> Iterator[Span]:
    """The cycles as they are laid, again and again where they are periodic."""
    whole = stop if laid.period is None else laid.begins[0] + laid.period
    ends = (*laid.begins[1:], whole)
    turn = [
        span._replace(repeated=True, later_cycle=span.later_cycle or index > 0)
        for index, (part, begin, end) in enumerate(zip(laid.parts, laid.begins, ends, strict=True))
        if begin < stop
        for span in spans(body, part, begin, end)
    ]
    for number in count():
        behind = number * (laid.period or 0)
        for span in turn:
            if span.first + behind < stop:
                yield span._replace(
                    first=span.first + behind,
                    stop=min(span.stop + behind, stop),
                    behind=span.behind + behind,
                    later_cycle=span.later_cycle or number > 0,
                )
        if laid.period is None or laid.begins[0] + behind + laid.period >= stop:
            return
