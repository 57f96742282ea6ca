"""How a training run ended, judged from its numbers alone."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from statistics import median
from typing import Literal

from stepwell.record.run import Ending, Outcome

# A run whose training loss ends this many times above the untrained loss has diverged, even where no number overflowed.
BLOWN_UP = 1.5
# A run has learned when it took this share off the untrained loss, or gained it of what there was to gain.
LEARNED_SHARE = 0.1


def judge(
    losses: Sequence[float],
    initial: Mapping[str, float],
    final: Mapping[str, float],
    goal: tuple[str, Literal["min", "max"]],
    *,
    steps_per_epoch: int,
    lr: float,
) -> Outcome:
    """The outcome of a run that went to its end: it diverged, did not learn, or learned.

    Args:
        losses: the training loss of every update, at least one, all finite.
        initial: the validation metrics of the untrained network, with the goal among them.
        final: the same metrics after training.
        goal: the metric that is judged, and which way is better.
        steps_per_epoch: the training loss is judged by its median over the last so many updates.
        lr: the highest rate that was used, for the sentence.

    The untrained loss is the larger of the first training loss and the untrained validation loss: a first batch can be
    an easy one. A run has learned when its goal or its validation loss improved enough: an accuracy can rise for long
    after overfitting has begun to raise the loss.
    """
    steps = len(losses)
    untrained = max(losses[0], initial.get("val_loss", losses[0]))
    last = median(losses[-steps_per_epoch:])
    if last - untrained > (BLOWN_UP - 1) * abs(untrained):
        words = f"diverged: the training loss went from {figure(untrained)} to {figure(last)} at rate {figure(lr)}"
        return Outcome(Ending.DIVERGED, steps, f"{words}, after {counted(steps)}")
    name, direction = goal
    directions: dict[str, Literal["min", "max"]] = {"val_loss": "min", name: direction}
    measured = {metric: way for metric, way in directions.items() if metric in initial and metric in final}
    learned = any(_learned(initial[metric], final[metric], way) for metric, way in measured.items())
    ending = Ending.FINISHED if learned else Ending.NOT_LEARNING
    change = f"{name} {figure(initial[name])} -> {figure(final[name])}"
    return Outcome(ending, steps, f"{ending.value}: {change} after {counted(steps)}")


def diverged(step: int, name: str, untrained: float, value: float, lr: float) -> Outcome:
    """The outcome of a run that a number ended which is not finite: the loss of update `step`, or a metric after it."""
    words = f"diverged at step {step}: {name} went from {figure(untrained)} to {figure(value)} at rate {figure(lr)}"
    return Outcome(Ending.DIVERGED, step, words)


def stopped(step: int, total_steps: int, *, stored: bool) -> Outcome:
    """The outcome of a run that was asked to stop."""
    then = "the same trial goes on from there" if stored else "it was not kept, for there is no store"
    return Outcome(Ending.STOPPED, step, f"stopped after {step} of {total_steps} steps; {then}")


def figure(value: float) -> str:
    """A number for a sentence: three digits, at least two decimals in the everyday range (`2.30`, `0.0012`, `nan`)."""
    if math.isfinite(value) and 0.1 <= abs(value) < 1000:
        return f"{value:.2f}" if abs(value) >= 1 else f"{value:.3g}"
    return f"{value:.3g}"


def counted(steps: int) -> str:
    """`1 step`, `620 steps`."""
    return f"{steps} step" if steps == 1 else f"{steps} steps"


def _learned(initial: float, final: float, direction: Literal["min", "max"]) -> bool:
    if direction == "min":
        return initial - final >= LEARNED_SHARE * abs(initial) and final < initial
    # Most metrics to maximise end at 1 (accuracy, R2): the share is of the way there. Above 1 there is no known end.
    room = 1 - initial if initial < 1 else initial
    return final - initial >= LEARNED_SHARE * room
