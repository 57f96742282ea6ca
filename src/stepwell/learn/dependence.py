"""Whether a claim says anything: one that comes out the same whatever is measured proves nothing."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from typing import Any, final

from stepwell.errors import ContentError
from stepwell.learn.claims import Claim

TRIES = 400
_LONG = "a text that is longer than most of those that are printed " * 4
_SCALES = (0.0, 1e-9, 0.001, 0.1, 1.0, 10.0, 1e3, 1e9)


def idle(claim: Claim, names: Mapping[str, Any], measured: Mapping[str, Any]) -> bool:
    """Whether a claim comes out the same whatever is measured, as far as a few hundred other values show.

    A claim that is false cannot be examined so: `isclose(rate, 0.05)` is false of nearly every rate. What is false by
    its form, such as `rate != rate`, is idle too.
    """
    if _settled(claim.tree, frozenset(measured)):
        return True
    found = claim.value(names)
    if found is False:
        return False
    others = _Others(Random(claim.text), *_said(claim.tree))
    used = [name for name in measured if name in claim.names]
    for attempt in range(TRIES):
        other = {name: others.of(measured[name], attempt) for name in used}
        try:
            if claim.value({**names, **other}) != found:
                return False
        except ContentError:
            continue  # values that do not fit say nothing about the claim
    return True


def _settled(node: ast.expr, measured: frozenset[str]) -> bool:
    """Whether the form of an expression settles its value."""
    match node:
        case ast.Compare(left=left, comparators=[right]) if ast.dump(left) == ast.dump(right):
            return True
        case ast.BoolOp(op=sign, values=parts):
            ending = isinstance(sign, ast.Or)
            known = [part for part in parts if isinstance(part, ast.Constant)]
            return any(part.value is ending for part in known) or all(_settled(part, measured) for part in parts)
        case ast.UnaryOp(operand=operand):
            return _settled(operand, measured)
        case ast.IfExp(test=test, body=body, orelse=otherwise):
            return _settled(body, measured) and _settled(otherwise, measured) and _settled(test, measured)
    return not any(isinstance(part, ast.Name) and part.id in measured for part in ast.walk(node))


def _said(tree: ast.expr) -> tuple[tuple[str, ...], tuple[float, ...]]:
    """The texts and numbers of a claim: what it compares with is what may make a difference."""
    said = [part.value for part in ast.walk(tree) if isinstance(part, ast.Constant)]
    texts = tuple(value for value in said if isinstance(value, str))
    return texts, tuple(value for value in said if isinstance(value, int | float) and not isinstance(value, bool))


@final
@dataclass(frozen=True, slots=True)
class _Others:
    """Makes values of the kind of those that were measured; the first few tries are the simple ones.

    Args:
        texts: those of the claim.
        numbers: those of the claim.
    """

    draw: Random
    texts: tuple[str, ...]
    numbers: tuple[float, ...]

    def of(self, value: Any, attempt: int) -> Any:
        """Another value of the kind of this one."""
        match value:
            case bool():
                return self.draw.random() < 0.5
            case int() | float():
                return self._number(attempt)
            case str():
                return self.draw.choice(("", "x", _LONG, f"{value}{value}", value[: len(value) // 2], *self.texts))
            case list():
                return self._list(value, attempt)
            case dict():
                return {name: self.of(part, attempt) for name, part in value.items()}
        return value

    def _number(self, attempt: int) -> float:
        if attempt < len(_SCALES) * 2:
            return _SCALES[attempt // 2] * (-1.0 if attempt % 2 else 1.0)
        if self.numbers and self.draw.random() < 0.5:
            return self.draw.choice(self.numbers)
        return self.draw.uniform(-1.0, 1.0) * self.draw.choice(_SCALES)

    def _list(self, value: list[Any], attempt: int) -> list[Any]:
        if not value:  # of what it would be nobody knows
            return [self.of(self.draw.choice(("", 1.0)), attempt)] * self.draw.randrange(3)
        if attempt % 3 == 0:
            same = self.of(value[0], attempt)
            return [same for _ in value]
        made = [self.of(part, attempt) for part in value]
        return made[: self.draw.randrange(len(made) + 1)] if attempt % 3 == 1 else made
