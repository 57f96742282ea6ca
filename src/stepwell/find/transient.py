"""The first updates of an optimizer are not of the size of its later ones, and a short run has little else."""

from __future__ import annotations

import inspect
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from torch.optim import SGD, Optimizer, RMSprop

from stepwell.find.grid import PER_DECADE
from stepwell.record.suggestion import Array

OVER = 10_000  # updates after which nothing is left of a beginning


def mean_step(optimizer: Optimizer, rates: Array, momentum: float | None = None) -> float:
    """How large the next updates are beside their rates, with a gradient that stays the same; 1 is that of later ones.

    RMSprop divides by the root of an average of squares that begins at 0 and is not corrected for it, so that its
    updates begin larger: the first one ten times with torch's alpha. A momentum that begins empty makes them smaller.
    Adam and its relatives correct both, and of optimizers unknown here nothing is said: 1.

    Args:
        optimizer: as it stands: one that has trained for a while has its beginning behind it. Its first group counts.
        rates: of the updates, not all 0: early ones count as much as the schedule makes of them.
        momentum: with which they begin, where a schedule sets it; the first group's own unless given.

    Example:
        >>> import torch
        >>> weight = torch.nn.Parameter(torch.ones(1))
        >>> round(mean_step(SGD([weight], lr=0.1, momentum=0.9), np.ones(16)), 2)  # 0.1, 0.19, 0.271, ...
        0.54
        >>> round(mean_step(RMSprop([weight], lr=0.1), np.ones(16)), 2)
        4.22
    """
    group = optimizer.param_groups[0]
    states = list(optimizer.state.values())
    sizes = np.ones(min(len(rates), OVER))
    if _is_torchs(optimizer, RMSprop) and 0.0 <= group["alpha"] < 1.0:
        made = max((float(state["step"]) for state in states if "step" in state), default=0.0)
        sizes /= np.sqrt(1.0 - group["alpha"] ** (made + np.arange(1, len(sizes) + 1)))
    filled = any(state.get("momentum_buffer") is not None for state in states)
    if _is_torchs(optimizer, SGD, RMSprop) and not filled:
        sizes = _with_momentum(sizes, group, float(group["momentum"]) if momentum is None else momentum)
    return 1.0 + float((sizes - 1.0) @ rates[: len(sizes)] / rates.sum())


def _is_torchs(optimizer: Optimizer, *kinds: type[Optimizer]) -> bool:
    """Whether its step is that of one of these; a subclass with its own makes steps that are not known here."""
    own = inspect.unwrap(type(optimizer).step)
    return any(isinstance(optimizer, kind) and own is inspect.unwrap(kind.step) for kind in kinds)


def _with_momentum(sizes: Array, group: Mapping[str, Any], momentum: float) -> Array:
    """The steps that an empty buffer makes of gradients of these sizes, as shares of what it makes of them for ever."""
    fresh = 1.0 - float(group.get("dampening", 0.0))
    if not 0.0 < momentum < 1.0 or fresh <= 0.0:  # no buffer, or one that never settles at a step forward
        return sizes
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
