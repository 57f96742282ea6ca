"""Claims: expressions over measured values, read through an allow-list and interpreted here, never by `eval`.

A claim is a Python expression of literals, names, arithmetic, comparisons, `and`/`or`/`not`, `a if c else b`,
subscripts, lists, one-`for` comprehensions and calls of `functions.FUNCTIONS`. There are no attributes, no lambdas and
no formatted texts. Values are what JSON has: numbers, texts, truth values, None, lists and tables.
"""

from __future__ import annotations

import ast
import operator
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, final

from stepwell.errors import ContentError
from stepwell.learn.functions import CONSTANTS, FUNCTIONS, MOST

LONGEST = 1_000
"""Characters of a claim."""
DEEPEST = 40
"""Levels of nesting of a claim."""
MOST_STEPS = 200_000
"""Parts that are computed before a claim is given up."""
LARGEST_BITS = 256
"""Whole numbers of a claim stay below 2 to this power."""

_ARITHMETIC: Mapping[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
}
_SIGNS: Mapping[type[ast.unaryop], Callable[[Any], Any]] = {
    ast.Not: operator.not_,
    ast.UAdd: operator.pos,
    ast.USub: operator.neg,
}
_COMPARISONS: Mapping[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Is: lambda a, b: a is b,
    ast.IsNot: lambda a, b: a is not b,
    ast.In: lambda a, b: a in b,
    ast.NotIn: lambda a, b: a not in b,
}
_ALLOWED = (
    ast.Expression | ast.Constant | ast.Name | ast.Load | ast.Store | ast.List | ast.Tuple | ast.BinOp | ast.UnaryOp
    | ast.BoolOp | ast.And | ast.Or | ast.Compare | ast.IfExp | ast.Subscript | ast.Slice | ast.Call | ast.keyword
    | ast.ListComp | ast.GeneratorExp | ast.comprehension
)  # fmt: skip
# What interpreting raises on values that do not fit; anything else would be a fault of ours.
_MISFITS = (
    ArithmeticError, AttributeError, LookupError, TypeError, ValueError, RecursionError, MemoryError,
)  # fmt: skip


@final
@dataclass(frozen=True, slots=True)
class Claim:
    """An expression that passed the allow-list; made by `read`.

    Args:
        text: as it was written.
        names: what it refers to, functions, constants and its own loop names left out.
    """

    text: str
    names: frozenset[str]
    tree: ast.expr = field(repr=False, compare=False)

    def value(self, names: Mapping[str, Any]) -> Any:
        """The value for these measured values.

        Raises:
            ContentError: it cannot be computed: a missing name, a division by zero, values that do not fit.
        """
        try:
            return _Interpreter(names).value(self.tree)
        except _MISFITS as error:
            raise ContentError(f"{self.text!r} cannot be computed: {error or type(error).__name__}") from error

    def holds(self, names: Mapping[str, Any]) -> bool:
        """Whether the claim is true of these measured values.

        Raises:
            ContentError: it cannot be computed, or its value is neither true nor false.
        """
        found = self.value(names)
        if not isinstance(found, bool):
            raise ContentError(f"a claim is true or false, {self.text!r} gave {found!r:.80}; write a comparison")
        return found


@lru_cache(maxsize=4096)
def read(text: str) -> Claim:
    """The claim that a text is.

    Raises:
        ContentError: it is not an expression, or has a part that claims may not have.

    Example:
        >>> read("final < 0.1 * losses[0]").holds({"final": 0.05, "losses": [1.0, 0.05]})
        True
    """
    tree = _parsed(text)
    names: set[str] = set()
    own: set[str] = set()
    for node, depth in _walk(tree):
        if depth > DEEPEST:
            raise ContentError(f"{text!r:.80} is nested too deeply; write it in at most {DEEPEST} levels")
        _allow(node, text)
        if isinstance(node, ast.Name):
            (own if isinstance(node.ctx, ast.Store) else names).add(node.id)
    return Claim(text, frozenset(names - own - FUNCTIONS.keys() - CONSTANTS.keys()), tree)


def _parsed(text: str) -> ast.expr:
    if len(text) > LONGEST:
        raise ContentError(f"a claim has at most {LONGEST} characters, got {len(text)}: {text[:60]!r}")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # such as of `1if`: the text is refused or it is not
            return ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise ContentError(f"{text!r:.120} is not an expression ({error}); write one, such as `final < 0.1`") from error


def _walk(tree: ast.AST) -> Iterator[tuple[ast.AST, int]]:
    waiting: list[tuple[ast.AST, int]] = [(tree, 0)]
    while waiting:
        node, depth = waiting.pop()
        yield node, depth
        if depth <= DEEPEST:
            waiting.extend((child, depth + 1) for child in ast.iter_child_nodes(node))


def _allow(node: ast.AST, text: str) -> None:
    if fault := _fault_of_leaf(node) or _fault_of_form(node):
        raise ContentError(f"{text!r:.120} has {fault}, which a claim may not have")


def _fault_of_leaf(node: ast.AST) -> str:
    match node:
        case ast.Constant(value=bool() | str() | float() | None):
            return ""
        case ast.Constant(value=int() as number):
            return "" if number.bit_length() <= LARGEST_BITS else "so large a number"
        case ast.Constant():
            return f"the value {ast.unparse(node)}"
        case ast.Name(id=name, ctx=context):
            own = isinstance(context, ast.Store)
            if name.startswith("__") or (own and (name in FUNCTIONS or name in CONSTANTS)):
                return f"the name {name!r} in this place"
        case ast.operator() | ast.unaryop() | ast.cmpop():
            return "" if type(node) in {*_ARITHMETIC, *_SIGNS, *_COMPARISONS} else f"`{type(node).__name__}`"
    return ""


def _fault_of_form(node: ast.AST) -> str:
    match node:
        case ast.Call(func=ast.Name(id=name)):
            return "" if name in FUNCTIONS else f"a call of {name!r} (known: {', '.join(sorted(FUNCTIONS))})"
        case ast.Call():
            return "a call of something other than a function's name"
        case ast.keyword(arg=None):
            return "`**`"
        case ast.ListComp(generators=several) | ast.GeneratorExp(generators=several) if len(several) > 1:
            return "more than one `for`"
        case ast.comprehension(is_async=1):
            return "`async`"
        case ast.operator() | ast.unaryop() | ast.cmpop():
            return ""
    return "" if isinstance(node, _ALLOWED) else f"`{type(node).__name__}`"


@final
class _Interpreter:
    """Computes one checked tree, counting its steps."""

    def __init__(self, names: Mapping[str, Any]) -> None:
        self._names = {**CONSTANTS, **names}
        self._steps = 0

    def value(self, node: ast.expr) -> Any:
        self._steps += 1
        if self._steps > MOST_STEPS:
            raise ValueError(f"it takes more than {MOST_STEPS} steps")
        found = _small(self._of(node))
        if isinstance(found, str | list):
            self._steps += len(found) // 10  # so that what is made stays in proportion too
        return found

    def _of(self, node: ast.expr) -> Any:
        match node:
            case ast.Constant(value=value):
                return value
            case ast.Name(id=name):
                return self._named(name)
            case ast.List(elts=parts) | ast.Tuple(elts=parts):
                return [self.value(part) for part in parts]
            case ast.BinOp(left=left, op=sign, right=right):
                return _arithmetic(sign, self.value(left), self.value(right))
            case ast.BoolOp() | ast.IfExp() | ast.Compare() | ast.UnaryOp(op=ast.Not()):
                return self._decide(node)
            case ast.UnaryOp(op=sign, operand=operand):
                return _SIGNS[type(sign)](self.value(operand))
            case ast.Subscript(value=whole, slice=place):
                return self.value(whole)[self._place(place)]
            case ast.Call(func=ast.Name(id=name), args=arguments, keywords=keywords):
                named = {str(part.arg): self.value(part.value) for part in keywords}
                return FUNCTIONS[name](*(self.value(part) for part in arguments), **named)
            case ast.ListComp(elt=part, generators=[loop]) | ast.GeneratorExp(elt=part, generators=[loop]):
                return self._comprehension(part, loop)
        raise TypeError(f"`{type(node).__name__}` is not a value")

    def _decide(self, node: ast.BoolOp | ast.IfExp | ast.Compare | ast.UnaryOp) -> Any:
        match node:
            case ast.UnaryOp(operand=operand):
                return not self._truth(operand)
            case ast.BoolOp(op=ast.And(), values=parts):
                return all(self._truth(part) for part in parts)
            case ast.BoolOp(values=parts):
                return any(self._truth(part) for part in parts)
            case ast.IfExp(test=test, body=body, orelse=otherwise):
                return self.value(body if self._truth(test) else otherwise)
            case ast.Compare():
                return self._compare(node)

    def _named(self, name: str) -> Any:
        if name not in self._names:
            raise LookupError(f"nothing of the name {name!r} was measured")
        return self._names[name]

    def _truth(self, node: ast.expr) -> bool:
        found = self.value(node)
        if not isinstance(found, bool):
            raise TypeError(f"{ast.unparse(node)!r} is {found!r:.40}, neither true nor false")
        return found

    def _compare(self, node: ast.Compare) -> bool:
        left = self.value(node.left)
        for sign, part in zip(node.ops, node.comparators, strict=True):
            right = self.value(part)
            if not _COMPARISONS[type(sign)](left, right):
                return False
            left = right
        return True

    def _place(self, node: ast.expr) -> Any:
        if isinstance(node, ast.Slice):
            return slice(*(None if part is None else self.value(part) for part in (node.lower, node.upper, node.step)))
        return self.value(node)

    def _comprehension(self, part: ast.expr, loop: ast.comprehension) -> list[Any]:
        outside = self._names
        made = []
        try:
            for entry in list(self.value(loop.iter)):
                self._names = {**outside, **_bound(loop.target, entry)}
                if all(self._truth(condition) for condition in loop.ifs):
                    made.append(self.value(part))
        finally:
            self._names = outside
        return made


def _bound(target: ast.expr, entry: Any) -> dict[str, Any]:
    match target:
        case ast.Name(id=name):
            return {name: entry}
        case ast.Tuple(elts=parts) | ast.List(elts=parts):
            bound: dict[str, Any] = {}
            for part, one in zip(parts, entry, strict=True):
                bound |= _bound(part, one)
            return bound
    raise TypeError("a loop binds names only")


def _arithmetic(sign: ast.operator, left: Any, right: Any) -> Any:
    if isinstance(sign, ast.Mod) and isinstance(left, str):
        raise TypeError("a text cannot be formatted")
    if isinstance(sign, ast.Pow) and isinstance(right, int) and abs(right) > LARGEST_BITS:
        raise ValueError(f"the exponent {right} is too large")
    if isinstance(sign, ast.Mult):
        for many, times in ((left, right), (right, left)):
            if not (isinstance(many, str | list) and isinstance(times, int)):
                continue
            if len(many) * max(times, 0) > MOST or any(isinstance(part, list) for part in many):
                raise ValueError(f"only a flat list can be repeated, to at most {MOST} parts")
    return _ARITHMETIC[type(sign)](left, right)


def _small(value: Any) -> Any:
    if isinstance(value, int) and value.bit_length() > LARGEST_BITS:
        raise ValueError("a number becomes too large")
    if isinstance(value, complex):
        raise ValueError("a number becomes complex")
    if isinstance(value, str | list) and len(value) > MOST * 10:
        raise ValueError("a text or list becomes too long")
    return value
