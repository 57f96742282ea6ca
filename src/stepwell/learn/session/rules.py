"""What is particular to each mode."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from stepwell.learn.levels import Difficulty
from stepwell.learn.mastery import CHALLENGE
from stepwell.learn.modes import Mode

TIMER_SECONDS = 120.0
"""For each problem of a challenge, before it is extended."""

TIMERS: Mapping[str, float | None] = MappingProxyType({"off": None, "x1": 1.0, "x2": 2.0, "x10": 10.0})
"""How the timer can be extended, as WCAG 2.2.1 asks: ten times, or off."""


@dataclass(frozen=True, slots=True)
class Rules:
    """How a mode goes.

    Args:
        counts: how many items of each difficulty; None takes all that there are.
        attempts: answers to each item; None takes the item's own number.
        hints: hints for each item; None takes all of the item's.
        timed: whether there is a timer.
        told: whether the verdict comes at once, or only at the end.
        sure: whether a confidence comes with every answer.
        topics: how many topics it is about; None for any number.
    """

    counts: Mapping[Difficulty, int] | None
    attempts: int | None = None
    hints: int | None = None
    timed: bool = False
    told: bool = True
    sure: bool = False
    topics: int | None = None

    @property
    def total(self) -> int | None:
        """Items of a sitting; None for all."""
        return None if self.counts is None else sum(self.counts.values())


_EASY, _MEDIUM, _HARD = Difficulty.EASY, Difficulty.MEDIUM, Difficulty.HARD

RULES: Mapping[Mode, Rules] = MappingProxyType(
    {
        Mode.LEARN: Rules(None, topics=1),
        Mode.PREDICT: Rules({_EASY: 2, _MEDIUM: 2, _HARD: 1}, attempts=1, hints=0, sure=True),
        Mode.RECALL: Rules(None, attempts=1, hints=0),
        Mode.PRACTICE: Rules({_EASY: 2, _MEDIUM: 2, _HARD: 1}),
        Mode.CHALLENGE: Rules({_EASY: 1, _MEDIUM: 2, _HARD: CHALLENGE - 3}, attempts=2, hints=1, timed=True),
        Mode.TEST: Rules({_EASY: 3, _MEDIUM: 4, _HARD: 3}, attempts=1, hints=0, told=False),
        Mode.FIX: Rules(None),
        Mode.DESIGN: Rules(None),
        Mode.TUNE: Rules(None),
    }
)
