"""diabetes-mlp: regression on clinical measurements."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from stepwell.errors import MissingExtraError, TaskError
from stepwell.tasks.parts import Tensors, in_order, seeded, shuffled
from stepwell.tasks.task import Workload


def diabetes_mlp(seed: int, *, width: int = 32, batch_size: int = 16) -> Workload:
    """Predict the progress of diabetes after a year (scikit-learn's 442 patients) with two hidden layers.

    The loss is the squared error with inputs and target standardised by the training part, so an untrained network is
    near 1. `mae` is the mean absolute error in the units of the data (progress runs from 25 to 346).

    Args:
        seed: decides the initial weights and the order of the training examples, not the split.
        width: of the hidden layers.
        batch_size: 16 gives 17 steps per epoch.
    """
    if width < 1:
        raise TaskError(f"width must be positive, got {width}")
    data = _diabetes()

    def metrics(model: nn.Module, batch: Tensors) -> dict[str, tuple[Tensor, int]]:
        inputs, targets = batch
        errors = model(inputs) - targets
        return {
            "loss": (errors.square().sum(), len(targets)),
            "mae": (errors.abs().sum() * data.target_scale, len(targets)),
        }

    return Workload(
        model=seeded(seed, lambda: _network(width)),
        loss=_squared_error,
        train=shuffled(data.train, batch_size, seed),
        steps_per_epoch=len(data.train[0]) // batch_size,
        val=in_order(data.val),
        metrics=metrics,
        test=in_order(data.test),
    )


def _squared_error(model: nn.Module, batch: Tensors) -> Tensor:
    inputs, targets = batch
    return functional.mse_loss(model(inputs), targets)


def _network(width: int) -> nn.Module:
    return nn.Sequential(
        nn.Linear(10, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU(), nn.Linear(width, 1), nn.Flatten(0)
    )


class _Diabetes(NamedTuple):
    train: tuple[Tensor, Tensor]
    val: tuple[Tensor, Tensor]
    test: tuple[Tensor, Tensor]
    target_scale: float


@cache
def _diabetes() -> _Diabetes:
    """282 training, 80 validation and 80 test patients, standardised by the training part."""
    try:
        from sklearn.datasets import load_diabetes
    except ImportError as error:
        raise MissingExtraError("scikit-learn", "tasks", "the diabetes data set") from error
    inputs, progress = load_diabetes(return_X_y=True, scaled=False)
    order = np.random.default_rng(20240501).permutation(len(progress))
    inputs, progress = inputs[order], progress[order]
    known, target = inputs[:282], progress[:282]
    inputs = torch.from_numpy((inputs - known.mean(0)) / known.std(0)).float()
    progress = torch.from_numpy((progress - target.mean()) / target.std()).float()
    parts = (slice(282), slice(282, 362), slice(362, None))
    train, val, test = ((inputs[part], progress[part]) for part in parts)
    return _Diabetes(train, val, test, float(target.std()))
