"""Feedback as pure functions: a controller turns a stream of metrics into one factor per parameter group."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, Protocol

from stepwell.errors import ScheduleError
from stepwell.schedule.length import written


class State(Protocol):
    """What a controller remembers; plain data."""

    @property
    def factors(self) -> tuple[float, ...]:
        """One multiplier per parameter group."""
        ...


class Controller(Protocol):
    """Pure feedback: the same states from the same metrics, wherever it runs."""

    def init(self, base_lrs: Sequence[float]) -> Any:
        """The state before the first metric."""
        ...

    def update(self, state: Any, metric: float) -> Any:
        """The state after one more metric."""
        ...


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

    cut: float = 0.1
    patience: int = 10
    threshold: float = 1e-4
    threshold_mode: Literal["rel", "abs"] = "rel"
    cooldown: int = 0
    floor: float = 0.0
    mode: Literal["min", "max"] = "min"

    def __post_init__(self) -> None:
        if not 0 < self.cut < 1:
            raise ScheduleError(f"plateau cuts by a factor between 0 and 1, got x{written(self.cut)}")
        for name in ("patience", "cooldown"):
            value = getattr(self, name)
            if value != int(value) or value < 0:
                raise ScheduleError(f"plateau's {name} is a whole number of checks, got {value}")
            object.__setattr__(self, name, int(value))
        for name in ("threshold", "floor"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value >= 0):
                raise ScheduleError(f"plateau's {name} is a number of at least 0, got {value}")

    def init(self, base_lrs: Sequence[float]) -> PlateauState:
        """The state before the first metric: every factor is 1."""
        return PlateauState(factors=(1.0,) * len(base_lrs))

    def update(self, state: PlateauState, metric: float) -> PlateauState:
        """The state after one more metric, in torch's order: compare, rest, cut."""
        if self._improves(metric, state.best):
            state = replace(state, best=metric, bad_checks=0)
        else:
            state = replace(state, bad_checks=state.bad_checks + 1)
        if state.resting:
            state = replace(state, resting=state.resting - 1, bad_checks=0)
        if state.bad_checks > self.patience:
            factors = tuple(max(factor * self.cut, min(factor, self.floor)) for factor in state.factors)
            state = replace(state, factors=factors, bad_checks=0, resting=self.cooldown)
        return state

    def _improves(self, metric: float, best: float | None) -> bool:
        if math.isnan(metric):
            return False
        if best is None:  # anything beats nothing but the worst metric there is
            return metric != (-math.inf if self.mode == "max" else math.inf)
        gain = metric - best if self.mode == "max" else best - metric
        needed = self.threshold * abs(best) if self.threshold_mode == "rel" and math.isfinite(best) else self.threshold
        return gain > needed

    def __str__(self) -> str:
        default = Plateau()
        words = [f"x{written(self.cut)}", f"patience {self.patience}"]
        words += [
            f"{name} {written(getattr(self, name))}"
            for name in ("threshold", "cooldown", "floor")
            if getattr(self, name) != getattr(default, name)
        ]
        words += [word for word in (self.threshold_mode, self.mode) if word in ("abs", "max")]
        return f"plateau({', '.join(words)})"
