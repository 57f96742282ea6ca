"""Parts that most tasks need: seeded models, batches from tensors in memory, losses and metrics."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeAlias

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from stepwell.errors import TaskError

Tensors: TypeAlias = tuple[Tensor, ...]


def seeded(seed: int, build: Callable[[], nn.Module]) -> nn.Module:
    """Build a model whose initial weights follow from the seed alone; the global random state stays as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        return build()


def generator(seed: int, epoch: int) -> torch.Generator:
    """Give an epoch its own stream of random numbers, unrelated to that of any other seed or epoch."""
    mixed = np.random.SeedSequence((seed, epoch)).generate_state(1, np.uint64)[0]
    return torch.Generator().manual_seed(int(mixed >> 1))


def shuffled(data: Tensors, batch_size: int, seed: int) -> Callable[[int], Iterator[Tensors]]:
    """Batches in an order drawn anew for every epoch; a last batch that would be smaller is left out.

    Raises:
        TaskError: not even one batch can be filled.
    """
    size = len(data[0])
    if not 1 <= batch_size <= size:
        raise TaskError(f"batch_size must be between 1 and the {size} training examples, got {batch_size}")

    def epoch_batches(epoch: int) -> Iterator[Tensors]:
        order = torch.randperm(size, generator=generator(seed, epoch))
        for start in range(0, size - batch_size + 1, batch_size):
            rows = order[start : start + batch_size]
            yield tuple(part[rows] for part in data)

    return epoch_batches


def in_order(data: Tensors, batch_size: int = 500) -> Callable[[], Iterator[Tensors]]:
    """All examples in their own order; the last batch may be smaller."""

    def batches() -> Iterator[Tensors]:
        for start in range(0, len(data[0]), batch_size):
            yield tuple(part[start : start + batch_size] for part in data)

    return batches


def cross_entropy(model: nn.Module, batch: Tensors) -> Tensor:
    """Mean cross-entropy (nats) of a batch of inputs and class numbers."""
    inputs, targets = batch
    return functional.cross_entropy(model(inputs), targets)


def class_metrics(model: nn.Module, batch: Tensors) -> dict[str, tuple[Tensor, int]]:
    """`loss` (cross-entropy in nats) and `accuracy` (0 to 1) of a batch, as sums."""
    inputs, targets = batch
    scores = model(inputs)
    return {
        "loss": (functional.cross_entropy(scores, targets, reduction="sum"), len(targets)),
        "accuracy": ((scores.argmax(1) == targets).sum(), len(targets)),
    }


def with_label_noise(labels: Tensor, share: float, num_classes: int) -> Tensor:
    """Replace a share of the labels by another class, always the same ones and apart from any run's seed.

    Raises:
        TaskError: the share is not in 0 <= share < 1.
    """
    if not 0 <= share < 1:
        raise TaskError(f"label_noise must be a share such as 0.2 (0 <= label_noise < 1), got {share}")
    random = np.random.default_rng(2024)
    wrong = torch.from_numpy(random.random(len(labels)) < share)
    shift = torch.from_numpy(random.integers(1, num_classes, len(labels)))
    return torch.where(wrong, (labels + shift) % num_classes, labels)
