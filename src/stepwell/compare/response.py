"""How a strategy's result depends on its base rate, gathered from the race."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

from stepwell.record.comparison import RateResponse
from stepwell.record.run import Ending, Run

TOLERANCE = 0.05  # a rate is good if it loses at most this share of the way from untrained to best


@dataclass(slots=True)
class Response:
    """The short runs of one strategy by rate and tuning seed, while they come in.

    Regret is normalised: 0 is as good as the best rate, 1 as bad as the untrained network. Its sign makes lower better
    whatever the direction of the goal.
    """

    goal: str
    direction: str
    runs: dict[float, dict[int, Run]] = field(default_factory=dict)

    def add(self, rate: float, run: Run) -> None:
        """Take in one short run."""
        self.runs.setdefault(rate, {})[run.seed or 0] = run

    @property
    def rates(self) -> list[float]:
        """The rates that were run, ascending."""
        return sorted(self.runs)

    @property
    def best(self) -> float:
        """The rate with the best mean score."""
        return min(self.means(), key=lambda pair: pair[1])[0]

    def good(self) -> list[float]:
        """The rates around the best one, itself included, whose mean regret is within `TOLERANCE`; ascending."""
        rates, regrets = self.rates, self._regrets()
        low = high = rates.index(self.best)
        while low > 0 and regrets[low - 1] <= TOLERANCE:
            low -= 1
        while high + 1 < len(rates) and regrets[high + 1] <= TOLERANCE:
            high += 1
        return rates[low : high + 1]

    def means(self) -> list[tuple[float, float]]:
        """Each rate with its mean cost over the seeds, lower is better."""
        return [
            (rate, float(np.mean([cost(run, self.goal, self.direction) for run in runs.values()])))
            for rate, runs in sorted(self.runs.items())
        ]

    def record(self, tuning_seeds: Iterable[int]) -> RateResponse:
        """The plain record for pictures and tables."""
        seeds = list(tuning_seeds)
        rates, good = self.rates, self.good()
        regrets = dict(zip(rates, self._regrets(), strict=True))
        some = next(iter(self.runs[rates[0]].values()))
        return RateResponse(
            rates=np.asarray(rates),
            scores=np.asarray([[self._score(rate, seed) for seed in seeds] for rate in rates]),
            endings=tuple(tuple(self._ending(rate, seed) for seed in seeds) for rate in rates),
            steps=int((some.horizon.total_steps if some.horizon else None) or some.num_steps),
            good_low=good[0],
            good_high=good[-1],
            at_twice=regrets.get(2 * self.best, float("nan")),
        )

    def _regrets(self) -> list[float]:
        costs = np.asarray([mean for _, mean in self.means()])
        untrained = float(np.mean([untrained_cost(r, self.goal, self.direction) for r in self._all()]))
        span = untrained - costs.min()
        return list((costs - costs.min()) / span) if span > 0 else [0.0] * len(costs)

    def _all(self) -> list[Run]:
        return [run for runs in self.runs.values() for run in runs.values()]

    def _score(self, rate: float, seed: int) -> float:
        run = self.runs[rate].get(seed)
        return float("nan") if run is None else score(run, self.goal)

    def _ending(self, rate: float, seed: int) -> Ending:
        run = self.runs[rate].get(seed)
        return Ending.STOPPED if run is None else run.outcome.ending


def score(run: Run, metric: str) -> float:
    """What a run achieved; one that diverged counts as the untrained network."""
    reached = run.results.get(f"final_{metric}", run.results.get(metric, float("nan")))
    if run.outcome.ending is Ending.DIVERGED or not np.isfinite(reached):
        return run.results[f"initial_{metric}"]
    return reached


def cost(run: Run, metric: str, direction: str) -> float:
    """The score with the sign that makes lower better."""
    return score(run, metric) * (-1.0 if direction == "max" else 1.0)


def untrained_cost(run: Run, metric: str, direction: str) -> float:
    """The cost of the network as it was before training."""
    return run.results[f"initial_{metric}"] * (-1.0 if direction == "max" else 1.0)


def mean_cost(runs: Mapping[int, Run], metric: str, direction: str) -> float:
    """The mean cost over seeds."""
    return float(np.mean([cost(run, metric, direction) for run in runs.values()]))
