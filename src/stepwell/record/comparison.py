"""The result of comparing strategies, as plain data: drawing and reporting it needs no torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from stepwell.record.run import Ending, Run
from stepwell.record.trial import Strategy
from stepwell.schedule.length import Horizon

Array: TypeAlias = NDArray[np.float64]

GOOD_REGRET = 0.05
"""A rate is good if it loses at most this share of the way from untrained to best."""


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate with its lower and upper bound."""

    estimate: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, eq=False)
class RateResponse:
    """How the result of a *complete* short schedule depends on the base rate, from the race.

    Args:
        rates: ascending, shape (R,).
        scores: the validation goal of every short run, shape (R, tuning seeds); `nan` where not run. One that
            diverged scores as the untrained network, or as the worst other one if that is worse.
        endings: how each of them ended, same shape, as `Ending` values.
        steps: updates in one short run.
        good_low, good_high: the ends of the region around the best rate whose mean stays within tolerance of the best;
            `nan` where no rate learned anything.
        at_twice: normalised regret at twice the judged rate, from full-length runs on tuning seeds, at least the first
            (0 as good, 1 as bad as untrained); `nan` if not run, or where no rate learned anything.
    """

    rates: Array
    scores: Array
    endings: tuple[tuple[Ending, ...], ...]
    steps: int
    good_low: float
    good_high: float
    at_twice: float

    @property
    def width(self) -> float:
        """How many times the highest good rate is the lowest."""
        return self.good_high / self.good_low


@dataclass(frozen=True, slots=True, eq=False)
class StrategyResult:
    """One strategy at its own best rate, judged on seeds that tuning never saw.

    Args:
        ranked: False for the illustrations (far too low, far too high), which take no part in the decision.
        base_lr: the rate it was judged at.
        runs: one per judging seed, in the order of `Comparison.seeds`.
        scores: the decision metric on the test split per judging seed. A diverged run scores as the untrained
            network, or as the worst ranked run on its seed that did not diverge, whichever is worse.
        difference: to the leader, paired by seed, positive is worse; simultaneous interval. None for illustrations.
        may_be_best: the data do not show that another strategy is better.
        steps_to_target: updates until an evaluation (one per epoch) first showed `Comparison.target`, per seed; `nan`
            if none did, or if the run diverged.
        tuning_steps: updates made to find `base_lr`.
        response: None where the rate was given or is an illustration.
    """

    strategy: Strategy
    ranked: bool
    base_lr: float
    runs: tuple[Run, ...]
    scores: Array
    difference: Interval | None
    may_be_best: bool
    steps_to_target: Array
    tuning_steps: int
    response: RateResponse | None

    @property
    def mean(self) -> float:
        """The mean of `scores` over the judging seeds."""
        return float(np.mean(self.scores))

    def count(self, ending: Ending) -> int:
        """How many judging runs ended like this."""
        return sum(run.outcome.ending is ending for run in self.runs)


@dataclass(frozen=True, slots=True)
class Recommendation:
    """What to use: the strategy's name, its schedule as text, code to paste, and why in one or two sentences."""

    strategy: str
    base_lr: float
    schedule: str
    code: str
    reason: str


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """Strategies side by side: what happened, what may be best, and what it cost.

    Args:
        metric: the decision metric, measured on the test split (`test_loss`); `direction` says which way is better.
        budget: of every judged run.
        seeds, tuning_seeds: disjoint.
        results: ranked strategies best mean first, then the illustrations.
        leader: the ranked strategy with the best mean.
        alpha: the chance that any of several equal strategies is called worse.
        margin: a difference to the leader counts as worse only beyond this, in units of `metric`.
        resolution: the median half-width of the intervals: smaller differences cannot be shown with these seeds.
        target: the validation goal that `steps_to_target` counts to; `nan` where nothing learned.
        lessons: sentences about this comparison with the measured numbers, for the terminal and the page.
        cost: `trials`, `reused`, `steps` made (of reused runs too), `tuning_steps`, `judging_steps`, `seconds` (wall),
            `train_seconds`.
    """

    task: str
    optimizer: str
    metric: str
    direction: Literal["min", "max"]
    budget: Horizon
    seeds: tuple[int, ...]
    tuning_seeds: tuple[int, ...]
    results: tuple[StrategyResult, ...]
    leader: str
    alpha: float
    margin: float
    resolution: float
    target: float
    untrained: float
    recommendation: Recommendation
    lessons: tuple[str, ...]
    cost: Mapping[str, float]
    settings: Mapping[str, Any] = field(default_factory=dict)

    @property
    def ranked(self) -> tuple[StrategyResult, ...]:
        """The strategies that take part in the decision, best mean first."""
        return tuple(result for result in self.results if result.ranked)

    @property
    def best(self) -> tuple[StrategyResult, ...]:
        """The set of strategies that may be best."""
        return tuple(result for result in self.results if result.may_be_best)

    @property
    def learned(self) -> bool:
        """Whether any run of a ranked strategy learned; otherwise there is nothing to tell strategies apart by."""
        return any(result.count(Ending.FINISHED) for result in self.ranked)

    def __getitem__(self, name: str) -> StrategyResult:
        for result in self.results:
            if result.strategy.name == name:
                return result
        raise KeyError(name)
