"""What varies between two appearances of an item: values drawn by a seed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from types import MappingProxyType
from typing import TypeAlias

from stepwell.learn.fields import Fields
from stepwell.learn.functions import CONSTANTS, FUNCTIONS

Value: TypeAlias = bool | int | float | str

MOST_VALUES = 1_000


@dataclass(frozen=True, slots=True)
class Parameters:
    """Values to draw from: one of each axis, and one of the cases, whose values belong together.

    Args:
        axes: name -> its values, drawn independently.
        cases: tables with the same names, of which one is drawn.
    """

    axes: tuple[tuple[str, tuple[Value, ...]], ...] = ()
    cases: tuple[Mapping[str, Value], ...] = ()

    @property
    def names(self) -> frozenset[str]:
        """What texts and claims may use."""
        return frozenset(name for name, _ in self.axes) | frozenset(self.cases[0] if self.cases else ())

    @property
    def count(self) -> int:
        """How many different sets there are; 1 where nothing varies."""
        number = max(len(self.cases), 1)
        for _, values in self.axes:
            number *= len(values)
        return number

    def number_of(self, item: str, seed: int) -> int:
        """Which set a seed draws for an item."""
        return Random(f"{item}/{seed}/parameters").randrange(self.count)

    def values(self, number: int) -> Mapping[str, Value]:
        """The set of this number, from 0 to `count`, the last left out."""
        number, place = divmod(number, max(len(self.cases), 1))
        drawn: dict[str, Value] = dict(self.cases[place]) if self.cases else {}
        for name, values in self.axes:
            number, place = divmod(number, len(values))
            drawn[name] = values[place]
        return MappingProxyType(drawn)


def read(item: Fields) -> Parameters:
    """The parameters of an item's tables `parameters` and `cases`."""
    axes: tuple[tuple[str, tuple[Value, ...]], ...] = ()
    if item.has("parameters"):
        fields = item.under("parameters")
        axes = tuple((name, _axis(fields, name)) for name in fields.table)
        fields.close()
    cases = _cases(item)
    both = [name for name, _ in axes if cases and name in cases[0]]
    if both:
        item.refuse("cases", f"{both[0]!r} is in [item.parameters] too; keep one of the two")
    return Parameters(axes, cases)


def _axis(fields: Fields, name: str) -> tuple[Value, ...]:
    _check_name(fields, name)
    found = fields.raw(name)
    if isinstance(found, dict):
        return _range(fields, name)
    if not isinstance(found, list) or len(found) < 2:
        fields.refuse(name, f"expected two values or more, got {found!r:.60}; type: {name} = [0.1, 0.2]")
    values = tuple(_value(fields, name, part) for part in found)
    if len(set(values)) < len(values):
        fields.refuse(name, f"a value is there twice: {found!r:.60}; write each once")
    return values


def _range(fields: Fields, name: str) -> tuple[Value, ...]:
    inner = fields.under(name)
    first, last, step = (inner.raw(part) for part in ("from", "to", "by"))
    inner.close()
    step = 1 if step is None else step
    numbers = [part for part in (first, last, step) if isinstance(part, int | float) and not isinstance(part, bool)]
    if len(numbers) < 3 or not step > 0 or not last > first or (last - first) / step > MOST_VALUES:
        fields.refuse(name, f"expected a rising range, got {inner.table!r:.80}; type: {name} = {{ from = 1, to = 9 }}")
    count = int((last - first) / step + 1e-9) + 1
    return tuple(round(first + place * step, 12) for place in range(count))


def _cases(item: Fields) -> tuple[Mapping[str, Value], ...]:
    found = item.raw("cases")
    if found is None:
        return ()
    example = "cases = [{ rate = 0.1 }, { rate = 0.2 }]"
    if not isinstance(found, list) or len(found) < 2 or not all(isinstance(case, dict) and case for case in found):
        item.refuse("cases", f"expected two tables or more, got {found!r:.60}; type: {example}")
    if any(case.keys() != found[0].keys() for case in found):
        item.refuse("cases", f"every case needs the same names, the first has {', '.join(sorted(found[0]))}")
    cases = []
    for case in found:
        for name in case:
            _check_name(item, name)
        cases.append(MappingProxyType({name: _value(item, "cases", value) for name, value in case.items()}))
    return tuple(cases)


def _check_name(fields: Fields, name: str) -> None:
    if not name.isidentifier() or name.startswith("_") or name in FUNCTIONS or name in CONSTANTS:
        fields.refuse(name, f"{name!r} cannot name a parameter; use a plain name that no function of claims has")


def _value(fields: Fields, name: str, found: object) -> Value:
    if not isinstance(found, bool | int | float | str):
        fields.refuse(name, f"a value is a number, a text or a truth value, got {found!r:.60}")
    return found
