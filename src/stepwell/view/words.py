"""A comparison in words: the same sentences in the terminal, on the page and in the JSON summary."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np

from stepwell.record.comparison import Comparison, StrategyResult
from stepwell.record.run import Ending, Run
from stepwell.record.trial import Strategy
from stepwell.schedule import RECIPES, Schedule, schedule
from stepwell.view.numbers import ABSENT, count, decimals_for, duration, listing, metric, significant, times

FINE_REGRET, FAILING_REGRET = 0.05, 0.5  # of the way from the best score to that of the untrained network


def readable(column: str) -> str:
    """The name of a column as a reader says it.

    Example:
        >>> readable("val_loss"), readable("test_accuracy"), readable("lr")
        ('validation loss', 'test accuracy', 'learning rate')
    """
    if column == "lr":
        return "learning rate"
    return column.replace("val_", "validation ", 1).replace("_", " ")


def goal_of(comparison: Comparison) -> str:
    """The validation column that choices were made on: `val_loss` for the metric `test_loss`."""
    metric = comparison.metric
    return metric if metric.startswith("val_") else f"val_{metric.removeprefix('test_')}"


def tuning(comparison: Comparison) -> str:
    """How the rates were found: `auto` (a grid that widens), `list` (of the user), or `none` (one was given)."""
    tuned = any(result.response is not None for result in comparison.ranked)
    return str(comparison.settings.get("tuning", "auto" if tuned else "none"))


def split_note(comparison: Comparison) -> str:
    """What to know where there is no test split; empty where there is one."""
    if not comparison.metric.startswith("val_"):
        return ""
    chose = "" if tuning(comparison) == "none" else " that also chose the rates"
    return f"No test split: judged on the validation split{chose}."


def within_margin(result: StrategyResult) -> bool:
    """Whether a strategy is shown to be worse than the leader, though not by more than the margin."""
    return result.may_be_best and result.difference is not None and result.difference.low > 0


def answer(comparison: Comparison) -> str:
    """Who may be best and who is worse by how much, in one or two sentences."""
    return " ".join(answer_parts(comparison)).rstrip()


def answer_parts(comparison: Comparison) -> tuple[str, str]:
    """The answer as two sentences: who may be best, and who is worse by how much (empty if nobody is)."""
    ranked, best = comparison.ranked, [result for result in comparison.best if result.ranked]
    seeds = f"{len(comparison.seeds)} seeds"
    if not ranked:
        return "No strategy was ranked.", ""
    if not comparison.learned:
        return _nothing_learned(comparison), ""
    if len(ranked) == 1:
        return f"{ranked[0].strategy.name} was the only strategy ranked; there is nothing to hold it against.", ""
    if len(best) == 1:
        first = f"{best[0].strategy.name} is best here, of {len(ranked)} strategies over {seeds}."
        return first, _the_worse(comparison)
    small = [result for result in best if within_margin(result)]
    whole = len(best) == len(ranked)
    who = f"Any of the {len(ranked)} strategies may" if whole else f"{_names(best)} may each"
    if small:
        size = significant(comparison.margin)
        few = f"{_names(small)} {'is' if len(small) == 1 else 'are'} worse than {comparison.leader}"
        first = f"{who} be best within the margin of {size}: {few}, but {seeds} do not show it to be by more."
    elif whole:
        first = f"{who} be best: {seeds} show no difference between them."
    else:
        first = f"{who} be best: {seeds} cannot tell them apart."
    return first, _the_worse(comparison)


def _nothing_learned(comparison: Comparison) -> str:
    ranked, runs = comparison.ranked, sum(len(result.runs) for result in comparison.ranked)
    who = f"{ranked[0].strategy.name} did not learn" if len(ranked) == 1 else "No strategy learned"
    return f"{who}: none of {runs} judged runs got clearly better than the untrained network."


def limits(comparison: Comparison) -> str:
    """Which differences cannot be shown with these seeds."""
    if not comparison.learned:
        return "Where nothing learns, strategies cannot be told apart."
    if len(comparison.ranked) == 1:
        return "With one strategy there is no difference to show."
    if not math.isfinite(comparison.resolution):
        return "With these seeds no interval could be computed, so no difference can be shown."
    size = metric(comparison.resolution, decimals_for(comparison.resolution))
    return (
        f"With {len(comparison.seeds)} seeds, differences in {readable(comparison.metric)} "
        f"smaller than about {size} cannot be shown."
    )


def verdict(result: StrategyResult, comparison: Comparison) -> str:
    """`may be best`, `within margin`, `worse by 0.021`, `did not learn` or `not ranked`."""
    if not result.ranked or result.difference is None:
        return "not ranked"
    if not comparison.learned:
        return "did not learn"
    if result.may_be_best:
        return "within margin" if within_margin(result) else "may be best"
    return f"worse by {metric(abs(result.difference.estimate), decimals_for(comparison.resolution))}"


def at_twice(result: StrategyResult) -> str:
    """What happened at twice the judged rate, at full length on tuning seeds: `still fine`, `worse` or `fails`."""
    if result.response is None or math.isnan(result.response.at_twice):
        return ABSENT
    regret = result.response.at_twice
    return "still fine" if regret <= FINE_REGRET else "worse" if regret <= FAILING_REGRET else "fails"


def replaced(strategy: Strategy) -> str:
    """The built-in text that a strategy of this name has, where this one has another of the user's; else empty.

    Example:
        >>> replaced(Strategy("cosine", "cosine 1..0.1")), replaced(Strategy("mine", "cosine 1..0.1"))
        ('cosine 1..0', '')
    """
    if strategy.name not in RECIPES:
        return ""
    whole = schedule(RECIPES[strategy.name].text)
    without_momentum = Schedule(tuple(entry for entry in whole.entries if entry.name != "momentum"))
    return "" if strategy.schedule in (str(whole), str(without_momentum)) else str(whole)


def good_region(result: StrategyResult) -> str:
    """How many times its highest good rate is its lowest: `x8`; short runs showed it."""
    return ABSENT if result.response is None else times(result.response.width)


def endings(result: StrategyResult) -> str:
    """How the judging runs ended, the most frequent first: `5 diverged, 3 did not learn`."""
    return tally(result.runs)


def tally(runs: tuple[Run, ...]) -> str:
    """How these runs ended, the most frequent first."""
    found = Counter(run.outcome.ending for run in runs)
    order = sorted(Ending, key=lambda ending: -found[ending])
    return ", ".join(f"{found[ending]} {ending.value}" for ending in order if found[ending]) or ABSENT


def to_target(result: StrategyResult) -> str:
    """The median number of updates to the target, and how many runs got there if not all did."""
    reached = result.steps_to_target[np.isfinite(result.steps_to_target)]
    if not result.steps_to_target.size:
        return ABSENT
    if not reached.size:
        return "never"
    middle = count(float(np.median(reached)))
    return middle if reached.size == result.steps_to_target.size else f"{middle} ({reached.size}/{len(result.runs)})"


def interval(result: StrategyResult, comparison: Comparison) -> str:
    """The half-width of the simultaneous interval of the difference to the leader: `±0.012`; empty without one."""
    if result.difference is None or result.difference.high == result.difference.low:
        return ""
    half = (result.difference.high - result.difference.low) / 2
    return f"±{metric(half, decimals_for(comparison.resolution))}"


def budget(comparison: Comparison) -> str:
    """The budget of every judged run: `620 steps (20 epochs)`."""
    horizon = comparison.budget
    if horizon.total_steps is None:
        return "no fixed end"
    steps = f"{count(horizon.total_steps)} steps"
    if horizon.steps_per_epoch is None:
        return steps
    epochs = horizon.total_steps / horizon.steps_per_epoch
    return f"{steps} ({epochs:g} epoch{'' if epochs == 1 else 's'})"


def cost(comparison: Comparison) -> str:
    """What the comparison cost, in one sentence."""
    figures, parts = comparison.cost, []
    if "trials" in figures:
        reused = figures.get("reused", 0)
        earlier = f", {count(reused)} of them from an earlier call" if reused else ""
        parts.append(f"{count(figures['trials'] + reused)} runs{earlier}")
    if "steps" in figures:
        shares = {"tune": figures.get("tuning_steps"), "judge": figures.get("judging_steps")}
        split = listing([f"{count(steps)} to {aim}" for aim, steps in shares.items() if steps is not None])
        parts.append(f"{count(figures['steps'])} steps" + (f" ({split})" if split else ""))
    if "seconds" in figures:
        parts.append(duration(figures["seconds"]))
    return "; ".join(parts) + "." if parts else "Not recorded."


def _names(results: list[StrategyResult], most: int = 4) -> str:
    names = [result.strategy.name for result in results]
    if len(names) > most:
        names = [*names[: most - 1], f"{len(names) - most + 1} more"]
    return listing(names)


def _the_worse(comparison: Comparison) -> str:
    worse = [r for r in comparison.ranked if not r.may_be_best and r.difference is not None]
    decimals, what = decimals_for(comparison.resolution), readable(comparison.metric)
    gaps = sorted(abs(r.difference.estimate) for r in worse if r.difference is not None)
    if not gaps:
        return ""
    low, high = metric(gaps[0], decimals), metric(gaps[-1], decimals)
    by = f"{low} in {what}" if low == high else f"{low} to {high} in {what}"
    if len(worse) == 1:
        return f"{worse[0].strategy.name} is worse by {by}."
    return f"The other {len(worse)} are worse, by {by}."
