"""How an update is made from a loss: accumulation, mixed precision, clipping, several ranks."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from stepwell.errors import OptionError


@dataclass(frozen=True, slots=True, eq=False)
class How:
    """What a training loop does around `loss.backward()` and `optimizer.step()`.

    Args:
        accumulate: batches whose mean loss makes one update.
        scaler: a `GradScaler`.
        autocast: the dtype of `torch.autocast` for the forward pass, such as `torch.bfloat16`.
        clip_grad_norm: the largest norm of all gradients together.
        run_hooks: run step hooks of the optimizer that are not ours instead of refusing them.
    """

    accumulate: int = 1
    scaler: Any = None
    autocast: torch.dtype | None = None
    clip_grad_norm: float | None = None
    run_hooks: bool = False

    def __post_init__(self) -> None:
        if isinstance(self.accumulate, bool) or not isinstance(self.accumulate, int) or self.accumulate < 1:
            raise OptionError(f"accumulate is a whole number of batches of at least 1, got {self.accumulate!r}")
        if self.clip_grad_norm is not None and not self.clip_grad_norm > 0:
            raise OptionError(f"clip_grad_norm is a norm above 0, got {self.clip_grad_norm!r}")

    def forward(self, model: nn.Module) -> AbstractContextManager[object]:
        """The context of a forward pass."""
        if self.autocast is None:
            return nullcontext()
        return torch.autocast(device_of(model).type, dtype=self.autocast)

    def backward(self, loss: Tensor) -> None:
        """Add the gradients of one batch."""
        share = loss if self.accumulate == 1 else loss / self.accumulate
        (share if self.scaler is None else self.scaler.scale(share)).backward()

    def step(self, optimizer: Optimizer, parameters: list[Tensor]) -> None:
        """Make the update. A scaler that finds an overflow skips it, as in training."""
        if self.clip_grad_norm is not None:
            if self.scaler is not None:
                self.scaler.unscale_(optimizer)
            torch.nn.utils.clip_grad_norm_(parameters, self.clip_grad_norm)
        if self.scaler is None:
            optimizer.step()
            return
        self.scaler.step(optimizer)
        self.scaler.update()


def device_of(model: nn.Module) -> torch.device:
    """The device of the first parameter."""
    return next(model.parameters()).device


def over_ranks(value: float, model: nn.Module) -> float:
    """The mean over all ranks of `torch.distributed`, so that all decide alike; one that is not finite is not."""
    if not (torch.distributed.is_available() and torch.distributed.is_initialized()):
        return value
    ranks = torch.distributed.get_world_size()
    if ranks == 1:
        return value
    device = device_of(model) if torch.distributed.get_backend() == "nccl" else torch.device("cpu")
    total = torch.tensor(value, dtype=torch.float64, device=device)
    torch.distributed.all_reduce(total)
    return total.item() / ranks
