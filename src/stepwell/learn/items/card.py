"""A card to recall: think, turn it over, say how well you knew it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, ClassVar, final

from stepwell.learn.claims import Claim
from stepwell.learn.fields import Fields
from stepwell.learn.items.body import Names
from stepwell.learn.modes import Mode


class Rating(StrEnum):
    """How well a card was known; what the spacing of its next appearance follows."""

    AGAIN = "again"
    HARD = "hard"
    GOOD = "good"
    EASY = "easy"


@final
@dataclass(frozen=True, slots=True)
class Card:
    """A question with the answer on its back. What the back claims is proved by the item's `facts`."""

    answer: str

    kind: ClassVar[str] = "card"
    modes: ClassVar[frozenset[Mode]] = frozenset({Mode.RECALL, Mode.LEARN})
    default_modes: ClassVar[frozenset[Mode]] = frozenset({Mode.RECALL, Mode.LEARN})
    attempts: ClassVar[int] = 1

    @classmethod
    def read(cls, fields: Fields) -> Card:
        """The body of an item's fields."""
        return cls(fields.shown("answer", measured=True))

    @property
    def parts(self) -> int:
        """None."""
        return 0

    def claims(self) -> Iterable[Claim]:
        """None of its own."""
        return ()

    def face(self, names: Names, order: Sequence[int]) -> dict[str, Any]:
        """The ratings to choose from."""
        return {"ratings": [rating.value for rating in Rating]}
