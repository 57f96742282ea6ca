"""What a comparison teaches, in sentences with its own measured numbers."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from stepwell.compare.decide import seeds_needed
from stepwell.compare.strategy import ILLUSTRATIONS, TOO_HIGH, TOO_LOW
from stepwell.record.comparison import Comparison, StrategyResult
from stepwell.record.run import Ending
from stepwell.view.numbers import rate, significant
from stepwell.view.words import goal_of, readable


def lessons(comparison: Comparison) -> tuple[str, ...]:
    """One sentence each: too high, too low, what is really different, what cannot be told, how forgiving, how fast."""
    kinds = (_too_high, _too_low, _real, _not_shown, _forgiving, _soonest)
    return tuple(sentence for kind in kinds for sentence in kind(comparison))


def _too_high(comparison: Comparison) -> Iterator[str]:
    result = _find(comparison, TOO_HIGH)
    if result is None:
        return
    count = len(result.runs)
    diverged, stalled = result.count(Ending.DIVERGED), result.count(Ending.NOT_LEARNING)
    learned = count - diverged - stalled
    words = [f"{n} of {count} {what}" for n, what in ((diverged, "diverged"), (stalled, "did not learn")) if n]
    if learned:
        words.append(f"{learned} still learned")
    yield (
        f"Too high: a constant {rate(result.base_lr)}, {ILLUSTRATIONS[TOO_HIGH]:g} times {_usual(comparison)}: "
        f"{' and '.join(words)}; {readable(comparison.metric)} {significant(result.mean)}, of the untrained network "
        f"{significant(comparison.untrained)}."
    )


def _too_low(comparison: Comparison) -> Iterator[str]:
    result = _find(comparison, TOO_LOW)
    leader = comparison[comparison.leader]
    if result is None or comparison.untrained == leader.mean:
        return
    share = (comparison.untrained - result.mean) / (comparison.untrained - leader.mean)
    came, went = significant(comparison.untrained), significant(result.mean)
    steps = comparison.budget.total_steps
    yield (
        f"Too low: at a constant {rate(result.base_lr)}, 1/{1 / ILLUSTRATIONS[TOO_LOW]:g} of {_usual(comparison)}, "
        f"training crawls: after {steps} steps {readable(comparison.metric)} has come from {came} to {went}, "
        f"{share:.0%} of the way to {significant(leader.mean)}."
    )


def _real(comparison: Comparison) -> Iterator[str]:
    worse = [result for result in comparison.ranked if not result.may_be_best and result.difference is not None]
    if not worse:
        return
    parts = [
        f"{result.strategy.name} by {significant(d.estimate)} ({significant(d.low)} to {significant(d.high)})"
        for result in worse
        if (d := result.difference) is not None
    ]
    yield (
        f"Real on this task: worse than {comparison.leader} are {listed(parts)}, all at once with "
        f"{1 - comparison.alpha:.0%} confidence."
    )


def _not_shown(comparison: Comparison) -> Iterator[str]:
    tied = [result for result in comparison.best if result.strategy.name != comparison.leader]
    if not tied or comparison.resolution <= 0:
        return
    names = listed([comparison.leader, *(result.strategy.name for result in tied)])
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
        f"{harsh.strategy.name} {_share(most)} (short runs)."
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
    goal = readable(goal_of(comparison))
    yield (
        f"Soonest: {reached[0][1]} reaches {goal} {significant(comparison.target)} after "
        f"{reached[0][0]:.0f} steps (median), {reached[-1][1]} after {reached[-1][0]:.0f}."
    )


def _usual(comparison: Comparison) -> str:
    """What the rates of the illustrations are measured from."""
    return "the best constant rate" if _find(comparison, "constant") else "the median of the best rates"


def _find(comparison: Comparison, name: str) -> StrategyResult | None:
    return next((result for result in comparison.results if result.strategy.name == name), None)


def _share(regret: float) -> str:
    return "nothing" if regret < 0.005 else f"{regret:.0%}" if regret < 1 else "all"


def listed(words: list[str]) -> str:
    """Join words as a sentence does: `a, b and c`."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
