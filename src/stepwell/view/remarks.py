"""What a reader of the table may take for an error, explained where it happens and nowhere else."""

from __future__ import annotations

from stepwell.record.comparison import Comparison, StrategyResult
from stepwell.view.numbers import listing, rate


def out_of_order(comparison: Comparison) -> str:
    """Why a strategy is worse while one with a worse mean may be best; empty where there is no such pair."""
    ranked = comparison.ranked
    worse = next((place for place, result in enumerate(ranked) if not result.may_be_best), len(ranked))
    behind = [result.strategy.name for result in ranked[worse:] if result.may_be_best]
    if not behind:
        return ""
    last = behind[-1]
    return (
        f"{ranked[worse].strategy.name} is called worse and {last}, with a worse mean, is not: each strategy is "
        f"compared with {comparison.leader} seed by seed, and its interval is as wide as its own differences spread, "
        f"that of {last} wider."
    )


def outside_good(comparison: Comparison) -> str:
    """Why best rates lie outside the good rates; empty where none does."""
    found = [result for result in comparison.ranked if _is_outside(result)]
    if not found:
        return ""
    why = "good rates are those of short runs, the best rate is that of runs at full length"
    if len(found) == 1:
        (one,) = found
        return f"The best rate of {one.strategy.name}, {rate(one.base_lr)}, is {_side(one)} its good rates: {why}."
    names = [f"{result.strategy.name} ({_side(result)})" for result in found]
    return f"Some best rates lie outside the good rates, those of {listing(names)}: {why}."


def _is_outside(result: StrategyResult) -> bool:
    response = result.response
    if response is None:
        return False
    return result.base_lr < response.good_low / 1.001 or result.base_lr > 1.001 * response.good_high


def _side(result: StrategyResult) -> str:
    below = result.response is not None and result.base_lr < result.response.good_low
    return "below" if below else "above"
