"""How far a training run is."""

from __future__ import annotations

import math
from dataclasses import dataclass, field


@dataclass(slots=True)
class Position:
    """How far a run is and what its end is judged by, as plain data for a checkpoint.

    Args:
        step: updates made.
        losses: training losses of the last epoch; `first_loss` is that of the first update.
        initial: scores of the untrained network, `val_` and `test_`.
        latest: validation scores of the last evaluation.
        best: those of the evaluation with the best goal.
        seconds: that earlier processes spent on this run.
        train_seconds: spent on updates, evaluations left out.
    """

    step: int = 0
    first_loss: float = math.nan
    losses: list[float] = field(default_factory=list)
    initial: dict[str, float] = field(default_factory=dict)
    latest: dict[str, float] = field(default_factory=dict)
    best: dict[str, float] = field(default_factory=dict)
    seconds: float = 0.0
    train_seconds: float = 0.0
