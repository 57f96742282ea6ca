"""Fix the code: a broken program to edit, and hidden checks that run it under other seeds."""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, final

from stepwell.errors import ContentError
from stepwell.learn import programs
from stepwell.learn.claims import Claim
from stepwell.learn.fields import Fields, Scope
from stepwell.learn.items.body import Names
from stepwell.learn.modes import Mode
from stepwell.learn.proof import LONGEST_SECONDS, PROGRAM_FACTS, refuse_taken
from stepwell.learn.template import render

_MODES = frozenset({Mode.FIX})
_PLACE = re.compile(r"\{\{.+?\}\}", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Demand:
    """What a checked program has to reach.

    Args:
        claim: over what the check measured.
        message: what the learner is told when it does not hold; it may use what was measured.
    """

    claim: Claim
    message: str

    @classmethod
    def read(cls, fields: Fields) -> Demand:
        """The demand of a table."""
        return cls(fields.claim("claim"), fields.shown("message", measured=True))


@dataclass(frozen=True, slots=True)
class Check:
    """How a program is judged: `before`, the program and `after` run as one, once per seed; `seed` is set.

    Args:
        before: code that runs first, such as hidden data.
        after: code that runs last and measures.
        needs: names that the learner's program has to leave behind, such as `model`.
        measures: names that claims use.
        seeds: one run each; all must pass.
        seconds: of wall time for all seeds.
    """

    before: str
    after: str
    needs: tuple[str, ...]
    measures: tuple[str, ...]
    demands: tuple[Demand, ...]
    seeds: tuple[int, ...]
    seconds: float


@final
@dataclass(frozen=True, slots=True)
class Fix:
    """A program that fails its check, and one that passes.

    Args:
        start: what the learner begins with.
        given: what the names are that the start uses and does not make, in words.
        solution: a program that passes.
    """

    start: str
    solution: str
    check: Check
    given: str

    kind: ClassVar[str] = "fix"
    modes: ClassVar[frozenset[Mode]] = _MODES
    default_modes: ClassVar[frozenset[Mode]] = _MODES
    attempts: ClassVar[int] = 0

    @classmethod
    def read(cls, fields: Fields) -> Fix:
        """The body of an item's fields."""
        start, solution = _program(fields, "start"), _program(fields, "solution")
        return cls(start, solution, _check(fields), _given(fields, start))

    @property
    def parts(self) -> int:
        """None."""
        return 0

    def claims(self) -> Iterable[Claim]:
        """None over the item's proof; the demands are over its check."""
        return ()

    def face(self, names: Names, order: Sequence[int]) -> dict[str, Any]:
        """The program to begin with, and what is there already."""
        start = render(self.start, names, exact=True)
        return {"start": start, "given": render(self.given, names), "needs": list(self.check.needs)}


def _check(item: Fields) -> Check:
    fields = item.under("verify")
    measures = fields.texts("measures")
    refuse_taken(fields, "measures", measures, item.scope.parameters)
    fields.scope = Scope(item.scope.parameters, frozenset(measures) | PROGRAM_FACTS)
    seeds = fields.raw("seeds") or []
    if not isinstance(seeds, list) or len(seeds) < 2 or not all(type(seed) is int and seed >= 0 for seed in seeds):
        fields.refuse("seeds", f"expected two whole numbers or more, got {seeds!r:.60}; type: seeds = [11, 12, 13]")
    check = Check(
        _program(fields, "before", ""),
        _program(fields, "after"),
        fields.texts("needs", ()),
        measures,
        fields.tables("demands", Demand.read, 1, 8),
        tuple(seeds),
        min(fields.number("seconds", 20.0, least=1), LONGEST_SECONDS),
    )
    fields.close()
    return check


def _given(fields: Fields, start: str) -> str:
    """The words about what is there already; every name that the start takes for granted is among them."""
    given = fields.shown("given", "")
    for name in sorted(_free(_PLACE.sub("0", start))):
        if f"`{name}" not in given:
            fields.refuse("given", f"the start uses {name!r} and does not make it; say what it is: `{name}`, ...")
    return given


def _free(code: str) -> set[str]:
    """Names that a program uses and nowhere makes; none of one that cannot be read."""
    try:
        nodes = list(ast.walk(ast.parse(code)))
    except SyntaxError:  # a start may be broken so
        return set()
    used, made = set(), set(dir(builtins))
    for node in nodes:
        match node:
            case ast.Name(id=name, ctx=ast.Load()):
                used.add(name)
            case ast.Name(id=name) | ast.arg(arg=name) | ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                made.add(name)
            case ast.alias(name=name, asname=asname):
                made.add((asname or name).partition(".")[0])
    return used - made


def _program(fields: Fields, name: str, default: str | None = None) -> str:
    code = fields.program(name) if default is None else fields.program(name, default)
    if "{{" not in code:
        try:
            programs.check(code)
        except ContentError as error:
            fields.refuse(name, str(error))
    return code
