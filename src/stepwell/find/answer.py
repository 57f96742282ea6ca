"""From what a race was told to an answer: a rate, an interval, the edge of failure and a verdict."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from stepwell.find.grid import rate_at
from stepwell.find.race import Caution, Heat, best_place, risks
from stepwell.record.comparison import GOOD_REGRET
from stepwell.record.suggestion import Probe, Verdict

NOTHING: Mapping[int, int] = MappingProxyType({})
NOTICEABLE = 1e-3  # the share of the untrained score that the best run must gain, or nothing was learned
# Chosen by trying it out, see the log; the second where one seed is all that was tried.
OF_SEVERAL = Caution(lower=0.25, higher=0.3, unknown=0.3)
OF_ONE = Caution(lower=0.15, higher=0.45, unknown=0.5)
FAR_APART = 3  # places: train and validation disagree if their best rates are this far from each other ...
TOO_DEAR = 0.5  # no rate is suggested that costs more than this share of what there is to gain, if any costs less
WORTH = 0.2  # ... and the one's best costs the other this much of what there is to gain


@dataclass(frozen=True, slots=True)
class Answer:
    """What follows from a race; places of the grid, None where there is none.

    Args:
        verdict, words: how it ended.
        place: the suggested one.
        low, high: around it, the lowest and the highest with a regret of `tolerance` at most.
        edge: the lowest above it that failed.
        spread: how many times the best rate of one seed is that of another.
        tolerance: `GOOD_REGRET`, or the suggested place's own regret if that is more.
        moved: places by which all of these but the edge lie above those that the short runs chose.
    """

    verdict: Verdict
    words: str
    place: int | None = None
    low: int | None = None
    high: int | None = None
    edge: int | None = None
    spread: float = math.nan
    tolerance: float = GOOD_REGRET
    moved: int = 0


def answer(
    heats: Sequence[Heat],
    bounds: tuple[int, int] | None,
    probes: Sequence[Probe] = (),
    *,
    rises: Mapping[int, int] = NOTHING,
) -> Answer:
    """The answer of a race.

    The place is the one with the least risk at the last level: its own regret averaged with its neighbours', so that a
    rate next to failure carries some of it. Regrets are normalised. From there it moves to where the whole run takes
    steps of that size.

    Args:
        heats: of the race, from the shortest runs to the longest.
        bounds: the first and the last place that were allowed; None if nobody limited them.
        probes: the short runs, for a comparison of the training loss, which ranked them, with validation.
        rises: by the length of short runs, the places that a rate rises for the whole run; 0 where it is not told.
    """
    tried = [heat for heat in heats if heat.told]
    whole = [part for heat in tried if (part := _on_most_seeds(heat)).regrets()]
    if not whole:
        return Answer(Verdict.NO_SIGNAL, "The budget ended before any rate was tried; give more updates.")
    failed = {place for one in tried for place in one.failed()}
    if (silence := _nothing_learned(tried)) is not None:
        return Answer(Verdict.NO_SIGNAL, silence, edge=min(failed, default=None))
    heat = whole[-1]
    regrets, gap = _stable(heat), heat.level.gap
    if min(regrets.values()) >= 1.0:
        return _nothing_here(heat, bounds)
    caution = OF_SEVERAL if len(heat.level.seeds) > 1 else OF_ONE
    weighed = risks(regrets, gap, caution, fails_above=bool(failed) and min(failed) <= max(regrets) + gap)
    most = max(TOO_DEAR, min(regrets.values()))
    place = best_place({one: risk for one, risk in weighed.items() if regrets[one] <= most})
    edge = min((one for one in failed if one > place), default=None)
    rise = rises.get(heat.level.steps, 0)
    moved = _allowed(rise, place, regrets, bounds, edge)
    verdict, words = _verdict(heat, place, bounds, edge, named=moved != 0)
    if verdict is Verdict.FOUND and (quarrel := _disagreement(probes, rate_at(place))) is not None:
        verdict, words = Verdict.DISAGREE, quarrel
    if moved:
        words += " " + _why_moved(place, moved, rise, heat.level.steps)
    tolerance = max(GOOD_REGRET, regrets[place])
    low, high = (one + moved for one in interval(regrets, place, gap, tolerance, edge))
    highest = min(math.inf if edge is None else edge - 1, math.inf if bounds is None else bounds[1])
    low = low if bounds is None else max(low, min(bounds[0], place + moved))
    return Answer(verdict, words, place + moved, low, int(min(high, highest)), edge, _spread(heat), tolerance, moved)


def _allowed(
    rise: int, place: int, regrets: Mapping[int, float], bounds: tuple[int, int] | None, edge: int | None
) -> int:
    """As much of a rise as the limits allow, below the edge of failure, and to no rate known to be dear."""
    if rise < 0:
        return rise if bounds is None else min(max(rise, bounds[0] - place), 0)
    last = min(place + rise, math.inf if bounds is None else bounds[1], math.inf if edge is None else edge - 1)
    return next((one - place for one in range(int(last), place, -1) if regrets.get(one, 0.0) <= TOO_DEAR), 0)


def _why_moved(place: int, moved: int, rise: int, steps: int) -> str:
    size = "larger" if rise > 0 else "smaller"
    stays = "" if moved == rise else f"; {rate_at(place + moved):.3g} is as far as the limits and the short runs allow"
    return (
        f"The first updates of this optimizer are {size} than its later ones, so {rate_at(place):.3g} in runs of "
        f"{steps} updates stands for {rate_at(place + rise):.3g} in the whole run{stays}."
    )


def interval(
    regrets: Mapping[int, float], place: int, gap: int, tolerance: float, edge: int | None = None
) -> tuple[int, int]:
    """The places around the suggested one with a regret of `tolerance` at most, all below the edge of failure."""
    low = high = place
    while regrets.get(low - gap, 1.0) <= tolerance:
        low -= gap
    while regrets.get(high + gap, 1.0) <= tolerance and (edge is None or high + gap < edge):
        high += gap
    return low, high


def _on_most_seeds(heat: Heat) -> Heat:
    """The heat on the most seeds that leave the best place between two others: the budget may have ended amid it."""
    parts = [
        Heat(replace(heat.level, seeds=heat.level.seeds[:count]), heat.told)
        for count in range(len(heat.level.seeds), 0, -1)
    ]
    bracketed = (part for part in parts if _bracketed(_stable(part), heat.level.gap))
    return next(bracketed, max(parts, key=lambda part: len(part.regrets())))


def _stable(heat: Heat) -> dict[int, float]:
    """The regrets, 1 where any run of this length failed: a rate that fails on one seed is not made good by others."""
    failed = heat.failed()
    return {place: 1.0 if place in failed else regret for place, regret in heat.regrets().items()}


def _nothing_here(heat: Heat, bounds: tuple[int, int] | None) -> Answer:
    """The answer where shorter runs learned something and those of the last length did not."""
    lowest, failed = min(place for place, _ in heat.told), heat.failed()
    runs = f"runs of {heat.level.steps} updates"
    if len(failed) == len({place for place, _ in heat.told}):
        words = f"All {runs} failed, down to a rate of {rate_at(lowest):.3g}, though shorter ones did not."
    else:
        words = f"No {runs} lowered the score on every seed, down to a rate of {rate_at(lowest):.3g}."
    last = bounds is not None and lowest - heat.level.gap < bounds[0]
    return Answer(Verdict.NO_SIGNAL if last else Verdict.WIDEN_DOWN, words, edge=min(failed, default=None))


def _bracketed(regrets: Mapping[int, float], gap: int) -> bool:
    return bool(regrets) and {best_place(regrets) - gap, best_place(regrets) + gap} <= set(regrets)


def _nothing_learned(tried: Sequence[Heat]) -> str | None:
    told = [one for heat in tried for one in heat.told.values()]
    finished = [one for one in told if math.isfinite(one.score)]
    if not finished:
        lowest = rate_at(min(place for heat in tried for place, _ in heat.told))
        if not any(math.isfinite(one.initial) for one in told):
            return f"The score is {told[0].initial:g} before the first update, so no rate can be judged."
        return (
            f"Every run failed, down to a rate of {lowest:.3g}, though the score before the first update is "
            f"{told[0].initial:.3g}; a batch may give a loss that is not finite, whatever the rate."
        )
    gain = max((one.initial - one.score) / (abs(one.initial) or 1.0) for one in finished)
    if gain >= NOTICEABLE:
        return None
    lowered = f"by more than {gain:.2g} of it" if gain > 0.0 else "at all"
    return (
        f"No rate lowered the score {lowered} in {len(told)} short runs; the loss may not depend on what is trained, "
        "or need longer runs: give more updates."
    )


def _verdict(
    heat: Heat, place: int, bounds: tuple[int, int] | None, edge: int | None, *, named: bool
) -> tuple[Verdict, str]:
    """How the short runs ended; the best rate is `named` where it is not the suggestion that stands beside this."""
    regrets = _stable(heat)
    best, gap = best_place(regrets), heat.level.gap
    steps = heat.level.steps
    limits = bounds or (-math.inf, math.inf)
    if not regrets.keys() - {best}:
        return Verdict.WIDEN_DOWN, f"The budget ended before {rate_at(best):.3g} was compared over {steps} updates."
    if best == max(regrets) and (edge is None or edge > best + gap):
        why = "the highest rate allowed" if best + gap > limits[1] else "the highest that the budget reached"
        return Verdict.WIDEN_UP, f"Over {steps} updates {rate_at(best):.3g} is best, and it is {why}."
    if best == min(regrets):
        why = "the lowest rate allowed" if best - gap < limits[0] else "the lowest that the budget reached"
        return Verdict.WIDEN_DOWN, f"Over {steps} updates {rate_at(best):.3g} is best, and it is {why}."
    seeds = "1 seed" if len(heat.level.seeds) == 1 else f"{len(heat.level.seeds)} seeds"
    tried = f"of {len(regrets)} rates over {steps} updates on {seeds}"
    if place == best:
        return (
            Verdict.FOUND,
            f"{f'{rate_at(best):.3g} is best' if named else 'Best'} {tried}, with worse ones on both sides.",
        )
    fails = best + gap not in regrets or best + gap in heat.failed()
    above = "fails" if fails else f"gains {1.0 - regrets[best + gap]:.0%} as much"
    return Verdict.FOUND, (
        f"{rate_at(best):.3g} scored best {tried}, but the next higher rate {above}; {rate_at(place):.3g} gains "
        f"{1.0 - regrets[place]:.0%} as much and is further from too high."
    )


def _disagreement(probes: Sequence[Probe], lr: float) -> str | None:
    """A sentence, if the validation loss wants another rate than the training loss, and it matters."""
    finished = [probe for probe in probes if math.isfinite(probe.val) and math.isfinite(probe.score)]
    last = max((probe.steps for probe in finished), default=None)
    if last is None:
        return None
    sums: dict[float, list[float]] = {}
    for probe in finished:
        if probe.steps == last:
            sums.setdefault(probe.lr, []).append(probe.val)
    means = {rate: sum(values) / len(values) for rate, values in sums.items()}
    if lr not in means:
        return None
    other, worst = min(means, key=lambda rate: means[rate]), max(means.values())
    apart = abs(math.log10(other / lr)) * 4
    cost = (means[lr] - means[other]) / (worst - means[other]) if worst > means[other] else 0.0
    if apart < FAR_APART - 0.5 or cost < WORTH:
        return None
    return (
        f"By the training loss {lr:.3g} is best, by the validation loss {other:.3g} ({means[other]:.3g} there, "
        f"{means[lr]:.3g} here); the first learns the data faster, the second keeps what it learns general."
    )


def _spread(heat: Heat) -> float:
    """How many times the best rate of one seed is that of another."""
    if len(heat.level.seeds) < 2:
        return math.nan
    best = [best_place(regrets) for seed in heat.level.seeds if (regrets := heat.of_seed(seed))]
    return rate_at(max(best)) / rate_at(min(best)) if len(best) > 1 else math.nan
