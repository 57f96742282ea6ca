"""A task of your own: tell which arm of a spiral a point lies on.

Try it as it is, then put in your own model and data:

    stepwell find THIS_FILE:task       a learning rate for it, in seconds
    stepwell compare THIS_FILE:task    learning-rate strategies on it, each at its best rate

A task is one function that turns a seed into a `Workload`. Everything random in it must follow from that seed, so that
a run can be repeated; strategies are compared on the same seeds.
"""

from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.nn import functional

from stepwell.tasks.task import Workload

Batch = tuple[Tensor, Tensor]

NUM_TRAIN = 960
BATCH_SIZE = 32


def task(seed: int, *, width: int = 32) -> Workload:
    """Give everything that one run needs. `width` can be set from outside: THIS_FILE:task,width=64."""
    inputs, labels = spirals(NUM_TRAIN, seed=1)

    def train(epoch: int) -> Iterator[Batch]:
        # The order follows from the seed and the epoch alone: the same epoch gives the same batches every time.
        random = torch.Generator().manual_seed(1000 * seed + epoch)
        order = torch.randperm(NUM_TRAIN, generator=random)
        for start in range(0, NUM_TRAIN, BATCH_SIZE):
            rows = order[start : start + BATCH_SIZE]
            yield inputs[rows], labels[rows]

    return Workload(
        model=build_model(seed, width),
        loss=loss,
        train=train,
        steps_per_epoch=NUM_TRAIN // BATCH_SIZE,
        # Choices (the learning rate) are made on `val`; only the final decision sees `test`. Both are the same for
        # every seed, and both give their batches anew on every call.
        val=lambda: [spirals(400, seed=2)],
        test=lambda: [spirals(400, seed=3)],
        metrics=metrics,
        # What is judged: `val_` and a name from `metrics`, and which way is better.
        goal=("val_loss", "min"),
    )


def build_model(seed: int, width: int) -> nn.Module:
    """Build the network; its first weights follow from the seed, and torch's global random state stays as it was."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return nn.Sequential(nn.Linear(2, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU(), nn.Linear(width, 3))


def loss(model: nn.Module, batch: Batch) -> Tensor:
    """Give the training loss of a batch: one number, averaged over the batch."""
    inputs, labels = batch
    return functional.cross_entropy(model(inputs), labels)


def metrics(model: nn.Module, batch: Batch) -> dict[str, tuple[Tensor, int]]:
    """Give sums and counts, not means, so that batches of any size add up."""
    inputs, labels = batch
    scores = model(inputs)
    return {
        "loss": (functional.cross_entropy(scores, labels, reduction="sum"), len(labels)),
        "accuracy": ((scores.argmax(1) == labels).sum(), len(labels)),
    }


def spirals(num_points: int, seed: int) -> Batch:
    """Make the data: points on three arms of a spiral, shaken a little. Load your own here."""
    random = torch.Generator().manual_seed(seed)
    labels = torch.randint(3, (num_points,), generator=random)
    radius = torch.rand(num_points, generator=random)
    angle = 5 * radius + labels * (2 * torch.pi / 3) + 0.3 * torch.randn(num_points, generator=random)
    return torch.stack((radius * angle.cos(), radius * angle.sin()), dim=1), labels
