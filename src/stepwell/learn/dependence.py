"""Whether a claim says anything: one that comes out the same whatever is measured proves nothing."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from random import Random
from typing import Any

from stepwell.errors import ContentError
from stepwell.learn.claims import Claim

TRIES = 400
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
    draw = Random(claim.text)
    used = [name for name in measured if name in claim.names]
    for attempt in range(TRIES):
        other = {name: _other(measured[name], draw, attempt) for name in used}
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


def _other(value: Any, draw: Random, attempt: int) -> Any:
    """A value of the same kind; the first few tries are the simple ones."""
    match value:
        case bool():
            return draw.random() < 0.5
        case int() | float():
            return _number(draw, attempt)
        case str():
            return draw.choice(("", "x", f"{value}{value}", value[: len(value) // 2]))
        case list():
            return _list(value, draw, attempt)
        case dict():
            return {name: _other(part, draw, attempt) for name, part in value.items()}
    return value


def _number(draw: Random, attempt: int) -> float:
    if attempt < len(_SCALES) * 2:
        return _SCALES[attempt // 2] * (-1.0 if attempt % 2 else 1.0)
    return draw.uniform(-1.0, 1.0) * draw.choice(_SCALES)


def _list(value: list[Any], draw: Random, attempt: int) -> list[Any]:
    changed: Callable[[Any], Any] = lambda part: _other(part, draw, attempt)  # noqa: E731 - shared by two ways
    if attempt % 3 == 0 and value:
        same = changed(value[0])
        return [same for _ in value]
    made = [changed(part) for part in value]
    if attempt % 3 == 1:
        made = made[: draw.randrange(len(made) + 1)]
    return made
