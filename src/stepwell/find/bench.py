"""What a search for a rate stands on: short runs that all begin at the same place, and what each is worth."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, Self

from torch import Tensor, nn
from torch.optim import Optimizer

from stepwell.errors import StepwellError
from stepwell.record.suggestion import Array
from stepwell.tasks.task import Batch

Loss = Callable[[nn.Module, Batch], Tensor]


class TrialMemoryError(StepwellError):
    """One short run needs more memory than there is; others may not."""


class Bench(Protocol):
    """One thing to be trained, again and again from the same start. Use it in a `with` block, which puts all back.

    Attributes:
        ratios: each parameter group's base rate as a multiple of the first's.
        seeds_vary: "initialisation and data order", "data order", or "nothing" where every seed gave the same batches.
        steps_per_epoch: updates in an epoch; None where the data does not tell.
        spent: optimizer updates made, plus one for every batch that was only scored.
    """

    @property
    def ratios(self) -> tuple[float, ...]: ...  # noqa: D102 -- above

    @property
    def seeds_vary(self) -> str: ...  # noqa: D102 -- above

    @property
    def steps_per_epoch(self) -> int | None: ...  # noqa: D102 -- above

    @property
    def spent(self) -> int: ...  # noqa: D102 -- above

    def __enter__(self) -> Self:
        """Keep what is to be as before afterwards."""
        ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Put it back."""
        ...

    def begin(self, seed: int) -> None:
        """Stand at the start of a seed: its initialisation where there is one, and the order of its data."""
        ...

    def rewind(self) -> None:
        """Back to the start of this seed: weights, optimizer, random numbers, first batch."""
        ...

    def update(self, lr: float, **entries: float) -> float:
        """Make one update at rate `lr` of the first group; the training loss before it, `nan` or `inf` if it is so.

        Args:
            lr: the other groups keep their ratio to it.
            entries: the first group's value of other entries, by a schedule's names for them (`momentum`,
                `weight_decay`); the other groups keep their ratio to it.

        Raises:
            TrialMemoryError: there is not enough memory for it; `rewind` frees what it took.
            TaskError: it cannot be trained at all: its loss is no number, or has no gradient.
        """
        ...

    def losses(self, count: int) -> float:
        """The mean training loss on `count` batches that are the same for every rate of this seed.

        They are drawn from another epoch than those that are trained on first; fewer where an epoch has fewer. Forward
        only, without dropout; layers that keep running averages (batch norm) use the batch's own statistics, as in
        training, since the averages lag behind in a short run. Random numbers that the loss draws are the same at every
        call. Nothing is changed by it.
        """
        ...

    def mean_step(self, rates: Array, momentum: float | None = None) -> float:
        """How large the first updates of a run at these rates are, beside later ones; see `transient`."""
        ...

    def base(self, name: str) -> float:
        """The first group's own value of an entry (`momentum`, `weight_decay`), which a schedule's factors multiply.

        Raises:
            OptimizerError: the groups have no such entry.
        """
        ...

    def validate(self) -> float | None:
        """The mean validation loss in eval mode; None where there is no validation data."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Start:
    """One seed's work at its beginning.

    Args:
        rewind: puts everything back to the beginning, the global generators too.
        train: number of an epoch -> its batches, in this seed's order.
        scoring: the same, in another order.
        val: the validation batches.
        measure: the mean validation loss over batches.
    """

    model: nn.Module
    optimizer: Optimizer
    loss: Loss
    rewind: Callable[[], None]
    train: Callable[[int], Iterable[Batch]]
    scoring: Callable[[int], Iterable[Batch]]
    val: Callable[[], Iterable[Batch]] | None
    measure: Callable[[nn.Module, Iterable[Batch]], float]


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """Where the work of every seed comes from.

    Args:
        begin: a seed -> its work at its beginning.
        opened: inside it everything may be changed.
        guard: a clause of what was going on -> a context that explains an error in the user's code.
    """

    begin: Callable[[int], Start]
    opened: Callable[[], AbstractContextManager[object]]
    guard: Callable[[str], AbstractContextManager[object]]
    ratios: tuple[float, ...]
    seeds_vary: str
    steps_per_epoch: int | None
