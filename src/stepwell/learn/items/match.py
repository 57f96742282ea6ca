"""Match each curve to what makes it: schedules, schedulers or settings."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, ClassVar, final

from stepwell.errors import ContentError
from stepwell.learn.claims import Claim
from stepwell.learn.fields import Fields
from stepwell.learn.items.body import QUESTIONS, Judged, Names, ordering, shuffled
from stepwell.learn.items.curves import gap, numbers
from stepwell.learn.modes import Mode
from stepwell.learn.template import render


@dataclass(frozen=True, slots=True)
class Pair:
    """A label and the measured curve that belongs to it."""

    label: str
    curve: Claim

    @classmethod
    def read(cls, fields: Fields) -> Pair:
        """The pair of a table."""
        return cls(fields.shown("label"), fields.claim("curve"))


@final
@dataclass(frozen=True, slots=True)
class Match:
    """Labels and curves. The curves are shuffled; an answer has the number of a label for each shown curve.

    Args:
        apart: the least difference, as a share of the height, by which two curves have to differ somewhere.
    """

    pairs: tuple[Pair, ...]
    apart: float

    kind: ClassVar[str] = "match"
    modes: ClassVar[frozenset[Mode]] = QUESTIONS | {Mode.DESIGN}
    default_modes: ClassVar[frozenset[Mode]] = QUESTIONS - {Mode.PREDICT}
    attempts: ClassVar[int] = 2

    @classmethod
    def read(cls, fields: Fields) -> Match:
        """The body of an item's fields."""
        return cls(fields.tables("pairs", Pair.read, 3, 6), fields.number("apart", 0.1))

    @property
    def parts(self) -> int:
        """The curves."""
        return len(self.pairs)

    def claims(self) -> Iterable[Claim]:
        """The curves."""
        return (pair.curve for pair in self.pairs)

    def face(self, names: Names, order: Sequence[int]) -> dict[str, Any]:
        """The labels, and the curves in another order."""
        curves = [numbers(pair.curve, names) for pair in self.pairs]
        return {"labels": [render(pair.label, names) for pair in self.pairs], "curves": shuffled(curves, order)}

    def key(self, names: Names) -> tuple[int, ...]:
        """Label n belongs to curve n, once the curves are known to differ."""
        curves = [numbers(pair.curve, names) for pair in self.pairs]
        height = max(max(map(abs, curve)) for curve in curves)
        labels = [render(pair.label, names) for pair in self.pairs]
        for one, other in combinations(range(len(curves)), 2):
            if len(curves[one]) == len(curves[other]) and gap(curves[one], curves[other]) < self.apart * height:
                raise ContentError(f"the curves of {labels[one]!r} and {labels[other]!r} can hardly be told apart")
            if labels[one] == labels[other]:
                raise ContentError(f"two labels read the same: {labels[one]!r}")
        return tuple(range(len(curves)))

    def solution(self, key: tuple[int, ...], names: Names, order: Sequence[int]) -> list[int]:
        """The label of each shown curve."""
        return [key[number] for number in order]

    def judge(self, key: tuple[int, ...], answer: Any, names: Names, order: Sequence[int]) -> Judged:
        """Right when every curve has its label; the score is the share that has."""
        given = ordering(self.kind, answer, len(self.pairs))
        hits = sum(label == key[number] for label, number in zip(given, order, strict=True))
        words = "" if hits == len(key) else f"With their own label: {hits} of {len(key)} curves."
        return Judged(hits == len(key), hits / len(key), words, so_far=words)
