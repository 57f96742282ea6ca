"""What to use, and why: one strategy of those that may be best."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from stepwell.record.comparison import Comparison, Recommendation, StrategyResult
from stepwell.record.run import Ending
from stepwell.record.trial import Strategy
from stepwell.schedule import schedule
from stepwell.tasks.optimizers import source
from stepwell.view.numbers import rate, significant
from stepwell.view.words import goal_of, within_margin

GROUPS = "# the task has parameter groups of its own: hand them over instead, each with lr = its multiple of this rate"


def recommend(comparison: Comparison) -> Recommendation:
    """The strategy with the best mean of those that may be best; those with runs that failed come last.

    The reason names the one that forgives most about the rate where that is another: what the seeds cannot tell apart
    may be told apart by what a rate that is a little wrong costs. Where nothing learned, nothing is recommended, and
    the reason says what to try.
    """
    if not comparison.learned:
        return Recommendation(strategy="", base_lr=math.nan, schedule="", code="", reason=_what_to_try(comparison))
    chosen = min(comparison.best, key=lambda result: _preference(comparison, result))
    return Recommendation(
        strategy=chosen.strategy.name,
        base_lr=chosen.base_lr,
        schedule=chosen.strategy.schedule,
        code=code(comparison, chosen),
        reason=_reason(comparison, chosen),
    )


def _preference(comparison: Comparison, result: StrategyResult) -> tuple[int, float]:
    sign = -1.0 if comparison.direction == "max" else 1.0
    return _failed(result), sign * result.mean


def _failed(result: StrategyResult) -> int:
    return len(result.runs) - result.count(Ending.FINISHED)


def _width(result: StrategyResult) -> float:
    """How wide the good region is; 1 where that is not known."""
    width = math.nan if result.response is None else result.response.width
    return width if math.isfinite(width) else 1.0


def _reason(comparison: Comparison, chosen: StrategyResult) -> str:
    best = comparison.best
    if len(best) == 1:
        others = len(comparison.ranked) - 1
        reason = f"it is better than all {others} others" if others > 1 else "it is better than the other one"
        reason = reason if others else "it is the only one"
    else:
        reason = f"{len(best)} strategies may be best and these seeds cannot tell them apart"
        if any(within_margin(result) for result in best):
            margin = significant(comparison.margin)
            reason = f"{len(best)} strategies may be best: no difference between them is shown to exceed {margin}"
        reason += f"; {_why_this(best, chosen)}"
    kinds = ((Ending.DIVERGED, "diverged"), (Ending.NOT_LEARNING, "did not learn"))
    failed = [f"{count} {what}" for ending, what in kinds if (count := chosen.count(ending))]
    return reason + (f"; but of its {len(chosen.runs)} runs {' and '.join(failed)}" if failed else "")


def _why_this(best: Sequence[StrategyResult], chosen: StrategyResult) -> str:
    """What decided between those that may be best, and which of them forgives most about the rate."""
    steady = [result for result in best if _failed(result) == _failed(chosen)]
    few = "" if len(steady) == len(best) else " with the fewest failed runs"
    reason = "of these it has the fewest failed runs" if len(steady) == 1 else f"of these{few} it has the best mean"
    widest = max(steady, key=_width)
    if _width(widest) > 1.001 * _width(chosen):
        name, width = widest.strategy.name, _width(widest)
        return f"{reason}, and {name} forgives most about the rate (good over a factor of {width:.3g} in short runs)"
    if _width(chosen) > 1.0:
        width = _width(chosen)
        return f"{reason}, and none forgives more about the rate (good over a factor of {width:.3g} in short runs)"
    return reason


def _what_to_try(comparison: Comparison) -> str:
    rates = [result.base_lr for result in comparison.ranked]
    rates += [float(lr) for result in comparison.ranked if result.response for lr in result.response.rates]
    low, high = rate(min(rates)), rate(max(rates))
    tried = f"at the rate {low}" if low == high else f"at any rate from {low} to {high}"
    return (
        f"no strategy learned {tried}: try other rates (--lr), a longer --budget, and look at the task: does its loss "
        "fall when you train it by hand?"
    )


def code(comparison: Comparison, result: StrategyResult) -> str:
    """Python to paste: the optimizer, the scheduler and where the calls go."""
    strategy, budget = result.strategy, comparison.budget
    lines = [
        "import torch",
        "from stepwell import Scheduler",
        "",
        *([GROUPS] if comparison.settings.get("parameter_groups") else []),
        f"optimizer = {source(strategy.optimizer, result.base_lr, strategy.options)}",
        "scheduler = Scheduler(",
        "    optimizer,",
        f'    "{strategy.schedule}",',
        f"    total_steps={budget.total_steps},",
        *([f"    steps_per_epoch={budget.steps_per_epoch},"] if _counts_epochs(strategy) else []),
        ")",
        "# after each optimizer.step():",
        "scheduler.step()",
    ]
    observed = _observed(comparison, strategy)
    if observed is not None:
        lines += ["# after each validation:", f"scheduler.observe({observed})"]
    return "\n".join(lines)


def _observed(comparison: Comparison, strategy: Strategy) -> str | None:
    """What the schedule's feedback is given: the goal, negated where the schedule looks the other way."""
    controllers = (entry.controller for entry in schedule(strategy.schedule).entries)
    controller = next((controller for controller in controllers if controller is not None), None)
    if controller is None:
        return None
    sign = "" if controller.mode == comparison.direction else "-"
    return sign + goal_of(comparison)


def _counts_epochs(strategy: Strategy) -> bool:
    """Whether a length of the schedule is written in epochs."""
    return re.search(r"\d(ep)\b", strategy.schedule) is not None
