"""How a search spends its updates: a few short runs to find the decade, then longer ones on fresh seeds."""

from __future__ import annotations

import math

from stepwell.errors import OptionError
from stepwell.find.race import Level
from stepwell.find.short_run import FINE

SMALLEST = 60  # a sweep, and three short runs of a few updates
SWEEP = 30  # updates that the sweep takes, about
COARSE_RUNS = 4  # rates that a level of half decades tries, about
FINE_RUNS = 3.5  # rates that run on each seed of a fine level, about ...
ALONE = 4.5  # ... and on a seed that has to find the best one by itself
LONGER = 8  # times that the runs of a level are as long as those before, at most: the best rates are then not far apart


def levels(budget: int, *, scored: int) -> list[Level]:
    """The levels of a race within `budget` updates.

    Below 200 one seed tells quarter decades apart at once, upwards: there is enough for three rates, and the best one
    is more often above the start than below. Above, seed 0 finds the half decade, and runs as long as the rest allows
    the quarter: on one fresh seed, on two from 450 updates up, on three from 1,500. Where those would be more than
    eight times as long, runs of a length between find the half decade again. The lengths were chosen by simulating
    races from stored runs: see the log.

    Args:
        budget: updates in all, the sweep's and the scored batches among them.
        scored: batches that a short run is scored on.

    Raises:
        OptionError: a budget that is too small for any race.
    """
    if isinstance(budget, bool) or not isinstance(budget, int) or budget < SMALLEST:
        raise OptionError(f"the budget is a whole number of updates of at least {SMALLEST}, got {budget!r}")
    if budget < 200:
        return [Level(max(min(16, (budget - SWEEP) // 3 - scored), 3), 1, (0,), upward=True)]
    lengths = [10 if budget < 250 else 16]  # after ten updates many a rate that will fail still looks best
    count = 1 if budget < 450 else 2 if budget < 1500 else 3
    runs = ALONE if count == 1 else FINE_RUNS * count
    while True:
        rest = budget - SWEEP - COARSE_RUNS * sum(length + scored for length in lengths)
        fine = int(rest / runs) - scored
        if fine <= LONGER * lengths[-1]:
            break
        lengths.append(min(LONGER * lengths[-1], round(math.sqrt(lengths[-1] * fine))))
    seeds = tuple(range(len(lengths), len(lengths) + count))
    below = 1 if count == 1 else 0  # on one seed, with few updates, nothing else shows that it is too high
    coarse = [Level(length, 2, (seed,)) for seed, length in enumerate(lengths)]
    return [*coarse, Level(fine, 1, seeds, FINE, below)]
