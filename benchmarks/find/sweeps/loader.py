"""A task's training data as a `DataLoader`, which every peer takes."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.utils.data import BatchSampler, DataLoader, RandomSampler, TensorDataset

from benchmarks.find.tasks import Work


def loader(work: Work, order: int) -> DataLoader[tuple[Tensor, ...]]:
    """Whole batches of the training data, in another order each epoch; a sampler of batches, because it is faster."""
    data = TensorDataset(*work.train)
    examples = RandomSampler(data, generator=torch.Generator().manual_seed(order))
    return DataLoader(data, sampler=BatchSampler(examples, work.batch_size, drop_last=True), batch_size=None)
