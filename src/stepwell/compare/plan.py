"""The plan of a comparison, as pure functions: which rates there are, how long the runs are, what is judged."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Literal

from stepwell.errors import HorizonError, OptionError
from stepwell.find.race import Level
from stepwell.record.trial import Strategy, TaskRef, Trial
from stepwell.schedule import Horizon, schedule
from stepwell.schedule.stretch import stretched

RATIO = 2.0  # between neighbouring rates of the grid: twice the best rate is then always on it
DASH = Fraction(1, 16)  # the shortest runs are this share of the budget ...
SHORT = Fraction(1, 4)  # ... and those that find the good rates this one
COARSE = 2  # places between the rates of a race; neighbours of good rates are added
SHORTEST = 40  # updates; a run shorter than this tells little
WIDEST = 8  # how many places beyond its ends the grid may grow where the best rate lies there
A_LITTLE = 2  # the same while no rate learns anything: then nothing says where to look
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


@dataclass(frozen=True, slots=True)
class Grid:
    """The rates that may be tried, by place.

    Args:
        rates: ascending; of an automatic grid each is `RATIO` times the one before.
        widen: whether it goes on beyond its ends by the same ratio, as an automatic one does.
    """

    rates: tuple[float, ...]
    widen: bool

    @property
    def middle(self) -> int:
        """The place in the middle, the lower one of two."""
        return (len(self.rates) - 1) // 2

    def rate(self, place: int) -> float:
        """The rate at a place; the first of `rates` is at 0."""
        return self.rates[0] * RATIO**place if self.widen else self.rates[place]

    def place(self, rate: float) -> int:
        """Where a rate of the grid is."""
        return round(math.log(rate / self.rates[0], RATIO)) if self.widen else self.rates.index(rate)

    def bounds(self, beyond: int) -> tuple[int, int]:
        """The first and the last place that may be tried, up to `beyond` outside of an automatic grid."""
        outside = beyond if self.widen else 0
        return -outside, len(self.rates) - 1 + outside

    def edge(self, rate: float) -> Literal["lowest", "highest"] | None:
        """Whether a rate is the last one on its side, so that a better one may lie beyond."""
        first, last = self.bounds(WIDEST)
        place = self.place(rate)
        return "lowest" if place <= first else "highest" if place >= last else None


@dataclass(frozen=True, slots=True)
class Miniature:
    """What runs of one length train: the whole schedule, from warm-up to cooldown, within that length.

    Args:
        level: of the race.
        horizon: of each run.
        strategy: with the schedule in miniature; as it is at full length.
    """

    level: Level
    horizon: Horizon
    strategy: Strategy

    def trial(self, terms: Terms, rate: float, seed: int) -> Trial:
        """One of these runs."""
        return Trial(terms.task, self.strategy, rate, seed, self.horizon, terms.environment)


def miniatures(terms: Terms, strategy: Strategy) -> tuple[Miniature, Miniature, Miniature]:
    """What looks for the rate of a strategy, from the shortest runs to those at full length.

    The shortest find the region, on one seed. Those of a quarter of the budget find the good rates, and those at full
    length the best one. Wherever a race walks, it takes two places at a time: noise makes bumps of one place, before
    which it would stop.
    """
    dash = Level(terms.steps, COARSE, terms.tuning_seeds[:1], "dash")
    short = Level(terms.steps, COARSE, terms.tuning_seeds, "race")
    return (
        _miniature(terms, strategy, DASH, dash),
        _miniature(terms, strategy, SHORT, short),
        Miniature(replace(short, gap=1, stage="refine"), terms.budget, strategy),
    )


def _miniature(terms: Terms, strategy: Strategy, share: Fraction, level: Level) -> Miniature:
    """The shortest one, from a share of the budget up, into which the schedule still fits whole."""
    full = schedule(strategy.schedule)
    ratio = max(share, Fraction(min(SHORTEST, terms.steps), terms.steps))
    while ratio < 1:
        steps = math.ceil(terms.steps * ratio)
        horizon = replace(terms.budget, total_steps=steps)
        small = stretched(full, Fraction(steps, terms.steps))
        try:
            small.resolve(horizon, base_lr=1.0, momentum=1.0)
        except HorizonError:  # a phase of it rounds away at this length
            ratio *= 2
        else:
            return Miniature(replace(level, steps=steps), horizon, replace(strategy, schedule=str(small)))
    return Miniature(replace(level, steps=terms.steps), terms.budget, strategy)


def judging_trials(terms: Terms, pairs: Sequence[tuple[Strategy, float]]) -> list[Trial]:
    """Every strategy at its rate on every judging seed, seed by seed."""
    return [terms.trial(strategy, rate, seed) for seed in terms.seeds for strategy, rate in pairs]
