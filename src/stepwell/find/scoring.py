"""What a model is worth on fixed batches, measured so that nothing changes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import torch
from torch import nn
from torch.nn.modules.batchnorm import _NormBase

from stepwell.find.bench import Loss
from stepwell.find.how import How
from stepwell.find.kept import Kept
from stepwell.find.trouble import single
from stepwell.tasks.determinism import random_kept, seed_all
from stepwell.tasks.task import Batch


def mean_loss(loss: Loss, how: How, model: nn.Module, batches: list[Batch]) -> float:
    """The mean of the batches' losses, each batch weighing the same."""
    total = 0.0
    for batch in batches:
        with how.forward(model):
            total += _without_graph(loss, model, batch)
    return total / len(batches)


def _without_graph(loss: Loss, model: nn.Module, batch: Batch) -> float:
    try:
        with torch.no_grad():
            return single(loss(model, batch)).item()
    except RuntimeError as error:
        if "does not require grad" not in str(error):
            raise
    return single(loss(model, batch)).item()  # it takes a gradient itself, as for a differential equation


def as_trained(model: nn.Module) -> AbstractContextManager[None]:
    """Inside, as in training but without its noise: dropout is off, batch norm goes by the batch's own statistics."""
    return _modes(model, lambda module: isinstance(module, _NormBase) and module.track_running_stats)


def evaluating(model: nn.Module) -> AbstractContextManager[None]:
    """Inside, every module is in eval mode."""
    return _modes(model, lambda _: False)


@contextmanager
def _modes(model: nn.Module, rule: Callable[[nn.Module], bool]) -> Iterator[None]:
    # Module by module: a user's frozen batch norm stays frozen, which `model.train()` would undo.
    modes = [(module, module.training) for module in model.modules()]
    try:
        for module, mode in modes:
            module.training = mode and rule(module)
        yield
    finally:
        for module, mode in modes:
            module.training = mode


@contextmanager
def unchanged(model: nn.Module) -> Iterator[None]:
    """Inside, random numbers are the same every time; afterwards the buffers and generators are as before."""
    kept = Kept()
    for module in model.modules():
        kept.value(module._buffers)
    with random_kept():
        seed_all(0)
        try:
            yield
        finally:
            kept.restore()
