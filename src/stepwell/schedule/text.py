"""The text form of a schedule, read by descent; `docs/schedules.md` has the grammar.

schedule: expr | entry {";" entry}              entry: name ":" expr
expr:     item {"|" item} | sum
sum:      prod {("+" | "-") prod}
prod:     operand {"*" operand}
operand:  value | group | "max(" expr {"," expr} ")" | controller
controller: ("plateau" | "greedy") "(" "x"n {"," (setting n | word)} ")"
item:     phase | table | group | repeat
table:    "table(" n {n} ")" {clock | suffix}
group:    "(" expr ")" {suffix}
repeat:   "repeat" [int] "(" expr ")" ["longer" "x"n] ["lower" "x"n] {suffix}
phase:    shape ["(" n ")"] (value ".." value | "to" value) {clock | suffix}
phase:    open [value] ["x"n ("every" | "per") len | "x"n "at" len {len}] {clock | suffix}
clock:    ("over" | "from") len
suffix:   "for" (len | "rest") | "by" len | "@left" | "@right"
value:    ["="] n                               len: n ["%" | "ep" | "tok"]
"""

from __future__ import annotations

import re
from typing import Any

from stepwell.schedule.atoms import controller
from stepwell.schedule.control import KINDS, Controller
from stepwell.schedule.length import Length
from stepwell.schedule.schedule import (
    Entry,
    Expression,
    Group,
    Max,
    Negative,
    Product,
    Repeat,
    Schedule,
    Sequence,
    Suffix,
    Sum,
)
from stepwell.schedule.text_phase import phase, suffix, table
from stepwell.schedule.tokens import Tokens

NAMED = re.compile(r"\s*([A-Za-z_]\w*)\s*:")
DEEPEST = 100  # parentheses; far beyond any schedule, and below Python's own limit


def parse(text: str) -> Schedule:
    """The schedule that a text describes.

    Raises:
        ScheduleError: with the place in the text and what could stand there.

    Example:
        >>> parse("linear 0..1 for 5% | hold | 1-sqrt to 0 for 20%")
        schedule('linear 0..1 for 5% | hold | 1-sqrt to 0 for 20%')
    """
    return _schedule(Tokens(text))


def parse_length(text: str) -> Length:
    """The length that a text such as `200`, `20%`, `3ep` or `5e9tok` stands for.

    Raises:
        ScheduleError: anything else, also more than one length.
    """
    tokens = Tokens(text)
    length = tokens.length("a length")
    if tokens.kind != "end":
        raise tokens.error("expected one length and nothing after it")
    return length


def _schedule(t: Tokens) -> Schedule:
    if t.kind == "end":
        raise t.error("an empty text is no schedule; try 'cosine 1..0'")
    entries = [_entry(t, first=True)]
    while t.take(";"):
        entries.append(_entry(t, first=False))
        if entries[-1].name in [entry.name for entry in entries[:-1]]:
            raise t.error(f"the entry {entries[-1].name!r} stands twice")
    if t.token == "|" and entries[-1].controller is not None:
        raise t.error("a controller stands last, after the whole schedule: '(a | b) * plateau(x0.1, patience 10)'")
    if t.token == "|":
        raise t.error("put what stands before this into parentheses: '(a * b) | c'")
    if t.kind != "end":
        raise t.error(f"expected '|' or the end of the text, got {t.shown()}")
    return Schedule(tuple(entries))


def _entry(t: Tokens, *, first: bool) -> Entry:
    name = "lr"
    named = NAMED.match(t.text, t.begin)
    if named is not None:
        name = named[1]
        t.end = named.end()
        t.advance()
    elif not first:
        raise t.error("each entry after ';' begins with its name, such as 'momentum:'")
    begin = t.begin
    node = _expression(t, top=True)
    if _is_controller(node):
        kind = t.text[begin:].split("(")[0].strip()
        raise t.error(f"a {kind} needs something to multiply; write '(hold) * {kind}(...)'", begin)
    if isinstance(node, _Controlled):
        return Entry(name, node.expression, node.controller)
    return Entry(name, node)


def _expression(t: Tokens, *, top: bool = False) -> Any:
    """Items in sequence, or a sum; with `top` it may end in `* plateau(...)` or another controller."""
    t.depth += 1
    if t.depth > DEEPEST:
        raise t.error(f"more than {DEEPEST} parentheses inside each other")
    node = _sum(t, top=top) if t.kind == "number" or t.token in ("=", "max", *KINDS) else _items(t, top=top)
    t.depth -= 1
    return node


def _items(t: Tokens, *, top: bool) -> Any:
    items = [_item(t)]
    if t.token in ("*", "+", "-"):
        return _sum(t, top=top, first=items[0])
    while t.take("|"):
        items.append(_item(t))
    if t.token in ("*", "+", "-"):
        raise t.error("put the phases before this into parentheses: '(a | b) * c'")
    return items[0] if len(items) == 1 else Sequence(tuple(items))


def _item(t: Tokens) -> Expression:
    if t.token == "(":
        return _group(t)
    if t.token == "repeat":
        return _repeat(t)
    if t.token == "table":
        return table(t)
    return phase(t)


def _sum(t: Tokens, *, top: bool, first: Expression | None = None) -> Any:
    terms = [_product(t, top=top, first=first)]
    while sign := t.take("+", "-"):
        term = _product(t, top=False, first=None)
        terms.append(Negative(term) if sign == "-" and not _is_controller(term) else term)
    if len(terms) == 1:
        return terms[0]
    if any(isinstance(term, _Controlled) or _is_controller(term) for term in terms):
        raise t.error(
            "a controller multiplies the whole schedule; put the sum into parentheses: '(a + b) * plateau(...)'"
        )
    return Sum(tuple(terms))


def _product(t: Tokens, *, top: bool, first: Expression | None) -> Any:
    factors: list[Any] = [_operand(t) if first is None else first]
    while t.take("*"):
        factors.append(_operand(t))
    controllers = [factor for factor in factors if _is_controller(factor)]
    if not controllers:
        return factors[0] if len(factors) == 1 else Product(tuple(factors))
    if not top or len(controllers) > 1 or not _is_controller(factors[-1]):
        raise t.error("one controller may stand last, after the whole schedule: '(a | b) * plateau(x0.1, patience 10)'")
    rest = factors[:-1]
    if not rest:
        return controllers[0]
    return _Controlled(rest[0] if len(rest) == 1 else Product(tuple(rest)), controllers[0])


def _operand(t: Tokens) -> Expression | Controller:
    if t.token == "(":
        return _group(t)
    if t.token == "max":
        return _maximum(t)
    if t.token in KINDS:
        return controller(t)
    if t.kind == "number" or t.token == "=":
        return t.value()
    raise t.error(f"expected a number, a parenthesis or max(...), got {t.shown()}; put phases into parentheses")


def _maximum(t: Tokens) -> Max:
    t.advance()
    t.need("(", "after max")
    operands = [_expression(t)]
    while t.take(","):
        operands.append(_expression(t))
    t.need(")", "to close max(")
    if len(operands) < 2:
        raise t.error("max compares at least two operands: 'max(cosine 1..0, 0.1)'")
    return Max(tuple(operands))


def _group(t: Tokens) -> Expression:
    t.advance()
    body: Expression = _expression(t)
    t.need(")", "to close the parenthesis")
    after = suffix(t)
    return body if after == Suffix() else Group(body, after)


def _repeat(t: Tokens) -> Repeat:
    t.advance()
    count = None
    if t.kind == "number":
        begin = t.begin
        cycles = t.number("a number of cycles")
        if cycles != int(cycles) or cycles < 1:
            raise t.error("repeat takes a whole number of cycles of at least 1", begin)
        count = int(cycles)
    t.need("(", "after repeat")
    body = _expression(t)
    t.need(")", "to close the cycle")
    longer = t.times("longer") if t.take("longer") else 1.0
    begin = t.begin
    lower = t.times("lower") if t.take("lower") else 1.0
    if lower > 1:
        raise t.error("lower makes each cycle lower, so its factor is at most x1", begin)
    return Repeat(body, count, longer, lower, suffix(t))


def _is_controller(node: object) -> bool:
    return isinstance(node, tuple(KINDS.values()))


class _Controlled:
    """An expression and the controller that multiplies it, on the way to an Entry."""

    def __init__(self, expression: Expression, controller: Controller) -> None:
        self.expression = expression
        self.controller = controller
