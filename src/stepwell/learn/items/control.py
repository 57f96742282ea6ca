"""Choose the control run: which further run would tell two explanations apart."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, final

from stepwell.learn.claims import Claim
from stepwell.learn.fields import Fields
from stepwell.learn.items.body import QUESTIONS, Judged, Names
from stepwell.learn.items.choice import Choice, Option
from stepwell.learn.modes import Mode
from stepwell.learn.template import render


@final
@dataclass(frozen=True, slots=True)
class Control:
    """Explanations of what is seen, and runs of which exactly one tells them apart.

    The claim of an option says that its run does: that what the explanations predict for it lies far apart.
    """

    explanations: tuple[str, ...]
    choice: Choice

    kind: ClassVar[str] = "control"
    modes: ClassVar[frozenset[Mode]] = QUESTIONS
    default_modes: ClassVar[frozenset[Mode]] = QUESTIONS
    attempts: ClassVar[int] = 2

    @classmethod
    def read(cls, fields: Fields) -> Control:
        """The body of an item's fields."""
        explanations = fields.several("explanations")
        if len(explanations) < 2:
            fields.refuse("explanations", f'two or more are told apart, got {len(explanations)}; type: ["...", "..."]')
        return cls(explanations, Choice(fields.tables("options", Option.read, 2, 8)))

    @property
    def parts(self) -> int:
        """The options."""
        return self.choice.parts

    def claims(self) -> Iterable[Claim]:
        """One per option."""
        return self.choice.claims()

    def face(self, names: Names, order: Sequence[int]) -> dict[str, Any]:
        """The explanations and the options' texts."""
        explanations = [render(text, names) for text in self.explanations]
        return {"explanations": explanations, **self.choice.face(names, order)}

    def key(self, names: Names) -> int:
        """The number of the true option."""
        return self.choice.key(names)

    def solution(self, key: int, names: Names, order: Sequence[int]) -> int:
        """Where the true option is shown."""
        return self.choice.solution(key, names, order)

    def judge(self, key: int, answer: Any, names: Names, order: Sequence[int]) -> Judged:
        """Right for the number at which the true option is shown."""
        return self.choice.judge(key, answer, names, order)
