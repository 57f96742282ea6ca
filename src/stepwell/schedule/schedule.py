"""A schedule as a frozen value: phases in order, repeated, added and multiplied. Its text is `str(schedule)`."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, TypeAlias

from stepwell.errors import ScheduleError
from stepwell.schedule.control import Controller, is_controller
from stepwell.schedule.leaf import NO_SUFFIX, Phase, Side, Suffix, Table, Value
from stepwell.schedule.length import Horizon, plain_number, written

if TYPE_CHECKING:
    from stepwell.schedule.curve import Curve

__all__ = (
    "Entry", "Expression", "Group", "Max", "Negative", "Phase", "Product", "Repeat", "Schedule", "Sequence", "Side",
    "Suffix", "Sum", "Table", "Value", "absolute_values",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Sequence:
    """One thing after the other."""

    items: tuple[Expression, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "items", _flat(self.items, Sequence, "items"))

    def __str__(self) -> str:
        return " | ".join(map(_as_item, self.items))


@dataclass(frozen=True, slots=True)
class Group:
    """A parenthesis with a suffix of its own."""

    body: Expression
    suffix: Suffix

    def __post_init__(self) -> None:
        _check_expression(self.body)

    def __str__(self) -> str:
        return f"({self.body}){self.suffix}"


@dataclass(frozen=True, slots=True)
class Repeat:
    """Cycles: `count` of them, or as many as fit; each `longer` than the one before, and `lower`."""

    body: Expression
    count: int | None = None
    longer: float = 1.0
    lower: float = 1.0
    suffix: Suffix = NO_SUFFIX

    def __post_init__(self) -> None:
        _check_expression(self.body)
        if self.count is not None and (not hasattr(self.count, "__index__") or self.count < 1):
            raise ScheduleError(f"repeat needs at least 1 cycle, a whole number, got {self.count!r}")
        for name in ("longer", "lower"):
            value = plain_number(getattr(self, name))
            if value is None or not (math.isfinite(value) and value > 0):
                raise ScheduleError(f"{name} needs a factor above 0, got x{getattr(self, name)}")
        if self.lower > 1:
            raise ScheduleError(f"lower makes each cycle lower, so its factor is at most 1, got x{written(self.lower)}")

    def __str__(self) -> str:
        text = f"repeat ({self.body})" if self.count is None else f"repeat {self.count} ({self.body})"
        for name in ("longer", "lower"):
            if getattr(self, name) != 1.0:
                text += f" {name} x{written(getattr(self, name))}"
        return f"{text}{self.suffix}"


@dataclass(frozen=True, slots=True)
class Negative:
    """A term that a sum takes away."""

    body: Expression

    def __post_init__(self) -> None:
        _check_expression(self.body)

    def __str__(self) -> str:
        return str(self.body) if isinstance(self.body, Product) else _as_operand(self.body)


@dataclass(frozen=True, slots=True)
class Sum:
    """The sum of its terms at every step; its first term is not negative, and the total should not be."""

    terms: tuple[Expression, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "terms", _flat(self.terms, Sum, "terms"))
        if isinstance(self.terms[0], Negative):
            raise ScheduleError("a sum begins with what something is taken away from")

    def __str__(self) -> str:
        text = ""
        for term in self.terms:
            text += "" if not text else " - " if isinstance(term, Negative) else " + "
            text += str(term) if isinstance(term, Product | Negative) else _as_operand(term)
        return text


@dataclass(frozen=True, slots=True)
class Product:
    """The product of its factors at every step."""

    factors: tuple[Expression, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "factors", _flat(self.factors, Product, "factors"))

    def __str__(self) -> str:
        return " * ".join(map(_as_operand, self.factors))


@dataclass(frozen=True, slots=True)
class Max:
    """The largest of its operands at every step."""

    operands: tuple[Expression, ...]

    def __post_init__(self) -> None:
        for operand in self.operands:
            _check_expression(operand)
        if len(self.operands) < 2:
            raise ScheduleError(f"max compares at least two operands, got {len(self.operands)}")

    def __str__(self) -> str:
        return f"max({', '.join(map(str, self.operands))})"


Expression: TypeAlias = Value | Phase | Table | Sequence | Group | Repeat | Sum | Negative | Product | Max


@dataclass(frozen=True, slots=True)
class Entry:
    """What happens to one entry of the parameter groups: an expression, times the factor of a controller."""

    name: str
    expression: Expression
    controller: Controller | None = None

    def __post_init__(self) -> None:
        if not (isinstance(self.name, str) and self.name.isidentifier()):
            raise ScheduleError(
                f"an entry has the name that the parameter groups have, such as 'lr', got {self.name!r}"
            )
        _check_expression(self.expression)

    def __str__(self) -> str:
        if self.controller is None:
            return str(self.expression)
        expression = self.expression
        left = str(expression) if isinstance(expression, Product) else _as_operand(expression)
        return f"{left} * {self.controller}"


@dataclass(frozen=True, slots=True)
class Schedule:
    """A learning-rate schedule as a value. It multiplies the base rate of each parameter group.

    Make one with `stepwell.schedule("linear 0..1 for 5% | cosine to 0")`. Schedules with the same text are equal.
    """

    entries: tuple[Entry, ...]

    def __post_init__(self) -> None:
        if not isinstance(self.entries, tuple) or not all(isinstance(entry, Entry) for entry in self.entries):
            raise ScheduleError(
                f"a schedule is a tuple of entries, or a text: schedule('hold'); got {self.entries!r:.60}"
            )
        names = [entry.name for entry in self.entries]
        if not names or len(set(names)) < len(names):
            raise ScheduleError(f"a schedule has each entry once and at least one, got {names}")

    def __getitem__(self, name: str) -> Entry:
        for entry in self.entries:
            if entry.name == name:
                return entry
        raise KeyError(name)

    def __mul__(self, controller: Controller) -> Schedule:
        """The schedule with feedback on its rate, as `* plateau(...)` writes it.

        Example:
            >>> from stepwell.schedule import Plateau, parse
            >>> parse("cosine 1..0") * Plateau(cut=0.5)
            schedule('(cosine 1..0) * plateau(x0.5, patience 10)')
        """
        from stepwell.schedule.feedback import multiplied

        return multiplied(self, controller) if is_controller(controller) else NotImplemented

    def resolve(self, horizon: Horizon, **bases: float) -> Curve:
        """Lay the schedule over a run; everything that can be wrong about the two is raised here.

        Args:
            horizon: the run.
            bases: the base value of each entry, needed where a value is absolute: `base_lr=0.1, momentum=0.9`.

        Raises:
            HorizonError: the phases do not fit the run, or the run lacks a figure that a length needs.
            ScheduleError: an absolute value without its base, or on a base of 0.

        Example:
            >>> from stepwell.schedule import Horizon, schedule
            >>> wsd = schedule("linear 0..1 for 2 | hold 1 | linear 1..0 for 40%")
            >>> wsd.resolve(Horizon(total_steps=10))(range(11)).tolist()
            [0.5, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.75, 0.5, 0.25, 0.0]
        """
        from stepwell.schedule.curve import resolve

        return resolve(self, horizon, bases, {})

    def continued(self, horizon: Horizon, continuing_from: Mapping[str, float], **bases: float) -> Curve:
        """The same where the first phase of an entry continues from another factor than 1, `continuing_from[entry]`."""
        from stepwell.schedule.curve import resolve

        return resolve(self, horizon, bases, continuing_from)

    def to_json(self) -> dict[str, Any]:
        """The schedule as plain data for `json.dumps`, with a schema version; long tables included."""
        from stepwell.schedule.document import to_json

        return to_json(self)

    @staticmethod
    def from_json(document: Mapping[str, Any]) -> Schedule:
        """The schedule that `to_json` made a document of.

        Raises:
            ScheduleError: not such a document, or one of a newer version; the message has the place in it.

        Example:
            >>> from stepwell.schedule import parse
            >>> Schedule.from_json(parse("linear 0..1 for 5% | cosine to 0").to_json())
            schedule('linear 0..1 for 5% | cosine to 0')
        """
        from stepwell.schedule.document import from_json

        return from_json(document)

    @property
    def absolute(self) -> bool:
        """Whether a value is absolute anywhere, so that the factors depend on the base."""
        return absolute_values(tuple(entry.expression for entry in self.entries))

    def _repr_svg_(self) -> str | None:
        """The picture that notebooks show; None where only a run and its base rates would tell."""
        from stepwell.schedule.picture import schedule_svg

        return schedule_svg(self)

    def __str__(self) -> str:
        if [entry.name for entry in self.entries] == ["lr"]:
            return str(self.entries[0])
        return "; ".join(f"{entry.name}: {entry}" for entry in self.entries)

    def __repr__(self) -> str:
        return f"schedule({str(self)!r})"


def absolute_values(node: object) -> bool:
    """Whether an absolute value is written anywhere in the expression."""
    if isinstance(node, Value):
        return node.absolute
    if isinstance(node, tuple):
        return any(map(absolute_values, node))
    return isinstance(node, Expression) and any(absolute_values(getattr(node, field.name)) for field in fields(node))


def _flat(members: tuple[Expression, ...], kind: type, name: str) -> tuple[Expression, ...]:
    """Members of the same kind dissolve into their parent, so that one meaning has one value."""
    if len(members) < 2:
        raise ScheduleError(f"a {kind.__name__.lower()} has at least two {name}, got {len(members)}")
    flat: list[Expression] = []
    for member in members:
        _check_expression(member)
        flat.extend(getattr(member, name) if isinstance(member, kind) else (member,))
    return tuple(flat)


def _check_expression(node: object) -> None:
    if not isinstance(node, Expression):
        raise ScheduleError(
            f"a schedule is made of nodes such as Phase('hold'), or parsed from a text; got {node!r:.60}"
        )


def _as_item(node: Expression) -> str:
    return str(node) if isinstance(node, Phase | Table | Group | Repeat) else f"({node})"


def _as_operand(node: Expression) -> str:
    return str(node) if isinstance(node, Value | Group | Max) else f"({node})"
