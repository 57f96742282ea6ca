"""The plan of a comparison, as pure functions: which rates are raced, what is run again, what is judged."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Literal

from stepwell.compare.response import Response
from stepwell.errors import HorizonError, OptionError
from stepwell.record.trial import Strategy, TaskRef, Trial
from stepwell.schedule import Horizon, schedule
from stepwell.schedule.stretch import stretched

RATIO = 2.0  # between neighbouring rates of the grid: twice the best rate is then always on it
SHORT = Fraction(1, 4)  # a raced run is this share of the budget
SHORTEST = 40  # updates; a race shorter than this tells little
COARSE = 2  # the race begins with every second rate of the grid, and fills in where it matters
WIDEST = RATIO**8  # how far beyond its ends the grid may grow where the best rate lies there
A_LITTLE = RATIO**2  # the same while no rate learns anything: then nothing says where to look
FIRST_TUNING_SEED = 1_000_000  # judging seeds count from 0, so the two never meet


@dataclass(frozen=True, slots=True)
class Terms:
    """What every trial of a comparison has in common.

    Args:
        task: what is trained.
        budget: of a judged run.
        seeds: judging seeds.
        tuning_seeds: disjoint from them.
        environment: of every trial, so that runs of another one are not taken from a store.
    """

    task: TaskRef
    budget: Horizon
    seeds: tuple[int, ...]
    tuning_seeds: tuple[int, ...]
    environment: str = ""

    @property
    def steps(self) -> int:
        """Updates in a judged run."""
        if self.budget.total_steps is None:
            raise OptionError("a comparison needs a budget with an end, such as 20ep or 5000")
        return self.budget.total_steps

    def trial(self, strategy: Strategy, base_lr: float, seed: int) -> Trial:
        """A run at full length."""
        return Trial(self.task, strategy, base_lr, seed, self.budget, self.environment)


def log_grid(low: float, high: float) -> tuple[float, ...]:
    """Rates from `low` up to about `high`, each twice the one before; at least two."""
    count = 1 + round(math.log(high / low, RATIO))
    return tuple(low * RATIO**i for i in range(max(count, 2)))


def first_rates(grid: Sequence[float], *, widen: bool) -> tuple[float, ...]:
    """The rates that the race begins with: every second one of an automatic grid, all of a given one."""
    return tuple(grid[::COARSE]) if widen else tuple(grid)


def lacking(response: Response, grid: Sequence[float], *, widen: bool) -> tuple[float, ...]:
    """The rates that the race still lacks: neighbours of the best rate and of every other good one."""
    found, limit = (response.good(), WIDEST) if response.learned else ([response.best], A_LITTLE)
    near = {rate for good in found for rate in _neighbours(good, grid, widen=widen, limit=limit)}
    return tuple(sorted(near - set(response.rates)))


def edge(rate: float, grid: Sequence[float], *, widen: bool) -> Literal["lowest", "highest"] | None:
    """Whether a rate is the last one on its side, so that a better one may lie beyond."""
    near = _neighbours(rate, grid, widen=widen)
    if all(other > rate for other in near):
        return "lowest"
    return "highest" if all(other < rate for other in near) else None


def _neighbours(rate: float, grid: Sequence[float], *, widen: bool, limit: float = WIDEST) -> list[float]:
    """The rates next to a rate. An automatic grid goes on beyond its ends, up to `limit`; a given one does not."""
    if widen:
        return [near for near in (rate / RATIO, rate * RATIO) if grid[0] / limit <= near <= grid[-1] * limit]
    place = grid.index(rate)
    return list(grid[max(place - 1, 0) : place]) + list(grid[place + 1 : place + 2])


def short_trials(terms: Terms, strategy: Strategy, rates: Sequence[float]) -> list[Trial]:
    """Runs of a *complete* miniature of the schedule, never of its beginning: one per rate and tuning seed."""
    horizon, miniature = _miniature(terms, strategy)
    return [
        Trial(terms.task, miniature, rate, seed, horizon, terms.environment)
        for rate in rates
        for seed in terms.tuning_seeds
    ]


def _miniature(terms: Terms, strategy: Strategy) -> tuple[Horizon, Strategy]:
    """The shortest horizon, from a quarter of the budget up, into which the schedule still fits whole."""
    full = schedule(strategy.schedule)
    ratio = max(SHORT, Fraction(min(SHORTEST, terms.steps), terms.steps))
    while ratio < 1:
        steps = math.ceil(terms.steps * ratio)
        horizon = replace(terms.budget, total_steps=steps)
        small = stretched(full, Fraction(steps, terms.steps))
        try:
            small.resolve(horizon, base_lr=1.0, momentum=1.0)
        except HorizonError:  # a phase of it rounds away at this length
            ratio *= 2
        else:
            return horizon, replace(strategy, schedule=str(small))
    return terms.budget, strategy


def finalists(response: Response) -> tuple[float, ...]:
    """The best two rates of the race."""
    return tuple(response.ranking()[:2])


def next_to(best: float, tried: Collection[float], grid: Sequence[float], *, widen: bool) -> float | None:
    """The neighbour that the best rate at full length still lacks, or None where it is bracketed by worse ones.

    Args:
        best: of those tried.
        tried: the rates that were run at full length.
        grid: of the race, ascending.
        widen: whether the grid goes on beyond its ends.
    """
    return next((rate for rate in _neighbours(best, grid, widen=widen) if rate not in tried), None)


def judging_trials(terms: Terms, pairs: Sequence[tuple[Strategy, float]]) -> list[Trial]:
    """Every strategy at its rate on every judging seed, seed by seed."""
    return [terms.trial(strategy, rate, seed) for seed in terms.seeds for strategy, rate in pairs]
