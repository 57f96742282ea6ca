"""Cut the rate when the metric has stopped improving."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, ClassVar, Literal

from stepwell.schedule.control import controller
from stepwell.schedule.length import round_half_up


@dataclass(frozen=True, slots=True)
class PlateauState:
    """Best metric so far (None before the first), checks without improvement, checks left to rest, factors."""

    factors: tuple[float, ...]
    best: float | None = None
    bad_checks: int = 0
    resting: int = 0


@dataclass(frozen=True, slots=True)
class Plateau:
    """Cut the rate when the metric has stopped improving: torch's ReduceLROnPlateau as a pure function.

    Args:
        cut: what the factor is multiplied by, between 0 and 1.
        patience: checks without improvement that are forgiven; the next one cuts.
        threshold: how much better counts as better.
        threshold_mode: `rel` relative to the best metric, `abs` in its units.
        cooldown: checks after a cut during which nothing is counted.
        floor: the factor never falls below this.
        least: a cut that lowers the factor by no more than this is not made (torch's `eps`).
        mode: `min` where smaller is better, `max` where larger is.

    A metric that is not a number counts as no improvement. Relative improvement is measured against the *size* of the
    best metric, so it is right for negative metrics too (torch's is not).

    Example:
        >>> plateau = Plateau(cut=0.5, patience=1)
        >>> state = plateau.init([0.1])
        >>> for loss in [1.0, 1.0, 1.0]:
        ...     state = plateau.update(state, loss)
        >>> state.factors
        (0.5,)
    """

    NUMBERS: ClassVar = ("patience", "threshold", "cooldown", "floor", "least")

    cut: float = 0.1
    patience: int = 10
    threshold: float = 1e-4
    threshold_mode: Literal["rel", "abs"] = "rel"
    cooldown: int = 0
    floor: float = 0.0
    mode: Literal["min", "max"] = "min"
    least: float = 0.0

    def __post_init__(self) -> None:
        controller.check_cut("plateau", self.cut)
        controller.check_words("plateau", mode=self.mode, threshold_mode=self.threshold_mode)
        for name in ("patience", "cooldown"):
            object.__setattr__(self, name, controller.whole_checks("plateau", name, getattr(self, name)))
        for name in ("threshold", "floor", "least"):
            controller.check_number("plateau", name, getattr(self, name))

    def init(self, base_lrs: Sequence[float]) -> PlateauState:
        """The state before the first metric: every factor is 1."""
        return PlateauState(factors=(1.0,) * len(base_lrs))

    def update(self, state: PlateauState, metric: float) -> PlateauState:
        """The state after one more metric, in torch's order: compare, rest, cut."""
        if controller.improves(
            metric, state.best, mode=self.mode, threshold=self.threshold, threshold_mode=self.threshold_mode
        ):
            state = replace(state, best=metric, bad_checks=0)
        else:
            state = replace(state, bad_checks=state.bad_checks + 1)
        if state.resting:
            state = replace(state, resting=state.resting - 1, bad_checks=0)
        if state.bad_checks > self.patience:
            factors = tuple(self._lowered(factor) for factor in state.factors)
            state = replace(state, factors=factors, bad_checks=0, resting=self.cooldown)
        return state

    def _lowered(self, factor: float) -> float:
        lower = max(factor * self.cut, min(factor, self.floor))
        return lower if factor - lower > self.least else factor

    def restore(self, saved: Mapping[str, Any]) -> PlateauState:
        """The state from plain data."""
        return controller.restored(PlateauState, saved)

    def stretched(self, ratio: Fraction) -> Plateau:
        """Patience and cooldown multiplied and rounded half up."""
        patience, cooldown = (round_half_up(checks * ratio) for checks in (self.patience, self.cooldown))
        return replace(self, patience=patience, cooldown=cooldown)

    def __str__(self) -> str:
        return controller.settings_text("plateau", self, Plateau(), self.NUMBERS)
