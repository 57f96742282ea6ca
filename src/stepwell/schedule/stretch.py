"""The same schedule for a shorter or longer run: a miniature of it, complete from warm-up to cooldown."""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from fractions import Fraction
from typing import Any, TypeVar

from stepwell.schedule.length import Length, Unit
from stepwell.schedule.schedule import Entry, Expression, Schedule, Sequence, Suffix, Table

Node = TypeVar("Node")


def stretched(schedule: Schedule, ratio: Fraction) -> Schedule:
    """The schedule with every length in steps, epochs or tokens multiplied by `ratio`; shares of the run stay.

    A controller's counts of checks, such as a plateau's patience, are multiplied too and rounded half up. A phase of
    at least one step keeps one, taken from the longest phase beside it, so that a miniature has all phases.

    Example:
        >>> from stepwell.schedule import parse
        >>> stretched(parse("linear 0..1 for 500 | cosine to 0.1"), Fraction(1, 4))
        schedule('linear 0..1 for 125 | cosine to 0.1')
    """
    return Schedule(tuple(_entry(entry, ratio) for entry in schedule.entries))


def _entry(entry: Entry, ratio: Fraction) -> Entry:
    controller = None if entry.controller is None else entry.controller.stretched(ratio)
    return Entry(entry.name, _stretch(entry.expression, ratio), controller)


def _stretch(node: Node, ratio: Fraction) -> Node:
    """The node with every length inside it stretched."""
    stretched_node: Any = node
    if isinstance(node, Table) and node.over is None:
        stretched_node = node = replace(node, over=Length(float(len(node.values))))  # the same, as a length
    if isinstance(node, Length):
        if node.unit is not Unit.RUN:
            stretched_node = Length(float(Fraction(repr(node.value)) * ratio), node.unit)
    elif isinstance(node, Suffix):
        stretched_node = replace(node, length=_at_least_a_step(node.length, ratio), stair=_stretch(node.stair, ratio))
    elif isinstance(node, Sequence):
        stretched_node = Sequence(_in_balance(node.items, ratio))
    elif isinstance(node, tuple):
        stretched_node = tuple(_stretch(member, ratio) for member in node)
    elif is_dataclass(node) and not isinstance(node, type):
        stretched_node = replace(node, **{f.name: _stretch(getattr(node, f.name), ratio) for f in fields(node)})
    result: Node = stretched_node
    return result


def _at_least_a_step(length: Length | None, ratio: Fraction) -> Length | None:
    small = _stretch(length, ratio)
    if length is None or small is None or length.unit is not Unit.STEPS:
        return small
    return Length(1.0) if small.value < 1 <= length.value else small


def _in_balance(items: tuple[Expression, ...], ratio: Fraction) -> tuple[Expression, ...]:
    """The items stretched; what short ones got beyond their share is taken from the longest."""
    small = [_stretch(item, ratio) for item in items]
    steps = {index: length for index, item in enumerate(small) if (length := _own_steps(item)) is not None}
    whole = sum((length for item in items if (length := _own_steps(item)) is not None), Fraction(0))
    lent = sum(steps.values(), Fraction(0)) - whole * ratio
    longest = max(steps, key=lambda index: steps[index], default=0)
    if lent > 0 and steps[longest] - lent >= 1:
        item: Any = small[longest]
        rest = Length(float(steps[longest] - lent))
        small[longest] = replace(item, suffix=replace(item.suffix, length=rest))
    return tuple(small)


def _own_steps(node: Expression) -> Fraction | None:
    """The length in steps that stands at the node itself."""
    length = getattr(node, "suffix", Suffix()).length
    return Fraction(repr(length.value)) if length is not None and length.unit is Unit.STEPS else None
