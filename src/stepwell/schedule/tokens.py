"""The words and numbers of a schedule text, and errors that point at them."""

from __future__ import annotations

import math
import re

from stepwell.errors import ScheduleError
from stepwell.schedule.length import Length, Unit
from stepwell.schedule.schedule import Value

TOKEN = re.compile(
    r"\s*(?:(?P<word>1-sqrt|[A-Za-z_]+\d*(?:-[A-Za-z]+)*)|(?P<number>\d+(?:\.(?!\.)\d*)?(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?)"
    r"|(?P<mark>\.\.|[][|()*+,;:=%@-]))"
)
PLAIN = {"…": "type '..'", "–": "type '..'", "×": "type 'x' or '*'", "−": "type '-'"}  # noqa: RUF001 -- what word processors make of it
QUOTES = "\"'“”„‘’`"  # noqa: RUF001 -- the same
COUNTED = ("step", "update", "iteration", "iter", "epoch", "token", "percent")  # what lengths count, in words
TIMES = re.compile(r"x\s*(-?\d+(?:\.\d*)?(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?)")


class Tokens:
    """Reads one text from left to right; `self.kind` and `self.token` are the next token."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.depth = 0  # of parentheses
        self.token = ""
        self.end = 0
        self.advance()

    def advance(self) -> str:
        """Move on by one token and return the one that was passed."""
        passed = self.token
        self.begin = self.end
        match = TOKEN.match(self.text, self.end)
        if match is None:
            rest = self.text[self.end :]
            self.begin = self.end + len(rest) - len(rest.lstrip())
            if rest.strip():
                self.token = rest.strip()[0]
                instead = "leave quotes away" if self.token in QUOTES else PLAIN.get(self.token)
                raise self.error(f"{self.token!r} has no meaning here{f'; {instead}' if instead else ''}")
            self.kind, self.token = "end", ""
            return passed
        self.kind = str(match.lastgroup)
        self.token = match[self.kind]
        self.begin, self.end = match.span(self.kind)
        return passed

    def error(self, message: str, begin: int | None = None) -> ScheduleError:
        """Build the error that points at the place in the text: the next token, or all from `begin` up to it."""
        begin = self.begin if begin is None else begin
        width = max(len(self.token), 1) if begin == self.begin else max(self.begin - begin, 1)
        line = self.text.replace("\n", " ").replace("\t", " ")
        return ScheduleError(f"{message}\n    {line}\n    {' ' * begin}{'^' * min(width, max(len(line) - begin, 1))}")

    def take(self, *tokens: str) -> str | None:
        """Pass the next token and return it if it is one of these."""
        return self.advance() if self.token in tokens and self.kind != "number" else None

    def need(self, token: str, after: str) -> None:
        """Pass this token, or say that it is missing."""
        if self.take(token) is None:
            raise self.error(f"expected {token!r} {after}, got {self.shown()}")

    def shown(self) -> str:
        """Quote the next token."""
        return repr(self.token) if self.token else "the end of the text"

    def number(self, what: str) -> float:
        """Pass a finite number."""
        if self.kind != "number":
            below = "; nothing in a schedule is below 0" if self.token == "-" else ""
            raise self.error(f"expected {what}, got {self.shown()}{below}")
        value = float(self.token)
        if not math.isfinite(value):
            raise self.error(f"{self.token} is larger than every number")
        self.advance()
        return value

    def value(self) -> Value:
        """Pass a value: `0.1`, or `=1e-5`."""
        absolute = self.take("=") is not None
        return Value(self.number("a number"), absolute)

    def times(self, what: str) -> float:
        """Pass a multiplier, `x0.5`: the word token may hold the x and a part of the number."""
        begin = self.begin
        match = TIMES.match(self.text, begin)
        if match is None:
            raise self.error(f"expected {what}, a multiplier such as x0.5, got {self.shown()}")
        self.end = match.end()
        self.advance()
        value = float(match[1])
        if not (math.isfinite(value) and value > 0):
            raise self.error(f"a multiplier must be above 0 and finite, got x{match[1]}", begin)
        return value

    def length(self, what: str, *, zero: bool = False) -> Length:
        """Pass a length: `200`, `20%`, `3ep`, `5e9tok`."""
        begin = self.begin
        value = self.number("a length such as 200, 20% or 3ep")
        unit = Unit.STEPS
        if self.token in ("%", "ep", "tok"):
            unit = Unit(self.advance())
        elif self.kind == "word" and (self._glued() or self.token.lower().rstrip("s") in COUNTED):
            raise self.error(f"unknown unit {self.token!r}; a length is in steps (200), % of the run (20%), ep or tok")
        if value == 0 and not zero:
            raise self.error(f"{what} must be longer than 0; leave out what shall take no step", begin)
        return Length(value, unit)

    def _glued(self) -> bool:
        return self.begin > 0 and not self.text[self.begin - 1].isspace()
