"""Put the pieces in order: of a measured value, from the smallest."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, final

from stepwell.errors import ContentError
from stepwell.learn.claims import Claim
from stepwell.learn.fields import Fields
from stepwell.learn.items.body import QUESTIONS, Judged, Names, ordering, shuffled
from stepwell.learn.modes import Mode
from stepwell.learn.template import render


@dataclass(frozen=True, slots=True)
class Piece:
    """A thing to put in its place.

    Args:
        text: what it says.
        rank: the measured number that it is ordered by.
    """

    text: str
    rank: Claim

    @classmethod
    def read(cls, fields: Fields) -> Piece:
        """The piece of a table."""
        return cls(fields.shown("text"), fields.claim("rank"))


@final
@dataclass(frozen=True, slots=True)
class Order:
    """Pieces and the measured numbers that order them.

    Args:
        apart: the least difference between two neighbours' numbers; without it they only have to differ.
    """

    pieces: tuple[Piece, ...]
    apart: float

    kind: ClassVar[str] = "order"
    modes: ClassVar[frozenset[Mode]] = QUESTIONS
    default_modes: ClassVar[frozenset[Mode]] = QUESTIONS - {Mode.PREDICT}
    attempts: ClassVar[int] = 2

    @classmethod
    def read(cls, fields: Fields) -> Order:
        """The body of an item's fields."""
        return cls(fields.tables("pieces", Piece.read, 3, 8), fields.number("apart", 0.0))

    @property
    def parts(self) -> int:
        """The pieces."""
        return len(self.pieces)

    def claims(self) -> Iterable[Claim]:
        """The number of each piece."""
        return (piece.rank for piece in self.pieces)

    def face(self, names: Names, order: Sequence[int]) -> dict[str, Any]:
        """The pieces' texts."""
        return {"pieces": shuffled([render(piece.text, names) for piece in self.pieces], order)}

    def key(self, names: Names) -> tuple[int, ...]:
        """The numbers of the pieces from the smallest measured value to the largest."""
        ranks = [piece.rank.value(names) for piece in self.pieces]
        for piece, rank in zip(self.pieces, ranks, strict=True):
            if isinstance(rank, bool) or not isinstance(rank, int | float) or rank != rank:
                raise ContentError(f"pieces are ordered by numbers, {piece.rank.text!r} came out {rank!r:.60}")
        ordered = sorted(range(len(ranks)), key=ranks.__getitem__)
        for before, after in itertools.pairwise(ordered):
            if ranks[before] == ranks[after] or ranks[after] - ranks[before] < self.apart:
                both = f"{self.pieces[before].text!r} and {self.pieces[after].text!r}"
                raise ContentError(f"{both} are too close to order: {ranks[before]!r} and {ranks[after]!r}")
        return tuple(ordered)

    def solution(self, key: tuple[int, ...], names: Names, order: Sequence[int]) -> list[int]:
        """The shown places in the right order."""
        return [list(order).index(number) for number in key]

    def judge(self, key: tuple[int, ...], answer: Any, names: Names, order: Sequence[int]) -> Judged:
        """Right for the whole order; the score is the share of pairs that stand the right way round."""
        given = [order[one] for one in ordering(self.kind, answer, len(self.pieces))]
        at = {number: place for place, number in enumerate(key)}
        pairs = [(a, b) for n, a in enumerate(given) for b in given[n + 1 :]]
        kept = sum(at[a] < at[b] for a, b in pairs)
        words = "" if kept == len(pairs) else f"The right way round: {kept} of {len(pairs)} pairs."
        return Judged(kept == len(pairs), kept / len(pairs), words, so_far=words)
