"""Several of the options are right: all whose claims are true."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, final

from stepwell.errors import ContentError
from stepwell.learn.claims import Claim
from stepwell.learn.fields import Fields
from stepwell.learn.items.body import QUESTIONS, Judged, Names, places, shuffled
from stepwell.learn.items.choice import Option, option_texts
from stepwell.learn.modes import Mode
from stepwell.learn.template import render


@final
@dataclass(frozen=True, slots=True)
class Multi:
    """Options of which at least one is true and at least one is not."""

    options: tuple[Option, ...]

    kind: ClassVar[str] = "multi"
    modes: ClassVar[frozenset[Mode]] = QUESTIONS
    default_modes: ClassVar[frozenset[Mode]] = QUESTIONS - {Mode.PREDICT}
    attempts: ClassVar[int] = 2

    @classmethod
    def read(cls, fields: Fields) -> Multi:
        """The body of an item's fields."""
        return cls(fields.tables("options", Option.read, 3, 8))

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

    def key(self, names: Names) -> tuple[int, ...]:
        """The numbers of the true options."""
        true = tuple(number for number, option in enumerate(self.options) if option.claim.holds(names))
        if not 0 < len(true) < len(self.options):
            raise ContentError(f"some options must be true and some not, true are {len(true)} of {len(self.options)}")
        return true

    def solution(self, key: tuple[int, ...], names: Names, order: Sequence[int]) -> list[int]:
        """Where the true options are shown."""
        return sorted(list(order).index(number) for number in key)

    def judge(self, key: tuple[int, ...], answer: Any, names: Names, order: Sequence[int]) -> Judged:
        """Right for exactly the true ones; the score is the share of options that were judged rightly."""
        chosen = {order[one] for one in places(self.kind, answer, len(self.options))}
        wrong = sorted(chosen ^ set(key), key=list(order).index)
        reasons = [render(self.options[number].why, names) for number in wrong]
        words = "\n".join(f"- {reason}" for reason in reasons if reason)
        count = len(self.options)
        so_far = f"Judged rightly: {count - len(wrong)} of {count} options."
        return Judged(not wrong, 1.0 - len(wrong) / count, words, so_far=so_far)
