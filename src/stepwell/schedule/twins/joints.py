"""Schedules as parts of another: begun at their own first value, and cut to a length."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from stepwell.errors import ScheduleError
from stepwell.schedule.length import Length, Unit
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


def anchored(node: Expression) -> Expression:
    """The expression with its first value written out, so that it begins there whatever comes before it."""
    match node:
        case Phase() if node.start is None:
            return replace(node, start=Value(1.0))
        case Sequence(items=items):
            return Sequence((anchored(items[0]), *items[1:]))
        case Group(body=body) | Repeat(body=body):
            return replace(node, body=anchored(body))
    return node


def cut(node: Expression, length: int) -> Expression:
    """The first `length` steps of an expression whose own lengths are in steps."""
    head = _head(node, Fraction(length))
    suffix = Suffix(length=Length(float(length)))
    if isinstance(head, Phase | Table | Repeat) and head.suffix.length is None:
        return replace(head, suffix=replace(head.suffix, length=suffix.length))
    return Group(head, suffix)


def _head(node: Expression, length: Fraction) -> Expression:
    """The node without a length of its own, and without what lies beyond `length`."""
    own = _natural(node)
    if own is not None and own < length:
        raise ScheduleError(f"{str(node)!r} ends before the milestone after {float(length):g} steps")
    match node:
        case Phase(suffix=suffix) if node.end is not None and node.over is None:
            return replace(node, over=suffix.length, suffix=replace(suffix, length=None))
        case Phase() | Table() | Repeat(count=None):
            return replace(node, suffix=replace(node.suffix, length=None))
        case Group(body=body, suffix=suffix):
            return Group(_head(body, length), replace(suffix, length=None))
        case Sequence(items=items):
            return _head_of_items(items, length)
        case Sum() | Product() | Max() | Negative():
            return _head_of_operands(node, length)
    return node


def _head_of_operands(node: Sum | Product | Max | Negative, length: Fraction) -> Expression:
    match node:
        case Sum(terms=operands):
            return Sum(tuple(_head(operand, length) for operand in operands))
        case Product(factors=operands):
            return Product(tuple(_head(operand, length) for operand in operands))
        case Max(operands=operands):
            return Max(tuple(_head(operand, length) for operand in operands))
        case Negative(body=body):
            return Negative(_head(body, length))


def _head_of_items(items: tuple[Expression, ...], length: Fraction) -> Expression:
    kept: list[Expression] = []
    left = length
    for item in items:
        own = _natural(item)
        if own is None or own >= left:
            kept.append(_head(item, left))
            return kept[0] if len(kept) == 1 else Sequence(tuple(kept))
        kept.append(item)
        left -= own
    raise ScheduleError(
        f"{' | '.join(map(str, items))!r} ends after {float(length - left):g} steps, before the milestone at "
        f"{float(length):g}"
    )


def _natural(node: Expression) -> Fraction | None:
    """The length in steps that stands at the node itself."""
    if not isinstance(node, Phase | Table | Group | Repeat) or node.suffix.length is None:
        return None
    length = node.suffix.length
    if length.unit is not Unit.STEPS:
        raise ScheduleError(f"milestones count steps, so {str(node)!r} must too; write its length in steps")
    return Fraction(repr(length.value))
