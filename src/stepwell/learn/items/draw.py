"""Draw the curve before it is measured: points, joined by straight lines."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, final

import numpy as np

from stepwell.learn.claims import Claim
from stepwell.learn.fields import Fields
from stepwell.learn.items.body import Judged, Names, expect
from stepwell.learn.items.curves import height, numbers
from stepwell.learn.laying import horizon
from stepwell.learn.modes import Mode
from stepwell.learn.proof import Frame, read_frame

_MODES = frozenset({Mode.PREDICT, Mode.PRACTICE, Mode.DESIGN})


@final
@dataclass(frozen=True, slots=True)
class Draw:
    """A measured curve, one value per update.

    Args:
        curve: the measured list.
        tolerance: the mean distance that still counts, as a share of the curve's height.
        frame: the run, whose length the learner sees.
        label: what is drawn, such as `rate`.
    """

    curve: Claim
    tolerance: float
    frame: Frame
    label: str

    kind: ClassVar[str] = "draw"
    modes: ClassVar[frozenset[Mode]] = _MODES
    default_modes: ClassVar[frozenset[Mode]] = _MODES - {Mode.DESIGN}
    attempts: ClassVar[int] = 2

    @classmethod
    def read(cls, fields: Fields) -> Draw:
        """The body of an item's fields."""
        frame = read_frame(fields, fields.scope.parameters)
        if frame is None:
            fields.refuse("horizon", "a curve is drawn over a run; type: [item.horizon] and total_steps = 100")
        return cls(fields.claim("curve"), fields.number("tolerance", 0.1), frame, fields.text("label", "rate"))

    @property
    def parts(self) -> int:
        """None."""
        return 0

    def claims(self) -> Iterable[Claim]:
        """The curve."""
        return (self.curve,)

    def face(self, names: Names, order: Sequence[int]) -> dict[str, Any]:
        """The length of the run and the base rate."""
        run, base_lr = horizon(self.frame, names)
        return {
            "total_steps": run.total_steps,
            "steps_per_epoch": run.steps_per_epoch,
            "base_lr": base_lr,
            "label": self.label,
        }

    def key(self, names: Names) -> list[float]:
        """The measured curve."""
        return numbers(self.curve, names)

    def solution(self, key: list[float], names: Names, order: Sequence[int]) -> list[list[float]]:
        """The curve as points."""
        return [[float(step), value] for step, value in enumerate(key)]

    def judge(self, key: list[float], answer: Any, names: Names, order: Sequence[int]) -> Judged:
        """Right within the tolerance; the score falls with the mean distance, to 0 at the curve's height."""
        points = _points(answer)
        drawn = np.interp(np.arange(len(key)), [step for step, _ in points], [value for _, value in points])
        off = np.abs(drawn - np.asarray(key))
        distance = float(off.mean()) / height(key)
        worst = int(off.argmax())
        words = f"On average {distance:.0%} of the curve's height away, most at step {worst}."
        evidence = {"distance": distance, "worst_step": worst, "drawn": drawn.tolist(), "measured": key}
        return Judged(distance <= self.tolerance, max(0.0, 1.0 - distance), words, evidence)


def _points(answer: Any) -> list[tuple[float, float]]:
    form = "points such as [[0, 0.1], [50, 0.05]], two or more at different steps"
    if not isinstance(answer, list | tuple) or not 2 <= len(answer) <= 10_000:
        expect("draw", form, answer)
    points = []
    for point in answer:
        if not isinstance(point, list | tuple) or len(point) != 2:
            expect("draw", form, answer)
        for value in point:
            if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
                expect("draw", form, answer)
        points.append((float(point[0]), float(point[1])))
    points.sort()
    if len({step for step, _ in points}) < len(points):
        expect("draw", form, answer)
    return points
