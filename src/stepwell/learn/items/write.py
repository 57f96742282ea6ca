"""Write the schedule: a text of the schedule language that gives the measured curve."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, final

from stepwell.errors import AnswerError, ContentError, StepwellError
from stepwell.learn.claims import Claim
from stepwell.learn.fields import Fields
from stepwell.learn.items.body import Judged, Names, expect
from stepwell.learn.items.curves import gap, numbers
from stepwell.learn.laying import horizon, rates
from stepwell.learn.modes import Mode
from stepwell.learn.proof import Frame, read_frame
from stepwell.learn.template import render

_MODES = frozenset({Mode.DESIGN, Mode.PRACTICE})
LONGEST = 2_000


@final
@dataclass(frozen=True, slots=True)
class Write:
    """A measured curve and a text that gives it.

    Args:
        target: the measured list of rates, one per update.
        start: what the learner begins with; it must not be right. May be empty.
        answer: a text that is right.
        tolerance: the largest difference that still counts, as a share of the target's largest rate.
        frame: the run that texts are laid over.
    """

    target: Claim
    start: str
    answer: str
    tolerance: float
    frame: Frame

    kind: ClassVar[str] = "write"
    modes: ClassVar[frozenset[Mode]] = _MODES
    default_modes: ClassVar[frozenset[Mode]] = frozenset({Mode.DESIGN})
    attempts: ClassVar[int] = 0

    @classmethod
    def read(cls, fields: Fields) -> Write:
        """The body of an item's fields."""
        frame = read_frame(fields, fields.scope.parameters)
        if frame is None:
            fields.refuse("horizon", "a schedule is laid over a run; type: [item.horizon] and total_steps = 100")
        return cls(
            fields.claim("target"),
            fields.shown("start", ""),
            fields.shown("solution"),
            fields.number("tolerance", 0.01),
            frame,
        )

    @property
    def parts(self) -> int:
        """None."""
        return 0

    def claims(self) -> Iterable[Claim]:
        """The target."""
        return (self.target,)

    def face(self, names: Names, order: Sequence[int]) -> dict[str, Any]:
        """The run, the target's curve where it is known already, and the text to begin with."""
        run, base_lr = horizon(self.frame, names)
        known = self.target.names <= names.keys()
        return {
            "total_steps": run.total_steps,
            "steps_per_epoch": run.steps_per_epoch,
            "base_lr": base_lr,
            "start": render(self.start, names),
            "target": numbers(self.target, names) if known else None,
        }

    def key(self, names: Names) -> list[float]:
        """The target, once it is known that the solution gives it and the start does not."""
        target = numbers(self.target, names)
        solved = self._own("solution", self.answer, target, names)
        if not solved.right:
            raise ContentError(f"the solution does not give the target: {solved.words}")
        if self.start and self._own("start", self.start, target, names).right:
            raise ContentError("the start gives the target already; begin with a text that does not")
        return target

    def solution(self, key: list[float], names: Names, order: Sequence[int]) -> str:
        """The text that is right."""
        return self._text(self.answer, names)

    def judge(self, key: list[float], answer: Any, names: Names, order: Sequence[int]) -> Judged:
        """Right where the text's curve is the target's within the tolerance.

        A text that cannot be laid over the run is an answer of the wrong form: neither right nor wrong, and no attempt.
        """
        if not isinstance(answer, str) or not 0 < len(answer.strip()) <= LONGEST:
            expect("write", "the text of a schedule", answer)
        try:
            return self._compare(key, answer.strip(), names)
        except ContentError:
            raise
        except StepwellError as error:  # in the words of the language
            raise AnswerError(str(error)) from error

    def _own(self, field: str, template: str, target: list[float], names: Names) -> Judged:
        try:
            return self._compare(target, self._text(template, names), names)
        except ContentError:
            raise
        except StepwellError as error:
            raise ContentError(f"the {field} is no schedule: {error}") from error

    def _text(self, template: str, names: Names) -> str:
        return render(template, names, exact=True)

    def _compare(self, target: list[float], text: str, names: Names) -> Judged:
        given = rates(text, self.frame, names)
        evidence = {"text": text, "given": given, "target": target}
        if len(given) != len(target):
            raise ContentError(f"the target has {len(target)} rates, the horizon {len(given)} updates")
        off = gap(given, target)
        allowed = self.tolerance * max(map(abs, target))
        worst = max(range(len(target)), key=lambda step: abs(given[step] - target[step]))
        words = f"At step {worst} the rate is {given[worst]:.4g}, the target's {target[worst]:.4g}."
        so_far = f"Farthest from the target at step {worst}, where yours has the rate {given[worst]:.4g}."
        right = off <= allowed
        share = off / (max(map(abs, target)) or 1.0)
        score = 1.0 if right else max(0.0, 1.0 - share)
        return Judged(right, score, "" if right else words, evidence, so_far)
