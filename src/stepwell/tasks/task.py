"""The protocol of a task: one function from a seed to one seed's worth of real work."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol, TypeAlias

from torch import Tensor, nn

from stepwell.errors import TaskError

Batch: TypeAlias = Any
CALLED = {
    "loss": "def loss(model, batch): ...",
    "train": "def train(epoch): ...",
    "val": "val=lambda: [batch]",
    "metrics": "def metrics(model, batch): ...",
    "groups": "def groups(model): ...",
    "test": "test=lambda: [batch]",
}


@dataclass(frozen=True)
class Workload:
    """One seed's worth of real work. Everything random in it must follow from the seed it was made with.

    Args:
        model: freshly initialised from the seed.
        loss: the scalar training loss of a batch.
        train: epoch (from 0) -> the batches of that epoch; the same epoch gives the same batches every time.
        steps_per_epoch: how many batches an epoch has.
        val: the batches that choices are made on (rate, target).
        metrics: sums over a batch, `{"loss": (sum, count), "accuracy": (sum, count)}`, so that they add up exactly
            whatever the batch size; called in eval mode without gradients.
        goal: what is judged and which way is better: `val_` and a name from `metrics`.
        groups: parameter groups of the model; each may give its own `lr` as a *multiple* of the base rate (default 1).
        test: the batches that only the final decision sees; `None` means that the decision uses `val`, and says so.
    """

    model: nn.Module
    loss: Callable[[nn.Module, Batch], Tensor]
    train: Callable[[int], Iterable[Batch]]
    steps_per_epoch: int
    val: Callable[[], Iterable[Batch]]
    metrics: Callable[[nn.Module, Batch], Mapping[str, tuple[Tensor, int]]]
    goal: tuple[str, Literal["min", "max"]] = ("val_loss", "min")
    groups: Callable[[nn.Module], list[dict[str, Any]]] | None = None
    test: Callable[[], Iterable[Batch]] | None = None

    def __post_init__(self) -> None:
        for name, example in CALLED.items():
            value = getattr(self, name)
            if not callable(value) and not (value is None and name in ("groups", "test")):
                raise TaskError(f"Workload's {name} is a function, such as {example}; got {type(value).__name__}")


class Task(Protocol):
    """A user's task is one function. Called twice with one seed it gives the same work, bit for bit."""

    def __call__(self, seed: int) -> Workload:
        """Build one seed's work."""
        ...
