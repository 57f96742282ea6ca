"""How a training run ended, judged from its numbers alone."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from statistics import median
from typing import Literal

from stepwell.record.run import LEARNED_SHARE, Ending, Outcome

# A run whose training loss ends this many times above the untrained loss has diverged, even where no number overflowed,
# unless its goal improved: a curriculum makes the loss larger, and fine-tuning begins at a tiny one.
BLOWN_UP = 1.5


def judge(
    step: int,
    first_loss: float,
    last_losses: Sequence[float],
    initial: Mapping[str, float],
    final: Mapping[str, float],
    *,
    goal: tuple[str, Literal["min", "max"]],
    base_lr: float,
) -> Outcome:
    """The outcome of a run that went to its end: it diverged, did not learn, or learned.

    Args:
        step: how many updates were made.
        first_loss: the training loss of the first update.
        last_losses: the training losses of the last epoch; their median is judged.
        initial: the validation metrics of the untrained network, with the goal among them.
        final: the same metrics after training.
        goal: the metric that is judged, and which way is better.
        base_lr: for the sentence.

    The untrained loss is the larger of the first training loss and the untrained validation loss: a first batch can be
    an easy one. A training loss far above it is a divergence only where the goal is no better than before the training
    either, because a task may weigh its loss up as it goes. A run has learned when its goal or its validation loss
    improved enough: an accuracy can rise for long after overfitting has begun to raise the loss.
    """
    untrained = max(first_loss, initial.get("val_loss", first_loss))
    last = median(last_losses)
    name, direction = goal
    change = f"{name} {figure(initial[name])} -> {figure(final[name])}"
    improved = final[name] > initial[name] if direction == "max" else final[name] < initial[name]
    if last - untrained > (BLOWN_UP - 1) * abs(untrained) and not improved:
        words = (
            f"diverged: the training loss went from {figure(untrained)} to {figure(last)} in {counted(step)} "
            f"at base rate {base_lr:.3g}, {change}"
        )
        return Outcome(Ending.DIVERGED, step, words)
    directions: dict[str, Literal["min", "max"]] = {"val_loss": "min", name: direction}
    improved = any(
        learned(initial[metric], final[metric], way) for metric, way in directions.items() if metric in initial
    )
    ending = Ending.FINISHED if improved else Ending.NOT_LEARNING
    return Outcome(ending, step, f"{ending.value}: {change} after {counted(step)}")


def learned(initial: float, final: float, direction: str) -> bool:
    """Whether a metric improved on the untrained network's by enough: `LEARNED_SHARE` of it, or of what was to gain."""
    if direction == "min":
        return final < initial and initial - final >= LEARNED_SHARE * abs(initial)
    # Most metrics to maximise end at 1 (accuracy, R2): the share is of the way there. Above 1 there is no known end.
    room = 1 - initial if initial < 1 else initial
    return final - initial >= LEARNED_SHARE * room


def diverged(step: int, what: str, lr: float) -> Outcome:
    """The outcome of a run that was ended by a number that is not finite, after `step` updates."""
    return Outcome(Ending.DIVERGED, step, f"diverged at step {step}: {what} at rate {lr:.3g}")


def stopped(step: int, total_steps: int, *, stored: bool) -> Outcome:
    """The outcome of a run that was asked to stop."""
    then = "the same trial goes on from there" if stored else "without a store it begins again"
    return Outcome(Ending.STOPPED, step, f"stopped after {step} of {counted(total_steps)}; {then}")


def figure(value: float) -> str:
    """A number for a sentence, to three digits: `2.30`, `0.0125`, `1.2e+05`, `nan`."""
    return f"{value:.2f}" if math.isfinite(value) and 1 <= abs(value) < 1000 else f"{value:.3g}"


def counted(steps: int) -> str:
    """`1 step`, `620 steps`."""
    return f"{steps} step" if steps == 1 else f"{steps} steps"
