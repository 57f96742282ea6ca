"""What a comparison teaches, in sentences with its own measured numbers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from stepwell.compare.decide import seeds_needed
from stepwell.compare.plan import Grid
from stepwell.compare.strategy import ILLUSTRATIONS, TOO_HIGH, TOO_LOW, is_constant
from stepwell.record.comparison import Comparison, StrategyResult
from stepwell.record.run import Ending
from stepwell.view.numbers import listing, rate, significant
from stepwell.view.words import goal_of, readable, tuning, within_margin

CRAWL = 0.5  # of the way to the leader; less is crawling


def lessons(comparison: Comparison) -> tuple[str, ...]:
    """One sentence each: too high, too low, what is really different, what cannot be told, how forgiving, how fast."""
    if not comparison.learned:
        return (_nothing(comparison),)
    kinds = (_too_high, _too_low, _real, _within_margin, _not_shown, _edge, _forgiving, _soonest)
    return tuple(sentence for kind in kinds for sentence in kind(comparison))


def _nothing(comparison: Comparison) -> str:
    return f"Nothing learned: of the judged runs, {_ends(comparison.ranked)}."


def _too_high(comparison: Comparison) -> Iterator[str]:
    result = _find(comparison, TOO_HIGH)
    if result is None:
        return
    learned = result.count(Ending.FINISHED)
    rates = f"a constant {rate(result.base_lr)}, {ILLUSTRATIONS[TOO_HIGH]:g} times {_usual(comparison)}"
    ends = (
        f"{readable(comparison.metric)} {significant(result.mean)}, of the untrained network "
        f"{significant(comparison.untrained)}."
    )
    if learned == len(result.runs):
        yield f"High: even at {rates}, all {learned} runs learned; {ends}"
        return
    still = f" and {learned} still learned" if learned else ""
    yield f"Too high: {rates}: {_ends([result])}{still}; {ends}"


def _too_low(comparison: Comparison) -> Iterator[str]:
    result = _find(comparison, TOO_LOW)
    leader = comparison[comparison.leader]
    sign = -1.0 if comparison.direction == "max" else 1.0
    if result is None or sign * (comparison.untrained - leader.mean) <= 0:
        return
    share = (comparison.untrained - result.mean) / (comparison.untrained - leader.mean)
    rates = f"a constant {rate(result.base_lr)}, 1/{1 / ILLUSTRATIONS[TOO_LOW]:g} of {_usual(comparison)}"
    came, went = significant(comparison.untrained), significant(result.mean)
    path = (
        f"after {comparison.budget.total_steps} steps {readable(comparison.metric)} has come from {came} to {went}, "
        f"{share:.0%} of the way to {significant(leader.mean)}."
    )
    if share > 1:
        yield f"Low: at {rates}, {readable(comparison.metric)} is {went}, better than of {leader.strategy.name}."
    elif share >= CRAWL:
        yield f"Low: even at {rates}, training gets far: {path}"
    elif share > 0:
        yield f"Too low: at {rates}, training crawls: {path}"
    else:
        yield f"Too low: at {rates}, training gets nowhere: {readable(comparison.metric)} is {went}, untrained {came}."


def _real(comparison: Comparison) -> Iterator[str]:
    worse = [result for result in comparison.ranked if not result.may_be_best]
    if not worse:
        return
    margin = f" by more than the margin of {significant(comparison.margin)}" if comparison.margin else ""
    yield (
        f"Real on this task: worse than {comparison.leader}{margin} {_are(worse)} {_by_how_much(worse)}"
        f"{_confidence(comparison, worse)}."
    )


def _within_margin(comparison: Comparison) -> Iterator[str]:
    small = [result for result in comparison.ranked if within_margin(result)]
    if small:
        yield (
            f"Real, but perhaps within the margin of {significant(comparison.margin)}: worse than {comparison.leader} "
            f"{_are(small)} {_by_how_much(small)}{_confidence(comparison, small)}."
        )


def _not_shown(comparison: Comparison) -> Iterator[str]:
    tied = [result for result in comparison.best if result.strategy.name != comparison.leader]
    tied = [result for result in tied if not within_margin(result)]
    if not tied or comparison.resolution <= 0:
        return
    names = listing([comparison.leader, *(result.strategy.name for result in tied)])
    sentence = (
        f"Not distinguishable: {names} may each be best; {len(comparison.seeds)} seeds show differences "
        f"from about {significant(comparison.resolution)} up"
    )
    widest = max((result.difference for result in tied if result.difference is not None), key=lambda d: d.estimate)
    if widest.estimate > 0.01 * comparison.resolution:  # below it, a difference is not worth finding
        needed = seeds_needed(
            widest.estimate, resolution=widest.high - widest.estimate, num_seeds=len(comparison.seeds)
        )
        sentence += f", and it would take about {needed} seeds to show one of {significant(widest.estimate)}"
    yield sentence + "."


def _edge(comparison: Comparison) -> Iterator[str]:
    rates = comparison.settings.get("race_rates", ())
    if tuning(comparison) == "none" or not rates:
        return
    widen = tuning(comparison) == "auto"
    grid = Grid(tuple(rates), widen)
    for side in ("lowest", "highest"):
        there = [result for result in comparison.ranked if grid.edge(result.base_lr) == side]
        if there:
            names = listing([f"{result.strategy.name} ({rate(result.base_lr)})" for result in there])
            where = "that the automatic search goes to" if widen else "of the list"
            yield f"Edge: the best rate of {names} is the {side} {where}, a better one may lie beyond; widen --lr."


def _forgiving(comparison: Comparison) -> Iterator[str]:
    measured = [
        (result.response.at_twice, result)
        for result in comparison.ranked
        if result.response is not None and np.isfinite(result.response.at_twice)
    ]
    if len(measured) < 2:
        return
    measured.sort(key=lambda pair: pair[0])
    (least, kind), (most, harsh) = measured[0], measured[-1]
    if most - least < 0.02:
        return
    yield (
        f"Forgiving: at twice its best rate {kind.strategy.name} loses {_share(least)} of what training gains, "
        f"{harsh.strategy.name} {_share(most)}."
    )


def _soonest(comparison: Comparison) -> Iterator[str]:
    reached = [
        (float(np.median(result.steps_to_target)), result.strategy.name)
        for result in comparison.ranked
        if np.isfinite(result.steps_to_target).all()
    ]
    if len(reached) < 2:
        return
    reached.sort()
    if reached[0][0] == reached[-1][0]:
        return
    goal = readable(goal_of(comparison))
    yield (
        f"Soonest: {reached[0][1]} reaches {goal} {significant(comparison.target)} after "
        f"{reached[0][0]:.0f} steps (median; looked at once per epoch), {reached[-1][1]} after {reached[-1][0]:.0f}."
    )


def _usual(comparison: Comparison) -> str:
    """What the rates of the illustrations are measured from."""
    if tuning(comparison) == "none":
        return "the given rate"
    constant = any(is_constant(result.strategy) for result in comparison.ranked)
    return "the best constant rate" if constant else "the median of the best rates"


def _ends(results: Sequence[StrategyResult]) -> str:
    """How many runs diverged, and how many did not learn."""
    total = sum(len(result.runs) for result in results)
    kinds = ((Ending.DIVERGED, "diverged"), (Ending.NOT_LEARNING, "did not learn"))
    counts = [(sum(result.count(ending) for result in results), what) for ending, what in kinds]
    return " and ".join(f"{count} of {total} {what}" for count, what in counts if count)


def _are(results: Sequence[StrategyResult]) -> str:
    return "is" if len(results) == 1 else "are"


def _by_how_much(results: Sequence[StrategyResult]) -> str:
    return listing(
        [
            f"{result.strategy.name} by {significant(d.estimate)} ({significant(d.low)} to {significant(d.high)})"
            for result in results
            if (d := result.difference) is not None
        ]
    )


def _confidence(comparison: Comparison, results: Sequence[StrategyResult]) -> str:
    together = "" if len(results) == 1 else " all at once"
    return f",{together} with {1 - comparison.alpha:.0%} confidence"


def _find(comparison: Comparison, name: str) -> StrategyResult | None:
    return next((result for result in comparison.results if result.strategy.name == name), None)


def _share(regret: float) -> str:
    return "nothing" if regret < 0.005 else f"{regret:.0%}" if regret < 1 else "all"
