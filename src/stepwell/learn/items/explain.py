"""Explain in your own words: the machine suggests which concepts are there, the learner decides."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, final

from stepwell.learn.claims import Claim
from stepwell.learn.fields import Fields
from stepwell.learn.items.body import Names
from stepwell.learn.modes import Mode
from stepwell.learn.template import render


@dataclass(frozen=True, slots=True)
class Concept:
    """A thing that a good explanation says.

    Args:
        text: what is to be ticked.
        synonyms: words and phrases that hint at it, any of them; the ends of words do not matter.
    """

    text: str
    synonyms: tuple[str, ...]

    @classmethod
    def read(cls, fields: Fields) -> Concept:
        """The concept of a table."""
        return cls(fields.shown("text", measured=True), fields.texts("synonyms"))

    def suggested(self, words: str) -> bool:
        """Whether a text has one of the synonyms, at the beginning of a word.

        Example:
            >>> Concept("it overshoots", ("overshoot", "jumps past")).suggested("It overshoots the minimum.")
            True
        """
        plain = " ".join(words.casefold().split())
        return any(re.search(rf"\b{re.escape(' '.join(one.casefold().split()))}", plain) for one in self.synonyms)


@final
@dataclass(frozen=True, slots=True)
class Explain:
    """Concepts of which a good explanation names enough, and an explanation that does.

    Args:
        needed: how many.
        answer: an explanation to compare one's own with.
    """

    concepts: tuple[Concept, ...]
    needed: int
    answer: str

    kind: ClassVar[str] = "explain"
    modes: ClassVar[frozenset[Mode]] = frozenset({Mode.LEARN, Mode.PRACTICE})
    default_modes: ClassVar[frozenset[Mode]] = frozenset({Mode.LEARN})
    attempts: ClassVar[int] = 1

    @classmethod
    def read(cls, fields: Fields) -> Explain:
        """The body of an item's fields."""
        concepts = fields.tables("concepts", Concept.read, 2, 8)
        needed = fields.whole("needed", max(1, len(concepts) - 1), least=1)
        if needed > len(concepts):
            fields.refuse("needed", f"there are {len(concepts)} concepts, {needed} cannot be needed")
        return cls(concepts, needed, fields.shown("answer", measured=True))

    @property
    def parts(self) -> int:
        """None."""
        return 0

    def claims(self) -> Iterable[Claim]:
        """None of its own."""
        return ()

    def face(self, names: Names, order: Sequence[int]) -> dict[str, Any]:
        """How many concepts there are; they are shown after the explanation is written."""
        return {"concepts": len(self.concepts), "needed": self.needed}

    def suggestions(self, words: str, names: Names) -> list[dict[str, Any]]:
        """Each concept and whether the text seems to have it."""
        return [
            {"text": render(concept.text, names), "suggested": concept.suggested(words)} for concept in self.concepts
        ]
