"""The first updates of an optimizer are not of the size of its later ones, and a short run has little else."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from torch.optim import SGD, Optimizer, RMSprop

from stepwell.find.grid import PER_DECADE
from stepwell.record.suggestion import Array

OVER = 10_000  # updates after which nothing is left of a beginning


def mean_step(optimizer: Optimizer, count: int) -> float:
    """How large the next updates are on the mean, with a gradient that stays the same; 1 is the size of later ones.

    RMSprop divides by the root of an average of squares that begins at 0 and is not corrected for it, so that its
    updates begin larger: the first one ten times with torch's alpha. A momentum that begins empty makes them smaller.
    Adam and its relatives correct both, and of optimizers unknown here nothing is said: 1.

    Args:
        optimizer: as it stands: one that has trained for a while has its beginning behind it. Its first group counts.
        count: updates, at least 1.

    Example:
        >>> import torch
        >>> weight = torch.nn.Parameter(torch.ones(1))
        >>> round(mean_step(SGD([weight], lr=0.1, momentum=0.9), 16), 2)  # 0.1, 0.19, 0.271, ...
        0.54
        >>> round(mean_step(RMSprop([weight], lr=0.1), 16), 2)
        4.22
    """
    group = optimizer.param_groups[0]
    states = list(optimizer.state.values())
    sizes = np.ones(min(count, OVER))
    if isinstance(optimizer, RMSprop) and 0.0 <= group["alpha"] < 1.0:
        made = max((float(state["step"]) for state in states if "step" in state), default=0.0)
        sizes /= np.sqrt(1.0 - group["alpha"] ** (made + np.arange(1, len(sizes) + 1)))
    filled = any(state.get("momentum_buffer") is not None for state in states)
    if isinstance(optimizer, SGD | RMSprop) and 0.0 < group["momentum"] < 1.0 and not filled:
        sizes = _with_momentum(sizes, group)
    return 1.0 + float((sizes - 1.0).sum()) / count


def _with_momentum(sizes: Array, group: Mapping[str, Any]) -> Array:
    """The steps that an empty buffer makes of gradients of these sizes, as shares of what it makes of them for ever."""
    momentum, fresh = float(group["momentum"]), 1.0 - float(group.get("dampening", 0.0))
    nesterov = bool(group.get("nesterov", False))
    buffer, steps = 0.0, []
    for number, size in enumerate(sizes):
        buffer = momentum * buffer + (fresh if number else 1.0) * size  # torch does not dampen the first gradient
        steps.append(size + momentum * buffer if nesterov else buffer)
    settled = fresh / (1.0 - momentum)
    return np.array(steps) / (1.0 + momentum * settled if nesterov else settled)


def places_apart(short: float, long: float) -> int:
    """How many places of the grid a rate rises so that a long run's mean step is that of a short one.

    Example:
        >>> places_apart(short=4.22, long=1.3), places_apart(short=0.54, long=0.98)
        (2, -1)
    """
    return round(PER_DECADE * math.log10(short / long))
