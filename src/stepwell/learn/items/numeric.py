"""The answer is a number, which is measured."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, final

from stepwell.errors import ContentError
from stepwell.learn.claims import Claim
from stepwell.learn.fields import Fields
from stepwell.learn.items.body import QUESTIONS, Judged, Names, expect
from stepwell.learn.modes import Mode


@final
@dataclass(frozen=True, slots=True)
class Numeric:
    """A measured number.

    Args:
        answer: the expression that gives it.
        tolerance: how far an answer may be from it: a share of the number, or with `absolute` a distance.
        unit: written after the place for the answer, such as `steps`.
    """

    answer: Claim
    tolerance: float
    absolute: bool
    unit: str

    kind: ClassVar[str] = "numeric"
    modes: ClassVar[frozenset[Mode]] = QUESTIONS
    default_modes: ClassVar[frozenset[Mode]] = QUESTIONS
    attempts: ClassVar[int] = 2

    @classmethod
    def read(cls, fields: Fields) -> Numeric:
        """The body of an item's fields."""
        absolute = fields.raw("absolute")
        if absolute not in (None, True, False):
            fields.refuse("absolute", f"expected true or false, got {absolute!r:.40}; type: absolute = true")
        return cls(fields.claim("answer"), fields.number("tolerance", 0.01), bool(absolute), fields.text("unit", ""))

    @property
    def parts(self) -> int:
        """None."""
        return 0

    def claims(self) -> Iterable[Claim]:
        """The expression."""
        return (self.answer,)

    def face(self, names: Names, order: Sequence[int]) -> dict[str, Any]:
        """The unit and how exact the answer has to be."""
        return {"unit": self.unit, "tolerance": self.tolerance, "absolute": self.absolute}

    def key(self, names: Names) -> float:
        """The measured number."""
        found = self.answer.value(names)
        if isinstance(found, bool) or not isinstance(found, int | float) or not math.isfinite(found):
            raise ContentError(f"the answer {self.answer.text!r} must be a finite number, it came out {found!r:.60}")
        if not self.absolute and found == 0:
            raise ContentError("the answer is 0, of which no share is a tolerance; type: absolute = true")
        return float(found)

    def solution(self, key: float, names: Names, order: Sequence[int]) -> float:
        """The number."""
        return key

    def judge(self, key: float, answer: Any, names: Names, order: Sequence[int]) -> Judged:
        """Right within the tolerance; the score falls with the distance, to 0 at ten tolerances."""
        given = number(answer)
        off = abs(given - key)
        allowed = self.tolerance if self.absolute else self.tolerance * abs(key)
        allowed = max(allowed, 1e-12 * abs(key))  # what two ways to write one number differ by
        right = off <= allowed
        score = 1.0 if right else max(0.0, 1.0 - off / (10 * allowed)) if allowed else 0.0
        return Judged(right, score, evidence={"given": given, "measured": key, "off": off, "allowed": allowed})


def number(answer: Any) -> float:
    """The number that an answer is; `5%` is 0.05.

    Raises:
        AnswerError: it is none, or not finite.
    """
    try:
        given = float(answer.strip().rstrip("%").replace("\N{MINUS SIGN}", "-") if isinstance(answer, str) else answer)
    except (TypeError, ValueError):
        expect("numeric", "a number, such as 0.05", answer)
    if isinstance(answer, bool) or not math.isfinite(given):
        expect("numeric", "a finite number", answer)
    return given / 100 if isinstance(answer, str) and answer.strip().endswith("%") else given
