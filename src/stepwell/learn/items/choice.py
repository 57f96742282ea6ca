"""One of several options is right: the one whose claim is true."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, final

from stepwell.errors import ContentError
from stepwell.learn.claims import Claim
from stepwell.learn.fields import Fields
from stepwell.learn.items.body import QUESTIONS, Judged, Names, place, shuffled
from stepwell.learn.modes import Mode
from stepwell.learn.template import render


@dataclass(frozen=True, slots=True)
class Option:
    """A thing to choose.

    Args:
        text: what it says.
        claim: what that means for the measured values.
        why: what to tell who chose it; it may use measured values.
    """

    text: str
    claim: Claim
    why: str

    @classmethod
    def read(cls, fields: Fields) -> Option:
        """The option of a table."""
        return cls(fields.shown("text"), fields.claim("claim"), fields.shown("why", "", measured=True))


@final
@dataclass(frozen=True, slots=True)
class Choice:
    """Options of which exactly one is true."""

    options: tuple[Option, ...]

    kind: ClassVar[str] = "choice"
    modes: ClassVar[frozenset[Mode]] = QUESTIONS
    default_modes: ClassVar[frozenset[Mode]] = QUESTIONS
    attempts: ClassVar[int] = 2

    @classmethod
    def read(cls, fields: Fields) -> Choice:
        """The body of an item's fields."""
        return cls(fields.tables("options", Option.read, 2, 8))

    @property
    def parts(self) -> int:
        """The options."""
        return len(self.options)

    def claims(self) -> Iterable[Claim]:
        """One per option."""
        return (option.claim for option in self.options)

    def face(self, names: Names, order: Sequence[int]) -> dict[str, Any]:
        """The options' texts."""
        return {"options": shuffled(option_texts(self.options, names), order)}

    def key(self, names: Names) -> int:
        """The number of the true option."""
        true = [number for number, option in enumerate(self.options) if option.claim.holds(names)]
        if len(true) != 1:
            which = " and ".join(repr(self.options[number].text) for number in true) or "none"
            raise ContentError(f"exactly one option must be true, true are: {which}")
        return true[0]

    def solution(self, key: int, names: Names, order: Sequence[int]) -> int:
        """Where the true option is shown."""
        return list(order).index(key)

    def judge(self, key: int, answer: Any, names: Names, order: Sequence[int]) -> Judged:
        """Right for the number at which the true option is shown."""
        chosen = order[place(self.kind, answer, len(self.options))]
        words = render(self.options[chosen].why, names)
        return Judged(chosen == key, float(chosen == key), words)


def option_texts(options: Sequence[Option], names: Names) -> list[str]:
    """The texts of the options in the order of the content; two that read the same are a fault.

    Raises:
        ContentError: two options have the same text.
    """
    texts = [render(option.text, names) for option in options]
    if len(set(texts)) < len(texts):
        raise ContentError(f"two options read the same: {texts}")
    return texts
