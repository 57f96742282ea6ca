"""A bench without torch: one weight on w^2/2, where gradient descent is exact (limit 2, best rate 1)."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from stepwell.find.bench import TrialMemoryError


@dataclass
class ToyBench:
    """Counts what is done to it.

    Args:
        curvature: of the loss; the best rate is 1 / curvature, the limit 2 / curvature.
        floor: what the loss never falls below, so that a flat loss can be made.
        too_much: rates that do not fit into memory.
    """

    curvature: float = 1.0
    floor: float = 0.0
    too_much: float = math.inf
    val_curvature: float | None = None
    ratios: tuple[float, ...] = (1.0,)
    seeds_vary: str = "initialisation and data order"
    steps_per_epoch: int | None = 10
    spent: int = 0
    begun: list[int] = field(default_factory=list)
    rates: list[float] = field(default_factory=list)
    weight: float = 1.0
    start: float = 1.0

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

    def base(self, name: str) -> float:
        return {"momentum": 0.9}[name]

    def update(self, lr: float, **entries: float) -> float:
        if lr > self.too_much:
            raise TrialMemoryError("a short run needs more memory than there is (toy)")
        self.spent += 1
        self.rates.append(lr)
        before = self._loss(self.curvature)
        self.weight *= 1.0 - lr * self.curvature
        return before

    def losses(self, count: int) -> float:
        self.spent += count
        return self._loss(self.curvature)

    def validate(self) -> float | None:
        return None if self.val_curvature is None else self._loss(self.val_curvature)

    def _loss(self, curvature: float) -> float:
        return max(0.5 * curvature * self.weight**2, self.floor) if math.isfinite(self.weight) else math.inf
