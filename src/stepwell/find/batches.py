"""The batches of one seed: drawn once, kept, and given out anew to every rate."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import islice
from typing import Any, final

import numpy as np
from torch import Tensor

from stepwell.errors import TaskError
from stepwell.tasks.determinism import random_kept, random_state, restore_random
from stepwell.tasks.task import Batch

Epoch = Callable[[int], Iterable[Batch]]
_NO_MORE = object()


@final
class Reel:
    """Batches by number, epoch after epoch, drawn when they are first asked for.

    Drawing has random numbers of its own: what it takes from the global generators is not missed by a model's dropout,
    so that the rate that happens to draw a batch trains as those that find it drawn. All batches that were asked for
    stay in memory, where the loader put them.

    Args:
        epoch: number of an epoch, from 0 -> its batches; it may seed the global generators.
        last: how many epochs there are.
    """

    def __init__(self, epoch: Epoch, *, last: int | None = None) -> None:
        self._epoch_of, self._last = epoch, last
        self._drawn: list[Batch] = []
        self._epoch = -1
        self._in_epoch = 0
        self._batches: Iterator[Batch] = iter(())
        self._random: dict[str, Any] | None = None

    def __getitem__(self, number: int) -> Batch:
        """A copy of batch `number`, so that a loss that changes its batch does not change it for the next rate.

        Raises:
            TaskError: an epoch without batches.
            IndexError: the last epoch has ended before it.
        """
        if number >= len(self._drawn):
            with self._own_random():
                while number >= len(self._drawn):
                    self._draw()
        return duplicate(self._drawn[number])

    def first(self, count: int) -> list[Batch]:
        """The first `count` batches, or all there are if the last epoch ends before."""
        with self._own_random():
            while len(self._drawn) < count:
                try:
                    self._draw()
                except IndexError:
                    break
        return [duplicate(batch) for batch in islice(self._drawn, count)]

    def close(self) -> None:
        """Let go of the batches and of what draws them, such as a loader's workers."""
        self._drawn, self._batches = [], iter(())

    def _draw(self) -> None:
        batch = next(self._batches, _NO_MORE)
        while batch is _NO_MORE:
            if self._epoch >= 0 and self._in_epoch == 0:
                raise TaskError(self._nothing())
            if self._epoch + 1 == self._last:
                raise IndexError("the last epoch has ended")
            self._epoch, self._in_epoch = self._epoch + 1, 0
            self._batches = iter(self._epoch_of(self._epoch))
            batch = next(self._batches, _NO_MORE)
        self._drawn.append(duplicate(batch))  # some loaders fill the same memory again for the next
        self._in_epoch += 1

    def _nothing(self) -> str:
        if not self._drawn:
            return "there are no batches to train on: the first epoch is empty"
        return (
            f"epoch {self._epoch} is empty after {len(self._drawn)} batches, so the data can be read only once; "
            "pass the loader itself, not iter(loader)"
        )

    @contextmanager
    def _own_random(self) -> Iterator[None]:
        with random_kept():
            if self._random is not None:
                restore_random(self._random)
            yield
            self._random = random_state()


def duplicate(batch: Batch) -> Batch:
    """The same batch in memory of its own, as far as it is made of tensors, arrays and containers.

    An object of another kind is copied by its `clone()` if it has one, else it is the same object.
    """
    match batch:
        case Tensor():
            return batch.detach().clone().requires_grad_(batch.requires_grad)
        case np.ndarray():
            return batch.copy()
        case str() | bytes():
            return batch
        case Mapping():
            double: Any = copy.copy(batch)
            for key, value in batch.items():
                double[key] = duplicate(value)
            return double
        case list():
            return [duplicate(item) for item in batch]
        case tuple():
            items = [duplicate(item) for item in batch]
            return type(batch)(*items) if hasattr(batch, "_fields") else type(batch)(items)
    clone = getattr(batch, "clone", None)
    return clone() if callable(clone) else batch
