"""digits-mlp: a two-layer network on 8x8 handwritten digits."""

from __future__ import annotations

from torch import nn

from stepwell.errors import TaskError
from stepwell.tasks.builtin.digits import digits
from stepwell.tasks.parts import class_metrics, cross_entropy, in_order, seeded, shuffled, with_label_noise
from stepwell.tasks.task import Workload


def digits_mlp(seed: int, *, width: int = 64, label_noise: float = 0.0, batch_size: int = 32) -> Workload:
    """Classify scikit-learn's digits with one hidden layer.

    Args:
        seed: decides the initial weights and the order of the training images, not the split.
        width: of the hidden layer.
        label_noise: the share of *training* labels that are wrong.
        batch_size: 32 gives 31 steps per epoch.
    """
    if width < 1:
        raise TaskError(f"width must be positive, got {width}")
    data = digits()
    images, labels = data.train
    return Workload(
        model=seeded(seed, lambda: _network(width)),
        loss=cross_entropy,
        train=shuffled((images, with_label_noise(labels, label_noise, 10)), batch_size, seed),
        steps_per_epoch=len(images) // batch_size,
        val=in_order(data.val),
        metrics=class_metrics,
        test=in_order(data.test),
    )


def _network(width: int) -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.Linear(64, width), nn.ReLU(), nn.Linear(width, 10))
