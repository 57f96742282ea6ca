"""digits-cnn, the default task: a small CNN on 8x8 handwritten digits, with some wrong training labels."""

from __future__ import annotations

from torch import nn

from stepwell.tasks.builtin.digits import digits
from stepwell.tasks.parts import class_metrics, cross_entropy, in_order, seeded, shuffled, with_label_noise
from stepwell.tasks.task import Workload


def digits_cnn(seed: int, *, label_noise: float = 0.2, batch_size: int = 32) -> Workload:
    """Classify scikit-learn's digits with conv, pool, fc, fc.

    A fifth of the *training* labels are wrong, so gradients stay noisy to the end, as on a large data set: a rate that
    stays high leaves the loss on a noise floor, and a rate that decays shows what it is for. Validation and test labels
    are all right.

    Args:
        seed: decides the initial weights and the order of the training images, not the split and not the wrong labels.
        label_noise: the share of training labels that are wrong.
        batch_size: 32 gives 31 steps per epoch.
    """
    data = digits()
    images, labels = data.train
    return Workload(
        model=seeded(seed, _network),
        loss=cross_entropy,
        train=shuffled((images, with_label_noise(labels, label_noise, 10)), batch_size, seed),
        steps_per_epoch=len(images) // batch_size,
        val=in_order(data.val),
        metrics=class_metrics,
        test=in_order(data.test),
    )


def _network() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(1, 16, 3),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(16 * 3 * 3, 64),
        nn.ReLU(),
        nn.Linear(64, 10),
    )
