"""What to use, and why: one strategy of those that may be best."""

from __future__ import annotations

import math
import re

from stepwell.record.comparison import Comparison, Recommendation, StrategyResult
from stepwell.record.run import Ending
from stepwell.record.trial import Strategy
from stepwell.schedule import schedule
from stepwell.tasks.optimizers import source


def recommend(comparison: Comparison) -> Recommendation:
    """The most forgiving strategy of those that may be best: the widest region of good rates, then the better mean.

    What the seeds cannot tell apart is told apart by what a user feels next: how much a rate that is a little wrong
    costs. Strategies with a run that diverged come last.
    """
    chosen = min(comparison.best, key=lambda result: _preference(comparison, result))
    return Recommendation(
        strategy=chosen.strategy.name,
        base_lr=chosen.base_lr,
        schedule=chosen.strategy.schedule,
        code=code(comparison, chosen),
        reason=_reason(comparison, chosen),
    )


def _preference(comparison: Comparison, result: StrategyResult) -> tuple[int, float, float]:
    width = 1.0 if result.response is None else result.response.width
    sign = -1.0 if comparison.direction == "max" else 1.0
    return result.count(Ending.DIVERGED), -math.log(width), sign * result.mean


def _reason(comparison: Comparison, chosen: StrategyResult) -> str:
    best = comparison.best
    if len(best) == 1:
        others = len(comparison.ranked) - 1
        reason = f"it is better than all {others} others" if others else "it is the only one"
    else:
        reason = f"{len(best)} strategies may be best and these seeds cannot tell them apart"
        if chosen.response is not None:
            reason += f"; of these it forgives most about the rate (good over a factor of {chosen.response.width:.3g})"
    diverged = chosen.count(Ending.DIVERGED)
    return reason + (f"; but {diverged} of its {len(chosen.runs)} runs diverged" if diverged else "")


def code(comparison: Comparison, result: StrategyResult) -> str:
    """Python to paste: the optimizer, the scheduler and where the calls go."""
    strategy, budget = result.strategy, comparison.budget
    lines = [
        "import torch",
        "from stepwell import Scheduler",
        "",
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
    if any(entry.controller is not None for entry in schedule(strategy.schedule).entries):
        lines += ["# after each validation:", "scheduler.observe(val_loss)"]
    return "\n".join(lines)


def _counts_epochs(strategy: Strategy) -> bool:
    """Whether a length of the schedule is written in epochs."""
    return re.search(r"\d(ep)\b", strategy.schedule) is not None
