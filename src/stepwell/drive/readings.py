"""Figures read from a training loop without making it wait for its device."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.optim import Optimizer

from stepwell.errors import OptionError

Reading: TypeAlias = float | Tensor
"""A number, or a tensor on another device that holds it and will not change."""


def number(value: Tensor | float, what: str) -> Reading:
    """One figure, read at once from the CPU and later from another device.

    Raises:
        OptionError: it is not one number.
    """
    if isinstance(value, Tensor):
        if value.numel() != 1:
            raise OptionError(f"{what} must be one number, got a tensor of shape {tuple(value.shape)}; take its mean")
        return rate(value)
    if isinstance(value, str) or not hasattr(value, "__float__"):
        raise OptionError(f"{what} must be a number, got {value!r}")
    return float(value)


def rate(value: Tensor | float) -> Reading:
    """A rate as an optimizer's group holds it: a number, or a tensor that is changed in place."""
    if not isinstance(value, Tensor):
        return value
    if value.is_cpu:
        return value.item()
    # A copy: a CUDA graph or a compiled step writes its next loss into the same memory.
    return value.detach().clone()


def numbers(readings: Sequence[Reading]) -> NDArray[np.float64]:
    """The readings as float64: one transfer for all tensors of a kind."""
    if {float, int}.issuperset(map(type, readings)):  # the usual case on a CPU, five times as fast
        return np.array(readings, dtype=np.float64)
    array = np.array([np.nan if isinstance(reading, Tensor) else reading for reading in readings], dtype=np.float64)
    waiting: dict[tuple[torch.device, torch.dtype], list[int]] = defaultdict(list)
    for index, reading in enumerate(readings):
        if isinstance(reading, Tensor):
            waiting[reading.device, reading.dtype].append(index)
    for indices in waiting.values():
        stacked = torch.stack([torch.as_tensor(readings[index]).reshape(()) for index in indices])
        array[indices] = stacked.cpu().double().numpy()  # not the other way round: not every device has float64
    return array


def gradient_norm(optimizer: Optimizer) -> Reading:
    """The Euclidean norm of all gradients together, as the update will use them; `nan` where there are none."""
    gradients = [g for group in optimizer.param_groups for p in group["params"] if (g := p.grad) is not None]
    if not gradients:
        return np.nan
    if any(gradient.is_sparse for gradient in gradients):
        gradients = [_dense(gradient) for gradient in gradients]
    norms = torch._foreach_norm(gradients)  # one kernel for all on a GPU, half the time of a loop on a CPU
    scale = getattr(optimizer, "grad_scale", None)  # a fused optimizer unscales inside its update
    device = norms[0].device
    if device.type == "cpu" and scale is None:  # reading six costs 1 us, adding them as tensors 10
        return math.sqrt(sum([size * size for size in [norm.item() for norm in norms]]))
    norm = torch.linalg.vector_norm(torch.stack([norm if norm.device == device else norm.to(device) for norm in norms]))
    return rate(norm if scale is None else norm / scale)


def _dense(gradient: Tensor) -> Tensor:
    return gradient.coalesce().values() if gradient.is_sparse else gradient
