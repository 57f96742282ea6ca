"""Raise the rate while the metric improves, lower it when it stalls."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, ClassVar, Literal

from stepwell.errors import ScheduleError
from stepwell.schedule.control import controller
from stepwell.schedule.length import round_half_up, written


@dataclass(frozen=True, slots=True)
class GreedyState:
    """What is remembered between checks.

    Args:
        factors: one per group.
        best: the best (smoothed) metric since the start or the last reset; None before the first.
        good_checks: improvements in a row.
        bad_checks: checks without improvement in a row.
        resting: checks left after a cut during which nothing is counted.
        warming: the same after a raise.
        cuts_left: cuts at the floor until everything starts anew.
        recent: the latest metrics, oldest first.
    """

    factors: tuple[float, ...]
    cuts_left: int
    best: float | None = None
    good_checks: int = 0
    bad_checks: int = 0
    resting: int = 0
    warming: int = 0
    recent: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Greedy:
    """Divide the rate by `cut` after improvements in a row, multiply by it after as many checks without one.

    Args:
        cut: what the factor is multiplied by, and divided by, between 0 and 1.
        patience: improvements, or checks without one, that change nothing; the next in the row does.
        threshold: how much better counts as better.
        threshold_mode: `rel` relative to the best metric, `abs` in its units.
        cooldown: checks after a cut during which nothing is counted, not even a better metric.
        warmup: the same after a raise.
        floor: the factor is never cut below this; `min_lr` of transformers divided by the base rate.
        ceiling: the factor is never raised above this; `max_lr` divided by the base rate.
        window: the mean of so many latest metrics is judged instead of the metric; 1 does not smooth.
        reset: so many cuts at the floor in a row (no raise between) and everything starts anew from a factor of 1.
        mode: `min` where smaller is better, `max` where larger is.

    The rule is that of transformers' `GreedyLR` with `eps=0`, and it differs in three places. A metric that is not
    finite counts as no improvement and stays out of the window (there one NaN spoils the running sum until a reset).
    Relative improvement is measured against the size of the best metric. Floor and ceiling are factors; the defaults
    are those of transformers for a base rate of 0.1.

    Reference:
        GreedyLR, arXiv:2512.14527.

    Example:
        >>> greedy = Greedy(cut=0.5, patience=1)
        >>> state = greedy.init([0.1])
        >>> factors = []
        >>> for loss in [4.0, 3.0, 3.0, 3.0, 3.0, 3.0]:
        ...     state = greedy.update(state, loss)
        ...     factors.append(state.factors[0])
        >>> factors
        [1.0, 2.0, 2.0, 1.0, 1.0, 0.5]
    """

    NUMBERS: ClassVar = ("patience", "threshold", "cooldown", "warmup", "floor", "ceiling", "window", "reset")

    cut: float = 0.95
    patience: int = 10
    threshold: float = 1e-6
    threshold_mode: Literal["rel", "abs"] = "abs"
    cooldown: int = 0
    warmup: int = 0
    floor: float = 0.01
    ceiling: float = 10.0
    window: int = 1
    reset: int = 500
    mode: Literal["min", "max"] = "min"

    def __post_init__(self) -> None:
        controller.check_cut("greedy", self.cut)
        controller.check_words("greedy", mode=self.mode, threshold_mode=self.threshold_mode)
        for name, least in (("patience", 0), ("cooldown", 0), ("warmup", 0), ("window", 1), ("reset", 1)):
            count = controller.whole_checks("greedy", name, getattr(self, name), least=least)
            object.__setattr__(self, name, count)
        for name in ("threshold", "floor", "ceiling"):
            controller.check_number("greedy", name, getattr(self, name))
        if not self.floor <= 1 <= self.ceiling:
            raise ScheduleError(
                "greedy begins with a factor of 1, so its floor is at most 1 and its ceiling at least 1; got floor "
                f"{written(self.floor)} and ceiling {written(self.ceiling)}"
            )

    def init(self, base_lrs: Sequence[float]) -> GreedyState:
        """The state before the first metric: every factor is 1."""
        return GreedyState(factors=(1.0,) * len(base_lrs), cuts_left=self.reset)

    def update(self, state: GreedyState, metric: float) -> GreedyState:
        """The state after one more metric, in transformers' order: smooth, rest, compare, change."""
        current, state = self._smoothed(state, metric)
        if state.resting:
            return replace(state, resting=state.resting - 1, good_checks=0, bad_checks=0)
        if state.warming:
            return replace(state, warming=state.warming - 1, good_checks=0, bad_checks=0)
        if controller.improves(
            current, state.best, mode=self.mode, threshold=self.threshold, threshold_mode=self.threshold_mode
        ):
            state = replace(state, best=current, good_checks=state.good_checks + 1, bad_checks=0)
        else:
            state = replace(state, good_checks=0, bad_checks=state.bad_checks + 1)
        if state.good_checks > self.patience:
            return self._raised(state)
        if state.bad_checks > self.patience:
            return self._lowered(state)
        return state

    def _smoothed(self, state: GreedyState, metric: float) -> tuple[float, GreedyState]:
        if self.window == 1 or not math.isfinite(metric):
            return metric, state
        recent = (*state.recent, float(metric))[-self.window :]
        return math.fsum(value / len(recent) for value in recent), replace(state, recent=recent)

    def _raised(self, state: GreedyState) -> GreedyState:
        factors = tuple(min(factor / self.cut, self.ceiling) for factor in state.factors)
        return replace(state, factors=factors, good_checks=0, warming=self.warmup, cuts_left=self.reset)

    def _lowered(self, state: GreedyState) -> GreedyState:
        factors = tuple(max(factor * self.cut, self.floor) for factor in state.factors)
        if any(factor > self.floor for factor in factors):
            return replace(state, factors=factors, bad_checks=0, resting=self.cooldown)
        if state.cuts_left > 1:
            return replace(state, factors=factors, bad_checks=0, resting=self.cooldown, cuts_left=state.cuts_left - 1)
        return replace(self.init(factors), resting=self.cooldown)

    def restore(self, saved: Mapping[str, Any]) -> GreedyState:
        """The state from plain data."""
        return controller.restored(GreedyState, saved)

    def stretched(self, ratio: Fraction) -> Greedy:
        """Every count of checks multiplied and rounded half up; the window is at least 1, cuts stay cuts."""
        patience, cooldown, warmup, window = (
            round_half_up(checks * ratio) for checks in (self.patience, self.cooldown, self.warmup, self.window)
        )
        return replace(self, patience=patience, cooldown=cooldown, warmup=warmup, window=max(window, 1))

    def __str__(self) -> str:
        return controller.settings_text("greedy", self, Greedy(), self.NUMBERS)
