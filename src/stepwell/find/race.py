"""The race: rates that start from the same place, over short runs that grow longer and fewer.

Pure: it asks for short runs and is told how they went, and owns neither models nor time. Who runs them, one after the
other or many at once, sends the answers back.
"""

from __future__ import annotations

import math
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

import numpy as np

# The share of the second half of a run in its rank: the last loss is one draw, and all rates of a seed have seen the
# same batches. Chosen by simulating races: see the log.
LATE = 0.3
# A run that gains less than this share of what a shorter one gained has lost it again, and counts as untrained.
KEPT = 0.5


@dataclass(frozen=True, slots=True)
class Level:
    """Short runs of one length.

    Args:
        steps: updates of each.
        gap: places between neighbouring rates.
        seeds: on which each rate runs.
        stage: what records call it.
        below: places below the best one of the level before, where it begins: the shorter that level's runs were, the
            more of its best rates fail later.
        upward: the second place it tries is the one above where it begins, not the one below.
    """

    steps: int
    gap: int
    seeds: tuple[int, ...]
    stage: str = "race"
    below: int = 0
    upward: bool = False


@dataclass(frozen=True, slots=True)
class Ask:
    """A short run that is wanted: a rate by its place, on a seed, at a level."""

    place: int
    seed: int
    level: Level


@dataclass(frozen=True, slots=True)
class Told:
    """How it went.

    Args:
        score: after its last update, lower is better; infinite if it failed.
        initial: the same before its first update.
        late: the mean training loss of its second half, if that is of the same kind as the score.
        lost: it ended with less than half of what a shorter run gained.
    """

    score: float
    initial: float
    late: float | None = None
    lost: bool = False

    @property
    def rank(self) -> float:
        """What rates of one seed are compared by."""
        return self.score if self.late is None else (1.0 - LATE) * self.score + LATE * self.late


@dataclass(slots=True)
class Heat:
    """What was told at one level, by place and seed."""

    level: Level
    told: dict[tuple[int, int], Told] = field(default_factory=dict)

    def regrets(self) -> dict[int, float]:
        """Mean normalised regret of every place that ran on all seeds, ascending: 0 is best, 1 untrained or failed.

        Every seed has its own best, so that an easy seed does not weigh more than a hard one.
        """
        places = sorted({place for place, _ in self.told})
        whole = [place for place in places if all((place, seed) in self.told for seed in self.level.seeds)]
        each = [self.of_seed(seed) for seed in self.level.seeds]
        return {place: float(np.mean([regrets[place] for regrets in each])) for place in whole}

    def of_seed(self, seed: int) -> dict[int, float]:
        """The normalised regret of every place that ran on this seed."""
        told = {place: one for (place, other), one in sorted(self.told.items()) if other == seed}
        kept = [one for one in told.values() if not one.lost]
        best = min((one.rank for one in kept), default=math.inf)
        lowest = min((one.score for one in kept), default=math.inf)
        if not math.isfinite(best):
            return dict.fromkeys(told, 1.0)
        # Late losses are of other batches, so a rank is compared with ranks only, and gains are those of the score.
        return {
            place: 1.0 if one.lost else normalised(one.rank, best, best + (one.initial - lowest))
            for place, one in told.items()
        }

    def failed(self) -> set[int]:
        """The places at which a run failed, or all runs lost what shorter ones gained."""
        kept = {place for (place, _), one in self.told.items() if not one.lost}
        failed = {place for (place, _), one in self.told.items() if not math.isfinite(one.score)}
        return failed | ({place for place, _ in self.told} - kept)

    @property
    def learned(self) -> bool:
        """Whether any run ended below where it began."""
        return self.gained > 0.0

    @property
    def gained(self) -> float:
        """The most that any run lowered its score by; at least 0."""
        return max((one.initial - one.score for one in self.told.values() if math.isfinite(one.score)), default=0.0)


Race: TypeAlias = Generator[Sequence[Ask], Mapping[Ask, Told], list[Heat]]


def normalised(score: float, best: float, initial: float) -> float:
    """(score - best) / (initial - best), within 0 and 1; 1 for a run that failed, or where none got below `initial`."""
    if not math.isfinite(score) or best >= initial:
        return 1.0
    return min(max((score - best) / (initial - best), 0.0), 1.0)


def race(levels: Sequence[Level], start: int, bounds: tuple[int, int]) -> Race:
    """Ask for runs level by level; each begins at the best place of the one before, or some below it.

    On its first seed a level walks: from the start and a place beside it towards less regret, until the best place has
    worse ones on both sides. A start that is wrong by decades costs a few short runs. Its other seeds run the best
    place and its neighbours, and all of them walk on if their mean says so. An answer that lacks runs, because the
    budget is spent, ends the race.

    A run that ends with less than half of what a shorter one gained counts as untrained: where a rate is too high for a
    longer run, all such runs end where an untrained model is, and the best of them is best by chance.

    Args:
        levels: from the shortest runs to the longest.
        start: the place where the first level begins.
        bounds: the first and the last place that may be asked for.

    Returns:
        What was told, level by level.
    """
    heats: list[Heat] = []
    gained = 0.0
    for level in levels:
        start = min(max(start - level.below, bounds[0] + level.gap), bounds[1])
        for count in (1, len(level.seeds)):
            heat = Heat(replace(level, seeds=level.seeds[:count]))
            known = heats.pop().told if count > 1 else {}
            heat.told |= known
            heats.append(heat)
            below, above = start - level.gap, start + level.gap
            wanted = [start, below, above] if count > 1 else [start, above if level.upward else below]
            while wanted:
                asks = [
                    Ask(place, seed, level)
                    for place in wanted
                    for seed in heat.level.seeds
                    if _inside(place, bounds) and (place, seed) not in heat.told
                ]
                told = (yield asks) if asks else {}
                heat.told |= {(ask.place, ask.seed): _unless_lost(one, gained) for ask, one in told.items()}
                if len(told) < len(asks):
                    return heats
                wanted = _further(heat, bounds)
            start = best_place(heat.regrets())
            if count == len(level.seeds):
                break
        gained = max(gained, heats[-1].gained)
    return heats


def _unless_lost(one: Told, gained: float) -> Told:
    return replace(one, lost=math.isfinite(one.score) and one.initial - one.score < KEPT * gained)


def _further(heat: Heat, bounds: tuple[int, int]) -> list[int]:
    """The place beyond the best one, where that is the outermost on its side."""
    regrets = heat.regrets()
    best = best_place(regrets)
    beyond = (
        [best - heat.level.gap] if best == min(regrets) else [best + heat.level.gap] if best == max(regrets) else []
    )
    return [place for place in beyond if _inside(place, bounds) and place not in regrets]


def best_place(regrets: Mapping[int, float]) -> int:
    """The place with the least regret; the lowest of several, which is the furthest from failure."""
    return min(regrets, key=lambda place: (regrets[place], place))


@dataclass(frozen=True, slots=True)
class Caution:
    """How much a place's neighbours count for it.

    Args:
        lower, higher: their shares of its risk.
        unknown: what stands for the regret of the place above the highest that was tried, where nothing failed.
    """

    lower: float
    higher: float
    unknown: float


def risks(regrets: Mapping[int, float], gap: int, caution: Caution, *, fails_above: bool) -> dict[int, float]:
    """Each regret, averaged with those of its neighbours.

    A short run's score is noisy and knows nothing of later updates, and too high costs more than too low: the rate
    before the edge of failure carries some of the failure. The lowest place's own regret stands for that below it.

    Args:
        regrets: of every place.
        gap: places between neighbours.
        caution: the shares.
        fails_above: runs failed at the place above the highest.
    """
    beyond = 1.0 if fails_above else caution.unknown
    own = 1.0 - caution.lower - caution.higher
    return {
        place: caution.lower * regrets.get(place - gap, regret)
        + own * regret
        + caution.higher * regrets.get(place + gap, beyond)
        for place, regret in regrets.items()
    }


def _inside(place: int, bounds: tuple[int, int]) -> bool:
    return bounds[0] <= place <= bounds[1]
