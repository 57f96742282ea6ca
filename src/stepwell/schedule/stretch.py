"""The same schedule for a shorter or longer run: a miniature of it, complete from warm-up to cooldown."""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from fractions import Fraction
from typing import Any, TypeVar

from stepwell.schedule.length import Length, Unit
from stepwell.schedule.schedule import Entry, Schedule, Table

Node = TypeVar("Node")


def stretched(schedule: Schedule, ratio: Fraction) -> Schedule:
    """The schedule with every length in steps, epochs or tokens multiplied by `ratio`; shares of the run stay.

    A controller's counts of checks, such as a plateau's patience, are multiplied too and rounded half up.

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
    elif isinstance(node, tuple):
        stretched_node = tuple(_stretch(member, ratio) for member in node)
    elif is_dataclass(node) and not isinstance(node, type):
        stretched_node = replace(node, **{f.name: _stretch(getattr(node, f.name), ratio) for f in fields(node)})
    result: Node = stretched_node
    return result
