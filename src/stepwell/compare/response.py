"""How a strategy's result depends on its base rate, gathered from runs of one length."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

import numpy as np

from stepwell.record.comparison import GOOD_REGRET, RateResponse
from stepwell.record.run import Ending, Run
from stepwell.tasks.ending import learned


@dataclass(slots=True)
class Response:
    """The runs of one strategy and length by rate and tuning seed, while they come in.

    Rates are ranked among those that ran on every seed that any ran on. Regret is normalised: 0 is as good as the best
    rate, 1 as bad as the untrained network. Its sign makes lower better whatever the direction of the goal.
    """

    goal: str
    direction: str
    runs: dict[float, dict[int, Run]] = field(default_factory=dict)

    def add(self, rate: float, run: Run) -> None:
        """Take in one run."""
        self.runs.setdefault(rate, {})[run.seed or 0] = run

    def on(self, seeds: Iterable[int]) -> Response:
        """The same with the runs on these seeds only."""
        some = set(seeds)
        chosen = {
            rate: {seed: run for seed, run in runs.items() if seed in some}
            for rate, runs in self.runs.items()
            if some & runs.keys()
        }
        return Response(self.goal, self.direction, chosen)

    @property
    def rates(self) -> list[float]:
        """The rates that were run, ascending."""
        return sorted(self.runs)

    @property
    def whole(self) -> list[float]:
        """The rates that ran on every seed that any ran on, ascending."""
        seeds = {seed for runs in self.runs.values() for seed in runs}
        return [rate for rate in self.rates if seeds <= set(self.runs[rate])]

    @property
    def best(self) -> float:
        """The best rate: the fewest runs that diverged, then the best mean score."""
        return self.ranking()[0]

    @property
    def learned(self) -> bool:
        """Whether the best rate beats the untrained network by what counts as learning."""
        if not self.runs:
            return False
        sign = -1.0 if self.direction == "max" else 1.0
        best, seeds = self.best, self.runs[self.best]
        return learned(sign * self._untrained(seeds), sign * self._mean(best, seeds), self.direction)

    def ranking(self) -> list[float]:
        """The whole rates, best first; one that diverged comes after every one that did not."""
        return [rate for rate, _ in sorted(self.means(), key=lambda pair: (self.diverged(pair[0]), pair[1]))]

    def diverged(self, rate: float) -> int:
        """How many runs at a rate diverged."""
        return sum(run.outcome.ending is Ending.DIVERGED for run in self.runs[rate].values())

    def good(self) -> list[float]:
        """The rates around the best one, itself included, at which all learned, within `GOOD_REGRET`; ascending.

        None where nothing was learned: then every rate is as good as no training at all.
        """
        if not self.learned:
            return []
        rates = self.whole
        fine = [
            self._regret(rate) <= GOOD_REGRET
            and all(run.outcome.ending is Ending.FINISHED for run in self.runs[rate].values())
            for rate in rates
        ]
        low = high = rates.index(self.best)
        while low > 0 and fine[low - 1]:
            low -= 1
        while high + 1 < len(rates) and fine[high + 1]:
            high += 1
        return rates[low : high + 1]

    def means(self) -> list[tuple[float, float]]:
        """Each whole rate with its mean cost over the seeds, lower is better."""
        return [(rate, self._mean(rate, self.runs[rate])) for rate in self.whole]

    def record(self, tuning_seeds: Iterable[int], full: Response | None = None) -> RateResponse:
        """The plain record for pictures and tables; `full` holds the runs at full length, around the judged rate."""
        seeds = list(tuning_seeds)
        rates, good = self.rates, self.good() or [math.nan]
        some = next(iter(self.runs[rates[0]].values()))
        return RateResponse(
            rates=np.asarray(rates),
            scores=np.asarray([[self._score(rate, seed) for seed in seeds] for rate in rates]),
            endings=tuple(tuple(self._ending(rate, seed) for seed in seeds) for rate in rates),
            steps=int((some.horizon.total_steps if some.horizon else None) or some.num_steps),
            good_low=good[0],
            good_high=good[-1],
            at_twice=math.nan if full is None else full.at_twice,
        )

    @property
    def at_twice(self) -> float:
        """The regret at twice the best rate; nan where that was not run."""
        return self._regret(2 * self.best) if 2 * self.best in self.runs else math.nan

    def _regret(self, rate: float) -> float:
        """The normalised regret of a rate, over the seeds that it ran on; nan where nothing was learned on them."""
        seeds = self.runs[rate]
        best, untrained = self._mean(self.best, seeds), self._untrained(seeds)
        if not self.learned or best >= untrained:
            return math.nan
        return (self._mean(rate, seeds) - best) / (untrained - best)

    def _mean(self, rate: float, seeds: Iterable[int]) -> float:
        floor = self._floor()
        return float(np.mean([cost(self.runs[rate][seed], self.goal, self.direction, floor) for seed in seeds]))

    def _untrained(self, seeds: Collection[int]) -> float:
        """The cost before training, over some seeds."""
        costs = [untrained_cost(run, self.goal, self.direction) for run in self._all() if (run.seed or 0) in seeds]
        return float(np.mean(costs))

    def _floor(self) -> float:
        return worst(self._all(), self.goal, self.direction)

    def _all(self) -> list[Run]:
        return [run for runs in self.runs.values() for run in runs.values()]

    def _score(self, rate: float, seed: int) -> float:
        run = self.runs[rate].get(seed)
        return math.nan if run is None else score(run, self.goal, self.direction, self._floor())

    def _ending(self, rate: float, seed: int) -> Ending:
        run = self.runs[rate].get(seed)
        return Ending.STOPPED if run is None else run.outcome.ending


def score(run: Run, metric: str, direction: str, floor: float = -math.inf) -> float:
    """What a run achieved.

    One that diverged counts as the untrained network, and as no better than `floor`: finishing a little worse than
    untrained must not look worse than blowing up.

    Args:
        run: a finished run.
        metric: of its results.
        direction: which way is better.
        floor: a cost (lower is better): the `worst` of the runs that this one is held against.
    """
    sign = -1.0 if direction == "max" else 1.0
    return sign * cost(run, metric, direction, floor)


def cost(run: Run, metric: str, direction: str, floor: float = -math.inf) -> float:
    """The score with the sign that makes lower better."""
    reached = _reached(run, metric, direction)
    return max(untrained_cost(run, metric, direction), floor) if reached is None else reached


def worst(runs: Iterable[Run], metric: str, direction: str) -> float:
    """The highest cost among the runs that did not diverge; minus infinity where all did."""
    costs = (_reached(run, metric, direction) for run in runs)
    return max((cost for cost in costs if cost is not None), default=-math.inf)


def untrained_cost(run: Run, metric: str, direction: str) -> float:
    """The cost of the network as it was before training."""
    return run.results[f"initial_{metric}"] * (-1.0 if direction == "max" else 1.0)


def _reached(run: Run, metric: str, direction: str) -> float | None:
    """The cost at the end of a run; None where it diverged."""
    reached = run.results.get(f"final_{metric}", run.results.get(metric, math.nan))
    if run.outcome.ending is Ending.DIVERGED or not math.isfinite(reached):
        return None
    return reached * (-1.0 if direction == "max" else 1.0)
