"""A bench without torch: one weight on w^2/2, where gradient descent is exact (limit 2, best rate 1)."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from stepwell.find.bench import TrialMemoryError
from stepwell.record.suggestion import Array


@dataclass
class ToyBench:
    """Counts what is done to it.

    Args:
        curvature: of the loss; the best rate is 1 / curvature, the limit 2 / curvature.
        floor: what the loss never falls below, so that a flat loss can be made.
        too_much: rates that do not fit into memory.
        val_curvature: of the validation loss; there is none without it.
        val_cost: batches that a validation counts as.
        offset: is added to the losses.
        first_steps: how large the very first update is beside later ones.
        hungry_seed: a seed whose batches do not fit into memory.
        hungry_after: updates of one run after which memory runs out, once.
    """

    curvature: float = 1.0
    floor: float = 0.0
    too_much: float = math.inf
    val_curvature: float | None = None
    val_cost: int = 0
    offset: float = 0.0
    first_steps: float = 1.0
    hungry_seed: int | None = None
    hungry_after: int | None = None
    ratios: tuple[float, ...] = (1.0,)
    seeds_vary: str = "initialisation and data order"
    steps_per_epoch: int | None = 10
    spent: int = 0
    begun: list[int] = field(default_factory=list)
    rates: list[float] = field(default_factory=list)
    weight: float = 1.0
    start: float = 1.0
    made: int = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass

    def begin(self, seed: int) -> None:
        self.begun.append(seed)
        self.start = self.weight = 1.0 + seed / 100

    def rewind(self) -> None:
        self.weight = self.start
        self.made = 0

    def mean_step(self, rates: Array, momentum: float | None = None) -> float:
        return 1.0 + (self.first_steps - 1.0) * float(rates[0] / rates.sum())

    def base(self, name: str) -> float:
        return {"momentum": 0.9}[name]

    def update(self, lr: float, **entries: float) -> float:
        if lr > self.too_much:
            raise TrialMemoryError("a short run needs more memory than there is (toy)")
        self.spent += 1
        self.made += 1
        if self.made == self.hungry_after:
            self.hungry_after = None
            raise TrialMemoryError("a short run needs more memory than there is (toy)")
        self.rates.append(lr)
        before = self._loss(self.curvature)
        self.weight *= 1.0 - lr * self.curvature
        return before

    def losses(self, count: int) -> float:
        if self.begun[-1] == self.hungry_seed:
            raise TrialMemoryError("a short run needs more memory than there is (toy)")
        self.spent += count
        return self._loss(self.curvature)

    def validate(self) -> float | None:
        self.spent += self.val_cost
        return None if self.val_curvature is None else self._loss(self.val_curvature)

    def _loss(self, curvature: float) -> float:
        if not abs(self.weight) < 1e150:  # its square is infinite
            return math.inf
        return max(0.5 * curvature * self.weight**2, self.floor) + self.offset
